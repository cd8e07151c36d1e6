"""The concepts behind the profiles of a few models: how many units of each know them."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from analysis.figures.unit_data import Profiles
from analysis.figures.words import count
from app.theme import font
from app.views.embedding_columns import texts
from app.widgets.bar_data import BarColumn, BarData, BarRow, upper_limit
from app.widgets.bar_table import BarTable
from app.widgets.category_marks import category_word
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.group_marks import category_mark, group_mark
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

MOST_MODELS = 4
_EMPTY = "Select one to four models to see which concepts their units know."
_ORDERS = ("largest difference first", "most units first")


class ConceptProfilePanel(FigurePanel):
    """One row a concept, one column a model of the selection."""

    concept_activated = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bars = BarTable("Concepts of the selected models", selecting=False)
        super().__init__(
            "profiles", "Concepts", self.bars, TableTwin("concept"), EmptyState(_EMPTY), parent
        )
        self.data: Profiles | None = None
        self._models: tuple[str, ...] = ()
        self._groups: dict[str, str] = {}
        self._about = ""
        self.order = QComboBox()
        self.order.setFont(font("small"))
        self.order.setAccessibleName("Order of the concepts")
        self.order.addItems(_ORDERS)
        self.order.activated.connect(self._draw)
        self.controls.addWidget(self.order)
        assert self.table is not None
        for source in (self.bars.row_activated, self.table.row_activated):
            source.connect(self._open)

    def set_about(self, about: str) -> None:
        """Which models these are, where nobody has selected them."""
        self._about = about

    def show_profiles(
        self, data: Profiles | None, models: tuple[str, ...], groups: dict[str, str]
    ) -> None:
        """Show the concepts of some models, or the empty state if there are none or too many."""
        self.data, self._groups = data, groups
        known = () if data is None else data.models
        self._models = tuple(model for model in models if model in known)
        there = 1 <= len(self._models) <= MOST_MODELS
        self.show_content(there)
        self.order.setVisible(len(self._models) > 1)
        if there:
            self._draw()
            return
        self.bars.set_data(None)
        assert self.table is not None
        self.table.set_columns([], [])

    def _draw(self) -> None:
        data = self.data
        if data is None or not self._models:
            return
        units = data.units[[data.models.index(model) for model in self._models]].astype(float)
        order = self._sorted(units)
        kept = [(data.concepts[i], data.concept_categories[i]) for i in order.tolist()]
        marks = [category_mark(category) for _, category in kept]
        rows = tuple(
            BarRow(key, key[0], "", mark.sign, mark.colour)
            for key, mark in zip(kept, marks, strict=True)
        )
        most = upper_limit(units)
        columns = []
        for model, values in zip(self._models, units[:, order], strict=True):
            mark = group_mark(self._groups.get(model, ""))
            sign = mark.sign if self._groups.get(model) else ""
            written = tuple(f"{v:,.0f}" for v in values.tolist())
            columns.append(
                BarColumn(model, values, written, (0.0, most), "", sign, sign_colour=mark.colour)
            )
        self.bars.set_data(BarData(rows, tuple(columns), self._describe))
        self._fill_table(data, kept, units[:, order])
        self.set_note(
            f"{self._about}{count(len(kept), 'concept')} known to any of them;"
            " double-click shows the units."
        )

    def _sorted(self, units: np.ndarray) -> np.ndarray:
        """Places of the concepts that any model knows."""
        by_difference = len(units) > 1 and self.order.currentIndex() == 0
        size = np.ptp(units, axis=0) if by_difference else units.sum(axis=0)
        order = np.lexsort((-units.sum(axis=0), -size))
        return order[units[:, order].sum(axis=0) > 0]

    def _fill_table(self, data: Profiles, kept: list[tuple[str, str]], units: np.ndarray) -> None:
        columns = [
            Column("concept", "Concept", texts(concept for concept, _ in kept)),
            Column("category", "Category", texts(category_word(c) for _, c in kept)),
        ]
        for model, values in zip(self._models, units, strict=True):
            columns.append(Column(model, model, values, "whole"))
        assert self.table is not None
        self.table.set_columns(kept, columns)

    def _describe(self, concept: Hashable) -> str:
        data = self.data
        if data is None or not isinstance(concept, tuple):
            return ""
        keys = list(zip(data.concepts, data.concept_categories, strict=True))
        if concept not in keys:
            return ""
        at = keys.index(concept)
        parts = [
            f"{model} {count(int(data.units[data.models.index(model), at]), 'unit')}"
            for model in self._models
        ]
        return f"{concept[0]} ({category_word(concept[1])}): {', '.join(parts)}"

    def _open(self, concept: tuple[str, str]) -> None:
        self.concept_activated.emit(concept[0])
