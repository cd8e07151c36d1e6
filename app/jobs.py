"""Jobs that take long: their progress, log, and how to stop or repeat them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from analysis.progress import Progress
from analysis.project import Project
from app.backend import Backend
from app.lanes import JobControl, JobState, Lane, Work
from app.problems import Problem

_LOG_LINES = 500
_FINISHED_KEPT = 100
_BRIEF = frozenset({"picture", "search"})  # kinds that do not wait behind a run


@dataclass(frozen=True)
class UnitDone:
    """A unit of a run is committed: its results can be shown."""

    run: int
    key: str


@dataclass(frozen=True)
class DeviceUsed:
    """What a run is carried out on."""

    text: str


@dataclass
class JobRecord:
    """What is known of one job."""

    id: int
    title: str
    kind: str  # audit, images, model, picture, project or search
    work: Work
    run: int | None = None
    state: JobState = JobState.PENDING
    done: float = 0.0
    total: float = 0.0
    text: str = ""
    seconds_left: float | None = None
    started: float | None = None
    seconds: float | None = None
    units: int = 0
    problem: Problem | None = None
    result: Any = None
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))

    @property
    def fraction(self) -> float | None:
        """How much is done, 0…1; None while that is unknown."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else None

    def write(self, text: str) -> None:
        """Add a line to the log, with the time of day."""
        self.log.append(f"{datetime.now():%H:%M:%S}  {text}")


class Jobs(QObject):
    """All jobs of this session. Lives in the window's thread.

    :param lane: where they are done one after the other.
    :param brief: where those are done that somebody is waiting for, beside a run.
    """

    added = Signal(int)
    changed = Signal(int)
    removed = Signal(int)
    ended = Signal(int)  # done, cancelled or failed: see the record's state
    unit_committed = Signal(int, str)  # run, key of the unit
    device_known = Signal(str)  # what the analysis runs on, in words
    busy_changed = Signal(bool)

    def __init__(
        self, lane: Lane, parent: QObject | None = None, brief: Lane | None = None
    ) -> None:
        super().__init__(parent)
        self._lane, self._brief = lane, brief or lane
        self._records: dict[int, JobRecord] = {}
        self._busy = False
        for one in {self._lane, self._brief}:
            one.state_changed.connect(self._on_state)
            one.progressed.connect(self._on_progress)
            one.partial.connect(self._on_partial)
            one.succeeded.connect(self._on_result)
            one.failed.connect(self._on_problem)
            one.idle.connect(self._update_busy)

    # -- asking --------------------------------------------------------------------------------
    def submit(self, title: str, work: Work, kind: str, run: int | None = None) -> int:
        """Queue a job; returns its id."""
        number = self._lane_of(kind).submit(title, work)
        record = JobRecord(number, title, kind, work, run)
        record.write("Waiting to begin.")
        self._records[number] = record
        self._drop_oldest()
        self.added.emit(number)
        self._update_busy()
        return number

    def submit_progress(self, title: str, function: Callable[[Progress], Any], kind: str) -> int:
        """Queue a function that knows only a `Progress`."""
        return self.submit(title, partial(_with_progress, function), kind)

    def start_run(self, backend: Backend, project: Project, run: int, title: str) -> int:
        """Run or resume an audit. A run that is already under way is not started twice."""
        for record in self.active():
            if record.run == run:
                return record.id
        return self.submit(title, partial(_execute, backend, project, run), "audit", run)

    def set_run_title(self, run: int, title: str) -> None:
        """Call the jobs of a run by the run's name, once that is known."""
        for record in self._records.values():
            if record.run == run and record.title != title:
                record.title = title
                self.changed.emit(record.id)

    def cancel(self, number: int) -> None:
        record = self._records.get(number)
        if record is not None and not record.state.finished:
            record.write("Asked to stop.")
            self._lane_of(record.kind).cancel(number)

    def cancel_all(self) -> None:
        for record in self.active():
            self.cancel(record.id)

    def retry(self, number: int) -> int | None:
        """Queue a finished job once more (a run resumes where it stopped)."""
        record = self._records.get(number)
        if record is None or not record.state.finished:
            return None
        self._remove(number)
        return self.submit(record.title, record.work, record.kind, record.run)

    def clear_finished(self) -> None:
        """Take the ended jobs off the list."""
        for record in self.records():
            if record.state.finished:
                self._remove(record.id)

    # -- looking -------------------------------------------------------------------------------
    def record(self, number: int) -> JobRecord | None:
        return self._records.get(number)

    def records(self) -> tuple[JobRecord, ...]:
        return tuple(self._records.values())

    def active(self) -> tuple[JobRecord, ...]:
        return tuple(r for r in self.records() if not r.state.finished)

    def current(self) -> JobRecord | None:
        """The job in hand, else the next one waiting."""
        active = self.active()
        return next((r for r in active if r.state != JobState.PENDING), None) or (
            active[0] if active else None
        )

    def of_run(self, run: int) -> JobRecord | None:
        """The newest job of a run."""
        return next((r for r in reversed(self._records.values()) if r.run == run), None)

    @property
    def busy(self) -> bool:
        return self._lane.busy or self._brief.busy

    def _lane_of(self, kind: str) -> Lane:
        return self._brief if kind in _BRIEF else self._lane

    # -- what the lane says --------------------------------------------------------------------
    @Slot(object, object)
    def _on_state(self, number: int, state: JobState) -> None:
        record = self._records.get(number)
        if record is None:
            return
        record.state = state
        record.seconds_left = None
        if state == JobState.RUNNING:
            record.started = time.monotonic()
        if state.finished and record.started is not None:
            record.seconds = time.monotonic() - record.started
        record.write(_STATE_WORDS[state])
        self.changed.emit(number)
        if state.finished:
            self.ended.emit(number)
        self._update_busy()

    @Slot(object, object)
    def _on_progress(self, number: int, report: tuple[float, float, str, float | None]) -> None:
        record = self._records.get(number)
        if record is None:
            return
        done, total, text, left = report
        if text and text != record.text:
            record.write(text)
        record.done, record.total, record.seconds_left = done, total, left
        record.text = text or record.text
        self.changed.emit(number)

    @Slot(object, object)
    def _on_partial(self, number: int, value: object) -> None:
        record = self._records.get(number)
        if record is None:
            return
        if isinstance(value, UnitDone):
            record.units += 1
            self.unit_committed.emit(value.run, value.key)
        elif isinstance(value, DeviceUsed):
            record.write(f"Running on {value.text}.")
            self.device_known.emit(value.text)

    @Slot(object, object)
    def _on_result(self, number: int, result: object) -> None:
        record = self._records.get(number)
        if record is not None:
            record.result = result

    @Slot(object, object)
    def _on_problem(self, number: int, problem: Problem) -> None:
        record = self._records.get(number)
        if record is not None:
            record.problem = problem
            record.write(problem.text)

    @Slot()
    def _update_busy(self) -> None:
        if self._busy != self.busy:
            self._busy = self.busy
            self.busy_changed.emit(self._busy)

    def _drop_oldest(self) -> None:
        finished = [record.id for record in self._records.values() if record.state.finished]
        for number in finished[: max(0, len(finished) - _FINISHED_KEPT)]:
            self._remove(number)

    def _remove(self, number: int) -> None:
        del self._records[number]
        self.removed.emit(number)


_STATE_WORDS = {
    JobState.PENDING: "Waiting to begin.",
    JobState.RUNNING: "Begun.",
    JobState.CANCELLING: "Stopping at the next step.",
    JobState.DONE: "Done.",
    JobState.CANCELLED: "Stopped. What was finished is kept.",
    JobState.FAILED: "Stopped by an error.",
}


def _with_progress(function: Callable[[Progress], Any], control: JobControl) -> Any:
    return function(control.progress)


def _execute(backend: Backend, project: Project, run: int, control: JobControl) -> None:
    control.emit_partial(DeviceUsed(backend.device_of(project, run)))
    backend.execute(project, run, control.progress, partial(_emit_unit, control))


def _emit_unit(control: JobControl, run: int, key: str) -> None:
    control.emit_partial(UnitDone(run, key))


def format_duration(seconds: float | None) -> str:
    """Seconds in words, as “about 40 s” is made of: “40 s”, “3 min”, “2 h 5 min”."""
    if seconds is None or seconds != seconds or seconds < 0:
        return ""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours / 24:.0f} days"


def format_bytes(count: float) -> str:
    """Bytes in words, decimal units: “3 MB”, “1.2 GB”."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit == "GB" else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def describe_progress(record: JobRecord) -> str:
    """One line for the status line and the jobs panel."""
    if record.state == JobState.PENDING:
        return "waiting"
    if record.state == JobState.CANCELLING:
        return "stopping at the next step"
    if record.state == JobState.FAILED and record.problem is not None:
        return record.problem.summary
    if record.state.finished:
        took = format_duration(record.seconds)
        return f"{record.state}, {took}" if took else str(record.state)
    parts = [record.text or "starting"]
    left = format_duration(record.seconds_left)
    if left:
        parts.append(f"about {left} left")
    return " · ".join(parts)
