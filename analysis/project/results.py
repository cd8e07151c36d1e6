"""Rows of results: which tables they may go to, and how they get there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.project.schema import RESULT_TABLES
from analysis.project.values import to_sql

Row = Mapping[str, Any]


def insert_rows(connection: sqlite3.Connection, run: int, table: str, rows: Iterable[Row]) -> None:
    """Add `rows` (column → value, missing ones NULL) of the run to a result table.

    `run` is filled in. Rows may have different columns.

    :raises ValueError: the table takes no results, or a column does not exist.
    """
    _check_table(table)
    known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    by_columns: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        by_columns.setdefault(tuple(sorted(row.keys() - {"run"})), []).append(row)
    for columns, group in by_columns.items():
        unknown = set(columns) - known
        if unknown:
            raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
        names = ", ".join(f'"{column}"' for column in ("run", *columns))
        marks = ", ".join("?" * (len(columns) + 1))
        connection.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            ((run, *(to_sql(row[column]) for column in columns)) for row in group),
        )


def replace_rows(
    connection: sqlite3.Connection, run: int, rows: Mapping[str, Sequence[Row]]
) -> None:
    """Delete what the run has in each table of `rows` and add the new rows."""
    for table, new in rows.items():
        _check_table(table)
        connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
        insert_rows(connection, run, table, new)


def _check_table(table: str) -> None:
    if table not in RESULT_TABLES:
        raise ValueError(f"{table} is no result table; those are {', '.join(RESULT_TABLES)}")
