"""Looking at a project without changing it."""

from __future__ import annotations

from analysis.project import Project
from app.dialogs.prompts import Question
from tests.e2e.hands import Hands


def test_everything_can_be_seen_and_nothing_changed(hands: Hands, project_file) -> None:
    before = project_file.read_bytes()
    hands.menu("File", "Open read-only…")
    hands.choose_file(project_file)
    window = hands.window
    hands.wait(lambda: window.workspace.session.snapshot.run_concepts is not None)
    assert "read-only" in window.windowTitle()
    hands.tab("Concepts")
    hands.wait(lambda: window.workspace.points is not None)
    for name in ("run-audit", "add-images", "add-model", "resume"):
        assert not window.actions_registry[name].isEnabled()
    hands.key("Ctrl+W")
    hands.wait(lambda: window.workspace.project is None)
    assert project_file.read_bytes() == before


def test_a_project_in_use_is_offered_read_only(hands: Hands, project_file) -> None:
    with Project.open(project_file):
        hands.menu("File", "Open…")
        hands.choose_file(project_file)
        question = hands.see(Question)
        hands.press_button("Open read-only", question)
        hands.wait(lambda: hands.window.workspace.session.snapshot.run_concepts is not None)
        assert not hands.window.workspace.writable
