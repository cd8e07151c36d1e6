"""TCAV: how much each concept counts for each class, beside what random concepts do."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from analysis.figures.semantics_data import SemanticsIndex, TcavScores
from analysis.figures.words import count, interval
from app.labels import wrapped_label
from app.theme import GRID, MODEL_COLOURS, font
from app.views.saliency_bar import Chooser
from app.views.semantics_columns import tcav_columns, tcav_ids
from app.views.semantics_layers import choose_layer, list_layers
from app.views.semantics_words import (
    ACTION,
    EMPTY_TCAV,
    NOT_APART,
    RUN,
    model_word,
    tcav_counts,
    tcav_line,
)
from app.widgets.bar_data import BarColumn, BarData, BarRow
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.flow_layout import FlowLayout
from app.widgets.range_bars import RangeBarTable, Ranges
from app.widgets.table_twin import TableTwin

_FIRST_DEPTH = 0.9  # before a linear head all images have the same gradient
_COMING = "The scores of this layer are being read."
_NO_SCORES = "The run has no scores in this layer: choose another layer or model."
_NO_CLASSES = (
    "The run scored no class: a model needs a classifier with classes that are called like labels "
    "of the images. Where they have other names, say so when you start a run (label=class)."
)
_HINT = "Move over a bar to read it, or walk with the arrow keys."
_BY_CLASS, _BY_CONCEPT = "class", "concept"


class TcavPanel(FigurePanel):
    """`model_chosen(name)`, `layer_chosen(name)`, `score_focused((concept, class))` by hand."""

    model_chosen = Signal(str)
    layer_chosen = Signal(str)
    score_focused = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bars = RangeBarTable("TCAV scores, a concept and a class a row")
        self.line = wrapped_label(_HINT)
        self.data: TcavScores | None = None
        self._index: SemanticsIndex | None = None
        self._model, self._layer = "", ""
        self._pending: tuple[str, str] | None = None
        self._focus: Hashable | None = None
        super().__init__(
            "tcav",
            "TCAV",
            self._make_content(),
            TableTwin("score"),
            EmptyState(EMPTY_TCAV, RUN, ACTION),
            parent,
        )
        self._make_controls()
        assert self.table is not None
        self.table.row_focused.connect(self._focus_row)
        self.bars.row_focused.connect(self._focus_row)
        self.bars.row_hovered.connect(self._hover)

    def _make_content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        self.line.setMinimumHeight(2 * self.line.fontMetrics().height() + 2)
        self.line.setAccessibleName("The score in words")
        layout.addWidget(self.bars, 1)
        layout.addWidget(self.line)
        return content

    def _make_controls(self) -> None:
        self.title.hide()  # the tab says it
        self.model, self.layer = Chooser("Model", 18), Chooser("Layer", 20)
        self.model.combo.activated.connect(self._choose_model)
        self.layer.combo.activated.connect(self._choose_layer)
        self.grouping = QComboBox()
        self.grouping.setAccessibleName("How the bars are grouped")
        self.grouping.setFont(font("small"))
        self.grouping.addItem("grouped by class", _BY_CLASS)
        self.grouping.addItem("grouped by concept", _BY_CONCEPT)
        self.grouping.activated.connect(self._draw)
        bar = QWidget()
        flow = FlowLayout(bar, spacing=GRID)
        flow.addWidget(self.model)
        flow.addWidget(self.layer)
        flow.addWidget(self.grouping)
        self.controls.addWidget(bar)

    # -- setters

    def set_index(self, index: SemanticsIndex | None) -> None:
        """Another run, or more of the same one: its models and layers."""
        same = index is not None and self._index is not None and index.run == self._index.run
        self._index, self._pending = index, None
        combo = self.model.combo
        combo.clear()
        models = () if index is None else tuple(dict.fromkeys(index.models))
        for model in models:
            combo.addItem(model_word(model, self._trained(model)), model)
        self.model.setVisible(len(models) > 1)
        if self._model not in models:
            self._model = models[0] if models else ""
        self._list_layers()
        if not same:
            self.show_tcav(None)

    def choice(self) -> tuple[str, str]:
        """Model and layer whose scores are shown."""
        return self._model, self._layer

    def score(self) -> tuple[str, str] | None:
        """The concept and the class of the score in focus, if they are on the screen."""
        row = self._focus
        if self.data is None or not isinstance(row, tuple) or row not in tcav_ids(self.data):
            return None
        return str(row[0]), str(row[1])

    def set_model(self, model: str) -> None:
        """Choose a model without telling anyone; the layer of nearest depth goes with it."""
        if self._index is not None and model in self._index.models and model != self._model:
            depth = self._depth()
            self._model = model
            self._list_layers(depth)
            self._wait()

    def set_layer(self, layer: str) -> None:
        """Choose a layer of the model without telling anyone."""
        if self.layer.combo.findData(layer) >= 0 and layer != self._layer:
            self._layer = layer
            choose_layer(self.layer, layer)
            self._wait()

    def show_tcav(self, data: TcavScores | None) -> None:
        """Show the scores of a layer, unless another one was chosen since."""
        if data is not None:
            if self._pending not in (None, (data.model, data.layer)):
                return
            self._model, self._layer = data.model, data.layer
            self._list_layers(layer=data.layer)
        self._pending, self.data = None, data
        there = data is not None and data.score.size > 0
        self._show_content(there)
        self._draw()

    def _wait(self) -> None:
        self._pending = (self._model, self._layer)
        self.data = None
        self._show_content(False)

    def _show_content(self, there: bool) -> None:
        self.show_content(there)
        self.head.setVisible(bool(self._layer))  # another layer can always be chosen
        if there:
            return
        if self._index is None:
            self.empty.set_text(EMPTY_TCAV, RUN, ACTION)
        elif not self._index.classes:
            self.empty.set_text(_NO_CLASSES, RUN, ACTION)
        elif self.data is not None:
            self.empty.set_text(_NO_SCORES)
        else:
            self.empty.set_text(_COMING)

    # -- what is shown

    def _trained(self, model: str) -> bool:
        index = self._index
        return index is None or index.trained[index.models.index(model)]

    def _side(self) -> int:
        return 0 if self._index is None else self._index.models.index(self._model)

    def _depth(self) -> float:
        if self._index is None or not self._layer:
            return 1.0
        layers = self._index.layers[self._side()]
        return next((layer.depth for layer in layers if layer.name == self._layer), 1.0)

    def _list_layers(self, depth: float = _FIRST_DEPTH, layer: str | None = None) -> None:
        """The layers of the model; the one at hand, or the one nearest to a depth, is chosen."""
        self.layer.combo.clear()
        if self._index is None or not self._model:
            self._layer = ""
            return
        layers = self._index.layers[self._side()]
        list_layers(self.layer, layers)
        names = [one.name for one in layers]
        wanted = layer or self._layer
        if wanted not in names and layers:
            wanted = min(layers, key=lambda one: abs(one.depth - depth)).name
        self._layer = wanted if wanted in names else ""
        choose_layer(self.layer, self._layer)

    def _draw(self) -> None:
        assert self.table is not None
        data = self.data
        if data is None or not data.score.size:
            self.bars.set_rows(None, None)
            self.table.set_columns([], [])
            return
        order = self._order(data)
        ids = [(data.concepts[concept], data.classes[place]) for concept, place in order]
        by_class = self.grouping.currentData() == _BY_CLASS
        rows = tuple(
            BarRow((concept, name), concept if by_class else name, name if by_class else concept)
            for concept, name in ids
        )
        at = tuple(np.array(order, dtype=np.int64).T)
        usable = np.asarray(data.separates, bool)[at[0]]
        score = np.where(usable, data.score[at], np.nan)
        low, high = data.ci_low[at], data.ci_high[at]
        texts = tuple(
            interval(float(s), float(a), float(b)) if np.isfinite(s) else ""
            for s, a, b in zip(score, low, high, strict=True)
        )
        column = BarColumn(
            "share of the class's images whose score more of the concept would raise (0 to 1)",
            score,
            texts,
            (0.0, 1.0),
            MODEL_COLOURS["ab"[self._side()]],
            grey=~tcav_counts(data)[at],
        )
        reasons = tuple("" if one else NOT_APART for one in usable.tolist())
        blank = np.where(usable, 0.0, np.nan)
        self.bars.set_rows(
            BarData(rows, (column,), self._describe),
            Ranges(low + blank, high + blank, data.null_low[at], data.null_high[at], reasons),
        )
        self.bars.set_focus(self._focus)
        self.table.set_columns(tcav_ids(data), tcav_columns(data))
        self.set_note(self._note(data))
        self._say(self._focus)

    def _order(self, data: TcavScores) -> list[tuple[int, int]]:
        concepts, classes = range(len(data.concepts)), range(len(data.classes))
        if self.grouping.currentData() == _BY_CLASS:
            return [(concept, place) for place in classes for concept in concepts]
        return [(concept, place) for concept in concepts for place in classes]

    def _note(self, data: TcavScores) -> str:
        notes = ["Grey band: 95 % of random concepts. Hatched: no more than a random concept."]
        unused = int((~np.asarray(data.separates, bool)).sum())
        if unused:
            verb = "is" if unused == 1 else "are"
            notes.append(f"{count(unused, 'concept')} {verb} not told apart and not used.")
        if _all_alike(data):
            notes.append(
                "All images of a class have the same gradient here, as before a linear head:"
                " the interval over images is no doubt of the score."
            )
        if not self._trained(data.model):
            notes.append(f"{data.model} is untrained.")
        return " ".join(notes)

    def _describe(self, identity: Hashable) -> str:
        data = self.data
        if data is None or not isinstance(identity, tuple):
            return ""
        concept, name = identity
        return tcav_line(data, data.concepts.index(concept), data.classes.index(name))

    def _say(self, identity: Hashable | None) -> None:
        known = self.data is not None and identity in tcav_ids(self.data)
        self.line.setText(self._describe(identity) if known else _HINT)

    # -- by hand

    def _hover(self, identity: Hashable | None) -> None:
        self._say(identity or self._focus)

    def _focus_row(self, identity: Hashable) -> None:
        assert self.table is not None
        self._focus = identity
        self.bars.set_focus(identity)
        self.table.set_focus(identity)
        self._say(identity)
        self.score_focused.emit(identity)

    def _choose_model(self) -> None:
        model = self.model.combo.currentData()
        if model != self._model:
            self.set_model(model)
            self.model_chosen.emit(model)

    def _choose_layer(self) -> None:
        layer = self.layer.combo.currentData()
        if layer != self._layer:
            self.set_layer(layer)
            self.layer_chosen.emit(layer)


def _all_alike(data: TcavScores) -> bool:
    """Whether no score has an interval of any width."""
    width = (np.asarray(data.ci_high) - np.asarray(data.ci_low))[np.isfinite(data.score)]
    return bool(width.size) and bool((width == 0).all())
