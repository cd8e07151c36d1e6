"""The models' marks as small pictures: a blue circle for A, a vermilion square for B."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap

from app.theme import MODEL_COLOURS

_SIDE = 12


@cache
def side_icon(side: str) -> QIcon:
    """The mark of model 'a' or 'b', sharp at every scale in use."""
    icon = QIcon()
    for ratio in (1, 2, 3):
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a selected row must not tint it
            icon.addPixmap(side_pixmap(side, ratio), mode)
    return icon


def side_pixmap(side: str, ratio: float = 1.0) -> QPixmap:
    """The mark of a model as a pixmap of 12 px, with the device pixel ratio given."""
    pixmap = QPixmap(QSize(round(_SIDE * ratio), round(_SIDE * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(QColor(MODEL_COLOURS[side])))
    if side == "a":
        painter.drawEllipse(QRectF(1, 1, 10, 10))
    else:
        painter.drawRect(QRectF(1.5, 1.5, 9, 9))
    painter.end()
    return pixmap
