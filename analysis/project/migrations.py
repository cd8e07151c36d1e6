"""From one version of the project file to the next: an append-only list, applied in one go.

To change the tables: append a `Migration` to `MIGRATIONS` (never edit one that was released), add
a fixture of the version before under tests/project/fixtures, and let the tests read it. Prefer
CREATE TABLE, CREATE INDEX and ADD COLUMN: `checks.check_structure` compares each statement with
what this list produces, and SQLite rewrites those three the same way in every release.

Before anything is changed the file is copied to `NAME.version-N.parallax` beside it. The copy
stays, also after success: a project that was migrated no longer opens in the older Parallax, its
copy does. A copy that is already there is never overwritten; a number is added to the name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import AuditError
from analysis.project.errors import damaged, translated
from analysis.project.replacing import replacing
from analysis.project.schema import APPLICATION_ID, PAGE_SIZE
from analysis.project.schema_version_1 import VERSION_1
from analysis.project.schema_version_2 import VERSION_2
from analysis.project.schema_version_3 import VERSION_3
from analysis.project.schema_version_4 import VERSION_4
from analysis.project.schema_version_5 import VERSION_5
from analysis.project.schema_version_6 import VERSION_6


@dataclass(frozen=True)
class Migration:
    """The step to `version` from the one before.

    :param apply: changes tables and rows; it runs inside a transaction with foreign keys off.
    """

    version: int
    description: str
    apply: Callable[[sqlite3.Connection], None]


def execute_all(statements: Iterable[str]) -> Callable[[sqlite3.Connection], None]:
    """A migration step that executes `statements` in their order."""
    fixed = tuple(statements)

    def apply(connection: sqlite3.Connection) -> None:
        for statement in fixed:
            connection.execute(statement)

    return apply


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "first version", execute_all(VERSION_1)),
    Migration(2, "dissection, embedding and performance", execute_all(VERSION_2)),
    Migration(3, "saliency and faithfulness", execute_all(VERSION_3)),
    Migration(4, "concepts given by examples and semantic similarity", execute_all(VERSION_4)),
    Migration(5, "findings, slices and composed reports", execute_all(VERSION_5)),
    Migration(6, "the doubt of every measure of layers", execute_all(VERSION_6)),
)


def latest_version() -> int:
    """The version of project files that this Parallax writes."""
    return MIGRATIONS[-1].version


def create_tables(connection: sqlite3.Connection, version: int | None = None) -> None:
    """Give the new, empty database of `connection` (in autocommit) the tables of a version."""
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    _apply(connection, 0, latest_version() if version is None else version)
    connection.execute("COMMIT")
    connection.execute("PRAGMA foreign_keys = ON")


def migrate(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Bring the project file `path` to the latest version; return the copy of the file as it was.

    `connection` is the only one to the file and in autocommit; the caller holds the project's
    lock. None: there was nothing to do. If anything fails the file is as it was before.

    :raises AuditError: a step failed, or there is no space for the copy.
    """
    version = current_version(connection)
    if version >= latest_version():
        return None
    with translated(path):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    backup = _back_up(connection, path, version)
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.execute("BEGIN EXCLUSIVE")
        _apply(connection, version, latest_version())
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise AuditError("entries would refer to others that are not there.")
        connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise AuditError(
            f"“{path.name}” could not be brought to this version of Parallax: {error}",
            f"The file is unchanged, and a copy of it is in “{backup.name}”.",
        ) from error
    finally:
        connection.execute("PRAGMA foreign_keys = ON")
    return backup


def current_version(connection: sqlite3.Connection) -> int:
    """The version that the open file says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _apply(connection: sqlite3.Connection, since: int, until: int) -> None:
    for migration in MIGRATIONS:
        if since < migration.version <= until:
            migration.apply(connection)
            connection.execute(f"PRAGMA user_version = {migration.version}")


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    backup = _free_name(path, version)
    with replacing(backup) as unfinished, translated(backup):
        copy = sqlite3.connect(unfinished, isolation_level=None)
        try:
            connection.backup(copy)
            if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise damaged(path)
        finally:
            copy.close()
    return backup


def _free_name(path: Path, version: int) -> Path:
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        candidate = path.with_name(f"{path.stem}.version-{version}{suffix}{path.suffix}")
        if not candidate.exists():
            return candidate
        number += 1
