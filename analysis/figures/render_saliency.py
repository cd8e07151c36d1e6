"""Saliency maps over their images, and the attention of every layer and head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.saliency_data import AttentionDepth, Cell, SaliencyMap
from analysis.figures.saliency_grid import MapGrid
from analysis.figures.saliency_values import MapSquare
from analysis.figures.thumbnails import Tile
from analysis.figures.words import label, number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_NARROW_MM = 120
_LARGEST_TILE_MM = 38.0
_NARROW_COLUMNS, _WIDE_COLUMNS = 4, 8
_MOST_HEIGHT_MM = 235.0
_GAP_MM = 1.2
_TITLE_MM = 5.5
_HEAD_MM = 4.0
_WORD_MM = 3.4
_KEY_MM = 6.0
EDGE_MM = 1.0
_SIDE = 160  # pixels of an overlay


def overlay(
    pixels: np.ndarray | None, values: np.ndarray, colours: Colormap, opacity: float
) -> np.ndarray:
    """A map in colours over a picture.

    The map is enlarged bilinearly and goes from its own lowest to its own highest value; one that
    is the same everywhere is lowest everywhere.

    :param pixels: (side, side, 3) uint8; None for the map alone.
    :param values: (rows, columns).
    :param opacity: 0…1, of the map.
    :returns: (side, side, 3) uint8.
    """
    from analysis.faithfulness.steps import enlarge

    side = _SIDE if pixels is None else pixels.shape[0]
    enlarged = enlarge(values, side, side)
    low, high = float(enlarged.min()), float(enlarged.max())
    shown = (enlarged - low) / (high - low) if high > low else np.zeros_like(enlarged)
    painted = 255 * colours(shown)[..., :3]
    if pixels is not None:
        painted = (1 - opacity) * pixels + opacity * painted
    return np.rint(painted).clip(0, 255).astype(np.uint8)


def grid_squares(data: MapGrid) -> list[MapSquare]:
    """The square of each image of the grid, to be cut from its thumbnail; its id is the image's."""
    regions = {shown.cell.image: shown.region for shown in data.maps.values()}
    return [
        MapSquare(image, *regions[image], patch_id=image)
        for image in data.pictures
        if image in regions
    ]


def render_maps(
    data: MapGrid,
    tiles: Mapping[int, Tile],
    width_mm: float = style.DOUBLE_COLUMN_MM,
    opacity: float = 0.55,
    colours: str = "inferno",
) -> Figure:
    """The pictures, and below them (of one image: beside it) the maps in colours over them.

    Under each map the class that it explains and its probability; where all maps of a picture or of
    a model explain the same, it is said there once. Call inside `journal_style`.

    :param tiles: the square of each image by the image's id, as `grid_squares` asks for them.
    """
    sheet = _layout(data, width_mm)
    figure, axes = sheet_axes(width_mm, sheet.height_mm)
    sheet_title(axes, data.common, width_mm)
    painted = _colours(colours)
    for block, columns in enumerate(sheet.blocks):
        top = sheet.block_top(block)
        for place, image in enumerate(data.pictures):
            x = sheet.left(place - sheet.alone)
            show_picture(axes, tiles.get(image), x, top, sheet.tile_mm)
            if sheet.once and not sheet.alone:
                words = _shared([line[place] for line in data.cells], data)
                _below(axes, words or "", x, top, sheet.tile_mm)
        for place, column in enumerate(columns):
            _heading(axes, sheet.left(place), top, data.column_titles[column], sheet)
        for row, line in enumerate(data.cells):
            y = top + sheet.picture_mm + row * sheet.row_mm
            note = data.row_notes[row]
            if sheet.once and sheet.alone:
                note = _shared(line, data) or ""
            _row_label(axes, data.row_titles[row], note, y, sheet.label_mm, sheet.tile_mm)
            for place, column in enumerate(columns):
                at = (sheet.left(place), y)
                _cell(axes, data, line[column], tiles, at, sheet.tile_mm, painted, opacity)
                cell = line[column]
                if not sheet.once and cell is not None and cell in data.maps:
                    _below(axes, map_words(data.maps[cell]), *at, sheet.tile_mm)
    _key(axes, width_mm, sheet.label_mm, sheet.height_mm - _KEY_MM + 2.0, painted)
    return figure


@dataclass(frozen=True)
class _Layout:
    """Where things of a grid lie, in millimetres. `blocks`: the columns of each block of rows;
    `once`: whether classes are said once and not under each map; `alone`: 1 for one image."""

    label_mm: float
    tile_mm: float
    row_mm: float
    picture_mm: float
    head_lines: int
    head_size: float
    blocks: tuple[tuple[int, ...], ...]
    rows: int
    alone: int
    once: bool

    @property
    def head_mm(self) -> float:
        return _HEAD_MM * (0.4 + 0.6 * self.head_lines)

    @property
    def block_mm(self) -> float:
        return self.head_mm + self.picture_mm + self.rows * self.row_mm + _GAP_MM

    @property
    def height_mm(self) -> float:
        return EDGE_MM + _TITLE_MM + len(self.blocks) * self.block_mm + _KEY_MM

    def block_top(self, block: int) -> float:
        return EDGE_MM + _TITLE_MM + block * self.block_mm + self.head_mm

    def left(self, place: int) -> float:
        """Of the maps' column at `place`; −1 for the picture beside them."""
        return EDGE_MM + self.label_mm + (place + self.alone) * (self.tile_mm + _GAP_MM)


def _layout(data: MapGrid, width_mm: float) -> _Layout:
    alone = int(data.kind == "image")
    amount, rows = len(data.column_titles), len(data.row_titles)
    most = _NARROW_COLUMNS if width_mm < _NARROW_MM else _WIDE_COLUMNS
    parts = -(-amount // most) if alone else 1
    each = -(-amount // parts)
    blocks = tuple(
        tuple(range(start, min(start + each, amount))) for start in range(0, amount, each)
    )
    lines = data.cells if alone else list(zip(*data.cells, strict=True))
    once = data.kind != "models" and all(_shared(line, data) is not None for line in lines)
    label_mm = _label_width(data, width_mm)
    word_mm = 0.0 if once else _WORD_MM
    head_lines = 2 if alone else 1
    room = (width_mm - label_mm - 2 * EDGE_MM) / (each + alone) - _GAP_MM
    height = _MOST_HEIGHT_MM - _TITLE_MM - _KEY_MM - len(blocks) * 2 * _HEAD_MM - _WORD_MM
    high = height / (len(blocks) * (rows + 1 - alone)) - word_mm - _GAP_MM
    tile_mm = max(5.0, min(room, high, _LARGEST_TILE_MM))
    picture_mm = 0.0 if alone else tile_mm + _GAP_MM + (_WORD_MM if once else 0.0)
    return _Layout(
        label_mm=label_mm,
        tile_mm=tile_mm,
        row_mm=tile_mm + word_mm + _GAP_MM,
        picture_mm=picture_mm,
        head_lines=head_lines,
        head_size=_heading_size(data.column_titles, tile_mm, head_lines),
        blocks=blocks,
        rows=rows,
        alone=alone,
        once=once,
    )


def _shared(cells: Sequence[Cell | None], data: MapGrid) -> str | None:
    """The words that hold for all of these maps that explain a class; None where they differ."""
    shown = [data.maps[cell] for cell in cells if cell is not None and cell in data.maps]
    words = {map_words(one) for one in shown if one.class_name}
    return None if len(words) > 1 else "".join(words)


def _label_width(data: MapGrid, width_mm: float) -> float:
    widest = max(style.text_width_mm(text, 6.5) for text in data.row_titles) + 3.0
    return min(widest, (0.24 if width_mm < _NARROW_MM else 0.17) * width_mm)


def sheet_axes(width_mm: float, height_mm: float) -> tuple[Figure, Axes]:
    """One set of axes over the whole figure, in millimetres from the top left."""
    figure = style.new_figure(width_mm, height_mm)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width_mm), ylim=(height_mm, 0))
    axes.set_axis_off()
    return figure, axes


def _colours(name: str) -> Colormap:
    import matplotlib

    return matplotlib.colormaps["gray" if name == "grey" else name]


def sheet_title(axes: Axes, text: str, width_mm: float) -> None:
    """A bold line at the top of a sheet."""
    axes.text(
        EDGE_MM,
        EDGE_MM,
        style.fitted(text, width_mm - 2 * EDGE_MM - 1, 7.5, bold=True, middle=True),
        va="top",
        fontsize=7.5,
        fontweight="bold",
    )


def _heading_lines(text: str, tile_mm: float, size: float, lines: int) -> list[str]:
    """A column's name, broken in two if there is room for that."""
    room = tile_mm + 0.8 * _GAP_MM
    return broken(text, room, size) if lines > 1 else [style.fitted(text, room, size, middle=True)]


def _heading_size(titles: Sequence[str], tile_mm: float, lines: int) -> float:
    """The largest type in which no name of a column must be shortened."""
    for size in (6.5, 6.0):
        shown = [_heading_lines(text, tile_mm, size, lines) for text in titles]
        if not any(line.count("…") for text in shown for line in text):
            return size
    return 5.5


def _heading(axes: Axes, x: float, bottom: float, text: str, sheet: _Layout) -> None:
    lines = _heading_lines(text, sheet.tile_mm, sheet.head_size, sheet.head_lines)
    for place, line in enumerate(reversed(lines)):
        axes.text(
            x + sheet.tile_mm / 2,
            bottom - 1.0 - 2.5 * place,
            line,
            ha="center",
            va="baseline",
            fontsize=sheet.head_size,
        )


def _below(axes: Axes, text: str, x: float, y: float, side: float) -> None:
    """The words under a tile, as many as have room; the number at their end is kept."""
    name, _, score = text.rpartition(" ")
    room = side + 0.8 * _GAP_MM - style.text_width_mm(f" {score}", 5.5)
    words = f"{style.fitted(name, room, 5.5)} {score}" if name else style.fitted(text, side, 5.5)
    axes.text(x + side / 2, y + side + 2.5, words, ha="center", va="baseline", fontsize=5.5)


def _row_label(
    axes: Axes, title: str, note: str, y: float, label_mm: float, tile_mm: float
) -> None:
    """A row's name, broken in two where it is long, and the layer below it."""
    room = label_mm - 1.5
    lines = broken(title, room)
    middle = y + tile_mm / 2 - 1.35 * (len(lines) - 1) - (1.2 if note else 0)
    for place, line in enumerate(lines):
        axes.text(EDGE_MM, middle + 2.7 * place, line, va="center", fontsize=6.5)
    if note:
        axes.text(
            EDGE_MM,
            middle + 2.7 * len(lines),
            style.fitted(note, room, 5.5, middle=True),
            va="center",
            fontsize=5.5,
            color=style.QUIET_COLOUR,
        )


def broken(text: str, room_mm: float, size: float = 6.5, bold: bool = False) -> list[str]:
    """At most two lines, broken at a space."""
    text = plain(text)
    if style.text_width_mm(text, size, bold) <= room_mm:
        return [label(text)]
    words = text.split(" ")
    for amount in range(len(words) - 1, 0, -1):
        first = " ".join(words[:amount])
        if style.text_width_mm(first, size, bold) <= room_mm:
            return [label(first), style.fitted(" ".join(words[amount:]), room_mm, size, bold)]
    return [style.fitted(text, room_mm, size, bold, middle=True)]


def show_picture(axes: Axes, tile: Tile | None, x: float, y: float, side: float) -> None:
    """The pixels of a tile, or a word in their place; `x`, `y` and `side` in millimetres."""
    from matplotlib.patches import Rectangle

    if tile is not None and tile.pixels is not None:
        show_pixels(axes, tile.pixels, x, y, side)
        return
    axes.add_patch(Rectangle((x, y), side, side, facecolor=style.TILE_COLOUR))
    word = "no\nthumbnail" if tile is None else tile.word
    axes.text(x + side / 2, y + side / 2, word, ha="center", va="center", fontsize=5.5)


def show_pixels(axes: Axes, pixels: np.ndarray, x: float, y: float, side: float) -> None:
    """Pixels as a square whose upper left corner is at `x`, `y`."""
    axes.imshow(
        pixels, extent=(x, x + side, y + side, y), interpolation="antialiased", aspect="auto"
    )


def _cell(
    axes: Axes,
    data: MapGrid,
    cell: Cell | None,
    tiles: Mapping[int, Tile],
    at: tuple[float, float],
    side: float,
    colours: Colormap,
    opacity: float,
) -> None:
    from matplotlib.patches import Rectangle

    x, y = at
    shown = data.maps.get(cell) if cell is not None else None
    if shown is None:
        axes.add_patch(Rectangle(at, side, side, facecolor=style.MISSING_COLOUR))
        word = "no map" if side > 9 else "–"
        axes.text(x + side / 2, y + side / 2, word, ha="center", va="center", fontsize=5.5,
                  color=style.QUIET_COLOUR)  # fmt: skip
        return
    tile = tiles.get(shown.cell.image)
    pixels = tile.pixels if tile is not None else None
    show_pixels(axes, overlay(pixels, shown.values, colours, opacity), x, y, side)


def map_words(shown: SaliencyMap) -> str:
    """The class that a map explains and its probability; empty where the class changes nothing."""
    if not shown.class_name:
        return ""
    score = f" {number(shown.score)}" if np.isfinite(shown.score) else ""
    return plain(shown.class_name) + score


def _key(axes: Axes, width_mm: float, x: float, y: float, colours: Colormap) -> None:
    """What the colours mean; no numbers, since every map has its own."""
    text = "each map from its least to its most important place"
    room = width_mm - 2 * EDGE_MM - 20 - style.text_width_mm(text, 6)
    if room < 0:
        text = "least to most important"
        room = width_mm - 2 * EDGE_MM - 20 - style.text_width_mm(text, 6)
    x = EDGE_MM + max(0.0, min(x, room))
    length = 16.0
    ramp = np.linspace(0, 1, 128)[None]
    axes.imshow(
        (255 * colours(ramp)[..., :3]).astype(np.uint8),
        extent=(x, x + length, y + 2.2, y),
        aspect="auto",
    )
    axes.text(x + length + 1.5, y + 1.2, text, va="center", fontsize=6, color=style.QUIET_COLOUR)


def depth_square(data: AttentionDepth) -> MapSquare:
    """The square that the attention covers, to be cut from the thumbnail."""
    return MapSquare(data.image, *data.region, patch_id=0)


def render_depth(
    data: AttentionDepth,
    tile: Tile,
    image: str,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    colours: str = "inferno",
) -> Figure:
    """A row a layer, the last on top: the mean of the heads over the picture, then every head.

    Call inside `journal_style`.
    """
    layers, heads = data.values.shape[:2]
    names = [plain(name) for name in data.layers]
    if max(style.text_width_mm(name, 5.5) for name in names) > 0.13 * width_mm - 2:
        names = [f"layer {place + 1}" for place in range(layers)]
    label_mm = max(style.text_width_mm(name, 5.5) for name in names) + 2.0
    gap = 0.5
    room = (width_mm - label_mm - 2 * EDGE_MM - 1.5) / (heads + 1) - gap
    top = EDGE_MM + _TITLE_MM + _HEAD_MM
    side = min(room, (_MOST_HEIGHT_MM - top - _KEY_MM) / layers - gap, _LARGEST_TILE_MM)
    height_mm = top + layers * (side + gap) + _KEY_MM
    figure, axes = sheet_axes(width_mm, height_mm)
    sheet_title(axes, f"{data.model}, {image}" if image else data.model, width_mm)
    painted = _colours(colours)
    first = EDGE_MM + label_mm
    left = [first, *(first + 1.5 + (place + 1) * (side + gap) for place in range(heads))]
    _numbers(axes, left, top, side)
    for place in range(layers):
        layer = layers - 1 - place
        y = top + place * (side + gap)
        axes.text(
            EDGE_MM,
            y + side / 2,
            label(names[layer]),
            va="center",
            fontsize=5.5 if side > 2.2 else 3.5,
        )
        maps = data.values[layer]
        show_pixels(axes, overlay(tile.pixels, maps.mean(axis=0), painted, 0.6), left[0], y, side)
        for x, values in zip(left[1:], maps, strict=True):
            show_pixels(axes, overlay(None, values, painted, 1.0), x, y, side)
    _key(axes, width_mm, label_mm, height_mm - _KEY_MM + 2.0, painted)
    return figure


def _numbers(axes: Axes, left: Sequence[float], bottom: float, side: float) -> None:
    """Headings of the columns: as many numbers of heads as have room."""
    centre = [x + side / 2 for x in left]
    axes.text(centre[0], bottom - 1.0, "mean" if side > 6 else "x̄", ha="center", fontsize=6)
    step = max(1, int(np.ceil(4.0 / side)))
    for place in range(0, len(left) - 1, step):
        text = f"head {place + 1}" if side > 9 else f"{place + 1}"
        axes.text(centre[place + 1], bottom - 1.0, text, ha="center", fontsize=6)
