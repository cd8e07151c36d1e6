"""An image source that gives one picture of its own, whatever is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QPixmap

from app.widgets.heat_pictures import image_of
from app.widgets.image_source import Box


class PixelSource(QObject):
    """Pixels (side, side, 3) uint8 that are not a file of the project."""

    ready = Signal(int)

    def __init__(self, pixels: np.ndarray, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pixmap = QPixmap.fromImage(image_of(pixels))

    def request(self, image_id: int, box: Box | None, size: int) -> QPixmap | None:
        """The picture at that size; the box is that of the pixels already."""
        return self._pixmap.scaled(
            QSize(size, size),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )

    def path(self, image_id: int) -> Path | None:
        """There is no file."""
        return None
