"""What an action is, and the facts that decide whether it is possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence


@dataclass(frozen=True)
class Facts:
    """What decides which actions are possible now."""

    project: bool = False
    writable: bool = False
    networks: int = 0  # models that audits can run
    dissected: int = 0  # models whose units are labelled
    selected: int = 0  # models selected
    image: bool = False  # whether an image is in focus
    examples: bool = False  # whether patches that could become a concept are in focus or selected
    image_sets: int = 0
    results: bool = False
    picture: bool = False  # whether an explained picture is in front
    busy: bool = False
    resumable: bool = False
    can_go_back: bool = False
    sliced: bool = False  # whether views are narrowed to a slice of the images
    undo: str = ""  # what would be undone, in words
    redo: str = ""


def always(_facts: Facts) -> bool:
    return True


@dataclass(frozen=True)
class ActionDefinition:
    """One action; `id` is its name for code, settings and tests."""

    id: str
    menu: str
    text: str
    tooltip: str
    shortcut: str | QKeySequence.StandardKey = ""
    enabled_when: Callable[[Facts], bool] = always
    separator_before: bool = False
    checkable: bool = False
    needs: str = ""  # what must be there first, for those who ask too early
    text_when: Callable[[Facts], str] | None = None  # a text that follows the facts
