"""Is this file a project, whole, and nothing more? Project files are not trusted."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import AuditError
from analysis.project import migrations
from analysis.project.errors import (
    DamagedProjectError,
    NewerProjectError,
    NotAProjectError,
    damaged,
    translate_os_error,
)
from analysis.project.schema import APPLICATION_ID

HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"
# SQLite's own bookkeeping, which a harmless ANALYZE leaves behind.
_OWN_TABLES = frozenset({"sqlite_stat1", "sqlite_stat4", "sqlite_sequence"})


@dataclass(frozen=True)
class Header:
    """What the first 100 bytes of an SQLite file say (https://sqlite.org/fileformat.html, 1.3)."""

    version: int
    application_id: int
    write_ahead: bool  # the file was left in write-ahead mode


def read_header(path: Path) -> Header:
    """Read the header of the file without opening it as a database.

    :raises NotAProjectError: the file is no SQLite file, or not one of Parallax.
    :raises AuditError: there is no such file, or it may not be read.
    """
    if path.is_dir():
        raise NotAProjectError(f"“{path.name}” is a folder, not a project file.")
    try:
        with path.open("rb") as file:
            data = file.read(HEADER_BYTES)
    except FileNotFoundError as error:
        raise AuditError(
            f"There is no project file “{path.name}”.", f"Looked in {path.parent}."
        ) from error
    except PermissionError as error:
        raise AuditError(
            f"“{path.name}” may not be read.", "Ask its owner for permission to read it."
        ) from error
    except OSError as error:
        raise translate_os_error(error, path) from error
    if not data:
        raise NotAProjectError(f"“{path.name}” is empty.", "It is not a Parallax project.")
    if not data.startswith(_MAGIC[: len(data)]):
        raise NotAProjectError(
            f"“{path.name}” is not a Parallax project.", "Choose a file that Parallax wrote."
        )
    if len(data) < HEADER_BYTES:
        raise DamagedProjectError(
            f"“{path.name}” is too short to be a project.", "It may not have been copied whole."
        )
    return Header(
        version=int.from_bytes(data[60:64], "big"),
        application_id=int.from_bytes(data[68:72], "big"),
        write_ahead=data[18:20] == b"\x02\x02",
    )


def check_header(path: Path) -> Header:
    """`read_header`, and refuse what this version of Parallax cannot open.

    :raises NotAProjectError: the file belongs to another program.
    :raises NewerProjectError: it was written by a newer version of Parallax.
    """
    header = read_header(path)
    if header.application_id != APPLICATION_ID:
        raise NotAProjectError(
            f"“{path.name}” is a database of another program, not a Parallax project.",
            "Choose a file that Parallax wrote.",
        )
    check_version(header.version, path)
    return header


def check_version(version: int, path: Path) -> None:
    """Refuse a file that is newer than this Parallax, or that has no version at all."""
    if version > migrations.latest_version():
        raise NewerProjectError(
            f"“{path.name}” needs a newer version of Parallax.",
            f"It is a project of version {version}, this Parallax reads up to"
            f" {migrations.latest_version()}: install the latest Parallax.",
        )
    if version < 1:
        raise damaged(path)


def check_structure(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose tables are not exactly those of its version.

    Triggers and views could change or invent results, and an unexpected default or check runs
    code of the file's author: none of them is ours.

    :raises DamagedProjectError: a table is missing or unreadable.
    :raises NotAProjectError: there is something that Parallax never puts in a project.
    """
    found = _structure(connection)
    expected = expected_structure(migrations.current_version(connection))
    strange = sorted(
        f"{kind} “{name}”"
        for (kind, name), statement in found.items()
        if expected.get((kind, name)) != statement
    )
    if strange:
        raise NotAProjectError(
            f"“{path.name}” holds something that Parallax does not put in a project:"
            f" {', '.join(strange[:5])}{' …' if len(strange) > 5 else ''}.",
            "It was changed by another program and is not opened. Ask for the original file.",
        )
    if len(found) < len(expected):
        raise damaged(path)


def expected_structure(version: int) -> dict[tuple[str, str], str]:
    """(kind, name) → statement of everything a project of `version` holds."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrations.create_tables(connection, version)
        return _structure(connection)
    finally:
        connection.close()


def quick_check(connection: sqlite3.Connection, path: Path) -> None:
    """Read the whole file once and refuse it if its pages are damaged.

    :raises DamagedProjectError: with SQLite's first finding as the cause.
    """
    finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise damaged(path) from sqlite3.DatabaseError(finding)


def _structure(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    structure = {}
    for kind, name, statement in connection.execute("SELECT type, name, sql FROM sqlite_schema"):
        if kind == "table" and name in _OWN_TABLES:
            continue
        if kind == "index" and statement is None and name.startswith("sqlite_autoindex_"):
            continue
        structure[str(kind), str(name)] = " ".join(str(statement).split())
    return structure
