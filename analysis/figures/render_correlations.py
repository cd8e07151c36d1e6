"""Correlations of the components with performance and with profiles, and of single concepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.embedding_data import ConceptCounts, CorrelationMatrix
from analysis.figures.names import name_points
from analysis.figures.palette import category_colours, category_word
from analysis.figures.words import label, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_ROW_MM = 3.8
SURVIVES = 0.05  # adjusted p below which a correlation counts


def survives(data: CorrelationMatrix, level: float = SURVIVES) -> np.ndarray:
    """Cells whose correlation holds after correction for all the tests of the matrix."""
    return np.isfinite(data.r) & (data.p_adjusted < level)


def render_correlations(
    data: CorrelationMatrix, width_mm: float = style.DOUBLE_COLUMN_MM, level: float = SURVIVES
) -> Figure:
    """A heatmap of correlations with the components (LCE paper, Figs. 5 and 7).

    Each cell says r and, in brackets, of how many models; cells that do not survive
    Benjamini–Hochberg over the whole matrix are grey. Call inside `journal_style`.
    """
    rows, components = data.r.shape
    names = [style.fitted(row_word(row), 0.42 * width_mm, 6.5) for row in data.rows]
    figure = style.new_figure(width_mm, _ROW_MM * rows + 22)
    axes = figure.add_subplot()
    holds = survives(data, level)
    mesh = axes.pcolormesh(
        np.ma.masked_where(~holds, data.r),
        cmap=style.signed_map(),
        vmin=-1,
        vmax=1,
        edgecolors="white",
        linewidth=0.6,
    )
    axes.set_facecolor(style.MISSING_COLOUR)
    for row, component in np.ndindex(rows, components):
        _cell(axes, data, row, component, bool(holds[row, component]), mesh)
    axes.set_xticks(np.arange(components) + 0.5, [str(c) for c in range(1, components + 1)])
    axes.set_xlabel("component")
    axes.set_yticks(np.arange(rows) + 0.5, names)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    style.colour_bar(figure, mesh, axes, "correlation r")
    _heading(figure, data, holds, level, width_mm)
    return figure


def row_word(row: str) -> str:
    """A row of the table as figures call it: a task, or a category in the plural."""
    for counting in ("all", "unique"):
        ending = f" ({counting})"
        if row.endswith(ending):
            return f"{category_word(row.removesuffix(ending))}{ending}"
    return row


def _cell(
    axes: Axes, data: CorrelationMatrix, row: int, component: int, holds: bool, mesh: object
) -> None:
    value = data.r[row, component]
    known = np.isfinite(value)
    words = f"{number(value)}  ({data.n[row, component]})" if known else "not known"
    colour = style.QUIET_COLOUR
    if holds:
        colour = style.text_on(mesh.cmap(mesh.norm(value)))  # type: ignore[attr-defined]
    axes.text(
        component + 0.5,
        row + 0.5,
        words,
        ha="center",
        va="center_baseline",
        fontsize=5.8,
        fontweight="bold" if holds else "normal",
        color=colour,
    )


def _heading(
    figure: Figure, data: CorrelationMatrix, holds: np.ndarray, level: float, width_mm: float
) -> None:
    tested = int(np.isfinite(data.p_adjusted).sum())
    lines = (
        f"{int(holds.sum())} of {tested} correlations survive correction"
        f" (adjusted p < {level:g}); grey: they do not.",
        "In each cell: r and, in brackets, how many models it is from.",
    )
    if width_mm < _NARROW_MM:
        lines = (
            f"{int(holds.sum())} of {tested} survive correction (adjusted p < {level:g});",
            "grey: they do not. In each cell: r (models).",
        )
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=6.5)


def render_concept_counts(data: ConceptCounts, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """Units that know one concept against a component of the embedding (LCE paper, Fig. 6)."""
    narrow = width_mm < _NARROW_MM
    figure = style.new_figure(width_mm, 0.8 * width_mm if narrow else 0.55 * width_mm)
    axes = figure.add_subplot()
    colour = category_colours((data.category,))[data.category]
    axes.scatter(
        data.position,
        data.units,
        s=22,
        color=colour,
        edgecolors=style.TEXT_COLOUR,
        linewidths=0.4,
        zorder=3,
    )
    axes.margins(0.1)
    axes.set_ylim(bottom=min(0, -0.04 * float(data.units.max(initial=1))))
    axes.set_xlabel(f"component {data.component}")
    axes.set_ylabel(style.fitted(f"units for {data.concept}", 0.5 * width_mm))
    correlation = f"r = {number(data.r)}" if np.isfinite(data.r) else "r not known"
    words = (
        f"{data.concept} ({category_word(data.category)}): {correlation}, n = {len(data.models)}"
    )
    axes.set_title(style.fitted(words, width_mm - 14, 7, bold=True), fontweight="bold", fontsize=7)
    points = np.stack([data.position, data.units.astype(float)], axis=1)
    name_points(axes, points, [label(name) for name in data.models], 0.36 * width_mm, size=6.0)
    return figure
