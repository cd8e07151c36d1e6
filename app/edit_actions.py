"""Actions of the Edit menu, and those on findings."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence

from app.actions import ActionDefinition, Facts


def _with_project(facts: Facts) -> bool:
    return facts.project


def _writable(facts: Facts) -> bool:
    return facts.project and facts.writable


def _can_undo(facts: Facts) -> bool:
    return bool(facts.undo)


def _can_redo(facts: Facts) -> bool:
    return bool(facts.redo)


def _undo_text(facts: Facts) -> str:
    return f"&Undo: {facts.undo}" if facts.undo else "&Undo"


def _redo_text(facts: Facts) -> str:
    return f"&Redo: {facts.redo}" if facts.redo else "&Redo"


EDIT_DEFINITIONS: tuple[ActionDefinition, ...] = (
    ActionDefinition(
        "undo",
        "&Edit",
        "&Undo",
        "Take back the last change of a finding, a name or a slice",
        QKeySequence.StandardKey.Undo,
        _can_undo,
        text_when=_undo_text,
    ),
    ActionDefinition(
        "redo",
        "&Edit",
        "&Redo",
        "Make the change again that was taken back last",
        QKeySequence.StandardKey.Redo,
        _can_redo,
        text_when=_redo_text,
    ),
    ActionDefinition(
        "record-finding",
        "&Edit",
        "Record &finding…",
        "Write down what you have found here, with a picture and the way back to it",
        "Ctrl+Shift+A",
        _writable,
        separator_before=True,
        needs="Open a project that is not read-only first.",
    ),
    ActionDefinition(
        "show-findings",
        "&Edit",
        "&Show the findings",
        "Bring the list of findings to the front",
        "Ctrl+Shift+J",
        _with_project,
        needs="Open a project first.",
    ),
)
