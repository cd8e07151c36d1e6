from __future__ import annotations

import pytest

from analysis.errors import AuditError
from app.jobs import Jobs, describe_progress, format_bytes, format_duration
from app.jobs_panel import JobsPanel
from app.lanes import JobState
from app.status_line import StatusLine

WAIT = 10_000


@pytest.fixture
def jobs(qtbot, lane) -> Jobs:
    return Jobs(lane)


def finish(qtbot, jobs: Jobs) -> None:
    qtbot.waitUntil(lambda: not jobs.busy, timeout=WAIT)


def wait_state(qtbot, jobs: Jobs, number: int, state: JobState) -> None:
    qtbot.waitUntil(lambda: jobs.record(number).state == state, timeout=WAIT)


def test_record_follows_the_job(qtbot, jobs) -> None:
    def work(progress) -> str:
        progress.report(1, 4, "Reading images")
        progress.report(4, 4, "Reading images")
        return "result"

    number = jobs.submit_progress("images", work, "images")
    finish(qtbot, jobs)
    record = jobs.record(number)
    assert (record.state, record.result, record.fraction) == (JobState.DONE, "result", 1.0)
    assert any("Reading images" in line for line in record.log)
    assert record.seconds is not None


def test_failed_job_can_be_repeated(qtbot, jobs) -> None:
    tries: list[int] = []

    def work(_progress) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise AuditError("The drive is gone.", "Connect it.")

    number = jobs.submit_progress("images", work, "images")
    finish(qtbot, jobs)
    assert jobs.record(number).problem.summary == "The drive is gone."
    again = jobs.retry(number)
    finish(qtbot, jobs)
    assert jobs.record(number) is None
    assert jobs.record(again).state == JobState.DONE


def test_a_running_job_cannot_be_repeated(qtbot, jobs, backend) -> None:
    backend.gate.clear()
    number = jobs.submit_progress("gate", backend.wait_at_gate, "images")
    assert jobs.retry(number) is None
    jobs.cancel(number)
    finish(qtbot, jobs)


def test_busy_is_told_once(qtbot, jobs) -> None:
    told: list[bool] = []
    jobs.busy_changed.connect(told.append)
    for _ in range(3):
        jobs.submit_progress("quick", lambda _progress: None, "images")
    finish(qtbot, jobs)
    qtbot.waitUntil(lambda: told[-1:] == [False], timeout=WAIT)
    assert told == [True, False]


def test_panel_and_status_line_show_and_cancel(qtbot, jobs, backend) -> None:
    backend.gate.clear()
    panel, line = JobsPanel(jobs), StatusLine(jobs)
    for widget in (panel, line):
        qtbot.addWidget(widget)
        widget.show()
    line.cancel_requested.connect(jobs.cancel)

    def work(progress) -> None:
        progress.report(1, 4, "Finding concepts of bird")
        backend.wait_at_gate(progress)

    number = jobs.submit_progress("concepts", work, "audit")
    qtbot.waitUntil(lambda: "Finding concepts of bird" in line.text.text(), timeout=WAIT)
    assert line.bar.value() == 250
    assert panel.list.topLevelItem(0).text(1) == "concepts"
    assert "Finding concepts of bird" in panel.log.toPlainText()
    assert panel.cancel.isEnabled()
    assert not panel.retry.isEnabled()
    line.cancel.click()
    wait_state(qtbot, jobs, number, JobState.CANCELLED)
    assert not line.bar.isVisible()
    assert panel.retry.isEnabled()
    assert "Cancel" in line.cancel.text()
    panel.clear.click()
    assert panel.list.topLevelItemCount() == 0
    assert jobs.records() == ()


def test_the_list_of_ended_jobs_is_bounded(qtbot, jobs) -> None:
    for _ in range(130):
        jobs.submit_progress("quick", lambda _progress: None, "images")
    finish(qtbot, jobs)
    jobs.submit_progress("last", lambda _progress: None, "images")
    finish(qtbot, jobs)
    assert len(jobs.records()) <= 101
    assert jobs.records()[-1].title == "last"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (float("nan"), ""), (0.2, "1 s"), (40, "40 s"), (180, "3 min"),
     (7500, "2 h 5 min"), (7200, "2 h"), (400_000, "5 days"), (-1, "")],
)  # fmt: skip
def test_durations(seconds, text) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1_500, "2 kB"), (3_000_000, "3 MB"), (1.2e9, "1.2 GB"), (5e12, "5.0 TB")],
)
def test_sizes(count, text) -> None:
    assert format_bytes(count) == text


def test_time_left_is_in_the_line(qtbot, jobs) -> None:
    number = jobs.submit_progress("quick", lambda _progress: None, "images")
    finish(qtbot, jobs)
    record = jobs.record(number)
    record.state, record.text, record.seconds_left = JobState.RUNNING, "layers", 40.0
    assert describe_progress(record) == "layers · about 40 s left"
