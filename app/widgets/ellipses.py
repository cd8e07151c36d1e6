"""Ellipses of uncertainty around points of a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPolygonF

from app.widgets.plotting import pg

RADIUS_95 = math.sqrt(-2 * math.log(0.05))
"""Standard deviations from the middle within which a normal point of the plane lies 95 % of the
time (chi-squared with two degrees of freedom)."""

_CIRCLE = np.linspace(0, 2 * np.pi, 73)


def ellipse_outline(middle: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(73, 2) closed outline of the 95 % ellipse of a normal point in the plane.

    :param middle: (2,) :param covariance: (2, 2), symmetric
    """
    values, vectors = np.linalg.eigh(covariance)
    axes = vectors * np.sqrt(np.maximum(values, 0.0)) * RADIUS_95
    return middle + np.column_stack([np.cos(_CIRCLE), np.sin(_CIRCLE)]) @ axes.T


class Ellipses(pg.GraphicsObject):
    """One ellipse a point, in the colour of its group; points without a covariance have none."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(-11)
        self._paths: list[tuple[QPainterPath, QColor]] = []
        self._bounds = QRectF()

    def set_ellipses(
        self, middles: np.ndarray, covariances: np.ndarray, colours: Sequence[QColor]
    ) -> None:
        """:param middles: (n, 2) :param covariances: (n, 2, 2)"""
        self.prepareGeometryChange()
        self._paths, self._bounds = [], QRectF()
        for middle, covariance, colour in zip(middles, covariances, colours, strict=True):
            if not (np.isfinite(covariance).all() and np.trace(covariance) > 0):
                continue
            corners = ellipse_outline(middle, covariance).tolist()
            path = QPainterPath()
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
            self._paths.append((path, colour))
            self._bounds = self._bounds.united(path.boundingRect())
        self.update()

    def count(self) -> int:
        """Ellipses that are drawn."""
        return len(self._paths)

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for path, colour in self._paths:
            pen = QPen(colour, 1.2)
            pen.setCosmetic(True)
            fill = QColor(colour)
            fill.setAlpha(26)
            painter.setPen(pen)
            painter.setBrush(QBrush(fill))
            painter.drawPath(path)
