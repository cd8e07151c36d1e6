"""Names beside the points of a scatter plot, with thin lines to points that are further away."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from app.theme import font, theme
from app.widgets.name_places import FARTHEST, place_names
from app.widgets.plotting import pg

LONGEST = 190.0  # pixels of a name
MARK_RADIUS = 7.0
_LEADER_FROM = 8.0  # a name nearer to its point than this needs no line


class NameLabels(pg.GraphicsObject):
    """Names are laid out again only when points, names or the part of the plot in view change.

    `avoid` gives further boxes to keep clear of, from the mapping to pixels and the view there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(5)
        self.names: tuple[str, ...] = ()
        self.x = np.zeros(0)
        self.y = np.zeros(0)
        self.selected: frozenset[int] = frozenset()  # places of the points
        self.hover: int | None = None
        self.farthest = FARTHEST
        self.avoid: Callable[[Callable[[QPointF], QPointF], QRectF], list[QRectF]] | None = None
        self._texts: tuple[str, ...] = ()
        self._sizes = np.zeros((0, 2))
        self._boxes = np.zeros((0, 4))
        self._laid_out: tuple[float, ...] | None = None

    def set_names(self, names: tuple[str, ...], x: np.ndarray, y: np.ndarray) -> None:
        """Names of the points at x, y in the plot's units."""
        self.prepareGeometryChange()
        self.names, self.x, self.y = names, x, y
        metrics = QFontMetricsF(font("small", bold=True))
        mode = Qt.TextElideMode.ElideMiddle
        self._texts = tuple(metrics.elidedText(name, mode, LONGEST) for name in names)
        widths = [metrics.horizontalAdvance(text) + 4 for text in self._texts]
        self._sizes = np.array([(w, metrics.height()) for w in widths]).reshape(-1, 2)
        self._laid_out = None
        self.update()

    def move(self, x: np.ndarray, y: np.ndarray) -> None:
        """The same points elsewhere."""
        self.x, self.y = x, y
        self._laid_out = None
        self.update()

    def mark(self, selected: frozenset[int], hover: int | None) -> None:
        """Write the names of these points in full ink; they never lose their place."""
        self.selected, self.hover = selected, hover
        self.update()

    @property
    def hidden(self) -> int:
        """Names that found no free place when last painted."""
        return int(np.isnan(self._boxes[:, 0]).sum())

    def boxes(self) -> np.ndarray:
        """(n, 4) boxes of the names in pixels, as last painted."""
        return self._boxes

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()
        self._laid_out = None

    def boundingRect(self) -> QRectF:
        return self.viewRect() if self.getViewBox() is not None else QRectF()

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        if not self.names:
            return
        transform = painter.worldTransform()
        view = transform.mapRect(self.viewRect())
        px, py = _mapped(transform.map, self.x, self.y)
        self._lay_out(px, py, view, [] if self.avoid is None else self.avoid(transform.map, view))
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        order = sorted(range(len(self.names)), key=self._rank)
        for index in order:
            box = self._boxes[index]
            if not math.isnan(box[0]):
                self._write(painter, index, box, QPointF(px[index], py[index]))
            elif index == self.hover:
                size = self._sizes[index]
                corner = (px[index] - size[0] / 2, py[index] - MARK_RADIUS - 4 - size[1])
                over = np.array([*corner, corner[0] + size[0], corner[1] + size[1]])
                self._write(painter, index, over, QPointF(px[index], py[index]))
        painter.restore()

    def _rank(self, index: int) -> int:
        return (index in self.selected) + 2 * (index == self.hover)

    def _lay_out(self, px: np.ndarray, py: np.ndarray, view: QRectF, others: list[QRectF]) -> None:
        key = (view.left(), view.top(), view.width(), view.height(), *px.tolist(), *py.tolist())
        if key == self._laid_out:
            return
        self._laid_out = key
        self._boxes = np.full((len(px), 4), np.nan)
        seen = np.flatnonzero(
            (px >= view.left()) & (px <= view.right()) & (py >= view.top()) & (py <= view.bottom())
        )
        bounds = (view.left() + 2, view.top() + 2, view.right() - 2, view.bottom() - 2)
        taken = [(box.left(), box.top(), box.right(), box.bottom()) for box in others]
        self._boxes[seen] = place_names(
            px[seen],
            py[seen],
            self._sizes[seen],
            bounds,
            MARK_RADIUS,
            taken=taken,
            farthest=self.farthest,
        )

    def _write(self, painter: QPainter, index: int, box: np.ndarray, point: QPointF) -> None:
        bold = index in self.selected or index == self.hover
        painter.setFont(font("small", bold=bold))
        area = QRectF(QPointF(box[0], box[1]), QPointF(box[2], box[3]))
        near = QPointF(
            min(max(point.x(), area.left()), area.right()),
            min(max(point.y(), area.top()), area.bottom()),
        )
        length = math.hypot(near.x() - point.x(), near.y() - point.y())
        if length > MARK_RADIUS + _LEADER_FROM:
            start = point + (near - point) * (MARK_RADIUS / length)
            painter.setPen(QPen(theme().colour("muted"), 0.8))
            painter.drawLine(start, near)
        # A halo of the ground keeps names readable over ellipses and surfaces.
        metrics = QFontMetricsF(painter.font())
        text = self._texts[index]
        width = metrics.horizontalAdvance(text)
        left = area.left() + (area.width() - width) / 2
        if area.left() >= point.x():
            left = area.left() + 2
        elif area.right() <= point.x():
            left = area.right() - 2 - width
        path = QPainterPath()
        path.addText(QPointF(left, area.top() + metrics.ascent()), painter.font(), text)
        halo = QColor(theme().tokens.surface)
        halo.setAlpha(215)
        pen = QPen(halo, 3.0)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(path, pen)
        painter.setPen(theme().colour("text"))
        painter.drawText(QPointF(left, area.top() + metrics.ascent()), text)


def _mapped(
    mapped: Callable[[QPointF], QPointF], x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    points = [mapped(QPointF(a, b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return np.array([p.x() for p in points]), np.array([p.y() for p in points])
