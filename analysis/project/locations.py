"""Where images lie: outside the project, found by relative path first and absolute path second.

A project that travels with its images finds them by the path from its own folder; one that was
moved alone finds them by their absolute path.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_TABLES = ("image_set", "label_plane_source", "concept_set")


def relative_source(source: Path, project: Path) -> str | None:
    """The way from the project file's folder to `source`; None on another drive."""
    try:
        return Path(os.path.relpath(source, project.parent)).as_posix()
    except ValueError:
        return None


def locate_source(source: str, relative: str | None, project: Path) -> Path:
    """The folder or file of an image set, whether it exists or not."""
    if relative is not None:
        beside = Path(os.path.normpath(project.parent / relative))
        if beside.exists():
            return beside
    return Path(source)


def locate_image(root: Path, path: str) -> Path | None:
    """The file of an image; None: it is not there.

    A path that leads out of `root` comes from no scan of ours and is refused.
    """
    inner = Path(path)
    if inner.anchor or ".." in inner.parts:
        return None
    candidate = root / inner
    return candidate if candidate.is_file() else None


def renew_relative_sources(connection: sqlite3.Connection, old: Path, new: Path) -> None:
    """In a copy of the project `old` that is to lie at `new`, lead the relative paths anew."""
    for table in _TABLES:
        sources = connection.execute(
            f"SELECT id, source, source_relative FROM {table} WHERE source IS NOT NULL"
        ).fetchall()
        for entry, source, relative in sources:
            located = locate_source(source, relative, old)
            connection.execute(
                f"UPDATE {table} SET source = ?, source_relative = ? WHERE id = ?",
                (str(located), relative_source(located, new), entry),
            )
