"""The same pictures twice, side by side, each time with another mask."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from app.theme import IMAGE_MAT, MODEL_COLOURS, theme
from app.widgets.heat_pictures import HeatLook, enlarged, image_of, laid_over, pixels_of
from app.widgets.image_grid import (
    FRAME,
    GridDelegate,
    GridItem,
    ImageGrid,
    Index,
    at_most,
    fitted,
    write_missing,
)
from app.widgets.image_source import Box, ImageSource, PixmapCache
from app.widgets.masked_pictures import mask_overlay

MODES = ("mask", "map", "image")
_SMALLEST = 40
_LARGEST_ALONE = 640
_GAP = 3  # pixels between both pictures of a pair
_OUTER = 3  # more pixels between pairs


@dataclass(frozen=True, eq=False)
class MaskPair:
    """The square `region` of an image (pixels of the upright original) and two maps over it.

    `first`, `second`: (rows, columns) float 0…1, each at its own resolution.
    """

    identity: Hashable
    image: int
    region: Box
    first: np.ndarray
    second: np.ndarray

    def values(self, side: int) -> np.ndarray:
        """The first or the second map."""
        return self.second if side else self.first


class MaskPairGrid(ImageGrid):
    """A pair of pictures an image, in the frames of model A and B; Enter shows one pair large.

    A mask is where the map, brought bilinearly to the picture's size, is above the threshold.
    """

    def __init__(self, name: str, largest: int = 224, parent: QWidget | None = None) -> None:
        super().__init__(name, fit=True, largest=largest, parent=parent)
        self.pairs: dict[Hashable, MaskPair] = {}
        self.mode = "mask"
        self.threshold = 0.5
        self.composed = PixmapCache(48 * 1024 * 1024)
        self._largest_of_many = largest
        self._alone: Hashable | None = None
        self._captions: dict[Hashable, str] = {}
        self.grid_delegate = MaskPairDelegate(self)
        self.setItemDelegate(self.grid_delegate)
        self.item_activated.connect(self._enlarge)

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.composed.clear()
        super().set_source(source)

    def show_pairs(self, pairs: Sequence[MaskPair], captions: Sequence[str]) -> None:
        """Show other pairs; a caption each."""
        self.composed.clear()
        self.pairs = {pair.identity: pair for pair in pairs}
        self._captions = {
            pair.identity: caption for pair, caption in zip(pairs, captions, strict=True)
        }
        self.set_alone(self._alone if self._alone in self.pairs else None)

    def set_alone(self, identity: Hashable | None) -> None:
        """Show one pair as large as it fits, or all of them."""
        self._alone = identity
        shown = [p for i, p in self.pairs.items() if identity is None or i == identity]
        self.set_items(
            GridItem(pair.identity, pair.image, pair.region, self._captions[pair.identity])
            for pair in shown
        )
        if identity is not None:
            self.set_focus(identity)

    def alone(self) -> Hashable | None:
        """The pair that is shown large, if one is."""
        return self._alone

    def set_threshold(self, threshold: float) -> None:
        """Cut the maps elsewhere."""
        self.threshold = threshold
        self.viewport().update()

    def set_mode(self, mode: str) -> None:
        """Show the 'mask', the 'map' in colours, or the 'image' alone; ValueError for others."""
        if mode not in MODES:
            raise ValueError(f"no way {mode!r} to show a mask: one of {', '.join(MODES)}")
        self.mode = mode
        self.viewport().update()

    def cell(self) -> QSize:
        """Room of a pair with its frame."""
        side = self.thumbnail_size
        return QSize(2 * (side + FRAME + _OUTER) + _GAP, side + 2 * FRAME + _OUTER)

    def _choose_size(self) -> None:
        if not self.grid_model.items:
            return
        room, count = self.maximumViewportSize(), len(self.grid_model.items)
        width = room.width() - self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent) - 1
        best = _SMALLEST
        biggest = self._largest_of_many if self._alone is None else _LARGEST_ALONE
        for size in range(_SMALLEST, biggest + 1, 2):
            across = 2 * (size + FRAME + _OUTER) + _GAP
            down = size + 2 * FRAME + _OUTER
            if across > width:
                break
            if -(-count // (width // across)) * down <= room.height():
                best = size
        # Where not all fit, pictures stay large enough to be seen and the list is scrolled.
        self.set_thumbnail_size(max(best, min(72, (width - 20) // 2)))

    # -- by hand

    def _enlarge(self, identity: Hashable) -> None:
        """Double click, Enter or space: large, and back."""
        self.set_alone(None if self._alone is not None else identity)
        self.set_focus(identity)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if self._alone is not None and key == Qt.Key.Key_Escape:
            self._enlarge(self._alone)
        elif self._alone is not None and key in steps:
            names = list(self.pairs)
            self.set_alone(names[(names.index(self._alone) + steps[key]) % len(names)])
            self.item_focused.emit(self._alone)
        else:
            super().keyPressEvent(event)

    # -- pictures

    def picture(self, item: GridItem, side: int) -> QPixmap | None:
        """One picture of a pair with its mask, at the size and pixel density shown, if it is here.

        Where the image cannot be had its map is shown on grey.
        """
        pair = self.pairs.get(item.identity)
        source = self.grid_model.source
        if pair is None:
            return None
        wanted = max(1, round(self.thumbnail_size * self.devicePixelRatioF()))
        cut = self.threshold if self.mode == "mask" else 0.0
        key = (pair.identity, side, wanted, self.mode, cut)
        done = self.composed.get(key)
        if done is not None:
            return done
        given = None if source is None else source.request(pair.image, pair.region, wanted)
        there = given is not None and not given.isNull()
        if given is None or not there:
            if source is not None and item.image not in self.grid_delegate.answered:
                return None
            given = QPixmap(wanted, wanted)
            given.fill(QColor(IMAGE_MAT))
        done = composed(at_most(given, wanted), pair.values(side), self.mode, cut)
        if there:
            self.composed.put(key, done)
        return done


class MaskPairDelegate(GridDelegate):
    """Paints both pictures of a pair."""

    def __init__(self, grid: MaskPairGrid) -> None:
        super().__init__(grid, grid.cache)
        self._pairs = grid

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        grid = self._pairs
        item = grid.grid_model.items[index.row()]
        size = grid.thumbnail_size
        painter.save()
        left = option.rect.x() + FRAME
        whole = QRect(left, option.rect.y() + FRAME, 2 * size + _GAP, size)
        for side, colour in enumerate(MODEL_COLOURS.values()):
            frame = QRect(left + side * (size + _GAP), whole.y(), size, size)
            painter.fillRect(frame, QColor(IMAGE_MAT))
            pixmap = grid.picture(item, side)
            if pixmap is not None:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawPixmap(fitted(pixmap, frame), pixmap)
            elif item.image in self.answered:
                write_missing(painter, frame)
            pen = QPen(QColor(colour), 2)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame.adjusted(1, 1, -1, -1))
        self._ring(painter, whole, item, option)
        painter.restore()

    def _ring(
        self, painter: QPainter, whole: QRect, item: GridItem, option: QStyleOptionViewItem
    ) -> None:
        state = QStyle.StateFlag
        grid = self._pairs
        current = grid.currentIndex().row() == grid.grid_model.row_of(item.identity)
        if option.state & state.State_Selected or (current and grid.hasFocus()):
            painter.setPen(QPen(theme().colour("focus"), 2))
        elif option.state & state.State_MouseOver:
            painter.setPen(QPen(theme().colour("muted"), 1))
        else:
            return
        painter.drawRect(whole.adjusted(-2, -2, 1, 1))


def composed(pixmap: QPixmap, values: np.ndarray, mode: str, threshold: float) -> QPixmap:
    """A picture with its map (rows, columns) 0…1: dimmed outside the mask, or with its colours."""
    if mode == "image":
        return pixmap
    width, height = pixmap.width(), pixmap.height()
    large = enlarged(np.nan_to_num(values), height, width)
    if mode == "map":
        levels = (np.clip(large, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
        base = pixels_of(pixmap.toImage())
        return QPixmap.fromImage(image_of(laid_over(base, levels, HeatLook(opacity=0.6))))
    result = QPixmap(pixmap)
    result.setDevicePixelRatio(1.0)
    painter = QPainter(result)
    painter.drawImage(0, 0, mask_overlay(large > threshold, width, height))
    painter.end()
    return result
