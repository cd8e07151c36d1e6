"""How many groups and how many components there are (LCE paper, appendix D)."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from analysis.figures.embedding_data import EmbeddingPoints, GroupChoice
from analysis.figures.words import number
from app.theme import PADDING
from app.views.embedding_columns import choice_columns, variance_columns
from app.views.embedding_words import beating_chance, choice_note, component_name, percent
from app.widgets.bar_data import BarColumn, BarData, BarRow, upper_limit
from app.widgets.bar_table import BarTable
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.quantities import significant
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.scatter_plot import ScatterPlot
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin

_EMPTY = "How many groups the models fall into, and how many axes say more than chance."
_STYLES = (PointStyle("o", "muted", 8.0), PointStyle("star", "text", 15.0))


class GroupsPanel(FigurePanel):
    """Elbow and silhouette of k-means beside one another; a star marks the choice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.elbow = ScatterPlot("Inertia by number of groups")
        self.silhouette = ScatterPlot("Silhouette by number of groups")
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for plot in (self.elbow, self.silhouette):
            layout.addWidget(plot)
        empty = EmptyState(_EMPTY, "Embed models…", "run embedding")
        super().__init__("groups", "Number of groups", row, TableTwin("number"), empty, parent)
        self.data: GroupChoice | None = None
        for plot in (self.elbow, self.silhouette):
            plot.point_focused.connect(self._focus)
        assert self.table is not None
        self.table.row_focused.connect(self._focus)

    def show_groups(self, data: GroupChoice | None) -> None:
        """Show the choice of k, or the empty state."""
        self.data = data if data is not None and len(data.k) else None
        self.show_content(self.data is not None)
        assert self.table is not None
        if self.data is None:
            self.table.set_columns([], [])
            for plot in (self.elbow, self.silhouette):
                plot.set_data(None)
                plot.show_interval([], [])
            return
        self.table.set_columns(self.data.k.tolist(), choice_columns(self.data))
        for plot, values, title in (
            (self.elbow, self.data.inertia, "inertia"),
            (self.silhouette, self.data.silhouette, "silhouette"),
        ):
            plot.set_data(self._curve(self.data, values, title))
            there = np.isfinite(values)
            plot.show_interval(self.data.k[there].astype(float).tolist(), values[there].tolist())
        self.set_note(choice_note(self.data))

    def show_all(self) -> None:
        """Undo zooming."""
        for plot in (self.elbow, self.silhouette):
            plot.show_all()

    def _curve(self, data: GroupChoice, values: np.ndarray, title: str) -> ScatterData:
        finite = values[np.isfinite(values)]
        top = float(finite.max(initial=0.0)) or 1.0
        low = min(0.0, float(finite.min(initial=0.0)))
        k = data.k.astype(float)
        return ScatterData(
            ids=data.k.astype(np.int64),
            x=k,
            y=values,
            x_title="number of groups",
            y_title=title,
            group=(data.k == data.chosen).astype(int),
            styles=_STYLES,
            describe=self._describe,
            x_bounds=(float(k.min()) - 0.4, float(k.max()) + 0.4),
            y_bounds=(low - 0.06 * top, 1.1 * top),
        )

    def _describe(self, groups: int) -> str:
        data = self.data
        if data is None or groups not in data.k:
            return ""
        at = int(np.flatnonzero(data.k == groups)[0])
        silhouette = float(data.silhouette[at])
        text = f", silhouette {number(silhouette)}" if np.isfinite(silhouette) else ""
        return f"{groups} groups: inertia {significant(float(data.inertia[at]))}{text}"

    def _focus(self, groups: int) -> None:
        for plot in (self.elbow, self.silhouette):
            plot.set_focus(groups)
        assert self.table is not None
        self.table.set_focus(groups)


class VariancePanel(FigurePanel):
    """What each component explains, with what it would explain by chance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bars = BarTable("Explained variance of components", selecting=False)
        empty = EmptyState("How much of the models' differences each axis explains.")
        super().__init__(
            "explained-variance",
            "Explained variance",
            self.bars,
            TableTwin("component"),
            empty,
            parent,
        )

    def show_points(self, data: EmbeddingPoints | None) -> None:
        """Show the embedding's components, or the empty state."""
        there = data is not None and len(data.explained_variance) > 0
        self.show_content(there)
        assert self.table is not None
        if data is None or not there:
            self.bars.set_data(None)
            self.table.set_columns([], [])
            return
        explained, null = data.explained_variance, data.null_95
        components = range(1, len(explained) + 1)
        rows = tuple(BarRow(c, component_name(c)) for c in components)
        beating = beating_chance(data)
        known = bool(np.isfinite(null).any())
        texts = tuple(
            percent(float(e)) + (f" · chance {percent(float(n))}" if np.isfinite(n) else "")
            for e, n in zip(explained, null, strict=True)
        )
        column = BarColumn(
            title="",
            values=explained,
            texts=texts,
            limits=(0.0, min(1.0, 1.05 * upper_limit(explained, null))),
            marks=null,
            grey=np.array([known and c not in beating for c in components]),
        )
        self.bars.set_data(BarData(rows, (column,)))
        self.table.set_columns(list(components), variance_columns(data))
        self.set_note(
            "Thin mark: what the same component explains in 95 % of random tables. Grey: no more"
            f" than that. Together {percent(float(np.nansum(explained)))}."
        )


class GroupsTab(Splitter):
    """Number of groups above, explained variance below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.groups = GroupsPanel()
        self.variance = VariancePanel()
        for panel in (self.groups, self.variance):
            self.addWidget(panel)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(PADDING)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.setSizes([460, 160])
