"""Rows of a semantics run, checked before they are used: files are untrusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import as_floats, places, unzip
from analysis.figures.readers import run_row
from analysis.figures.saliency_values import damaged
from analysis.figures.semantics_data import DepthLayer

if TYPE_CHECKING:
    from analysis.project import Project

SIDES = ("a", "b")
_MOST_CELLS = 4_000_000
_MOST_COUNTED = 1 << 53
_ROUNDING = 1e-6


def pair_run(project: Project, run: int) -> Any:
    """The row of a semantics run. Raises AuditError for an unknown one and one of another audit."""
    about = run_row(project, run)
    if about["audit"] != "semantics" or about["model_a"] is None or about["model_b"] is None:
        raise AuditError(
            f"Run {run} is not of the audit semantics.", "Choose a run of the audit semantics."
        )
    return about


def side_model(about: Any, model: str) -> str:
    """A model of a run. Raises AuditError where it is none of the pair."""
    if model not in (about["model_a"], about["model_b"]):
        raise AuditError(
            f"Run {about['id']} has no model “{model}”.",
            f"It compares {about['model_a']} and {about['model_b']}.",
        )
    return model


def ordered_layers(project: Project, model: str, names: Iterable[str]) -> tuple[DepthLayer, ...]:
    """The distinct layers of `names` in order of execution; depth NaN where it is not known."""
    known = {
        row["name"]: (row["position"], row["depth"])
        for row in project.rows("SELECT name, position, depth FROM layer WHERE model = ?", (model,))
    }
    last = (1 << 63, None)
    distinct = sorted(set(names), key=lambda name: (known.get(name, last)[0], name))
    depths = bounded([known.get(name, last)[1] for name in distinct], 0, 1)
    return tuple(map(DepthLayer, distinct, depths.tolist()))


def layer_names(layers: Sequence[DepthLayer]) -> tuple[str, ...]:
    """The names of layers."""
    return tuple(layer.name for layer in layers)


def bounded(values: Iterable[float | None], low: float = -np.inf, high: float = np.inf) -> Any:
    """float64; NaN where there is no number, or one that cannot be."""
    array = as_floats(list(values))
    with np.errstate(invalid="ignore"):
        possible = (
            np.isfinite(array) & (array >= low - _ROUNDING) & (array <= high + _ROUNDING)
        )  # fmt: skip
    array[~possible] = np.nan
    return array.clip(low, high)


def counts(values: Iterable[int | None]) -> np.ndarray:
    """int64; 0 where there is no number, or one that is no count."""
    known = [0 if value is None or not 0 <= value < _MOST_COUNTED else value for value in values]
    return np.array(known, dtype=np.int64)


def largest(values: Iterable[int | None]) -> int:
    """The largest of some counts, 0 of none."""
    return int(counts(values).max(initial=0))


def check_size(run: int, *sizes: int) -> None:
    """Raises AuditError where a table would need more memory than any real run."""
    cells = 1
    for size in sizes:
        cells *= size
    if cells > _MOST_CELLS:
        raise damaged(f"Run {run} has more layers and concepts than can be shown.")


class Cells:
    """Columns of rows laid out over axes; later rows replace earlier ones.

    `axes`: of each axis, the distinct keys and the key of each row.
    """

    def __init__(self, axes: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> None:
        self.shape = tuple(len(keys) for keys, _ in axes)
        self._at = tuple(places(of_rows, keys) for keys, of_rows in axes)

    def floats(
        self, column: Sequence[float | None], low: float = -np.inf, high: float = np.inf
    ) -> np.ndarray:
        """float64, NaN where there is no row, no number or one outside of `low`…`high`."""
        return self._laid(bounded(column, low, high), np.nan)

    def counts(self, column: Sequence[int | None]) -> np.ndarray:
        """int64, 0 where there is none."""
        return self._laid(counts(column), 0)

    def flags(self, column: Sequence[int | None]) -> np.ndarray:
        """bool, False where there is none."""
        return self._laid(np.array([value == 1 for value in column], dtype=bool), False)

    def _laid(self, values: np.ndarray, empty: Any) -> np.ndarray:
        array = np.full(self.shape, empty, dtype=values.dtype)
        array[self._at] = values
        array.flags.writeable = False
        return array


def columns_of(
    project: Project, table: str, columns: str, where: str, values: Sequence[Any]
) -> list[Sequence[Any]]:
    """The columns of those rows of `table`, in the order they were written."""
    sql = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY id"
    return unzip(project.rows(sql, tuple(values)), columns.count(",") + 1)


def distinct(
    project: Project, table: str, column: str, where: str, values: Sequence[Any]
) -> list[Any]:
    """The different values of a column in the order in which they were first written."""
    sql = f"SELECT {column} FROM {table} WHERE {where} GROUP BY {column} ORDER BY MIN(id)"
    return [row[0] for row in project.rows(sql, tuple(values)) if row[0] is not None]
