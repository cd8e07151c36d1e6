"""A heatmap with readable names, chance greyed out, a crosshair and each row's best match."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from analysis.figures.words import layer_labels, number
from app.theme import theme
from app.widgets.colour_maps import levels_of
from app.widgets.heatmap_data import HeatmapData
from app.widgets.heatmap_items import CellMarks, ColourBar, NameAxis
from app.widgets.plot_canvas import PlotCanvas, style_axis
from app.widgets.plotting import pg

_BEST_WIDTH = 96
_ROOM_FOR_BEST = 500  # pixels of the whole
_NAME_LENGTH = 20  # signs of a layer name on an axis, unless more are needed to tell them apart


class Heatmap(QWidget):
    """Signals carry the names of the row and the column. Setters are silent.

    `cell_focused`: by click or arrow key. `cell_activated`: double click or Enter.
    `cell_hovered`: the names, or None and None.
    """

    cell_focused = Signal(str, str)
    cell_activated = Signal(str, str)
    cell_hovered = Signal(object, object)

    def __init__(
        self,
        name: str = "Heatmap",
        parent: QWidget | None = None,
        with_best: bool = True,
        level_columns: bool = False,
    ) -> None:
        super().__init__(parent)
        self._level_columns = level_columns
        self.data: HeatmapData | None = None
        self.relative_depth = False
        self.canvas = PlotCanvas()
        self.canvas.selecting = False
        self.canvas.setAccessibleName(name)
        self.setFocusProxy(self.canvas)
        self._make_items()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        self._with_best = with_best
        self._show_best(with_best)
        self.canvas.pressed_at.connect(self._click)
        self.canvas.double_clicked_at.connect(self._double_click)
        self.canvas.moved_to.connect(self._move)
        self.canvas.left.connect(self._leave)
        self.canvas.walked.connect(self._walk)
        self.canvas.key.connect(self._key)
        theme().changed.connect(self.restyle)
        self.restyle()

    def _make_items(self) -> None:
        self.row_axis, self.column_axis = NameAxis("left"), NameAxis("bottom", self._level_columns)
        self.plot = self.canvas.add_plot({"left": self.row_axis, "bottom": self.column_axis})
        self.canvas.set_view(self.plot.getViewBox())
        self.image = pg.ImageItem()
        self.marks = CellMarks()
        self.plot.addItem(self.image)
        self.plot.addItem(self.marks)
        self.best = self.canvas.add_plot(column=1)
        self.best.getViewBox().setMouseEnabled(False, False)
        self.best.setYLink(self.plot)
        self.best.hideAxis("left")
        self.best_line = self.best.plot([], [])
        self.best_intervals = self.best.plot([], [])
        self.best_null = self.best.plot([], [])
        self.bar = ColourBar()
        self.canvas.addItem(self.bar, 0, 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where there is little room the matrix gets it: it says what the curve beside it says.
        self._show_best(self._with_best and self.width() >= _ROOM_FOR_BEST)

    def _show_best(self, shown: bool) -> None:
        self.best.setVisible(shown)
        self.best.setFixedWidth(_BEST_WIDTH if shown else 0)

    # -- data and shared state

    def set_data(self, data: HeatmapData | None) -> None:
        """Show another matrix; the crosshair stays on the same names where they are there."""
        cell = self.cell_names()
        self.data = data
        self.marks.cell = self.marks.hover = None
        if data is None:
            self.image.clear()
            self.marks.set_data(None, np.zeros((0, 0, 3), np.uint8))
            return
        self._name_axes()
        self._draw()
        self.show_all()
        if cell is not None:
            self.set_cell(*cell)

    def set_relative_depth(self, relative: bool) -> None:
        """Write relative depths, 0…1, in place of layer names."""
        self.relative_depth = relative
        self._name_axes()

    def set_cell(self, row: str | None, column: str | None) -> None:
        """Put the crosshair on a pair of names without telling anyone."""
        data = self.data
        known = data is not None and row in data.rows and column in data.columns
        if data is None or not known or row is None or column is None:
            self._place(None)
        else:
            self._place((data.rows.index(row), data.columns.index(column)))

    def cell_names(self) -> tuple[str, str] | None:
        """Row and column under the crosshair."""
        return self._names(self.marks.cell)

    def show_all(self) -> None:
        """Show the whole matrix."""
        if self.data is not None and self.data.values.size:
            rows, columns = self.data.values.shape
            self.plot.setRange(xRange=(0, columns), yRange=(0, rows), padding=0)

    def _name_axes(self) -> None:
        data = self.data
        if data is None:
            return
        for axis, names, depths, title in (
            (self.row_axis, data.rows, data.row_depths, data.row_title),
            (self.column_axis, data.columns, data.column_depths, data.column_title),
        ):
            written = tuple(number(float(d)) for d in depths)
            short = written if self.relative_depth else layer_labels(names, _NAME_LENGTH)
            axis.set_names(short, names, title)
        self.best.getAxis("bottom").setHeight(self.column_axis.room)
        self.bar.below = self.column_axis.room
        self.bar.update()

    def _draw(self) -> None:
        data = self.data
        if data is None or not data.values.size:
            return
        low, high = data.span()
        table = theme().signed() if data.signed else theme().magnitudes("cividis")
        colours = table[levels_of(data.values, low, high)]
        grey = theme().colour("no_value")
        colours[~data.above_chance()] = (grey.red(), grey.green(), grey.blue())
        blank = theme().colour("surface")
        colours[~np.isfinite(data.values) | data.beside_scale()] = (
            blank.red(),
            blank.green(),
            blank.blue(),
        )
        self.image.setImage(colours, levels=(0, 255))
        self.marks.set_data(data, colours)
        null = data.typical_null()
        self.bar.colours = table
        self.bar.set_scale(low, high, null, data.value_title)
        self._draw_best(data, (low, high))

    def _draw_best(self, data: HeatmapData, span: tuple[float, float]) -> None:
        best = data.best_of_rows()
        middles = np.arange(len(data.rows)) + 0.5
        self.best_line.setData(best, middles, connect="finite")
        self.best.setXRange(*span, padding=0.24)
        self.best.getAxis("bottom").setTicks([[(v, number(v)) for v in (span[0], span[1])]])
        ends = np.stack([data.at_best_of_rows(data.low), data.at_best_of_rows(data.high)], 1)
        known = np.isfinite(ends).all(1)
        self.best_intervals.setData(
            ends[known].ravel(), np.repeat(middles[known], 2), connect="pairs"
        )
        # Chance of the same cells, an upright mark in each row.
        null = np.repeat(data.at_best_of_rows(data.null_95), 2)
        rows = (np.arange(len(data.rows))[:, None] + [0.1, 0.9]).ravel()
        self.best_null.setData(null, rows, connect="finite")

    def restyle(self) -> None:
        """Take the colours of the theme again."""
        tokens = theme().tokens
        self.canvas.setBackground(tokens.surface)
        style_axis(self.best.getAxis("bottom"))
        axis = self.best.getAxis("bottom")
        axis.setLabel("best of row", **{"color": tokens.muted, "font-size": "11px"})
        self.best_line.setPen(pg.mkPen(tokens.text, width=1.4))
        self.best_line.setSymbol("o")
        self.best_line.setSymbolSize(4)
        self.best_line.setSymbolPen(None)
        self.best_line.setSymbolBrush(tokens.text)
        self.best_intervals.setPen(pg.mkPen(tokens.text, width=1))
        self.best_null.setPen(pg.mkPen(tokens.muted, width=1, style=Qt.PenStyle.DotLine))
        self._name_axes()
        self._draw()

    # -- by hand

    def _at(self, place: QPointF) -> tuple[int, int] | None:
        if self.data is None:
            return None
        x, y = self.canvas.to_plot(place)
        row, column = math.floor(y), math.floor(x)
        inside = 0 <= row < len(self.data.rows) and 0 <= column < len(self.data.columns)
        return (row, column) if inside else None

    def _names(self, cell: tuple[int, int] | None) -> tuple[str, str] | None:
        if cell is None or self.data is None:
            return None
        return self.data.rows[cell[0]], self.data.columns[cell[1]]

    def _place(self, cell: tuple[int, int] | None) -> None:
        self.marks.cell = cell
        self.marks.update()
        self.row_axis.set_marked(None if cell is None else cell[0])
        self.column_axis.set_marked(None if cell is None else cell[1])
        names = self._names(cell)
        if names is None or cell is None or self.data is None:
            self.canvas.setAccessibleDescription("")
        else:
            value = self.data.text(*cell)
            self.canvas.setAccessibleDescription(f"{names[0]} with {names[1]}: {value}")

    def _click(self, place: QPointF, _modifiers: Qt.KeyboardModifier) -> None:
        self._go(self._at(place))

    def _double_click(self, place: QPointF) -> None:
        names = self._names(self._at(place))
        if names is not None:
            self.cell_activated.emit(*names)

    def _move(self, place: QPointF) -> None:
        cell = self._at(place)
        if cell != self.marks.hover:
            self.marks.hover = cell
            self.marks.update()
            self.cell_hovered.emit(*(self._names(cell) or (None, None)))

    def _leave(self) -> None:
        if self.marks.hover is not None:
            self.marks.hover = None
            self.marks.update()
            self.cell_hovered.emit(None, None)

    def _walk(self, right: int, up: int, _modifiers: Qt.KeyboardModifier) -> None:
        if self.data is None or not self.data.values.size:
            return
        row, column = self.marks.cell or (0, 0)
        if self.marks.cell is not None:
            row = min(max(row + up, 0), len(self.data.rows) - 1)
            column = min(max(column + right, 0), len(self.data.columns) - 1)
        self._go((row, column))

    def _go(self, cell: tuple[int, int] | None) -> None:
        names = self._names(cell)
        if names is not None and cell != self.marks.cell:
            self._place(cell)
            self.cell_focused.emit(*names)

    def _key(self, key: int, _modifiers: Qt.KeyboardModifier) -> None:
        names = self.cell_names()
        if names is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.cell_activated.emit(*names)
