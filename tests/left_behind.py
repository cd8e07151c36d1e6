"""What a test of the window must not leave behind: threads, timers that tick, windows.

Used by the `conftest.py` of every folder that makes widgets. What is merely not collected yet is
collected first; what is there then belongs to nobody who would ever end it.
"""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

_TESTS_A_COLLECTION = 12
_known: list[QObject] = []  # what was there before a test, as windows of a fixture of the session
_set_aside: list[weakref.ref[QObject]] = []  # threads and timers that may yet run


class Watch:
    """Sets aside what there is when it is made; `problems` says what has come and stayed since.

    What is set aside (frozen) is walked through by no collection, so that those here are quick.
    Both are done now and then, and where a test has left something to collect: a collection costs
    as much as many a test.
    """

    made = 0

    def __init__(self) -> None:
        due = Watch.made % _TESTS_A_COLLECTION == 0
        if due:
            gc.collect()
        _known[:] = _found()
        if due:
            put_aside()
        Watch.made += 1

    def problems(self) -> list[str]:
        """A line for each thing left behind; what is only waiting to be deleted is no problem."""
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        new = self._new()
        for _ in range(2 if new else 0):
            new.clear()
            gc.collect()
            QCoreApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            new = self._new()
            if not new:
                put_aside()
                break
        return [_line(each) for each in new]

    def _new(self) -> list[QObject]:
        known = {id(each) for each in _known}
        return [each for each in _found() if id(each) not in known]


def put_aside() -> None:
    """Set aside what is there; done right after a collection, as none will come by again."""
    _set_aside[:] = [weakref.ref(each) for each in _threads_and_timers()]
    gc.freeze()


def _threads_and_timers() -> list[QObject]:
    """All that Python knows, also those that were set aside."""
    aside = [each for ref in _set_aside if (each := ref()) is not None and isValid(each)]
    return aside + [o for o in gc.get_objects() if _may_run(type(o)) and isValid(o)]


def _found() -> list[QObject]:
    """Running threads and active timers that Python knows, and every top-level widget."""
    if QCoreApplication.instance() is None:
        return []
    objects = _threads_and_timers()
    running = [o for o in objects if isinstance(o, QThread) and o.isRunning()]
    ticking = [o for o in objects if isinstance(o, QTimer) and o.isActive()]
    return [*running, *ticking, *_windows()]


@functools.cache
def _may_run(kind: type) -> bool:
    """Whether objects of a type are threads or timers; asked of millions of objects."""
    return issubclass(kind, QThread | QTimer)


def _windows() -> list[QWidget]:
    """Windows that belong to no other widget."""
    if not isinstance(QApplication.instance(), QApplication):
        return []
    return [w for w in QApplication.topLevelWidgets() if isValid(w) and w.parent() is None]


def _line(each: QObject) -> str:
    if isinstance(each, QThread):
        return f"the thread {each.objectName() or each} still runs"
    owner = each.parent()
    of = f" of {type(owner).__name__} {owner.objectName()}" if owner is not None else ""
    if isinstance(each, QTimer):
        return f"a timer{of} still ticks every {each.interval()} ms"
    return f"the window {type(each).__name__} {each.objectName()!r} is still there"


def check(request: pytest.FixtureRequest) -> Iterator[None]:
    """The body of a fixture, torn down last: fails the test that left something behind."""
    patched = request.getfixturevalue("monkeypatch")
    watch, failed = Watch(), request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        return  # what a failed test was about to do is in its traceback, with all it holds
    patched.undo()  # it keeps what it has patched
    request.node.funcargs.clear()  # the test's own arguments would keep what they have made
    problems = watch.problems()
    assert not problems, "left behind: " + "; ".join(problems)
