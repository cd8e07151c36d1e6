"""Answers of the store lane, and what must be there before they are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer

from app.lanes import Lane
from app.loading import Loader

WAIT = 10_000


@pytest.fixture
def loader(qtbot) -> Iterator[Loader]:
    lane = Lane("store")
    yield Loader(lane, lane)
    lane.close()
    qtbot.waitUntil(lambda: not lane.thread_running, timeout=WAIT)
    lane.deleteLater()


class Parts:
    """Something in three parts, of which one is made at each call."""

    def __init__(self, told: list[str]) -> None:
        self.made, self._told = 0, told

    def ready(self) -> bool:
        self.made += 1
        self._told.append(f"part {self.made}")
        QTimer.singleShot(0, self._turn)
        return self.made == 3

    def _turn(self) -> None:
        self._told.append("the event loop turned")


class Gate:
    """Not ready until it is opened."""

    def __init__(self) -> None:
        self.asked = self.open = False

    def ready(self) -> bool:
        self.asked = True
        return self.open


def test_an_answer_waits_until_what_shows_it_is_made_a_part_at_a_turn(qtbot, loader) -> None:
    told: list[str] = []
    loader.load("points", lambda: "points", then=told.append, ready=Parts(told).ready)
    loader.load("more", lambda: "more", then=told.append)
    qtbot.waitUntil(lambda: "more" in told, timeout=WAIT)
    turn = "the event loop turned"
    assert told[:6] == ["part 1", turn, "part 2", turn, "part 3", "points"]
    assert not loader.loading


def test_an_answer_that_waits_is_forgotten_or_replaced_like_any_other(qtbot, loader) -> None:
    told: list[str] = []
    gate = Gate()
    loader.load("points", lambda: "old", then=told.append, ready=gate.ready)
    loader.load("other", lambda: "unwanted", then=told.append)
    qtbot.waitUntil(lambda: gate.asked, timeout=WAIT)
    assert loader.waits_for("points")
    loader.load("points", lambda: "new", then=told.append, ready=gate.ready)
    loader.forget("other")
    assert told == []
    gate.open = True
    qtbot.waitUntil(lambda: not loader.loading, timeout=WAIT)
    assert told == ["new"]
    loader.load("later", lambda: "later", then=told.append)
    qtbot.waitUntil(lambda: told == ["new", "later"], timeout=WAIT)
