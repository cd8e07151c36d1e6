"""The line at the bottom: the job in hand, and what the machine gives."""

from __future__ import annotations

import os
from collections.abc import Callable

import psutil
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app import theme
from app.jobs import Jobs, describe_progress, format_bytes
from app.labels import ElidedLabel
from app.lanes import JobState

_MACHINE_INTERVAL_MS = 3000
_BAR_STEPS = 1000


class StatusLine(QWidget):
    """Job text, bar, time left and a button to stop; device, threads and memory."""

    cancel_requested = Signal(int)

    def __init__(
        self,
        jobs: Jobs,
        accelerator: Callable[[], tuple[int, int] | None] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`accelerator`: bytes in use and in all of the GPU, None where none is at work."""
        super().__init__(parent)
        self._jobs = jobs
        self._accelerator = accelerator
        self._process = psutil.Process()
        self._device = ""
        self.text = ElidedLabel()
        self.text.setAccessibleName("Job in hand")
        self.bar = QProgressBar()
        self.bar.setRange(0, _BAR_STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(140, 8)
        self.bar.setAccessibleName("Progress of the job in hand")
        self.cancel = QPushButton("Cancel")
        self.cancel.setAccessibleName("Cancel the job in hand")
        self.cancel.setToolTip("Stop at the next step; what is finished is kept")
        self.machine = QLabel()
        theme.mute(self.machine)
        self.machine.setAccessibleName("Processor and memory in use")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING, 2, theme.PADDING, 2)
        row.setSpacing(theme.PADDING)
        row.addWidget(self.text, 1)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)
        row.addWidget(self.machine)
        self.cancel.clicked.connect(self._cancel)
        for signal in (jobs.added, jobs.changed, jobs.removed):
            signal.connect(self._show_job)
        self._message = ""
        self._timer = QTimer(self)
        self._timer.setInterval(_MACHINE_INTERVAL_MS)
        self._timer.timeout.connect(self._show_machine)
        self._timer.start()
        self._show_machine()
        self._show_job()

    def set_message(self, text: str) -> None:
        """What to say while no job runs."""
        self._message = text
        self._show_job()

    def set_device(self, text: str) -> None:
        """The processor that the analysis uses, once known."""
        self._device = text
        self._show_machine()

    @Slot()
    def _show_job(self) -> None:
        record = self._jobs.current()
        for widget in (self.bar, self.cancel):
            widget.setVisible(record is not None)
        if record is None:
            self.text.setText(self._message)
            return
        waiting = len(self._jobs.active()) - 1
        more = f" · {waiting} more waiting" if waiting else ""
        self.text.setText(f"◐ {record.title}: {describe_progress(record)}{more}")
        fraction = record.fraction
        self.bar.setRange(0, _BAR_STEPS if fraction is not None else 0)
        if fraction is not None:
            self.bar.setValue(round(fraction * _BAR_STEPS))
        self.cancel.setEnabled(record.state != JobState.CANCELLING)

    @Slot()
    def _show_machine(self) -> None:
        try:
            memory = format_bytes(self._process.memory_info().rss)
        except psutil.Error:
            memory = ""
        threads = max(1, (os.cpu_count() or 1) - 1)
        device = self._device or f"CPU, {threads} {'thread' if threads == 1 else 'threads'}"
        on_device = self._accelerator() if self._accelerator is not None else None
        hint = f"The analysis works on: {device}."
        if on_device is not None:
            used, total = (format_bytes(number) for number in on_device)
            device = f"{device}, {used} of {total}"
            hint += f" Of its memory {used} of {total} are taken, also by other programs."
        if memory:
            hint += f" Parallax takes {memory} of this computer's memory."
        self.machine.setText(f"{device} · {memory}" if memory else device)
        self.machine.setToolTip(hint)

    @Slot()
    def _cancel(self) -> None:
        record = self._jobs.current()
        if record is not None:
            self.cancel_requested.emit(record.id)
