"""What Parallax remembers between sessions: layout, recent projects, colours."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

_MOST_RECENT = 10
SCHEMES = ("system", "light", "dark")


def open_settings() -> QSettings:
    """The settings file of this user, the same kind on every system."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Parallax", "Parallax")


def recent_projects() -> list[Path]:
    """Projects opened lately that are still there, the newest first."""
    return [path for path in _listed() if path.is_file()]


def add_recent(path: Path) -> None:
    """Put a project at the top of the recent ones."""
    path = path.absolute()
    paths = [path, *(other for other in _listed() if other != path)]
    open_settings().setValue("recent", [str(p) for p in paths[:_MOST_RECENT]])


def _listed() -> list[Path]:
    value = open_settings().value("recent")
    if isinstance(value, str):  # a list of one comes back as its entry
        value = [value]
    return [Path(entry) for entry in value or [] if isinstance(entry, str) and entry]


def scheme() -> str:
    """The colour scheme chosen in the View menu."""
    value = str(open_settings().value("scheme", "system"))
    return value if value in SCHEMES else "system"


def set_scheme(name: str) -> None:
    open_settings().setValue("scheme", name)


def save_layout(geometry: QByteArray, state: QByteArray, perspective: str) -> None:
    """Remember the window's place, its panels and the perspective in front."""
    settings = open_settings()
    settings.setValue("geometry", geometry)
    settings.setValue("state", state)
    settings.setValue("perspective", perspective)


def load_layout() -> tuple[QByteArray | None, QByteArray | None]:
    settings = open_settings()
    return _bytes(settings.value("geometry")), _bytes(settings.value("state"))


def forget_layout() -> None:
    settings = open_settings()
    for key in ("geometry", "state", "perspective"):
        settings.remove(key)


def _bytes(value: object) -> QByteArray | None:
    return value if isinstance(value, QByteArray) else None
