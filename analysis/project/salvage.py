"""What can still be read of a damaged project file, table by table, in a new file.

The damaged file is only read, and a copy of it mended as far as SQLite needs: see `walking` for
how rows are found around damaged pages, `first_page` for a file whose header is lost. Rows that
break the rules of their table are dropped, arrays must match their checksum, and what others refer
to gets a stand-in, so that one lost row of `model` does not cost its results.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import __version__
from analysis.errors import AuditError
from analysis.project import arrays, checks, migrations
from analysis.project.attachment import copy_with_journals
from analysis.project.checks import quick_check
from analysis.project.connections import connect_writer, harden
from analysis.project.errors import (
    DamagedProjectError,
    NotAProjectError,
    ProjectNotWritableError,
    translate_os_error,
    translated,
)
from analysis.project.first_page import correct_page_count, restore_first_page
from analysis.project.locking import ProjectLock
from analysis.project.replacing import replacing
from analysis.project.schema import APPLICATION_ID
from analysis.project.values import now
from analysis.project.walking import TableWalk

# What results refer to: if such a row is lost, a stand-in keeps everything that names it.
_STAND_INS = {
    ("image_set", "id"): "INSERT INTO image_set (id, name, source, kind, created)"
    " VALUES (:key, 'lost image set ' || :key, '', 'lost', :now)",
    ("image", "id"): "INSERT INTO image (id, image_set, path)"
    " SELECT :key, min(id), 'lost image ' || :key FROM image_set",
    ("model", "name"): "INSERT INTO model (name, specification, created, position)"
    " SELECT :key, 'lost', :now, coalesce(max(position) + 1, 0) FROM model",
    ("run", "id"): "INSERT INTO run (id, audit, name, parameters, state, created)"
    " VALUES (:key, 'lost', 'lost run ' || :key, '{}', 'cancelled', :now)",
}


@dataclass(frozen=True)
class TableSalvage:
    """What became of a table.

    :ivar recovered: rows in the new file.
    :ivar lost: at most so many rows could not be read (the numbers between those that could).
    :ivar end_lost: the table's last page could not be read; more may have been on it.
    :ivar dropped: rows that were read, but made no sense or belonged to nothing any more.
    """

    table: str
    recovered: int
    lost: int
    end_lost: bool
    dropped: int

    @property
    def complete(self) -> bool:
        """Whether nothing was lost."""
        return not (self.lost or self.end_lost or self.dropped)


@dataclass(frozen=True)
class SalvageReport:
    """What was brought over from a damaged file."""

    tables: tuple[TableSalvage, ...]
    lost_arrays: tuple[str, ...]  # “run/name” of arrays with missing or changed parts
    first_page_restored: bool

    @property
    def complete(self) -> bool:
        """Whether nothing was lost."""
        return all(table.complete for table in self.tables) and not self.lost_arrays

    @property
    def summary(self) -> str:
        """What a person should know, in a sentence."""
        recovered = sum(table.recovered for table in self.tables)
        if self.complete:
            return f"All {recovered} rows could be read."
        lost = [
            f"{t.table} ({t.lost + t.dropped}{' and its end' if t.end_lost else ''})"
            for t in self.tables
            if not t.complete
        ]
        parts = [f"{recovered} rows could be read."]
        if lost:
            parts.append(f"Lost at most: {', '.join(lost)}.")
        if self.lost_arrays:
            parts.append(f"{len(self.lost_arrays)} arrays were lost.")
        return " ".join(parts)


def salvage(damaged: Path | str, into: Path | str) -> SalvageReport:
    """Bring what can be read of the project file `damaged` into the new project `into`.

    :raises AuditError: nothing can be read, the file is open, `into` exists or cannot be written.
    """
    damaged, into = Path(damaged).resolve(), Path(into).resolve()
    if into.exists():
        raise AuditError(f"“{into.name}” exists already.", "Choose another name.")
    with _kept_from_writers(damaged), tempfile.TemporaryDirectory(prefix="parallax-") as folder:
        copy = Path(folder) / "damaged.parallax"
        try:
            copy_with_journals(damaged, copy)
        except OSError as error:
            raise translate_os_error(error, damaged) from error
        return _salvage_copy(copy, damaged, into)


@contextmanager
def _kept_from_writers(damaged: Path) -> Iterator[None]:
    lock = ProjectLock(damaged)
    # Where no lock can be written, nobody writes a project either.
    with suppress(ProjectNotWritableError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _salvage_copy(copy: Path, damaged: Path, into: Path) -> SalvageReport:
    restored = not _has_readable_catalogue(copy)
    if restored and not restore_first_page(copy):
        raise NotAProjectError(
            f"Nothing could be read of “{damaged.name}”.",
            "It is no Parallax project, or hardly anything of it is left.",
        )
    with replacing(into) as unfinished, translated(into):
        unfinished.touch()
        with closing(_connect(copy)) as source, closing(connect_writer(unfinished)) as target:
            target.row_factory = None
            migrations.create_tables(target, migrations.current_version(source))
            target.execute("PRAGMA foreign_keys = OFF")
            target.execute("BEGIN")
            report = _transfer(source, target, damaged.stem, restored)
            target.execute("COMMIT")
            quick_check(target, into)
    return report


def _has_readable_catalogue(copy: Path) -> bool:
    """Whether the tables of the file can be found.

    :raises NotAProjectError, NewerProjectError: the file was whole, but is not for us.
    """
    try:
        header = checks.read_header(copy)
    except (NotAProjectError, DamagedProjectError):
        return False
    if header.application_id != APPLICATION_ID or header.version > migrations.latest_version():
        checks.check_header(copy)
    correct_page_count(copy)
    try:
        with closing(connect_writer(copy)) as connection, translated(copy):
            connection.execute("PRAGMA journal_mode = DELETE")
            checks.check_structure(connection, copy)
    except (AuditError, sqlite3.Error):
        return False
    return True


def _connect(copy: Path) -> sqlite3.Connection:
    """A connection that hands out texts as bytes: damaged ones must not stop it."""
    connection = sqlite3.connect(copy, isolation_level=None)
    harden(connection)
    connection.text_factory = bytes
    return connection


def _transfer(
    source: sqlite3.Connection, target: sqlite3.Connection, title: str, restored: bool
) -> SalvageReport:
    version = migrations.current_version(source)
    tables = [name for kind, name in checks.expected_structure(version) if kind == "table"]
    walks = {}
    dropped = {}
    for table in tables:
        walks[table], dropped[table] = _transfer_table(source, target, table)
    target.execute(
        "INSERT OR IGNORE INTO project (id, name, created, version_created) VALUES (1, ?, ?, ?)",
        (title, now(), __version__),
    )
    _add_stand_ins(target)
    for table, count in _drop_orphans(target).items():
        dropped[table] += count
    lost_arrays = _drop_broken_arrays(target)
    report = SalvageReport(
        tuple(
            TableSalvage(
                table,
                target.execute(f"SELECT count(*) FROM {table}").fetchone()[0],
                walks[table].lost,
                walks[table].end_lost,
                dropped[table],
            )
            for table in tables
        ),
        lost_arrays,
        restored,
    )
    if not report.complete:
        target.execute(
            "UPDATE run SET message ="
            " 'Salvaged from a damaged file: some of its results may be missing.'"
        )
    return report


def _transfer_table(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str
) -> tuple[TableWalk, int]:
    """Copy the rows of a table; return the walk and how many rows made no sense."""
    described = target.execute(f"PRAGMA table_info({table})").fetchall()
    columns = [name for _, name, *_ in described]
    texts = [kind == "TEXT" for _, _, kind, *_ in described]
    names = ", ".join(f'"{column}"' for column in columns)
    insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    walk = TableWalk(source, table, columns)
    dropped = 0
    for _, *values in walk.rows():
        try:
            target.execute(insert, [_decoded(*pair) for pair in zip(values, texts, strict=True)])
        except (sqlite3.IntegrityError, UnicodeDecodeError):
            dropped += 1
    return walk, dropped


def _decoded(value: Any, is_text: bool) -> Any:
    return value.decode() if is_text and isinstance(value, bytes) else value


def _add_stand_ins(target: sqlite3.Connection) -> None:
    """Add a row for each lost one that others refer to, so that those can stay."""
    for (parent, key), statement in _STAND_INS.items():
        for table, column in _references(target, parent):
            missing = target.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
                f" AND {column} NOT IN (SELECT {key} FROM {parent})"
            ).fetchall()
            for (lost,) in missing:
                if parent == "image":
                    _require_image_set(target)
                target.execute(statement, {"key": lost, "now": now()})


def _references(connection: sqlite3.Connection, parent: str) -> list[tuple[str, str]]:
    """(table, column) of everything that refers to a table."""
    return connection.execute(
        'SELECT child.name, reference."from" FROM sqlite_schema AS child,'
        " pragma_foreign_key_list(child.name) AS reference"
        " WHERE child.type = 'table' AND reference.\"table\" = ?",
        (parent,),
    ).fetchall()


def _require_image_set(target: sqlite3.Connection) -> None:
    if target.execute("SELECT 1 FROM image_set").fetchone() is None:
        target.execute(_STAND_INS["image_set", "id"], {"key": 1, "now": now()})


def _drop_orphans(target: sqlite3.Connection) -> dict[str, int]:
    """Remove rows that belong to something that is not there; table → how many."""
    dropped: dict[str, int] = {}
    while orphans := set(target.execute("PRAGMA foreign_key_check").fetchall()):
        for table, rowid in {(table, rowid) for table, rowid, *_ in orphans}:
            target.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
            dropped[table] = dropped.get(table, 0) + 1
    return dropped


def _drop_broken_arrays(target: sqlite3.Connection) -> tuple[str, ...]:
    """Remove arrays whose parts are missing or changed; return their names."""
    lost = []
    for array_id, run, name in target.execute("SELECT id, run, name FROM array").fetchall():
        try:
            arrays.read_array(target, run, name)
        except AuditError:
            target.execute("DELETE FROM array_chunk WHERE array = ?", (array_id,))
            target.execute("DELETE FROM array WHERE id = ?", (array_id,))
            lost.append(f"{run}/{name}")
    return tuple(lost)
