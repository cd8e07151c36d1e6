"""How a table of bars is laid out and painted."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen

from app.theme import GRID, font, theme
from app.widgets.bar_data import BarColumn, BarData

_LONGEST_LABEL = 200.0
_LABEL_SHARE = 0.42  # of the width, at most
_NARROW_SHARE = 0.34
_NARROW = 26.0  # pixels of a bar
_LIGHT = 90  # alpha of the part of a bar outside of its inner value
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class Layout:
    """Widths in pixels; each column has a place for its bar and one for its number.

    Where there is hardly room, numbers stand `over` thin bars.
    """

    width: float
    label: float
    sign: float
    bars: tuple[tuple[float, float], ...]  # left and width
    numbers: tuple[tuple[float, float], ...]
    over: bool = False

    @staticmethod
    def of(data: BarData, width: float) -> Layout:
        """Names take what they need, numbers too; bars share what is left."""
        metrics = QFontMetricsF(font("small", tabular=True))
        bold = QFontMetricsF(font("small", bold=True))  # of selected rows
        sign = 16.0 if any(row.sign for row in data.rows) else 0.0
        widest = max((bold.horizontalAdvance(row.label) for row in data.rows), default=0.0)
        label = min(widest, _LONGEST_LABEL, width * _LABEL_SHARE) + sign + 2 * GRID
        numbers = [
            max((metrics.horizontalAdvance(text) for text in column.texts), default=0.0) + 4
            for column in data.columns
        ]
        gap = float(GRID) + 2
        free = width - label - sum(numbers) - gap * len(numbers)
        bar = free / max(len(numbers), 1)
        if bar < _NARROW:
            return Layout._over(width, label, sign, len(numbers), gap)
        bars, texts, left = [], [], label
        for number in numbers:
            bars.append((left, bar))
            texts.append((left + bar, number))
            left += bar + number + gap
        return Layout(width, label, sign, tuple(bars), tuple(texts))

    @staticmethod
    def _over(width: float, label: float, sign: float, columns: int, gap: float) -> Layout:
        label = min(label, width * _NARROW_SHARE)
        room = max((width - label) / max(columns, 1), 16.0)
        places = tuple((label + i * room, room - gap) for i in range(columns))
        return Layout(width, label, sign, places, places, True)


class BarPainter:
    """Paints parts of a table of bars; lives for one paint event."""

    def __init__(self, painter: QPainter, data: BarData, layout: Layout) -> None:
        self._painter, self._data, self._layout = painter, data, layout
        self._font, self._bold = font("small"), font("small", bold=True)
        self._tabular = font("small", tabular=True)
        self._text, self._muted = theme().colour("text"), theme().colour("muted")

    def head(self, area: QRectF) -> None:
        """The columns' titles, with a line below."""
        painter = self._painter
        painter.setFont(self._bold)
        metrics = QFontMetricsF(self._bold)
        for column, bar, number in zip(
            self._data.columns, self._layout.bars, self._layout.numbers, strict=True
        ):
            left, room = bar[0], bar[1] + (GRID if self._layout.over else number[1])
            if column.sign:
                painter.setPen(QColor(column.sign_colour or column.colour or self._muted))
                painter.drawText(QRectF(left, area.top(), 14, area.height()), _LEFT, column.sign)
                left, room = left + 14, room - 14
            painter.setPen(self._text)
            fits = metrics.horizontalAdvance(column.title) <= room
            painter.setFont(self._bold if fits else self._font)
            title = QFontMetricsF(painter.font()).elidedText(
                column.title, Qt.TextElideMode.ElideRight, room
            )
            painter.drawText(QRectF(left, area.top(), room, area.height()), _LEFT, title)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())

    def section(self, area: QRectF, title: str) -> None:
        """The title of some rows."""
        self._painter.setFont(self._bold)
        self._painter.setPen(self._text)
        inside = area.adjusted(GRID, 0, -GRID, 0)
        text = QFontMetricsF(self._bold).elidedText(
            title, Qt.TextElideMode.ElideRight, inside.width()
        )
        self._painter.drawText(inside, _LEFT, text)

    def row(self, area: QRectF, index: int, bold: bool) -> None:
        """One row with its name, bars and numbers."""
        painter, row = self._painter, self._data.rows[index]
        if row.sign:
            painter.setFont(self._font)
            painter.setPen(QColor(row.colour) if row.colour else self._muted)
            painter.drawText(QRectF(GRID, area.top(), 16, area.height()), _LEFT, row.sign)
        used = self._bold if bold else self._font
        painter.setFont(used)
        painter.setPen(self._text)
        left = GRID + self._layout.sign
        room = self._layout.label - left - GRID
        name = QFontMetricsF(used).elidedText(row.label, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QRectF(left, area.top(), room + 2, area.height()), _LEFT, name)
        for column, bar, number in zip(
            self._data.columns, self._layout.bars, self._layout.numbers, strict=True
        ):
            place = QRectF(bar[0], area.top() + 4, bar[1], area.height() - 8)
            if self._layout.over:
                place = QRectF(bar[0], area.bottom() - 5, bar[1], 4)
            self._bar(place, column, index, row.colour)
            self._number(QRectF(number[0], area.top(), number[1], area.height()), column, index)

    def _number(self, area: QRectF, column: BarColumn, index: int) -> None:
        painter, text = self._painter, column.texts[index]
        painter.setFont(self._tabular)
        metrics = QFontMetricsF(self._tabular)
        if self._layout.over:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
            area = area.adjusted(0, 0, 0, -4)
        painter.setPen(self._text if text.strip("—") else self._muted)
        painter.drawText(area, _RIGHT, text)

    def _bar(self, place: QRectF, column: BarColumn, index: int, row_colour: str) -> None:
        painter = self._painter
        low, high = column.limits

        def level(value: float) -> float:
            share = (value - low) / (high - low) if high > low else 0.0
            return place.left() + min(max(share, 0.0), 1.0) * place.width()

        painter.setPen(QPen(theme().colour("border"), 1))
        base = level(max(low, 0.0))
        beyond = 0 if self._layout.over else 4
        painter.drawLine(
            QPointF(base, place.top() - beyond), QPointF(base, place.bottom() + beyond)
        )
        value = float(column.values[index])
        colour = QColor(column.colour or row_colour or self._muted)
        if math.isfinite(value) and value != 0:
            end = level(value)
            bar = QRectF(min(base, end), place.top(), max(abs(end - base), 1.0), place.height())
            if column.grey is not None and column.grey[index]:
                painter.fillRect(bar, theme().colour("no_value"))
                painter.fillRect(bar, QBrush(self._muted, Qt.BrushStyle.BDiagPattern))
            else:
                fill = QColor(colour)
                if column.inner is not None:
                    fill.setAlpha(_LIGHT)
                painter.fillRect(bar, fill)
        if column.inner is not None and math.isfinite(float(column.inner[index])):
            end = level(float(column.inner[index]))
            painter.fillRect(QRectF(base, place.top(), end - base, place.height()), colour)
        if column.marks is not None and math.isfinite(float(column.marks[index])):
            at = level(float(column.marks[index]))
            painter.setPen(QPen(theme().colour("focus"), 2))
            painter.drawLine(QPointF(at, place.top() - 2), QPointF(at, place.bottom() + 2))
