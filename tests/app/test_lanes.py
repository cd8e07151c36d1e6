from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QThread

from analysis.errors import AuditError
from app.lanes import JobControl, JobState, Lane
from app.loading import Loader
from app.problems import Problem

WAIT = 10_000


class Heard:
    """What a lane said, in order."""

    def __init__(self, lane: Lane) -> None:
        self.states: dict[int, list[JobState]] = {}
        self.results: dict[int, object] = {}
        self.problems: dict[int, Problem] = {}
        self.partials: list[object] = []
        lane.state_changed.connect(self._state)
        lane.succeeded.connect(self.results.__setitem__)
        lane.failed.connect(self.problems.__setitem__)
        lane.partial.connect(self._partial)

    def _state(self, number: int, state: JobState) -> None:
        self.states.setdefault(number, []).append(state)

    def _partial(self, _number: int, value: object) -> None:
        self.partials.append(value)


class Gate:
    """A job that waits until it is let go, or cancelled."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, control: JobControl) -> str:
        self.begun.set()
        while not self.open.wait(0.005):
            control.progress.check_cancelled()
        return "through"


@pytest.fixture
def heard(lane: Lane) -> Heard:
    return Heard(lane)


def wait_idle(qtbot, lane: Lane) -> None:
    qtbot.waitUntil(lambda: not lane.busy, timeout=WAIT)


def test_job_runs_in_the_lanes_thread_and_answers(qtbot, lane, heard) -> None:
    number = lane.submit("which thread", lambda _control: QThread.currentThread().objectName())
    wait_idle(qtbot, lane)
    assert heard.results == {number: "test lane"}
    assert heard.states[number] == [JobState.RUNNING, JobState.DONE]


def test_jobs_run_one_after_another(qtbot, lane, heard) -> None:
    order: list[int] = []
    for n in range(5):
        lane.submit("n", lambda _control, n=n: order.append(n))
    wait_idle(qtbot, lane)
    assert order == [0, 1, 2, 3, 4]


def test_partial_results_and_progress(qtbot, lane, heard) -> None:
    reports: list[tuple] = []
    lane.progressed.connect(lambda _number, report: reports.append(report))

    def work(control: JobControl) -> None:
        for done in range(3):
            control.progress.report(done, 2, "counting")
            control.emit_partial(done)

    lane.submit("count", work)
    wait_idle(qtbot, lane)
    assert heard.partials == [0, 1, 2]
    assert reports[-1][:3] == (2, 2, "counting")


def test_cancelling_a_running_job(qtbot, lane, heard) -> None:
    gate = Gate()
    number = lane.submit("gate", gate)
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT)
    lane.cancel(number)
    lane.cancel(number)
    wait_idle(qtbot, lane)
    assert heard.states[number][-2:] == [JobState.CANCELLING, JobState.CANCELLED]
    assert number not in heard.results


def test_cancelling_a_waiting_job_never_runs_it(qtbot, lane, heard) -> None:
    gate, ran = Gate(), threading.Event()
    first = lane.submit("gate", gate)
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT)
    second = lane.submit("never", lambda _control: ran.set())
    lane.cancel(second)
    assert heard.states[second] == [JobState.CANCELLED]
    gate.open.set()
    wait_idle(qtbot, lane)
    assert heard.results == {first: "through"}
    assert not ran.is_set()


def test_expected_error_keeps_its_words(qtbot, lane, heard) -> None:
    def work(_control: JobControl) -> None:
        raise AuditError("There are no images.", "Add some.")

    number = lane.submit("fails", work)
    wait_idle(qtbot, lane)
    problem = heard.problems[number]
    assert (problem.summary, problem.hint, problem.details) == (
        "There are no images.", "Add some.", "",
    )  # fmt: skip
    assert heard.states[number][-1] == JobState.FAILED


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), MemoryError(), SystemExit(3), OSError(28, "No space left")]
)
def test_unexpected_error_becomes_plain_words_with_details(qtbot, lane, heard, error) -> None:
    def work(_control: JobControl) -> None:
        raise error

    number = lane.submit("fails", work)
    after = lane.submit("after", lambda _control: "alive")
    wait_idle(qtbot, lane)
    assert "Traceback" in heard.problems[number].details
    assert "Error" not in heard.problems[number].summary
    assert heard.results == {after: "alive"}


def test_forgotten_job_says_nothing_more(qtbot, lane, heard) -> None:
    gate = Gate()

    def work(control: JobControl) -> str:
        try:
            gate(control)
        finally:
            control.emit_partial("late")
        return "late result"

    number = lane.submit("forgotten", work)
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT)
    lane.forget(number)
    assert lane.busy
    wait_idle(qtbot, lane)
    assert heard.partials == []
    assert number not in heard.results
    assert heard.states.get(number, []) in ([], [JobState.RUNNING])


def test_result_of_a_job_that_ignores_cancelling_is_dropped_if_forgotten(
    qtbot, lane, heard
) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def stubborn(_control: JobControl) -> str:
        begun.set()
        let_go.wait()
        return "too late"

    number = lane.submit("stubborn", stubborn)
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    lane.forget(number)
    let_go.set()
    wait_idle(qtbot, lane)
    assert heard.results == {}


def test_closing_while_busy_ends_the_thread(qtbot) -> None:
    lane = Lane("busy")
    gate, never = Gate(), threading.Event()
    lane.submit("gate", gate)
    lane.submit("never", lambda _control: never.set())
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT)
    with qtbot.waitSignal(lane.closed, timeout=WAIT):
        lane.close()
    assert lane.wait()
    assert not lane.thread_running
    assert not never.is_set()
    with pytest.raises(RuntimeError):
        lane.submit("too late", lambda _control: None)


def test_loader_answers_only_the_newest_read(qtbot, lane) -> None:
    loader, gate, answers = Loader(lane), threading.Event(), []

    def slow() -> str:
        gate.wait()
        return "old"

    loader.load("points", slow, then=answers.append)
    loader.load("points", str.upper, "new", then=answers.append)
    loader.load("other", str.upper, "other", then=answers.append)
    gate.set()
    wait_idle(qtbot, lane)
    assert answers == ["NEW", "OTHER"]
    assert not loader.loading


def test_loader_names_the_read_that_failed(qtbot, lane) -> None:
    loader = Loader(lane)
    with qtbot.waitSignal(loader.failed, timeout=WAIT) as caught:
        loader.load("points", int, "x", then=print)
    name, problem = caught.args
    assert name == "points"
    assert "ValueError" in problem.details


def test_what_was_opened_for_nobody_is_closed(qtbot, lane) -> None:
    loader, begun, gate = Loader(lane), threading.Event(), threading.Event()

    class File:
        closed = False

        def close(self) -> None:
            self.closed = True

    file, answers = File(), []

    def opening() -> File:
        begun.set()
        gate.wait()
        return file

    loader.load("open", opening, then=answers.append)
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    loader.forget("open")
    gate.set()
    wait_idle(qtbot, lane)
    assert file.closed
    assert answers == []
