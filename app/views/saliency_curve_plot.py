"""One plot of curves over the share of pixels, with a line to drag along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from analysis.figures.words import number
from app.theme import font, theme
from app.widgets.plot_canvas import NumberAxis, PlotCanvas, label_axis, style_axis
from app.widgets.plotting import pg

_TITLES = {"insertion": "share of pixels in", "deletion": "share of pixels gone"}
_HEADS = {"insertion": "Insertion ↑ probability", "deletion": "Deletion ↓ probability"}
_BETTER = {
    "insertion": "Insertion: higher is better",
    "deletion": "Deletion: lower is better",
}
_BOUNDS = (-0.02, 1.02)
_TICKS = [
    [(step / 5, number(step / 5, 1)) for step in range(6)],
    [(step / 20, number(step / 20)) for step in range(21) if step % 4],
]
_FAR = 10  # steps of an arrow key with Shift


@dataclass(frozen=True, eq=False)
class DrawnCurve:
    """A curve of one map: `x` and `y`, (steps + 1,) each."""

    x: np.ndarray
    y: np.ndarray
    colour: QColor
    dashed: bool
    active: bool


@dataclass(frozen=True, eq=False)
class DrawnMean:
    """A mean over images with its interval, (steps + 1,) each."""

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    colour: QColor
    dashed: bool


class CurveCanvas(PlotCanvas):
    """Home shows the whole square again."""

    def show_all(self) -> None:
        if self.view is not None:
            self.view.setRange(xRange=_BOUNDS, yRange=_BOUNDS, padding=0.0)


class CurvePlot(QWidget):
    """`scrubbed(kind, share)`: the line was dragged or the plot clicked; `stepped(kind, steps)`:
    left and right, with Shift ten at once; `curve_walked(1 or −1)`: down and up."""

    scrubbed = Signal(str, float)
    stepped = Signal(str, int)
    curve_walked = Signal(int)

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self._items: list[pg.GraphicsObject] = []
        self._loud = False
        self.canvas = CurveCanvas()
        self.canvas.setAccessibleName(_BETTER[kind])
        self.canvas.setToolTip(_BETTER[kind])
        self.canvas.selecting = False
        self.canvas.setMinimumWidth(190)
        self.setFocusProxy(self.canvas)
        self.axes = {side: NumberAxis(side) for side in ("left", "bottom")}
        for axis in self.axes.values():
            axis.setTicks(_TICKS)
            axis.setStyle(hideOverlappingLabels=False)  # else 0 and 1, at the rim, go
        self.plot = self.canvas.add_plot(self.axes)
        self.canvas.set_view(self.plot.getViewBox())
        # Lines of their own: with those of the axis its outermost numbers would go.
        self._grid = [pg.InfiniteLine(pos=step / 5, angle=0) for step in range(6)]
        for line in self._grid:
            line.setZValue(-5)
            self.plot.addItem(line, ignoreBounds=True)
        self.scrubber = pg.InfiniteLine(pos=0.0, angle=90, movable=False)
        self.scrubber.setZValue(20)
        self.plot.addItem(self.scrubber, ignoreBounds=True)
        self.canvas.draggable_lines = [self.scrubber]
        self.canvas.line_dragged.connect(self._drag)
        self.canvas.pressed_at.connect(self._click)
        self.canvas.walked.connect(self._walk)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        theme().changed.connect(self.restyle)
        self.restyle()
        self.canvas.show_all()

    # -- setters

    def show_curves(self, curves: Sequence[DrawnCurve], means: Sequence[DrawnMean]) -> None:
        """Show other curves."""
        for item in self._items:
            self.plot.removeItem(item)
        self._items = []
        for mean in means:
            self._draw_mean(mean)
        for curve in curves:
            self._add(curve.x, curve.y, curve.colour, 3.0 if curve.active else 2.0, curve.dashed)
            self._items[-1].setZValue(11 if curve.active else 10)

    def set_scrubber(self, share: float, loud: bool) -> None:
        """Move the line without telling anyone; it is faint where the other plot has the step."""
        self.scrubber.setValue(share)
        self._loud = loud
        self._style_scrubber()

    def restyle(self) -> None:
        """Take the colours of the theme again."""
        self.canvas.setBackground(theme().colour("surface"))
        for axis in self.axes.values():
            style_axis(axis)
        for line in self._grid:
            line.setPen(pg.mkPen(theme().tokens.grid, width=1))
        label_axis(self.axes["bottom"], _TITLES[self.kind])
        self.plot.setTitle(_HEADS[self.kind], color=theme().tokens.text, size="11px")
        self.plot.titleLabel.item.setFont(font("small", bold=True))
        self._style_scrubber()

    def _style_scrubber(self) -> None:
        token, style = ("text", Qt.PenStyle.SolidLine) if self._loud else (
            "border", Qt.PenStyle.DashLine
        )  # fmt: skip
        self.scrubber.setPen(pg.mkPen(theme().colour(token), width=1.5, style=style))

    def _add(
        self, x: np.ndarray, y: np.ndarray, colour: QColor, width: float, dashed: bool
    ) -> None:
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        item = pg.PlotCurveItem(np.asarray(x, float), np.asarray(y, float))
        item.setPen(pg.mkPen(_readable(colour), width=width, style=style))
        self.plot.addItem(item, ignoreBounds=True)
        self._items.append(item)

    def _draw_mean(self, mean: DrawnMean) -> None:
        fill = QColor(mean.colour)
        fill.setAlpha(40)
        ends = [
            pg.PlotCurveItem(np.asarray(mean.x, float), np.asarray(edge, float), pen=None)
            for edge in (mean.low, mean.high)
        ]
        band = pg.FillBetweenItem(*ends, brush=pg.mkBrush(fill))
        band.setZValue(1)
        self.plot.addItem(band, ignoreBounds=True)
        self._items.append(band)
        self._add(mean.x, mean.y, mean.colour, 1.2, mean.dashed)
        self._items[-1].setZValue(2)

    # -- by hand

    def _drag(self, _line: object, value: float) -> None:
        self.scrubbed.emit(self.kind, value)

    def _click(self, place: QPointF, _modifiers: object) -> None:
        self.scrubbed.emit(self.kind, self.canvas.to_plot(place)[0])

    def _walk(self, right: int, up: int, modifiers: Qt.KeyboardModifier) -> None:
        if right:
            far = _FAR if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
            self.stepped.emit(self.kind, right * far)
        elif up:
            self.curve_walked.emit(-up)


def _readable(colour: QColor) -> QColor:
    """On the dark ground the darker colours of the palette are made lighter."""
    return colour.lighter(135) if theme().dark and colour.lightness() < 110 else colour
