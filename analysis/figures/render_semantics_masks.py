"""The masks of two concepts over the same images, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.heat_sheet import fitted_layer
from analysis.figures.render_saliency import (
    EDGE_MM,
    sheet_axes,
    show_picture,
    show_pixels,
)
from analysis.figures.render_semantics import model_words
from analysis.figures.saliency_values import MapSquare
from analysis.figures.semantics_choice import MaskPictures
from analysis.figures.semantics_words import threshold_text
from analysis.figures.thumbnails import Tile
from analysis.figures.words import count, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOTH_COLOUR = "#F0E442"
_NARROW_MM = 120
_LEAST_TILE_MM = 13.0
_LARGEST_TILE_MM = 34.0
_GAP_MM = 1.2
_TITLE_MM = 5.0
_LINE_MM = 3.4
_BLOCK_GAP_MM = 1.5
_KEY_MM = 3.8
_SIDE = 160  # pixels of a tile
_DIM = 0.72  # how far the rest of a picture goes to white


def mask_squares(data: MaskPictures) -> list[MapSquare]:
    """The square of each image, to be cut from its thumbnail; its id is the image's."""
    return [
        MapSquare(int(image), *region, patch_id=int(image))
        for image, region in zip(data.masks.images, data.masks.regions, strict=True)
    ]


def enlarged_mask(values: np.ndarray, threshold: float) -> np.ndarray:
    """(160, 160) bool: enlarged bilinearly, then cut."""
    from analysis.faithfulness.steps import enlarge

    return np.asarray(enlarge(values, _SIDE, _SIDE) > threshold)


def shown_mask(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture, paler outside of the mask: (side, side, 3) uint8."""
    pale = (1 - _DIM) * pixels + _DIM * 255
    return np.rint(np.where(mask[..., None], pixels, pale)).astype(np.uint8)


def shown_overlap(pixels: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """A pale grey picture with both masks in colours: A alone, B alone, and both."""
    grey = pixels.mean(axis=2, keepdims=True).repeat(3, axis=2)
    picture = (1 - _DIM) * grey + _DIM * 255
    for where, colour in (
        (first & ~second, style.MODEL_COLOURS["a"]),
        (second & ~first, style.MODEL_COLOURS["b"]),
        (first & second, BOTH_COLOUR),
    ):
        tint = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=float)
        picture = np.where(where[..., None], 0.3 * picture + 0.7 * tint, picture)
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def render_mask_pair(
    data: MaskPictures, tiles: Mapping[int, Tile], width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """Pictures, the mask of each concept over them, and where both are; below, the IoU.

    Call inside `journal_style`.

    :param tiles: the square of each image by the image's id, as `mask_squares` asks for them.
    """
    amount = len(data.masks.images)
    label_mm = (0.2 if width_mm < _NARROW_MM else 0.14) * width_mm
    room = width_mm - label_mm - 2 * EDGE_MM
    blocks = max(1, -(-amount // max(1, int(room / (_LEAST_TILE_MM + _GAP_MM)))))
    columns = -(-amount // blocks)
    tile_mm = min(room / columns - _GAP_MM, _LARGEST_TILE_MM)
    step, top = tile_mm + _GAP_MM, EDGE_MM + 2 * _TITLE_MM - 1.2
    block_mm = 4 * step + _LINE_MM + (_BLOCK_GAP_MM if blocks > 1 else 0)
    key_lines = 2 if width_mm < _NARROW_MM else 1
    bottom = top + blocks * block_mm
    figure, axes = sheet_axes(width_mm, bottom + key_lines * _KEY_MM)
    _titles(axes, data, width_mm)
    for block in range(blocks):
        y = top + block * block_mm
        for row, (title, note, colour) in enumerate(_row_words(data)):
            _row_label(axes, title, note, colour, y + row * step + tile_mm / 2, label_mm)
        for column, place in enumerate(range(block * columns, min((block + 1) * columns, amount))):
            x = EDGE_MM + label_mm + column * step
            _column(axes, data, place, tiles, (x, y), tile_mm)
    _key(axes, data, width_mm, bottom + 0.6, key_lines)
    return figure


def _column(
    axes: Axes,
    data: MaskPictures,
    place: int,
    tiles: Mapping[int, Tile],
    at: tuple[float, float],
    tile_mm: float,
) -> None:
    """One image: the picture, both masks and what they share."""
    x, y = at
    step = tile_mm + _GAP_MM
    tile = tiles.get(int(data.masks.images[place]))
    pixels = tile.pixels if tile is not None else None
    show_picture(axes, tile, x, y, tile_mm)
    ground = np.full((_SIDE, _SIDE, 3), 160, np.uint8) if pixels is None else pixels
    first, second = (
        enlarged_mask(values[place], data.threshold)
        for values in (data.masks.values_a, data.masks.values_b)
    )
    for row, (mask, side) in enumerate(((first, "a"), (second, "b")), start=1):
        show_pixels(axes, shown_mask(ground, mask), x, y + row * step, tile_mm)
        _outline(axes, mask, (x, y + row * step), tile_mm, style.MODEL_COLOURS[side])
    show_pixels(axes, shown_overlap(ground, first, second), x, y + 3 * step, tile_mm)
    axes.text(
        x + tile_mm / 2,
        y + 3 * step + tile_mm + 2.6,
        _agreement_words(float(data.agreement[place]), tile_mm),
        ha="center",
        va="baseline",
        fontsize=5.5,
    )


def _agreement_words(value: float, tile_mm: float) -> str:
    if not np.isfinite(value):
        return "no mask"
    return f"IoU {number(value)}" if tile_mm > 9 else number(value)


def _titles(axes: Axes, data: MaskPictures, width_mm: float) -> None:
    """What each side is, in its model's colour."""
    masks = data.masks
    sides = (
        (0, masks.layer_a, masks.concept_a, "a"),
        (1, masks.layer_b, masks.concept_b, "b"),
    )
    for place, layer, concept, side in sides:
        end = f", concept {concept}"
        room = width_mm - 2 * EDGE_MM - 1 - style.text_width_mm(end, 7.0, bold=True)
        model = f"{side.upper()} · {model_words(data.index, place)}"
        axes.text(
            EDGE_MM,
            EDGE_MM + 0.78 * _TITLE_MM * place,
            fitted_layer(model, layer, room) + end,
            va="top",
            fontsize=7.0,
            fontweight="bold",
            color=style.MODEL_COLOURS[side],
        )


def _row_words(data: MaskPictures) -> tuple[tuple[str, str, str], ...]:
    threshold = f"above {threshold_text(data.threshold)}"
    return (
        ("picture", "", style.TEXT_COLOUR),
        (f"A, concept {data.masks.concept_a}", threshold, style.MODEL_COLOURS["a"]),
        (f"B, concept {data.masks.concept_b}", threshold, style.MODEL_COLOURS["b"]),
        ("both", "", style.TEXT_COLOUR),
    )


def _row_label(
    axes: Axes, title: str, note: str, colour: str, middle: float, label_mm: float
) -> None:
    y = middle - (1.2 if note else 0)
    axes.text(EDGE_MM, y, style.fitted(title, label_mm - 1.5, 6.5), va="center", fontsize=6.5,
              color=colour)  # fmt: skip
    if note:
        axes.text(EDGE_MM, y + 2.7, style.fitted(note, label_mm - 1.5, 5.5), va="center",
                  fontsize=5.5, color=style.QUIET_COLOUR)  # fmt: skip


def _outline(
    axes: Axes, mask: np.ndarray, at: tuple[float, float], side: float, colour: str
) -> None:
    """The edge of a mask, also where it ends at the edge of the picture."""
    padded = np.pad(mask.astype(float), 1)
    if not mask.any():
        return
    places = (np.arange(_SIDE + 2) - 0.5) / _SIDE
    axes.contour(
        at[0] + side * places.clip(0, 1),
        at[1] + side * places.clip(0, 1),
        padded,
        levels=[0.5],
        colors=[colour],
        linewidths=0.8,
    )


def _key(axes: Axes, data: MaskPictures, width_mm: float, y: float, lines: int) -> None:
    from matplotlib.patches import Rectangle

    x = EDGE_MM
    for colour, word in (
        (style.MODEL_COLOURS["a"], "A alone"),
        (style.MODEL_COLOURS["b"], "B alone"),
        (BOTH_COLOUR, "both"),
    ):
        axes.add_patch(Rectangle((x, y), 3.2, 2.2, facecolor=colour, alpha=0.8, linewidth=0))
        axes.text(x + 4.2, y + 1.2, word, va="center", fontsize=6)
        x += 6.6 + style.text_width_mm(word, 6)
    mean = f"mean IoU of {count(data.n, 'image')} {number(data.mean)}" if data.n else "no masks"
    order = "; shown from most to least alike" if data.ranked and len(data.names) > 1 else ""
    beside = lines == 1
    axes.text(
        width_mm - EDGE_MM if beside else EDGE_MM,
        y + 1.2 + (0 if beside else 3.4),
        style.fitted(mean + order, width_mm - EDGE_MM - (x if beside else EDGE_MM), 6),
        ha="right" if beside else "left",
        va="center",
        fontsize=6,
        color=style.QUIET_COLOUR,
    )
