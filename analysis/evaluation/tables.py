"""Tables of performance from elsewhere: models × tasks, or one line a model and task."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.errors import AuditError

_LARGEST_FILE = 64 * 2**20
_LARGEST_ROWS = 200_000
_LARGEST_TABLE = 10_000_000  # models × tasks
_LARGEST_COLUMNS = 10_000
_LARGEST_NAME = 200
_LARGEST_COUNT = 2**53  # beyond it not every whole number is a float
_MISSING = frozenset({"", "-", "–", "—", "nan", "na", "n/a", "#n/a", "none", "null"})
_MODEL = ("model", "name")
_HINT = (
    "It must be a CSV file in UTF-8: a column `model` and a column for each task, or the columns"
    " model, task, value and, if known, ci_low, ci_high, n."
)


@dataclass(frozen=True)
class ImportedPerformance:
    """Performance as the file has it, in the order of the file.

    (models, tasks) each, NaN where the file says nothing: `values`, `ci_low`, `ci_high`, `n`.
    `left_out`: columns that hold no performance, and why.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    values: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    n: np.ndarray
    left_out: tuple[tuple[str, str], ...]


def read_performance_csv(path: Path) -> ImportedPerformance:
    """Read a table of performance; which of the two forms it is, its columns say.

    Wide: a column `model` (or `name`) and a column a task, as the authors of the LCE publish it;
    index columns (`Unnamed…` or without a name) and columns that are not numbers are left out.
    Without a column `model`, a first column of texts without a name holds the models.
    Long: model, task, value, and optionally ci_low, ci_high, n, as a project exports it; other
    columns are passed over. Separated by commas, semicolons (with decimal commas) or tabs.

    :raises AuditError: the file cannot be read as either, names a model, a task or a pair twice,
        or holds no number.
    """
    lines, decimal = _lines(path)
    header = next(lines, None)
    if header is None:
        raise AuditError(f"{path.name} is empty.", _HINT)
    names = [_tidy(cell) for cell in header[1]]
    if len(names) > _LARGEST_COLUMNS:
        raise AuditError(f"{path.name} has {len(names)} columns.", _HINT)
    lowered = [name.lower() for name in names]
    rows = _rows(path, lines, len(names))
    model = _model_column(lowered, rows)
    if model is None:
        raise AuditError(f"{path.name} has no column `model`.", _HINT)
    if {"task", "value"} <= set(lowered):
        return _long(path, rows, lowered, model, decimal)
    return _wide(path, rows, names, model, decimal)


def _lines(path: Path) -> tuple[Iterator[tuple[int, list[str]]], str]:
    """Lines with their number, and the decimal sign that goes with the separator."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise AuditError(f"{path.name} is too large for a table of performance.", _HINT)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AuditError(
            f"“{path.name or path}” cannot be read: {error.strerror or error}.", "Check the path."
        ) from None
    except UnicodeDecodeError:
        raise AuditError(f"{path.name} is not a text file in UTF-8.", _HINT) from None
    if "\0" in text:
        raise AuditError(f"{path.name} is not a text file.", _HINT)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    return _parsed(path, text, separator), "," if separator == ";" else "."


def _parsed(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise AuditError(f"Line {reader.line_num} of {path.name}: {error}.", _HINT) from None


def _rows(
    path: Path, lines: Iterator[tuple[int, list[str]]], columns: int
) -> list[tuple[int, list[str]]]:
    rows = []
    for line, cells in lines:
        if len(cells) != columns:
            raise AuditError(
                f"Line {line} of {path.name} has {len(cells)} cells; the first line has {columns}.",
                "Names that contain the separator must stand in quotes.",
            )
        rows.append((line, cells))
        if len(rows) > _LARGEST_ROWS:
            raise AuditError(f"{path.name} has more than {_LARGEST_ROWS:,} lines.", _HINT)
    if not rows:
        raise AuditError(f"{path.name} names no model.", _HINT)
    return rows


def _model_column(names: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> int | None:
    """Where the models are named: `model`, `name`, or a first column of texts without a name."""
    found = next((names.index(name) for name in _MODEL if name in names), None)
    texts = all(_number(cells[0], ".") is None for _, cells in rows)
    if found is None and _is_index(names[0]) and texts:
        return 0
    return found


def _is_index(name: str) -> bool:
    return not name or name.lower().startswith("unnamed")


def _wide(
    path: Path,
    rows: Sequence[tuple[int, list[str]]],
    names: Sequence[str],
    model: int,
    decimal: str,
) -> ImportedPerformance:
    models = _names(path, rows, model)
    tasks: dict[str, np.ndarray] = {}
    left_out = []
    for column, name in enumerate(names):
        if column == model:
            continue
        if _is_index(name):
            left_out.append((name or f"column {column + 1}", "an index, not a task"))
            continue
        if name in tasks:
            raise AuditError(
                f"{path.name} has two columns {name}.", "Give every task a name of its own."
            )
        _check_name(path, 1, name)
        values, reason = _column([cells[column] for _, cells in rows], rows, decimal)
        if reason:
            left_out.append((name, reason))
        else:
            tasks[name] = values
    if not tasks:
        raise AuditError(f"{path.name} has no column of numbers.", _HINT)
    values = np.stack(list(tasks.values()), 1)
    unknown = np.full_like(values, np.nan)
    return ImportedPerformance(
        models, tuple(tasks), values, unknown, unknown.copy(), unknown.copy(), tuple(left_out)
    )


def _names(path: Path, rows: Sequence[tuple[int, list[str]]], model: int) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for line, cells in rows:
        name = _tidy(cells[model])
        _check_name(path, line, name)
        if name in seen:
            raise AuditError(
                f"{path.name} has two lines for the model {name} ({seen[name]} and {line}).",
                "Give every model a name of its own.",
            )
        seen[name] = line
    return tuple(seen)


def _column(
    cells: Sequence[str], rows: Sequence[tuple[int, list[str]]], decimal: str
) -> tuple[np.ndarray, str]:
    """Numbers of a column, and why it is left out if it is."""
    values = np.full(len(cells), np.nan)
    for position, cell in enumerate(cells):
        number = _number(cell, decimal)
        if number is None:
            line = rows[position][0]
            return values, f"{_shown(cell)} in line {line} is not a number"
        values[position] = number
    return values, "" if np.isfinite(values).any() else "no number in it"


def _long(
    path: Path,
    rows: Sequence[tuple[int, list[str]]],
    lowered: Sequence[str],
    model: int,
    decimal: str,
) -> ImportedPerformance:
    place = {name: lowered.index(name) for name in ("task", "value")}
    place |= {name: lowered.index(name) for name in ("ci_low", "ci_high", "n") if name in lowered}
    models: dict[str, int] = {}
    tasks: dict[str, int] = {}
    found: dict[tuple[int, int], tuple[float, float, float, float]] = {}
    for line, cells in rows:
        name, task = _tidy(cells[model]), _tidy(cells[place["task"]])
        _check_name(path, line, name)
        _check_name(path, line, task)
        cell = models.setdefault(name, len(models)), tasks.setdefault(task, len(tasks))
        if cell in found:
            raise AuditError(
                f"{path.name} has a second value of {name} in {task} (line {line}).",
                "Keep one line for each model and task; export a single run.",
            )
        found[cell] = _measured(path, line, cells, place, decimal)
    if len(models) * len(tasks) > _LARGEST_TABLE:
        raise AuditError(
            f"{path.name} names {len(models):,} models and {len(tasks):,} tasks.", _HINT
        )
    filled = np.full((4, len(models), len(tasks)), np.nan)
    for cell, numbers in found.items():
        filled[(slice(None), *cell)] = numbers
    if not np.isfinite(filled[0]).any():
        raise AuditError(f"{path.name} holds no number in the column `value`.", _HINT)
    values, low, high, n = filled
    return ImportedPerformance(tuple(models), tuple(tasks), values, low, high, n, ())


def _measured(
    path: Path, line: int, cells: Sequence[str], place: dict[str, int], decimal: str
) -> tuple[float, float, float, float]:
    """value, ci_low, ci_high, n of one line."""
    numbers = {}
    for name in ("value", "ci_low", "ci_high", "n"):
        text = cells[place[name]] if name in place else ""
        number = _number(text, decimal)
        if number is None or (name == "n" and not _is_count(number)):
            kind = "count" if name == "n" else "number"
            raise AuditError(
                f"Line {line} of {path.name}: {_shown(text)} in the column {name} is not a {kind}.",
                "Leave the cell empty where there is none.",
            )
        numbers[name] = number
    if numbers["ci_low"] > numbers["ci_high"]:
        raise AuditError(
            f"Line {line} of {path.name}: the interval ends below where it begins.",
            "Exchange ci_low and ci_high.",
        )
    return numbers["value"], numbers["ci_low"], numbers["ci_high"], numbers["n"]


def _is_count(number: float) -> bool:
    return math.isnan(number) or (0 <= number <= _LARGEST_COUNT and number == int(number))


def _number(text: str, decimal: str) -> float | None:
    """A finite number, NaN for an empty cell, None for anything else."""
    text = text.strip()
    if text.lower() in _MISSING:
        return math.nan
    # float() also takes 1_000 and digits of other scripts, which no table means as numbers.
    if len(text) > 64 or not text.isascii() or "_" in text:
        return None
    try:
        number = float(text.replace(decimal, ".") if decimal != "." else text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _check_name(path: Path, line: int, name: str) -> None:
    if not name:
        raise AuditError(f"Line {line} of {path.name} names no model or no task.", _HINT)
    if len(name) > _LARGEST_NAME or not name.isprintable():
        raise AuditError(
            f"Line {line} of {path.name}: {_shown(name)} cannot be a name.",
            f"Names are at most {_LARGEST_NAME} printable characters.",
        )


def _shown(text: str) -> str:
    clean = "".join(c if c.isprintable() else "�" for c in text.strip())
    return f"“{clean if len(clean) <= 40 else clean[:40] + '…'}”"
