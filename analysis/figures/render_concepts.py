"""Similarity against importance of every concept of both models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.data import ConceptPoints
from analysis.figures.density import point_density
from analysis.figures.words import count, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONCEPT_MEASURES = {
    "cmcs_pearson": "cross-model concept similarity (CMCS, Pearson)",
    "cmcs_spearman": "cross-model concept similarity (CMCS, Spearman)",
    "smcs_pearson": "same-model concept similarity (SMCS, Pearson)",
    "mcs_pearson": "maximum concept similarity (MCS, Pearson)",
}
_SHORT_WORDS = {
    "cmcs_pearson": "CMCS (Pearson)",
    "cmcs_spearman": "CMCS (Spearman)",
    "smcs_pearson": "SMCS (Pearson)",
    "mcs_pearson": "MCS (Pearson)",
}
REGION_WORDS = {1: "unlike, unimportant", 2: "shared, important", 3: "unlike, important"}


def regions(
    similarity: np.ndarray, importance: np.ndarray, low_similarity: float, high_importance: float
) -> np.ndarray:
    """The region of each concept (paper, Fig. 3), 0 where it is in none.

    1: low similarity, low importance; 2: high similarity, high importance; 3: low similarity,
    high importance. A missing number (NaN) is in no region.
    """
    known = np.isfinite(similarity) & np.isfinite(importance)
    low, high = similarity < low_similarity, importance >= high_importance
    return np.select([known & low & ~high, known & ~low & high, known & low & high], [1, 2, 3], 0)


def render_concepts(
    data: ConceptPoints,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    measure: str = "cmcs_pearson",
    low_similarity: float = 0.5,
    high_importance: float = 0.3,
    class_name: str = "",
) -> Figure:
    """One panel a model: similarity × importance, coloured by how crowded a place is (Fig. 3).

    Panels stand side by side, or above one another in a narrow figure. A model without a
    classification head has no importance: its panel counts concepts by similarity instead.
    Call inside `journal_style`.

    :param class_name: named in the title when `data` was limited to one class.
    """
    narrow = width_mm < 120
    figure = style.new_figure(width_mm, 1.62 * width_mm if narrow else 0.5 * width_mm)
    panels = figure.subplots(2 if narrow else 1, 1 if narrow else 2, squeeze=False).ravel()
    limits = _limits(getattr(data, measure))
    drawn = None
    for axes, side in zip(panels, "ab", strict=True):
        mappable = _panel(axes, data, side, measure, low_similarity, high_importance, limits)
        drawn = mappable or drawn
        _panel_title(axes, data, side, width_mm - 14 if narrow else width_mm / 2 - 19)
        axes.set_xlabel((_SHORT_WORDS if narrow else CONCEPT_MEASURES)[measure])
    if drawn is not None:
        _density_bar(figure, drawn, panels, narrow)
    if class_name:
        text = style.fitted(f"Class {class_name}", width_mm - 4, size=7.5)
        figure.suptitle(text, x=0.01, ha="left", fontsize=7.5)
    return figure


def _limits(similarity: np.ndarray) -> tuple[float, float]:
    finite = similarity[np.isfinite(similarity)]
    lowest = float(finite.min()) if len(finite) else 0.0
    return min(-0.05, np.floor(lowest * 10) / 10), 1.02


def _panel(
    axes: Axes,
    data: ConceptPoints,
    side: str,
    measure: str,
    low_similarity: float,
    high_importance: float,
    limits: tuple[float, float],
) -> object | None:
    of_side = data.side == side
    similarity, importance = getattr(data, measure)[of_side], data.importance[of_side]
    known = np.isfinite(similarity)
    if not known.any():
        style.quiet_note(axes, "no similarities of these concepts yet")
        return None
    axes.set_xlim(*limits)
    if measure.startswith(("cmcs_pearson",)):
        _mark_chance(axes, data.null_95[of_side])
    if not np.isfinite(importance[known]).any():
        _count_panel(axes, similarity[known], side)
        return None
    both = known & np.isfinite(importance)
    mappable = _density_points(axes, similarity[both], importance[both])
    axes.set_ylim(-0.03, 1.14)  # the words of regions 2 and 3 stand above every point
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("concept importance")
    region = regions(similarity, importance, low_similarity, high_importance)
    _mark_regions(axes, region, low_similarity, high_importance, limits)
    return mappable


def _density_points(axes: Axes, x: np.ndarray, y: np.ndarray) -> object:
    density = point_density(x, y)
    order = np.argsort(density, kind="stable")
    return axes.scatter(
        x[order],
        y[order],
        c=density[order],
        cmap=style.warm_map(),
        vmin=0,
        vmax=1,
        s=3.0 if len(x) > 1000 else 9.0,
        linewidths=0,
        rasterized=style.raster_many(len(x)),
        zorder=2,
    )


def _mark_regions(
    axes: Axes,
    region: np.ndarray,
    low_similarity: float,
    high_importance: float,
    limits: tuple[float, float],
) -> None:
    line: dict[str, Any] = {
        "color": style.LINE_COLOUR,
        "linewidth": 0.6,
        "linestyle": (0, (4, 3)),
        "zorder": 1,
    }
    axes.axvline(low_similarity, **line)
    axes.axhline(high_importance, **line)
    edge = 0.012 * (limits[1] - limits[0])
    places = {
        1: (limits[0] + edge, high_importance - 0.02, "left"),
        2: (limits[1], 1.13, "right"),
        3: (limits[0] + edge, 1.13, "left"),
    }
    for number_of_region, (x, y, side) in places.items():
        amount = int((region == number_of_region).sum())
        axes.text(
            x,
            y,
            f"{number_of_region}  {REGION_WORDS[number_of_region]}: {amount:,}",
            ha=side,
            va="top",
            fontsize=6.5,
            fontweight="bold" if number_of_region == 3 else "normal",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
        )


def _mark_chance(axes: Axes, null: np.ndarray) -> None:
    """The median null as a thin mark across the panel."""
    finite = null[np.isfinite(null)]
    if len(finite) == 0:
        return
    middle = float(np.median(finite))
    axes.axvline(middle, color=style.TEXT_COLOUR, linewidth=0.5, ymax=0.86, zorder=1)
    right = middle < 0.05  # no room for the words on the left
    axes.annotate(
        f"chance {number(middle)}",
        (middle, 0.85),
        xycoords=axes.get_xaxis_transform(),
        xytext=(1.5 if right else -1.5, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        rotation=90,
        fontsize=6,
        zorder=1,
    )


def _count_panel(axes: Axes, similarity: np.ndarray, side: str) -> None:
    low, high = axes.get_xlim()
    counts, edges = np.histogram(similarity, np.linspace(low, high, 28))
    axes.bar(
        edges[:-1],
        counts,
        width=np.diff(edges),
        align="edge",
        color=style.MODEL_COLOURS[side],
        alpha=0.75,
    )
    axes.set_ylim(0, 1.2 * counts.max())
    axes.set_ylabel("concepts")
    axes.text(
        0.02,
        0.97,
        "no importance: this model has\nno classification head",
        transform=axes.transAxes,
        va="top",
        fontsize=6.5,
        color=style.QUIET_COLOUR,
    )


def _panel_title(axes: Axes, data: ConceptPoints, side: str, width_mm: float) -> None:
    of, by = (data.model_a, data.model_b) if side == "a" else (data.model_b, data.model_a)
    amount = count(int((data.side == side).sum()), "concept")
    lines = (f"{side.upper()} · {amount} of {of}", f"predicted from {by}")
    text = "\n".join(style.fitted(line, width_mm, bold=True) for line in lines)
    axes.set_title(text, color=style.MODEL_COLOURS[side], fontweight="bold", fontsize=7)


def _density_bar(figure: Figure, mappable: object, panels: np.ndarray, narrow: bool) -> None:
    bar = style.colour_bar(figure, mappable, list(panels), "crowding of concepts", below=narrow)
    (bar.set_xticks if narrow else bar.set_yticks)([0, 1], ["few", "many"])
