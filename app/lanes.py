"""Lanes: one long-lived thread each, which works through its jobs one after another.

A job is a plain function that is given a `JobControl`. Its progress, its partial results and its
end reach the window's thread as signals that carry the job's id; the signals of a job that was
forgotten are dropped. Nothing is ever terminated: cancelling asks, and the job stops at its next
check.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from analysis.errors import Cancelled
from analysis.progress import Progress
from app.problems import Problem, problem_of


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        return self in (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


@dataclass(frozen=True)
class JobControl:
    """What a running job may use: its progress, and a way to hand out partial results."""

    progress: Progress
    emit_partial: Callable[[object], None]


Work = Callable[[JobControl], Any]


@dataclass
class _Job:
    number: int
    title: str
    work: Work
    progress: Progress
    state: JobState = JobState.PENDING
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begun: bool = False

    def begin(self) -> bool:
        """Called by the worker: False if the job was withdrawn before it could begin."""
        with self._lock:
            if self.progress.cancelled:
                return False
            self._begun = True
            return True

    def withdraw(self) -> bool:
        """Ask to stop; True if the job has not begun and therefore never will."""
        with self._lock:
            self.progress.cancel()
            return not self._begun


_numbers = count(1)


class _Worker(QObject):
    """Lives in the lane's thread and does one job at a time."""

    started = Signal(object)
    progressed = Signal(object, object)
    partial = Signal(object, object)
    succeeded = Signal(object, object)
    cancelled = Signal(object)
    failed = Signal(object, object)

    @Slot(object)
    def run(self, job: _Job) -> None:
        if not job.begin():
            return
        self.started.emit(job.number)
        # Exceptions of a Qt thread reach no hook: everything must be caught here.
        try:
            result = job.work(JobControl(job.progress, _PartialEmitter(self, job.number)))
        except Cancelled:
            self.cancelled.emit(job.number)
        except BaseException as error:
            self.failed.emit(job.number, problem_of(error))
        else:
            self.succeeded.emit(job.number, result)


class _PartialEmitter:
    def __init__(self, worker: _Worker, number: int) -> None:
        self._worker, self._number = worker, number

    def __call__(self, value: object) -> None:
        self._worker.partial.emit(self._number, value)


class _ProgressEmitter:
    def __init__(self, worker: _Worker, number: int) -> None:
        self._worker, self._number = worker, number

    def __call__(self, done: float, total: float, text: str, left: float | None) -> None:
        self._worker.progressed.emit(self._number, (done, total, text, left))


class Lane(QObject):
    """A queue of jobs and the thread that works through it; lives in the window's thread."""

    state_changed = Signal(object, object)  # job id, JobState
    progressed = Signal(object, object)  # job id, (done, total, text, seconds left or None)
    partial = Signal(object, object)  # job id, value
    succeeded = Signal(object, object)  # job id, result
    failed = Signal(object, object)  # job id, Problem
    idle = Signal()
    closed = Signal()
    _requested = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._jobs: dict[int, _Job] = {}
        self._forgotten: set[int] = set()
        self._closing = False
        self._thread = QThread()
        self._thread.setObjectName(name)
        self._worker = _Worker()
        self._worker.moveToThread(self._thread)
        self._requested.connect(self._worker.run)
        self._worker.started.connect(self._on_started)
        self._worker.progressed.connect(self._on_progressed)
        self._worker.partial.connect(self._on_partial)
        self._worker.succeeded.connect(self._on_succeeded)
        self._worker.cancelled.connect(self._on_cancelled)
        self._worker.failed.connect(self._on_failed)
        self._thread.finished.connect(self._on_thread_finished)
        self._thread.start()

    def submit(self, title: str, work: Work) -> int:
        """Queue `work`; returns the job's id, unique in this process.

        :raises RuntimeError: the lane is closed.
        """
        if self._closing:
            raise RuntimeError("This lane is closed.")
        number = next(_numbers)
        job = _Job(number, title, work, Progress(_ProgressEmitter(self._worker, number)))
        self._jobs[number] = job
        self._requested.emit(job)
        return number

    def cancel(self, number: int) -> None:
        """Ask a job to stop. One that has not begun is cancelled at once."""
        job = self._jobs.get(number)
        if job is None or job.state == JobState.CANCELLING:
            return
        if job.withdraw():
            self._finish(number, JobState.CANCELLED)
        else:
            self._set_state(job, JobState.CANCELLING)

    def forget(self, number: int) -> None:
        """Stop a job and drop whatever it may still say; the lane stays busy until it ends."""
        job = self._jobs.get(number)
        if job is None:
            return
        if job.withdraw():
            del self._jobs[number]
            self._announce_idle()
        else:
            self._forgotten.add(number)

    def cancel_all(self) -> None:
        for number in tuple(self._jobs):
            self.cancel(number)

    @property
    def closing(self) -> bool:
        """Whether the lane takes no more jobs."""
        return self._closing

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def thread_running(self) -> bool:
        return self._thread.isRunning()

    def close(self) -> None:
        """Cancel everything and end the thread; `closed` follows when it has ended."""
        if self._closing:
            return
        self._closing = True
        for number in tuple(self._jobs):
            self.forget(number)
        self._thread.quit()  # takes effect when the job in hand returns to the event loop

    def wait(self, milliseconds: int = 10_000) -> bool:
        """Wait for a closed lane's thread to end; True if it did."""
        return self._thread.wait(milliseconds)

    def _known(self, number: int) -> _Job | None:
        return None if number in self._forgotten else self._jobs.get(number)

    @Slot(object)
    def _on_started(self, number: int) -> None:
        job = self._known(number)
        if job is not None and job.state == JobState.PENDING:
            self._set_state(job, JobState.RUNNING)

    @Slot(object, object)
    def _on_progressed(self, number: int, report: tuple[float, float, str, float | None]) -> None:
        if self._known(number) is not None:
            self.progressed.emit(number, report)

    @Slot(object, object)
    def _on_partial(self, number: int, value: object) -> None:
        if self._known(number) is not None:
            self.partial.emit(number, value)

    @Slot(object, object)
    def _on_succeeded(self, number: int, result: object) -> None:
        if self._known(number) is not None:
            self.succeeded.emit(number, result)
        self._finish(number, JobState.DONE)

    @Slot(object)
    def _on_cancelled(self, number: int) -> None:
        self._finish(number, JobState.CANCELLED)

    @Slot(object, object)
    def _on_failed(self, number: int, problem: Problem) -> None:
        if self._known(number) is not None:
            self.failed.emit(number, problem)
        self._finish(number, JobState.FAILED)

    def _finish(self, number: int, state: JobState) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        if number in self._forgotten:
            self._forgotten.discard(number)
        else:
            self._set_state(job, state)
        self._announce_idle()

    def _set_state(self, job: _Job, state: JobState) -> None:
        job.state = state
        self.state_changed.emit(job.number, state)

    def _announce_idle(self) -> None:
        if not self._jobs:
            self.idle.emit()

    @Slot()
    def _on_thread_finished(self) -> None:
        self._jobs.clear()
        self._forgotten.clear()
        self.closed.emit()
