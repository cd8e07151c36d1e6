"""How many units stay interpretable as the thresholds move, for each model and quantile."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QWidget

from analysis.figures.unit_data import ThresholdSweep
from analysis.figures.words import count, number
from app.theme import font, theme
from app.views.unit_columns import sweep_columns
from app.views.unit_words import percent
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.plotting import pg
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.scatter_plot import ScatterPlot
from app.widgets.table_twin import TableTwin

_EMPTY = "How many units would count under other thresholds."
_DASHES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)
_SIGNS = ("━━", "━ ━", "┈┈", "━ ·", "━ · ·")
_QUIET, _LOUD = 0, 1
_STYLES = (PointStyle("o", "border", 3.0), PointStyle("o", "text", 5.0))
_MOST_NAMED = 4


class UnitSweepPanel(FigurePanel):
    """x is the IoU threshold, y the units that count; a line for each model and quantile.

    `threshold_changed(IoU)`: the line at the present threshold was dragged.
    """

    threshold_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.scatter = ScatterPlot("Interpretable units against the IoU threshold")
        self.twin = TableTwin("combination", filters=False)
        super().__init__(
            "threshold-sweep",
            "Interpretable units by threshold",
            self.scatter,
            self.twin,
            EmptyState(_EMPTY),
            parent,
        )
        self.sweep: ThresholdSweep | None = None
        self._models: tuple[str, ...] = ()
        self._stale = False  # changed while hidden
        self._lines: list[tuple[str, _Line]] = []
        self._names: list[pg.TextItem] = []
        self.counted = QComboBox()
        self.counted.setAccessibleName("What is counted")
        self.counted.setFont(font("small"))
        self.counted.addItem("units", "units")
        self.counted.addItem("unique concepts", "concepts")
        self.counted.activated.connect(self._draw)
        self.controls.addWidget(self.counted)
        self.marker = pg.InfiniteLine(angle=90, movable=False)
        self.marker.setZValue(-11)
        self.scatter.plot.addItem(self.marker, ignoreBounds=True)
        self.scatter.canvas.draggable_lines = [self.marker]
        self.scatter.canvas.line_dragged.connect(self._dragged)
        self.scatter.point_focused.connect(self.twin.set_focus)
        self.twin.row_focused.connect(self.scatter.set_focus)
        theme().changed.connect(self._emphasise)

    # -- setters

    def show_sweep(self, sweep: ThresholdSweep | None) -> None:
        """Show a run's sweep, or say what would be here."""
        self.sweep = sweep
        there = sweep is not None and len(sweep.units) > 0
        self.show_content(there)
        if sweep is None or not there:
            self.twin.set_columns([], [])
        else:
            everything = np.arange(len(sweep.units))
            self.twin.set_columns(everything.tolist(), sweep_columns(sweep, everything))
        self._draw()

    def set_models(self, models: tuple[str, ...]) -> None:
        """Let the lines of the selected models stand out."""
        if models != self._models:
            self._models = models
            self._emphasise()

    def set_threshold(self, iou_threshold: float) -> None:
        """Mark the present threshold."""
        self.marker.setValue(iou_threshold)

    # -- drawing

    def showEvent(self, event: QShowEvent) -> None:
        """What changed while the panel was hidden is drawn once it is seen."""
        super().showEvent(event)
        if self._stale:
            self._draw()

    def _draw(self) -> None:
        self._stale = not self.isVisible()
        if self._stale:
            return
        for _, line in self._lines:
            self.scatter.plot.removeItem(line)
        self._lines = []
        sweep = self.sweep
        if sweep is None or not len(sweep.units):
            self._name_lines(None)
            self.scatter.set_data(None)
            return
        amounts = self._amounts(sweep)
        quantiles = np.unique(sweep.quantile).tolist()
        self.scatter.set_data(self._points(sweep, amounts))
        for model, layer in _pairs(sweep):
            for place, quantile in enumerate(quantiles):
                of_line = (sweep.model == model) & (sweep.layer == layer)
                places = np.flatnonzero(of_line & (sweep.quantile == quantile))
                places = places[np.argsort(sweep.iou_threshold[places], kind="stable")]
                line = _Line(sweep.iou_threshold[places], amounts[places], place)
                self.scatter.plot.addItem(line, ignoreBounds=True)
                self._lines.append((model, line))
        self.set_note(_note(quantiles))
        self._emphasise()

    def _emphasise(self) -> None:
        """The same lines, those of other models standing out."""
        sweep = self.sweep
        self._stale = self._stale or not self.isVisible()
        if self._stale or sweep is None or not len(sweep.units):
            return
        loud = self._loud(sweep)
        self.marker.setPen(pg.mkPen(theme().tokens.text, width=1, style=Qt.PenStyle.DashLine))
        for model, line in self._lines:
            line.emphasise(model in loud)
        self.scatter.recolour(self._points(sweep, self._amounts(sweep)))
        self._name_lines(sweep)

    def _amounts(self, sweep: ThresholdSweep) -> np.ndarray:
        return np.asarray(getattr(sweep, self.counted.currentData()), float)

    def _loud(self, sweep: ThresholdSweep) -> frozenset[str]:
        """Models whose lines stand out: the selected ones, or all of a few."""
        present = {str(model) for model in sweep.model}
        chosen = present & set(self._models)
        return frozenset(chosen or (present if len(present) <= _MOST_NAMED else ()))

    def _points(self, sweep: ThresholdSweep, amounts: np.ndarray) -> ScatterData:
        highest = float(np.nanmax(amounts)) if len(amounts) else 1.0
        reach = float(np.nanmax(sweep.iou_threshold))
        return ScatterData(
            ids=np.arange(len(amounts)),
            x=np.asarray(sweep.iou_threshold, float),
            y=amounts,
            x_title="IoU threshold",
            y_title=self.counted.currentText(),
            group=np.where(np.isin(sweep.model, list(self._loud(sweep))), _LOUD, _QUIET),
            styles=_STYLES,
            describe=self._describe,
            x_bounds=(-0.02 * reach, 1.04 * reach),
            y_bounds=(-0.03 * max(highest, 1.0), 1.12 * max(highest, 1.0)),
            y_limits=(0.0, math.inf),
        )

    def _name_lines(self, sweep: ThresholdSweep | None) -> None:
        """Names beside some lines that stand out, each at another threshold."""
        for name in self._names:
            self.scatter.plot.removeItem(name)
        self._names = []
        if sweep is None:
            return
        amounts, loud = self._amounts(sweep), self._loud(sweep)
        named = [m for m in dict.fromkeys(sweep.model.tolist()) if m in loud][:_MOST_NAMED]
        first = sweep.quantile == np.max(sweep.quantile)
        levels = np.unique(sweep.iou_threshold)
        fill = theme().colour("surface")
        fill.setAlpha(200)
        starts = {m: _height(sweep, amounts, m, first, levels[0]) for m in named}
        step, place, low = max(1, len(levels) // 5), 0, 0.8 * float(np.max(amounts))
        for model in sorted(named, key=starts.__getitem__, reverse=True):
            place += step
            while (
                place < len(levels) and _height(sweep, amounts, model, first, levels[place]) > low
            ):
                place += step
            at = levels[min(place, len(levels) - 1)]
            name = pg.TextItem(model, color=theme().tokens.text, anchor=(-0.05, 0.9), fill=fill)
            name.setFont(font("small"))
            name.setPos(float(at), _height(sweep, amounts, model, first, at))
            self.scatter.plot.addItem(name, ignoreBounds=True)
            self._names.append(name)

    def _describe(self, place: int) -> str:
        sweep = self.sweep
        if sweep is None or not 0 <= place < len(sweep.units):
            return ""
        units = count(int(sweep.units[place]), "unit")
        concepts = count(int(sweep.concepts[place]), "concept")
        level = number(float(sweep.iou_threshold[place]), 3)
        quantile = percent(float(sweep.quantile[place]))
        return (
            f"{sweep.model[place]} · {sweep.layer[place]}\n"
            f"{units}, {concepts} above IoU {level}, the top {quantile} active"
        )

    def _dragged(self, _line: object, value: float) -> None:
        self.threshold_changed.emit(round(min(max(value, 0.0), 1.0), 3))


class _Line(pg.PlotCurveItem):
    """The amounts of one model at one quantile."""

    def __init__(self, x: np.ndarray, y: np.ndarray, quantile: int) -> None:
        super().__init__(np.asarray(x, float), np.asarray(y, float))
        self._dash = _DASHES[quantile % len(_DASHES)]

    def emphasise(self, loud: bool) -> None:
        """Stand out, or not."""
        tokens = theme().tokens
        colour, width = (tokens.text, 1.4) if loud else (tokens.border, 1.0)
        self.setPen(pg.mkPen(colour, width=width, style=self._dash))
        self.setZValue(-12 if loud else -13)


def _pairs(sweep: ThresholdSweep) -> list[tuple[str, str]]:
    pairs = zip(sweep.model.tolist(), sweep.layer.tolist(), strict=True)
    return list(dict.fromkeys(pairs))


def _height(
    sweep: ThresholdSweep, amounts: np.ndarray, model: str, kept: np.ndarray, level: float
) -> float:
    there = (sweep.model == model) & kept & (sweep.iou_threshold == level)
    return float(amounts[there].max()) if there.any() else 0.0


def _note(quantiles: list[float]) -> str:
    if len(quantiles) < 2:
        return ""
    signs = (f"{_SIGNS[i % len(_SIGNS)]} top {percent(q)} active" for i, q in enumerate(quantiles))
    return "   ".join(signs)
