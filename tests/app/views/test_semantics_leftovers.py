"""A semantics view that is gone leaves nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme import theme
from app.views.semantics_view import TABS, SemanticsView
from tests.app.views import made_semantics as made


def test_destroyed_views_leave_no_widgets_and_hear_nothing(
    qtbot: QtBot, make_source: Callable
) -> None:
    gc.collect()
    before = set(QApplication.allWidgets())
    source = make_source(later=True)

    def open_and_close() -> None:
        view = SemanticsView()
        view.set_source(source)
        view.show_index(made.index())
        view.show_space(made.space())
        view.show_separability(made.separability(), made.separability(made.MODEL_B))
        view.show_masks(made.masks())
        view.show_pair(made.projected())
        view.show_tcav(made.tcav())
        view.show_sets(made.concept_sets())
        view.show_examples(7, made.examples(7))
        view.show()
        for key in TABS:
            view.show_tab(key)
            view.grab()
        view.set_concept("fur")
        view.close()
        view.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
        assert not shiboken6.isValid(view)

    for _ in range(2):
        open_and_close()
    gc.collect()
    assert [w for w in QApplication.allWidgets() if w not in before] == []
    # Late news reach no destroyed object: an exception in a slot would fail the test.
    source.ready.emit(40)
    theme().changed.emit()
    QApplication.processEvents()
