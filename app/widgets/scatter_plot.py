"""A scatter plot whose points are picked by click, rectangle, lasso and keyboard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QColor, QPen, QShowEvent
from PySide6.QtWidgets import QToolTip, QVBoxLayout, QWidget

from app.theme import font, theme
from app.widgets.density import density_image
from app.widgets.plot_canvas import NumberAxis, PlotCanvas, label_axis, style_axis
from app.widgets.plotting import pg
from app.widgets.scatter_data import (
    Points,
    PointStyle,
    ScatterData,
    inside_polygon,
    nearest,
    neighbour,
)

DENSITY_ABOVE = 50_000
"""More points than this are drawn as an image of their density; picking still knows each."""

REACH = 9  # pixels around the pointer within which a point is hit
_SHADES = 64


class ScatterPlot(QWidget):
    """Signals carry point ids. Setters are silent: they never emit.

    `point_focused`: id, or None, chosen by click or arrow key. `selection_changed`: frozenset.
    `point_activated`: double click or Enter. `point_hovered`: id or None.
    """

    point_focused = Signal(object)
    selection_changed = Signal(object)
    point_activated = Signal(object)
    point_hovered = Signal(object)
    axis_hovered = Signal(str)  # bottom or left

    canvas_type: type[PlotCanvas] = PlotCanvas

    def __init__(self, name: str = "Scatter plot", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data: ScatterData | None = None
        self.points = Points.of(_NOTHING)
        self._focus: int | None = None
        self._hover: int | None = None
        self._selection: frozenset[int] = frozenset()
        self._stale = self._undrawn = False
        self._ringless = QTimer(self)  # ticks while the rings of a selection are not made yet
        self._ringless.setSingleShot(True)
        self._ringless.setInterval(0)
        self._ringless.timeout.connect(self._make_overlay)
        self._chance_marks: list[pg.InfiniteLine] = []

        self.canvas = self.canvas_type()
        self.canvas.setAccessibleName(name)
        self.setFocusProxy(self.canvas)
        self.axes = {side: NumberAxis(side) for side in ("left", "bottom")}
        self.plot = self.canvas.add_plot(self.axes)
        self.canvas.set_view(self.plot.getViewBox())
        self._make_items()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)

        self.canvas.pressed_at.connect(self._click)
        self.canvas.double_clicked_at.connect(self._double_click)
        self.canvas.moved_to.connect(self._move)
        self.canvas.left.connect(self._leave)
        self.canvas.beside.connect(self._beside)
        self.canvas.area_drawn.connect(self._select_area)
        self.canvas.walked.connect(self._walk)
        self.canvas.key.connect(self._key)
        theme().changed.connect(self.restyle)
        self.restyle()

    def _make_items(self) -> None:
        self.base = pg.ScatterPlotItem(pxMode=True)
        self.image = pg.ImageItem()
        self.selected = pg.ScatterPlotItem(pxMode=True)
        self.ring = pg.ScatterPlotItem(pxMode=True)
        self.hover_ring = pg.ScatterPlotItem(pxMode=True)
        self.identity = pg.InfiniteLine(pos=(0, 0), angle=45)
        self.interval = pg.PlotDataItem()
        for depth, item in enumerate(
            (self.image, self.identity, self.base, self.selected, self.interval)
        ):
            item.setZValue(depth - 10)
            self.plot.addItem(item, ignoreBounds=True)
        for item in (self.ring, self.hover_ring):
            self.plot.addItem(item, ignoreBounds=True)
        self.identity.hide()
        self.image.hide()

    # -- data

    def set_data(self, data: ScatterData | None) -> None:
        """Show other points; focus and selection go with their ids."""
        self.data = data
        self.points = Points.of(data or _NOTHING)
        if data is not None:
            label_axis(self.axes["bottom"], data.x_title)
            label_axis(self.axes["left"], data.y_title)
            self.axes["left"].limits = data.y_limits
        self._draw_points()
        self.show_all()
        self._hover = None
        self.hover_ring.clear()
        self.set_selection(self._selection)
        self.set_focus(self._focus)

    def recolour(self, data: ScatterData) -> None:
        """Draw the same points in other colours; the part of the plot in view stays."""
        self.data = data
        self.points = Points.of(data)
        self._draw_points()
        self.set_selection(self._selection)
        self.set_focus(self._focus)

    @property
    def left_out(self) -> int:
        """Points that have no place because a number does not exist."""
        return self.points.left_out

    @property
    def is_density(self) -> bool:
        """Whether there are so many points that their density is drawn instead."""
        return len(self.points) > DENSITY_ABOVE

    def show_all(self) -> None:
        """Show every point, or the fixed bounds where the data have them."""
        if self.data is None or not len(self.points):
            return
        x = self.data.x_bounds or _padded(self.points.x)
        y = self.data.y_bounds or _padded(self.points.y)
        self.plot.setRange(xRange=x, yRange=y, padding=0.0)

    def _draw_points(self) -> None:
        self._undrawn = not self.isVisible()
        if self._undrawn:
            return
        points = self.points
        self.image.setVisible(self.is_density)
        if self.data is None or not self.is_density:
            self._draw_each(np.arange(len(points)))
            self.selected.clear()
            self._ringless.start()  # drawing so many points is enough for one turn
            return
        self._draw_density()
        self._draw_each(np.flatnonzero(np.isin(points.group, self.data.always)))
        self._ringless.stop()
        self.selected.clear()

    def _draw_each(self, places: np.ndarray) -> None:
        symbols, sizes, brushes = self._looks(places)
        pens = self._edges(places)
        x, y = self.points.x[places], self.points.y[places]
        self.base.setData(x=x, y=y, symbol=symbols, size=sizes, brush=brushes, pen=pens)

    def _edges(self, places: np.ndarray) -> QPen | list[QPen]:
        """One pen for all, or a pen a point where some styles are hollow."""
        styles = self.data.styles if self.data is not None else ()
        if not any(style.hollow for style in styles):
            return self._edge
        pens = [_pen(s.colour, 2.0) if s.hollow else self._edge for s in styles]
        return [pens[g] for g in self.points.group[places].tolist()]

    def _largest(self) -> float:
        """Size of the largest points, at least 7: rings are drawn around it."""
        styles = self.data.styles if self.data is not None else ()
        return max((7.0, *(style.size for style in styles if style.size > 9)))

    def _looks(self, places: np.ndarray) -> tuple[list[str], np.ndarray, list[QBrush]]:
        """One shared brush a look, so that a look is drawn once and copied to each point."""
        styles = self.data.styles if self.data is not None else (PointStyle(),)
        groups = self.points.group[places].tolist()
        symbols = [styles[g].symbol for g in groups]
        sizes = np.array([s.size for s in styles])[groups] if groups else np.zeros(0)
        if self.points.level is not None:
            table = theme().magnitudes()[:: 256 // _SHADES]
            shades = [QBrush(QColor(*map(int, rgb))) for rgb in table]
            level = np.nan_to_num(self.points.level[places])
            at = np.clip(level * (_SHADES - 1), 0, _SHADES - 1).astype(int)
            return symbols, sizes, [shades[i] for i in at.tolist()]
        shared = [
            QBrush(Qt.BrushStyle.NoBrush) if s.hollow else QBrush(_colour(s.colour, 215))
            for s in styles
        ]
        return symbols, sizes, [shared[g] for g in groups]

    def _draw_density(self) -> None:
        x, y = _padded(self.points.x), _padded(self.points.y)
        counts = density_image(self.points.x, self.points.y, (*x, *y))
        table = np.concatenate([theme().magnitudes(), np.full((256, 1), 255, np.uint8)], axis=1)
        table[0, 3] = 0
        self.image.setImage(counts, levels=(0.0, float(counts.max()) or 1.0), lut=table)
        self.image.setRect(QRectF(x[0], y[0], x[1] - x[0], y[1] - y[0]))

    def _make_overlay(self) -> None:
        """A ring for every point, all hidden: selecting only changes which are seen."""
        self._ringless.stop()
        x, y = self.points.x, self.points.y
        pen = _pen("focus", 1.6)
        brush = QBrush(Qt.BrushStyle.NoBrush)
        size = self._largest() + 4
        self.selected.setData(x=x, y=y, symbol="o", size=size, pen=pen, brush=brush)
        if len(x):
            self.selected.data["visible"] = False

    # -- shared state

    def set_selection(self, identities: frozenset[int]) -> None:
        """Ring the points of the shared selection."""
        self._selection = frozenset(identities)
        self._stale = not self.isVisible()
        if not self._stale:
            self._ring_selection()

    def showEvent(self, event: QShowEvent) -> None:
        """A plot on a hidden tab draws its points and its selection only once it is seen."""
        super().showEvent(event)
        if self._undrawn:
            self._draw_points()
        if self._stale:
            self._stale = False
            self._ring_selection()

    def _ring_selection(self) -> None:
        places = self._places(self._selection)
        if self.is_density:
            pen = _pen("focus", 1.6)
            self.selected.setData(
                x=self.points.x[places], y=self.points.y[places], size=9, pen=pen, brush=None
            )
            return
        if self._ringless.isActive() and len(places):
            self._make_overlay()
        if self._ringless.isActive() or not len(self.points):
            return
        visible = np.zeros(len(self.points), dtype=bool)
        visible[places] = True
        self.selected.data["visible"] = visible
        self.selected.invalidate()
        self.selected.update()

    def selection(self) -> frozenset[int]:
        """Ids of the selected points."""
        return self._selection

    def set_focus(self, identity: int | None) -> None:
        """Move the focus ring without telling anyone."""
        self._focus = identity
        place = None if identity is None else self.points.place_of.get(identity)
        if place is None:
            self.ring.clear()
        else:
            pen = _pen("focus", 2.0)
            x, y = self.points.x[[place]], self.points.y[[place]]
            self.ring.setData(x=x, y=y, size=self._largest() + 9, pen=pen, brush=None)
        self.canvas.setAccessibleDescription(self.describe(identity))

    def focus(self) -> int | None:
        """The id of the point in focus."""
        return self._focus

    def set_hover(self, identity: int | None) -> None:
        """Ring the point that another view hovers, without telling anyone."""
        self._hover = identity
        place = None if identity is None else self.points.place_of.get(identity)
        if place is None:
            self.hover_ring.clear()
            return
        pen = _pen("muted", 1.4)
        x, y = self.points.x[[place]], self.points.y[[place]]
        self.hover_ring.setData(x=x, y=y, size=self._largest() + 7, pen=pen, brush=None)

    def describe(self, identity: int | None) -> str:
        """The hover line of a point."""
        if identity is None or self.data is None or self.data.describe is None:
            return ""
        return self.data.describe(identity)

    def show_identity_line(self, shown: bool = True) -> None:
        """The line on which both coordinates are equal."""
        self.identity.setVisible(shown)

    def show_interval(self, x: Sequence[float], y: Sequence[float]) -> None:
        """A thin line, such as the interval of the point in focus; empty to hide it."""
        self.interval.setData(x=list(x), y=list(y))

    def set_chance_marks(self, values: Sequence[float]) -> None:
        """Thin marks across the plot where chance would lie on the horizontal axis."""
        for line in self._chance_marks:
            self.plot.removeItem(line)
        self._chance_marks = []
        for value in values:
            line = pg.InfiniteLine(
                pos=value,
                angle=90,
                label="median chance",  # each point has its own, in its line
                labelOpts={"position": 0.8, "color": theme().tokens.muted, "anchors": _LABEL_SIDE},
            )
            line.label.setFont(font("small"))
            line.setPen(pg.mkPen(theme().tokens.muted, width=1, style=Qt.PenStyle.DotLine))
            line.setZValue(-12)
            self.plot.addItem(line, ignoreBounds=True)
            self._chance_marks.append(line)

    def restyle(self) -> None:
        """Take the colours of the theme again."""
        tokens = theme().tokens
        self._edge = _pen("text" if tokens.dark else "surface", 0.7, 110)
        self.canvas.setBackground(tokens.surface)
        for side in ("left", "bottom"):
            style_axis(self.axes[side])
        if self.data is not None:
            label_axis(self.axes["bottom"], self.data.x_title)
            label_axis(self.axes["left"], self.data.y_title)
        self.identity.setPen(pg.mkPen(tokens.muted, width=1, style=Qt.PenStyle.DashLine))
        self.interval.setPen(pg.mkPen(tokens.focus, width=1.6))
        self._draw_points()
        self.set_selection(self._selection)
        self.set_focus(self._focus)
        self.set_chance_marks([line.value() for line in self._chance_marks])

    # -- by hand

    def _at(self, place: QPointF) -> int | None:
        px, py = self.canvas.to_pixels(self.points.x, self.points.y)
        found = nearest(px, py, (place.x(), place.y()), REACH)
        return None if found is None else int(self.points.ids[found])

    def _click(self, place: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        identity = self._at(place)
        if modifiers & _ADDING:
            if identity is not None:
                self._select(self._selection ^ {identity})
            return
        if identity is not None:
            self._take_focus(identity)
        self._select(frozenset() if identity is None else frozenset({identity}))

    def _double_click(self, place: QPointF) -> None:
        identity = self._at(place)
        if identity is not None:
            self.point_activated.emit(identity)

    def _move(self, place: QPointF) -> None:
        identity = self._at(place)
        if identity == self._hover:
            return
        self.set_hover(identity)
        text = self.describe(identity)
        if text:
            QToolTip.showText(self.canvas.mapToGlobal(place.toPoint()), text, self.canvas)
        else:
            QToolTip.hideText()
        self.point_hovered.emit(identity)

    def _leave(self) -> None:
        if self._hover is not None:
            self.set_hover(None)
            self.point_hovered.emit(None)

    def _beside(self, place: QPointF) -> None:
        for side, axis in self.axes.items():
            area = self.canvas.mapFromScene(axis.sceneBoundingRect()).boundingRect()
            if axis.isVisible() and area.contains(place.toPoint()):
                self.axis_hovered.emit("left" if side == "left" else "bottom")

    def _select_area(self, corners: np.ndarray, modifiers: Qt.KeyboardModifier) -> None:
        px, py = self.canvas.to_pixels(self.points.x, self.points.y)
        chosen = frozenset(self.points.ids[inside_polygon(px, py, corners)].tolist())
        self._select(self._selection | chosen if modifiers & _ADDING else chosen)

    def _walk(self, right: int, up: int, modifiers: Qt.KeyboardModifier) -> None:
        if not len(self.points):
            return
        start = None if self._focus is None else self.points.place_of.get(self._focus)
        if start is None:
            goal: int | None = int(np.argmin(self.points.x))
        else:
            px, py = self.canvas.to_pixels(self.points.x, self.points.y)
            goal = neighbour(px, -py, start, (right, up))
        if goal is None:
            return
        identity = int(self.points.ids[goal])
        self._take_focus(identity)
        adding = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        self._select(self._selection | {identity} if adding else frozenset({identity}))

    def _key(self, key: int, _modifiers: Qt.KeyboardModifier) -> None:
        if key == Qt.Key.Key_A:
            self._select(frozenset(self.points.ids.tolist()))
        elif key == Qt.Key.Key_Escape:
            self._select(frozenset())
        elif self._focus is None:
            return
        elif key == Qt.Key.Key_Space:
            self._select(self._selection ^ {self._focus})
        else:
            self.point_activated.emit(self._focus)

    def _take_focus(self, identity: int) -> None:
        if identity != self._focus:
            self.set_focus(identity)
            self.point_focused.emit(identity)

    def _select(self, identities: frozenset[int]) -> None:
        if identities != self._selection:
            self.set_selection(identities)
            self.selection_changed.emit(identities)

    def _places(self, identities: frozenset[int]) -> np.ndarray:
        chosen = np.fromiter(identities, np.int64, len(identities))
        return np.flatnonzero(np.isin(self.points.ids, chosen))


_ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_LABEL_SIDE = [(0, 0.5), (0, 0.5)]
_NOTHING = ScatterData(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), "", "")


def _colour(name: str, alpha: int = 255) -> QColor:
    colour = QColor(name) if name.startswith("#") else theme().colour(name)
    colour.setAlpha(alpha)
    return colour


def _pen(name: str, width: float, alpha: int = 255) -> QPen:
    """A pen in pixels: symbols are drawn at unit size, and a plain pen would grow with them."""
    pen = QPen(_colour(name, alpha), width)
    pen.setCosmetic(True)
    return pen


def _padded(values: np.ndarray, share: float = 0.05) -> tuple[float, float]:
    """The span of values with some room around, never empty."""
    low, high = float(values.min()), float(values.max())
    room = (high - low) * share or max(abs(high), 1.0) * share
    return low - room, high + room
