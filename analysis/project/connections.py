"""Connections to a project file: hardened, and lent to one thread at a time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.project.errors import ProjectClosedError, translated

BUSY_SECONDS = 5.0
# No entry of a project comes near it: arrays and their chunks are cut at 4 MiB.
MAXIMUM_ENTRY_BYTES = 64 * 2**20
_IDLE_READERS = 4
_CLOSING_SECONDS = 5.0
_INTERRUPT_SECONDS = 0.05


def connect_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes; in autocommit, transactions are begun by hand."""
    connection = _connect(path, "mode=rw")
    # The last commit survives a power cut too: judgements of a person are not lost.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def connect_reader(path: Path, immutable: bool = False) -> sqlite3.Connection:
    """A connection that only reads.

    :param immutable: the file cannot change while it is open (write-protected medium): neither
        locks nor files beside it are needed.
    """
    connection = _connect(path, "mode=ro&immutable=1" if immutable else "mode=ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        harden(connection)
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


def harden(connection: sqlite3.Connection) -> None:
    """Settings for a file that a stranger may have written (https://sqlite.org/security.html)."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAXIMUM_ENTRY_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA foreign_keys = ON")


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the body's changes or none; inside another such block, undone alone if it fails."""
    nested = connection.in_transaction
    connection.execute("SAVEPOINT step" if nested else "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("RELEASE step" if nested else "COMMIT")
    except BaseException:
        # A full disk may have made SQLite roll back by itself.
        if connection.in_transaction:
            if nested:
                connection.execute("ROLLBACK TO step")
                connection.execute("RELEASE step")
            else:
                connection.execute("ROLLBACK")
        raise


class ReaderPool:
    """Reading connections; each belongs to one thread from `lend` until the block ends.

    Threads come and go (each slot call of a QThread is a new one to Python), so connections are
    not tied to threads: a returned one serves the next thread, and none is left behind.
    """

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._idle: list[sqlite3.Connection] = []
        self._lent: set[sqlite3.Connection] = set()
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection for the block, with SQLite's errors translated; see `take`."""
        with translated(self._path):
            connection = self.take()
            try:
                yield connection
            finally:
                self.give_back(connection)

    def take(self) -> sqlite3.Connection:
        """A connection that is the caller's own until `give_back`.

        :raises ProjectClosedError: the pool is closed.
        """
        with self._changed:
            if self._closed:
                raise ProjectClosedError(
                    f"“{self._path.name}” is closed.", "Open the project again."
                )
            connection = self._idle.pop() if self._idle else self._connect()
            self._lent.add(connection)
            return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Return what `take` gave."""
        with self._changed:
            self._lent.discard(connection)
            if self._closed or len(self._idle) >= _IDLE_READERS:
                connection.close()
            else:
                self._idle.append(connection)
            self._changed.notify_all()

    def close(self, interrupt: bool = True) -> None:
        """Close every connection, once the threads that read have finished.

        :param interrupt: end what they read; it raises `ProjectClosedError` there.
        """
        with self._changed:
            self._closed = True
            deadline = time.monotonic() + _CLOSING_SECONDS
            while self._lent and time.monotonic() < deadline:
                # Again and again: an interruption just before a query begins has no effect.
                for connection in self._lent if interrupt else ():
                    connection.interrupt()
                self._changed.wait(_INTERRUPT_SECONDS)
            # One still lent is closed by its thread, when it gives it back.
            while self._idle:
                self._idle.pop().close()
