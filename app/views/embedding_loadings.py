"""Loadings of one axis, and the counts of one concept against it (appendix C and Fig. 6)."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget

from analysis.figures.embedding_data import ConceptCounts, EmbeddingLoadings, EmbeddingPoints
from analysis.figures.words import number
from app.theme import PADDING, font
from app.views.embedding_columns import count_columns, loading_columns
from app.views.embedding_words import (
    axis_title,
    component_name,
    concept_shares,
    counts_note,
    percent,
)
from app.widgets.bar_data import BarColumn, BarData, BarRow, upper_limit
from app.widgets.bar_table import BarTable
from app.widgets.category_marks import OTHER_COLOUR, category_word
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.group_marks import category_mark, group_mark
from app.widgets.model_scatter import ModelScatter
from app.widgets.name_ids import NameIds
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin

_EMPTY = "Which concepts make up each axis of the embedding."
_COUNTS_EMPTY = "Click on a concept to see how many units of each model know it, along the axis."
Concept = tuple[str, str]  # name, category


class LoadingsPanel(FigurePanel):
    """Concepts by the size of their loading on one component."""

    concept_chosen = Signal(str, str)
    concept_activated = Signal(str)
    component_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bars = BarTable("Loadings of concepts", selecting=False)
        empty = EmptyState(_EMPTY, "Embed models…", "run embedding")
        super().__init__("loadings", "Loadings", self.bars, TableTwin("concept"), empty, parent)
        self.data: EmbeddingLoadings | None = None
        self.component = 1
        self._followed = 1
        self.axis = QComboBox()
        self.axis.setFont(font("small"))
        self.axis.setAccessibleName("Component whose loadings are shown")
        self.axis.setToolTip("Loadings of the axis under the mouse, or always of one component")
        self.axis.activated.connect(self._choose_axis)
        self.controls.addWidget(self.axis)
        assert self.table is not None
        for source in (self.bars.row_focused, self.table.row_focused):
            source.connect(self._choose_concept)
        for source in (self.bars.row_activated, self.table.row_activated):
            source.connect(self._activate_concept)

    def show_loadings(self, data: EmbeddingLoadings | None) -> None:
        """Show the loadings, or the empty state."""
        self.data = data if data is not None and data.concepts else None
        self.show_content(self.data is not None)
        assert self.table is not None
        if self.data is None:
            self.table.set_columns([], [])
            self.bars.set_data(None)
            return
        ids = list(zip(self.data.concepts, self.data.categories, strict=True))
        self.table.set_columns(ids, loading_columns(self.data))
        with QSignalBlocker(self.axis):
            chosen = self.axis.currentData()
            self.axis.clear()
            self.axis.addItem("axis under the mouse", 0)
            for component in range(1, len(self.data.loadings) + 1):
                self.axis.addItem(component_name(component), component)
            self.axis.setCurrentIndex(max(0, self.axis.findData(chosen)))
        self._draw()

    def follow_axis(self, component: int) -> None:
        """Show the loadings of the axis under the mouse, unless one component is held."""
        self._followed = component
        if not self.axis.currentData():
            self._take(component)

    def _choose_axis(self) -> None:
        self._take(self.axis.currentData() or self._followed)

    def _take(self, component: int) -> None:
        if self.data is not None and component != self.component:
            self.component = component
            self._draw()
            self.component_changed.emit(component)

    def _draw(self) -> None:
        data = self.data
        if data is None:
            return
        self.component = min(self.component, len(data.loadings))
        values, shares = data.loadings[self.component - 1], concept_shares(data)[self.component - 1]
        order = np.argsort(-np.nan_to_num(np.abs(values)), kind="stable")
        order = order[np.nan_to_num(values[order]) != 0]
        rows = []
        for at in order.tolist():
            mark = category_mark(data.categories[at])
            key = (data.concepts[at], data.categories[at])
            rows.append(BarRow(key, data.concepts[at], "", mark.sign, mark.colour))
        most = upper_limit(values)
        column = BarColumn(
            title=f"Loading on {component_name(self.component)}",
            values=values[order],
            texts=tuple(number(v) for v in values[order].tolist()),
            limits=(-most, most),
        )
        part = BarColumn(
            title=f"Part of {component_name(self.component)}",
            values=shares[order],
            texts=tuple(percent(s) for s in shares[order].tolist()),
            limits=(0.0, upper_limit(shares)),
            colour=OTHER_COLOUR,
        )
        self.title.setText(f"Loadings of {component_name(self.component)}")
        self.bars.set_data(BarData(tuple(rows), (column, part), self._describe))
        kinds = dict.fromkeys(data.categories)
        signs = [
            f'<span style="color:{category_mark(c).colour}">{category_mark(c).sign}</span> '
            + category_word(c)
            for c in kinds
            if c.isalpha()  # also keeps markup out of the line
        ]
        self.set_note("&nbsp;&nbsp; ".join(signs))

    def _describe(self, concept: Hashable) -> str:
        if self.data is None or not isinstance(concept, tuple):
            return ""
        keys = list(zip(self.data.concepts, self.data.categories, strict=True))
        if concept not in keys:
            return ""
        at = keys.index(concept)
        parts = [
            f"{component_name(c + 1)} {number(float(self.data.loadings[c, at]))}"
            for c in range(len(self.data.loadings))
        ]
        return f"{concept[0]} ({category_word(concept[1])}): {', '.join(parts)}"

    def _choose_concept(self, concept: Concept | None) -> None:
        if concept is not None:
            self.bars.set_focus(concept)
            self.concept_chosen.emit(*concept)

    def _activate_concept(self, concept: Concept) -> None:
        self.concept_activated.emit(concept[0])


class CountsPanel(FigurePanel):
    """Units that know one concept, against a component."""

    models_chosen = Signal(object)  # frozenset of names
    model_hovered = Signal(object)
    units_requested = Signal(str)

    def __init__(self, ids: NameIds, parent: QWidget | None = None) -> None:
        self.scatter = ModelScatter("Units that know the concept")
        empty = EmptyState(_COUNTS_EMPTY)
        super().__init__(
            "concept-counts", "Concept", self.scatter, TableTwin("model"), empty, parent
        )
        self.scatter.crowded = 8  # it is small
        self._ids = ids
        self.data: ConceptCounts | None = None
        self._groups: dict[str, str] = {}
        self._points: EmbeddingPoints | None = None
        self.units = QToolButton()
        self.units.setText("Show its units")
        self.units.setFont(font("small"))
        self.units.setToolTip("The units that know the concept, with their images")
        self.units.clicked.connect(self._ask_units)
        self.controls.addWidget(self.units)
        assert self.table is not None
        self.scatter.selection_changed.connect(self._select_points)
        self.scatter.point_hovered.connect(self._hover_point)
        self.table.selection_changed.connect(self.models_chosen)
        self.table.row_hovered.connect(self.model_hovered)

    def show_counts(self, data: ConceptCounts | None, points: EmbeddingPoints | None) -> None:
        """Show one concept's counts; `points` give axis titles and groups."""
        self.data = data if data is not None and data.models else None
        self.show_content(self.data is not None)
        assert self.table is not None
        if self.data is None:
            self.scatter.set_models(_NOTHING, {})
            self.table.set_columns([], [])
            return
        self.table.set_columns(list(self.data.models), count_columns(self.data))
        self.title.setText(f"Units that know {self.data.concept}")
        ids = [self._ids.id_of(model) for model in self.data.models]
        names = dict(zip(ids, self.data.models, strict=True))
        self.scatter.set_models(self._scatter_data(self.data, points), names)
        note = counts_note(self.data)
        if len(self.data.models) > self.scatter.crowded:
            note += " Names that find no room are shown on hover."
        self.set_note(note)

    def set_models(self, models: tuple[str, ...]) -> None:
        self.scatter.set_selection(self._ids.ids_of(models))
        assert self.table is not None
        self.table.set_selection(models)

    def set_hover(self, model: str | None) -> None:
        self.scatter.set_hover(None if model is None else self._ids.id_of(model))

    def _scatter_data(self, data: ConceptCounts, points: EmbeddingPoints | None) -> ScatterData:
        groups = {} if points is None else dict(zip(points.models, points.group, strict=True))
        letters = [groups.get(model, "") for model in data.models]
        kinds = sorted(set(letters))
        marks = [group_mark(letter) for letter in kinds]
        name = component_name(data.component)
        return ScatterData(
            ids=np.array([self._ids.id_of(model) for model in data.models]),
            x=data.position,
            y=data.units.astype(float),
            x_title=name if points is None else axis_title(points, data.component),
            y_title="units",
            group=np.array([kinds.index(letter) for letter in letters]),
            styles=tuple(PointStyle(m.symbol, m.colour, 10.0) for m in marks),
            describe=self._describe,
            y_limits=(0.0, np.inf),
        )

    def _describe(self, identity: int) -> str:
        name, data = self._ids.name_of(identity), self.data
        if data is None or name is None or name not in data.models:
            return ""
        at = data.models.index(name)
        where = number(float(data.position[at]))
        return f"{name}: {int(data.units[at]):,} units, {component_name(data.component)} {where}"

    def _select_points(self, chosen: frozenset[int]) -> None:
        names = [self._ids.name_of(identity) for identity in chosen]
        self.models_chosen.emit(frozenset(name for name in names if name is not None))

    def _hover_point(self, identity: int | None) -> None:
        self.model_hovered.emit(self._ids.name_of(identity))

    def _ask_units(self) -> None:
        if self.data is not None:
            self.units_requested.emit(self.data.concept)


class LoadingsTab(Splitter):
    """Loadings above, the counts of the concept chosen below."""

    concept_requested = Signal(str, str, int)

    def __init__(self, ids: NameIds, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.loadings = LoadingsPanel()
        self.counts = CountsPanel(ids)
        self._concept: Concept | None = None
        for panel in (self.loadings, self.counts):
            self.addWidget(panel)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(PADDING)
        self.setSizes([340, 300])
        self.loadings.concept_chosen.connect(self._choose)
        self.loadings.component_changed.connect(self._ask)

    def _choose(self, concept: str, category: str) -> None:
        self._concept = (concept, category)
        self._ask()

    def _ask(self) -> None:
        if self._concept is not None:
            self.concept_requested.emit(*self._concept, self.loadings.component)


_NOTHING = ScatterData(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), "", "")
