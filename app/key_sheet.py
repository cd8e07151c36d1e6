"""Every key that does something, in groups: of the actions, and inside plots, grids and tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence

from app.actions import ActionRegistry, plain_text
from app.window_docks import DOCKS


@dataclass(frozen=True)
class KeyLine:
    """One line of the sheet; `action` is the id of what can be done from there, if anything."""

    group: str
    text: str
    keys: str
    action: str = ""
    about: str = ""


PLACES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Everywhere",
        (
            ("Tab, Shift+Tab", "Go to the next control, or to the one before"),
            ("Left, Right", "On the row of perspectives: the one beside"),
            ("Alt+letter", "Open the menu with the underlined letter"),
            ("Shift+F10", "Open the menu of what has the focus"),
        ),
    ),
    (
        "In plots",
        (
            ("Arrow keys", "Walk from mark to mark"),
            ("Shift+Arrow keys", "Walk and add to the selection"),
            ("Enter", "Open what the mark stands for"),
            ("Space", "Add the mark to the selection, or take it away"),
            ("Ctrl+A", "Select every mark"),
            ("Escape", "Select nothing"),
            ("+, −", "Zoom in and out"),
            ("Home", "Show everything"),
            ("Ctrl+Arrow keys", "Turn a plot of three components"),
        ),
    ),
    (
        "In heatmaps",
        (
            ("Arrow keys", "Walk from cell to cell"),
            ("Enter", "Open the cell"),
            ("+, −", "Zoom in and out"),
            ("Home", "Show everything"),
        ),
    ),
    (
        "In bars",
        (
            ("Up, Down", "Walk from row to row; with Shift, select them"),
            ("Page Up, Page Down", "Walk by a page"),
            ("Home, End", "Go to the first row, or to the last"),
            ("Space", "Add the row to the selection, or take it away"),
            ("Enter", "Open the row"),
            ("Escape", "Select nothing"),
        ),
    ),
    (
        "In grids of pictures",
        (
            ("Arrow keys", "Walk from picture to picture"),
            ("Space, Enter", "Show the picture large"),
            ("+, −", "Larger or smaller pictures, where they do not fill the room anyway"),
            ("Home, End", "Go to the first picture, or to the last"),
        ),
    ),
    (
        "In the grid of saliency maps",
        (
            ("Arrow keys", "Walk and select; with Shift add, with Ctrl only walk"),
            ("Space", "Add the map to the selection, or take it away"),
            ("Enter", "Show the map large"),
            ("Escape", "Select nothing"),
            ("+, −", "Larger or smaller maps"),
            ("Home, End", "Go to the first map of the row, or to the last"),
        ),
    ),
    (
        "In the large picture",
        (
            ("Arrow keys", "The next picture, or the one before"),
            ("+, −", "Zoom in and out"),
            ("0", "The whole picture"),
            ("Space, Escape", "Close it"),
        ),
    ),
    (
        "In tables and lists",
        (
            ("Up, Down", "Walk from row to row"),
            ("Enter", "Open the row"),
            ("Ctrl+C", "Copy the selected rows"),
            ("Delete", "In the list of recent projects: take a project off the list"),
        ),
    ),
    (
        "In the list of findings",
        (
            ("Up, Down", "Walk from finding to finding; with Shift, select them"),
            ("Enter", "Show the view in which it was recorded"),
            ("F2", "Edit the finding"),
            ("Delete", "Remove the selected findings; Undo brings them back"),
            ("Ctrl+Enter", "In the dialog of a finding: done"),
        ),
    ),
)


def key_lines(registry: ActionRegistry, panels: Iterable[QAction] = ()) -> tuple[KeyLine, ...]:
    """The whole sheet: actions by menu, panels, then what works inside plots and grids."""
    lines = []
    for definition in registry.definitions():
        keys = _shown(registry[definition.id].shortcut())
        group, text = plain_text(definition.menu), plain_text(definition.text)
        lines.append(KeyLine(group, text, keys, definition.id, definition.tooltip))
    panel_keys = {action.text(): _shown(action.shortcut()) for action in panels}
    for dock in DOCKS:
        text = f"Panel: {dock.title}"
        keys = panel_keys.get(text) or _shown(QKeySequence(dock.keys))
        lines.append(KeyLine("Panels", f"Show or hide the panel {dock.title}", keys))
    for place, entries in PLACES:
        lines += [KeyLine(place, text, keys) for keys, text in entries]
    return tuple(lines)


def found_lines(lines: Iterable[KeyLine], words: str) -> tuple[KeyLine, ...]:
    """Lines in which every word occurs, in their text, their keys or their group."""
    wanted = words.casefold().split()
    return tuple(
        line
        for line in lines
        if all(w in f"{line.group} {line.text} {line.keys}".casefold() for w in wanted)
    )


def _shown(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
