"""Dissect profiles as bars, and how they shrink as the thresholds rise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.palette import category_colours, series_mark
from analysis.figures.render_components import category_legend
from analysis.figures.unit_data import Profiles, ThresholdSweep
from analysis.figures.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_BAR_MM = 4.2


def render_profiles(data: Profiles, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """Interpretable units of each model, and how many different concepts, by category (Fig. 4).

    At the end of a bar its sum, and of how many units it is. Call inside `journal_style`.
    """
    narrow = width_mm < _NARROW_MM
    models = len(data.models)
    figure = style.new_figure(width_mm, (2 if narrow else 1) * (_BAR_MM * models + 14) + 8)
    left, right = figure.subplots(2 if narrow else 1, 1 if narrow else 2, squeeze=False).ravel()
    colours = category_colours(data.categories)
    names = _names(data, (0.36 if narrow else 0.2) * width_mm)
    ends = [
        f"{total:,} of {units:,}" + (f" ({lost:,} not counted)" if lost else "")
        for total, units, lost in zip(
            data.all_units.sum(axis=1), data.units_total, data.not_counted, strict=True
        )
    ]
    _stack(left, data.all_units, ends, (colours, width_mm, 1.0 if narrow else 0.5))
    left.set_xlabel("interpretable units")
    unique = [f"{total:,}" for total in data.unique_concepts.sum(axis=1)]
    _stack(right, data.unique_concepts, unique, (colours, width_mm, 1.0 if narrow else 0.5))
    right.set_xlabel("different concepts")
    for axes in (left, right):
        axes.set_yticks(np.arange(models), names if narrow or axes is left else [])
    category_legend(figure, list(data.categories), colours)
    return figure


def _names(data: Profiles, width_mm: float) -> list[str]:
    """Models, with their layer where a model stands there more than once."""
    return [
        style.fitted(
            f"{model}, {layer}" if data.models.count(model) > 1 else model,
            width_mm,
            6.5,
            middle=True,
        )
        for model, layer in zip(data.models, data.layers, strict=True)
    ]


def _stack(
    axes: Axes, counts: np.ndarray, ends: list[str], layout: tuple[dict[str, str], float, float]
) -> None:
    from matplotlib.ticker import MaxNLocator

    colours, width_mm, share = layout
    place = np.arange(len(counts))
    start = np.zeros(len(counts))
    for column, colour in enumerate(colours.values()):
        axes.barh(
            place,
            counts[:, column],
            left=start,
            height=0.74,
            color=colour,
            edgecolor="white",
            linewidth=0.3,
        )
        start = start + counts[:, column]
    for y, (total, words) in enumerate(zip(start, ends, strict=True)):
        axes.annotate(
            words,
            (total, y),
            xytext=(2, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=5.5,
            annotation_clip=False,
        ).set_in_layout(False)
    axes.set_ylim(len(counts) - 0.4, -0.6)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlim(0, _room(start, ends, 0.62 * width_mm * share))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _room(totals: np.ndarray, ends: list[str], axes_mm: float) -> float:
    """The end of an axis of about `axes_mm` on which every bar has room for its words."""
    room = 1.0
    for total, words in zip(totals, ends, strict=True):
        share = 1 - min(0.8, (style.text_width_mm(words, 5.5) + 1.5) / axes_mm)
        room = max(room, float(total) / share)
    return room


def render_threshold_sweep(
    data: ThresholdSweep, quantile: float, width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """Interpretable units and different concepts of each model as the IoU threshold moves.

    :param quantile: the share of activations above a unit's threshold that is shown.
    """
    narrow = width_mm < _NARROW_MM
    lines = sweep_lines(data, quantile)
    columns = 2 if narrow else 4
    legend_mm = 3.4 * -(-len(lines) // columns) + 4
    figure = style.new_figure(width_mm, (104 if narrow else 62) + legend_mm)
    upper, lower = figure.subplots(2 if narrow else 1, 1 if narrow else 2, squeeze=False).ravel()
    name_mm = width_mm / columns - 8
    for index, (name, rows) in enumerate(lines):
        mark = series_mark(index)
        for axes, values in ((upper, data.units), (lower, data.concepts)):
            axes.plot(
                data.iou_threshold[rows],
                values[rows],
                color=mark.colour,
                marker=mark.marker,
                markersize=3,
                linewidth=0.8,
                label=style.fitted(name, name_mm, 6.0, middle=True),
            )
    for axes, words in ((upper, "interpretable units"), (lower, "different concepts")):
        axes.set_ylabel(words)
        axes.set_xlabel("IoU threshold")
        axes.set_ylim(bottom=0)
        if np.isfinite(data.run_iou_threshold):
            axes.axvline(
                data.run_iou_threshold,
                color=style.TEXT_COLOUR,
                linewidth=0.5,
                linestyle=(0, (4, 3)),
                zorder=0,
            )
    words = f"quantile {quantile:g}" if np.isfinite(quantile) else "quantile not known"
    if np.isfinite(data.run_iou_threshold):
        words += f"; dashed: the threshold {number(data.run_iou_threshold)} of the run"
    upper.set_title(words, fontsize=6.5, color=style.QUIET_COLOUR)
    figure.legend(
        *upper.get_legend_handles_labels(),
        loc="outside lower left",
        ncols=columns,
        fontsize=6.0,
        borderpad=0.0,
        handlelength=2.0,
        columnspacing=1.0,
    )
    return figure


def sweep_lines(data: ThresholdSweep, quantile: float) -> list[tuple[str, np.ndarray]]:
    """Name and rows of each model and layer at one quantile, in the order of the data."""
    layers: dict[tuple[str, str], None] = dict.fromkeys(
        zip(data.model.tolist(), data.layer.tolist(), strict=True)
    )
    of_model = [model for model, _ in layers]
    at = np.isclose(data.quantile, quantile)
    return [
        (
            f"{model}, {layer}" if of_model.count(model) > 1 else model,
            np.flatnonzero(at & (data.model == model) & (data.layer == layer)),
        )
        for model, layer in layers
    ]
