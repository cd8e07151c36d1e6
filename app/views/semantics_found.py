"""Concepts found without labels: which of two layers lie in the same places, at any threshold."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from analysis.figures.semantics_data import (
    MaskSimilarityMatrix,
    ProjectedMasks,
    SemanticsIndex,
)
from analysis.figures.words import number
from app.theme import GRID, PADDING, font
from app.views.saliency_bar import Chooser
from app.views.semantics_layers import choose_layer, deepest, list_layers
from app.views.semantics_matches import MatchPanel
from app.views.semantics_pair import MaskPairPanel, RobustnessPanel
from app.widgets.flow_layout import FlowLayout
from app.widgets.image_source import ImageSource
from app.widgets.splitter import Splitter

_NO_LAYERS = "The run found no concepts in any layer: run semantics with “mask layers” chosen."
_FIRST = 0.5  # threshold, where the run has it


class FoundConceptsPanel(QWidget):
    """Setters are silent. `layers_chosen(layer_a, layer_b)`; `threshold_changed(value)`;
    `pair_chosen(a, b)`: the numbers of both concepts, whose masks are wanted."""

    layers_chosen = Signal(str, str)
    threshold_changed = Signal(float)
    pair_chosen = Signal(int, int)
    export_requested = Signal(str, str)
    action = Signal(str)
    shown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data: MaskSimilarityMatrix | None = None
        self._index: SemanticsIndex | None = None
        self._layers = ("", "")
        self._pending: tuple[str, str] | None = None  # chosen by hand, and on their way
        self._threshold = _FIRST
        self.matches = MatchPanel()
        self.robustness = RobustnessPanel()
        self.masks = MaskPairPanel()
        self._build()
        self._connect()
        self.set_index(None)

    def _build(self) -> None:
        self.first, self.second = Chooser("Layer of A", 20), Chooser("Layer of B", 20)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Threshold of the masks")
        self.slider.setFixedWidth(170)
        self.slider.setPageStep(2)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.value = QLabel()
        self.value.setFont(font("small", tabular=True))
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance("0.00") + 4)
        word = QLabel("Threshold")
        word.setFont(font("small"))
        word.setBuddy(self.slider)
        threshold = QWidget()
        line = QHBoxLayout(threshold)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        for part in (word, self.slider, self.value):
            line.addWidget(part)
        self.bar = QWidget()
        flow = FlowLayout(self.bar, spacing=GRID)
        flow.addWidget(self.first)
        flow.addWidget(self.second)
        flow.addWidget(threshold)
        self.beside = Splitter(Qt.Orientation.Vertical)
        self.beside.addWidget(self.robustness)
        self.beside.addWidget(self.masks)
        self.beside.setSizes([220, 440])
        self.beside.setStretchFactor(1, 1)
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.matches)
        self.splitter.addWidget(self.beside)
        self.splitter.setSizes([640, 600])
        for splitter in (self.beside, self.splitter):
            splitter.setHandleWidth(PADDING)
            splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.bar)
        layout.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        self.first.combo.activated.connect(self._choose_layers)
        self.second.combo.activated.connect(self._choose_layers)
        self.slider.valueChanged.connect(self._slid)
        self.robustness.step_chosen.connect(self.slider.setValue)
        self.matches.pair_chosen.connect(self._choose_pair)
        self.matches.action.connect(self.action)
        for panel in (self.matches, self.robustness, self.masks):
            panel.export_requested.connect(self.export_requested)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.masks.set_source(source)

    def set_index(self, index: SemanticsIndex | None) -> None:
        """Another run, or more of the same one."""
        same = index is not None and self._index is not None and index.run == self._index.run
        self._index, self._pending = index, None
        self.matches.set_index(index)
        self.masks.set_index(index)
        layers = ((), ()) if index is None else index.mask_layers
        for chooser, side in zip((self.first, self.second), layers, strict=True):
            list_layers(chooser, side)
        there = all(layers)
        self.bar.setVisible(there)
        self.beside.setVisible(there)
        if not same:
            if index is not None and index.thresholds:
                self._threshold = min(index.thresholds, key=lambda one: abs(one - _FIRST))
            self.show_masks(None)
        if index is not None and not there:
            self.matches.say_empty(_NO_LAYERS, "Compare by concepts…", "run semantics")
        names = [[layer.name for layer in side] for side in layers]
        if self._layers[0] not in names[0] or self._layers[1] not in names[1]:
            self._layers = deepest(layers[0], layers[1])
        self._show_layers()

    def layers(self) -> tuple[str, str]:
        """The layers chosen; empty without a run."""
        return self._layers

    def has_layers(self, layer_a: str, layer_b: str) -> bool:
        """Whether concepts were found in both layers."""
        if self._index is None:
            return False
        known = [[layer.name for layer in side] for side in self._index.mask_layers]
        return layer_a in known[0] and layer_b in known[1]

    def set_layers(self, layer_a: str, layer_b: str) -> None:
        """Choose layers without telling anyone; what is there of others goes."""
        if self.has_layers(layer_a, layer_b) and (layer_a, layer_b) != self._layers:
            self._layers = self._pending = (layer_a, layer_b)
            self._show_layers()
            self._take(None)

    def show_masks(self, data: MaskSimilarityMatrix | None) -> None:
        """Show the similarity of two layers, unless others were chosen since."""
        if data is not None:
            if self._pending not in (None, (data.layer_a, data.layer_b)):
                return
            if (data.layer_a, data.layer_b) != self._layers:
                self._layers = (data.layer_a, data.layer_b)
                self._show_layers()
        self._pending = None
        self._take(data)

    def show_pair(self, masks: ProjectedMasks | None) -> None:
        """Show the masks of a pair, unless another one was chosen since."""
        if masks is not None:
            if self.pair() is None:
                self.set_pair(masks.concept_a, masks.concept_b)
            asked = (*self._layers, *(self.pair() or (-1, -1)))
            came = (masks.layer_a, masks.layer_b, masks.concept_a, masks.concept_b)
            if asked != came:
                return
        self.masks.show_pair(masks)

    def set_threshold(self, threshold: float) -> None:
        """Cut at the nearest threshold of the run without telling anyone."""
        self._threshold = threshold
        if self.data is not None and len(self.data.thresholds):
            with QSignalBlocker(self.slider):
                self.slider.setValue(self._nearest())
            self._show_threshold()

    def threshold(self) -> float:
        """Where masks are cut."""
        return self._threshold

    def set_pair(self, concept_a: int, concept_b: int) -> None:
        """Choose a pair by its numbers without telling anyone."""
        place = self._places(concept_a, concept_b)
        if place is not None:
            self._set_place(place)

    def pair(self) -> tuple[int, int] | None:
        """The numbers of both concepts of the chosen pair."""
        place = self.matches.pair
        if place is None or self.data is None:
            return None
        return self.data.concepts_a[place[0]].number, self.data.concepts_b[place[1]].number

    def lacks_masks(self) -> tuple[int, int] | None:
        """The chosen pair, or the best match where none is chosen, if its masks are not here."""
        if self.data is None:
            return None
        if self.matches.pair is None:
            best = self.matches.best_pairs()
            if not best:
                return None
            self._set_place(best[0])
        return self.pair() if self.masks.shown is None else None

    # -- what is shown

    def _take(self, data: MaskSimilarityMatrix | None) -> None:
        before = (self.pair(), self.data)
        self.data = data
        others = data is None or before[1] is None or (
            (data.run, data.layer_a, data.layer_b)
            != (before[1].run, before[1].layer_a, before[1].layer_b)
        )  # fmt: skip
        if others:
            self.matches.pair = None
        with QSignalBlocker(self.slider):
            steps = 0 if data is None else len(data.thresholds)
            self.slider.setRange(0, max(0, steps - 1))
            self.slider.setEnabled(steps > 1)
            if steps:
                self.slider.setValue(self._nearest())
        self.matches.show_masks(data, self.slider.value())
        if others:
            self.masks.show_pair(None)
        self.robustness.show_pair(data, self.matches.pair, self.slider.value())
        self._show_threshold()

    def _nearest(self) -> int:
        assert self.data is not None
        return int(np.abs(np.asarray(self.data.thresholds, float) - self._threshold).argmin())

    def _show_threshold(self) -> None:
        """Everything that hangs on the threshold, at once."""
        step = self.slider.value()
        if self.data is not None and len(self.data.thresholds):
            self._threshold = float(self.data.thresholds[step])
        self.value.setText(number(self._threshold))
        self.slider.setToolTip(f"Masks hold what is above {number(self._threshold)}")
        self.matches.set_step(step)
        self.robustness.set_step(step)
        self.masks.set_threshold(self._threshold)

    def _show_layers(self) -> None:
        choose_layer(self.first, self._layers[0])
        choose_layer(self.second, self._layers[1])

    def _places(self, concept_a: int, concept_b: int) -> tuple[int, int] | None:
        if self.data is None:
            return None
        first = [concept.number for concept in self.data.concepts_a]
        second = [concept.number for concept in self.data.concepts_b]
        if concept_a not in first or concept_b not in second:
            return None
        return first.index(concept_a), second.index(concept_b)

    def _set_place(self, place: tuple[int, int]) -> None:
        before = self.matches.pair
        self.matches.set_pair(place)
        self.robustness.show_pair(self.data, place, self.slider.value())
        if place != before:
            self.masks.show_pair(None, coming=True)

    # -- by hand

    def _choose_layers(self) -> None:
        wanted = (self.first.combo.currentData(), self.second.combo.currentData())
        if wanted != self._layers:
            self.choose_layers(*wanted)

    def choose_layers(self, layer_a: str, layer_b: str) -> None:
        """Choose layers, by hand here or in another part of the view."""
        self.set_layers(layer_a, layer_b)
        self.layers_chosen.emit(layer_a, layer_b)

    def _slid(self, _step: int) -> None:
        self._show_threshold()
        self.threshold_changed.emit(self._threshold)

    def _choose_pair(self, row: int, column: int) -> None:
        self.robustness.show_pair(self.data, (row, column), self.slider.value())
        self.masks.show_pair(None, coming=True)
        pair = self.pair()
        if pair is not None:
            self.pair_chosen.emit(*pair)
