"""Which report is composed: chosen, begun from a template, renamed, removed, exported."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from app.labels import ElidedLabel
from app.theme import GRID, font

_LONGEST_NAME = 200
_ANY_WIDTH = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class ReportBar(QWidget):
    """Setters are silent."""

    report_chosen = Signal(int)
    template_chosen = Signal(str)
    renamed = Signal(str)
    removal_wished = Signal()
    export_wished = Signal(str)  # html or pdf

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reports = QComboBox()
        self.reports.setAccessibleName("Report")
        self.reports.setSizeAdjustPolicy(_ANY_WIDTH)
        self.reports.setMinimumContentsLength(24)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the report")
        self.name.setMaxLength(_LONGEST_NAME)
        self.choice = QStackedWidget()
        self.choice.addWidget(self.reports)
        self.choice.addWidget(self.name)
        self.choice.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.rename = QPushButton("Rename")
        self.rename.setToolTip("Give the report another name")
        self.remove = QPushButton("Remove…")
        self.remove.setToolTip("Take the report out of the project; files written from it stay")
        self.begin = QToolButton()
        self.begin.setText("New from a template")
        self.begin.setToolTip("Begin another report with what the project holds")
        self.begin.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.templates = QMenu(self.begin)
        self.templates.setToolTipsVisible(True)
        self.begin.setMenu(self.templates)
        self.state = ElidedLabel()
        self.html = QPushButton("Export HTML…")
        self.html.setToolTip("Write one web page that needs nothing else")
        self.pdf = QPushButton("Export PDF…")
        self.pdf.setToolTip("Write the pages as they are shown")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.choice)
        for part in (self.rename, self.remove, self.begin):
            row.addWidget(part)
        row.addWidget(self.state, 1)
        row.addWidget(self.html)
        row.addWidget(self.pdf)
        small: tuple[QWidget, ...] = (
            self.reports, self.name, self.rename, self.remove, self.begin, self.state, self.html,
            self.pdf,
        )  # fmt: skip
        for one in small:
            one.setFont(font("small"))
        self.reports.activated.connect(self._on_chosen)
        self.rename.clicked.connect(self.start_renaming)
        self.name.returnPressed.connect(self._finish_renaming)
        self.name.editingFinished.connect(self._finish_renaming)
        self.remove.clicked.connect(self.removal_wished)
        self.templates.triggered.connect(self._on_template)
        self.html.clicked.connect(self._on_html)
        self.pdf.clicked.connect(self._on_pdf)

    def show_templates(self, templates: Sequence[tuple[str, str, str]]) -> None:
        """Name, title and description of each."""
        self.templates.clear()
        for name, title, description in templates:
            action = self.templates.addAction(title)
            action.setData(name)
            action.setToolTip(description)
            action.setStatusTip(description)

    def show_reports(
        self, reports: Sequence[tuple[int, str]], current: int | None, writable: bool
    ) -> None:
        """Ids and names of the project's reports, and which one is on the screen."""
        with QSignalBlocker(self.reports):
            self.reports.clear()
            for number, name in reports:
                self.reports.addItem(name, number)
            if current is None:
                self.reports.insertItem(0, "not kept in the project", None)
                self.reports.setCurrentIndex(0)
            else:
                self.reports.setCurrentIndex(self.reports.findData(current))
        self.reports.setEnabled(self.reports.count() > 0)
        for part in (self.rename, self.remove):
            part.setEnabled(writable and current is not None)
        self.begin.setEnabled(True)
        self.state.setText("" if writable else "Open read-only: changes are not kept.")

    def say(self, text: str) -> None:
        self.state.setText(text)

    @Slot()
    def start_renaming(self) -> None:
        """Type another name in place of the list."""
        self.name.setText(self.reports.currentText())
        self.choice.setCurrentWidget(self.name)
        self.name.setFocus()
        self.name.selectAll()

    @Slot()
    def _finish_renaming(self) -> None:
        if self.choice.currentWidget() is not self.name:
            return
        self.choice.setCurrentWidget(self.reports)
        name = self.name.text().strip()
        if name and name != self.reports.currentText():
            self.renamed.emit(name)

    @Slot(int)
    def _on_chosen(self, row: int) -> None:
        number = self.reports.itemData(row)
        if number is not None:
            self.report_chosen.emit(number)

    @Slot(QAction)
    def _on_template(self, action: QAction) -> None:
        self.template_chosen.emit(action.data())

    @Slot()
    def _on_html(self) -> None:
        self.export_wished.emit("html")

    @Slot()
    def _on_pdf(self) -> None:
        self.export_wished.emit("pdf")
