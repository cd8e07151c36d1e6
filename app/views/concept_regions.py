"""The three regions of the similarity–importance plot (paper, Fig. 3) and their two thresholds."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QBrush, QColor, QPen
from PySide6.QtWidgets import QGraphicsRectItem

from app.theme import font, theme
from app.widgets.plotting import pg
from app.widgets.scatter_plot import ScatterPlot

REGIONS = ("low similarity, unimportant", "shared and important", "unique and important")
_FAR = 1e3  # beyond every correlation and every share


class ConceptRegions(QObject):
    """Soft grounds, names with counts, and two lines that can be dragged."""

    thresholds_changed = Signal(float, float)  # similarity, importance

    def __init__(self, plot: ScatterPlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self.similarity, self.importance = 0.5, 0.3
        self._grounds = [QGraphicsRectItem() for _ in REGIONS]
        self._names = [pg.TextItem(anchor=a) for a in ((0, 1), (1, 0), (0, 0))]
        self._lines = [pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0)]
        self._counts = [0, 0, 0]
        view = plot.plot
        for ground in self._grounds:
            ground.setZValue(-30)
            view.addItem(ground, ignoreBounds=True)
        for name in self._names:
            name.setZValue(5)
            view.addItem(name, ignoreBounds=True)
        for line in self._lines:
            line.setZValue(-20)
            view.addItem(line, ignoreBounds=True)
        plot.canvas.draggable_lines = list(self._lines)
        plot.canvas.line_dragged.connect(self._dragged)
        view.getViewBox().sigRangeChanged.connect(self._place_names)
        theme().changed.connect(self._restyle)
        self._restyle()
        self.set_thresholds(self.similarity, self.importance)

    def set_thresholds(self, similarity: float, importance: float) -> None:
        """Move the borders of the regions without telling anyone."""
        self.similarity, self.importance = similarity, importance
        self._lines[0].setValue(similarity)
        self._lines[1].setValue(importance)
        low, right, unique = self._grounds
        low.setRect(QRectF(-_FAR, -_FAR, _FAR + similarity, _FAR + importance))
        right.setRect(QRectF(similarity, importance, _FAR, _FAR))
        unique.setRect(QRectF(-_FAR, importance, _FAR + similarity, _FAR))
        self.count()

    def count(self) -> None:
        """Count the drawn points of each region."""
        similar = self._plot.points.x >= self.similarity
        important = self._plot.points.y >= self.importance
        inside = (~similar & ~important, similar & important, ~similar & important)
        self._counts = [int(np.count_nonzero(region)) for region in inside]
        self._place_names()

    def ids_of(self, region: int) -> frozenset[int]:
        """Ids of the points in a region, by its place in `REGIONS`."""
        points = self._plot.points
        similar, important = points.x >= self.similarity, points.y >= self.importance
        inside = (~similar & ~important, similar & important, ~similar & important)[region]
        return frozenset(points.ids[inside].tolist())

    def _dragged(self, line: pg.InfiniteLine, value: float) -> None:
        value = round(min(max(value, -1.0), 1.0), 2)
        if line is self._lines[0]:
            self.set_thresholds(value, self.importance)
        elif line is self._lines[1]:
            self.set_thresholds(self.similarity, max(value, 0.0))
        self.thresholds_changed.emit(self.similarity, self.importance)

    def _place_names(self) -> None:
        """In the outer corner of each region's part in view; hidden where there is no room."""
        (left, right), (bottom, top) = self._plot.plot.viewRange()
        split_x = min(max(self.similarity, left), right)
        split_y = min(max(self.importance, bottom), top)
        wide, high = right - left or 1.0, top - bottom or 1.0
        corners = ((left, bottom), (right, top), (left, top))
        rooms = (
            ((split_x - left) / wide, (split_y - bottom) / high),
            ((right - split_x) / wide, (top - split_y) / high),
            ((split_x - left) / wide, (top - split_y) / high),
        )
        for i, (name, corner, room) in enumerate(zip(self._names, corners, rooms, strict=True)):
            name.setPos(*corner)
            name.setText(f"{REGIONS[i]} · {self._counts[i]:,}")
            name.setVisible(room[0] > 0.12 and room[1] > 0.06)

    def _restyle(self) -> None:
        tokens = theme().tokens
        strengths = (10, 18, 26) if not tokens.dark else (0, 12, 22)
        for ground, strength in zip(self._grounds, strengths, strict=True):
            colour = QColor(tokens.text)
            colour.setAlpha(strength)
            ground.setBrush(QBrush(colour))
            ground.setPen(QPen(QColor(0, 0, 0, 0)))
        cover = QColor(tokens.surface)
        cover.setAlpha(200)
        for name in self._names:
            name.setColor(tokens.muted)
            name.fill = pg.mkBrush(cover)
            name.setFont(font("small"))
        for line in self._lines:
            line.setPen(pg.mkPen(tokens.border, width=1))
        self._place_names()
