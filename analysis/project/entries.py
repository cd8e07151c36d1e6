"""Entries that a person names: image sets, models, label planes, runs."""

from __future__ import annotations

import sqlite3
from typing import Any

from analysis.errors import AuditError
from analysis.project.values import to_sql

LONGEST_NAME = 200


def insert_entry(connection: sqlite3.Connection, table: str, **values: Any) -> int:
    """Add a row; return its id."""
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})",
        [to_sql(value) for value in values.values()],
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def check_name(kind: str, name: str) -> None:
    """Raise `AuditError` if a name is empty or too long; `kind` is the entry's word."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise AuditError(
            f"The {kind} needs a name of 1 to {LONGEST_NAME} characters.", "Choose a name."
        )


def refuse_taken_name(connection: sqlite3.Connection, table: str, kind: str, name: str) -> None:
    """Raise `AuditError` if an entry of the table has that name; `kind` is its word."""
    query = f"SELECT 1 FROM {table} WHERE name = ?"
    if connection.execute(query, (name,)).fetchone() is not None:
        raise AuditError(f"Another {kind} is called “{name}”.", "Choose another name.")
