"""Pictures of which the part that matters stays clear: dimmed outside a mask, or with a box."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap

from app.widgets.image_grid import at_most
from app.widgets.image_source import Box, ImageSource, PixmapCache

MODES = ("mask", "box", "plain")

DIM = 140
"""Of 255: how much of the light outside a mask is taken away."""

_SMOOTH = 128  # the upscaled mask is cut here


@dataclass(frozen=True)
class MaskedPicture:
    """A square `frame` of an image (pixels of the upright original), the mask over that square,
    (side, side) bool or None, and a box in pixels of the original."""

    identity: Hashable
    image: int
    frame: Box
    mask: np.ndarray | None
    box: Box


class MaskedPictures:
    """Composes pictures with their masks once for each size and mode, and keeps them."""

    def __init__(self) -> None:
        self.cache = PixmapCache()
        self.source: ImageSource | None = None

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.source = source
        self.cache.clear()

    def pixmap(self, picture: MaskedPicture, side: int, ratio: float, mode: str) -> QPixmap | None:
        """The picture `side` logical pixels wide on a screen of that pixel ratio, if it is here."""
        if self.source is None:
            return None
        wanted = round(side * ratio)
        key = (picture.identity, picture.image, picture.frame, wanted, mode)
        done = self.cache.get(key)
        if done is None:
            given = self.source.request(picture.image, picture.frame, wanted)
            if given is None or given.isNull():
                return None
            done = compose(at_most(given, wanted), picture, mode, max(1, round(ratio)))
            self.cache.put(key, done)
        return done


def compose(pixmap: QPixmap, picture: MaskedPicture, mode: str, line: int) -> QPixmap:
    """The pixmap of a frame with its mask (where there is one) or its box drawn into it."""
    wants_box = mode == "box" or (mode == "mask" and picture.mask is None)
    if mode == "plain" or (wants_box and min(picture.box[2:]) <= 0):
        return pixmap
    result = QPixmap(pixmap)
    result.setDevicePixelRatio(1.0)
    painter = QPainter(result)
    if wants_box:
        _draw_box(painter, result.size(), picture, line)
    elif picture.mask is not None:
        painter.drawImage(0, 0, mask_overlay(picture.mask, result.width(), result.height(), line))
    painter.end()
    return result


def mask_overlay(mask: np.ndarray, width: int, height: int, line: int = 1) -> QImage:
    """Darkness outside of a mask and a thin light line along its border, to lay over a picture.

    :param mask: (rows, columns) bool
    :return: width × height pixels, ARGB
    """
    inside = _enlarged(mask, width, height)
    core = inside.copy()
    for _ in range(line):
        core = _eroded(core)
    pixels = np.zeros((height, width), dtype=np.uint32)
    pixels[~inside] = DIM << 24
    pixels[inside & ~core] = 0xFFFFFFFF
    # Premultiplied: black with alpha, and opaque white, are the same either way.
    return QImage(
        pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
    ).copy()


def _enlarged(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    """The mask at another size, its border smooth."""
    grey = np.ascontiguousarray(mask, dtype=np.uint8) * 255
    rows, columns = grey.shape
    image = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    image = image.scaled(
        QSize(width, height),
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    ).convertToFormat(QImage.Format.Format_Grayscale8)
    flat = np.frombuffer(image.constBits(), dtype=np.uint8)
    return flat.reshape(height, image.bytesPerLine())[:, :width] >= _SMOOTH


def _eroded(inside: np.ndarray) -> np.ndarray:
    """Without the outermost pixels; the border of the picture itself is no border of the mask."""
    padded = np.pad(inside, 1, mode="edge")
    return inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]


def _draw_box(painter: QPainter, size: QSize, picture: MaskedPicture, line: int) -> None:
    left, top, width, height = picture.frame
    x, y, across, down = picture.box
    scale_x, scale_y = size.width() / max(width, 1), size.height() / max(height, 1)
    place = QRectF((x - left) * scale_x, (y - top) * scale_y, across * scale_x, down * scale_y)
    half = line  # the outline stays inside of the picture
    place = place.intersected(QRectF(half, half, size.width() - 2 * half, size.height() - 2 * half))
    for colour, thickness in (("#000000", 3 * line), ("#FFFFFF", line)):
        pen = QPen(QColor(colour), thickness)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(place)
