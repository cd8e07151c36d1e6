"""Where widgets get their pictures from, and the bounded store of what they have drawn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import SignalInstance
from PySide6.QtGui import QPixmap

Box = tuple[int, int, int, int]


class ImageSource(Protocol):
    """Gives pictures of the project's images to widgets, now or later.

    `request` answers at once: the pixmap if it is at hand, else None, and then `ready(image_id)` is
    emitted once the answer is known. A request that still gives None after `ready` means that the
    picture cannot be had (moved, damaged); the widget then says so in its place.

    `box` is x, y, width, height in pixels of the upright original, or None for the whole image.
    `size` is the wanted longer side in device pixels; the pixmap's own device pixel ratio is
    ignored. Everything happens on the GUI thread from the widget's point of view.
    """

    ready: SignalInstance  # ready(int image_id)

    def request(self, image_id: int, box: Box | None, size: int) -> QPixmap | None: ...

    def path(self, image_id: int) -> Path | None:
        """The file of the original, where it is known and there; for drag out and captions."""
        ...


class PixmapCache:
    """Least recently used pixmaps, bounded by bytes and not by number.

    `limit` is in bytes of uncompressed pixels (four a pixel).
    """

    def __init__(self, limit: int = 96 * 1024 * 1024) -> None:
        self.limit = limit
        self.size = 0
        self._pixmaps: OrderedDict[Hashable, QPixmap] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pixmaps)

    def keys(self) -> tuple[Any, ...]:
        """Of what there are pixmaps."""
        return tuple(self._pixmaps)

    def get(self, key: Hashable) -> QPixmap | None:
        """The pixmap of a key, which becomes the most recently used one."""
        pixmap = self._pixmaps.get(key)
        if pixmap is not None:
            self._pixmaps.move_to_end(key)
        return pixmap

    def put(self, key: Hashable, pixmap: QPixmap) -> None:
        """Keep a pixmap; older ones go when the limit is passed."""
        self.discard(key)
        self._pixmaps[key] = pixmap
        self.size += bytes_of(pixmap)
        while self.size > self.limit and len(self._pixmaps) > 1:
            _, oldest = self._pixmaps.popitem(last=False)
            self.size -= bytes_of(oldest)

    def discard(self, key: Hashable) -> None:
        """Forget one pixmap, if it is there."""
        pixmap = self._pixmaps.pop(key, None)
        if pixmap is not None:
            self.size -= bytes_of(pixmap)

    def clear(self) -> None:
        """Forget everything."""
        self._pixmaps.clear()
        self.size = 0


def bytes_of(pixmap: QPixmap) -> int:
    """Bytes of a pixmap's pixels in memory."""
    return pixmap.width() * pixmap.height() * 4
