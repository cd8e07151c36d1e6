"""What a run was measured with, and what could not be done."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from analysis.figures.semantics_data import SemanticsIndex
from analysis.figures.words import count
from app.labels import wrapped_label
from app.theme import GRID, PADDING, font
from app.views.semantics_columns import words
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin


class SemanticsSettingsPanel(QWidget):
    """Left the settings, right what was left out, each with its reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setAccessibleName("What everything was measured with")
        self.left_out = TableTwin("item", filters=False)
        self.left_out.table.setAccessibleName("What was left out, with the reason")
        self.heading = QLabel()
        self.heading.setFont(font("body", bold=True))
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.left_out, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.area)
        self.splitter.addWidget(right)
        self.splitter.setSizes([520, 700])
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self.show_index(None)

    def show_index(self, index: SemanticsIndex | None) -> None:
        """Show the settings of a run."""
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, GRID, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        settings = index.settings if index is not None else ()
        if not settings:
            grid.addWidget(wrapped_label("No run of semantics is shown.", muted=True), 0, 0, 1, 2)
        for row, (name, text) in enumerate(settings):
            first = QLabel(name)
            first.setProperty("muted", True)
            first.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(first, row, 0)
            grid.addWidget(wrapped_label(text), row, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        self.area.setWidget(content)
        left_out = index.left_out if index is not None else ()
        subjects, reasons = [one[0] for one in left_out], [one[1] for one in left_out]
        self.left_out.set_columns(
            list(range(len(left_out))),
            [
                Column("subject", "What", words(subjects)),
                Column("reason", "Why it was left out", words(reasons)),
            ],
        )
        table = self.left_out.table
        table.horizontalHeader().setStretchLastSection(True)
        measure = table.fontMetrics().horizontalAdvance
        widest = max((measure(text) for text in subjects), default=0)
        table.setColumnWidth(0, min(max(widest + 20, 80), 320))
        amount = count(len(left_out), "item")
        self.heading.setText(f"{amount} left out" if left_out else "Nothing is left out")
        self.heading.setVisible(index is not None)
        self.left_out.setVisible(bool(left_out))
