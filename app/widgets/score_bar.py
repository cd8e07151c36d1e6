"""A score as a bar with the null marked: grey where it does not count."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from app.theme import theme


def paint_score(
    painter: QPainter,
    area: QRectF,
    score: float,
    null: float,
    full: float,
    colour: QColor | None,
) -> None:
    """Draw a bar from 0 to `score` on a track from 0 to `full`, with a thin mark at the null.

    :param colour: of a score that counts; None hatches the bar in grey.
    """
    tokens = theme().tokens
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    track = area.adjusted(0, 2, 0, -2)
    painter.fillRect(track, QColor(tokens.no_value))
    if math.isfinite(score) and score > 0:
        bar = QRectF(track)
        bar.setWidth(max(1.0, track.width() * min(score / full, 1.0)))
        if colour is not None:
            painter.fillRect(bar, colour)
        else:
            painter.fillRect(bar, QBrush(QColor(tokens.muted), Qt.BrushStyle.BDiagPattern))
    if math.isfinite(null):
        at = round(area.left() + area.width() * min(max(null / full, 0.0), 1.0))
        painter.setPen(QPen(QColor(tokens.surface), 3))
        painter.drawLine(at, round(area.top()), at, round(area.bottom()))
        painter.setPen(QPen(QColor(tokens.text), 1))
        painter.drawLine(at, round(area.top()), at, round(area.bottom()))
    painter.restore()
