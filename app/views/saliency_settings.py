"""What a run was measured with, and which methods its models refuse."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from analysis.figures.saliency_data import SaliencyIndex
from analysis.figures.words import count
from app.labels import wrapped_label
from app.theme import GRID, PADDING, font
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin


class SaliencySettingsPanel(QWidget):
    """Left the settings, right each method that does not apply, with its reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setAccessibleName("What everything was measured with")
        self.refused = TableTwin("method", "methods", filters=False)
        self.refused.table.setAccessibleName("Methods that do not apply, with the reason")
        self.heading = QLabel()
        self.heading.setFont(font("body", bold=True))
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.heading)
        column.addWidget(self.refused, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.area)
        self.splitter.addWidget(right)
        self.splitter.setSizes([400, 500])
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def show_index(self, index: SaliencyIndex | None) -> None:
        """Show the settings of a run."""
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, GRID, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        for row, (name, text) in enumerate(index.settings if index is not None else ()):
            first = QLabel(name)
            first.setProperty("muted", True)
            first.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(first, row, 0)
            grid.addWidget(wrapped_label(text), row, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        self.area.setWidget(content)
        refused = index.refused if index is not None else ()
        columns = [np.array(list(part), dtype=object) for part in zip(*refused, strict=True)]
        model, method, reason = columns or [np.zeros(0, dtype=object)] * 3
        self.refused.set_columns(
            list(range(len(refused))),
            [
                Column("method", "Method", method),
                Column("model", "Model", model),
                Column("reason", "Why it does not apply", reason),
            ],
        )
        self.refused.table.horizontalHeader().setStretchLastSection(True)
        measure = self.refused.table.fontMetrics().horizontalAdvance
        for place, texts in enumerate((method, model)):
            widest = max((measure(str(text)) for text in texts), default=0)
            self.refused.table.setColumnWidth(place, min(max(widest + 20, 80), 240))
        words = f"{count(len(refused), 'method')} left out" if refused else "No method is left out"
        self.heading.setText(words)
        self.refused.setVisible(bool(refused))
