"""What the components go with: profiles and performance (LCE paper, Figs. 5 and 7)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.embedding_data import CorrelationMatrix
from app.theme import GRID, font
from app.views.embedding_columns import correlation_columns, correlation_rows
from app.views.embedding_words import (
    component_name,
    correlation_line,
    correlation_note,
    survives,
)
from app.views.read_heatmap import ReadHeatmap
from app.widgets.category_marks import category_word
from app.widgets.empty_state import EmptyState
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData
from app.widgets.table_twin import TableTwin

KINDS = {"performance": "performance in tasks", "profile": "profiles"}
_TITLES = {"performance": "Components and performance", "profile": "Components and profiles"}
_EMPTY = {
    "performance": "Which tasks the models do better the further they lie along an axis.",
    "profile": "Which categories of concepts each axis of the embedding goes with.",
}
_BUTTONS = {
    "performance": ("Evaluate models…", "run evaluation"),
    "profile": ("Embed models…", "run embedding"),
}
_HINT = {
    "performance": "Move over a cell to read it; double-click to see the task behind the points.",
    "profile": "Move over a cell to read it.",
}


class CorrelationPanel(ReadHeatmap):
    """One matrix; what does not survive correction is grey and hatched."""

    row_activated = Signal(object)

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        self.kind = kind
        super().__init__(
            f"{kind}-correlation",
            _TITLES[kind],
            Heatmap(_TITLES[kind], with_best=False, level_columns=True),
            TableTwin("correlation"),
            EmptyState(_EMPTY[kind], *_BUTTONS[kind]),
            _HINT[kind],
            parent,
        )
        self.data: CorrelationMatrix | None = None
        self.title.hide()  # the choice above says it
        self.heatmap.cell_hovered.connect(self._hover)
        self.heatmap.cell_focused.connect(self._focus)
        self.heatmap.cell_activated.connect(self._activate)
        assert self.table is not None
        self.table.row_focused.connect(self._focus_row)
        self.table.row_activated.connect(self._activate_row)

    def show_matrix(self, data: CorrelationMatrix | None) -> None:
        """Show the correlations, or the empty state."""
        self.data = _in_words(data) if data is not None and data.r.size else None
        there = self.data is not None
        self.show_content(there)
        self.line.setVisible(there)
        assert self.table is not None
        if self.data is None:
            self.heatmap.set_data(None)
            self.table.set_columns([], [])
            return
        self.heatmap.set_data(_matrix(self.data))
        self.table.set_columns(correlation_rows(self.data), correlation_columns(self.data))
        self.set_note(correlation_note(self.data))
        self._say(self.heatmap.cell_names())

    def _hover(self, row: str | None, column: str | None) -> None:
        hovered = None if row is None or column is None else (row, column)
        self._say(hovered or self.heatmap.cell_names())

    def _focus(self, row: str, column: str) -> None:
        assert self.table is not None
        self.table.set_focus((row, _component(column)))
        self._say((row, column))

    def _focus_row(self, identity: tuple[str, int]) -> None:
        cell = (identity[0], component_name(identity[1]))
        self.heatmap.set_cell(*cell)
        self._say(cell)

    def _activate(self, row: str, _column: str) -> None:
        self.row_activated.emit(row)

    def _activate_row(self, identity: tuple[str, int]) -> None:
        self.row_activated.emit(identity[0])

    def _say(self, cell: tuple[str, str] | None) -> None:
        if cell is None or self.data is None:
            self.line.setText(_HINT[self.kind])
        else:
            self.line.setText(correlation_line(self.data, cell[0], _component(cell[1])))


class CorrelationsTab(QWidget):
    """The two matrices in one place."""

    task_activated = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels = {kind: CorrelationPanel(kind) for kind in KINDS}
        self.which = QComboBox()
        self.which.setFont(font("small"))
        self.which.setAccessibleName("What the components are correlated with")
        self.stack = QStackedWidget()
        self.heads = QStackedWidget()
        self.heads.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for kind, text in KINDS.items():
            self.which.addItem(text, kind)
            self.stack.addWidget(self.panels[kind])
            page = QWidget()
            row = QHBoxLayout(page)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(self.panels[kind].head)
            self.heads.addWidget(page)
        for stack in (self.stack, self.heads):
            self.which.activated.connect(stack.setCurrentIndex)
        self.panels["performance"].row_activated.connect(self.task_activated)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        line = QHBoxLayout()
        line.addWidget(self.which)
        line.addWidget(self.heads, 1)
        layout.addLayout(line)
        layout.addWidget(self.stack, 1)

    def show_matrices(
        self, profile: CorrelationMatrix | None, performance: CorrelationMatrix | None
    ) -> None:
        """Show both; the one on the screen is one that is there."""
        self.panels["profile"].show_matrix(profile)
        self.panels["performance"].show_matrix(performance)
        there = [kind for kind in KINDS if self.panels[kind].data is not None]
        if there and self.which.currentData() not in there:
            self.show_kind(there[0])

    def show_kind(self, kind: str) -> None:
        """Bring one matrix to the front."""
        self.which.setCurrentIndex(self.which.findData(kind))
        for stack in (self.stack, self.heads):
            stack.setCurrentIndex(self.which.currentIndex())


def _in_words(data: CorrelationMatrix) -> CorrelationMatrix:
    """Categories of a profile as the window writes them; names of tasks stay."""
    if data.kind != "profile":
        return data
    parts = [row.partition(" (") for row in data.rows]
    return replace(data, rows=tuple(category_word(a) + b + c for a, b, c in parts))


def _component(name: str) -> int:
    return int(name.removeprefix("PC"))


def _matrix(data: CorrelationMatrix) -> HeatmapData:
    """The first row at the top."""
    rows, components = data.r.shape
    return HeatmapData(
        rows=data.rows[::-1],
        columns=tuple(component_name(c + 1) for c in range(components)),
        values=np.asarray(data.r[::-1], float),
        null_95=np.full(data.r.shape, np.nan),
        row_depths=np.linspace(1, 0, rows),
        column_depths=np.linspace(0, 1, components),
        row_title="",
        column_title="",
        value_title="r",
        survives=survives(data)[::-1],
        limits=(-1.0, 1.0),
        signed=True,
    )
