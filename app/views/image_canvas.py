"""A whole image with one patch outlined, to zoom and to move."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QImageIOHandler,
    QImageReader,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import IMAGE_MAT, font
from app.widgets.image_source import Box, ImageSource
from app.widgets.masked_pictures import DIM, mask_overlay

_MASK_SIDE = 672  # pixels of a mask's smooth border
_ASKED_SIDE = 2048  # device pixels of the longer side


class ImageCanvas(QWidget):
    """Shows an image on neutral grey. The wheel zooms at the pointer, dragging moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zoom = 1.0  # times the size at which the whole image fits
        self._source: ImageSource | None = None
        self._image: int | None = None
        self._box: Box | None = None
        self._mask: QImage | None = None
        self._frame: Box | None = None  # the square that the mask covers
        self._colour = QColor("#FFFFFF")
        self._pixmap: QPixmap | None = None
        self._answered = False
        self._size = QSize()
        self._shift = QPointF(0, 0)
        self._drag: QPointF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 200)
        self.setFont(font("body"))

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        if self._source is not None:
            self._source.ready.disconnect(self._ready)
        self._source = source
        if source is not None:
            source.ready.connect(self._ready)

    def show_image(self, image: int, box: Box | None, colour: str) -> None:
        """Show another image, whole, with a box of the upright original outlined."""
        if image != self._image:
            self._pixmap, self._answered, self._size = None, False, QSize()
        self._image, self._box, self._colour = image, box, QColor(colour)
        self.fit()
        self._ask()

    def show_mask(self, mask: np.ndarray | None, frame: Box | None) -> None:
        """Dim what lies outside of a mask, (side, side) bool over a square of the original."""
        self._mask = self._frame = None
        if mask is not None and frame is not None:
            self._mask = mask_overlay(mask, _MASK_SIDE, _MASK_SIDE, 2)
            self._frame = frame
        self.update()

    def fit(self) -> None:
        """Show the whole image."""
        self.zoom, self._shift = 1.0, QPointF(0, 0)
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom, keeping the place `at` (the middle by default) where it is."""
        before = self.zoom
        self.zoom = min(max(self.zoom * factor, 1.0), 40.0)
        middle = QRectF(self.rect()).center()
        place = (at or middle) - middle
        self._shift = place - (place - self._shift) * (self.zoom / before)
        if self.zoom == 1.0:
            self._shift = QPointF(0, 0)
        self.update()

    def box_on_screen(self) -> QRectF | None:
        """Where the outlined box is drawn, in the widget's pixels."""
        return self._on_screen(self._box)

    def _on_screen(self, box: Box | None) -> QRectF | None:
        if box is None or self._size.isEmpty():
            return None
        place = self._place()
        scale = place.width() / self._size.width()
        x, y, width, height = box
        corner = QPointF(place.left() + x * scale, place.top() + y * scale)
        return QRectF(corner.x(), corner.y(), width * scale, height * scale)

    def _ask(self) -> None:
        if self._source is None or self._image is None:
            return
        self._pixmap = self._source.request(self._image, None, _ASKED_SIDE) or self._pixmap
        if self._pixmap is not None and self._size.isEmpty():
            self._size = original_size(self._source, self._image) or self._pixmap.size()
        self.update()

    def _ready(self, image: int) -> None:
        if image == self._image:
            self._answered = True
            self._ask()

    def _place(self) -> QRectF:
        """Where the whole image lies, in the widget's pixels."""
        room = QRectF(self.rect()).adjusted(8, 8, -8, -8)
        size = QSize(self._size)
        scaled = size.toSizeF().scaled(room.size() * self.zoom, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(QPointF(0, 0), scaled)
        place.moveCenter(room.center() + self._shift)
        return place

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(IMAGE_MAT))
        if self._pixmap is None:
            painter.setPen(QColor("#FFFFFF"))
            text = "The image cannot be shown: its file is not there." if self._answered else "…"
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), text)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 4)
        painter.drawPixmap(self._place(), self._pixmap, QRectF(self._pixmap.rect()))
        frame = self._on_screen(self._frame)
        if frame is not None and self._mask is not None:
            self._paint_mask(painter, frame, self._mask)
        box = self.box_on_screen()
        if box is not None:
            for colour, width in ((QColor("#000000"), 4.0), (self._colour, 2.0)):
                painter.setPen(QPen(colour, width))
                painter.drawRect(box)

    def _paint_mask(self, painter: QPainter, frame: QRectF, mask: QImage) -> None:
        """The mask, and the same darkness where the model has not looked."""
        painter.save()
        painter.drawImage(frame, mask)
        painter.setClipRegion(QRegion(self._place().toRect()) - QRegion(frame.toRect()))
        painter.fillRect(self.rect(), QColor(0, 0, 0, DIM))
        painter.setClipping(False)
        painter.setPen(QPen(QColor(255, 255, 255, 110), 1, Qt.PenStyle.DotLine))
        painter.drawRect(frame)
        painter.restore()

    # -- mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._shift += event.position() - self._drag
            self._drag = event.position()
            self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._drag = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.update()


def original_size(source: ImageSource, image: int) -> QSize | None:
    """Size of the upright original: from the source where it knows, else from the file's header."""
    dimensions = getattr(source, "dimensions", None)
    known = dimensions(image) if dimensions is not None else None
    if known is not None:
        return QSize(*known)
    path = source.path(image)
    if path is None:
        return None
    reader = QImageReader(str(path))
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if reader.transformation() & QImageIOHandler.Transformation.TransformationRotate90:
        size.transpose()
    return size if not size.isEmpty() else None
