"""Every job of this session: how far it is, what it says, and how to stop or repeat it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.jobs import JobRecord, Jobs, describe_progress
from app.lanes import JobState
from app.widgets.flat_table import flatten
from app.widgets.roomy_rows import RoomyRows
from app.widgets.splitter import Splitter

STATE_SIGNS = {
    JobState.PENDING: "○",
    JobState.RUNNING: "◐",
    JobState.CANCELLING: "◐",
    JobState.DONE: "✓",
    JobState.CANCELLED: "◌",
    JobState.FAILED: "✕",
}
_JOB_ROLE = Qt.ItemDataRole.UserRole
_BAR_STEPS = 1000


class JobsPanel(QWidget):
    """A list of jobs with a log of the chosen one."""

    cancel_requested = Signal(int)
    retry_requested = Signal(int)
    problem_requested = Signal(int)

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._items: dict[int, QTreeWidgetItem] = {}
        self.list = QTreeWidget()
        self.list.setItemDelegate(RoomyRows(self.list))
        self.log = QPlainTextEdit()
        self.cancel = _button("Cancel", "Stop the chosen job at its next step")
        self.retry = _button("Repeat", "Do the chosen job once more; a run resumes")
        self.details = _button("Details…", "What went wrong, with details to copy")
        self.clear = _button("Clear ended", "Take the ended jobs off this list")
        self._build()
        jobs.added.connect(self._on_added)
        jobs.changed.connect(self._on_changed)
        jobs.removed.connect(self._on_removed)
        self.list.currentItemChanged.connect(self._show_chosen)
        self.cancel.clicked.connect(self._cancel)
        self.retry.clicked.connect(self._retry)
        self.details.clicked.connect(self._show_problem)
        self.clear.clicked.connect(jobs.clear_finished)
        self._show_chosen()

    def _build(self) -> None:
        self.list.setAccessibleName("Jobs")
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setHeaderLabels(["", "Job", "Progress", "What it does"])
        flatten(self.list)
        header = self.list.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.list.setColumnWidth(1, 220)
        self.list.setColumnWidth(2, 130)
        self.log.setReadOnly(True)
        self.log.setAccessibleName("Log of the chosen job")
        self.log.setPlaceholderText("The log of the chosen job is shown here.")
        self.log.setMaximumBlockCount(600)
        splitter = Splitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.list)
        splitter.addWidget(self.log)
        splitter.setSizes([620, 380])
        buttons = QHBoxLayout()
        for button in (self.cancel, self.retry, self.details):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        column.addWidget(splitter, 1)
        column.addLayout(buttons)

    def chosen(self) -> JobRecord | None:
        """The job chosen in the list."""
        item = self.list.currentItem()
        return self._jobs.record(item.data(0, _JOB_ROLE)) if item is not None else None

    @Slot(int)
    def _on_added(self, number: int) -> None:
        item = QTreeWidgetItem()
        item.setData(0, _JOB_ROLE, number)
        self._items[number] = item
        self.list.insertTopLevelItem(0, item)
        self.list.setItemWidget(item, 2, _BarCell())
        self._on_changed(number)
        self.list.setCurrentItem(item)

    @Slot(int)
    def _on_changed(self, number: int) -> None:
        record, item = self._jobs.record(number), self._items.get(number)
        if record is None or item is None:
            return
        item.setText(0, STATE_SIGNS[record.state])
        item.setText(1, record.title)
        item.setText(3, describe_progress(record))
        for column in (1, 3):
            item.setToolTip(column, item.text(column))
        self._show_bar(item, record)
        if item is self.list.currentItem():
            self._show_chosen()

    def _show_bar(self, item: QTreeWidgetItem, record: JobRecord) -> None:
        cell = self.list.itemWidget(item, 2)
        if not isinstance(cell, _BarCell):
            return
        bar = cell.bar
        if record.state == JobState.DONE:
            fraction: float | None = 1.0
        else:
            fraction = 0.0 if record.state == JobState.PENDING else record.fraction
        if fraction is None and record.state.finished:
            fraction = 0.0
        bar.setRange(0, 0 if fraction is None else _BAR_STEPS)
        if fraction is not None:
            bar.setValue(round(fraction * _BAR_STEPS))

    @Slot(int)
    def _on_removed(self, number: int) -> None:
        item = self._items.pop(number, None)
        if item is not None:
            self.list.invisibleRootItem().removeChild(item)  # taken ones are never freed
        self._show_chosen()

    @Slot()
    def _show_chosen(self) -> None:
        record = self.chosen()
        finished = record is not None and record.state.finished
        self.cancel.setEnabled(
            record is not None and not finished and record.state != JobState.CANCELLING
        )
        self.retry.setEnabled(
            record is not None and record.state in (JobState.FAILED, JobState.CANCELLED)
        )
        self.retry.setText("Resume" if record is not None and record.run is not None else "Repeat")
        self.details.setEnabled(record is not None and record.problem is not None)
        text = "\n".join(record.log) if record is not None else ""
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            bar = self.log.verticalScrollBar()
            bar.setValue(bar.maximum())

    @Slot()
    def _cancel(self) -> None:
        record = self.chosen()
        if record is not None:
            self.cancel_requested.emit(record.id)

    @Slot()
    def _retry(self) -> None:
        record = self.chosen()
        if record is not None:
            self.retry_requested.emit(record.id)

    @Slot()
    def _show_problem(self) -> None:
        record = self.chosen()
        if record is not None:
            self.problem_requested.emit(record.id)


class _BarCell(QWidget):
    """A thin bar in the middle of its row."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("Progress")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID // 2, 0, theme.GRID // 2, 0)
        row.addWidget(self.bar)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setAutoDefault(False)
    return button
