"""Parts of a heatmap: axes with names, marks over the cells, and the colour bar."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QGraphicsSceneHoverEvent

from analysis.figures.words import number
from app.theme import font, theme
from app.widgets.colour_maps import luminance
from app.widgets.heatmap_data import HeatmapData
from app.widgets.plotting import pg


class NameAxis(pg.AxisItem):
    """An axis with a name at the middle of each cell; names are cut from the left to fit.

    On the bottom axis the names are written upwards, unless they are `level`, for few short names.
    Where cells are too small, only every second, third … name is written; all are given in full on
    hover.
    """

    def __init__(self, orientation: str, level: bool = False) -> None:
        super().__init__(orientation=orientation)
        self._level = level
        self.names: tuple[str, ...] = ()
        self.full_names: tuple[str, ...] = ()
        self.title = ""
        self.marked: int | None = None
        self.room = 0.0  # pixels that names and title take
        self._vertical = orientation == "left"
        self.setAcceptHoverEvents(True)

    def set_names(self, names: tuple[str, ...], full_names: tuple[str, ...], title: str) -> None:
        """Names as written, and as given on hover; the title stands at the outer edge."""
        self.names, self.full_names, self.title = names, full_names, title
        metrics = QFontMetricsF(font("small"))
        widest = max((metrics.horizontalAdvance(n) for n in names), default=0.0)
        breadth = metrics.height() if self._level else min(widest, 150.0)
        below = metrics.height() + 8 if title else 0.0
        self.room = breadth + 16 + below
        if self._vertical:
            self.setWidth(self.room)
        else:
            self.setHeight(self.room)
        self.picture = None
        self.update()

    def set_marked(self, index: int | None) -> None:
        """Write the name of the crosshair's row or column in full ink."""
        self.marked = index
        self.update()

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        if not self.names:
            return
        painter.setFont(font("small"))
        place = self.mapRectFromParent(self.geometry())
        step = self._step(place)
        for i in range(len(self.names)):
            if i % step == 0 or i == self.marked:
                self._write(painter, place, i)
        self._write_title(painter, place)

    def _step(self, place: QRectF) -> int:
        length = place.height() if self._vertical else place.width()
        cell = length / max(self.range[1] - self.range[0], 1e-9)
        return max(1, math.ceil(QFontMetricsF(font("small")).height() / max(cell, 1e-6)))

    def _middle(self, place: QRectF, index: int) -> float:
        low, high = self.range
        share = (index + 0.5 - low) / (high - low)
        if self._vertical:
            return place.bottom() - share * place.height()
        return place.left() + share * place.width()

    def _write(self, painter: QPainter, place: QRectF, index: int) -> None:
        metrics = QFontMetricsF(painter.font())
        middle = self._middle(place, index)
        height = metrics.height()
        start, end = (
            (place.top(), place.bottom()) if self._vertical else (place.left(), place.right())
        )
        if not start <= middle <= end:
            return
        is_marked = index == self.marked
        name = self.names[index]
        beside = height if self.title else -6.0
        breadth = (place.width() if self._vertical else place.height()) - 14 - beside
        if self._level:
            self._write_level(painter, place, index, middle, is_marked)
            return
        text = metrics.elidedText(name, Qt.TextElideMode.ElideLeft, breadth)
        if self._vertical:
            rectangle = QRectF(place.left() + beside + 6, middle - height / 2, breadth, height)
            self._ink(painter, rectangle, is_marked)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(rectangle, int(align), text)
            return
        painter.save()
        painter.translate(middle, place.top() + 6)
        painter.rotate(-90)
        rectangle = QRectF(-breadth, -height / 2, breadth, height)
        self._ink(painter, rectangle, is_marked)
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rectangle, int(align), text)
        painter.restore()

    def _write_level(
        self, painter: QPainter, place: QRectF, index: int, middle: float, is_marked: bool
    ) -> None:
        cell = place.width() / max(self.range[1] - self.range[0], 1e-9)
        height = QFontMetricsF(painter.font()).height()
        rectangle = QRectF(middle - cell / 2, place.top() + 6, cell, height)
        self._ink(painter, rectangle, is_marked)
        mode = Qt.TextElideMode.ElideRight
        text = QFontMetricsF(painter.font()).elidedText(self.names[index], mode, cell)
        painter.drawText(rectangle, int(Qt.AlignmentFlag.AlignCenter), text)

    def _ink(self, painter: QPainter, rectangle: QRectF, is_marked: bool) -> None:
        if is_marked:
            painter.fillRect(rectangle, theme().colour("highlight"))
        painter.setPen(theme().colour("highlight_text" if is_marked else "text"))

    def _write_title(self, painter: QPainter, place: QRectF) -> None:
        painter.setFont(font("body"))
        painter.setPen(theme().colour("text"))
        height = QFontMetricsF(painter.font()).height()
        align = int(Qt.AlignmentFlag.AlignCenter)
        painter.save()
        if self._vertical:
            painter.translate(place.left(), place.center().y())
            painter.rotate(-90)
            rectangle = QRectF(-place.height() / 2, 0, place.height(), height)
        else:
            rectangle = QRectF(place.left(), place.bottom() - height, place.width(), height)
        metrics = QFontMetricsF(painter.font())
        title = metrics.elidedText(self.title, Qt.TextElideMode.ElideMiddle, rectangle.width())
        painter.drawText(rectangle, align, title)
        painter.restore()

    def hoverMoveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        place = self.mapRectFromParent(self.geometry())
        low, high = self.range
        if self._vertical:
            share = (place.bottom() - event.pos().y()) / max(place.height(), 1)
        else:
            share = (event.pos().x() - place.left()) / max(place.width(), 1)
        index = math.floor(low + share * (high - low))
        inside = 0 <= index < len(self.full_names)
        self.setToolTip(self.full_names[index] if inside else "")


class CellMarks(pg.GraphicsObject):
    """Hatching where chance would do as well, values where cells are large, and the crosshair."""

    def __init__(self) -> None:
        super().__init__()
        self.data: HeatmapData | None = None
        self.colours = np.zeros((0, 0, 3), np.uint8)  # of the cells as drawn
        self.cell: tuple[int, int] | None = None  # crosshair
        self.hover: tuple[int, int] | None = None

    def set_data(self, data: HeatmapData | None, colours: np.ndarray) -> None:
        self.prepareGeometryChange()
        self.data, self.colours = data, colours
        self.update()

    def boundingRect(self) -> QRectF:
        if self.data is None:
            return QRectF()
        return QRectF(0, 0, len(self.data.columns), len(self.data.rows))

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        if self.data is None or not self.data.values.size:
            return
        transform = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        rows, columns = self.data.values.shape
        corner, far = transform.map(QPointF(0, 0)), transform.map(QPointF(columns, rows))
        x = np.linspace(corner.x(), far.x(), columns + 1)
        y = np.linspace(corner.y(), far.y(), rows + 1)
        self._hatch(painter, x, y)
        self._write_values(painter, x, y)
        self._draw_crosshair(painter, x, y)
        painter.restore()

    def _hatch(self, painter: QPainter, x: np.ndarray, y: np.ndarray) -> None:
        assert self.data is not None
        brush = QBrush(theme().colour("muted"), Qt.BrushStyle.BDiagPattern)
        there = np.isfinite(self.data.values) & ~self.data.beside_scale()
        for row, column in np.argwhere(there & ~self.data.above_chance()).tolist():
            painter.fillRect(_cell(x, y, row, column), brush)

    def _write_values(self, painter: QPainter, x: np.ndarray, y: np.ndarray) -> None:
        assert self.data is not None
        painter.setFont(font("small", tabular=True))
        metrics = QFontMetricsF(painter.font())
        if self.data.texts is None:
            widest = metrics.horizontalAdvance("−0.00") + 6
        else:
            written = self.data.texts.ravel().tolist()
            widest = max(metrics.horizontalAdvance(str(text)) for text in written) + 2
        if abs(x[1] - x[0]) < widest:
            return
        if abs(y[1] - y[0]) < metrics.height() + 2:
            return
        align = int(Qt.AlignmentFlag.AlignCenter)
        above = self.data.above_chance()
        light = luminance(self.colours) < 0.18
        outside = self.data.beside_scale()
        for row, column in np.argwhere(np.isfinite(self.data.values) | outside).tolist():
            rectangle = _cell(x, y, row, column)
            text = self.data.text(row, column)
            if outside[row, column]:
                painter.setPen(theme().colour("text"))
            elif above[row, column]:
                painter.setPen(QColor("#FFFFFF" if light[row, column] else "#000000"))
            else:
                side = QRectF(0, 0, metrics.horizontalAdvance(text) + 6, metrics.height())
                side.moveCenter(rectangle.center())
                painter.fillRect(side.intersected(rectangle), theme().colour("no_value"))
                painter.setPen(theme().colour("text"))
            painter.drawText(rectangle, align, text)

    def _draw_crosshair(self, painter: QPainter, x: np.ndarray, y: np.ndarray) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.hover is not None and self.hover != self.cell:
            _double_frame(painter, _cell(x, y, *self.hover), 1.0)
        if self.cell is None:
            return
        row, column = self.cell
        line = QPen(theme().colour("focus"), 1, Qt.PenStyle.DotLine)
        painter.setPen(line)
        box = _cell(x, y, row, column)
        for level in (box.top(), box.bottom()):
            painter.drawLine(QPointF(x[0], level), QPointF(x[-1], level))
        for level in (box.left(), box.right()):
            painter.drawLine(QPointF(level, y[0]), QPointF(level, y[-1]))
        _double_frame(painter, box, 2.0)


class ColourBar(pg.GraphicsWidget):
    """The colours' scale with its numbers; a thin mark shows where chance would lie."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high, self.null, self.title = 0.0, 1.0, math.nan, ""
        self.setFixedWidth(82)
        self.colours: np.ndarray | None = None  # (256, 3), in place of the magnitudes
        self.below = 0.0  # height of the axis beside the bar: the bar ends where the cells do

    def set_scale(self, low: float, high: float, null: float, title: str) -> None:
        self.low, self.high, self.null, self.title = low, high, null, title
        self.update()

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        height = max(40.0, self.size().height() - self.below - 26)
        bar = QRectF(16, 26, 14, height)
        table = theme().magnitudes("cividis") if self.colours is None else self.colours
        for i in range(256):
            bottom = bar.bottom() - bar.height() * i / 256
            step = bar.height() / 256
            painter.fillRect(
                QRectF(bar.left(), bottom - step, bar.width(), step + 1), _rgb(table[i])
            )
        painter.setFont(font("small", tabular=True))
        painter.setPen(theme().colour("text"))
        painter.drawText(QPointF(bar.left(), 14), self.title)
        span = self.high - self.low
        ticks = [self.low, self.low + span / 2, self.high]
        null = self._height(bar, self.null) if math.isfinite(self.null) else None
        for value in ticks:
            level = self._height(bar, value)
            if null is not None and abs(level - null) < 24:
                continue
            painter.drawText(
                QPointF(bar.right() + 8, min(level, bar.bottom() - 4) + 4), number(value)
            )
        if null is not None:
            painter.setPen(QPen(theme().colour("focus"), 1.5))
            painter.drawLine(QPointF(bar.left() - 4, null), QPointF(bar.right() + 4, null))
            painter.setPen(theme().colour("muted"))
            painter.drawText(QPointF(bar.right() + 8, null - 2), "chance")
            painter.drawText(QPointF(bar.right() + 8, null + 11), number(self.null))

    def _height(self, bar: QRectF, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return bar.bottom() - min(max(share, 0.0), 1.0) * bar.height()


def _cell(x: np.ndarray, y: np.ndarray, row: int, column: int) -> QRectF:
    return QRectF(QPointF(x[column], y[row]), QPointF(x[column + 1], y[row + 1])).normalized()


def _double_frame(painter: QPainter, box: QRectF, width: float) -> None:
    """A frame that is seen on every colour: dark within light."""
    painter.setPen(QPen(QColor("#FFFFFF"), width + 2))
    painter.drawRect(box)
    painter.setPen(QPen(QColor("#000000"), width))
    painter.drawRect(box)


def _rgb(colour: np.ndarray) -> QColor:
    return QColor(int(colour[0]), int(colour[1]), int(colour[2]))
