"""Named points in three dimensions, projected without perspective and turned by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from app.theme import font, theme
from app.widgets.model_scatter import ModelScatter
from app.widgets.plot_canvas import ARROWS, PlotCanvas
from app.widgets.plotting import pg
from app.widgets.scatter_data import ScatterData

START = (-52.0, 22.0)
"""Azimuth and elevation at first, in degrees."""

_STEP = 5.0  # degrees a key press
_PER_PIXEL = 0.45  # degrees
_AXIS_REACH = 6.0  # pixels around an axis that mean it
_EDGES = tuple(
    (i, i | bit) for i in range(8) for bit in (1, 2, 4) if not i & bit
)  # corners of the box; bit 0 is x


def projection(azimuth: float, elevation: float) -> np.ndarray:
    """(2, 3) matrix that takes points to the plane seen from a direction, in degrees.

    The third axis points upwards; azimuth 0 and elevation 0 look along the second axis, so that the
    first points to the right.
    """
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array(
        [
            [math.cos(a), -math.sin(a), 0.0],
            [math.sin(e) * math.sin(a), math.sin(e) * math.cos(a), math.cos(e)],
        ]
    )


class TurningCanvas(PlotCanvas):
    """Dragging turns; dragging with Shift draws the rectangle. Control and arrows turn as well."""

    turned = Signal(float, float)  # degrees of azimuth and elevation

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turn: QPointF | None = None
        self._moved = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        chooses = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        self._moved = False
        self._turn = event.position() if self._press is not None and not chooses else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._turn is None or self._press is None:
            super().mouseMoveEvent(event)
            return
        event.accept()
        far = (event.position() - self._press).manhattanLength()
        self._moved = self._moved or far >= QApplication.startDragDistance()
        if self._moved:
            step = event.position() - self._turn
            self._turn = event.position()
            self.turned.emit(step.x() * _PER_PIXEL, step.y() * _PER_PIXEL)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._turn is not None and self._moved:
            self._press, self._path = None, []  # a turn is no click
        self._turn = None
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in ARROWS and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.accept()
            right, up = ARROWS[key]
            self.turned.emit(right * _STEP, -up * _STEP)
            return
        super().keyPressEvent(event)


class Frame3D(pg.GraphicsObject):
    """The box around the points, its three axes, and a stem from each point to the floor."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(-15)
        self.corners = np.zeros((8, 2))  # of the box, projected; corner i has bit 0 for x …
        self.feet = np.zeros((0, 2))
        self.points = np.zeros((0, 2))
        self.titles = ("", "", "")
        self.axis: int | None = None  # under the pointer

    def set_lines(self, corners: np.ndarray, points: np.ndarray, feet: np.ndarray) -> None:
        self.corners, self.points, self.feet = corners, points, feet
        self.update()

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        return self.viewRect() if self.getViewBox() is not None else QRectF()

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        if not len(self.points):
            return
        transform = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

        def line(start: np.ndarray, end: np.ndarray) -> QLineF:
            return QLineF(transform.map(QPointF(*start)), transform.map(QPointF(*end)))

        painter.setPen(QPen(theme().colour("grid"), 1))
        painter.drawLines([line(self.corners[i], self.corners[j]) for i, j in _EDGES])
        painter.setPen(QPen(theme().colour("border"), 1, Qt.PenStyle.DotLine))
        stems = zip(self.points, self.feet, strict=True)
        painter.drawLines([line(point, foot) for point, foot in stems])
        for axis in range(3):
            wide = 2.4 if axis == self.axis else 1.4
            painter.setPen(QPen(theme().colour("muted"), wide))
            painter.drawLine(line(self.corners[0], self.corners[1 << axis]))
        view = transform.mapRect(self.viewRect())
        painter.setFont(font("small", bold=True))
        painter.setPen(theme().colour("text"))
        for axis, box in enumerate(self.title_boxes(transform.map, view)):
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.titles[axis])
        painter.restore()

    def title_boxes(self, mapped: Callable[[QPointF], QPointF], view: QRectF) -> list[QRectF]:
        """Where the titles stand, in pixels: beyond the ends of the axes, within the view."""
        metrics = QFontMetricsF(font("small", bold=True))
        boxes: list[QRectF] = []
        origin = mapped(QPointF(*self.corners[0]))
        for axis, title in enumerate(self.titles):
            end = mapped(QPointF(*self.corners[1 << axis]))
            box = QRectF(0, 0, metrics.horizontalAdvance(title) + 6, metrics.height() + 2)
            along = QLineF(origin, end)
            length = max(along.length(), 1.0)
            out = (end - origin) * (14 / length)
            box.moveCenter(end + out + QPointF(math.copysign(box.width() / 3, out.x()), 0))
            box.moveLeft(min(max(box.left(), view.left() + 2), view.right() - box.width() - 2))
            box.moveTop(min(max(box.top(), view.top() + 2), view.bottom() - box.height() - 2))
            for other in boxes:  # two axes may end at one place
                if box.intersects(other):
                    box.moveTop(other.bottom() + 2)
            boxes.append(box)
        return boxes


class Scatter3D(ModelScatter):
    """Points with three coordinates. `axis_hovered` tells x, y or z."""

    canvas_type = TurningCanvas

    def __init__(self, name: str = "Models in 3-D", parent: QWidget | None = None) -> None:
        self.frame = Frame3D()
        self.azimuth, self.elevation = START
        self._where = np.zeros((0, 3))
        self._spread: dict[int, np.ndarray] = {}
        self._reach = 1.0
        self._flat: ScatterData | None = None
        super().__init__(name, parent)
        self.plot.addItem(self.frame, ignoreBounds=True)
        self.names.avoid = self.frame.title_boxes
        for side in ("left", "bottom"):
            self.plot.hideAxis(side)
        self.plot.getViewBox().setAspectLocked(True)
        self.canvas.turned.connect(self.turn)
        self.canvas.moved_to.connect(self._find_axis)

    def set_points(
        self,
        data: ScatterData,
        where: np.ndarray,
        names: dict[int, str],
        titles: tuple[str, str, str],
        covariances: dict[int, np.ndarray] | None = None,
    ) -> None:
        """:param data: looks and ids; its x and y are not used
        :param where: (n, 3) coordinates :param covariances: (3, 3) each
        """
        there = np.isfinite(where).all(axis=1)
        self._where = np.where(there[:, None], where, np.nan)
        self._spread, self._names = covariances or {}, names
        self.frame.titles = titles
        seen = where[there]
        self._low = seen.min(axis=0) if len(seen) else np.zeros(3)
        self._high = seen.max(axis=0) if len(seen) else np.ones(3)
        room = np.maximum(self._high - self._low, 1e-9) * 0.08
        self._low, self._high = self._low - room, self._high + room
        self._middle = (self._low + self._high) / 2
        self._reach = float(np.linalg.norm(self._high - self._low)) / 2 or 1.0
        self._flat = data
        self._project()
        self.show_all()
        self._place_names()

    def turn(self, azimuth: float, elevation: float) -> None:
        """Turn by so many degrees."""
        self.look_from(self.azimuth + azimuth, self.elevation + elevation)

    def look_from(self, azimuth: float, elevation: float) -> None:
        """Look at the points from another direction."""
        self.azimuth = (azimuth + 180) % 360 - 180
        self.elevation = min(max(elevation, -90.0), 90.0)
        if self._flat is not None:
            self._project()
            self.names.move(self.points.x, self.points.y)
            self._draw_ellipses()

    def show_all(self) -> None:
        """The whole box, whichever way it is turned; Home also looks from the front again."""
        reach = self._reach
        self.plot.setRange(xRange=(-reach, reach), yRange=(-reach, reach), padding=0.0)

    def show_from_start(self) -> None:
        """Look from the first direction again."""
        self.look_from(*START)
        self.show_all()

    def _project(self) -> None:
        assert self._flat is not None
        matrix = projection(self.azimuth, self.elevation)
        flat = (self._where - self._middle) @ matrix.T
        ground = self._where.copy()
        ground[:, 2] = self._low[2]
        feet = (ground - self._middle) @ matrix.T
        bits = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)])
        box = np.where(bits, self._high, self._low) - self._middle
        self._covariances = {key: matrix @ c @ matrix.T for key, c in self._spread.items()}
        there = np.isfinite(flat).all(axis=1)
        self.frame.set_lines(box @ matrix.T, flat[there], feet[there])
        self.recolour(dataclasses.replace(self._flat, x=flat[:, 0], y=flat[:, 1]))

    def _find_axis(self, place: QPointF) -> None:
        x, y = self.canvas.to_pixels(self.frame.corners[:, 0], self.frame.corners[:, 1])
        at, found = np.array([place.x(), place.y()]), None
        origin = np.array([x[0], y[0]])
        for axis in range(3):
            along = np.array([x[1 << axis], y[1 << axis]]) - origin
            share = float(np.clip((at - origin) @ along / max(along @ along, 1e-9), 0.0, 1.0))
            if np.linalg.norm(origin + share * along - at) <= _AXIS_REACH and share > 0.05:
                found = axis
        if found != self.frame.axis:
            self.frame.axis = found
            self.frame.update()
            if found is not None:
                self.axis_hovered.emit("xyz"[found])

    def set_ellipses_shown(self, shown: bool) -> None:
        self.ellipses.setVisible(shown)
