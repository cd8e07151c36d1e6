"""What a heatmap draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.figures.words import number


@dataclass(frozen=True)
class HeatmapData:
    """A matrix with named rows and columns; rows are drawn from the bottom up.

    `values`, `null_95`, both (rows, columns): cells at or below their null, or without a number,
    are greyed and hatched and never coloured. `row_depths` and `column_depths` are 0…1.

    All further arrays are (rows, columns): `survives` says which cells count, in place of the null;
    `texts` are written in place of the numbers; cells in `outside` are beside the scale: written,
    but neither coloured nor hatched. `limits` fix the ends of the colours; with `signed` they
    should lie around 0. `low`, `high`: intervals of the values, drawn at each row's best.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray
    null_95: np.ndarray
    row_depths: np.ndarray
    column_depths: np.ndarray
    row_title: str
    column_title: str
    value_title: str
    survives: np.ndarray | None = None
    texts: np.ndarray | None = None
    outside: np.ndarray | None = None
    limits: tuple[float, float] | None = None
    signed: bool = False
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def above_chance(self) -> np.ndarray:
        """(rows, columns) bool: cells whose value is there and above what chance would give."""
        if self.survives is not None:
            return np.isfinite(self.values) & self.survives
        with np.errstate(invalid="ignore"):
            beaten = ~(self.values <= self.null_95)
        return np.isfinite(self.values) & beaten

    def span(self) -> tuple[float, float]:
        """Ends of the colours: from chance, or the lowest value above it, to the highest value."""
        if self.limits is not None:
            return self.limits
        coloured = self.values[self.above_chance()]
        if not coloured.size:
            return 0.0, 1.0
        low, high = float(coloured.min()), float(coloured.max())
        low = min(low, self.typical_null()) if np.isfinite(self.typical_null()) else low
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def typical_null(self) -> float:
        """Median of the cells' nulls, NaN where none was drawn."""
        nulls = self.null_95[np.isfinite(self.null_95)]
        return float(np.median(nulls)) if nulls.size else float("nan")

    def beside_scale(self) -> np.ndarray:
        """(rows, columns) bool: cells that are written but have no colour."""
        return np.zeros(self.values.shape, bool) if self.outside is None else self.outside

    def text(self, row: int, column: int) -> str:
        """What is written in a cell."""
        if self.texts is not None:
            return str(self.texts[row, column])
        return number(float(self.values[row, column]))

    def at_best_of_rows(self, of: np.ndarray | None) -> np.ndarray:
        """(rows,) what a (rows, columns) array holds at each row's highest value, NaN without."""
        found = np.full(len(self.rows), np.nan)
        if of is None or not self.values.size:
            return found
        there = np.isfinite(self.values).any(axis=1)
        best = np.where(np.isfinite(self.values), self.values, -np.inf).argmax(axis=1)
        found[there] = of[there, best[there]]
        return found

    def best_of_rows(self) -> np.ndarray:
        """(rows,) the highest value of each row, NaN where the row has none."""
        filled = np.where(np.isfinite(self.values), self.values, -np.inf)
        best = filled.max(axis=1, initial=-np.inf)
        return np.where(np.isfinite(best), best, np.nan)
