"""The heatmap of layers: how similar each layer of A is to each layer of B (paper, Fig. 5)."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from analysis.figures.data import LayerSimilarity
from analysis.figures.words import count
from app.theme import GRID, PADDING, font, mute
from app.views.columns import layer_columns, layer_pairs
from app.views.layers_words import MEANINGS, MEASURES, SHORT, chosen_pair, pair_line
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData
from app.widgets.table_twin import TableTwin

_HINT = "Move over a cell to read it; click to keep it; double-click for the concepts of the pair."
_EMPTY = "How similar the concepts of every layer of one model are to those of the other model."


class LayersView(QWidget):
    """Intents are signals; setters are silent.

    `pair_activated(layer_a, layer_b)`: double click or Enter. `pair_focused`: click or arrow key.
    `pair_hovered(layer_a, layer_b)`: None, None when the pointer leaves.
    """

    measure_changed = Signal(str)
    pair_activated = Signal(str, str)
    pair_focused = Signal(str, str)
    pair_hovered = Signal(object, object)
    export_requested = Signal(str, str)
    action_requested = Signal(str)  # of the empty view's button: "run layers"
    chosen_changed = Signal(object)  # Chosen or None: the pair under the crosshair

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layers view")
        self.data: LayerSimilarity | None = None
        self.heatmap = Heatmap("Similarity of layers")
        self.table = TableTwin("pair")
        empty = EmptyState(_EMPTY, "Compare layers…", "run layers")
        self.panel = FigurePanel("layers", "Similarity of layers", self.heatmap, self.table, empty)
        self.line = QLabel(_HINT)
        self.progress = QLabel()
        self._build()
        self._connect()
        self.show_data(None)

    def _build(self) -> None:
        self.measure = QComboBox()
        self.measure.setAccessibleName("Measure of similarity")
        for key, text in MEASURES.items():
            self.measure.addItem(text, key)
            hint = Qt.ItemDataRole.ToolTipRole
            self.measure.setItemData(self.measure.count() - 1, MEANINGS[key], hint)
        self.axis = QComboBox()
        self.axis.setAccessibleName("What the axes say")
        self.axis.addItems(["layer names", "relative depth"])
        for combo in (self.measure, self.axis):
            combo.setFont(font("small"))
        self.progress.setFont(font("small"))
        mute(self.progress)
        controls = self.panel.controls
        for part in (self.measure, self.axis):
            controls.addWidget(part)
        controls.addWidget(self.progress)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.line.setWordWrap(True)
        self.line.setMinimumWidth(40)
        self.line.setMinimumHeight(2 * self.line.fontMetrics().height() + 2)
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, GRID, PADDING, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.panel, 1)
        layout.addWidget(self.line)

    def _connect(self) -> None:
        self.measure.activated.connect(self._choose_measure)
        self.axis.activated.connect(self._choose_axis)
        self.heatmap.cell_hovered.connect(self._hover)
        self.heatmap.cell_focused.connect(self._focus)
        self.heatmap.cell_activated.connect(self.pair_activated)
        self.table.row_focused.connect(self._focus_row)
        self.table.row_activated.connect(self._activate_row)
        self.panel.export_requested.connect(self.export_requested)
        self.panel.action.connect(self.action_requested)

    # -- setters

    def show_data(self, data: LayerSimilarity | None) -> None:
        """Show a run's matrix, or the empty view."""
        self.data = data
        there = data is not None and data.values.size > 0
        self.panel.show_content(there)
        self.line.setVisible(there)
        if data is None or not there:
            self.heatmap.set_data(None)
            self.table.set_columns([], [])
            self.progress.clear()
            self.chosen_changed.emit(None)
            return
        self.measure.setCurrentIndex(max(0, self.measure.findData(data.measure)))
        self.heatmap.set_data(_matrix(data))
        measure = MEASURES.get(data.measure, data.measure)
        self.table.set_columns(layer_pairs(data), layer_columns(data, measure))
        self.panel.set_note(_note(data))
        done, total = data.classes_done, data.classes_total
        self.progress.setText(
            f"{done} of {count(total, 'class', 'classes')}" if done < total else ""
        )
        self._say(self.heatmap.cell_names())
        self._tell_chosen()

    def set_pair(self, layer_a: str | None, layer_b: str | None) -> None:
        """Put the crosshair on a pair of layers."""
        self.heatmap.set_cell(layer_a, layer_b)
        self.table.set_focus((layer_a, layer_b))
        self._say(self.heatmap.cell_names())
        self._tell_chosen()

    def show_everything(self) -> None:
        """Undo zooming."""
        self.heatmap.show_all()

    # -- by hand

    def _choose_measure(self) -> None:
        self.measure_changed.emit(self.measure.currentData())

    def _choose_axis(self) -> None:
        self.heatmap.set_relative_depth(self.axis.currentIndex() == 1)

    def _hover(self, layer_a: str | None, layer_b: str | None) -> None:
        pair = None if layer_a is None or layer_b is None else (layer_a, layer_b)
        self._say(pair or self.heatmap.cell_names())
        self.pair_hovered.emit(layer_a, layer_b)

    def _focus(self, layer_a: str, layer_b: str) -> None:
        self.table.set_focus((layer_a, layer_b))
        self._say((layer_a, layer_b))
        self._tell_chosen()
        self.pair_focused.emit(layer_a, layer_b)

    def _focus_row(self, pair: tuple[str, str]) -> None:
        self.heatmap.set_cell(*pair)
        self._say(pair)
        self._tell_chosen()
        self.pair_focused.emit(*pair)

    def _activate_row(self, pair: tuple[str, str]) -> None:
        self.pair_activated.emit(*pair)

    def _tell_chosen(self) -> None:
        pair = self.heatmap.cell_names()
        chosen = None if self.data is None or pair is None else chosen_pair(self.data, *pair)
        self.chosen_changed.emit(chosen)

    def _say(self, pair: tuple[str, str] | None) -> None:
        self.line.setText(
            _HINT if pair is None or self.data is None else pair_line(self.data, *pair)
        )


def _matrix(data: LayerSimilarity) -> HeatmapData:
    return HeatmapData(
        rows=data.layers_a,
        columns=data.layers_b,
        values=np.asarray(data.values, float),
        null_95=np.asarray(data.null_95, float),
        row_depths=data.depths_a,
        column_depths=data.depths_b,
        row_title=f"A · {data.model_a}",
        column_title=f"B · {data.model_b}",
        value_title=SHORT.get(data.measure, data.measure),
        low=np.asarray(data.ci_low, float),
        high=np.asarray(data.ci_high, float),
    )


def _note(data: LayerSimilarity) -> str:
    values = np.asarray(data.values, float)
    with np.errstate(invalid="ignore"):
        chance = int((values <= data.null_95).sum())
    empty = int(np.isnan(values).sum())
    notes = []
    if chance:
        notes.append(f"Grey and hatched: {count(chance, 'pair')} no better than chance.")
    if empty == values.size and data.classes.any():
        word = MEASURES.get(data.measure, data.measure)
        notes.append(f"This run has no {word}: compare the layers once more to have it.")
    elif empty:
        notes.append(f"Blank: {count(empty, 'pair')} not computed yet.")
    if empty < values.size and not np.isfinite(data.null_95).any():
        word = MEASURES.get(data.measure, data.measure)
        notes.append(f"Chance and intervals of {word} are not in this run: compare once more.")
    return " ".join(notes)
