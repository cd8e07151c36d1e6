"""Units with the images that activate them most, masked by their activation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.palette import category_colours, category_word
from analysis.figures.thumbnails import Tile
from analysis.figures.unit_data import UnitDetail, UnitPatch
from analysis.figures.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_TEXT_MM = 8.8
_GAP_MM = 4.0
_NO_IMAGES_MM = 4.0
_TILE_GAP = 0.05
_DIM = 0.28  # how much of the light is left where a unit is not active


def masked_pixels(pixels: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """A picture dark and grey where a unit is not active.

    :param pixels: (side, side, 3) uint8.
    :param mask: (any, any) bool over the same square; None leaves the picture as it is.
    """
    if mask is None:
        return pixels
    bright = _resized(mask, pixels.shape[0])[..., None]
    grey = pixels.mean(axis=2, keepdims=True)
    dim = _DIM * (0.4 * pixels + 0.6 * grey)
    return np.where(bright, pixels, dim).astype(np.uint8)


def _resized(mask: np.ndarray, side: int) -> np.ndarray:
    """A square mask at another resolution, nearest."""
    at = np.minimum((np.arange(side) + 0.5) * len(mask) / side, len(mask) - 1).astype(np.int64)
    return mask[at][:, at]


def render_units(
    units: Sequence[UnitDetail],
    tiles: Mapping[int, Tile],
    width_mm: float = style.DOUBLE_COLUMN_MM,
    images: int = 5,
) -> Figure:
    """A card a unit: its concept, IoU and null, and its top images where it is active.

    Call inside `journal_style`.

    :param tiles: the analysed square of each patch by its id, as `square_tiles` asks for them.
    :param images: at most this many images a unit.
    """
    columns = 1 if width_mm < _NARROW_MM else 2
    rows = -(-len(units) // columns)
    card_mm = (width_mm - 2 - _GAP_MM * (columns - 1)) / columns
    tile_mm = card_mm / images if any(unit.patches for unit in units) else _NO_IMAGES_MM
    row_mm = tile_mm + _TEXT_MM + 2.0
    height_mm = rows * row_mm + 2.0
    figure = style.new_figure(width_mm, height_mm)
    figure.set_layout_engine("none")
    colours = category_colours(sorted({unit.category for unit in units}))
    for place, unit in enumerate(units):
        row, column = divmod(place, columns)
        left = 1.0 + column * (card_mm + _GAP_MM)
        top = height_mm - 1.0 - row * row_mm
        axes = figure.add_axes(
            (
                left / width_mm,
                (top - row_mm + 2.0) / height_mm,
                card_mm / width_mm,
                (row_mm - 2.0) / height_mm,
            )
        )
        axes.set(xlim=(0, card_mm), ylim=(row_mm - 2.0, 0))
        axes.set_axis_off()
        _words(axes, unit, card_mm, colours.get(unit.category, style.TEXT_COLOUR))
        _images(axes, unit.patches[:images], tiles, tile_mm, colours[unit.category])
    return figure


def square_tiles(units: Sequence[UnitDetail], images: int) -> list[UnitPatch]:
    """The patches of the first images of each unit, as the whole analysed square."""
    squares = []
    for unit in units:
        for patch in unit.patches[:images]:
            x, y, width, height = patch.frame
            squares.append(replace(patch, x=x, y=y, width=width, height=height))
    return squares


def _words(axes: Axes, unit: UnitDetail, card_mm: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    concept = f"{unit.concept} ({category_word(unit.category)})" if unit.concept else unit.category
    null = f", chance {number(unit.null_iou, 3)}" if np.isfinite(unit.null_iou) else ""
    score = f"IoU {number(unit.iou, 3)}{null}"
    room = card_mm - style.text_width_mm(score, 6.0) - 3
    axes.add_patch(Rectangle((0, 1.0), 2.0, 2.0, facecolor=colour))
    axes.text(
        3.0,
        0.6,
        style.fitted(concept, room - 3.0, 7.0, bold=True),
        va="top",
        fontsize=7,
        fontweight="bold",
    )
    axes.text(card_mm, 0.8, score, ha="right", va="top", fontsize=6)
    where = f"unit {unit.unit:,} of {unit.layer}, {unit.model}"
    if not unit.interpretable:
        where += "; not interpretable"
    axes.text(
        0,
        5.0,
        style.fitted(where, card_mm - 1, 6.0),
        va="top",
        fontsize=6,
        color=style.QUIET_COLOUR,
    )


def _images(
    axes: Axes,
    patches: Sequence[UnitPatch],
    tiles: Mapping[int, Tile],
    tile_mm: float,
    colour: str,
) -> None:
    from matplotlib.patches import Rectangle

    if not patches:
        axes.text(
            0,
            _TEXT_MM,
            "no images: from an imported table, or not looked for",
            va="top",
            fontsize=6,
            color=style.QUIET_COLOUR,
        )
    side = tile_mm * (1 - _TILE_GAP)
    for place, patch in enumerate(patches):
        left = place * tile_mm
        box = (left, left + side, _TEXT_MM + side, _TEXT_MM)
        tile = tiles.get(patch.patch_id)
        if tile is None or tile.pixels is None:
            axes.add_patch(Rectangle((left, _TEXT_MM), side, side, facecolor=style.TILE_COLOUR))
            axes.text(
                left + side / 2,
                _TEXT_MM + side / 2,
                "no\nthumbnail" if tile is None else tile.word,
                ha="center",
                va="center",
                fontsize=5.5,
            )
            continue
        axes.imshow(
            masked_pixels(tile.pixels, patch.mask),
            extent=box,
            interpolation="antialiased",
            aspect="auto",
        )
        if patch.mask is not None and patch.mask.any() and not patch.mask.all():
            _outline(axes, patch.mask, box, colour)


def _outline(
    axes: Axes, mask: np.ndarray, box: tuple[float, float, float, float], colour: str
) -> None:
    """The edge of the mask, white under its colour so that it shows on any picture."""
    cells = len(mask)
    x = box[0] + (np.arange(-1, cells + 1) + 0.5) * (box[1] - box[0]) / cells
    y = box[3] + (np.arange(-1, cells + 1) + 0.5) * (box[2] - box[3]) / cells
    padded = np.pad(mask, 1).astype(float)
    x, y = np.clip(x, box[0], box[1]), np.clip(y, box[3], box[2])
    for width, line in ((1.4, "white"), (0.7, colour)):
        axes.contour(x, y, padded, levels=[0.5], colors=[line], linewidths=[width])
