"""What was found is written down, and found again as it was."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.dialogs.finding_dialog import FindingDialog
from tests.e2e.beginning import walk_to_a_concept
from tests.e2e.hands import Hands


def record(hands: Hands, title: str) -> None:
    """Write down what the view in front shows, by the inspector's button."""
    hands.press_button("✎ Record finding…", hands.window.inspector)
    dialog = hands.see(FindingDialog)
    hands.write(dialog.title, title)
    hands.choose(dialog.verdict, "✕ spurious")
    hands.click(dialog.accept_button)
    hands.gone(FindingDialog)


def titles(hands: Hands) -> list[str]:
    index = hands.window.workspace.index
    return [] if index is None else [one.title for one in index.findings]


def test_a_finding_brings_back_what_was_seen(at_work: Hands) -> None:
    window, session = at_work.window, at_work.window.workspace.session
    at_work.tab("Concepts")
    at_work.wait(lambda: window.workspace.points is not None)
    detail = walk_to_a_concept(at_work)
    seen = session.snapshot
    record(at_work, "It looks at the wrong thing")
    at_work.wait(lambda: titles(at_work) == ["It looks at the wrong thing"])
    at_work.key("Esc")
    at_work.tab("Layers")
    at_work.wait(lambda: window.perspective == "layers")
    at_work.key("F8")
    listed = window.findings_panel.list
    at_work.wait(lambda: listed.isVisible() and listed.model().rowCount() == 1)
    place = listed.visualRect(listed.model().index(0, 0)).center()
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)
    at_work.wait(lambda: window.perspective == "concepts")
    at_work.wait(lambda: session.snapshot.concept == seen.concept)
    at_work.wait(lambda: window.workspace.focus.detail is not None)
    assert window.workspace.focus.detail.concept_id == detail.concept_id
    assert session.snapshot.selection == seen.selection


def test_a_finding_is_taken_back_and_made_again(at_work: Hands) -> None:
    at_work.tab("Layers")
    record(at_work, "They part early")
    at_work.wait(lambda: titles(at_work) == ["They part early"])
    number = at_work.window.workspace.index.findings[0].id
    at_work.key("Ctrl+Z")
    at_work.wait(lambda: titles(at_work) == [])
    at_work.key("Ctrl+Shift+Z")
    at_work.wait(lambda: titles(at_work) == ["They part early"])
    assert at_work.window.workspace.index.findings[0].id == number


def test_escape_writes_nothing_down(at_work: Hands) -> None:
    at_work.tab("Layers")
    at_work.press_button("✎ Record finding…", at_work.window.inspector)
    dialog = at_work.see(FindingDialog)
    at_work.key("Esc", dialog)
    at_work.gone(FindingDialog)
    assert titles(at_work) == []
