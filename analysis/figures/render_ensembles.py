"""What combining two models gains over the better of them, for every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.embedding_data import EnsembleGains
from analysis.figures.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120


def real_gains(data: EnsembleGains) -> np.ndarray:
    """Pairs whose gain or loss is more than chance: the interval does not hold 0.

    A pair without an interval counts as it is.
    """
    known = np.isfinite(data.gain)
    doubtful = np.isfinite(data.ci_low) & (data.ci_low <= 0) & (data.ci_high >= 0)
    return known & ~doubtful


def render_ensembles(data: EnsembleGains, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """A heatmap of gains off the diagonal, performances on it (LCE paper, Fig. 8).

    Gains are in points of a hundred; those whose 95 % interval holds 0 are grey. Call inside
    `journal_style`.
    """
    models = len(data.models)
    narrow = width_mm < _NARROW_MM
    name_mm = (0.24 if narrow else 0.2) * width_mm
    names = [style.fitted(name, name_mm, 6.0, middle=True) for name in data.models]
    widest = max(style.text_width_mm(name, 6.0) for name in names)
    side = min(width_mm - widest - (17 if narrow else 22), 20.0 * models)
    cell = side / models
    figure = style.new_figure(width_mm, side + widest + 16)
    axes = figure.add_subplot()
    holds = real_gains(data)
    gain = 100 * data.gain
    top = float(np.nanmax(np.abs(gain[holds]), initial=0.1)) if holds.any() else 1.0
    mesh = axes.pcolormesh(
        np.ma.masked_where(~holds, gain),
        cmap=style.signed_map(),
        vmin=-top,
        vmax=top,
        edgecolors="white",
        linewidth=0.5,
    )
    axes.set_facecolor("white")
    _doubtful(axes, np.isfinite(gain) & ~holds)
    size = min(6.0, 1.15 * cell)
    if size >= 3.6:
        _write(axes, data, holds, mesh, size)
    ticks = np.arange(models) + 0.5
    axes.set_xticks(ticks, names, rotation=90, fontsize=6.0)
    axes.set_yticks(ticks, names, fontsize=6.0)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    style.colour_bar(figure, mesh, axes, "gain over the better one, points")
    lines = [style.fitted(data.task, width_mm - 6, 7, bold=True)]
    figure.suptitle(lines[0], x=0.01, ha="left", fontsize=7, fontweight="bold")
    notes = "diagonal: accuracy in %; grey: the 95 % interval of the gain holds 0"
    figure.supxlabel(style.fitted(notes, width_mm - 4, 6), x=0.01, ha="left", fontsize=6)
    return figure


def _doubtful(axes: Axes, cells: np.ndarray) -> None:
    from matplotlib.patches import Rectangle

    for row, column in np.argwhere(cells):
        axes.add_patch(
            Rectangle(
                (column, row),
                1,
                1,
                facecolor=style.MISSING_COLOUR,
                edgecolor="white",
                linewidth=0.5,
            )
        )


def _write(axes: Axes, data: EnsembleGains, holds: np.ndarray, mesh: Any, size: float) -> None:
    decimals = 1 if size >= 4.5 else 0
    for row, column in np.ndindex(data.gain.shape):
        on_diagonal = row == column
        share = data.performance[row] if on_diagonal else data.gain[row, column]
        value = 100 * float(share)
        if not np.isfinite(value):
            continue
        colour = style.TEXT_COLOUR if on_diagonal else style.QUIET_COLOUR
        if holds[row, column]:
            colour = style.text_on(mesh.cmap(mesh.norm(value)))
        axes.text(
            column + 0.5,
            row + 0.5,
            number(value, decimals if on_diagonal else 1),
            ha="center",
            va="center_baseline",
            fontsize=size,
            fontweight="bold" if on_diagonal else "normal",
            color=colour,
        )
