"""How well each concept is told apart over the depth of both models."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.semantics_data import MEAN, SemanticsIndex, Separability
from app.labels import wrapped_label
from app.theme import GRID, font, theme
from app.views.semantics_columns import separability_columns, separability_ids
from app.views.semantics_words import (
    ACTION,
    EMPTY_SEPARABILITY,
    RUN,
    concept_word,
    model_word,
    separability_line,
)
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.group_marks import Mark, group_mark
from app.widgets.line_plot import LinePlot, Series, readable
from app.widgets.plotting import pg
from app.widgets.roomy_rows import RoomyRows
from app.widgets.table_twin import TableTwin

_CHANCE = "chance"
_NOTE = "Filled: told apart better than permuted labels (dashed: 95 % of them); hollow: not used."
_HINT = "Click a curve to bring its concept to the front."


class SeparabilityPanel(FigurePanel):
    """`concept_chosen(name)` by hand, "" for all of them."""

    concept_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.plots = tuple(
            LinePlot(f"Separability of concepts over the depth of model {side}", "relative depth",
                     "held-out examples told apart")
            for side in "AB"
        )  # fmt: skip
        self.legend = QListWidget()
        self.line = wrapped_label(_HINT)
        self.data: tuple[Separability | None, Separability | None] = (None, None)
        self.concept_name = MEAN
        self._index: SemanticsIndex | None = None
        self._concepts: tuple[str, ...] = ()
        self._layer = 0
        super().__init__(
            "separability",
            "Separability",
            self._make_content(),
            TableTwin("measurement"),
            EmptyState(EMPTY_SEPARABILITY, RUN, ACTION),
            parent,
        )
        self.legend.currentItemChanged.connect(self._pick)
        for side, plot in enumerate(self.plots):
            plot.setProperty("side", side)
            plot.series_pressed.connect(self._press)
            plot.point_hovered.connect(self._hover)
            plot.walked.connect(self._walk)
            plot.stepped.connect(self._step)
        theme().changed.connect(self._restyle)

    def _make_content(self) -> QWidget:
        self.legend.setAccessibleName("Concepts, each with its mark in the plots")
        self.legend.setFont(font("small"))
        self.legend.setItemDelegate(RoomyRows(self.legend))
        self.legend.setIconSize(QSize(14, 14))
        self.legend.setFixedWidth(146)
        self.legend.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.legend.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.legend.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        plots = QVBoxLayout()
        plots.setSpacing(GRID // 2)
        for plot in self.plots:
            plots.addWidget(plot, 1)
        beside = QHBoxLayout()
        beside.setSpacing(GRID)
        beside.addLayout(plots, 1)
        beside.addWidget(self.legend)
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setMinimumHeight(3 * self.line.fontMetrics().height() + 2)
        self.line.setAccessibleName("The point in words")
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(beside, 1)
        layout.addWidget(self.line)
        return content

    # -- setters

    def set_index(self, index: SemanticsIndex | None) -> None:
        """Another run: what its models are called."""
        self._index = index

    def set_concept(self, concept: str) -> None:
        """Bring a concept's curves to the front without telling anyone."""
        if concept != self.concept_name:
            self.concept_name = concept
            self._draw()

    def show_separability(self, first: Separability | None, second: Separability | None) -> None:
        """Show both models, or one where both are the same."""
        if first is not None and second is not None and first.model == second.model:
            second = None
        self.data = (first, second)
        there = [data for data in self.data if data is not None and data.accuracy.size]
        self.show_content(bool(there))
        if not there and self._index is not None:
            self.empty.set_text("How well each concept is told apart is being read.")
        elif not there:
            self.empty.set_text(EMPTY_SEPARABILITY, RUN, ACTION)
        names = dict.fromkeys(name for data in there for name in data.concepts)
        self._concepts = tuple(names)
        assert self.table is not None
        columns = separability_columns(there) if there else ()  # else widths fit no row
        self.table.set_columns(separability_ids(there), columns)
        self.set_note(_NOTE)
        self._fill_legend()
        self._draw()

    # -- what is shown

    def _fill_legend(self) -> None:
        self.legend.blockSignals(True)
        self.legend.clear()
        for concept in (MEAN, *self._concepts):
            item = QListWidgetItem("all of them" if concept == MEAN else concept)
            item.setData(Qt.ItemDataRole.UserRole, concept)
            item.setToolTip(concept_word(concept))
            self.legend.addItem(item)
        self.legend.blockSignals(False)
        self._paint_marks()

    def _paint_marks(self) -> None:
        for row in range(1, self.legend.count()):
            mark = concept_mark(row - 1)
            self.legend.item(row).setIcon(_icon(readable(QColor(mark.colour)), mark.symbol))

    def _restyle(self) -> None:
        self._paint_marks()
        self._draw()

    def _draw(self) -> None:
        known = self.concept_name in self._concepts
        row = self._concepts.index(self.concept_name) + 1 if known else 0
        self.legend.blockSignals(True)
        self.legend.setCurrentRow(row if self.legend.count() else -1)
        self.legend.blockSignals(False)
        low = self._lowest()
        for side, (plot, data) in enumerate(zip(self.plots, self.data, strict=True)):
            plot.setVisible(data is not None)
            if data is None:
                plot.show_series([])
                continue
            index = self._index
            trained = index is None or index.trained[side]
            plot.set_title(f"{'AB'[side]} · {model_word(data.model, trained)}")
            plot.set_bounds((0.0, 1.0), (low, 1.0))
            plot.show_series(self._series(data))
        self._say()

    def _lowest(self) -> float:
        """Where the axes begin: the same for both models."""
        values = [
            array[np.isfinite(array)]
            for data in self.data
            if data is not None
            for array in (data.accuracy, data.null_95)
        ]
        lowest = min((float(part.min()) for part in values if part.size), default=0.5)
        return float(min(0.5, np.floor(lowest * 10) / 10))

    def _series(self, data: Separability) -> list[Series]:
        depth = np.array([layer.depth for layer in data.layers], float)
        order = np.argsort(depth, kind="stable")
        chosen = self.concept_name if self.concept_name in data.concepts else None
        series = []
        for row, concept in enumerate(data.concepts):
            mark = concept_mark(self._concepts.index(concept))
            series.append(
                Series(
                    concept,
                    depth[order],
                    data.accuracy[row][order],
                    QColor(mark.colour),
                    mark.symbol,
                    data.ci_low[row][order],
                    data.ci_high[row][order],
                    np.asarray(data.separates[row][order], bool),
                    front=concept == chosen,
                    faint=chosen is not None and concept != chosen,
                )
            )
        rows = [data.concepts.index(chosen)] if chosen is not None else range(len(data.concepts))
        nulls = np.asarray(data.null_95, float)[list(rows)][:, order]
        finite = np.isfinite(nulls)
        highest = np.where(
            finite.any(axis=0),
            np.where(finite, nulls, -np.inf).max(axis=0, initial=-np.inf),
            np.nan,
        )
        grey = theme().colour("muted")
        series.append(Series(_CHANCE, depth[order], highest, grey, dashed=True))
        return series

    # -- by hand

    def _say(self, side: int = 0, concept: str | None = None, layer: int | None = None) -> None:
        """The point under the pointer, or the chosen concept's layer that the keys stand at."""
        concept = concept or (self.concept_name if self.concept_name in self._concepts else None)
        text = _HINT
        data = self.data[side]
        if concept is not None and data is not None and concept in data.concepts:
            place = min(self._layer, len(data.layers) - 1) if layer is None else layer
            text = separability_line(data, data.concepts.index(concept), place)
        self.line.setText(text)
        for plot in self.plots:
            plot.describe(text)

    def _side(self) -> int:
        sender = self.sender()
        return 1 if sender is self.plots[1] else 0

    def _hover(self, concept: object, place: int) -> None:
        side = self._side()
        data = self.data[side]
        if data is None or place < 0 or concept is None:
            self._say(side)
            return
        depth = np.array([layer.depth for layer in data.layers], float)
        self._say(side, str(concept), int(np.argsort(depth, kind="stable")[place]))

    def _press(self, concept: object, _place: int) -> None:
        if isinstance(concept, str):
            self._take_concept(concept)

    def _pick(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._take_concept(str(item.data(Qt.ItemDataRole.UserRole)))

    def _walk(self, down: int) -> None:
        names = (MEAN, *self._concepts)
        at = names.index(self.concept_name) if self.concept_name in names else 0
        self._take_concept(names[(at + down) % len(names)])

    def _step(self, right: int) -> None:
        """Another layer of the concept in front, read aloud."""
        side = self._side()
        data = self.data[side]
        if data is not None and data.layers:
            self._layer = min(max(self._layer + right, 0), len(data.layers) - 1)
            self._say(side)

    def _take_concept(self, concept: str) -> None:
        if concept != self.concept_name:
            self.set_concept(concept)
            self.concept_chosen.emit(concept)


def concept_mark(place: int) -> Mark:
    """Colour and symbol of a concept, neither of them a model's."""
    letters = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return group_mark(letters)


def _icon(colour: QColor, symbol: str) -> QIcon:
    """A curve's mark, as the plot draws it."""
    icon = QIcon()
    path = pg.graphicsItems.ScatterPlotItem.Symbols[symbol]
    for ratio in (1, 2, 3):
        pixmap = QPixmap(QSize(14 * ratio, 14 * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.4))
        painter.drawPolyline(QPolygonF([QPointF(0, 7), QPointF(14, 7)]))
        painter.translate(7, 7)
        painter.scale(8, 8)
        painter.setPen(QPen(colour, 0.15))
        painter.setBrush(QBrush(colour))
        painter.drawPath(path)
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a selected row must not tint it
            icon.addPixmap(pixmap, mode)
    return icon
