"""The table twin of the grid of saliency maps: a map a row, with what is known of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from PySide6.QtGui import QShowEvent

from analysis.figures.saliency_data import Cell
from app.views.saliency_grid import MOST_SELECTED, SaliencyGrid
from app.views.saliency_grid_model import SaliencyMaps
from app.views.saliency_layout import GridPlan, Places
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

_NOT_READ = "not read yet"
_NO_CLASS = "any class"


class SaliencyMapTable(TableTwin):
    """Walking, selecting and opening here does in the grid what it would do there.

    Filled only while it is on the screen: a run may have many thousand maps.
    """

    def __init__(self, grid: SaliencyGrid) -> None:
        super().__init__("map")
        self._grid = grid
        grid.grid_model.modelReset.connect(self._fill_if_shown)
        self.row_focused.connect(self._focus)
        self.selection_changed.connect(self._select)
        self.row_activated.connect(grid.cell_activated)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.fill()

    def copy_all(self) -> None:
        self.fill()
        super().copy_all()

    def fill(self) -> None:
        """Show the maps that the grid has in its rows and columns."""
        plan = self._grid.grid_model.plan
        cells = plan_cells(plan)
        if plan is None:
            self.set_columns([], [])
        else:
            self.set_columns(cells, map_columns(plan.places, cells, self._grid.grid_model.maps))
        self.set_selection(self._grid.selection())
        self.set_focus(self._grid.focus())

    def _fill_if_shown(self) -> None:
        if self.isVisible():
            self.fill()

    # -- by hand

    def _focus(self, cell: Cell) -> None:
        self._grid.set_focus(cell)
        self._grid.cell_focused.emit(cell)

    def _select(self, chosen: frozenset[Hashable]) -> None:
        cells = tuple(c for c in self.model.shown_ids() if c in chosen)[:MOST_SELECTED]
        if cells:
            self._grid.set_selection(cells)  # type: ignore[arg-type]
            self._grid.selection_changed.emit(cells)


def plan_cells(plan: GridPlan | None) -> list[Cell]:
    """Every map of the grid, row by row."""
    if plan is None:
        return []
    found = (plan.cell(r, c) for r in range(len(plan.rows)) for c in range(len(plan.columns)))
    return [cell for cell in found if cell is not None]


def map_columns(places: Places, cells: Sequence[Cell], maps: SaliencyMaps) -> tuple[Column, ...]:
    """One row a map; class and probability are known of the maps that were read already."""
    here = [maps.get(cell) if cell in maps else None for cell in cells]

    def words(values: list[Any]) -> np.ndarray:
        return np.array(values, dtype=object)

    classes = [_NOT_READ if found is None else found.class_name or _NO_CLASS for found in here]
    scores = [np.nan if found is None else float(found.score) for found in here]
    return (
        Column("model", "Model", words([cell.model for cell in cells])),
        Column("method", "Method", words([places.title(cell.method) for cell in cells])),
        Column("image", "Image", words([places.image_name(cell.image) for cell in cells])),
        Column("label", "Label", words([places.image_label(cell.image) for cell in cells])),
        Column("layer", "Layer", words([places.layer(c.model, c.method) for c in cells])),
        Column("map", "Map", words(["yes" if places.has(c) else places.reason(c) for c in cells]),
               hint="Whether the run holds it, or why it does not"),
        Column("class", "Of class", words(classes)),
        Column("probability", "Probability", np.array(scores, float), "decimal", digits=3,
               missing=_NOT_READ, hint="What the model gives to the class in the whole image"),
    )  # fmt: skip
