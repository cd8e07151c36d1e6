"""Reads of the project file: done in the store lane, answered in the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from shiboken6 import isValid

from app.lanes import JobControl, JobState, Lane
from app.problems import Problem


@dataclass(frozen=True)
class _Asked:
    """A read that waits for its answer."""

    name: str
    then: Callable[[Any], None]
    ready: Callable[[], bool] | None


class Loader(QObject):
    """Runs reads by name: a new read of a name makes the answer to the old one unwanted."""

    failed = Signal(str, object)  # name, Problem

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._jobs: dict[int, _Asked] = {}
        self._newest: dict[str, int] = {}
        self._held: dict[int, object] = {}  # answers, in the order in which they came
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._answer_next)
        lane.succeeded.connect(self._on_result)
        lane.failed.connect(self._on_problem)
        lane.state_changed.connect(self._on_state)

    def load(
        self,
        name: str,
        read: Callable[..., Any],
        *arguments: Any,
        then: Callable[[Any], None],
        ready: Callable[[], bool] | None = None,
    ) -> None:
        """Call `read(*arguments)` in the store lane and `then(answer)` in this thread.

        While the window closes nothing is read any more.

        :param ready: does a little of what must be there before the answer, and says whether all
            of it is; called once a turn of the event loop. Later answers wait behind this one.
        """
        self.forget(name)
        if self._lane.closing:
            return
        number = self._lane.submit(name, partial(_call, read, arguments))
        self._jobs[number] = _Asked(name, then, ready)
        self._newest[name] = number

    def forget(self, name: str) -> None:
        """The answer to a read under way is no longer wanted."""
        number = self._newest.pop(name, None)
        if number is not None:
            self._jobs.pop(number, None)
            self._held.pop(number, None)
            self._lane.forget(number)

    def forget_all(self) -> None:
        for name in tuple(self._newest):
            self.forget(name)

    @property
    def loading(self) -> bool:
        return bool(self._jobs)

    def waits_for(self, owner: str) -> bool:
        """Whether a read is under way whose name begins with this word."""
        return any(name.split(" ", 1)[0] == owner for name in self._newest)

    def _take(self, number: int) -> _Asked | None:
        asked = self._jobs.pop(number, None)
        if asked is not None:
            self._newest.pop(asked.name, None)
        return asked

    @Slot(object, object)
    def _on_result(self, number: int, result: object) -> None:
        asked = self._jobs.get(number)
        if self._held or (asked is not None and asked.ready is not None and not asked.ready()):
            self._held[number] = result
            self._turn.start()
        else:
            self._answer(number, result)

    @Slot()
    def _answer_next(self) -> None:
        """Get ready for the answer that came first, or give it: one step a turn."""
        for number in tuple(self._held)[:1]:
            asked = self._jobs.get(number)
            if asked is None or asked.ready is None or asked.ready():
                self._answer(number, self._held.pop(number))
        if self._held:
            self._turn.start()

    def _answer(self, number: int, result: object) -> None:
        asked = self._take(number)
        if asked is not None and _wanted(asked.then):
            asked.then(result)

    @Slot(object, object)
    def _on_problem(self, number: int, problem: Problem) -> None:
        asked = self._take(number)
        if asked is not None:
            self.failed.emit(asked.name, problem)

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
