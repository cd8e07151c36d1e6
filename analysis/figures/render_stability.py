"""How far groups and points of the embedding move when something about it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.embedding_data import Stability
from analysis.figures.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_ROW_MM = 3.6
_KIND_WORDS = {
    "unit bootstrap": "units drawn anew",
    "leave one out": "without one model",
    "iou threshold": "other IoU threshold",
}
_COLOURS = {
    "unit bootstrap": "#009E73",
    "leave one out": "#0072B2",
    "iou threshold": "#D55E00",
}


def render_stability(data: Stability, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """One line a change: agreement of the groups at the left, how far points move at the right.

    Call inside `journal_style`.
    """
    rows = _rows(data)
    figure = style.new_figure(width_mm, _ROW_MM * len(rows) + 20)
    left, right = figure.subplots(1, 2, sharey=True)
    name_mm = 0.36 * width_mm
    names = []
    for place, (kind, index) in enumerate(rows):
        if index is None:
            names.append(style.fitted(_KIND_WORDS.get(kind, kind), name_mm, 6.5, bold=True))
            continue
        names.append(style.fitted(data.setting[index], name_mm - 2, 6.0))
        colour = _COLOURS.get(kind, style.LINE_COLOUR)
        for axes, values in ((left, data.agreement), (right, data.displacement)):
            _dot(axes, float(values[index]), place, colour)
    narrow = width_mm < _NARROW_MM
    room = 0.5 if narrow else 0.2
    _axis(left, rows, data.agreement, "agreement" if narrow else "agreement of the groups", room)
    _axis(right, rows, data.displacement, "shift" if narrow else "mean shift of the models", room)
    left.set_yticks(np.arange(len(rows)), names)
    for tick, (_, index) in zip(left.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if index is None else "normal")
        tick.set_fontsize(6.5 if index is None else 6.0)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
    left.set_title("1: same groups", fontsize=6.5, color=style.QUIET_COLOUR)
    right.set_title("0: same place", fontsize=6.5, color=style.QUIET_COLOUR)
    return figure


def _rows(data: Stability) -> list[tuple[str, int | None]]:
    """Kinds in their order, each as a heading (None) before its entries."""
    kinds = data.kind.tolist()
    rows: list[tuple[str, int | None]] = []
    for kind in dict.fromkeys(kinds):
        rows.append((kind, None))
        rows += [(kind, index) for index, name in enumerate(kinds) if name == kind]
    return rows


def _dot(axes: Axes, value: float, place: int, colour: str) -> None:
    if not np.isfinite(value):
        return
    axes.plot([0, value], [place, place], color="#D9D9D9", linewidth=0.7, zorder=1)
    axes.plot(value, place, "o", markersize=3.2, color=colour, zorder=2)
    axes.annotate(
        number(value),
        (value, place),
        xytext=(3.5, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=5.5,
    )


def _axis(
    axes: Axes,
    rows: list[tuple[str, int | None]],
    values: np.ndarray,
    words: str,
    room: float,
) -> None:
    finite = values[np.isfinite(values)]
    low, high = min(0.0, finite.min(initial=0.0)), max(finite.max(initial=0.0), 1e-9)
    axes.set_xlim(low - 0.02 * (high - low), high + room * (high - low))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(words)
    axes.spines["left"].set_visible(False)
