"""A run is stopped by its key, taken up again, and outlives the window that began it."""

from __future__ import annotations

from app.dialogs.prompts import Question
from app.dialogs.run_dialog import RunDialog
from tests.app.steps import label
from tests.e2e.hands import Hands


def _begin(hands: Hands) -> int:
    """Start the concepts of two models; the run waits after its first class."""
    workspace = hands.window.workspace
    workspace.backend.gate.clear()
    before = len(workspace.index.runs)
    hands.key("Ctrl+R")
    dialog = hands.see(RunDialog)
    hands.choose(dialog.audit, "Concepts")
    hands.choose(dialog.model_b, "SqueezeNet")
    hands.wait(dialog.accept_button.isEnabled)
    hands.click(dialog.accept_button)
    hands.gone(RunDialog)
    hands.wait(lambda: len(workspace.index.runs) == before + 1)
    run = workspace.index.runs[-1].id
    hands.wait(lambda: workspace.run(run).units_done == 1)
    return run


def test_stopped_and_taken_up_again(at_work: Hands) -> None:
    window, workspace = at_work.window, at_work.window.workspace
    run = _begin(at_work)
    at_work.wait(window.actions_registry["cancel"].isEnabled)
    at_work.key("Ctrl+.")
    at_work.wait(lambda: label(window, "run", run).startswith("◌"))
    assert workspace.run(run).units_done == 1
    workspace.backend.gate.set()
    at_work.wait(window.actions_registry["resume"].isEnabled)
    at_work.menu("Audit", "Resume unfinished runs")
    at_work.wait(lambda: workspace.run(run).state == "done")
    assert workspace.run(run).units_done == 3
    assert label(window, "run", run).startswith("✓")


def test_closing_asks_and_the_run_goes_on_in_the_next_window(at_work: Hands) -> None:
    window, workspace = at_work.window, at_work.window.workspace
    run = _begin(at_work)
    path = workspace.project.path
    at_work.key("Ctrl+W")
    question = at_work.see(Question)
    at_work.click(question.go_back)
    at_work.gone(Question)
    assert workspace.jobs.busy
    at_work.key("Ctrl+W")
    question = at_work.see(Question)
    at_work.click(question.go_on)
    at_work.wait(lambda: workspace.project is None)
    workspace.backend.gate.set()
    at_work.menu("File", "Open…")
    at_work.choose_file(path)
    at_work.wait(window.actions_registry["resume"].isEnabled)
    at_work.key("Ctrl+Shift+R")
    at_work.wait(lambda: workspace.run(run) is not None and workspace.run(run).state == "done")
