"""A heatmap with the cell under the mouse, or the chosen one, in words below it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.theme import font
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.heatmap import Heatmap
from app.widgets.table_twin import TableTwin

_NARROWEST_LINE = 40


class ReadHeatmap(FigurePanel):
    """`line` holds the words; it stands above the note and begins with `hint`."""

    def __init__(
        self,
        name: str,
        title: str,
        heatmap: Heatmap,
        table: TableTwin,
        empty: EmptyState,
        hint: str,
        parent: QWidget | None = None,
    ) -> None:
        self.heatmap = heatmap
        self.line = QLabel(hint)
        super().__init__(name, title, heatmap, table, empty, parent)

    def _build(self) -> None:
        super()._build()
        self.line.setFont(font("small"))
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.line.setWordWrap(True)
        self.line.setMinimumWidth(_NARROWEST_LINE)
        self.line.setMinimumHeight(2 * self.line.fontMetrics().height() + 2)
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.indexOf(self.note), self.line)
