"""A project file that is open: reading from any thread, writing one at a time, saving, closing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from analysis import __version__
from analysis.errors import AuditError
from analysis.project import migrations
from analysis.project.attachment import Attachment, attach_read_only, attach_writable
from analysis.project.connections import ReaderPool, atomic, connect_writer
from analysis.project.errors import ProjectClosedError, ProjectNotWritableError, translated
from analysis.project.locations import renew_relative_sources
from analysis.project.locking import ProjectLock
from analysis.project.replacing import replacing
from analysis.project.saving import write_copy
from analysis.project.values import now

Parameters = Sequence[Any] | Mapping[str, Any]


class ProjectFile:
    """One open project file; made by `create` and `open`, safe to use from any thread.

    While it is open, reading never waits for writing. When it is closed, one file remains.
    """

    def __init__(self, attachment: Attachment) -> None:
        self._attachment = attachment
        self._writing = threading.RLock()
        self._writing_thread: int | None = None
        self._closed = False

    @classmethod
    def create(cls, path: Path | str, name: str | None = None) -> Self:
        """Write a new, empty project and open it.

        :param name: its title; without one, the file's name.
        :raises AuditError: there is a file of that name already, or the folder cannot be written.
        """
        path = Path(path).resolve()
        if not path.parent.is_dir():
            raise AuditError(f"There is no folder “{path.parent}”.", "Choose another folder.")
        lock = ProjectLock(path)
        lock.acquire()
        try:
            if path.exists():
                raise AuditError(
                    f"“{path.name}” exists already.", "Open it, or choose another name."
                )
            _write_empty(path, name or path.stem)
        except BaseException:
            lock.release()
            raise
        return cls(attach_writable(path, quick_check=False, lock=lock))

    @classmethod
    def open(
        cls, path: Path | str, read_only: bool = False, quick_check: bool | None = None
    ) -> Self:
        """Open a project file.

        A run that was under way when Parallax ended is set to “cancelled”; it can be resumed.

        :param read_only: change nothing, and need no right to; anybody may write meanwhile.
        :param quick_check: read every page first; None: if the file is small. Read-only, damage
            found is a note instead of an error.
        :raises NotAProjectError, NewerProjectError, DamagedProjectError: it cannot be opened.
        :raises ProjectInUseError, ProjectNotWritableError: it can be opened, but read-only.
        """
        path = Path(path).resolve()
        if read_only:
            return cls(attach_read_only(path, quick_check))
        project = cls(attach_writable(path, quick_check, lock=None))
        try:
            project._settle_interrupted_runs()
        except BaseException:
            project.close()
            raise
        return project

    def close(self) -> None:
        """Close the file; harmless if it is closed. Reading threads are interrupted.

        :raises AuditError: the last changes had to stay in a second file beside the project.
        """
        with self._writing:
            if self._closed:
                return
            self._closed = True
            self._attachment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """Where the file lies: absolute, links followed."""
        return self._attachment.path

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed."""
        return self._attachment.writer is None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about how the file was opened, in sentences."""
        return tuple(self._attachment.notes)

    @property
    def name(self) -> str:
        """The project's title."""
        return str(self.value("SELECT name FROM project"))

    def rename(self, name: str) -> None:
        """Give the project another title."""
        with self.transaction() as connection:
            connection.execute("UPDATE project SET name = ?", (name,))

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading alone, the block's own; a transaction's own in `transaction`.

        Use it to read long results row by row.
        """
        if self._writing_thread == threading.get_ident():
            with translated(self.path):
                yield self._require_writer()
            return
        with translated(self.path):
            readers, connection = self._take_reader()
            try:
                yield connection
            finally:
                readers.give_back(connection)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows that `sql` selects."""
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row that `sql` selects, or None."""
        with self.reading() as connection:
            row: sqlite3.Row | None = connection.execute(sql, parameters).fetchone()
            return row

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row that `sql` selects, or None."""
        row = self.row(sql, parameters)
        return None if row is None else row[0]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection; the block's changes are made together or not at all.

        A block inside another is undone alone if it fails. Other writing threads wait.

        :raises ProjectNotWritableError: the project was opened read-only.
        """
        with self._writing:
            connection = self._require_writer()
            outer = self._writing_thread
            self._writing_thread = threading.get_ident()
            try:
                with translated(self.path), atomic(connection):
                    yield connection
            finally:
                self._writing_thread = outer

    def save_copy(self, path: Path | str) -> None:
        """Write the project, compacted, to another file; this one stays open.

        Running audits go on meanwhile; what they finish later is not in the copy.

        :raises AuditError: nothing was changed: the disk is full, the folder is write-protected,
            or the other file is open.
        """
        target = Path(path).resolve()
        if target == self.path:
            raise AuditError("A copy needs another name than the project itself.")
        lock = ProjectLock(target)
        lock.acquire()
        try:
            self._write_to(target)
        finally:
            lock.release()

    def save_as(self, path: Path | str) -> None:
        """Write the project to another file and go on with that one, which can be written.

        Writing threads wait meanwhile; the old file stays as it is.

        :raises AuditError: as `save_copy`; the project goes on with its old file.
        """
        target = Path(path).resolve()
        with self._writing:
            if self._writing_thread is not None:
                raise RuntimeError("a project cannot be saved in the middle of a transaction")
            if target == self.path and not self.read_only:
                return
            lock = ProjectLock(target)
            lock.acquire()
            try:
                self._write_to(target)
            except BaseException:
                lock.release()
                raise
            attachment = attach_writable(target, quick_check=False, lock=lock)
            self._attachment, old = attachment, self._attachment
            old.close(interrupt=False)

    def _write_to(self, target: Path) -> None:
        with self._attachment.readers.lend() as source:
            write_copy(source, target, lambda copy: renew_relative_sources(copy, self.path, target))

    def _take_reader(self) -> tuple[ReaderPool, sqlite3.Connection]:
        while True:
            readers = self._attachment.readers
            try:
                return readers, readers.take()
            except ProjectClosedError:
                # Unless it was closed for the new file of `save_as`, it is closed.
                if self._attachment.readers is readers:
                    raise

    def _require_writer(self) -> sqlite3.Connection:
        if self._closed:
            raise ProjectClosedError(f"“{self.path.name}” is closed.", "Open the project again.")
        if self._attachment.writer is None:
            raise ProjectNotWritableError(
                f"“{self.path.name}” is open read-only.", "Save it as another file to change it."
            )
        return self._attachment.writer

    def _settle_interrupted_runs(self) -> None:
        """No run can be under way in a file that was just opened."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE run SET state = 'cancelled', finished = ?, message ="
                " 'Parallax ended before the run did. Resume it to do what is left.'"
                " WHERE state = 'running'",
                (now(),),
            )
            connection.execute("UPDATE work_unit SET state = 'pending' WHERE state = 'running'")


def _write_empty(path: Path, name: str) -> None:
    with replacing(path) as unfinished, translated(path):
        # Made beforehand because `connect_writer` opens files that exist and makes none.
        unfinished.touch(exist_ok=False)
        connection = connect_writer(unfinished)
        try:
            migrations.create_tables(connection)
            connection.execute(
                "INSERT INTO project (id, name, created, version_created) VALUES (1, ?, ?, ?)",
                (name, now(), __version__),
            )
        finally:
            connection.close()
