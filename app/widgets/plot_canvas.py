"""A pyqtgraph plot that answers the mouse and the keyboard in the same way in every view.

Click and hover are reported; the left button draws a rectangle, or a lasso with Alt held; the wheel
zooms, the middle button moves, Home shows everything again.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from app.theme import font, theme
from app.widgets.plotting import pg

ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
LINE_REACH = 5  # pixels around a line that can be dragged


class PlotCanvas(pg.GraphicsLayoutWidget):
    """Places are given in the coordinates of `view`, the main ViewBox."""

    pressed_at = Signal(QPointF, object)  # place in pixels, keyboard modifiers; a click
    double_clicked_at = Signal(QPointF)
    moved_to = Signal(QPointF)
    left = Signal()
    beside = Signal(QPointF)  # the pointer is over an axis, in pixels
    area_drawn = Signal(object, object)  # (corners, 2) polygon in pixels, keyboard modifiers
    walked = Signal(int, int, object)  # right, up, modifiers
    key = Signal(int, object)  # other keys: Enter, space, Escape, select all as Key_A
    line_dragged = Signal(object, float)  # the InfiniteLine and its new value

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ci.layout.setContentsMargins(4, 6, 10, 4)
        self.ci.layout.setSpacing(0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the panel around has it
        self.view: pg.ViewBox | None = None
        self.draggable_lines: list[pg.InfiniteLine] = []
        self.selecting = True
        self.zooming = True
        self._press: QPointF | None = None
        self._path: list[QPointF] = []
        self._lasso = False
        self._pan: QPointF | None = None
        self._line: pg.InfiniteLine | None = None

    def add_plot(
        self, axes: Mapping[str, pg.AxisItem] | None = None, column: int = 0
    ) -> pg.PlotItem:
        """A plot without the library's own menu, buttons and prefixes of units.

        The menus are a good part of what a plot takes to be made. Axes that nobody sees would set
        their label anew with every change of the range.
        """
        plot = self.addPlot(0, column, axisItems=axes, enableMenu=False)
        self.destroyed.connect(plot.ctrlMenu.deleteLater)  # made all the same, and nobody's
        plot.hideButtons()
        for axis in plot.axes.values():
            axis["item"].enableAutoSIPrefix(False)
        return plot

    def set_view(self, view: pg.ViewBox) -> None:
        """The ViewBox that the mouse works in; its own mouse handling goes."""
        self.view = view
        view.setMouseEnabled(False, False)

    # -- pixels and plot coordinates

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Viewport pixels of plot coordinates."""
        assert self.view is not None
        (left, right), (bottom, top) = self.view.viewRange()
        place = self._view_rect()
        px = place.left() + (x - left) / (right - left) * place.width()
        py = place.bottom() - (y - bottom) / (top - bottom) * place.height()
        return px, py

    def to_plot(self, place: QPointF) -> tuple[float, float]:
        """Plot coordinates of a place in viewport pixels."""
        assert self.view is not None
        (left, right), (bottom, top) = self.view.viewRange()
        area = self._view_rect()
        x = left + (place.x() - area.left()) / max(area.width(), 1) * (right - left)
        y = bottom + (area.bottom() - place.y()) / max(area.height(), 1) * (top - bottom)
        return x, y

    def _view_rect(self) -> QRectF:
        assert self.view is not None
        return self.mapFromScene(self.view.sceneBoundingRect()).boundingRect().toRectF()

    def contains(self, place: QPointF) -> bool:
        """Whether a place in pixels lies in the plot itself, not on an axis."""
        return self.view is not None and self._view_rect().contains(place)

    # -- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        event.accept()
        place = event.position()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan = place
        elif event.button() == Qt.MouseButton.LeftButton and self.contains(place):
            self._line = self._line_at(place)
            if self._line is None:
                self._press, self._path = place, [place]
                self._lasso = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        event.accept()
        if self._pan is not None:
            self._move(self._pan, place)
            self._pan = place
        elif self._line is not None:
            x, y = self.to_plot(place)
            self.line_dragged.emit(self._line, x if self._line.angle % 180 == 90 else y)
        elif self._press is not None and self.selecting:
            self._path.append(place)
            self.viewport().update()
        elif self.contains(place):
            self._set_pointer(place)
            self.moved_to.emit(place)
        else:
            self.left.emit()
            self.beside.emit(place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
        self._pan = self._line = None
        if self._press is None or event.button() != Qt.MouseButton.LeftButton:
            return
        press, self._press = self._press, None
        moved = (event.position() - press).manhattanLength()
        if self.selecting and moved >= QApplication.startDragDistance():
            self.area_drawn.emit(self._area(event.position()), event.modifiers())
        else:
            self.pressed_at.emit(press, event.modifiers())
        self._path = []
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()
        if event.button() == Qt.MouseButton.LeftButton and self.contains(event.position()):
            self.double_clicked_at.emit(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.view is None or not self.zooming or not self.contains(event.position()):
            event.ignore()
            return
        event.accept()
        factor = 0.999 ** event.angleDelta().y()
        self.view.scaleBy((factor, factor), center=self.to_plot(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self.left.emit()
        super().leaveEvent(event)

    def _move(self, before: QPointF, now: QPointF) -> None:
        assert self.view is not None
        (x0, y0), (x1, y1) = self.to_plot(before), self.to_plot(now)
        self.view.translateBy(x=x0 - x1, y=y0 - y1)

    def _line_at(self, place: QPointF) -> pg.InfiniteLine | None:
        for line in self.draggable_lines:
            value = np.array([line.value()])
            px, py = self.to_pixels(value, value)
            off = px[0] - place.x() if line.angle % 180 == 90 else py[0] - place.y()
            if abs(off) <= LINE_REACH:
                return line
        return None

    def _set_pointer(self, place: QPointF) -> None:
        line = self._line_at(place)
        if line is None:
            self.viewport().unsetCursor()
        else:
            across = line.angle % 180 == 90
            shape = Qt.CursorShape.SplitHCursor if across else Qt.CursorShape.SplitVCursor
            self.viewport().setCursor(shape)

    def _area(self, end: QPointF) -> np.ndarray:
        if self._lasso:
            return np.array([(p.x(), p.y()) for p in self._path])
        box = QRectF(self._path[0], end).normalized()
        return np.array(
            [
                (box.left(), box.top()),
                (box.right(), box.top()),
                (box.right(), box.bottom()),
                (box.left(), box.bottom()),
            ]
        )

    # -- keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, modifiers = Qt.Key, event.modifiers()
        key = Qt.Key(event.key())
        event.accept()
        if key in ARROWS:
            self.walked.emit(*ARROWS[key], modifiers)
        elif key == keys.Key_Home:
            self.show_all()
        elif key in (keys.Key_Plus, keys.Key_Equal) and self.view is not None and self.zooming:
            self.view.scaleBy((0.8, 0.8))
        elif key == keys.Key_Minus and self.view is not None and self.zooming:
            self.view.scaleBy((1.25, 1.25))
        elif key in (keys.Key_Return, keys.Key_Enter, keys.Key_Space, keys.Key_Escape) or (
            key == keys.Key_A and modifiers & Qt.KeyboardModifier.ControlModifier
        ):
            self.key.emit(int(key), modifiers)
        else:
            event.ignore()

    def show_all(self) -> None:
        """Show the whole plot again."""
        if self.view is not None:
            self.view.autoRange(padding=0.04)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    # -- painting over everything

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        painter.save()
        painter.resetTransform()
        if self.hasFocus():
            painter.setPen(QPen(theme().colour("muted"), 1))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
        if len(self._path) > 1:
            fill = QColor(theme().colour("focus"))
            fill.setAlpha(28)
            painter.setPen(QPen(theme().colour("focus"), 1, Qt.PenStyle.DashLine))
            painter.setBrush(fill)
            corners = self._area(self._path[-1])
            painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners.tolist()]))
        painter.restore()


class NumberAxis(pg.AxisItem):
    """An axis with real minus signs, and no numbers beyond `limits` (such as a share above 1)."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation=orientation)
        self.limits: tuple[float, float] | None = None
        self.enableAutoSIPrefix(False)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        texts = super().tickStrings(values, scale, spacing)
        low, high = self.limits or (-np.inf, np.inf)
        slack = spacing * 1e-6
        return [
            text.replace("-", "−") if low - slack <= value * scale <= high + slack else ""
            for text, value in zip(texts, values, strict=True)
        ]


def style_axis(axis: pg.AxisItem) -> None:
    """Give an axis the type and colours of the theme."""
    tokens = theme().tokens
    axis.setPen(pg.mkPen(tokens.border, width=1))
    axis.setTextPen(pg.mkPen(tokens.text))
    axis.setStyle(tickFont=font("small", tabular=True), tickLength=-4, tickTextOffset=5)
    axis.setTickPen(pg.mkPen(tokens.border, width=1))


def label_axis(axis: pg.AxisItem, text: str) -> None:
    """Name an axis in body size."""
    axis.setLabel(text, **{"color": theme().tokens.text, "font-size": "12px"})
