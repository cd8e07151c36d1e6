"""Performance over slices: a dot with its interval for each slice and model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.interval_marks import draw_intervals
from analysis.figures.palette import series_mark
from analysis.figures.slice_performance import SlicePerformance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_MOST_PANELS_ABREAST = 2
_TALLEST_MM = 240.0
_TYPE = 6.5


def render_slice_performance(
    data: SlicePerformance, width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """A panel a task: slices under one another, models within them, shares of right answers across.

    Whiskers are 95 % intervals, a grey tick is what chance would give, dotted lines carry down what
    up to three models reach over all images. Call inside `journal_style`.
    """
    narrow = width_mm < _NARROW_MM
    panels, slices, models = data.value.shape
    columns = 1 if narrow else min(panels, _MOST_PANELS_ABREAST)
    rows = -(-panels // columns)
    legend_columns = 2 if narrow else 4
    legend_mm = 4.0 * -(-(models + 1) // legend_columns) + 6
    room_mm = (_TALLEST_MM - legend_mm) / rows - 15
    row_mm = max(2.4, min(max(7.5, 2.3 * models + 1.5), room_mm / slices))
    figure = style.new_figure(width_mm, rows * (slices * row_mm + 15) + legend_mm)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    name_mm = (0.34 if narrow or columns == 1 else 0.2) * width_mm
    for place, axes in enumerate(grid.flat):
        if place >= panels:
            axes.remove()
            continue
        _panel(axes, data, place, row_mm)
        first = place % columns == 0
        _name_slices(axes, data, place, name_mm if first else 0.0, row_mm)
        title = style.fitted(data.tasks[place], (width_mm - name_mm) / columns - 3, 7, bold=True)
        axes.set_title(title, fontsize=7, fontweight="bold")
        if place + columns >= panels:
            axes.set_xlabel("right answers, %")
            axes.tick_params(labelbottom=True)
    _limit(grid.flat[0], data)
    _legend(figure, data, width_mm / legend_columns - 9, legend_columns)
    return figure


def _panel(axes: Axes, data: SlicePerformance, task: int, row_mm: float) -> None:
    from matplotlib.ticker import MaxNLocator

    _, slices, models = data.value.shape
    lane = 0.8 / models
    size = min(3.8, 1.7 * row_mm / models)
    y = np.arange(slices, dtype=float)
    for m in range(models):
        mark = series_mark(m)
        at = y - 0.4 + lane * (m + 0.5)
        value, low, high = (100 * array[task, :, m] for array in (data.value, data.ci_low,
                                                                  data.ci_high))  # fmt: skip
        known = np.isfinite(value)
        if models <= 3 and known[0] and slices > 1:
            line = value[0]
            axes.plot([line, line], [at[0], slices - 0.5], color=mark.colour, linewidth=0.5,
                      linestyle=(0, (1, 2)), zorder=1)  # fmt: skip
        draw_intervals(axes, value, low, high, at, mark, size)
        chance = 100 * data.chance[task, known, m]
        axes.vlines(chance, at[known] - lane / 2, at[known] + lane / 2,
                    color=style.LINE_COLOUR, linewidth=0.9, zorder=2)  # fmt: skip
    for line in np.arange(slices - 1) + 0.5:
        heavy = line < 1  # below all images
        axes.axhline(line, color=style.LINE_COLOUR if heavy else style.MISSING_COLOUR,
                     linewidth=0.5, zorder=0)  # fmt: skip
    axes.set_ylim(slices - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _limit(axes: Axes, data: SlicePerformance) -> None:
    """From nothing, or a little left of it for marks that lie there, to all."""
    highest = float(np.nanmax(100 * np.stack([data.value, data.ci_high]), initial=1.0))
    top = min(102.5, 1.06 * highest)
    axes.set_xlim(-0.02 * top, top)


def _name_slices(
    axes: Axes, data: SlicePerformance, task: int, name_mm: float, row_mm: float
) -> None:
    """Slices with how many of their images were tested; beside other panels the numbers alone."""
    two_lines = row_mm >= 6.0
    texts = []
    for place, name in enumerate(data.slices):
        amount = _images(data.n[task, place])
        if not name_mm:
            texts.append(amount)
        elif two_lines:
            texts.append(f"{style.fitted(name, name_mm, _TYPE, middle=True)}\n{amount}")
        else:
            room = name_mm - style.text_width_mm(f", {amount}", _TYPE)
            texts.append(f"{style.fitted(name, max(room, 8.0), _TYPE, middle=True)}, {amount}")
    axes.set_yticks(range(len(texts)), texts, fontsize=min(_TYPE, 2.3 * row_mm))


def _images(n: np.ndarray) -> str:
    """How many images the models were asked about."""
    low, high = int(n.min()), int(n.max())
    return f"n = {high:,}" if low == high else f"n = {low:,}–{high:,}"


def _legend(figure: Figure, data: SlicePerformance, room: float, columns: int) -> None:
    from matplotlib.lines import Line2D

    handles: list[Any] = [
        Line2D(
            [],
            [],
            marker=series_mark(place).marker,
            color=series_mark(place).colour,
            linewidth=0.8,
            markersize=3.4,
            markeredgewidth=0,
            label=style.fitted(name, room, 6.0, middle=True),
        )
        for place, name in enumerate(data.models)
    ]
    handles.append(
        Line2D(
            [],
            [],
            linestyle="none",
            marker="|",
            markersize=6,
            markeredgewidth=0.9,
            color=style.LINE_COLOUR,
            label="by chance",
        )
    )
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=min(columns, len(handles)),
        fontsize=6,
        handletextpad=0.5,
        columnspacing=1.5,
        title="95 % intervals over images",
        title_fontsize=6,
        alignment="left",
    )
