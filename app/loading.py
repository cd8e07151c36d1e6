"""Reads of the project file: done in the store lane, answered in the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from shiboken6 import isValid

from app.lanes import JobControl, JobState, Lane
from app.problems import Problem


class Loader(QObject):
    """Runs reads by name: a new read of a name makes the answer to the old one unwanted."""

    failed = Signal(str, object)  # name, Problem

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._jobs: dict[int, tuple[str, Callable[[Any], None]]] = {}
        self._newest: dict[str, int] = {}
        lane.succeeded.connect(self._on_result)
        lane.failed.connect(self._on_problem)
        lane.state_changed.connect(self._on_state)

    def load(
        self, name: str, read: Callable[..., Any], *arguments: Any, then: Callable[[Any], None]
    ) -> None:
        """Call `read(*arguments)` in the store lane and `then(answer)` in this thread.

        While the window closes nothing is read any more.
        """
        self.forget(name)
        if self._lane.closing:
            return
        number = self._lane.submit(name, partial(_call, read, arguments))
        self._jobs[number] = (name, then)
        self._newest[name] = number

    def forget(self, name: str) -> None:
        """The answer to a read under way is no longer wanted."""
        number = self._newest.pop(name, None)
        if number is not None:
            self._jobs.pop(number, None)
            self._lane.forget(number)

    def forget_all(self) -> None:
        for name in tuple(self._newest):
            self.forget(name)

    @property
    def loading(self) -> bool:
        return bool(self._jobs)

    def _take(self, number: int) -> tuple[str, Callable[[Any], None]] | None:
        entry = self._jobs.pop(number, None)
        if entry is not None:
            self._newest.pop(entry[0], None)
        return entry

    @Slot(object, object)
    def _on_result(self, number: int, result: object) -> None:
        entry = self._take(number)
        if entry is not None and _wanted(entry[1]):
            entry[1](result)

    @Slot(object, object)
    def _on_problem(self, number: int, problem: Problem) -> None:
        entry = self._take(number)
        if entry is not None:
            self.failed.emit(entry[0], problem)

    @Slot(object, object)
    def _on_state(self, number: int, state: JobState) -> None:
        if state == JobState.CANCELLED:
            self._take(number)


def _wanted(then: Callable[[Any], None]) -> bool:
    """Whether the one who asked is still there: a dialog may have been closed meanwhile."""
    receiver = getattr(then, "__self__", None)
    return not isinstance(receiver, QObject) or isValid(receiver)


def _call(read: Callable[..., Any], arguments: tuple[Any, ...], control: JobControl) -> Any:
    answer = read(*arguments)
    if control.progress.cancelled and hasattr(answer, "close"):
        answer.close()  # a project that was opened for nobody must not stay locked
    return answer
