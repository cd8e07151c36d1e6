"""Pictures with a map of importance laid over them: blended, masked by it, or with its contours."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from PySide6.QtGui import QColor, QImage, QPixmap

from app.theme import IMAGE_MAT
from app.widgets.colour_maps import colour_map
from app.widgets.image_grid import at_most
from app.widgets.image_source import Box, ImageSource, PixmapCache

MODES = ("overlay", "masked", "contours", "image")
COLOURS = ("viridis", "cividis", "inferno", "magma")
"""Perceptually uniform, and told apart without full colour vision."""

CONTOURS = (0.25, 0.5, 0.75)
"""Where contour lines run, as shares of the span of a map."""


@dataclass(frozen=True)
class HeatLook:
    """How maps are laid over pictures; `opacity` 0…1 is that of the colours of an overlay."""

    mode: str = "overlay"
    colours: str = "viridis"
    opacity: float = 0.5


@dataclass(frozen=True, eq=False)
class HeatPicture:
    """The square `region` of an image (pixels of the upright original) and the map over it.

    `values`: (rows, columns) float. `span`: the values at both ends of the colours; without it
    those of the map itself.
    """

    identity: Hashable
    image: int
    region: Box
    values: np.ndarray
    span: tuple[float, float] | None = None


class HeatPictures:
    """Composes pictures with their maps once for each size and look, and keeps them, bounded."""

    def __init__(self, limit: int = 96 * 1024 * 1024) -> None:
        self.cache = PixmapCache(limit)
        self.source: ImageSource | None = None

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.source = source
        self.cache.clear()

    def pixmap(
        self, picture: HeatPicture, side: int, ratio: float, look: HeatLook, bare: bool = False
    ) -> QPixmap | None:
        """The picture `side` logical pixels wide on a screen of that pixel ratio, if it is here.

        `bare`: the image cannot be had; show the map on grey.
        """
        wanted = max(1, round(side * ratio))
        key = (picture.identity, picture.image, picture.region, picture.span, wanted, look)
        done = self.cache.get(key)
        if done is not None:
            return done
        given = None
        if self.source is not None:
            given = self.source.request(picture.image, picture.region, wanted)
        if given is None or given.isNull():
            # Kept apart: the image may still come, and its place must not be taken.
            return self._bare((*key, "bare"), picture, wanted, look) if bare else None
        done = compose(at_most(given, wanted), picture, look)
        self.cache.put(key, done)
        return done

    def _bare(self, key: Hashable, picture: HeatPicture, wanted: int, look: HeatLook) -> QPixmap:
        done = self.cache.get(key)
        if done is None:
            mat = QPixmap(wanted, wanted)
            mat.fill(QColor(IMAGE_MAT))
            done = compose(mat, picture, look)
            self.cache.put(key, done)
        return done


def compose(pixmap: QPixmap, picture: HeatPicture, look: HeatLook) -> QPixmap:
    """The pixmap of a region with its map laid over it."""
    if look.mode == "image":
        return pixmap
    base = pixels_of(pixmap.toImage())
    levels = heat_levels(picture.values, base.shape[0], base.shape[1], picture.span)
    return QPixmap.fromImage(image_of(laid_over(base, levels, look)))


def laid_over(base: np.ndarray, levels: np.ndarray, look: HeatLook) -> np.ndarray:
    """Pixels (h, w, 3) uint8 with levels (h, w) uint8 of a map laid over them."""
    if look.mode == "masked":
        product = base.astype(np.uint16) * levels[..., None]
        return ((product + 127) // 255).astype(np.uint8)
    table = heat_colours(look.colours)
    if look.mode == "contours":
        return _with_contours(base, levels, table)
    share = round(min(max(look.opacity, 0.0), 1.0) * 256)
    blended = base.astype(np.uint16) * np.uint16(256 - share)
    blended += (table.astype(np.uint16) * np.uint16(share))[levels]
    return (blended >> 8).astype(np.uint8)


def _with_contours(base: np.ndarray, levels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Light lines with a dark border each, in the colour of their level."""
    result = base.copy()
    thick = max(1, base.shape[1] // 160)
    for share in CONTOURS:
        inside = levels >= round(share * 255)
        rim = inside & ~_shrunk(inside, thick)
        dark = _shrunk(inside, thick) & ~_shrunk(inside, 2 * thick)
        result[dark] = result[dark] // 3
        # The lower half of these colours is dark: lines take the upper one.
        result[rim] = table[round(115 + 140 * share)]
    return result


def _shrunk(inside: np.ndarray, steps: int) -> np.ndarray:
    for _ in range(steps):
        padded = np.pad(inside, 1, mode="edge")
        inside = (
            inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        )
    return inside


@cache
def heat_colours(name: str) -> np.ndarray:
    """(256, 3) uint8 RGB of one of `COLOURS`; read-only."""
    if name in ("viridis", "cividis"):
        return colour_map(name)
    if name not in COLOURS:
        raise ValueError(f"no colour map {name!r}: one of {', '.join(COLOURS)}")
    from app.widgets.plotting import pg  # late: the window must not wait for it

    found = pg.colormap.get(name).getLookupTable(nPts=256, alpha=False)
    table = np.ascontiguousarray(found[:, :3], dtype=np.uint8)
    table.flags.writeable = False
    return table


def heat_levels(
    values: np.ndarray, height: int, width: int, span: tuple[float, float] | None = None
) -> np.ndarray:
    """Levels 0…255 (height, width) uint8 of a map brought to that size; NaN counts as the lowest.

    A map that is the same everywhere gives 0 unless `span` says what its values mean.
    """
    finite = np.asarray(values, np.float32)
    low, high = span or span_of(finite)
    finite = np.nan_to_num(finite, nan=low, posinf=high, neginf=low)
    scaled = (finite - low) / (high - low) if high > low else np.zeros_like(finite)
    large = enlarged(np.clip(scaled, 0.0, 1.0), height, width)
    return (large * 255 + 0.5).astype(np.uint8)


def span_of(values: np.ndarray) -> tuple[float, float]:
    """The lowest and highest finite value of a map; (0, 0) without any."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def enlarged(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map (rows, columns) brought to (height, width) bilinearly, pixel centres at halves.

    As in the measurement (PyTorch's `interpolate` with `align_corners=False`).
    """
    rows, columns = values.shape
    return _weights(rows, height) @ np.asarray(values, np.float32) @ _weights(columns, width).T


@lru_cache(maxsize=64)
def _weights(known: int, wanted: int) -> np.ndarray:
    """(wanted, known) float32: how much each known place counts at each wanted one."""
    at = np.clip((np.arange(wanted) + 0.5) * known / wanted - 0.5, 0, known - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, known - 1)
    share = (at - low).astype(np.float32)
    weights = np.zeros((wanted, known), dtype=np.float32)
    lines = np.arange(wanted)
    weights[lines, low] += 1 - share
    weights[lines, high] += share
    return weights


def pixels_of(image: QImage) -> np.ndarray:
    """(h, w, 3) uint8 RGB of an image."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), dtype=np.uint8)
    lines = flat[: image.height() * image.bytesPerLine()].reshape(image.height(), -1)
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def image_of(pixels: np.ndarray) -> QImage:
    """An image of (h, w, 3) uint8 RGB."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()
    return QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
