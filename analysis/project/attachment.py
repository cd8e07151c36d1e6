"""How a project file is opened and put to rest: locks, journals, write-protected places."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from analysis.errors import AuditError
from analysis.project import checks, migrations
from analysis.project.connections import ReaderPool, connect_reader, connect_writer
from analysis.project.errors import (
    ProjectInUseError,
    not_writable,
    translate_os_error,
    translated,
)
from analysis.project.locking import ProjectLock
from analysis.project.replacing import journal

# Reading every page of a file this small takes a moment; larger ones are checked on request.
QUICK_CHECK_BYTES = 32 * 2**20

# On POSIX, closing any handle of a file drops the locks that this process holds on it
# (https://sqlite.org/howtocorrupt.html, 2.2): a file that is open here is not read by hand.
_attached: Counter[Path] = Counter()
_attached_guard = threading.Lock()


@dataclass
class Attachment:
    """An open project file and everything that must be put away when it is closed."""

    path: Path
    readers: ReaderPool
    writer: sqlite3.Connection | None = None
    lock: ProjectLock | None = None
    workspace: tempfile.TemporaryDirectory[str] | None = None
    notes: list[str] = field(default_factory=list)

    def close(self, interrupt: bool = True) -> None:
        """Close all connections; one file remains.

        :param interrupt: stop what is being read instead of waiting for it a while.

        If the disk is full, the last changes stay in the file with the ending “-wal” beside the
        project, and are taken over when it is opened the next time.

        :raises AuditError: so it is; the project is closed nevertheless.
        """
        self.readers.close(interrupt)
        try:
            if self.writer is not None:
                _settle(self.writer, self.path)
        finally:
            if self.writer is not None:
                self.writer.close()
            if self.lock is not None:
                self.lock.release()
            if self.workspace is not None:
                self.workspace.cleanup()
            with _attached_guard:
                _attached[self.path] -= 1


def attach_writable(path: Path, quick_check: bool | None, lock: ProjectLock | None) -> Attachment:
    """Open `path` for reading and writing; an older version is migrated.

    :param quick_check: read every page first; None: if the file is small.
    :param lock: the project's lock if the caller holds it already; it is released on failure.
    """
    if lock is None:
        _check_header(path)
        lock = ProjectLock(path)
        lock.acquire()
    try:
        _check_header(path)
        with translated(path):
            writer = connect_writer(path)
            try:
                notes = _prepare_writer(writer, path, quick_check)
            except BaseException:
                writer.close()
                raise
    except BaseException:
        lock.release()
        raise
    with _attached_guard:
        _attached[path] += 1
    readers = ReaderPool(path, lambda: connect_reader(path))
    return Attachment(path, readers, writer, lock, notes=notes)


def attach_read_only(path: Path, quick_check: bool | None) -> Attachment:
    """Open `path` without changing it or anything beside it.

    Where the file cannot be read in place (its last changes are in a journal in a folder that
    may not be written, or it is of an older version), a temporary copy is read.
    """
    _check_header(path)
    workspace = None
    notes: list[str] = []
    try:
        readers = _readers_in_place(path)
        if readers is None:
            workspace = tempfile.TemporaryDirectory(prefix="parallax-")
            readers = _readers_of_copy(path, Path(workspace.name))
        with readers.lend() as connection:
            checks.check_version(migrations.current_version(connection), path)
            checks.check_structure(connection, path)
            if _is_checked(path, quick_check):
                _note_damage(connection, notes)
    except BaseException:
        if workspace is not None:
            workspace.cleanup()
        raise
    with _attached_guard:
        _attached[path] += 1
    return Attachment(path, readers, workspace=workspace, notes=notes)


def _check_header(path: Path) -> None:
    with _attached_guard:
        is_open_here = _attached[path] > 0
    if not is_open_here:
        checks.check_header(path)


def _is_checked(path: Path, quick_check: bool | None) -> bool:
    return path.stat().st_size <= QUICK_CHECK_BYTES if quick_check is None else quick_check


def _note_damage(connection: sqlite3.Connection, notes: list[str]) -> None:
    """A damaged file is still opened read-only, with a warning: what can be seen can be saved."""
    finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        notes.append("Parts of this file are damaged: salvage it into a new project.")


def _prepare_writer(writer: sqlite3.Connection, path: Path, quick_check: bool | None) -> list[str]:
    _require_writable(writer, path)
    # The header may have been from before a crash; a leftover journal is taken over by now.
    checks.check_version(migrations.current_version(writer), path)
    checks.check_structure(writer, path)
    if _is_checked(path, quick_check):
        checks.quick_check(writer, path)
    backup = migrations.migrate(writer, path)
    notes = []
    if backup is not None:
        checks.check_structure(writer, path)
        notes.append(f"The project as an older Parallax wrote it is kept in “{backup.name}”.")
    # Some network drives cannot do it; SQLite then stays with the slower journal, and all holds.
    writer.execute("PRAGMA journal_mode = WAL")
    return notes


def _require_writable(writer: sqlite3.Connection, path: Path) -> None:
    """SQLite opens a write-protected file without a word and fails at the first change."""
    try:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN:
            raise not_writable(path) from error
        raise


def _readers_in_place(path: Path) -> ReaderPool | None:
    """Readers of the file where it lies; None: only a copy of it can be read."""
    readers = ReaderPool(path, lambda: connect_reader(path))
    try:
        version = _version_seen_by(readers)
    except ProjectInUseError:
        raise
    except AuditError:
        if _has_journal(path):
            return None
        readers = ReaderPool(path, lambda: connect_reader(path, immutable=True))
        version = _version_seen_by(readers)
    if version >= migrations.latest_version():
        return readers
    readers.close()
    return None


def _version_seen_by(readers: ReaderPool) -> int:
    with readers.lend() as connection:
        return migrations.current_version(connection)


def _has_journal(path: Path) -> bool:
    return any(
        side.exists() and side.stat().st_size > 0
        for side in (journal(path, "-wal"), journal(path, "-journal"))
    )


def _readers_of_copy(path: Path, folder: Path) -> ReaderPool:
    copy = folder / path.name
    try:
        copy_with_journals(path, copy)
    except OSError as error:
        raise translate_os_error(error, copy) from error
    with translated(path):
        writer = connect_writer(copy)
        try:
            checks.check_version(migrations.current_version(writer), path)
            checks.check_structure(writer, path)
            migrations.migrate(writer, copy)
            writer.execute("PRAGMA journal_mode = DELETE")
        finally:
            writer.close()
    return ReaderPool(path, lambda: connect_reader(copy))


def copy_with_journals(path: Path, copy: Path) -> None:
    """Copy a project file that nobody has open, with the changes that still wait beside it."""
    shutil.copyfile(path, copy)
    for ending in ("-wal", "-journal"):
        if journal(path, ending).exists():
            shutil.copyfile(journal(path, ending), journal(copy, ending))


def _settle(writer: sqlite3.Connection, path: Path) -> None:
    """Bring all changes into the one file, and remove the files beside it."""
    try:
        with translated(path):
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            writer.execute("PRAGMA journal_mode = DELETE")
    except ProjectInUseError:
        # A read-only window still looks at it: its files go when the next writer closes.
        return
