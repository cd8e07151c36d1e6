"""What Parallax remembers between sessions: layout, recent projects, colours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

_MOST_RECENT = 10
_LONGEST_SUMMARY = 200
_LARGEST_SIZE = 100_000
SCHEMES = ("system", "light", "dark")


def open_settings() -> QSettings:
    """The settings file of this user, the same kind on every system."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Parallax", "Parallax")


def listed_projects() -> list[Path]:
    """Projects opened lately, also those that are no longer where they were."""
    value = open_settings().value("recent")
    if isinstance(value, str):  # a list of one comes back as its entry
        value = [value]
    return [Path(entry) for entry in value or [] if isinstance(entry, str) and entry]


def add_recent(path: Path, summary: str = "") -> None:
    """Put a project at the top of the recent ones, with what it holds in a few words."""
    path = path.absolute()
    paths = [path, *(other for other in listed_projects() if other != path)][:_MOST_RECENT]
    summaries = {**recent_summaries(), str(path): summary}
    _write_recent(paths, summaries)


def remove_recent(path: Path) -> None:
    """Take a project off the recent ones; the file, if there is one, stays."""
    _write_recent([other for other in listed_projects() if other != path], recent_summaries())


def recent_summaries() -> dict[str, str]:
    """What the recent projects held when they were open last, by their paths."""
    found = _read_json("recent_summaries")
    return {path: text for path, text in found.items() if isinstance(text, str)}


def _write_recent(paths: list[Path], summaries: Mapping[str, str]) -> None:
    names = [str(path) for path in paths]
    settings = open_settings()
    settings.setValue("recent", names)
    kept = {name: summaries[name][:_LONGEST_SUMMARY] for name in names if summaries.get(name)}
    settings.setValue("recent_summaries", json.dumps(kept))


def scheme() -> str:
    """The colour scheme chosen in the View menu."""
    value = str(open_settings().value("scheme", "system"))
    return value if value in SCHEMES else "system"


def set_scheme(name: str) -> None:
    open_settings().setValue("scheme", name)


def save_layout(
    geometry: QByteArray,
    state: QByteArray,
    perspective: str,
    panels: Mapping[str, QByteArray],
    dividers: Mapping[str, list[int]],
) -> None:
    """Remember the window's place, the perspective in front, and the panels and dividers of each.

    In one go, as the file is written whole and waited for each time.
    """
    settings = open_settings()
    settings.setValue("geometry", geometry)
    settings.setValue("state", state)
    settings.setValue("perspective", perspective)
    settings.remove("panels")
    for name, arrangement in panels.items():
        settings.setValue(f"panels/{name}", arrangement)
    settings.setValue("dividers", json.dumps(dividers))


def load_layout() -> tuple[QByteArray | None, QByteArray | None]:
    settings = open_settings()
    return _bytes(settings.value("geometry")), _bytes(settings.value("state"))


def load_panels() -> dict[str, QByteArray]:
    settings = open_settings()
    settings.beginGroup("panels")
    found = {key: _bytes(settings.value(key)) for key in settings.childKeys()}
    return {key: state for key, state in found.items() if state is not None}


def load_dividers() -> dict[str, list[int]]:
    return {
        key: sizes
        for key, sizes in _read_json("dividers").items()
        if isinstance(sizes, list) and all(_is_size(size) for size in sizes)
    }


def _is_size(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= _LARGEST_SIZE


def forget_layout() -> None:
    settings = open_settings()
    for key in ("geometry", "state", "perspective", "panels", "dividers"):
        settings.remove(key)


def tour_step() -> int:
    """The step at which the tour was left; 0 at its beginning."""
    value = open_settings().value("tour_step", 0)
    try:
        return max(0, int(value))  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return 0


def set_tour_step(step: int) -> None:
    open_settings().setValue("tour_step", step)


def _bytes(value: object) -> QByteArray | None:
    return value if isinstance(value, QByteArray) else None


def _read_json(key: str) -> dict[str, Any]:
    """A table of settings; empty if somebody has written something else there."""
    text = open_settings().value(key)
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
