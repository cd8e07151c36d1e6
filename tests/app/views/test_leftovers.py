"""Views that are gone leave nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme import theme
from app.views.concepts_view import ConceptsView
from app.views.layers_view import LayersView


def destroy(widget: object) -> None:
    widget.close()  # type: ignore[attr-defined]
    widget.deleteLater()  # type: ignore[attr-defined]
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    gc.collect()


def test_destroyed_views_leave_no_widgets_and_hear_nothing(
    qtbot: QtBot,
    make_points: Callable,
    make_detail: Callable,
    make_replacement: Callable,
    make_layers: Callable,
    make_source: Callable,
) -> None:
    gc.collect()
    before = set(QApplication.allWidgets())
    source, points = make_source(later=True), make_points(60)

    def open_and_close() -> None:
        view, layers = ConceptsView(), LayersView()
        view.set_source(source)
        view.show_points(points)
        view.show_replacement(make_replacement(points))
        view.show_detail(make_detail())
        view.show()
        view.open_large_view(make_detail().top[0].patch_id, 1)
        layers.show_data(make_layers(("a", "b"), ("c", "d")))
        layers.show()
        for widget in (view, layers):
            widget.grab()
            destroy(widget)
            assert not shiboken6.isValid(widget)

    for _ in range(2):
        open_and_close()
    gc.collect()
    assert [w for w in QApplication.allWidgets() if w not in before] == []
    # Late news reach no destroyed object: an exception in a slot would fail the test.
    source.ready.emit(1)
    theme().changed.emit()
    QApplication.processEvents()
