"""The command palette: a few letters and Enter."""

from __future__ import annotations

from PySide6.QtTest import QTest

from app.dialogs.palette import CommandPalette
from tests.e2e.hands import Hands


def _find(hands: Hands, letters: str) -> None:
    hands.key("Ctrl+K")
    palette = hands.see(CommandPalette)
    QTest.keyClicks(palette.edit, letters)
    hands.wait(palette.found)
    hands.key("Return", palette.edit)
    hands.gone(CommandPalette)


def test_a_command_is_found_and_done(hands: Hands) -> None:
    from app.theme import theme

    _find(hands, "dark")
    hands.wait(lambda: theme().dark)
    _find(hands, "light")
    hands.wait(lambda: not theme().dark)


def test_a_concept_is_found_and_shown(at_work: Hands) -> None:
    window = at_work.window
    at_work.wait(lambda: window.workspace.points is not None)
    at_work.wait(lambda: window.workspace.focus.detail is not None)
    before = window.workspace.focus.detail
    at_work.tab("Layers")
    _find(at_work, "concept 2 lite2 mammal")
    at_work.wait(lambda: window.workspace.focus.detail is not before)
    detail = window.workspace.focus.detail
    assert (detail.target_model, detail.class_name, detail.concept) == ("Lite2", "mammal", 1)
    assert window.perspective == "concepts"


def test_escape_leaves_everything_as_it_was(at_work: Hands) -> None:
    workspace = at_work.window.workspace
    at_work.wait(lambda: workspace.focus.detail is not None)
    before = workspace.session.snapshot
    at_work.key("Ctrl+K")
    palette = at_work.see(CommandPalette)
    QTest.keyClicks(palette.edit, "swap")
    at_work.key("Esc", palette.edit)
    at_work.gone(CommandPalette)
    assert at_work.window.workspace.session.snapshot == before
