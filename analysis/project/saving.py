"""Save a copy: compacted, checked, and complete before it takes its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from analysis.errors import AuditError
from analysis.project.checks import quick_check
from analysis.project.connections import connect_writer
from analysis.project.errors import translated
from analysis.project.replacing import journal, replacing


def write_copy(
    source: sqlite3.Connection, target: Path, prepare: Callable[[sqlite3.Connection], None]
) -> None:
    """Write the project that `source` reads to `target`, compacted, replacing what is there.

    :param prepare: changes the copy before it takes its place.
    :raises AuditError: nothing was changed: disk full, folder write-protected or missing.
    """
    if not target.parent.is_dir():
        raise AuditError(f"There is no folder “{target.parent}”.", "Choose another folder.")
    with replacing(target) as unfinished:
        with translated(target):
            source.execute("PRAGMA query_only = OFF")
            try:
                source.execute("VACUUM INTO ?", (str(unfinished),))
            finally:
                source.execute("PRAGMA query_only = ON")
            copy = connect_writer(unfinished)
            try:
                prepare(copy)
                quick_check(copy, target)
            finally:
                copy.close()
        # A journal left by a crash of the replaced file would be played into the new one.
        for ending in ("-wal", "-shm", "-journal"):
            journal(target, ending).unlink(missing_ok=True)
