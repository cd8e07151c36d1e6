"""Named curves with their intervals and points, one of them in front, and a line to drag along."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from analysis.figures.words import number
from app.labels import ElidedLabel
from app.theme import font, theme
from app.widgets.plot_canvas import NumberAxis, PlotCanvas, label_axis, style_axis
from app.widgets.plotting import pg

_REACH = 14.0  # pixels around a point in which the pointer finds it
_FAINT = 120  # alpha of curves behind the one in front


@dataclass(frozen=True, eq=False)
class Series:
    """A curve; all arrays are (points,), NaN where there is nothing.

    `low` and `high`: its interval, drawn where the curve is in front. `solid`: points drawn filled;
    the others are hollow. `symbol`: pyqtgraph's, empty for a line without points.
    """

    identity: Hashable
    x: np.ndarray
    y: np.ndarray
    colour: QColor
    symbol: str = ""
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    solid: np.ndarray | None = None
    dashed: bool = False
    front: bool = False
    faint: bool = False


class _Canvas(PlotCanvas):
    """Home shows the whole plot again, as its bounds say."""

    def __init__(self) -> None:
        super().__init__()
        self.x_range, self.y_range = (0.0, 1.0), (0.0, 1.0)

    def show_all(self) -> None:
        if self.view is not None:
            left, right = self.x_range
            bottom, top = self.y_range
            side, above = (right - left) * 0.03, (top - bottom) * 0.03
            self.view.setRange(
                xRange=(left - side, right + side),
                yRange=(bottom - above, top + above),
                padding=0.0,
            )


class LinePlot(QWidget):
    """Setters are silent. `series_pressed(identity, place)`: a point was clicked;
    `point_hovered(identity, place)`: None and −1 beside all points; `moved(x)`: the line was
    dragged, or the plot clicked beside all points where there is a line; `stepped(right)`,
    `walked(down)`: arrow keys.
    """

    series_pressed = Signal(object, int)
    point_hovered = Signal(object, int)
    moved = Signal(float)
    stepped = Signal(int)
    walked = Signal(int)

    def __init__(
        self, name: str, across: str, up: str, title: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._titles = (across, up)
        self._items: list[pg.GraphicsObject] = []
        self._hovered: tuple[Hashable, int] | None = None
        self.series: tuple[Series, ...] = ()
        self.canvas = _Canvas()
        self.canvas.setAccessibleName(name)
        self.canvas.selecting = False
        self.canvas.setMinimumSize(150, 96)
        self.setFocusProxy(self.canvas)
        self.axes = {side: NumberAxis(side) for side in ("left", "bottom")}
        self.plot = self.canvas.add_plot(self.axes)
        self.canvas.set_view(self.plot.getViewBox())
        self._grid: list[pg.InfiniteLine] = []
        self.line = pg.InfiniteLine(pos=0.0, angle=90, movable=False)
        self.line.setZValue(20)
        self.line.hide()
        self.plot.addItem(self.line, ignoreBounds=True)
        self.canvas.line_dragged.connect(self._drag)
        self.canvas.pressed_at.connect(self._press)
        self.canvas.moved_to.connect(self._hover)
        self.canvas.left.connect(self._leave)
        self.canvas.walked.connect(self._walk)
        self.title = ElidedLabel(title, Qt.TextElideMode.ElideMiddle)
        self.title.setFont(font("small", bold=True))
        self.title.setVisible(bool(title))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        layout.addWidget(self.canvas, 1)
        theme().changed.connect(self.restyle)
        self.restyle()
        self.set_bounds((0.0, 1.0), (0.0, 1.0))

    # -- setters

    def set_title(self, title: str) -> None:
        """What stands above the plot."""
        self.title.setText(title)
        self.title.setVisible(bool(title))

    def set_bounds(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """The ends of both axes."""
        self.canvas.x_range, self.canvas.y_range = across, up
        self.axes["bottom"].limits, self.axes["left"].limits = across, up
        self.axes["left"].setTicks([_ticks(*up)])
        self.axes["bottom"].setTicks([_ticks(*across)])
        for line in self._grid:
            self.plot.removeItem(line)
        self._grid = [pg.InfiniteLine(pos=value, angle=0) for value, _ in _ticks(*up)]
        for line in self._grid:
            line.setZValue(-5)
            line.setPen(pg.mkPen(theme().tokens.grid, width=1))
            self.plot.addItem(line, ignoreBounds=True)
        self.canvas.show_all()

    def show_series(self, series: Sequence[Series]) -> None:
        """Show other curves."""
        self.series = tuple(series)
        self._hovered = None
        self._draw()

    def set_line(self, value: float | None) -> None:
        """Put the line somewhere, or take it away."""
        self.line.setVisible(value is not None)
        self.canvas.draggable_lines = [] if value is None else [self.line]
        if value is not None:
            self.line.setValue(value)

    def describe(self, text: str) -> None:
        """What a screen reader says of the place in focus."""
        self.canvas.setAccessibleDescription(text)

    def show_all(self) -> None:
        """Undo zooming."""
        self.canvas.show_all()

    # -- drawing

    def restyle(self) -> None:
        """Take the colours of the theme again."""
        self.canvas.setBackground(theme().colour("surface"))
        for axis in self.axes.values():
            style_axis(axis)
            axis.setStyle(hideOverlappingLabels=False)
        for line in self._grid:
            line.setPen(pg.mkPen(theme().tokens.grid, width=1))
        label_axis(self.axes["bottom"], self._titles[0])
        label_axis(self.axes["left"], self._titles[1])
        self.line.setPen(pg.mkPen(theme().tokens.text, width=1.5))
        self._draw()

    def _draw(self) -> None:
        for item in self._items:
            self.plot.removeItem(item)
        self._items = []
        for series in self.series:
            if series.front and series.low is not None and series.high is not None:
                self._draw_band(series)
            self._draw_line(series)

    def _draw_band(self, series: Series) -> None:
        fill = QColor(series.colour)
        fill.setAlpha(45)
        finite = np.isfinite(series.low) & np.isfinite(series.high)  # type: ignore[arg-type]
        ends = [
            pg.PlotCurveItem(series.x[finite], np.asarray(edge, float)[finite], pen=None)
            for edge in (series.low, series.high)
            if edge is not None
        ]
        band = pg.FillBetweenItem(*ends, brush=pg.mkBrush(fill))
        band.setZValue(1)
        self._add(band)

    def _draw_line(self, series: Series) -> None:
        colour = readable(series.colour)
        if series.faint:
            colour.setAlpha(_FAINT)
        style = Qt.PenStyle.DashLine if series.dashed else Qt.PenStyle.SolidLine
        width = 2.6 if series.front else 1.3
        x, y = np.asarray(series.x, float), np.asarray(series.y, float)
        line = pg.PlotCurveItem(x, y, connect="finite")
        line.setPen(pg.mkPen(colour, width=width, style=style))
        line.setZValue(10 if series.front else 3)
        self._add(line)
        if not series.symbol:
            return
        solid = np.ones(len(x), bool) if series.solid is None else series.solid
        hollow = theme().colour("surface")
        for filled in (True, False):
            at = np.isfinite(y) & (solid == filled)
            if not at.any():
                continue
            points = pg.ScatterPlotItem(
                x[at], y[at], symbol=series.symbol, size=9 if series.front else 7,
                pen=pg.mkPen(colour, width=1.4), brush=pg.mkBrush(colour if filled else hollow),
            )  # fmt: skip
            points.setZValue(11 if series.front else 4)
            self._add(points)

    def _add(self, item: pg.GraphicsObject) -> None:
        self.plot.addItem(item, ignoreBounds=True)
        self._items.append(item)

    # -- by hand

    def _point_at(self, place: QPointF) -> tuple[Hashable, int] | None:
        """The nearest point within reach; of equally near ones that of the curve in front."""
        best, found = _REACH, None
        for series in self.series:
            if not series.symbol:
                continue
            px, py = self.canvas.to_pixels(np.asarray(series.x), np.asarray(series.y))
            apart = np.hypot(px - place.x(), py - place.y())
            if not np.isfinite(apart).any():
                continue
            nearest = int(np.nanargmin(apart))
            distance = float(apart[nearest]) - (0.5 if series.front else 0.0)
            if distance < best:
                best, found = distance, (series.identity, nearest)
        return found

    def _press(self, place: QPointF, _modifiers: object) -> None:
        found = self._point_at(place)
        if found is not None:
            self.series_pressed.emit(*found)
        elif self.line.isVisible():
            self.moved.emit(self.canvas.to_plot(place)[0])

    def _hover(self, place: QPointF) -> None:
        found = self._point_at(place)
        if found != self._hovered:
            self._hovered = found
            self.point_hovered.emit(*(found or (None, -1)))

    def _leave(self) -> None:
        if self._hovered is not None:
            self._hovered = None
            self.point_hovered.emit(None, -1)

    def _drag(self, _line: object, value: float) -> None:
        self.moved.emit(value)

    def _walk(self, right: int, up: int, _modifiers: Qt.KeyboardModifier) -> None:
        if right:
            self.stepped.emit(right)
        elif up:
            self.walked.emit(-up)


def readable(colour: QColor) -> QColor:
    """On the dark ground the darker colours of the palette are made lighter."""
    lighter = theme().dark and colour.lightness() < 110
    return QColor(colour.lighter(150)) if lighter else QColor(colour)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round places between the ends, at most six."""
    span = max(high - low, 1e-9)
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 1e9) if span / s <= 5.01)
    first = int(np.ceil(low / step - 1e-6))
    last = int(np.floor(high / step + 1e-6))
    digits = 2 if step < 0.1 else 1
    return [(i * step, number(i * step, digits)) for i in range(first, last + 1)]
