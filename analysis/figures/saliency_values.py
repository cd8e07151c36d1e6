"""Single maps and curves of a project file, checked before they are used: files are untrusted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import read_only
from analysis.figures.saliency_data import Cell, SaliencyMap

if TYPE_CHECKING:
    from analysis.project import Project

LONGEST_SCORES = 2_000_000  # characters of a curve's scores; the longest of ours has about 500,000
MAP_COLUMNS = (
    "layer, class, score, rows, columns, scale, offset, map, tied, x, y, width, height, note"
)
"""Of the table `saliency`, what `read_map` needs besides the cell."""
_AT_ONCE = 250  # cells in one statement; SQLite allows no unlimited number
_MOST_PLACES = 1 << 22
_FURTHEST = 1 << 24  # pixels; no image has as many along a side


@dataclass(frozen=True)
class MapSquare:
    """The square of an image that maps cover, in pixels of the upright original; it is cut from the
    thumbnail like a patch."""

    image: int
    x: int
    y: int
    width: int
    height: int
    patch_id: int


def damaged(what: str) -> AuditError:
    """The error for results that cannot be as they are written."""
    return AuditError(what, "The project file may be damaged: check it with `parallax info FILE`.")


def wanted_cells(
    project: Project, run: int, cells: Sequence[Cell], table: str, columns: str, where: str = ""
) -> Iterator[Any]:
    """Rows of `table` of these cells: image, model and method, then `columns`.

    Found one by one in the table's index, however large the run is.

    :param where: a further condition, as `length(scores) < 10`.
    """
    distinct = list(dict.fromkeys(cells))
    further = f" AND {where}" if where else ""
    for start in range(0, len(distinct), _AT_ONCE):
        some = distinct[start : start + _AT_ONCE]
        wanted = ", ".join("(?, ?, ?)" for _ in some)
        yield from project.rows(
            f"WITH wanted(image, model, method) AS (VALUES {wanted})"
            f" SELECT {table}.image, {table}.model, {table}.method, {columns}"
            f" FROM wanted CROSS JOIN {table} ON {table}.run = ?"
            f" AND {table}.image = wanted.image AND {table}.model = wanted.model"
            f" AND {table}.method = wanted.method{further}",
            [*(value for cell in some for value in (int(cell[0]), cell[1], cell[2])), run],
        )


def read_map(run: int, row: Any) -> SaliencyMap:
    """A row of the table `saliency` as a map. Raises AuditError for a damaged one."""
    cell = Cell(row["image"], row["model"], row["method"])
    rows, columns, codes = row["rows"], row["columns"], row["map"]
    region = (row["x"], row["y"], row["width"], row["height"])
    if not (
        rows >= 1
        and columns >= 1
        and rows * columns == len(codes) <= _MOST_PLACES
        and all(abs(value) <= _FURTHEST for value in region)
        and min(region[2:]) >= 1
    ):
        raise _damaged_map(run, cell)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.frombuffer(codes, np.uint8).astype(np.float32).reshape(rows, columns)
        values = values * np.float32(row["scale"]) + np.float32(row["offset"])
    if not np.isfinite(values).all():
        raise _damaged_map(run, cell)
    return SaliencyMap(
        cell=cell,
        values=read_only(values),
        region=region,
        layer=row["layer"] or "",
        class_name=row["class"] or "",
        score=_share(row["score"]),
        tied=_share(row["tied"]),
        note=row["note"] or "",
    )


def _damaged_map(run: int, cell: Cell) -> AuditError:
    return damaged(
        f"The map {cell.method} of {cell.model} for image {cell.image} in run {run} is not usable."
    )


def _share(value: float | None) -> float:
    """A probability or share; NaN where there is none, or a number that is none."""
    return float(value) if value is not None and -1e-6 <= value <= 1 + 1e-6 else math.nan


def read_scores(text: str) -> np.ndarray | None:
    """The scores of a curve, (steps + 1,) float64; None where they are no list of finite numbers.

    At least two, before and after.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, list) or len(values) < 2:
            return None
        if not set(map(type, values)) <= {int, float}:
            return None
        scores = np.array(values, dtype=np.float64)
    except (ValueError, OverflowError, RecursionError, MemoryError):
        return None
    return scores if np.isfinite(scores).all() else None


def read_names(codes: np.ndarray) -> tuple[str, ...]:
    """A JSON list of texts, as the bytes of an array; none where it is something else."""
    if codes.ndim != 1 or codes.dtype != np.uint8 or len(codes) > LONGEST_SCORES:
        return ()
    try:
        names = json.loads(codes.tobytes().decode())
    except (ValueError, RecursionError):
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names)
