"""A session that was cut off: noticed, said, and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from app import diagnostics
from app.dialogs.recovery_dialog import RecoveryDialog
from app.recovery import RunningMark, UncleanEnd, last_crash, take_unclean_end
from app.recovery_commands import RecoveryCommands
from tests.app.steps import one, session, start_run, until

_CRASH = """
import faulthandler, pathlib, sys
from app.recovery import RunningMark
mark = RunningMark(pathlib.Path(sys.argv[1]))
assert mark.begin() is None
mark.set_project(pathlib.Path(sys.argv[2]))
faulthandler._sigsegv()
"""


def test_a_crash_leaves_its_project_and_its_trace(tmp_path) -> None:
    folder = tmp_path / "log"
    ended = subprocess.run(
        [sys.executable, "-c", _CRASH, str(folder), str(tmp_path / "scenes.parallax")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode in (-signal.SIGSEGV, -signal.SIGABRT), ended.stderr
    found = take_unclean_end(folder)
    assert found is not None
    assert found.project == tmp_path / "scenes.parallax"
    assert "Fatal Python error" in found.trace
    assert "Fatal Python error" in last_crash(folder)
    assert take_unclean_end(folder) is None  # said once
    assert [path.name for path in folder.iterdir()] == ["last-crash.txt"]


def test_a_proper_end_leaves_nothing(tmp_path) -> None:
    mark = RunningMark(tmp_path)
    assert mark.begin() is None
    mark.set_project(tmp_path / "a.parallax")
    assert (tmp_path / f"running-{os.getpid()}.json").is_file()
    mark.end()
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_still_runs_is_left_alone(tmp_path) -> None:
    mark = RunningMark(tmp_path)
    mark.begin()
    assert take_unclean_end(tmp_path) is None
    assert (tmp_path / f"running-{os.getpid()}.json").is_file()
    mark.end()


def test_a_process_number_taken_by_another_program_counts_as_gone(tmp_path) -> None:
    about = {"pid": os.getpid(), "process_started": 1.0, "started": "2026-01-31 09:30 UTC"}
    (tmp_path / f"running-{os.getpid()}.json").write_text(json.dumps(about))
    assert take_unclean_end(tmp_path) == UncleanEnd("2026-01-31 09:30 UTC")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"pid": "x"}', '{"pid": -1, "process_started": 1}',
        '{"pid": 1e300}', '{"project": 7, "started": []}', '{"project": "a\\u0000b"}',
        '{"pid": 99999999999999999999, "process_started": 1}', "[" * 100_000,
    ],
)  # fmt: skip
def test_damaged_marks_are_cleared_away(tmp_path, text) -> None:
    (tmp_path / "running-1.json").write_text(text)
    found = take_unclean_end(tmp_path)
    assert found is not None
    assert found.project is None
    assert not (tmp_path / "running-1.json").exists()


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    mark = RunningMark(tmp_path / "file")
    assert mark.begin() is None
    mark.set_project(Path("x.parallax"))
    mark.end()


def test_reopening_resumes_the_runs_that_were_cut_off(
    qtbot, window, project_file, backend, tmp_path
) -> None:
    commands = RecoveryCommands(window, RunningMark(tmp_path / "log"))
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_concepts is not None)
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: window.workspace.run(run) and window.workspace.run(run).units_done == 1)
    window.workspace.jobs.cancel_all()
    until(qtbot, lambda: not window.workspace.jobs.busy)
    window.commands.close_project()
    backend.gate.set()
    commands.offer(UncleanEnd("2026-01-31 09:30 UTC", project_file))
    dialog = one(qtbot, RecoveryDialog)
    assert "scenes.parallax" in dialog.text.text()
    dialog.open_button.click()
    until(qtbot, lambda: window.workspace.run(run) is not None)
    until(qtbot, lambda: window.workspace.run(run).state == "done")


def test_runs_are_left_alone_where_that_is_wished(qtbot, window, project_file, tmp_path) -> None:
    commands = RecoveryCommands(window, RunningMark(tmp_path / "log"))
    commands.offer(UncleanEnd("2026-01-31 09:30 UTC", project_file))
    dialog = one(qtbot, RecoveryDialog)
    dialog.resume.setChecked(False)
    dialog.open_button.click()
    until(qtbot, lambda: session(window).run_concepts is not None)
    assert not window.workspace.jobs.records()


def test_without_a_project_there_is_nothing_to_open(qtbot, window, tmp_path) -> None:
    commands = RecoveryCommands(window, RunningMark(tmp_path / "log"))
    dialog = commands.offer(UncleanEnd("2026-01-31 09:30 UTC"))
    assert not dialog.open_button.isVisible()
    assert not dialog.resume.isVisible()
    dialog.later.click()
    assert not dialog.isVisible()


def test_diagnostics_tell_of_the_crash(window, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(diagnostics, "log_file", lambda: tmp_path / "parallax.log")
    (tmp_path / "running-1.json").write_text("{}")
    (tmp_path / "trace-1.txt").write_text("Fatal Python error: Segmentation fault")
    end = take_unclean_end(tmp_path)
    commands = RecoveryCommands(window, RunningMark(tmp_path))
    dialog = commands.offer(end)
    dialog.copy_button.click()
    assert "Fatal Python error: Segmentation fault" in QGuiApplication.clipboard().text()
    assert dialog.copy_button.text() == "Copied"
    dialog.close()


def test_the_log_turns_over(tmp_path, monkeypatch) -> None:
    import logging

    monkeypatch.setattr(diagnostics, "log_file", lambda: tmp_path / "log" / "parallax.log")
    monkeypatch.setattr(diagnostics, "_LOG_BYTES", 2000)
    logger = logging.getLogger("parallax")
    before = list(logger.handlers)
    logger.handlers.clear()
    try:
        diagnostics.start_log()
        diagnostics.start_log()  # a second window adds no second handler
        assert len(logger.handlers) == 1
        for number in range(200):
            logger.warning("line %d of a long story", number)
        logger.handlers[0].close()
    finally:
        logger.handlers[:] = before
    files = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert files == ["parallax.log", "parallax.log.1", "parallax.log.2", "parallax.log.3"]
    assert all(path.stat().st_size <= 2100 for path in (tmp_path / "log").iterdir())
