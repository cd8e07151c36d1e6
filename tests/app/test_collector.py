from __future__ import annotations

import gc
import sys
import threading
import types
import weakref
from typing import ClassVar

import pytest

from app.collector import MainThreadCollector


@pytest.fixture
def collector(qtbot):
    collector = MainThreadCollector()
    yield collector
    collector.stop()


class Cycle:
    """Garbage that only the collector can free; notes the thread that freed it."""

    freed_in: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self.freed_in.append(threading.current_thread().name)


def make_garbage() -> None:
    for _ in range(3000):
        Cycle()


def test_workers_never_collect_and_this_thread_does(collector) -> None:
    gc.collect()
    Cycle.freed_in = []
    worker = threading.Thread(target=make_garbage, name="worker")
    worker.start()
    worker.join()
    assert Cycle.freed_in == []
    collector.check()
    assert set(Cycle.freed_in) == {threading.current_thread().name}


def test_nothing_is_collected_before_it_is_due(collector) -> None:
    gc.collect()
    cycle = Cycle()
    alive = weakref.ref(cycle)
    del cycle
    collector.check()
    assert alive() is not None


def test_the_interpreter_takes_over_when_the_last_one_stops(qtbot) -> None:
    first, second = MainThreadCollector(), MainThreadCollector()
    first.stop()
    assert not gc.isenabled()
    second.stop()
    assert gc.isenabled()


def test_what_imports_leave_is_set_aside_until_the_end(qtbot, monkeypatch) -> None:
    gc.unfreeze()  # what the tests have set aside
    collector = MainThreadCollector()
    for number in range(200):
        monkeypatch.setitem(sys.modules, f"made_up_{number}", types.ModuleType("made_up"))
    assert gc.get_freeze_count() == 0
    collector.check()
    assert gc.get_freeze_count() > 0
    collector.stop()
    assert gc.get_freeze_count() == 0
    gc.freeze()  # for the tests to come
