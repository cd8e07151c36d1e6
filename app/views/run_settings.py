"""What a run was measured with, and beside it what was left out, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.labels import wrapped_label
from app.theme import GRID, PADDING, font, mute
from app.widgets.splitter import Splitter
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

_NARROWEST_COLUMN = 80
_CELL_MARGIN = 20


class RunSettingsPanel(QWidget):
    """Left the settings, right a table of what was left out.

    :param table: of what was left out, with its accessible name.
    :param sizes: of the two halves, in pixels.
    :param widest_column: all but the last column are as wide as their texts, but not wider.
    """

    def __init__(
        self,
        table: TableTwin,
        sizes: tuple[int, int],
        widest_column: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._widest_column = widest_column
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setAccessibleName("What everything was measured with")
        self.left_out = table
        self.heading = QLabel()
        self.heading.setFont(font("body", bold=True))
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.left_out, 1)
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.area)
        self.splitter.addWidget(right)
        self.splitter.setSizes(list(sizes))
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def show_settings(self, settings: Sequence[tuple[str, str]], nothing: str) -> None:
        """Show each setting with its value; without any, the words of `nothing`."""
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, GRID, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        if not settings:
            grid.addWidget(wrapped_label(nothing, muted=True), 0, 0, 1, 2)
        for row, (name, text) in enumerate(settings):
            first = QLabel(name)
            mute(first)
            first.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(first, row, 0)
            grid.addWidget(wrapped_label(text), row, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        self.area.setWidget(content)

    def show_left_out(
        self, rows: Sequence[Sequence[str]], titles: Sequence[tuple[str, str]], heading: str
    ) -> None:
        """List what was left out.

        :param rows: of as many texts as there are columns.
        :param titles: of each column, its name and its title.
        """
        columns = [
            Column(name, title, np.array([row[place] for row in rows], dtype=object))
            for place, (name, title) in enumerate(titles)
        ]
        self.left_out.set_columns(list(range(len(rows))), columns)
        table = self.left_out.table
        table.horizontalHeader().setStretchLastSection(True)
        measure = table.fontMetrics().horizontalAdvance
        for place in range(len(titles) - 1):
            widest = max((measure(row[place]) for row in rows), default=0) + _CELL_MARGIN
            table.setColumnWidth(place, min(max(widest, _NARROWEST_COLUMN), self._widest_column))
        self.heading.setText(heading)
        self.left_out.setVisible(bool(rows))
