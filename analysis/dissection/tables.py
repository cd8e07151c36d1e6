"""Dissections as CSV files: the LCE authors', NetDissect's and our own. Needs no torch.

- LCE authors' (`name, unit, iou, label, category`, units 0-based; any index column is left out):
  the label `-` stands for a threshold that failed, and its IoU is the share of active pixels; an
  empty IoU is not a number, whatever the label says.
- NetDissect's (`unit, category, label, score`, then label, truth, activation, intersect and iou
  of the best concept of each category): one model a file, units 1-based.
- Our own: the table `unit` of a project (`model, layer, unit, concept, category, iou, …`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from analysis.dissection.categories import DEAD, FAILED_THRESHOLD, NOT_A_NUMBER, NOT_COUNTED
from analysis.errors import AuditError

Kind = Literal["lce", "netdissect", "parallax"]
IMPORTED_LAYER = "imported"

_REQUIRED: dict[Kind, frozenset[str]] = {
    "parallax": frozenset({"model", "layer", "unit", "concept", "category", "iou"}),
    "lce": frozenset({"name", "unit", "iou", "label", "category"}),
    "netdissect": frozenset({"unit", "category", "label", "score"}),
}
_MOST_BYTES = 1 << 29
_MOST_ROWS = 5_000_000
_MOST_COLUMNS = 1_000
_MOST_CHARACTERS = 500  # of a name
_MOST_UNITS = 10_000_000
_NO_LABEL = "-"
_REASONS = {
    DEAD: "are dead: their activation never changes",
    FAILED_THRESHOLD: "have no label because their activation threshold failed",
    NOT_A_NUMBER: "have no IoU: their activation is not a number",
}


@dataclass(frozen=True)
class TableProblem:
    """Rows of a model that are kept but not counted, and why."""

    model: str
    units: int
    reason: str


@dataclass(frozen=True)
class TableCandidates:
    """Best concepts of units by category; each array has one entry a candidate.

    `row`: index of the unit in the table; `rank`: 0 is the best of the unit.
    """

    row: np.ndarray
    rank: np.ndarray
    concept: np.ndarray
    category: np.ndarray
    iou: np.ndarray
    intersection: np.ndarray
    activation: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class DissectionTable:
    """Units of one or more models; each array has one entry a unit.

    `concept` is empty and `iou` NaN where `category` is one of `NOT_COUNTED`. What a format does
    not hold is NaN. `kept_interpretable` is what our own export says, None in the others.
    """

    kind: Kind
    source: str
    sha256: str
    model: np.ndarray
    layer: np.ndarray
    unit: np.ndarray  # int64, 0-based
    concept: np.ndarray
    category: np.ndarray
    iou: np.ndarray
    threshold: np.ndarray
    active_fraction: np.ndarray
    null_iou: np.ndarray
    p: np.ndarray
    kept_interpretable: np.ndarray | None
    candidates: TableCandidates
    problems: tuple[TableProblem, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(dict.fromkeys(self.model.tolist()))

    def interpretable(self, iou_threshold: float = 0.04) -> np.ndarray:
        """(units,) bool: IoU strictly above `iou_threshold` and above the null where known."""
        beats_chance = np.isnan(self.null_iou) | (self.iou > self.null_iou)
        return (self.iou > iou_threshold) & beats_chance


def read_dissection_csv(
    path: Path, model: str | None = None, first_unit: Literal[0, 1] | None = None
) -> DissectionTable:
    """Read a dissection in any of the three forms, told apart by the names of the columns.

    :param model: the name of the model of a NetDissect table; by default the file's name.
    :param first_unit: the number of the first unit in a NetDissect table; by default 1, or 0 if
        the table has a unit 0.
    :raises AuditError: the file cannot be read, is none of the three, or a row is wrong: a
        missing or surplus field, something that is not a number, an IoU outside 0…1, a unit that
        is there twice (as with two models of one name).
    """
    content = _content(path)
    rows = _Rows(path, content)
    kind = _kind(rows)
    read = {"lce": _lce_unit, "netdissect": _netdissect_unit, "parallax": _own_unit}[kind]
    columns = _Columns(rows, model or path.stem)
    units = [read(columns, row) for row in rows]
    if not units:
        raise AuditError(f"“{path.name}” has no row.", "Choose a table with units.")
    if kind == "netdissect":
        smallest = min(unit.unit for unit in units)
        _renumber(units, smallest if first_unit is None and smallest < 1 else first_unit, rows)
    _check_unique(units, rows)
    return _table(kind, path, hashlib.sha256(content).hexdigest(), units)


@dataclass
class _Unit:
    """One row as it is read."""

    line: int
    model: str
    unit: int
    concept: str
    category: str
    iou: float
    layer: str = IMPORTED_LAYER
    threshold: float = math.nan
    active_fraction: float = math.nan
    null_iou: float = math.nan
    p: float = math.nan
    interpretable: bool | None = None
    candidates: Sequence[tuple[str, str, float, float, float, float]] = ()

    def without_concept(self, reason: str) -> _Unit:
        self.concept, self.category, self.iou, self.candidates = "", reason, math.nan, ()
        return self


class _Rows:
    """The rows of a CSV file, with what is wrong said by line."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.name = path.name
        self.line = 1
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise AuditError(
                f"“{path.name}” is not a text file in UTF-8.", "Export the table again as CSV."
            ) from error
        self._reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        self.header = [name.strip() for name in self._next() or []]
        repeated = [name for name, times in Counter(self.header).items() if name and times > 1]
        if repeated or len(self.header) > _MOST_COLUMNS:
            what = f"two columns “{repeated[0][:80]}”" if repeated else "too many columns"
            raise AuditError(f"“{path.name}” has {what}.", "Export the table again.")

    def _next(self) -> list[str] | None:
        try:
            row = next(self._reader, None)
        except csv.Error as error:
            raise self.error(f"is not valid CSV ({error})", self._reader.line_num) from error
        self.line = self._reader.line_num
        return row

    def __iter__(self) -> Iterator[list[str]]:
        count = 0
        while (row := self._next()) is not None:
            if not row:
                continue
            count += 1
            if count > _MOST_ROWS:
                raise AuditError(
                    f"“{self.name}” has more than {_MOST_ROWS:,} rows.", "Split the table by model."
                )
            if len(row) != len(self.header):
                raise self.error(f"has {len(row)} fields where the header has {len(self.header)}")
            yield row

    def error(self, what: str, line: int | None = None) -> AuditError:
        return AuditError(
            f"Line {self.line if line is None else line} of “{self.name}” {what}.",
            "Correct the line, or export the table again.",
        )


class _Columns:
    """Fields of a row by the name of their column, checked."""

    def __init__(self, rows: _Rows, model: str) -> None:
        self.rows = rows
        self.model = model
        self._place = {name: index for index, name in enumerate(rows.header)}
        self.groups = [
            name.removesuffix("-label")
            for name in rows.header
            if name.endswith("-label") and f"{name.removesuffix('-label')}-iou" in self._place
        ]

    def text(self, row: list[str], name: str) -> str:
        place = self._place.get(name)
        field = "" if place is None else row[place].strip()
        if len(field) > _MOST_CHARACTERS:
            raise self.rows.error(f"has a “{name}” of {len(field):,} characters")
        return field

    def required(self, row: list[str], name: str) -> str:
        field = self.text(row, name)
        if not field:
            raise self.rows.error(f"has no “{name}”")
        return field

    def number(self, row: list[str], name: str) -> float:
        """NaN where the field is empty or says so."""
        field = self.text(row, name)
        if not field:
            return math.nan
        try:
            # Python also reads 1_000 as a number; no program writes it.
            value = float(field.replace("_", "?"))
        except ValueError as error:
            raise self.rows.error(
                f"has “{field[:80]}” as “{name}”, which is not a number"
            ) from error
        if math.isinf(value):
            raise self.rows.error(f"has an infinite “{name}”")
        return value

    def share(self, row: list[str], name: str) -> float:
        value = self.number(row, name)
        if not (math.isnan(value) or 0 <= value <= 1):
            raise self.rows.error(f"has {value:g} as “{name}”, which is not between 0 and 1")
        return value

    def unit(self, row: list[str]) -> int:
        value = self.number(row, "unit")
        if not (value.is_integer() and 0 <= value < _MOST_UNITS):
            raise self.rows.error(f"has “{self.text(row, 'unit')}” as unit, which is no unit")
        return int(value)


def _lce_unit(columns: _Columns, row: list[str]) -> _Unit:
    unit = _Unit(
        line=columns.rows.line,
        model=columns.required(row, "name"),
        unit=columns.unit(row),
        concept=columns.required(row, "label"),
        category=columns.text(row, "category"),
        iou=columns.share(row, "iou"),
    )
    if math.isnan(unit.iou):
        return unit.without_concept(NOT_A_NUMBER)
    if unit.concept == _NO_LABEL:
        unit.active_fraction = unit.iou
        return unit.without_concept(FAILED_THRESHOLD)
    columns.required(row, "category")
    return unit


def _netdissect_unit(columns: _Columns, row: list[str]) -> _Unit:
    unit = _Unit(
        line=columns.rows.line,
        model=columns.model,
        unit=columns.unit(row),
        concept=columns.text(row, "label"),
        category=columns.text(row, "category"),
        iou=columns.share(row, "score"),
    )
    if math.isnan(unit.iou):
        return unit.without_concept(NOT_A_NUMBER)
    if unit.concept in ("", _NO_LABEL):
        return unit.without_concept(FAILED_THRESHOLD)
    columns.required(row, "category")
    unit.candidates = [
        (
            columns.text(row, f"{group}-label"),
            group,
            columns.share(row, f"{group}-iou"),
            columns.number(row, f"{group}-intersect"),
            columns.number(row, f"{group}-activation"),
            columns.number(row, f"{group}-truth"),
        )
        for group in columns.groups
        if columns.text(row, f"{group}-label") not in ("", _NO_LABEL)
    ]
    return unit


def _own_unit(columns: _Columns, row: list[str]) -> _Unit:
    unit = _Unit(
        line=columns.rows.line,
        model=columns.required(row, "model"),
        unit=columns.unit(row),
        concept=columns.text(row, "concept"),
        category=columns.text(row, "category"),
        iou=columns.share(row, "iou"),
        layer=columns.required(row, "layer"),
        threshold=columns.number(row, "threshold"),
        active_fraction=columns.share(row, "active_fraction"),
        null_iou=columns.share(row, "null_iou"),
        p=columns.share(row, "p"),
    )
    answer = columns.text(row, "interpretable").lower()
    if answer not in ("", "0", "1", "true", "false"):
        raise columns.rows.error(f"has “{answer[:80]}” as “interpretable”; 0 or 1 is expected")
    unit.interpretable = answer in ("1", "true") if answer else None
    if unit.category in NOT_COUNTED:
        return unit.without_concept(unit.category)
    if math.isnan(unit.iou):
        return unit.without_concept(NOT_A_NUMBER)
    if unit.concept:
        columns.required(row, "category")
    return unit


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AuditError(
                f"“{path.name}” is larger than {_MOST_BYTES >> 20} MB.", "Split the table by model."
            )
        return path.read_bytes()
    except OSError as error:
        raise AuditError(
            f"“{path.name or path}” cannot be read: {error.strerror or error}.",
            "Choose another file.",
        ) from error


def _kind(rows: _Rows) -> Kind:
    found = frozenset(rows.header)
    for kind, required in _REQUIRED.items():
        if required <= found:
            return kind
    nearest = min(_REQUIRED.values(), key=lambda required: len(required - found))
    missing = ", ".join(f"“{name}”" for name in sorted(nearest - found))
    raise AuditError(
        f"“{rows.name}” is not a dissection: it has no column {missing}.",
        "Choose a table of the LCE authors (name, unit, iou, label, category), of NetDissect"
        " (unit, category, label, score, …) or the table “unit” exported from a project.",
    )


def _renumber(units: list[_Unit], first: int | None, rows: _Rows) -> None:
    shift = 1 if first is None else first
    for unit in units:
        unit.unit -= shift
        if unit.unit < 0:
            raise rows.error(f"has a unit before unit {shift}", unit.line)


def _check_unique(units: list[_Unit], rows: _Rows) -> None:
    seen: dict[tuple[str, str, int], int] = {}
    for unit in units:
        earlier = seen.setdefault((unit.model, unit.layer, unit.unit), unit.line)
        if earlier != unit.line:
            raise AuditError(
                f"“{rows.name}” has unit {unit.unit} of the model “{unit.model}” twice, in the"
                f" lines {earlier} and {unit.line}.",
                "Two models need two names; of several runs, export one.",
            )


def _table(kind: Kind, path: Path, sha256: str, units: list[_Unit]) -> DissectionTable:
    def numbers(name: str) -> np.ndarray:
        return np.array([getattr(unit, name) for unit in units], dtype=np.float64)

    def texts(name: str) -> np.ndarray:
        return np.array([getattr(unit, name) for unit in units], dtype=np.str_)

    said = [unit.interpretable for unit in units]
    return DissectionTable(
        kind=kind,
        source=path.name,
        sha256=sha256,
        model=texts("model"),
        layer=texts("layer"),
        unit=np.array([unit.unit for unit in units], dtype=np.int64),
        concept=texts("concept"),
        category=texts("category"),
        iou=numbers("iou"),
        threshold=numbers("threshold"),
        active_fraction=numbers("active_fraction"),
        null_iou=numbers("null_iou"),
        p=numbers("p"),
        kept_interpretable=None if None in said else np.array(said, dtype=bool),
        candidates=_candidates(units),
        problems=_problems(units),
    )


def _candidates(units: list[_Unit]) -> TableCandidates:
    found = []
    for row, unit in enumerate(units):
        ordered = sorted(unit.candidates, key=_best_first)
        found += [(row, rank, *each) for rank, each in enumerate(ordered)]
    return _candidate_columns(found)


def _best_first(candidate: tuple[str, str, float, float, float, float]) -> float:
    score = candidate[2]
    return math.inf if math.isnan(score) else -score


def _candidate_columns(found: Sequence[tuple[Any, ...]]) -> TableCandidates:
    columns = list(zip(*found, strict=True)) if found else [()] * 8
    kinds = (np.int64, np.int64, np.str_, np.str_, *[np.float64] * 4)
    return TableCandidates(
        *(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True))
    )


def _problems(units: list[_Unit]) -> tuple[TableProblem, ...]:
    counts = Counter((unit.model, unit.category) for unit in units if unit.category in NOT_COUNTED)
    return tuple(
        TableProblem(model, count, _REASONS[category])
        for (model, category), count in counts.items()
    )
