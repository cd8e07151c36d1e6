"""Runs in the window: results as they come, cancelling, resuming, problems."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QMessageBox,
)

from analysis.errors import AuditError
from tests.app.steps import entry, label, one, session, start_run, until


def test_results_appear_while_the_run_goes_on(qtbot, open_window, backend) -> None:
    window = open_window
    window.show_perspective("concepts")
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: session(window).run_concepts == run)
    until(qtbot, lambda: window.workspace.points is not None)
    until(qtbot, lambda: set(window.workspace.points.class_name) == {"bird"})
    assert window.workspace.jobs.busy
    assert "a fake processor" in window.status_line.machine.text()
    assert window.workspace.jobs.of_run(run).title == "concepts Lite0"
    assert label(window, "run", run).startswith("◐")
    assert window.actions_registry["cancel"].isEnabled()
    backend.gate.set()
    until(qtbot, lambda: not window.workspace.jobs.busy)
    until(qtbot, lambda: len(set(window.workspace.points.class_name)) == 3)
    until(qtbot, lambda: label(window, "run", run).startswith("✓"))
    assert not window.actions_registry["cancel"].isEnabled()


def test_cancel_and_resume_from_the_menus(qtbot, open_window, backend) -> None:
    window = open_window
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: window.workspace.run(run) and window.workspace.run(run).units_done == 1)
    window.actions_registry["cancel"].trigger()
    until(qtbot, lambda: label(window, "run", run).startswith("◌"))
    menu = window.navigator.menu_for(entry(window, "run", run))
    enabled = {a.data()[0]: a.isEnabled() for a in menu.actions()}
    assert enabled["resume-run"]
    assert not enabled["cancel-run"]
    menu.close()
    backend.gate.set()
    until(qtbot, window.actions_registry["resume"].isEnabled)
    window.actions_registry["resume"].trigger()
    until(qtbot, lambda: window.workspace.run(run).state == "done")


def test_failed_run_is_said_with_its_hint(qtbot, open_window, backend) -> None:
    backend.fail_with = AuditError("The weights are gone.", "Put them back.")
    run = start_run(qtbot, open_window, backend)
    box = one(qtbot, QMessageBox)
    assert (box.text(), box.informativeText()) == ("The weights are gone.", "Put them back.")
    box.close()
    until(qtbot, lambda: label(open_window, "run", run).startswith("✕"))


def test_unexpected_failure_offers_details(qtbot, open_window, backend) -> None:
    backend.fail_with = ZeroDivisionError("inner workings")
    start_run(qtbot, open_window, backend)
    box = one(qtbot, QMessageBox)
    assert "inner workings" not in box.text()
    assert "ZeroDivisionError" in box.detailedText()
    box.close()
