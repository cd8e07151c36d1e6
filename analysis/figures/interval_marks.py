"""Values with their intervals as marks on a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.figures.palette import Mark


def draw_intervals(
    axes: Axes,
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    rows: np.ndarray,
    mark: Mark,
    size: float,
) -> None:
    """A mark at each finite value, with a line from `low` to `high` where both are known.

    All arrays (n,), `rows` the vertical places; `size` of the mark in points.
    """
    known = np.isfinite(values)
    ends = np.stack([values - low, high - values])
    axes.errorbar(
        values[known],
        rows[known],
        xerr=np.nan_to_num(ends[:, known]).clip(min=0),
        fmt=mark.marker,
        color=mark.colour,
        markersize=size,
        markeredgewidth=0,
        elinewidth=0.8,
        zorder=3,
    )
