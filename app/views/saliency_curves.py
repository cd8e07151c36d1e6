"""Insertion and deletion of the selected maps, and the picture at the step of the scrubber."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.palette import series_mark
from analysis.figures.saliency_data import Cell, Curve, Curves, StepPicture
from app.labels import wrapped_label
from app.theme import GRID, IMAGE_MAT, PADDING, font, theme
from app.views.saliency_curve_columns import curve_columns
from app.views.saliency_curve_legend import CurveLegend
from app.views.saliency_curve_plot import CurvePlot, DrawnCurve, DrawnMean
from app.views.saliency_layout import Places
from app.views.saliency_words import cell_name, is_chance, short_names, step_line
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.heat_pictures import image_of
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin
from app.widgets.tick_box import TickBox

KINDS = ("insertion", "deletion")
_EMPTY = (
    "How the probability of the class rises and falls as pixels come in or go out in the order of "
    "a map: select maps in the grid."
)
_COMING = "The curves of the selected maps are being read."
_PATIENCE = 150  # milliseconds that earlier curves stay while others are read
_NO_CURVE = "The run holds no curve of the selected maps."
_NOTE = (
    "Thick: selected maps; thin: mean of all images with its 95 % interval; dashed: null maps. "
    "Drag the line, or ← →."
)


class SaliencyCurvesPanel(FigurePanel):
    """`step_needed(Cell, kind, step)`: the scrubber stands there."""

    step_needed = Signal(object, str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.plots = {kind: CurvePlot(kind) for kind in KINDS}
        self.legend = CurveLegend()
        self.picture = StepCanvas()
        self.line = wrapped_label()
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        super().__init__(
            "curves",
            "Insertion and deletion",
            self._make_content(),
            TableTwin("curve", filters=False),
            EmptyState(_EMPTY),
            parent,
        )
        self.title.hide()  # the tab says it
        self._places: Places | None = None
        self._cells: tuple[Cell, ...] = ()
        self._curves: Curves | None = None
        self._active: Cell | None = None
        self._kind = KINDS[0]
        self._step = 0
        self._waiting = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE)
        self._patience.timeout.connect(self._draw)
        self.with_means = TickBox("Means of all images")
        self.with_means.setFont(font("small"))
        self.with_means.setChecked(True)
        self.with_means.toggled.connect(self._draw)
        self.controls.addWidget(self.with_means)
        for plot in self.plots.values():
            plot.scrubbed.connect(self._scrub)
            plot.stepped.connect(self._move)
            plot.curve_walked.connect(self._walk)
        self.legend.chosen.connect(self._activate)
        theme().changed.connect(self._draw)

    def _make_content(self) -> QWidget:
        plots = QWidget()
        line = QHBoxLayout(plots)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID)
        for plot in self.plots.values():
            line.addWidget(plot, 1)
        beside = QWidget()
        column = QVBoxLayout(beside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self.picture, 1)
        self.line.setFont(font("small", tabular=True))
        self.line.setAccessibleName("Where the scrubber stands")
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setFixedHeight(2 * self.line.fontMetrics().height() + 2)
        column.addWidget(self.line)
        self.splitter.addWidget(plots)
        self.splitter.addWidget(beside)
        self.splitter.setSizes([700, 230])
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(PADDING)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.legend)
        layout.addWidget(self.splitter, 1)
        return content

    # -- setters

    def set_places(self, places: Places | None) -> None:
        """Another run: its methods and images have names."""
        self._places = places

    def set_cells(self, cells: Sequence[Cell]) -> None:
        """The selected maps, in order: the first one has the first colour."""
        if tuple(cells) == self._cells:
            return
        self._cells = tuple(cells)
        if self._active not in self._cells:
            self._active = self._cells[0] if self._cells else None
        self._waiting = bool(self._cells) and not self._drawn()
        if self._waiting and self._curves is not None:
            self._patience.start()
        else:
            self._draw()

    def show_curves(self, curves: Curves | None) -> None:
        """Show the curves of the selected maps."""
        self._curves, self._waiting = curves, False
        self._draw()
        if self.isVisible():
            self._ask()

    def show_step(self, step: StepPicture | None) -> None:
        """Show the picture at a step, unless the scrubber has moved to another map since."""
        if step is None:
            self.picture.show_pixels(None)
        elif (step.cell, step.kind) == (self._active, self._kind):
            self.picture.show_pixels(step.pixels)

    # -- what is shown

    def curve(self, cell: Cell | None, kind: str) -> Curve | None:
        """A curve that has come."""
        curves = self._curves.curves if self._curves is not None else ()
        return next((c for c in curves if c.cell == cell and c.kind == kind), None)

    def active(self) -> tuple[Cell | None, str, int]:
        """The map, the kind and the step of the scrubber."""
        return self._active, self._kind, self._step

    def go_to(self, cell: Cell | None, kind: str, step: int) -> None:
        """Put the scrubber on a step of a selected map's curve, as by hand."""
        drawn = self._drawn()
        if cell in drawn and cell != self._active:
            self._activate(drawn.index(cell))
        curve = self.curve(self._active, kind) if kind in KINDS else None
        if curve is not None and len(curve.scores) > 1:
            self._scrub(kind, step / (len(curve.scores) - 1))

    def _drawn(self) -> list[Cell]:
        """The selected maps that have any curve."""
        return [c for c in self._cells if any(self.curve(c, kind) is not None for kind in KINDS)]

    def _draw(self) -> None:
        self._patience.stop()
        drawn = self._drawn()
        self.show_content(bool(drawn))
        there = bool(self._cells) and self._curves is not None
        self.empty.set_text(_COMING if self._waiting else _NO_CURVE if there else _EMPTY)
        if self._active not in drawn:
            self._active = drawn[0] if drawn else None
        if not drawn or self._places is None:
            for plot in self.plots.values():
                plot.show_curves([], [])
            self.legend.show_entries([], [], [], None)
            self.picture.show_pixels(None)
            return
        if self._active is not None and self.curve(self._active, self._kind) is None:
            self._kind = next(k for k in KINDS if self.curve(self._active, k) is not None)
        for kind, plot in self.plots.items():
            plot.show_curves(self._lines(kind, drawn), self._means(kind))
        self.set_note(_NOTE)
        self._fill_table(drawn)
        self._read()

    def _lines(self, kind: str, drawn: Sequence[Cell]) -> list[DrawnCurve]:
        assert self._places is not None
        lines = []
        for cell in drawn:
            curve = self.curve(cell, kind)
            if curve is not None:
                colour = QColor(series_mark(self._cells.index(cell)).colour)
                dashed = is_chance(self._places, cell.method)
                lines.append(
                    DrawnCurve(curve.fraction, curve.scores, colour, dashed, cell == self._active)
                )
        return lines

    def _means(self, kind: str) -> list[DrawnMean]:
        """Of the selected maps in their colours, of null maps of the active model in grey."""
        if self._curves is None or self._places is None or not self.with_means.isChecked():
            return []
        colours: dict[tuple[str, str], QColor] = {}
        for place, cell in enumerate(self._cells):
            colours.setdefault((cell.model, cell.method), QColor(series_mark(place).colour))
        means = []
        for mean in self._curves.means:
            if mean.kind != kind:
                continue
            chance = is_chance(self._places, mean.method)
            colour = colours.get((mean.model, mean.method))
            if colour is None:
                if not chance or self._active is None or mean.model != self._active.model:
                    continue
                colour = theme().colour("muted")
            means.append(DrawnMean(mean.fraction, mean.mean, mean.low, mean.high, colour, chance))
        return means

    def _fill_table(self, drawn: Sequence[Cell]) -> None:
        assert self.table is not None
        assert self._places is not None
        found = [
            curve
            for cell in drawn
            for kind in KINDS
            if (curve := self.curve(cell, kind)) is not None
        ]
        means = self._curves.means if self._curves is not None else ()
        ids = [(*curve.cell, curve.kind) for curve in found]
        self.table.set_columns(ids, curve_columns(self._places, found, means))

    def _steps(self) -> int:
        curve = self.curve(self._active, self._kind)
        return 0 if curve is None else len(curve.scores) - 1

    def _read(self) -> None:
        """The line of the scrubber, and every curve's value there."""
        if self._places is None:
            return
        steps = self._steps()
        self._step = min(max(self._step, 0), steps)
        share = self._step / steps if steps else 0.0
        for kind, plot in self.plots.items():
            plot.set_scrubber(share, kind == self._kind)
        drawn = self._drawn()
        values = [self._value(cell, share) for cell in drawn]
        self.legend.show_entries(
            [
                (self._cells.index(cell), name, cell_name(self._places, cell))
                for cell, name in zip(drawn, short_names(self._places, drawn), strict=True)
            ],
            values,
            [self._areas(cell) for cell in drawn],
            drawn.index(self._active) if self._active in drawn else None,
        )
        curve = self.curve(self._active, self._kind)
        if curve is not None:
            self.line.setText(step_line(self._kind, self._step, steps, curve.scores[self._step]))
            self.picture.setAccessibleDescription(self.line.text())

    def _value(self, cell: Cell, share: float) -> float:
        curve = self.curve(cell, self._kind)
        if curve is None:
            return float("nan")
        return float(curve.scores[round(share * (len(curve.scores) - 1))])

    def _areas(self, cell: Cell) -> tuple[float, float]:
        found = [self.curve(cell, kind) for kind in KINDS]
        first, second = (float("nan") if curve is None else curve.auc for curve in found)
        return first, second

    # -- by hand

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().showEvent(event)
        self._ask()

    def _ask(self) -> None:
        if self._active is not None and self.curve(self._active, self._kind) is not None:
            self.step_needed.emit(self._active, self._kind, self._step)

    def _scrub(self, kind: str, share: float) -> None:
        """The line was dragged, or the plot was clicked."""
        if self.curve(self._active, kind) is None:
            return
        step = round(min(max(share, 0.0), 1.0) * (len(self.curve(self._active, kind).scores) - 1))  # type: ignore[union-attr]
        if (kind, step) != (self._kind, self._step):
            self._kind, self._step = kind, step
            self._read()
            self._ask()

    def _move(self, kind: str, steps: int) -> None:
        curve = self.curve(self._active, kind)
        if curve is not None:
            last = len(curve.scores) - 1
            self._scrub(kind, min(max(self._step + steps, 0), last) / max(last, 1))

    def _walk(self, down: int) -> None:
        drawn = self._drawn()
        if self._active in drawn and len(drawn) > 1:
            self._activate((drawn.index(self._active) + down) % len(drawn))

    def _activate(self, place: int) -> None:
        """Another of the selected maps: its picture is shown beside."""
        drawn = self._drawn()
        if 0 <= place < len(drawn) and drawn[place] != self._active:
            self._active = drawn[place]
            self._draw()
            self._ask()


class StepCanvas(QWidget):
    """The image as the model saw it at a step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap: QPixmap | None = None
        self.setMinimumSize(140, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("The image at the step of the scrubber")
        self.setFont(font("small"))

    def show_pixels(self, pixels: np.ndarray | None) -> None:
        """Show pixels (side, side, 3) uint8, or nothing."""
        self._pixmap = None if pixels is None else QPixmap.fromImage(image_of(pixels))
        self.update()

    def pixmap(self) -> QPixmap | None:
        """What is shown."""
        return self._pixmap

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        side = float(min(self.width(), self.height()))
        area = QRectF((self.width() - side) / 2, 0, side, side)
        if self._pixmap is None:
            painter.setPen(QPen(theme().colour("border"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(area.adjusted(1, 1, -1, -1))
            painter.setPen(theme().colour("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            words = "The image at this step shows here."
            painter.drawText(area.adjusted(10, 10, -10, -10), int(flags), words)
            return
        painter.fillRect(area, QColor(IMAGE_MAT))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._pixmap.size().toSizeF().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(QPointF(0, 0), size)
        place.moveCenter(area.center())
        painter.drawPixmap(place, self._pixmap, QRectF(self._pixmap.rect()))
