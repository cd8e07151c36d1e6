"""A saliency view that is gone leaves nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from analysis.figures.saliency_data import Cell
from app.theme import theme
from app.views.saliency_view import SaliencyView
from tests.app.views import made_saliency as made


def test_destroyed_views_leave_no_widgets_and_hear_nothing(
    qtbot: QtBot, make_source: Callable
) -> None:
    gc.collect()
    before = set(QApplication.allWidgets())
    source = make_source(later=True)
    cells = [Cell(40, model, "gradcam") for model in made.MODELS[:2]]

    def open_and_close() -> None:
        view = SaliencyView()
        view.set_source(source)
        view.show_index(made.index(4))
        view.show_summary(made.summary())
        view.show_comparisons(made.comparisons())
        view.show_maps(made.maps(cells))
        view.show()
        for key in ("curves", "metrics", "differences", "attention", "settings", "pair"):
            view.tabs.show_tab(key)
            view.show_curves(made.curves(cells))
            view.show_depth(made.depth(40))
            view.grab()
        view.show_explanation(made.explanation())
        view.grab()
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
