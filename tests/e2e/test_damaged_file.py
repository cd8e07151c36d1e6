"""A damaged project: what can be read is saved elsewhere, the file itself is left alone."""

from __future__ import annotations

from app.dialogs.prompts import Question
from tests.e2e.hands import Hands


def test_what_can_be_read_is_saved_and_shown(hands: Hands, project_file) -> None:
    data = bytearray(project_file.read_bytes())
    data[3 * 16384 : 5 * 16384] = bytes(2 * 16384)
    project_file.write_bytes(data)
    hands.menu("File", "Open…")
    hands.choose_file(project_file)
    question = hands.see(Question)
    hands.press_button("Save what can be read…", question)
    window = hands.window
    hands.wait(lambda: window.workspace.project is not None)
    assert window.workspace.project.path.name == "scenes (saved).parallax"
    assert project_file.read_bytes() == bytes(data)


def test_it_can_be_left_alone(hands: Hands, project_file) -> None:
    data = bytearray(project_file.read_bytes())
    data[3 * 16384 : 5 * 16384] = bytes(2 * 16384)
    project_file.write_bytes(data)
    hands.menu("File", "Open…")
    hands.choose_file(project_file)
    question = hands.see(Question)
    hands.press_button("Cancel", question)
    hands.gone(Question)
    assert hands.window.workspace.project is None
    assert sorted(p.name for p in project_file.parent.glob("*.parallax")) == ["scenes.parallax"]
