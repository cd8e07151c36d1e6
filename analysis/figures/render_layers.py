"""The heatmap of layers: how similar each layer of model A is to each layer of model B."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.data import LayerSimilarity
from analysis.figures.words import count, label, layer_labels, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

MEASURE_WORDS = {
    "mmcs_pearson": "Mean maximum concept similarity (Pearson)",
    "mmcs_spearman": "Mean maximum concept similarity (Spearman)",
    "cka": "Debiased linear CKA",
}
_SHORT_WORDS = {
    "mmcs_pearson": "MMCS (Pearson)",
    "mmcs_spearman": "MMCS (Spearman)",
    "cka": "Debiased linear CKA",
}
_MM_PER_SIGN = 1.35
_MM_PER_TICK = 2.8
_MM_PER_VALUE = 6.6


def render_layers(
    data: LayerSimilarity, width_mm: float = style.DOUBLE_COLUMN_MM, depth: bool = False
) -> Figure:
    """A heatmap, first layers at the lower left (paper, Fig. 5); call inside `journal_style`.

    Cells that do not exceed what chance gives (the null) are hatched, without colour; cells that
    are not computed are empty.

    :param depth: relative depth on the axes in place of layer names.
    """
    names_a, names_b = _tick_texts(data, 20 if width_mm > 120 else 14, depth)
    left, below = (_MM_PER_SIGN * max(map(len, names)) for names in (names_a, names_b))
    wide = max(0.35 * width_mm, width_mm - left - 27)
    aspect = len(data.layers_a) / len(data.layers_b)
    high = wide * min(1.1, max(0.55, aspect))
    figure = style.new_figure(width_mm, high + below + 17)
    axes = figure.add_subplot()
    above = ~(data.values <= data.null_95)  # without a null, every value counts
    low_end, high_end = _colour_range(data, above)
    mesh = axes.pcolormesh(
        np.ma.masked_where(~np.isfinite(data.values) | ~above, data.values),
        cmap=style.magnitude_map(),
        vmin=low_end,
        vmax=high_end,
        edgecolors="white",
        linewidth=0.3 if len(data.layers_b) <= 40 else 0.0,
        antialiased=True,
    )
    _hatch(axes, np.isfinite(data.values) & ~above)
    if min(wide / len(data.layers_b), 1.8 * high / len(data.layers_a)) >= _MM_PER_VALUE:
        _write_values(axes, data, above, low_end, high_end)
    _label_axes(axes, data, names_a, names_b, (wide, high), depth)
    _title(axes, data, wide)
    bar = style.colour_bar(figure, mesh, axes, _SHORT_WORDS[data.measure])
    _mark_null(bar, data.null_95)
    _legend(axes, data, above, wide)
    return figure


def _tick_texts(
    data: LayerSimilarity, limit: int, depth: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if depth:
        return (
            tuple(number(value) for value in data.depths_a),
            tuple(number(value) for value in data.depths_b),
        )
    return layer_labels(data.layers_a, limit), layer_labels(data.layers_b, limit)


def _colour_range(data: LayerSimilarity, above: np.ndarray) -> tuple[float, float]:
    """The ends of the colour scale: coloured values and the null, rounded outwards to tenths."""
    finite = np.concatenate([data.values[above], data.null_95.ravel()])
    finite = finite[np.isfinite(finite)]
    if len(finite) == 0:
        return 0.0, 1.0
    low = np.floor(finite.min() * 10 + 1e-9) / 10
    return float(low), float(max(np.ceil(finite.max() * 10 - 1e-9) / 10, low + 0.1))


def _hatch(axes: Axes, cells: np.ndarray) -> None:
    from matplotlib.patches import PathPatch

    if cells.any():
        axes.add_patch(
            PathPatch(
                _cell_path(np.argwhere(cells)),
                facecolor=style.MISSING_COLOUR,
                edgecolor=style.LINE_COLOUR,
                hatch="//////",
                linewidth=0.0,
            )
        )


def _cell_path(cells: np.ndarray) -> Path:
    from matplotlib.path import Path

    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    vertices = (cells[:, None, ::-1] + corners).reshape(-1, 2)
    return Path(vertices, np.tile(np.array(codes), len(cells)))


def _write_values(
    axes: Axes, data: LayerSimilarity, above: np.ndarray, low: float, high: float
) -> None:
    for row, column in np.argwhere(np.isfinite(data.values)):
        share = (data.values[row, column] - low) / (high - low)
        dark = above[row, column] and share < 0.55
        axes.text(
            column + 0.5,
            row + 0.5,
            number(data.values[row, column]),
            ha="center",
            va="center",
            fontsize=5.5,
            color="white" if dark else style.TEXT_COLOUR,
        )


def _label_axes(
    axes: Axes,
    data: LayerSimilarity,
    names_a: Sequence[str],
    names_b: Sequence[str],
    size: tuple[float, float],
    depth: bool,
) -> None:
    for axis, names, length, model, side in (
        (axes.xaxis, names_b, size[0], data.model_b, "b"),
        (axes.yaxis, names_a, size[1], data.model_a, "a"),
    ):
        step = max(1, int(np.ceil(len(names) * _MM_PER_TICK / length)))
        shown = np.arange(len(names) - 1, -1, -step)[::-1]
        axis.set_ticks(shown + 0.5)
        level = side == "a" or (depth and length / len(shown) > 6)
        axis.set_ticklabels(
            [label(names[place]) for place in shown],
            rotation="horizontal" if level else "vertical",
        )
        what = " (relative depth)" if depth and length > 90 else ""
        text = style.fitted(f"{side.upper()} · {model}{what}", length, bold=True)
        axis.set_label_text(text, color=style.MODEL_COLOURS[side], fontweight="bold")
    axes.set_xlim(0, len(names_b))
    axes.set_ylim(0, len(names_a))
    axes.tick_params(length=1.5)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _title(axes: Axes, data: LayerSimilarity, wide: float) -> None:
    classes = count(data.classes_done, "class", "classes")
    if data.classes_total > data.classes_done:
        classes = f"{data.classes_done:,} of {count(data.classes_total, 'class', 'classes')}"
    words = MEASURE_WORDS if wide > 100 else _SHORT_WORDS
    axes.set_title(f"{words[data.measure]}, {classes}")


def _mark_null(bar: Axes, null: np.ndarray) -> None:
    """The null on the colour bar: a line at its median, a bracket over its range."""
    finite = null[np.isfinite(null)]
    if len(finite) == 0:
        return
    middle = float(np.median(finite))
    bar.axhline(middle, color="white", linewidth=1.8)
    bar.axhline(middle, color=style.TEXT_COLOUR, linewidth=0.8)
    bar.plot(
        [-0.25, -0.25],
        [finite.min(), finite.max()],
        transform=bar.get_yaxis_transform(),
        color=style.TEXT_COLOUR,
        linewidth=1.0,
        clip_on=False,
        solid_capstyle="butt",
    )
    bar.annotate(
        "chance",
        (-0.25, middle),
        xycoords=bar.get_yaxis_transform(),
        xytext=(-2.5, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        rotation=90,
        fontsize=6,
    )


def _legend(axes: Axes, data: LayerSimilarity, above: np.ndarray, wide: float) -> None:
    from matplotlib.patches import Patch

    entries = []
    if (np.isfinite(data.values) & ~above).any():
        hatched = Patch(
            facecolor=style.MISSING_COLOUR,
            edgecolor=style.LINE_COLOUR,
            hatch="//////",
            linewidth=0,
            label="not above chance",
        )
        entries.append(hatched)
    if not np.isfinite(data.values).all():
        blank = Patch(facecolor="white", edgecolor=style.LINE_COLOUR, label="not computed")
        entries.append(blank)
    if not entries:
        return
    options = {"handlelength": 1.6, "handleheight": 1.0, "borderpad": 0.0, "columnspacing": 1.2}
    if wide > 100:  # room for it beside the title
        axes.legend(
            handles=entries,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.5,
            ncols=len(entries),
            **options,
        )
    else:
        axes.figure.legend(handles=entries, loc="outside upper left", ncols=len(entries), **options)
