"""One concept: real against predicted coefficients, its numbers, and its three patch grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.data import ConceptDetail, ConceptPatch
from analysis.figures.thumbnails import Tile
from analysis.figures.words import count, decimals_for, interval, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_KINDS = ("top", "over", "under")
_GAP = 0.08
_CAPTION_MM = 4.0
_LINE_MM = 4.0
_MARKERS = {"top": "o", "over": "^", "under": "v"}


def render_concept(
    data: ConceptDetail, tiles: Mapping[int, Tile], width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """The scatter plot of real and predicted coefficients and the patches it picks (Fig. 2).

    :param tiles: by `patch_id`, as `thumbnails.patch_tiles` gives them; call inside
        `journal_style`.
    """
    narrow = width_mm < 120
    columns = 5 if narrow else 10
    tile_mm = (width_mm - 2) / columns
    pitch = 1 - _GAP + _CAPTION_MM / tile_mm
    grids_mm = [tile_mm * pitch * _row_count(getattr(data, kind), columns) + 5.5 for kind in _KINDS]
    upper_mm = [66.0, 40.0] if narrow else [58.0]
    lines = _header_lines(data, narrow)
    heights = [_LINE_MM * len(lines) + 1.5, *upper_mm, *grids_mm]
    figure = style.new_figure(width_mm, sum(heights))
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)
    header, *upper, top, over, under = parts[:, 0]
    _header(header, lines, width_mm)
    if not narrow:
        upper = list(upper[0].subfigures(1, 2, width_ratios=[1, 1.6]))
    _scatter(upper[0].subplots(), data)
    _numbers(upper[1].subplots(), data)
    for part, kind in zip((top, over, under), _KINDS, strict=True):
        _patch_grid(part.subplots(), data, kind, tiles, (columns, pitch))
    return figure


def _row_count(patches: Sequence[ConceptPatch], columns: int) -> int:
    return max(1, -(-len(patches) // columns))


def _header_lines(data: ConceptDetail, narrow: bool) -> list[tuple[str, str]]:
    """What is shown, as lines of text with the side whose colour they have."""
    other = "b" if data.side == "a" else "a"
    own = (
        f"{data.side.upper()} · Concept {data.concept} of class {data.class_name}",
        f"in {data.target_model}, layer {data.target_layer}",
    )
    others = (
        f"{other.upper()} · predicted from {data.predictor_model},",
        f"layer {data.predictor_layer}; {count(data.n_images, 'image')}",
    )
    if narrow:
        return [(data.side, line) for line in own] + [(other, line) for line in others]
    return [(data.side, " ".join(own)), (other, " ".join(others))]


def _header(part: SubFigure, lines: Sequence[tuple[str, str]], width_mm: float) -> None:
    height_mm = _LINE_MM * len(lines) + 1.5
    for place, (side, text) in enumerate(lines):
        part.text(
            1.0 / width_mm,
            1 - (0.8 + _LINE_MM * place) / height_mm,
            style.fitted(text, width_mm - 3, bold=True),
            va="top",
            color=style.MODEL_COLOURS[side],
            fontweight="bold",
        )


def _scatter(axes: Axes, data: ConceptDetail) -> None:
    known = np.isfinite(data.real) & np.isfinite(data.predicted)
    chosen = [patch for kind in _KINDS for patch in getattr(data, kind)]
    ends = np.concatenate(
        [
            data.real[known],
            data.predicted[known],
            [patch.coefficient for patch in chosen],
            [patch.predicted for patch in chosen],
        ]
    )
    ends = ends[np.isfinite(ends)]
    if len(ends) == 0:
        style.quiet_note(axes, "no coefficients yet")
        return
    pad = 0.05 * float(np.ptp(ends) or 1.0)
    low, high = float(ends.min()) - pad, float(ends.max()) + pad
    axes.plot([low, high], [low, high], color=style.LINE_COLOUR, linewidth=0.6, zorder=1)
    axes.scatter(
        data.real[known],
        data.predicted[known],
        s=3,
        color="#9A9A9A",
        linewidths=0,
        zorder=2,
        rasterized=style.raster_many(int(known.sum())),
    )
    for kind in _KINDS:
        patches = getattr(data, kind)
        axes.scatter(
            [patch.coefficient for patch in patches],
            [patch.predicted for patch in patches],
            s=14,
            marker=_MARKERS[kind],
            color=style.PATCH_COLOURS[kind],
            edgecolors=style.TEXT_COLOUR,
            linewidths=0.35,
            zorder=3,
            label=style.PATCH_WORDS[kind],
        )
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set_xlabel("real coefficient", color=style.MODEL_COLOURS[data.side])
    other = "b" if data.side == "a" else "a"
    axes.set_ylabel("predicted coefficient", color=style.MODEL_COLOURS[other])


def _numbers(axes: Axes, data: ConceptDetail) -> None:
    """The concept's scores as dots on one scale, each with its words and digits."""
    missing = "of all images only" if data.slice_name else "not computed yet"
    rows = [
        ("cross-model similarity (CMCS)", data.cmcs_pearson, "not computed yet"),
        ("same-model similarity (SMCS)", data.smcs_pearson, missing),
        ("best single match (MCS)", data.mcs_pearson, missing),
        ("importance", data.importance, "no classification head"),
        ("stability across seeds", data.stability, "not computed"),
        ("reconstruction error", data.reconstruction_error, "not computed"),
    ]
    lowest = min([0.0, *(value for _, value, _ in rows if np.isfinite(value))])
    if np.isfinite(data.ci_low):
        lowest = min(lowest, data.ci_low)
    axes.set(xlim=(lowest - 0.04, 1.04), ylim=(len(rows) - 0.4, -0.6))
    for place, (_, value, absent) in enumerate(rows):
        first = place == 0
        words = interval(value, data.ci_low, data.ci_high) if first else number(value)
        known = np.isfinite(value)
        if known:
            axes.plot([lowest, 1], [place, place], color="#E2E2E2", linewidth=0.6, zorder=0)
            axes.plot(value, place, "o", markersize=3.5, color=style.MODEL_COLOURS[data.side])
        if first and np.isfinite(data.ci_low) and np.isfinite(data.ci_high):
            axes.plot(
                [data.ci_low, data.ci_high],
                [place, place],
                color=style.MODEL_COLOURS[data.side],
                linewidth=1.4,
            )
        axes.annotate(
            words if known else absent,
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
            color=style.TEXT_COLOUR if known else style.QUIET_COLOUR,
        )
    if np.isfinite(data.null_95):
        axes.plot([data.null_95] * 2, [-0.3, 0.3], color=style.TEXT_COLOUR, linewidth=0.9)
        axes.annotate(
            f"chance {number(data.null_95)}",
            (data.null_95, -0.3),
            xytext=(0, 1),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6,
        )
    axes.set_yticks(range(len(rows)), [words for words, _, _ in rows])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _patch_grid(
    axes: Axes,
    data: ConceptDetail,
    kind: str,
    tiles: Mapping[int, Tile],
    layout: tuple[int, float],
) -> None:
    """The patches of one kind in rows; `layout` is (tiles a row, row height in tiles)."""
    patches: Sequence[ConceptPatch] = getattr(data, kind)
    columns, pitch = layout
    rows = _row_count(patches, columns)
    axes.set(xlim=(-0.02, columns), ylim=(rows * pitch, -0.02), aspect="equal", anchor="NW")
    axes.set_axis_off()
    axes.set_title(
        f"{style.PATCH_SIGNS[kind]} {style.PATCH_WORDS[kind]}  (real → predicted)",
        fontsize=7,
        pad=2,
    )
    if not patches:
        axes.text(0, 0.5, "no such patches", va="center", color=style.QUIET_COLOUR)
    decimals = _decimals(data)
    for place, patch in enumerate(patches):
        row, column = divmod(place, columns)
        _tile(axes, tiles.get(patch.patch_id), column, row * pitch, style.PATCH_COLOURS[kind])
        axes.text(
            column + (1 - _GAP) / 2,
            row * pitch + 1 - _GAP + 0.04,
            f"{number(patch.coefficient, decimals)} → {number(patch.predicted, decimals)}",
            ha="center",
            va="top",
            fontsize=5.5,
        )


def _decimals(data: ConceptDetail) -> int:
    sizes = [abs(patch.coefficient) for patch in (*data.top, *data.over, *data.under)]
    return decimals_for(max((size for size in sizes if np.isfinite(size)), default=0.0))


def _tile(axes: Axes, tile: Tile | None, x: float, y: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    side = 1 - _GAP
    pixels = None if tile is None else tile.pixels
    if pixels is not None:
        axes.imshow(pixels, extent=(x, x + side, y + side, y), interpolation="antialiased")
    else:
        axes.add_patch(Rectangle((x, y), side, side, facecolor=style.TILE_COLOUR))
        word = "no\nthumbnail" if tile is None else tile.word
        axes.text(x + side / 2, y + side / 2, word, ha="center", va="center", fontsize=5.5)
    axes.add_patch(Rectangle((x, y), side, side, facecolor="none", edgecolor=colour, linewidth=1.1))
