"""The replacement test: what a badly predicted concept changes in the model it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.data import ReplacementPoints

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REPLACEMENT_METRICS = {
    "l2": "ℓ² distance",
    "kl": "KL divergence (nats)",
    "match_accuracy": "match accuracy",
}


def render_replacement(
    data: ReplacementPoints, width_mm: float = style.DOUBLE_COLUMN_MM, class_name: str = ""
) -> Figure:
    """Δ Pearson against each metric, coloured by importance (paper, Fig. 4).

    One row a model and one column a metric; in a narrow figure the other way round. Concepts
    without importance are grey rings. Call inside `journal_style`.
    """
    narrow = width_mm < 120
    figure = style.new_figure(width_mm, 1.5 * width_mm if narrow else 0.62 * width_mm)
    grid = figure.subplots(3, 2, sharex=True) if narrow else figure.subplots(2, 3, sharex=True)
    by_side = grid.T if narrow else grid
    drawn = None
    for row, side in zip(by_side, "ab", strict=True):
        for axes, metric in zip(row, REPLACEMENT_METRICS, strict=True):
            drawn = _panel(axes, data, side, metric) or drawn
            if side == "a" or not narrow:
                axes.set_ylabel(REPLACEMENT_METRICS[metric])
        _title(row[0], data, side, width_mm / 2 - 9 if narrow else width_mm / 3 - 16)
    for axes in grid[-1]:
        axes.set_xlabel("Δ Pearson")
    if drawn is not None:
        style.colour_bar(figure, drawn, grid, "concept importance", below=narrow)
    if class_name:
        text = style.fitted(f"Class {class_name}", width_mm - 4, size=7.5)
        figure.suptitle(text, x=0.01, ha="left", fontsize=7.5)
    return figure


def _panel(axes: Axes, data: ReplacementPoints, side: str, metric: str) -> object | None:
    of_side = data.side == side
    x, y = data.delta_pearson[of_side], getattr(data, metric)[of_side]
    importance = data.importance[of_side]
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        headless = metric != "l2" and bool(of_side.any())
        text = "no classification head" if headless else "no results yet"
        axes.text(
            0.5,
            0.5,
            text,
            transform=axes.transAxes,
            ha="center",
            va="center",
            color=style.QUIET_COLOUR,
            fontsize=6.5,
        )
        axes.set_yticks([])
        return None
    if metric == "match_accuracy":
        axes.set_ylim(min(0.95, float(y[known].min())) - 0.03, 1.015)
    size = 3.0 if known.sum() > 1000 else 8.0
    raster = style.raster_many(int(known.sum()))
    bare = known & ~np.isfinite(importance)
    axes.scatter(
        x[bare],
        y[bare],
        s=size,
        facecolors="none",
        edgecolors=style.LINE_COLOUR,
        linewidths=0.5,
        rasterized=raster,
    )
    # The most important last, so that they stay visible in a crowd.
    shown = np.flatnonzero(known & np.isfinite(importance))
    shown = shown[np.argsort(importance[shown], kind="stable")]
    points = axes.scatter(
        x[shown],
        y[shown],
        c=importance[shown],
        cmap=style.warm_map(),
        vmin=0,
        vmax=1,
        s=size,
        linewidths=0,
        rasterized=raster,
    )
    return points if len(shown) else None


def _title(axes: Axes, data: ReplacementPoints, side: str, width_mm: float) -> None:
    of = data.model_a if side == "a" else data.model_b
    text = style.fitted(f"{side.upper()} · {of}", width_mm, bold=True)
    axes.set_title(text, color=style.MODEL_COLOURS[side], fontweight="bold", fontsize=7)
