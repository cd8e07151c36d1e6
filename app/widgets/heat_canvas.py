"""A large picture under its map, to zoom and move; several of them move together."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import IMAGE_MAT, font, theme
from app.widgets.heat_pictures import HeatLook, HeatPicture, HeatPictures, heat_colours, span_of
from app.widgets.image_source import ImageSource
from app.widgets.quantities import significant

_MOST_ZOOM = 16.0
_LARGEST = 1024  # device pixels of a composed picture
_EDGE = 4
_STEP = 0.1  # of the picture, moved by an arrow key


class Zoom(QObject):
    """What part of the picture is seen, in shares of its sides; shared by canvases."""

    changed = Signal()
    pointed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.factor = 1.0
        self.centre = QPointF(0.5, 0.5)
        self.pointer: QPointF | None = None  # where the mouse is, 0…1 from the upper left

    def by(self, factor: float, at: QPointF) -> None:
        """Zoom, keeping the place `at` where it is."""
        before = self.factor
        self.factor = min(max(before * factor, 1.0), _MOST_ZOOM)
        self._take(at - (at - self.centre) * (before / self.factor))

    def move(self, right: float, down: float) -> None:
        """Move by shares of what is seen."""
        self._take(self.centre + QPointF(right, down) / self.factor)

    def fit(self) -> None:
        """Show the whole picture."""
        self.factor = 1.0
        self._take(QPointF(0.5, 0.5))

    def look_at(self, factor: float, centre: QPointF) -> None:
        """Show the part of the picture around a place, given in shares of its sides."""
        self.factor = min(max(factor, 1.0), _MOST_ZOOM)
        self._take(centre)

    def point(self, pointer: QPointF | None) -> None:
        """The mouse has moved."""
        self.pointer = pointer
        self.pointed.emit()

    def _take(self, centre: QPointF) -> None:
        half = 0.5 / self.factor
        self.centre = QPointF(
            min(max(centre.x(), half), 1 - half), min(max(centre.y(), half), 1 - half)
        )
        self.changed.emit()


class HeatCanvas(QWidget):
    """The wheel zooms at the pointer, dragging moves, a double click shows everything again."""

    def __init__(self, name: str, zoom: Zoom | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zoom = zoom or Zoom(self)
        self.pictures = HeatPictures(24 * 1024 * 1024)
        self.look = HeatLook()
        self.picture: HeatPicture | None = None
        self.words = ""  # in place of a picture
        self.frame_colour: QColor | None = None
        self._answered = False
        self._drag: QPointF | None = None
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(font("small"))
        self.zoom.changed.connect(self._repaint)
        self.zoom.pointed.connect(self._repaint)
        theme().changed.connect(self._repaint)

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        if self.pictures.source is not None:
            self.pictures.source.ready.disconnect(self._ready)
        self.pictures.set_source(source)
        self._answered = False
        if source is not None:
            source.ready.connect(self._ready)
        self.update()

    def show_picture(self, picture: HeatPicture | None, words: str = "") -> None:
        """Show another picture, or words in its place."""
        before = None if self.picture is None else self.picture.image
        if picture is None or picture.image != before:
            self._answered = False
        self.picture, self.words = picture, words
        self.update()

    def set_look(self, look: HeatLook) -> None:
        """Lay the map over the picture in another way."""
        self.look = look
        self.update()

    def forget(self) -> None:
        """Maps of another run are others."""
        self.pictures.cache.clear()
        self.show_picture(None)

    def value_at(self, pointer: QPointF | None) -> float | None:
        """The map's own value, not interpolated, at a place given in shares of the sides."""
        if self.picture is None or pointer is None:
            return None
        rows, columns = self.picture.values.shape
        row = min(int(pointer.y() * rows), rows - 1)
        column = min(int(pointer.x() * columns), columns - 1)
        value = float(self.picture.values[row, column])
        return value if np.isfinite(value) else None

    def _ready(self, image: int) -> None:
        if self.picture is not None and image == self.picture.image:
            self._answered = True
            self.update()

    def _repaint(self) -> None:
        self.update()

    # -- places

    def view(self) -> QRectF:
        """The square in which the picture is seen, in the widget's pixels."""
        side = max(16.0, float(min(self.width(), self.height()) - 2 * _EDGE))
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def _whole(self) -> QRectF:
        """Where the whole picture lies, beyond the view when zoomed."""
        view = self.view()
        side = view.width() * self.zoom.factor
        left = view.center().x() - self.zoom.centre.x() * side
        return QRectF(left, view.center().y() - self.zoom.centre.y() * side, side, side)

    def share_at(self, place: QPointF) -> QPointF | None:
        """The place on the picture under a place in the widget."""
        if not self.view().contains(place):
            return None
        whole = self._whole()
        x, y = (
            (place.x() - whole.left()) / whole.width(),
            (place.y() - whole.top()) / whole.height(),
        )
        return QPointF(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))

    # -- painting

    def _pixmap(self) -> QPixmap | None:
        if self.picture is None:
            return None
        side = round(self.view().width() * min(self.zoom.factor, 2.0))
        ratio = min(self.devicePixelRatioF(), _LARGEST / max(side, 1))
        bare = self._answered or self.pictures.source is None
        return self.pictures.pixmap(self.picture, side, ratio, self.look, bare=bare)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        view = self.view()
        if self.picture is None:
            painter.setPen(QPen(theme().colour("border"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(view)
            painter.setPen(theme().colour("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(view.adjusted(12, 12, -12, -12), int(flags), self.words)
            return
        painter.fillRect(view, QColor(IMAGE_MAT))
        pixmap = self._pixmap()
        painter.save()
        painter.setClipRect(view)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self._whole(), pixmap, QRectF(pixmap.rect()))
        self._paint_pointer(painter)
        painter.restore()
        if self.frame_colour is not None:
            pen = QPen(self.frame_colour, 2)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(view.adjusted(-1, -1, 1, 1))
        if self.hasFocus():
            painter.setPen(QPen(theme().colour("focus"), 1))
            painter.drawRect(view.adjusted(-3, -3, 3, 3))

    def _paint_pointer(self, painter: QPainter) -> None:
        pointer = self.zoom.pointer
        if pointer is None:
            return
        whole = self._whole()
        x = whole.left() + pointer.x() * whole.width()
        y = whole.top() + pointer.y() * whole.height()
        for colour, width in ((QColor(0, 0, 0, 150), 3), (QColor("#FFFFFF"), 1)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x - 7, y), QPointF(x + 7, y))
            painter.drawLine(QPointF(x, y - 7), QPointF(x, y + 7))

    # -- by hand

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = self.share_at(event.position())
        if at is not None and self.picture is not None:
            self.zoom.by(1.0015 ** event.angleDelta().y(), at)
            event.accept()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            moved = (event.position() - self._drag) / self.view().width()
            self._drag = event.position()
            self.zoom.move(-moved.x(), -moved.y())
        self.zoom.point(self.share_at(event.position()) if self.picture is not None else None)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._drag = None

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.zoom.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self.zoom.point(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, key = Qt.Key, Qt.Key(event.key())
        moves = {
            keys.Key_Left: (-_STEP, 0.0), keys.Key_Right: (_STEP, 0.0),
            keys.Key_Up: (0.0, -_STEP), keys.Key_Down: (0.0, _STEP),
        }  # fmt: skip
        if key in moves:
            self.zoom.move(*moves[key])
        elif key in (keys.Key_Plus, keys.Key_Equal):
            self.zoom.by(1.25, self.zoom.centre)
        elif key == keys.Key_Minus:
            self.zoom.by(0.8, self.zoom.centre)
        elif key == keys.Key_Home:
            self.zoom.fit()
        else:
            super().keyPressEvent(event)


class ColourBar(QWidget):
    """The colours of a map from its lowest to its highest value, and a mark at one value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._span: tuple[float, float] | None = None
        self._colours = HeatLook().colours
        self._mark: float | None = None
        self.setFixedHeight(16)
        self.setMinimumWidth(120)
        self.setFont(font("small", tabular=True))
        self.setAccessibleName("Colours of the map")
        theme().changed.connect(self._repaint)

    def _repaint(self) -> None:
        self.update()

    def show_span(self, picture: HeatPicture | None, look: HeatLook) -> None:
        """Show the values of a picture's colours."""
        self._colours = look.colours
        self._span = None if picture is None else picture.span or span_of(picture.values)
        self.setAccessibleDescription(
            "" if self._span is None else f"from {self._span[0]:.3g} to {self._span[1]:.3g}"
        )
        self.update()

    def set_mark(self, value: float | None) -> None:
        """Mark the value under the pointer."""
        if value != self._mark:
            self._mark = value
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._span is None:
            return
        painter = QPainter(self)
        painter.setPen(theme().colour("muted"))
        metrics = painter.fontMetrics()
        low, high = (significant(value) for value in self._span)
        left, right = metrics.horizontalAdvance(low) + 6, metrics.horizontalAdvance(high) + 6
        bar = QRectF(left, 4, max(8, self.width() - left - right), 8)
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(flags | Qt.AlignmentFlag.AlignLeft), low)
        painter.drawText(self.rect(), int(flags | Qt.AlignmentFlag.AlignRight), high)
        for step, (r, g, b) in enumerate(heat_colours(self._colours)[::4].tolist()):
            part = bar.width() / 64
            cell = QRectF(bar.left() + step * part, bar.top(), part + 0.5, bar.height())
            painter.fillRect(cell.intersected(bar), QColor(r, g, b))
        span = self._span[1] - self._span[0]
        if self._mark is not None and span > 0:
            share = min(max((self._mark - self._span[0]) / span, 0.0), 1.0)
            x = bar.left() + share * bar.width()
            painter.setPen(QPen(theme().colour("text"), 2))
            painter.drawLine(QPointF(x, 1), QPointF(x, 15))
