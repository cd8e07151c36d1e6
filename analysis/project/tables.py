"""The tables that a project shows to the world, as CSV and JSON.

Rows are streamed, so that memory does not grow with the table. A missing number is an empty cell
in CSV and null in JSON. In CSV, a text that a spreadsheet would take for a formula (it begins with
=, +, -, @, a tab or a line break) gets a leading apostrophe, as spreadsheets write it themselves;
JSON holds the exact text. Bytes (saliency maps) are written as base64. Tables with an `image` also
tell its path within its image set.
"""

from __future__ import annotations

import base64
import csv
import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO, get_args

from analysis.errors import AuditError
from analysis.near_names import name_hint
from analysis.project.errors import translate_os_error
from analysis.project.file import ProjectFile
from analysis.project.replacing import replacing
from analysis.project.schema import JSON_COLUMNS, RESULT_TABLES

Format = Literal["csv", "json"]

# The results, and what they refer to by name or id.
DOCUMENTED_TABLES = (
    *RESULT_TABLES,
    "run",
    "problem",
    "model",
    "layer",
    "image_set",
    "image",
    "rejected_image",
    "finding",
)

# What means nothing outside of the window: how a view was set.
_LEFT_OUT = {"finding": ("view_state",)}


class TableSummary(NamedTuple):
    """A table's name, how many rows it has and which columns an export of it has."""

    name: str
    rows: int
    columns: tuple[str, ...]


class _Column(NamedTuple):
    name: str
    expression: str
    is_text: bool


def table_names(project: ProjectFile) -> list[TableSummary]:
    """Every table that can be exported."""
    with project.reading() as connection:
        return [
            TableSummary(
                table,
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0],
                tuple(column.name for column in _columns(connection, table)),
            )
            for table in DOCUMENTED_TABLES
        ]


def export_table(
    project: ProjectFile,
    name: str,
    out: Path | str | TextIO,
    format: Format | None = None,
    run: int | None = None,
) -> int:
    """Write a table to a file (UTF-8), replacing it when complete; return how many rows it has.

    :param out: a path, or a text file open for writing (with newline="" for CSV).
    :param format: "csv" or "json"; None: by the path's ending.
    :param run: only the rows of this run.
    :raises AuditError: no such table, run or format, or the file cannot be written.
    """
    chosen = format or _format_of(out)
    if chosen not in get_args(Format):
        raise AuditError(f"Tables are not written as “{chosen}”.", "Choose csv or json.")
    if name not in DOCUMENTED_TABLES:
        raise _no_such_table(name)
    with project.reading() as connection:
        columns = _columns(connection, name)
        _check_run(connection, name, columns, run)
        rows = _select(connection, name, columns, run, guarded=chosen == "csv")
        with _writing_to(out) as file:
            if chosen == "csv":
                return _write_csv(file, columns, rows)
            return _write_json(file, columns, rows)


def first_rows(
    project: ProjectFile, name: str, run: int | None = None, most: int = 50
) -> tuple[tuple[str, ...], list[tuple[Any, ...]], int]:
    """Column names, the first rows (bytes as they are), and how many rows there are in all.

    :raises AuditError: as `export_table`.
    """
    if name not in DOCUMENTED_TABLES:
        raise _no_such_table(name)
    with project.reading() as connection:
        columns = _columns(connection, name)
        _check_run(connection, name, columns, run)
        where = "" if run is None else " WHERE run = :run"
        total = connection.execute(f"SELECT count(*) FROM {name}{where}", {"run": run}).fetchone()
        rows = _select(connection, name, columns, run, guarded=False).fetchmany(most)
    return tuple(column.name for column in columns), rows, total[0]


def _no_such_table(name: str) -> AuditError:
    known = f"Choose one of {', '.join(DOCUMENTED_TABLES)}."
    return AuditError(f"There is no table “{name}”.", name_hint(name, DOCUMENTED_TABLES, known))


def _format_of(out: Path | str | TextIO) -> str:
    if not isinstance(out, Path | str):
        return "csv"
    return Path(out).suffix.lower().removeprefix(".") or "csv"


def _columns(connection: sqlite3.Connection, table: str) -> list[_Column]:
    columns = []
    for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})"):
        if name in _LEFT_OUT.get(table, ()):
            continue
        columns.append(_Column(name, f'{table}."{name}"', kind == "TEXT"))
        if name == "image":
            columns.append(_Column("image_path", "pictured.path", True))
    return columns


def _check_run(
    connection: sqlite3.Connection, table: str, columns: list[_Column], run: int | None
) -> None:
    if run is None:
        return
    if not any(column.name == "run" for column in columns):
        raise AuditError(f"The table “{table}” does not belong to runs.", "Leave out the run.")
    runs = [row[0] for row in connection.execute("SELECT id FROM run ORDER BY id")]
    if run not in runs:
        listed = f"Its runs are {', '.join(map(str, runs))}." if runs else "It has no runs yet."
        raise AuditError(f"The project has no run {run}.", listed)


def _select(
    connection: sqlite3.Connection,
    table: str,
    columns: list[_Column],
    run: int | None,
    guarded: bool,
) -> sqlite3.Cursor:
    expressions = [
        _guard(column.expression) if guarded and column.is_text else column.expression
        for column in columns
    ]
    query = f"SELECT {', '.join(expressions)} FROM {table}"
    if any(column.name == "image_path" for column in columns):
        query += f" LEFT JOIN image AS pictured ON pictured.id = {table}.image"
    if run is not None:
        query += f" WHERE {table}.run = :run"
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: nothing here reads a row by its names
    return cursor.execute(f"{query} ORDER BY {table}.rowid", {"run": run})


def _guard(text: str) -> str:
    """SQL for the text as a spreadsheet shows it instead of calculating it."""
    formula = "('=', '+', '-', '@', char(9), char(10), char(13))"
    return f"CASE WHEN substr({text}, 1, 1) IN {formula} THEN '''' || {text} ELSE {text} END"


@contextmanager
def _writing_to(out: Path | str | TextIO) -> Iterator[TextIO]:
    if not isinstance(out, Path | str):
        yield out
        return
    path = Path(out).resolve()
    if path.exists() and not path.is_file():  # a pipe, a terminal
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
        except OSError as error:
            raise translate_os_error(error, path) from error
        return
    if not path.parent.is_dir():
        raise AuditError(f"There is no folder “{path.parent}”.", "Choose another folder.")
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        yield file


def _write_csv(file: TextIO, columns: list[_Column], rows: sqlite3.Cursor) -> int:
    writer = csv.writer(file)  # lines end as RFC 4180 has them, so that both characters get quoted
    writer.writerow([column.name for column in columns])
    counted = _Counter(rows)
    writer.writerows(counted)
    return counted.count


class _Counter:
    """Passes rows on and counts them."""

    def __init__(self, rows: sqlite3.Cursor) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while batch := self._rows.fetchmany(1000):
            self.count += len(batch)
            yield from map(_readable, batch)


def _readable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with its bytes as text."""
    if not any(isinstance(value, bytes) for value in row):
        return row
    return tuple(
        base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in row
    )


def _write_json(file: TextIO, columns: list[_Column], rows: sqlite3.Cursor) -> int:
    names = [column.name for column in columns]
    nested = [name for name in names if name in JSON_COLUMNS]
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    count = 0
    file.write("[")
    for row in _Counter(rows):
        entry = dict(zip(names, row, strict=True))
        for name in nested:
            entry[name] = _parsed(entry[name])
        try:
            text = encode(entry)
        except ValueError:
            text = encode(_finite(entry))
        file.write(",\n" if count else "\n")
        file.write(text)
        count += 1
    file.write("\n]\n")
    return count


def _parsed(text: str | None) -> Any:
    """What a JSON column holds; the text itself if it is none."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _finite(value: Any) -> Any:
    """The same with null for the numbers that JSON cannot write."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return value
