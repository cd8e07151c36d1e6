"""What a test leaves behind is found, however it is held; what is merely not collected is not."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QThread, QTimer
from PySide6.QtWidgets import QWidget

from tests import left_behind
from tests.left_behind import Watch


class Waiting(QThread):
    """Runs until it is told to end."""

    def run(self) -> None:
        self.exec()


@pytest.fixture
def timer(qapp):
    timer = QTimer()
    timer.setInterval(1000)
    yield timer
    timer.stop()


def test_a_timer_that_ticks(timer) -> None:
    watch = Watch()
    timer.start()
    assert watch.problems() == ["a timer still ticks every 1000 ms"]


def test_a_timer_that_belongs_to_something_kept(timer) -> None:
    owner = QObject()
    timer.setParent(owner)
    watch = Watch()
    timer.start()
    assert watch.problems() == ["a timer of QObject  still ticks every 1000 ms"]
    timer.setParent(None)


def test_a_timer_that_was_set_aside_before_it_ticked(timer) -> None:
    left_behind.put_aside()
    watch = Watch()
    assert watch.problems() == []
    timer.start()
    assert watch.problems() == ["a timer still ticks every 1000 ms"]


def test_a_thread_that_runs(qapp) -> None:
    watch = Watch()
    thread = Waiting()
    thread.setObjectName("worker")
    thread.start()
    assert watch.problems() == ["the thread worker still runs"]
    thread.quit()
    assert thread.wait()
    assert watch.problems() == []


def test_a_window_never_shown(qapp) -> None:
    watch = Watch()
    widget = QWidget(objectName="forgotten")
    assert watch.problems() == ["the window QWidget 'forgotten' is still there"]
    del widget
    assert watch.problems() == []


def test_what_waits_to_be_collected_or_deleted_is_no_problem(qapp) -> None:
    watch = Watch()
    timer, widget, later = QTimer(), QWidget(), QWidget()
    timer.start(1000)
    timer.itself, widget.itself = timer, widget
    later.deleteLater()
    del timer, widget, later
    assert watch.problems() == []


def test_what_was_there_before_is_no_problem(timer) -> None:
    timer.start()
    assert Watch().problems() == []
