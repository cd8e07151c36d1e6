"""SFSS of every layer of one model with every layer of the other, for a concept or the mean."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from analysis.figures.semantics_data import MEAN, SemanticsIndex, SpaceSimilarityMatrix
from app.labels import wrapped_label
from app.theme import GRID, font
from app.views.saliency_bar import Chooser
from app.views.semantics_columns import space_columns, space_pairs
from app.views.semantics_words import (
    ACTION,
    EMPTY_SPACE,
    RUN,
    concept_word,
    model_word,
    space_counts,
    space_line,
    space_note,
)
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.flow_layout import FlowLayout
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData
from app.widgets.table_twin import TableTwin

MEASURES = {"pearson": "SFSS", "spearman": "SFSS by rank"}
_SHORT = {"pearson": "SFSS", "spearman": "SFSS ρ"}
_HINT = (
    "Move over a cell to read it; click to keep it; double-click for the concepts found in both "
    "layers."
)
_COMING = "The similarity of the layers for this concept is being read."
_NONE = (
    "There is no similarity of layers for this concept: the run is not finished, or it left the"
    " concept out."
)
_PATIENCE = 150  # milliseconds that an earlier matrix stays while another one is read


class SpacePanel(FigurePanel):
    """`concept_chosen(name)` by hand, "" for the mean; `pair_focused(layer_a, layer_b)`;
    `pair_activated(layer_a, layer_b)`: double click or Enter."""

    concept_chosen = Signal(str)
    pair_focused = Signal(str, str)
    pair_activated = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.heatmap = Heatmap("Similarity of layers by concepts")
        self.line = wrapped_label(_HINT)
        self.data: SpaceSimilarityMatrix | None = None
        self.concept_name = MEAN
        self._index: SemanticsIndex | None = None
        self._pending: str | None = None  # chosen, and on its way
        self._patience = QTimer()
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE)
        super().__init__(
            "space-similarity",
            "Layers",
            self._make_content(),
            TableTwin("pair"),
            EmptyState(EMPTY_SPACE, RUN, ACTION),
            parent,
        )
        self._patience.setParent(self)
        self._patience.timeout.connect(self._give_up)
        self._make_controls()
        assert self.table is not None
        self.table.row_focused.connect(self._focus_row)
        self.table.row_activated.connect(self._activate_row)
        self.heatmap.cell_hovered.connect(self._hover)
        self.heatmap.cell_focused.connect(self._focus)
        self.heatmap.cell_activated.connect(self.pair_activated)

    def _make_content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setMinimumHeight(3 * self.line.fontMetrics().height() + 2)
        self.line.setAccessibleName("The pair of layers in words")
        layout.addWidget(self.heatmap, 1)
        layout.addWidget(self.line)
        return content

    def _make_controls(self) -> None:
        self.title.hide()  # the tab says it
        self.chooser = Chooser("Concept", 17)
        self.chooser.combo.activated.connect(self._choose_concept)
        self.measure, self.axis = QComboBox(), QComboBox()
        self.measure.setAccessibleName("Measure of similarity")
        for key, text in MEASURES.items():
            self.measure.addItem(text, key)
        self.axis.setAccessibleName("What the axes say")
        self.axis.addItems(["layer names", "relative depth"])
        self.measure.activated.connect(self._draw)
        self.axis.activated.connect(self._choose_axis)
        bar = QWidget()
        flow = FlowLayout(bar, spacing=GRID)
        flow.addWidget(self.chooser)
        for combo in (self.measure, self.axis):
            combo.setFont(font("small"))
            flow.addWidget(combo)
        self.controls.addWidget(bar)

    # -- setters

    def set_index(self, index: SemanticsIndex | None) -> None:
        """Another run, or more of the same one: its concepts."""
        self._index = index
        combo = self.chooser.combo
        combo.clear()
        for concept in (MEAN, *(index.concepts if index is not None else ())):
            combo.addItem(concept_word(concept), concept)
        if index is None or self.concept_name not in (MEAN, *index.concepts):
            self.concept_name = MEAN
        self._pending = None
        self.chooser.choose(self.concept_name)

    def set_concept(self, concept: str) -> None:
        """Choose a concept without telling anyone."""
        self.concept_name = concept
        self.chooser.choose(concept)
        if self.data is not None and self.data.concept == concept:
            self._pending = None
            self._show_content()
        else:
            self._pending = concept
            self._patience.start()

    def pair(self) -> tuple[str, str] | None:
        """The layers under the crosshair."""
        return self.heatmap.cell_names() if self.data is not None else None

    def show_space(self, data: SpaceSimilarityMatrix | None) -> None:
        """Show a concept's matrix, unless another concept was chosen since."""
        if data is not None and self._pending not in (None, data.concept):
            return
        self._pending = None
        self.data = data
        if data is not None:
            self.concept_name = data.concept
            self.chooser.choose(data.concept)
        self._show_content()
        self._draw()

    def set_pair(self, layer_a: str, layer_b: str) -> None:
        """Put the crosshair on a pair of layers."""
        self.heatmap.set_cell(layer_a, layer_b)
        assert self.table is not None
        self.table.set_focus((layer_a, layer_b))
        self._say(self.heatmap.cell_names())

    def say_elsewhere(self, text: str) -> None:
        """Write something else in the line below, such as why a pair cannot be opened."""
        self.line.setText(text)

    # -- what is shown

    def _show_content(self) -> None:
        self._patience.stop()
        data = self.data
        self.show_content(data is not None and data.pearson.size > 0 and self._pending is None)
        self.head.setVisible(self._index is not None)  # another concept can always be chosen
        if self._index is None:
            self.empty.set_text(EMPTY_SPACE, RUN, ACTION)
        else:
            none = data is not None and self._pending is None
            self.empty.set_text(_NONE if none else _COMING)

    def _give_up(self) -> None:
        """The matrix of another concept does not stay under this one's name."""
        if self._pending is not None:
            self._show_content()

    def _draw(self) -> None:
        assert self.table is not None
        data, index = self.data, self._index
        if data is None or index is None or not data.pearson.size:
            self.heatmap.set_data(None)
            self.table.set_columns([], [])
            return
        measure = self.measure.currentData()
        values = data.pearson if measure == "pearson" else data.spearman
        null = data.null_95 if measure == "pearson" else np.full(values.shape, np.nan)
        self.heatmap.set_data(
            HeatmapData(
                rows=tuple(layer.name for layer in data.layers_a),
                columns=tuple(layer.name for layer in data.layers_b),
                values=np.asarray(values, float),
                null_95=np.asarray(null, float),
                row_depths=np.array([layer.depth for layer in data.layers_a]),
                column_depths=np.array([layer.depth for layer in data.layers_b]),
                row_title=f"A · {model_word(index.models[0], index.trained[0])}",
                column_title=f"B · {model_word(index.models[1], index.trained[1])}",
                value_title=_SHORT[measure],
                survives=space_counts(data),
            )
        )
        self.table.set_columns(space_pairs(data), space_columns(data))
        self.set_note(space_note(data))
        self._say(self.heatmap.cell_names())

    def _say(self, pair: tuple[str, str] | None) -> None:
        there = pair is not None and self.data is not None and self._index is not None
        if not there or pair is None or self.data is None or self._index is None:
            self.line.setText(_HINT)
        else:
            self.line.setText(space_line(self.data, self._index.models, *pair))

    # -- by hand

    def _choose_concept(self) -> None:
        concept = self.chooser.combo.currentData()
        if concept != self.concept_name:
            self.set_concept(concept)
            self.concept_chosen.emit(concept)

    def _choose_axis(self) -> None:
        self.heatmap.set_relative_depth(self.axis.currentIndex() == 1)

    def _hover(self, layer_a: str | None, layer_b: str | None) -> None:
        pair = None if layer_a is None or layer_b is None else (layer_a, layer_b)
        self._say(pair or self.heatmap.cell_names())

    def _focus(self, layer_a: str, layer_b: str) -> None:
        assert self.table is not None
        self.table.set_focus((layer_a, layer_b))
        self._say((layer_a, layer_b))
        self.pair_focused.emit(layer_a, layer_b)

    def _focus_row(self, pair: tuple[str, str]) -> None:
        self.heatmap.set_cell(*pair)
        self._say(pair)
        self.pair_focused.emit(*pair)

    def _activate_row(self, pair: tuple[str, str]) -> None:
        self.pair_activated.emit(*pair)
