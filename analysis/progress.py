"""Progress and cancellation as analysis code sees them: no thread, no screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from analysis.errors import Cancelled


class Progress:
    """Reports how far a job is and carries the wish to stop it.

    :param on_report: called with (done, total, text, seconds_left), at most ten times a second
        (the first and the last report always pass). `seconds_left` is None until three steps are
        known.
    """

    _MINIMUM_INTERVAL = 0.1

    def __init__(
        self, on_report: Callable[[float, float, str, float | None], None] | None = None
    ) -> None:
        self._on_report = on_report
        self._cancelled = threading.Event()
        self._last_report = float("-inf")
        self._started: float | None = None
        self._started_done = 0.0
        self._previous_done = 0.0
        self._previous_total = 0.0
        self._reports = 0

    def report(self, done: float, total: float, text: str = "") -> None:
        """Say that `done` of `total` steps are finished; raises `Cancelled` if asked to stop."""
        self.check_cancelled()
        now = time.monotonic()
        if self._started is None or done < self._previous_done or total != self._previous_total:
            # A new task under the same progress: the pace of the one before says nothing of it.
            self._started, self._started_done, self._reports = now, done, 0
        self._previous_done, self._previous_total = done, total
        self._reports += 1
        if self._on_report is None:
            return
        if done < total and now - self._last_report < self._MINIMUM_INTERVAL:
            return
        self._last_report = now
        self._on_report(done, total, text, self._seconds_left(done, total, now))

    def _seconds_left(self, done: float, total: float, now: float) -> float | None:
        if self._started is None or self._reports < 3 or done <= self._started_done:
            return None
        return (now - self._started) / (done - self._started_done) * (total - done)

    def cancel(self) -> None:
        """Ask the job to stop at its next check; safe from any thread."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the job was asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled
