"""Separability over depth, TCAV scores, and UCS over thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.heat_sheet import fitted_layer
from analysis.figures.render_semantics import model_words
from analysis.figures.semantics_choice import MaskPairs
from analysis.figures.semantics_data import DepthLayer, SemanticsIndex, Separability, TcavScores
from analysis.figures.semantics_readers import SIGNIFICANT
from analysis.figures.semantics_words import concept_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_LEFT_MM = 12.0  # of the words and numbers at the left
_PANEL_MM = 34.0
_TALL_MM = 25.0  # lower panels share the words at their left
_MARKERS = {"a": "o", "b": "s"}
_MOST_HEIGHT_MM = 240.0
_MARKED_UP_TO = 20  # more thresholds than that are a line alone
_CHANCE: Mapping[str, Any] = {
    "facecolor": style.MISSING_COLOUR,
    "edgecolor": style.LINE_COLOUR,
    "hatch": "//////",
    "linewidth": 0.0,
}


def _panels(
    panels: int, width_mm: float, extra_mm: float, x_words: str, y_words: str
) -> tuple[Figure, list[Axes], float]:
    """Small axes with shared ends and words at the outer ones, and the width of each in
    millimetres."""
    columns = min(panels, 2 if width_mm < _NARROW_MM else 4)
    rows = -(-panels // columns)
    panel_mm = min(_PANEL_MM, (_MOST_HEIGHT_MM - extra_mm) / rows)
    figure = style.new_figure(width_mm, rows * panel_mm + extra_mm)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    _trim(grid, panels, x_words)
    for axes in grid[:, 0]:
        axes.set_ylabel(y_words if panel_mm > _TALL_MM else "")
    if panel_mm <= _TALL_MM:
        figure.supylabel(y_words, fontsize=7)
    shown = list(grid.flat)[:panels]
    return figure, shown, (width_mm - _LEFT_MM) / columns - 3


def _trim(grid: np.ndarray, panels: int, x_words: str) -> None:
    """Remove axes beyond the last panel; words and numbers below the lowest of each column.

    The ticks do not depend on the size of the axes, which would change while they are laid out.
    """
    from matplotlib.ticker import MaxNLocator

    columns = grid.shape[1]
    for place, axes in enumerate(grid.flat):
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        if place >= panels:
            axes.remove()
        elif place + columns >= panels:
            axes.xaxis.set_tick_params(labelbottom=True)
            axes.set_xlabel(x_words)


def places_of(layers: Sequence[DepthLayer]) -> tuple[np.ndarray, bool]:
    """Where layers lie, 0…1: their depths; where one has none, their order. And which it is."""
    depths = np.array([layer.depth for layer in layers], dtype=float)
    if np.isfinite(depths).all():
        return depths, True
    return np.linspace(0, 1, len(layers)) if len(layers) > 1 else np.zeros(len(layers)), False


def render_separability(
    index: SemanticsIndex, data: Sequence[Separability], width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """A panel a concept: held-out accuracy over the depth of each model, with intervals.

    Filled marks are vectors that separate the concept from permuted labels, hollow ones do not;
    dashes are what one in twenty permutations reaches. Call inside `journal_style`.

    :param data: of model A, and of model B where it is another.
    """
    concepts = tuple(dict.fromkeys(name for one in data for name in one.concepts))
    by_depth = all(places_of(one.layers)[1] for one in data)
    x_words = "relative depth" if by_depth else "layers in order"
    figure, panels, panel_mm = _panels(len(concepts), width_mm, 13, x_words, "accuracy, held out")
    for axes, concept in zip(panels, concepts, strict=True):
        for side, one in zip("ab", data, strict=False):
            if concept in one.concepts:
                _curve(axes, one, one.concepts.index(concept), side)
        title = style.fitted(concept_title(concept), panel_mm, 7, bold=True, middle=True)
        axes.set_title(title, fontsize=7, fontweight="bold")
        axes.set(xticks=(0, 0.5, 1), yticks=(0, 0.25, 0.5, 0.75, 1))
        axes.set(xlim=(-0.04, 1.04), ylim=(_lowest(data), 1.02))
    _separability_legend(figure, index, data, width_mm)
    return figure


def _lowest(data: Sequence[Separability]) -> float:
    """The lower end of the axis: chance, or lower where something lies there."""
    values = np.concatenate([np.ravel(one.ci_low) for one in data] + [np.array([0.47])])
    return max(0.0, float(np.nanmin(values)) - 0.02)


def _curve(axes: Axes, data: Separability, row: int, side: str) -> None:
    x, _ = places_of(data.layers)
    colour, marker = style.MODEL_COLOURS[side], _MARKERS[side]
    mean = data.accuracy[row]
    known = np.isfinite(mean)
    axes.fill_between(x, data.ci_low[row], data.ci_high[row], color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, data.null_95[row], color=colour, linewidth=0.7, linestyle=(0, (2, 1.5)))
    axes.plot(x[known], mean[known], color=colour, linewidth=1.0)
    for chosen, face in ((data.separates[row], colour), (~data.separates[row], "white")):
        axes.plot(
            x[chosen & known],
            mean[chosen & known],
            linestyle="none",
            marker=marker,
            markersize=3.2,
            markerfacecolor=face,
            markeredgecolor=colour,
            markeredgewidth=0.7,
        )


def _separability_legend(
    figure: Figure, index: SemanticsIndex, data: Sequence[Separability], width_mm: float
) -> None:
    from matplotlib.lines import Line2D

    columns = 2 if width_mm < _NARROW_MM else 4
    room = width_mm / columns - 9
    handles = [
        Line2D(
            [],
            [],
            color=style.MODEL_COLOURS[side],
            marker=_MARKERS[side],
            markersize=3.2,
            linewidth=1.0,
            label=style.fitted(model_words(index, place), room, 6, middle=True),
        )
        for place, side in zip(range(len(data)), "ab", strict=False)
    ]
    grey = style.QUIET_COLOUR
    handles += [
        Line2D([], [], linestyle="none", marker="o", markersize=3.2, markerfacecolor="white",
               markeredgecolor=grey, markeredgewidth=0.7, label="does not separate"),
        Line2D([], [], color=grey, linewidth=0.7, linestyle=(0, (2, 1.5)),
               label="95 % of permuted labels"),
    ]  # fmt: skip
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=columns,
        fontsize=6,
        columnspacing=1.4,
        handletextpad=0.5,
    )


def render_tcav(
    index: SemanticsIndex, data: TcavScores, width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """A panel a class: the score of every concept with its interval, and the range of random
    concepts behind it. Pale bars are not told from random. Call inside `journal_style`."""
    narrow = width_mm < _NARROW_MM
    panels, concepts = len(data.classes), len(data.concepts)
    columns = min(panels, 2 if narrow else 4)
    rows = -(-panels // columns)
    row_mm = max(2.6, min(4.6, ((_MOST_HEIGHT_MM - 14) / rows - 12) / max(1, concepts)))
    figure = style.new_figure(width_mm, rows * (concepts * row_mm + 12) + 14)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    side = "ab"[index.models.index(data.model)]
    name_mm = (0.28 if narrow else 0.17) * width_mm
    names = [style.fitted(concept_title(name), name_mm, 6.5, middle=True) for name in data.concepts]
    _trim(grid, panels, "TCAV score")
    for place, axes in enumerate(list(grid.flat)[:panels]):
        _bars(axes, data, place, style.MODEL_COLOURS[side])
        axes.set_yticks(range(concepts), names, fontsize=6.5)
        room = (width_mm - name_mm) / columns - 4
        title = style.fitted(data.classes[place], room, 7, bold=True, middle=True)
        axes.set_title(title, fontsize=7, fontweight="bold")
        axes.set(xlim=(0, 1), ylim=(concepts - 0.5, -0.5))
        axes.tick_params(axis="y", length=0)
    model = model_words(index, "ab".index(side))
    title = style.fitted(f"{model}, {data.layer}", width_mm - 4, 7.5, bold=True, middle=True)
    figure.suptitle(title, x=0.01, ha="left", fontsize=7.5, fontweight="bold",
                    color=style.MODEL_COLOURS[side])  # fmt: skip
    _tcav_legend(figure, data, style.MODEL_COLOURS[side], narrow)
    return figure


def told_from_random(data: TcavScores) -> np.ndarray:
    """Which scores, (concepts, classes), lie outside of the range of random concepts and are told
    from them by the corrected test, as far as both are known."""
    with np.errstate(invalid="ignore"):
        outside = ~((data.score >= data.null_low) & (data.score <= data.null_high))
        told = outside & ~(data.p_adjusted >= SIGNIFICANT)
    return np.isfinite(data.score) & data.separates[:, None] & told


def _bars(axes: Axes, data: TcavScores, place: int, colour: str) -> None:
    told = told_from_random(data)[:, place]
    for row in range(len(data.concepts)):
        score = data.score[row, place]
        low, high = data.null_low[row, place], data.null_high[row, place]
        usable = bool(data.separates[row]) and np.isfinite(score)
        if usable and np.isfinite(low) and np.isfinite(high):
            axes.barh(row, high - low, left=low, height=0.86, color=style.TILE_COLOUR,
                      alpha=0.55, linewidth=0, zorder=1)  # fmt: skip
        if not usable:
            word = "no score" if data.separates[row] else "does not separate"
            axes.text(0.02, row, word, va="center", fontsize=5.5, color=style.QUIET_COLOUR)
            continue
        face = colour if told[row] else "white"
        axes.barh(row, score, height=0.42, facecolor=face, edgecolor=colour, linewidth=0.7,
                  zorder=2)  # fmt: skip
        ends = (data.ci_low[row, place], data.ci_high[row, place])
        if np.isfinite(ends).all():
            axes.plot(ends, (row, row), color=style.TEXT_COLOUR, linewidth=0.9, zorder=3,
                      solid_capstyle="butt")  # fmt: skip


def _tcav_legend(figure: Figure, data: TcavScores, colour: str, narrow: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    told = told_from_random(data)
    shown = data.separates[:, None] & np.isfinite(data.score)
    handles: list[Any] = []
    if told.any():
        handles.append(Patch(facecolor=colour, edgecolor=colour, label="told from random"))
    if (shown & ~told).any():
        handles.append(Patch(facecolor="white", edgecolor=colour, label="not told from random"))
    if shown.any():
        handles.append(
            Line2D([], [], color=style.TEXT_COLOUR, linewidth=0.9, label="95 % interval")
        )
        grey = Patch(color=style.TILE_COLOUR, alpha=0.55, linewidth=0,
                     label="95 % of random concepts")  # fmt: skip
        handles.append(grey)
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=2 if narrow else 4,
                      fontsize=6, handlelength=1.6, columnspacing=1.4)  # fmt: skip


def render_robustness(data: MaskPairs, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """A panel a pair of concepts: UCS over the thresholds with its interval, beside chance.

    Call inside `journal_style`.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    matrix = data.matrix
    figure, panels, panel_mm = _panels(len(data.pairs), width_mm, 21, "threshold", "UCS")
    x = matrix.thresholds
    top = float(np.nanmax([np.nanmax(_all_of(data), initial=0.0), 0.05]))
    marker = "o" if len(x) <= _MARKED_UP_TO else ""
    colour = style.TEXT_COLOUR
    for axes, (a, b) in zip(panels, data.pairs, strict=True):
        axes.fill_between(x, 0, matrix.null_95[:, a, b], **_CHANCE)
        band = (matrix.ci_low[:, a, b], matrix.ci_high[:, a, b])
        axes.fill_between(x, *band, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, matrix.ucs[:, a, b], color=colour, linewidth=1.0, marker=marker,
                  markersize=2.0)  # fmt: skip
        axes.axvline(data.threshold_value, color=style.LINE_COLOUR, linewidth=0.6, zorder=0)
        title = f"A {matrix.concepts_a[a].number} – B {matrix.concepts_b[b].number}"
        axes.set_title(style.fitted(title, panel_mm, 7, bold=True), fontsize=7, fontweight="bold")
        axes.set(ylim=(0, min(1.02, 1.06 * top)))
    _layer_title(figure, data, width_mm)
    handles: list[Any] = [
        Line2D([], [], color=colour, linewidth=1.0, marker=marker, markersize=2.0,
               label="UCS"),
        Patch(color=colour, alpha=0.2, linewidth=0, label="95 % interval"),
        Patch(label="not above chance", **_CHANCE),
        Line2D([], [], color=style.LINE_COLOUR, linewidth=0.6, label="threshold of the matches"),
    ]  # fmt: skip
    columns = 2 if width_mm < _NARROW_MM else 4
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, fontsize=6,
                  columnspacing=1.4)  # fmt: skip
    return figure


def _all_of(data: MaskPairs) -> np.ndarray:
    """Everything that is drawn of the pairs, with a 0 in case there is nothing."""
    rows, columns = (list(side) for side in zip(*data.pairs, strict=True))
    arrays = (data.matrix.ucs, data.matrix.ci_high, data.matrix.null_95)
    drawn = [np.ravel(array[:, rows, columns]) for array in arrays]
    return np.concatenate([*drawn, np.zeros(1)])


def _layer_title(figure: Figure, data: MaskPairs, width_mm: float) -> None:
    """Both layers above the panels, each in its model's colour."""
    matrix = data.matrix
    lines = [
        fitted_layer(f"A · {model_words(data.index, 0)}", matrix.layer_a, width_mm - 4),
        fitted_layer(f"B · {model_words(data.index, 1)}", matrix.layer_b, width_mm - 4),
    ]
    height_mm = figure.get_figheight() * 25.4
    for place, (text, side) in enumerate(zip(lines, "ab", strict=True)):
        figure.text(
            1.2 / width_mm,
            1 - (2.9 + 3.3 * place) / height_mm,
            text,
            color=style.MODEL_COLOURS[side],
            fontsize=7,
            fontweight="bold",
            va="center",
        )
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 1 - 7.5 / height_mm))
