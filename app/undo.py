"""Undo and redo of what a practitioner decides: findings, names, slices, concepts, reports.

How to make an edit that can be undone: write a *step*, a function of the project that makes the
change, commits it, and returns an `Edited` whose `back` is the step that takes it back (and which
returns, in turn, the step that makes it again). Steps live in `app/reversible.py`; parameters are
bound by `partial`, the project comes last:

    def remove_slice(number, project):
        old = ...                                     # what will be needed to bring it back
        project.remove_image_slice(number)
        return Edited(partial(add_slice, old.name, images, old.origin, number, old.created))

    workspace.undo.do("remove slice", partial(remove_slice, number))
    workspace.undo.do("add slice", partial(add_slice, name, images), then=self._on_added)

The first text completes “Undo: …”. `then` gets `Edited.answer` (an id, say) in the window's thread;
it must be a bound method of a QObject or outlive the edit. Steps are done in the store lane in the
order in which they were asked for, among all other reads and edits; the project's lists are read
again after each. A step that fails is dropped, and said by `Workspace.problem_found`, or told to
`otherwise` alone, as a dialog that stays open wants it. Nothing is lost when the project is closed
before a step's turn has come. What is added must come back with the id that it had.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from shiboken6 import isValid

from analysis.project import Project
from app.lanes import JobControl, JobState, Lane
from app.problems import Problem, problem_of

_LONGEST = 200
_READ_ONLY = (
    "This project is open read-only.",
    "Open it again to write to it, or save it under another name.",
)

Step = Callable[[Project], "Edited"]


@dataclass(frozen=True)
class Edited:
    """What a step has done.

    :param back: the step that takes it back.
    :param answer: what the one who asked wants to know, as the id of what was added.
    :param changed: False: there was nothing to change, and there is nothing to take back.
    :param renamed: old and new name of a model, which what is on the screen has to follow.
    """

    back: Step
    answer: Any = None
    changed: bool = True
    renamed: tuple[str, str] | None = None


@dataclass(frozen=True)
class Standing:
    """What could be undone and redone next, in words; empty: nothing."""

    undo: str = ""
    redo: str = ""


class EditHistory:
    """The edits of one project; any thread may call, one edit is done at a time. No Qt here."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._done: list[tuple[str, Step]] = []  # text, the step that takes it back
        self._undone: list[tuple[str, Step]] = []  # text, the step that makes it again
        self._lock = threading.RLock()

    def do(self, text: str, step: Step) -> Edited:
        """Make an edit; what was undone before can be redone no more."""
        with self._lock:
            edited = step(self._project)
            if edited.changed:
                self._done.append((text, edited.back))
                del self._done[:-_LONGEST]
                self._undone.clear()
            return edited

    def undo(self) -> Edited | None:
        """Take back the newest edit, None if there is none; one that fails is forgotten."""
        return self._move(self._done, self._undone)

    def redo(self) -> Edited | None:
        """Make the edit again that was taken back last; one that fails is forgotten."""
        return self._move(self._undone, self._done)

    def _move(
        self, source: list[tuple[str, Step]], target: list[tuple[str, Step]]
    ) -> Edited | None:
        with self._lock:
            if not source:
                return None
            text, step = source.pop()
            edited = step(self._project)
            if edited.changed:
                target.append((text, edited.back))
            return edited

    @property
    def standing(self) -> Standing:
        with self._lock:
            return Standing(
                self._done[-1][0] if self._done else "",
                self._undone[-1][0] if self._undone else "",
            )


class _Task:
    """One edit on its way: done once, by the lane or at the end by the window's thread."""

    def __init__(
        self,
        what: str,
        work: Callable[[], Edited | None],
        then: Callable[[Any], None] | None,
        otherwise: Callable[[Problem], None] | None,
    ) -> None:
        self.what = what
        self.then = then
        self.otherwise = otherwise
        self._work = work
        self._lock = threading.Lock()
        self._finished = False

    def __call__(self, _control: JobControl | None = None) -> Edited | None:
        """Do the edit, unless another thread has done it."""
        with self._lock:
            if self._finished:
                return None
            self._finished = True  # also if it fails: it is not tried twice
            return self._work()


class UndoStack(QObject):
    """The open project's edits, done in the store lane; says what Undo and Redo would do."""

    changed = Signal(object)  # Standing
    edited = Signal(object)  # Edited: the project's lists are to be read again
    failed = Signal(object, str)  # Problem, what was being done

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._history: EditHistory | None = None
        self._tasks: dict[int, _Task] = {}
        self.standing = Standing()
        lane.succeeded.connect(self._on_result)
        lane.failed.connect(self._on_problem)
        lane.state_changed.connect(self._on_state)

    def set_project(self, project: Project | None) -> None:
        """Begin with a project that can be written to, or without any; see `finish`."""
        self.finish()
        writable = project is not None and not project.read_only
        self._history = EditHistory(project) if project is not None and writable else None
        self._tell()

    def do(
        self,
        text: str,
        step: Step,
        then: Callable[[Any], None] | None = None,
        otherwise: Callable[[Problem], None] | None = None,
    ) -> bool:
        """Make an edit; False if no project is open that can be written to.

        :param text: completes “Undo: …”, as “rename model”.
        :param then: is called with `Edited.answer`.
        :param otherwise: is called with the problem, which is not said elsewhere then.
        """
        history = self._history
        if history is None:
            self.failed.emit(Problem(*_READ_ONLY), text)
            return False
        return self._submit(text, partial(history.do, text, step), then, otherwise)

    def undo(self) -> bool:
        """Take back the newest edit there is when its turn comes; False without a project."""
        history = self._history
        return history is not None and self._submit("undo", history.undo)

    def redo(self) -> bool:
        """Make the edit again that was taken back last; False without a project."""
        history = self._history
        return history is not None and self._submit("redo", history.redo)

    def finish(self) -> None:
        """Do at once what the lane has not come to: the project is about to be closed."""
        tasks, self._tasks = self._tasks, {}
        for number, task in tasks.items():
            self._lane.forget(number)
            try:
                task()
            except Exception as error:
                self.failed.emit(problem_of(error), task.what)

    def _submit(
        self,
        what: str,
        work: Callable[[], Edited | None],
        then: Callable[[Any], None] | None = None,
        otherwise: Callable[[Problem], None] | None = None,
    ) -> bool:
        if self._lane.closing:
            return False
        task = _Task(what, work, then, otherwise)
        self._tasks[self._lane.submit(what, task)] = task
        return True

    @Slot(object, object)
    def _on_result(self, number: int, edited: Edited | None) -> None:
        task = self._tasks.pop(number, None)
        if task is None:
            return
        self._tell()
        if edited is None:
            return
        self.edited.emit(edited)
        if task.then is not None and _wanted(task.then):
            task.then(edited.answer)

    @Slot(object, object)
    def _on_problem(self, number: int, problem: Problem) -> None:
        task = self._tasks.pop(number, None)
        if task is None:
            return
        self._tell()
        if task.otherwise is not None and _wanted(task.otherwise):
            task.otherwise(problem)
        else:
            self.failed.emit(problem, task.what)

    @Slot(object, object)
    def _on_state(self, number: int, state: JobState) -> None:
        if state == JobState.CANCELLED:
            self._tasks.pop(number, None)

    def _tell(self) -> None:
        standing = self._history.standing if self._history is not None else Standing()
        if standing != self.standing:
            self.standing = standing
            self.changed.emit(standing)


def _wanted(then: Callable[..., None]) -> bool:
    """Whether the one who asked is still there: a dialog may have been closed meanwhile."""
    receiver = getattr(then, "__self__", None)
    return not isinstance(receiver, QObject) or isValid(receiver)
