"""What tests of the saliency view do by hand, and what they hear from it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from analysis.figures.saliency_data import Cell
from app.views.saliency_view import SaliencyView
from tests.app.views import made_saliency as made

LITE0, LITE2, VIT = made.MODELS
FIRST = 40  # id of the first image; the others follow by threes


class Heard:
    """What a view has told."""

    def __init__(self, view: SaliencyView) -> None:
        self.told: list[tuple[str, object]] = []
        for name in (
            "maps_needed", "cells_selected", "image_focused", "models_selected", "method_chosen",
            "arranged", "explain_requested", "back_requested", "action_requested",
        ):  # fmt: skip
            getattr(view, name).connect(self._listener(name))
        view.depth_needed.connect(self._depth)
        view.step_needed.connect(self._step)
        view.export_requested.connect(self._export)

    def _listener(self, name: str) -> Callable[..., None]:
        def listen(*what: object) -> None:
            self.told.append((name, what[0] if what else None))

        return listen

    def _depth(self, image: int, model: str) -> None:
        self.told.append(("depth_needed", (image, model)))

    def _step(self, cell: Cell, kind: str, step: int) -> None:
        self.told.append(("step_needed", (cell, kind, step)))

    def _export(self, figure: str, form: str) -> None:
        self.told.append(("export_requested", (figure, form)))

    def all(self, name: str) -> list[object]:
        return [what for who, what in self.told if who == name]

    def last(self, name: str) -> object:
        return self.all(name)[-1]


def shown(qtbot: QtBot, view: SaliencyView) -> Heard:
    heard = Heard(view)
    view.show()
    qtbot.waitExposed(view)
    qtbot.waitUntil(lambda: bool(heard.all("maps_needed")))
    view.show_maps(made.maps(heard.last("maps_needed")))  # type: ignore[arg-type]
    return heard


def click(qtbot: QtBot, view: SaliencyView, cell: Cell, *modifiers: Qt.KeyboardModifier) -> None:
    plan = view.grid.grid_model.plan
    assert plan is not None
    place = plan.place(cell)
    assert place is not None
    centre = view.grid.visualRect(view.grid.grid_model.index(*place)).center()
    keys = modifiers[0] if modifiers else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, keys, centre)


CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def with_curves(qtbot: QtBot, view: SaliencyView, cells: list[Cell]) -> Heard:
    heard = shown(qtbot, view)
    view.tabs.show_tab("curves")
    click(qtbot, view, cells[0])
    for cell in cells[1:]:
        click(qtbot, view, cell, CONTROL)
    view.show_curves(made.curves(cells))
    return heard


CELLS = [Cell(FIRST, LITE0, "gradcam"), Cell(FIRST, LITE2, "gradcam")]
