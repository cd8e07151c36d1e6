"""Marks of concept categories, each of its own colour and shape, sharp at every scale."""

from __future__ import annotations

import math
from functools import cache

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from analysis.figures.words import NOT_COUNTED
from app.theme import CATEGORIES

OTHER_COLOUR = "#8A929B"
_SIDE = 12
_WORDS = {"color": "colour"}


def category_word(category: str) -> str:
    """A category as the window writes it; the data's own keys stay in files."""
    return _WORDS.get(category, category)


def category_colour(category: str) -> QColor:
    """Colour of a category's mark, grey for those without one."""
    known = CATEGORIES.get(category_word(category))
    return QColor(known.colour if known is not None else OTHER_COLOUR)


@cache
def category_icon(category: str) -> QIcon:
    """The mark of a category as an icon."""
    icon = QIcon()
    for ratio in (1, 2, 3):
        pixmap = QPixmap(QSize(_SIDE * ratio, _SIDE * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint_category(painter, QRectF(0, 0, _SIDE, _SIDE), category)
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a selected row must not tint it
            icon.addPixmap(pixmap, mode)
    return icon


def paint_category(painter: QPainter, area: QRectF, category: str) -> None:
    """Draw the mark of a category into a square; a cross for units without a concept."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = category_colour(category)
    inner = area.adjusted(1, 1, -1, -1)
    if category in NOT_COUNTED:
        painter.setPen(QPen(colour, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        cross = inner.adjusted(1.5, 1.5, -1.5, -1.5)
        painter.drawLine(cross.topLeft(), cross.bottomRight())
        painter.drawLine(cross.topRight(), cross.bottomLeft())
        painter.restore()
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(colour))
    known = CATEGORIES.get(category_word(category))
    symbol = known.symbol if known is not None else "ring"
    if symbol == "o":
        painter.drawEllipse(inner)
    elif symbol == "ring":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.8))
        painter.drawEllipse(inner.adjusted(1, 1, -1, -1))
    elif symbol == "s":
        painter.drawRect(inner.adjusted(0.7, 0.7, -0.7, -0.7))
    else:
        painter.drawPolygon(_polygon(symbol, inner))
    painter.restore()


def _polygon(symbol: str, area: QRectF) -> QPolygonF:
    """Diamond, triangle, pentagon or star, standing on its base."""
    corners = {"d": 4, "t1": 3, "p": 5, "star": 10}[symbol]
    middle, radius = area.center(), area.width() / 2
    points = []
    for corner in range(corners):
        angle = 2 * math.pi * corner / corners - math.pi / 2
        length = radius * (0.45 if symbol == "star" and corner % 2 else 1.0)
        points.append(
            QPointF(middle.x() + length * math.cos(angle), middle.y() + length * math.sin(angle))
        )
    return QPolygonF(points)
