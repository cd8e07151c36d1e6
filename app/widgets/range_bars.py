"""A table of bars whose values have an interval, and a range that chance would give."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.theme import GRID, font, theme
from app.widgets.bar_data import BarData
from app.widgets.bar_paint import Layout
from app.widgets.bar_table import BarTable

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, eq=False)
class Ranges:
    """Of the first column's values; arrays (rows,), NaN where there is nothing.

    `low`, `high`: the interval. `null_low`, `null_high`: what chance gives. `reasons`: written
    where there is no bar; empty elsewhere.
    """

    low: np.ndarray
    high: np.ndarray
    null_low: np.ndarray
    null_high: np.ndarray
    reasons: tuple[str, ...]


class RangeBarTable(BarTable):
    """Bars of one column with whiskers, over the band of chance."""

    def __init__(self, name: str = "Bars", parent: QWidget | None = None) -> None:
        super().__init__(name, parent, selecting=False)
        self.ranges: Ranges | None = None

    def set_rows(self, data: BarData | None, ranges: Ranges | None) -> None:
        """Show other rows with their ranges."""
        self.ranges = ranges
        self.set_data(data)

    def _paint_rows(self, painter: QPainter) -> None:
        super()._paint_rows(painter)
        if self.ranges is None:
            return
        layout = Layout.of(self.data, self.viewport().width())
        head, height = self._head(), self.row_height()
        offset = head - self.verticalScrollBar().value()
        painter.save()
        painter.setClipRect(QRectF(0, head, layout.width, self.viewport().height() - head))
        for line in self._lines:
            top = offset + line.top
            if line.row >= 0 and top + height >= head and top <= self.viewport().height():
                left, width = layout.bars[0]
                place = QRectF(left, top + 4, width, height - 8)
                if layout.over:
                    place = QRectF(left, top + height - 6, width, 5)
                self._paint_range(painter, place, line.row)
        painter.restore()

    def _paint_range(self, painter: QPainter, place: QRectF, row: int) -> None:
        ranges = self.ranges
        assert ranges is not None
        bottom, top = self.data.columns[0].limits

        def level(value: float) -> float:
            share = (value - bottom) / (top - bottom) if top > bottom else 0.0
            return place.left() + min(max(share, 0.0), 1.0) * place.width()

        if ranges.reasons[row]:
            painter.fillRect(place, theme().colour("no_value"))
            painter.setFont(font("small"))
            painter.setPen(theme().colour("text"))
            room = place.adjusted(GRID, -4, 0, 4)
            text = QFontMetricsF(painter.font()).elidedText(
                ranges.reasons[row], Qt.TextElideMode.ElideRight, room.width()
            )
            painter.drawText(room, _LEFT, text)
            return
        low, high = float(ranges.null_low[row]), float(ranges.null_high[row])
        if math.isfinite(low) and math.isfinite(high):
            band = QRectF(level(low), place.top() - 3, level(high) - level(low), place.height() + 6)
            fill = QColor(theme().colour("muted"))
            fill.setAlpha(70)
            painter.fillRect(band, fill)
            painter.setPen(QPen(theme().colour("muted"), 1))
            painter.drawLine(band.topLeft(), band.bottomLeft())
            painter.drawLine(band.topRight(), band.bottomRight())
        low, high = float(ranges.low[row]), float(ranges.high[row])
        if math.isfinite(low) and math.isfinite(high):
            middle, cap = place.center().y(), place.height() / 4
            for colour, width in ((theme().colour("surface"), 4.0), (theme().colour("text"), 1.5)):
                painter.setPen(QPen(colour, width))
                painter.drawLine(QPointF(level(low), middle), QPointF(level(high), middle))
                for value in (low, high):
                    at = level(value)
                    painter.drawLine(QPointF(at, middle - cap), QPointF(at, middle + cap))
