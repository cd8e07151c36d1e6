"""Faithfulness of every method beside what null maps reach, and the curves behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.interval_marks import draw_intervals
from analysis.figures.palette import series_mark
from analysis.figures.render_saliency import broken
from analysis.figures.saliency_data import FaithfulnessSummary, MeanCurve, MethodInfo
from analysis.figures.saliency_words import NULL
from analysis.figures.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_MOST_HEIGHT_MM = 240.0
_ARROWS = {"higher": "higher is better →", "lower": "← lower is better", "": ""}
_NULL_DASHES: tuple[Any, ...] = ((0, (1, 1.2)), (0, (4, 1.5)), (0, (4, 1.2, 1, 1.2)))
_CURVE_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (2, 1)))
_BANDS_UP_TO = 6  # more bands than this cover one another


def null_range(data: FaithfulnessSummary, metric: int, model: int) -> tuple[float, float]:
    """From the lowest to the highest mean that a null map reaches, with their intervals; NaN where
    none was measured."""
    null = [place for place, method in enumerate(data.methods) if method.kind == NULL]
    ends = [
        array[metric, model, null] for array in (data.ci_low, data.ci_high, data.mean)
    ]  # the mean stands in for a missing interval
    values = np.concatenate(ends) if null else np.zeros(0)
    known = values[np.isfinite(values)]
    if not len(known):
        return np.nan, np.nan
    return float(known.min()), float(known.max())


def render_faithfulness(
    data: FaithfulnessSummary, width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """A panel a metric: the mean of every method with its interval, models under one another.

    A bar in each model's colour reaches over what null maps score; a ring marks a method that is
    best by the paired tests. Call inside `journal_style`.
    """
    narrow = width_mm < _NARROW_MM
    panels = len(data.metrics)
    columns = min(panels, 2 if narrow else (3 if panels <= 6 else 4))
    rows = -(-panels // columns)
    models, methods = len(data.models), len(data.methods)
    row_mm = max(3.2, 1.9 * models)
    row_mm = max(2.3, min(row_mm, (_MOST_HEIGHT_MM / rows - 15) / methods))
    legend_mm = 5.0 * -(-(models + 2) // (2 if narrow else 4)) + 1
    figure = style.new_figure(width_mm, rows * (methods * row_mm + 15) + legend_mm)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    size = min(6.5, max(5.0, 2.2 * row_mm))
    name_mm = (0.3 if narrow else 0.2) * width_mm
    names = [style.fitted(method.title, name_mm, size, middle=True) for method in data.methods]
    for place, axes in enumerate(grid.flat):
        if place >= panels:
            axes.remove()
            continue
        _panel(axes, data, place, row_mm)
        axes.set_yticks(range(methods), names, fontsize=size)
        for tick, method in zip(axes.yaxis.get_major_ticks(), data.methods, strict=False):
            tick.label1.set_color(_name_colour(method))
        panel_mm = (width_mm - name_mm) / columns - 3
        title = broken(data.metrics[place].title, panel_mm, 7, bold=True)
        axes.set_title("\n".join(title), fontsize=7, fontweight="bold")
        axes.set_xlabel(_ARROWS[data.metrics[place].better], fontsize=6)
        axes.set_ylim(methods - 0.5, -0.5)
    _legend(figure, data, width_mm, narrow)
    return figure


def _name_colour(method: MethodInfo) -> str:
    return style.QUIET_COLOUR if method.kind == NULL else style.TEXT_COLOUR


def _panel(axes: Axes, data: FaithfulnessSummary, metric: int, row_mm: float) -> None:
    from matplotlib.ticker import MaxNLocator

    models, methods = len(data.models), len(data.methods)
    lane = 0.86 / models
    size = min(3.4, 1.5 * row_mm / models)
    for j in range(models):
        mark = series_mark(j)
        y = np.arange(methods) - 0.43 + lane * (j + 0.5)
        low, high = null_range(data, metric, j)
        if np.isfinite(low):
            thin = max(high - low, 1e-9)
            axes.barh(y, thin, left=low, height=lane, color=mark.colour, alpha=0.17, linewidth=0)
        mean = data.mean[metric, j]
        low, high = data.ci_low[metric, j], data.ci_high[metric, j]
        draw_intervals(axes, mean, low, high, y, mark, size)
        best = data.best[metric, j] & np.isfinite(mean)
        axes.plot(
            mean[best],
            y[best],
            linestyle="none",
            marker="o",
            markersize=size + 3.2,
            markerfacecolor="none",
            markeredgecolor=style.TEXT_COLOUR,
            markeredgewidth=0.8,
            zorder=4,
        )
    for line in np.arange(methods - 1) + 0.5:
        axes.axhline(line, color=style.MISSING_COLOUR, linewidth=0.5, zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=6)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.margins(x=0.06)


def _legend(figure: Figure, data: FaithfulnessSummary, width_mm: float, narrow: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    columns = 2 if narrow else 4
    room = width_mm / columns - 9
    handles: list[Any] = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=series_mark(place).marker,
            color=series_mark(place).colour,
            markersize=3.4,
            label=style.fitted(name, room, 6.0, middle=True),
        )
        for place, name in enumerate(data.models)
    ]
    if any(method.kind == NULL for method in data.methods):
        handles.append(Patch(color=style.TILE_COLOUR, label="range of null maps", linewidth=0))
    if data.best.any():
        ring = Line2D([], [], linestyle="none", marker="o", markersize=6, markerfacecolor="none",
                      markeredgecolor=style.TEXT_COLOUR, label="best by paired tests")  # fmt: skip
        handles.append(ring)
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=min(columns, len(handles)),
        fontsize=6,
        handletextpad=0.5,
        columnspacing=1.5,
    )


def render_curves(
    curves: Sequence[MeanCurve],
    methods: Sequence[MethodInfo],
    class_words: str = "explained class",
    start_words: str = "nothing",
    end_words: str = "nothing",
    width_mm: float = style.DOUBLE_COLUMN_MM,
) -> Figure:
    """A row a model, insertion at the left and deletion at the right; null maps are grey.

    The legend of each row says the area under both curves. Where there are few methods the 95 %
    interval is a band. Call inside `journal_style`.

    :param class_words: whose probability it is.
    :param start_words: what insertion starts from; `end_words`: what deletion ends in.
    """
    models = list(dict.fromkeys(curve.model for curve in curves))
    narrow = width_mm < _NARROW_MM
    shown = [[curve for curve in curves if curve.model == model] for model in models]
    keys = [len({curve.method for curve in of_model}) for of_model in shown]
    heights = [(60 if narrow else 64) + 3.4 * -(-key // (1 if narrow else 3)) for key in keys]
    figure = style.new_figure(width_mm, sum(heights))
    parts = figure.subfigures(len(models), 1, squeeze=False, height_ratios=heights)[:, 0]
    top = max((float(np.nanmax([curve.mean, curve.high])) for curve in curves), default=1.0)
    for part, model, of_model in zip(parts, models, shown, strict=True):
        pair = part.subplots(1, 2, sharey=True)
        marks = _curve_styles(of_model, methods)
        banded = len(marks) <= _BANDS_UP_TO
        for axes, kind in zip(pair, ("insertion", "deletion"), strict=True):
            for curve in (curve for curve in of_model if curve.kind == kind):
                _draw(axes, curve, marks[curve.method], banded)
            inserted = kind == "insertion"
            ground = start_words if inserted else end_words
            text = f"Insertion, from {ground}" if inserted else f"Deletion, to {ground}"
            axes.set_title("\n".join(broken(text, width_mm / 2 - 9, 7)), fontsize=7)
            axes.set_xlabel("pixels in, %" if inserted else "pixels out, %")
            axes.set(xlim=(0, 100), ylim=(0, min(1.02, 1.08 * top)))
        pair[0].set_ylabel(f"probability of the {class_words}" if not narrow else "probability")
        _curve_legend(part, of_model, marks, methods, width_mm, narrow)
        title = style.fitted(model, width_mm - 4, 7.5, bold=True, middle=True)
        part.suptitle(title, x=0.01, ha="left", fontsize=7.5, fontweight="bold")
    return figure


def _curve_styles(
    curves: Sequence[MeanCurve], methods: Sequence[MethodInfo]
) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each method; a method has the same in every row of a figure."""
    real = [method.label for method in methods if method.kind != NULL]
    null = [method.label for method in methods if method.kind == NULL]
    measured = {curve.method for curve in curves}
    styles: dict[str, dict[str, Any]] = {}
    for place, label in enumerate(real):
        dashes = _CURVE_DASHES[(place // 8) % len(_CURVE_DASHES)]
        styles[label] = {"color": series_mark(place).colour, "linestyle": dashes, "linewidth": 1.0}
    for place, label in enumerate(null):
        dashes = _NULL_DASHES[place % len(_NULL_DASHES)]
        styles[label] = {"color": style.LINE_COLOUR, "linestyle": dashes, "linewidth": 1.0}
    return {label: look for label, look in styles.items() if label in measured}


def _draw(axes: Axes, curve: MeanCurve, look: dict[str, Any], banded: bool) -> None:
    x = 100 * curve.fraction
    if banded and np.isfinite(curve.low).all():
        axes.fill_between(x, curve.low, curve.high, color=look["color"], alpha=0.15, linewidth=0)
    axes.plot(x, curve.mean, **look)


def _curve_legend(
    part: Any,
    curves: Sequence[MeanCurve],
    marks: dict[str, dict[str, Any]],
    methods: Sequence[MethodInfo],
    width_mm: float,
    narrow: bool,
) -> None:
    from matplotlib.lines import Line2D

    areas = {(curve.method, curve.kind): curve.auc for curve in curves}
    titles = {method.label: method.title for method in methods}
    columns = 1 if narrow else 3
    handles = []
    for label, look in marks.items():
        found = [
            number(areas[label, kind], 3) if (label, kind) in areas else "–"
            for kind in ("insertion", "deletion")
        ]
        text = f"  {found[0]} / {found[1]}"
        room = width_mm / columns - 14 - style.text_width_mm(text, 6.0)
        handles.append(Line2D([], [], label=style.fitted(titles[label], room, 6.0) + text, **look))
    n = max((curve.n for curve in curves), default=0)
    images = "1 image" if n == 1 else f"{n:,} images"
    legend = part.legend(
        handles=handles,
        loc="outside lower left",
        ncols=min(columns, len(handles)),
        fontsize=6,
        title=f"area under insertion / deletion, mean of {images}",
        title_fontsize=6,
        alignment="left",
        columnspacing=1.2,
        handlelength=2.6,
    )
    legend.get_title().set_color(style.QUIET_COLOUR)
