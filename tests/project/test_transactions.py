"""Threads that read while others write; all or nothing; errors in plain words."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.connections import ReaderPool, connect_reader
from analysis.project.errors import (
    DamagedProjectError,
    ProjectClosedError,
    ProjectInUseError,
    ProjectNotWritableError,
    translate,
    translate_os_error,
)


def add_problem(connection: sqlite3.Connection, subject: str) -> None:
    connection.execute(
        "INSERT INTO problem (run, subject, reason) VALUES (1, ?, 'because')", (subject,)
    )


def add_and_fail(project: Project, subject: str) -> None:
    with project.transaction() as connection:
        add_problem(connection, subject)
        raise InterruptedError


def subjects(project: Project) -> list[str]:
    return [row["subject"] for row in project.rows("SELECT subject FROM problem ORDER BY id")]


def test_readers_see_whole_transactions_only_while_others_write(filled: Project) -> None:
    """Two writers and four readers at once; a transaction always adds a pair."""
    writes, stop = 40, threading.Event()

    def write(name: str) -> None:
        for number in range(writes):
            with filled.transaction() as connection:
                add_problem(connection, f"{name} {number} first")
                add_problem(connection, f"{name} {number} second")

    def read() -> set[int]:
        counts = set()
        while not stop.is_set():
            count = filled.value("SELECT count(*) FROM problem WHERE subject LIKE '%st'")
            other = filled.row(
                "SELECT sum(subject LIKE '%first'), sum(subject LIKE '%second') FROM problem"
            )
            assert other is not None
            assert other[0] == other[1]
            counts.add(count)
        return counts

    with ThreadPoolExecutor(6) as threads:
        readers = [threads.submit(read) for _ in range(4)]
        writers = [threads.submit(write, name) for name in ("one", "two")]
        try:
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    assert len(subjects(filled)) == 1 + 2 * 2 * writes


def test_a_reader_does_not_wait_for_an_open_transaction(filled: Project) -> None:
    with filled.transaction() as connection, ThreadPoolExecutor(1) as other:
        add_problem(connection, "not yet")
        assert other.submit(subjects, filled).result(timeout=30) == ["cat/broken.jpg"]
        assert subjects(filled) == ["cat/broken.jpg", "not yet"]


def test_a_failed_transaction_leaves_nothing(filled: Project) -> None:
    with pytest.raises(InterruptedError):
        add_and_fail(filled, "half")
    assert subjects(filled) == ["cat/broken.jpg"]


def test_an_inner_block_is_undone_alone(filled: Project) -> None:
    with filled.transaction() as outer:
        add_problem(outer, "outer")
        with pytest.raises(InterruptedError):
            add_and_fail(filled, "inner")
        with filled.transaction() as inner:
            add_problem(inner, "second inner")
    assert subjects(filled) == ["cat/broken.jpg", "outer", "second inner"]


def test_connections_do_not_grow_with_threads(filled: Project) -> None:
    connections: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        connections.append(connect_reader(filled.path))
        return connections[-1]

    readers = ReaderPool(filled.path, connect)

    def read() -> None:
        with readers.lend() as connection:
            connection.execute("SELECT count(*) FROM patch").fetchone()

    for _ in range(50):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(connections) == 1
    readers.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("SELECT 1")


def test_closing_interrupts_a_long_query(filled: Project) -> None:
    begun = threading.Event()

    def count_for_ages() -> None:
        with filled.reading() as connection:
            begun.set()
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                " SELECT count(*) FROM n"
            ).fetchone()

    with ThreadPoolExecutor(1) as other:
        result = other.submit(count_for_ages)
        assert begun.wait(30)
        filled.close()
        with pytest.raises(ProjectClosedError):
            result.result(timeout=30)
    assert not filled.path.with_name(filled.path.name + "-wal").exists()


def test_full_project_keeps_what_it_had(filled: Project) -> None:
    """SQLite reports a full disk the same way as a full quota of pages."""
    pages = filled.value("PRAGMA page_count")
    with filled.transaction() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(AuditError, match="disk is full") as caught:
        filled.add_thumbnails((1, 8, 8, b"RIFF\0\0\0\0WEBP" + bytes(200_000)) for _ in range(1))
    assert "still there" in caught.value.hint
    thumbnail = filled.thumbnail(1)
    assert thumbnail is not None
    assert (thumbnail.width, thumbnail.height) == (64, 48)
    filled.rename("goes on")
    assert filled.name == "goes on"


def test_mistakes_in_statements_show_as_mistakes(filled: Project) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        filled.rows("SELECT * FROM no_table")
    with pytest.raises(sqlite3.IntegrityError), filled.transaction() as connection:
        connection.execute("DELETE FROM model WHERE name = 'A'")


def error_of(code: int, message: str = "") -> sqlite3.Error:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "problem", "words"),
    [
        (sqlite3.SQLITE_FULL, AuditError, "disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, AuditError, "disk reported an error"),
        (sqlite3.SQLITE_BUSY, ProjectInUseError, "locked by another program"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, ProjectInUseError, "locked by another program"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, ProjectNotWritableError, "write-protected"),
        (sqlite3.SQLITE_CANTOPEN, AuditError, "could not be opened"),
        (sqlite3.SQLITE_CORRUPT_VTAB, DamagedProjectError, "damaged"),
        (sqlite3.SQLITE_NOTADB, DamagedProjectError, "damaged"),
        (sqlite3.SQLITE_INTERRUPT, ProjectClosedError, "closed"),
        (sqlite3.SQLITE_TOOBIG, AuditError, "too large"),
        (sqlite3.SQLITE_NOMEM, AuditError, "memory"),
    ],
)
def test_every_error_of_the_database_has_words(
    path: Path, code: int, problem: type[AuditError], words: str
) -> None:
    translated = translate(error_of(code), path)
    assert isinstance(translated, problem)
    assert words in translated.summary
    assert path.name in translated.summary


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "disk is full"),
        (PermissionError(13, "Permission denied"), "write-protected"),
        (OSError(30, "Read-only file system"), "write-protected"),
        (FileNotFoundError(2, "No such file"), "could not be found"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_errors_of_the_system_have_words(path: Path, error: OSError, words: str) -> None:
    assert words in translate_os_error(error, path).summary


def test_another_program_that_locks_the_file(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.project.connections.BUSY_SECONDS", 0.01)
    other = sqlite3.connect(closed, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ProjectInUseError, match="locked by another program"):
        Project.open(closed)
    other.execute("ROLLBACK")
    other.close()
    Project.open(closed).close()


def test_entries_of_absurd_size_are_refused(filled: Project) -> None:
    with pytest.raises(AuditError, match="too large"):
        filled.value("SELECT length(zeroblob(100000000) || 'x')")
