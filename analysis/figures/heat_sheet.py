"""A heatmap of two models: layers or concepts of one against those of the other, beside chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.words import label, number, plain, shorten_left

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

WIDE_MM = 100  # a map of this width has room for long words above it
_MM_PER_SIGN = 1.35
_MM_PER_BOLD_SIGN = 1.75
_MM_PER_TICK = 2.8
_MM_PER_LEVEL_TICK = 6
_MM_PER_VALUE = 6.6
_LEAST_HEIGHT_MM = 35.0
_LEAST_SIGNS = 8


@dataclass(frozen=True)
class HeatSheet:
    """What a heatmap shows: values of every row of A with every column of B.

    `above`: which values are more than chance. `names_a`, `names_b`: at the ticks, first at the
    lower left. `model_a`, `model_b`: at the axes, with `layer_a`, `layer_b` if both are of one
    layer; `note` after them where there is room. `title`
    and `short_title`: where the map is wide and narrow; `bar`: at the colour bar. `level`: names of
    B stand level where they have room. `outlined`: cells with a frame, and the word for it.
    `blank_word`: for cells without a value. `lowest`: the lower end of the colours; None: found.
    `cell_mm`: no cell is higher than that.
    """

    values: np.ndarray
    null_95: np.ndarray
    above: np.ndarray
    names_a: Sequence[str]
    names_b: Sequence[str]
    model_a: str
    model_b: str
    title: str
    short_title: str
    bar: str
    layer_a: str = ""
    layer_b: str = ""
    note: str = ""
    level: bool = False
    outlined: np.ndarray | None = None
    outline_word: str = ""
    blank_word: str = "not computed"
    lowest: float | None = None
    cell_mm: float = np.inf


def render_sheet(sheet: HeatSheet, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """A heatmap, first rows and columns at the lower left; call inside `journal_style`.

    Cells that do not exceed what chance gives (the null) are hatched, without colour; cells that
    are not computed are empty.
    """
    names = (sheet.names_a, sheet.names_b)
    left, below = (_MM_PER_SIGN * max(map(len, side)) for side in names)
    wide = max(0.35 * width_mm, width_mm - left - 27)
    high = wide * min(1.1, max(0.55, len(sheet.names_a) / len(sheet.names_b)))
    high = min(high, max(_LEAST_HEIGHT_MM, sheet.cell_mm * len(sheet.names_a)))
    figure = style.new_figure(width_mm, high + below + (20 if sheet.layer_b else 17))
    axes = figure.add_subplot()
    known = np.isfinite(sheet.values)
    ends = _colour_range(sheet)
    mesh = axes.pcolormesh(
        np.ma.masked_where(~known | ~sheet.above, sheet.values),
        cmap=style.magnitude_map(),
        vmin=ends[0],
        vmax=ends[1],
        edgecolors="white",
        linewidth=0.3 if len(sheet.names_b) <= 40 else 0.0,
        antialiased=True,
    )
    _hatch(axes, known & ~sheet.above)
    _outline(axes, sheet.outlined)
    if min(wide / len(sheet.names_b), 1.8 * high / len(sheet.names_a)) >= _MM_PER_VALUE:
        _write_values(axes, sheet, *ends)
    _label_axes(axes, sheet, (wide, high))
    axes.set_title(sheet.title if wide > WIDE_MM else sheet.short_title)
    _mark_null(style.colour_bar(figure, mesh, axes, sheet.bar), sheet.null_95)
    _legend(axes, sheet, known, wide)
    return figure


def _colour_range(sheet: HeatSheet) -> tuple[float, float]:
    """The ends of the colour scale: coloured values and the null, rounded outwards to tenths."""
    finite = np.concatenate([sheet.values[sheet.above], sheet.null_95.ravel()])
    finite = finite[np.isfinite(finite)]
    if len(finite) == 0:
        return 0.0, 1.0
    low = np.floor(finite.min() * 10 + 1e-9) / 10 if sheet.lowest is None else sheet.lowest
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


def _outline(axes: Axes, cells: np.ndarray | None) -> None:
    """A dark frame within a light one, seen on bright and on dark cells."""
    from matplotlib.patches import Rectangle

    for row, column in np.argwhere(cells) if cells is not None else ():
        for colour, line in (("white", 2.8), (style.TEXT_COLOUR, 1.4)):
            axes.add_patch(
                Rectangle(
                    (column, row),
                    1,
                    1,
                    fill=False,
                    edgecolor=colour,
                    linewidth=line,
                    zorder=3,
                    clip_on=False,
                )
            )


def _cell_path(cells: np.ndarray) -> Path:
    from matplotlib.path import Path

    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    vertices = (cells[:, None, ::-1] + corners).reshape(-1, 2)
    return Path(vertices, np.tile(np.array(codes), len(cells)))


def _write_values(axes: Axes, sheet: HeatSheet, low: float, high: float) -> None:
    for row, column in np.argwhere(np.isfinite(sheet.values)):
        share = (sheet.values[row, column] - low) / (high - low)
        dark = sheet.above[row, column] and share < 0.55
        axes.text(
            column + 0.5,
            row + 0.5,
            number(sheet.values[row, column]),
            ha="center",
            va="center",
            fontsize=5.5,
            color="white" if dark else style.TEXT_COLOUR,
        )


def _label_axes(axes: Axes, sheet: HeatSheet, size: tuple[float, float]) -> None:
    for axis, names, length, model, layer, side in (
        (axes.xaxis, sheet.names_b, size[0], sheet.model_b, sheet.layer_b, "b"),
        (axes.yaxis, sheet.names_a, size[1], sheet.model_a, sheet.layer_a, "a"),
    ):
        step = max(1, int(np.ceil(len(names) * _MM_PER_TICK / length)))
        shown = np.arange(len(names) - 1, -1, -step)[::-1]
        axis.set_ticks(shown + 0.5)
        level = side == "a" or (sheet.level and length / len(shown) > _MM_PER_LEVEL_TICK)
        axis.set_ticklabels(
            [label(names[place]) for place in shown],
            rotation="horizontal" if level else "vertical",
        )
        note = sheet.note if length > 90 else ""
        lines = [f"{side.upper()} · {model}{note}"]
        if layer and style.text_width_mm(f"{lines[0]}, {layer}", 7.0, bold=True) <= length:
            lines = [f"{lines[0]}, {layer}"]
        elif layer:
            lines.append(shorten_left(plain(layer), int(length / _MM_PER_BOLD_SIGN)))
        text = "\n".join(style.fitted(line, length, bold=True) for line in lines)
        axis.set_label_text(text, color=style.MODEL_COLOURS[side], fontweight="bold")
    axes.set_xlim(0, len(sheet.names_b))
    axes.set_ylim(0, len(sheet.names_a))
    axes.tick_params(length=1.5)
    for spine in axes.spines.values():
        spine.set_visible(False)


def fitted_layer(model: str, layer: str, room_mm: float) -> str:
    """A model and its layer in bold type of 7 points; of a layer that is too long the end is kept,
    which tells layers apart."""
    whole = plain(layer)
    for length in range(len(whole), _LEAST_SIGNS, -1):
        text = f"{plain(model)}, {shorten_left(whole, length)}"
        if style.text_width_mm(text, 7.0, bold=True) <= room_mm:
            return label(text)
    return style.fitted(f"{model}, {whole}", room_mm, 7.0, bold=True, middle=True)


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


def _legend(axes: Axes, sheet: HeatSheet, known: np.ndarray, wide: float) -> None:
    from matplotlib.patches import Patch

    entries: list[Any] = []
    if (known & ~sheet.above).any():
        hatched = Patch(
            facecolor=style.MISSING_COLOUR,
            edgecolor=style.LINE_COLOUR,
            hatch="//////",
            linewidth=0,
            label="not above chance",
        )
        entries.append(hatched)
    if not known.all():
        blank = Patch(facecolor="white", edgecolor=style.LINE_COLOUR, label=sheet.blank_word)
        entries.append(blank)
    if sheet.outlined is not None and sheet.outlined.any():
        frame = Patch(
            facecolor="white",
            edgecolor=style.TEXT_COLOUR,
            linewidth=1.4,
            label=sheet.outline_word,
        )
        entries.append(frame)
    if not entries:
        return
    options = {"handlelength": 1.6, "handleheight": 1.0, "borderpad": 0.0, "columnspacing": 1.2}
    if wide > WIDE_MM:  # room for it beside the title
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
