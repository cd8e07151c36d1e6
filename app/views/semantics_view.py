"""What two models have in common by meaning: layers, found concepts, classes, concept sets."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from analysis.figures.semantics_data import (
    ConceptExample,
    ConceptSetInfo,
    MaskSimilarityMatrix,
    ProjectedMasks,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from app.theme import GRID, PADDING, font
from app.views.semantics_bar import SemanticsBar
from app.views.semantics_chosen import (
    Chosen,
    chosen_layers,
    chosen_masks,
    chosen_score,
    chosen_set,
)
from app.views.semantics_editor import ConceptEditor
from app.views.semantics_found import FoundConceptsPanel
from app.views.semantics_separability import SeparabilityPanel
from app.views.semantics_settings import SemanticsSettingsPanel
from app.views.semantics_space import SpacePanel
from app.views.semantics_tcav import TcavPanel
from app.widgets.image_source import ImageSource
from app.widgets.parts import Parts
from app.widgets.splitter import Splitter

TABS = {
    "layers": "Layers",
    "found": "Found concepts",
    "classes": "Concepts and classes",
    "concepts": "My concepts",
    "settings": "Settings",
}
_NOT_FOUND = (
    "No concepts were found without labels in both of these layers, so that there are no masks to "
    "compare. Choose others under “Found concepts”."
)


#: made ahead of the view, each in its own turn
PARTS = (SpacePanel, SeparabilityPanel, FoundConceptsPanel, TcavPanel, ConceptEditor)


class SemanticsView(QWidget):
    """Setters are silent; intents are signals.

    What is on the screen and not here yet is asked for by the same signals: `concept_chosen(name)`,
    "" for the mean; `layers_chosen(layer_a, layer_b)` of found concepts; `pair_chosen(a, b)`, the
    numbers of two found concepts whose masks are wanted; `layer_chosen(layer)` of TCAV, in the
    model of `tcav_choice()`; `examples_wanted(set)`. `model_chosen(name)` is followed by
    `layer_chosen`. `threshold_changed(value)`: redrawn already. The editor's signals are edits:
    they take effect once `show_sets` or `show_examples` brings them. `chosen_changed(Chosen or
    None)`: what is in front, whoever chose it, once its numbers are here.
    """

    concept_chosen = Signal(str)
    layers_chosen = Signal(str, str)
    threshold_changed = Signal(float)
    pair_chosen = Signal(int, int)
    model_chosen = Signal(str)
    layer_chosen = Signal(str)
    concept_set_focused = Signal(object)  # id or None
    set_added = Signal(str)
    set_renamed = Signal(int, str)
    set_removed = Signal(int)
    examples_removed = Signal(object)  # tuple of ids
    examples_turned = Signal(object)  # tuple of ids: the other role from now on
    chosen_changed = Signal(object)
    examples_wanted = Signal(int)
    export_requested = Signal(str, str)
    action_requested = Signal(str)  # "run semantics", of an empty panel's button; "add concept"

    def __init__(self, parent: QWidget | None = None, parts: Parts | None = None) -> None:
        super().__init__(parent)
        ready = parts or Parts()
        self.setObjectName("semantics view")
        self._index: SemanticsIndex | None = None
        self._asked: dict[str, tuple[object, ...]] = {}  # the last question of each kind
        self.bar = SemanticsBar()
        self.space = ready.take(SpacePanel)
        self.separability = ready.take(SeparabilityPanel)
        self.found = ready.take(FoundConceptsPanel)
        self.tcav = ready.take(TcavPanel)
        self.editor = ready.take(ConceptEditor)
        self.settings = SemanticsSettingsPanel()
        self._asking = QTimer(self)  # one question for all that a change has left open
        self._asking.setSingleShot(True)
        self._asking.setInterval(0)
        self._asking.timeout.connect(self._ask)
        self._told: Chosen | None = None
        self._telling = QTimer(self)  # once for all that a change has brought
        self._telling.setSingleShot(True)
        self._telling.setInterval(0)
        self._telling.timeout.connect(self._tell)
        self._build()
        self._connect()
        self.show_index(None)

    def _build(self) -> None:
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.space)
        self.splitter.addWidget(self.separability)
        self.splitter.setSizes([700, 540])
        for panel in (self.space, self.separability):
            panel.setMinimumWidth(320)
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setFont(font("small"))
        self._keys = tuple(TABS)
        contents = (self.splitter, self.found, self.tcav, self.editor, self.settings)
        for content, title in zip(contents, TABS.values(), strict=True):
            page = QWidget()
            inside = QVBoxLayout(page)
            inside.setContentsMargins(0, GRID, 0, 0)
            inside.addWidget(content)
            self.tabs.addTab(page, title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, GRID, PADDING, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.bar)
        layout.addWidget(self.tabs, 1)

    def _connect(self) -> None:
        self.space.concept_chosen.connect(self._choose_concept)
        self.separability.concept_chosen.connect(self._choose_concept)
        self.space.pair_activated.connect(self._open_layers)
        self.found.layers_chosen.connect(self._choose_layers)
        self.found.threshold_changed.connect(self.threshold_changed)
        self.found.pair_chosen.connect(self._choose_pair)
        self.tcav.model_chosen.connect(self._choose_model)
        self.tcav.layer_chosen.connect(self._choose_layer)
        self.editor.set_focused.connect(self.concept_set_focused)
        self.editor.set_added.connect(self.set_added)
        self.editor.set_renamed.connect(self.set_renamed)
        self.editor.set_removed.connect(self.set_removed)
        self.editor.examples_removed.connect(self.examples_removed)
        self.editor.examples_turned.connect(self.examples_turned)
        self.editor.examples_wanted.connect(self.examples_wanted)
        self.editor.other_wanted.connect(self._add_other)
        for panel in (self.space, self.separability, self.found, self.tcav):
            panel.export_requested.connect(self.export_requested)
            panel.action.connect(self.action_requested)
        self.tabs.currentChanged.connect(self._ask_soon)
        for change in (self.space.pair_focused, self.tcav.score_focused, self.found.pair_chosen,
                       self.found.threshold_changed, self.editor.set_focused):  # fmt: skip
            change.connect(self._tell_soon)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.tabs.tabBar().setFont(font("small"))  # an earlier one is lost when styles are applied
        self._ask_soon()

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.found.set_source(source)
        self.editor.set_source(source)

    def show_index(self, index: SemanticsIndex | None) -> None:
        """Show a run, or what a run would show. Of the same run, what is shown and chosen stays."""
        before = self._index
        same = index is not None and before is not None and before.run == index.run
        self._index = index
        self._asked.clear()
        self.bar.show_index(index)
        self.space.set_index(index)
        self.separability.set_index(index)
        self.found.set_index(index)
        self.tcav.set_index(index)
        self.settings.show_index(index)
        self.separability.setVisible(index is not None)  # else two panels would ask for one run
        if not same:
            self.space.show_space(None)
            self.separability.show_separability(None, None)
        self._ask_soon()

    def show_space(self, space: SpaceSimilarityMatrix | None) -> None:
        """Show the similarity of all layers for a concept or the mean."""
        self.space.show_space(space)
        if space is not None:
            self.separability.set_concept(self.space.concept_name)
        self._tell_soon()

    def show_separability(self, first: Separability | None, second: Separability | None) -> None:
        """Show how well concepts are told apart in model A and in model B."""
        self.separability.show_separability(first, second)
        self._tell_soon()

    def show_tcav(self, scores: TcavScores | None) -> None:
        """Show the scores of a model's layer."""
        self.tcav.show_tcav(scores)
        self._tell_soon()

    def show_masks(self, masks: MaskSimilarityMatrix | None) -> None:
        """Show the similarity of the concepts found in two layers."""
        self.found.show_masks(masks)
        self._ask_soon()

    def show_pair(self, pair: ProjectedMasks | None) -> None:
        """Show the masks of the chosen pair."""
        self.found.show_pair(pair)

    def show_sets(self, sets: tuple[ConceptSetInfo, ...]) -> None:
        """Show the project's concepts given by examples."""
        self.editor.show_sets(sets)
        self._tell_soon()

    def show_examples(self, concept_set: int, examples: tuple[ConceptExample, ...]) -> None:
        """Show the examples of a concept."""
        self.editor.show_examples(concept_set, examples)

    def set_concept(self, concept: str) -> None:
        """Choose a concept, or the mean; its matrix is asked for."""
        index = self._index
        if index is None or concept in ("", *index.concepts):
            self.space.set_concept(concept)
            self.separability.set_concept(concept)
            self._ask_soon()

    def set_layers(self, layer_a: str, layer_b: str) -> None:
        """Choose the layers whose found concepts are compared; they are asked for."""
        self.space.set_pair(layer_a, layer_b)
        self.found.set_layers(layer_a, layer_b)
        self._ask_soon()

    def set_threshold(self, threshold: float) -> None:
        """Cut masks at the nearest threshold of the run."""
        self.found.set_threshold(threshold)
        self._tell_soon()

    def set_pair(self, concept_a: int, concept_b: int) -> None:
        """Choose a pair of found concepts by their numbers; its masks are asked for."""
        self.found.set_pair(concept_a, concept_b)
        self._ask_soon()

    def set_model(self, model: str) -> None:
        """Choose the model of TCAV; its scores are asked for."""
        self.tcav.set_model(model)
        self._ask_soon()

    def set_layer(self, layer: str) -> None:
        """Choose the layer of TCAV; its scores are asked for."""
        self.tcav.set_layer(layer)
        self._ask_soon()

    def set_concept_set(self, concept_set: int | None) -> None:
        """Put the editor's focus on a concept."""
        self.editor.set_concept_set(concept_set)
        self._tell_soon()

    def show_tab(self, key: str) -> None:
        """Bring one of `TABS` to the front; ValueError for others."""
        if key not in self._keys:
            raise ValueError(f"no tab {key!r}: one of {', '.join(self._keys)}")
        self.tabs.setCurrentIndex(self._keys.index(key))

    def tab(self) -> str:
        """The key of the tab on the screen."""
        return self._keys[self.tabs.currentIndex()]

    def concept(self) -> str:
        """The concept chosen, "" for the mean."""
        return self.space.concept_name

    def mask_layers(self) -> tuple[str, str]:
        """The layers whose found concepts are compared; empty without a run."""
        return self.found.layers()

    def mask_pair(self) -> tuple[int, int] | None:
        """The numbers of the chosen pair of found concepts."""
        return self.found.pair()

    def threshold(self) -> float:
        """Where masks are cut."""
        return self.found.threshold()

    def tcav_choice(self) -> tuple[str, str]:
        """Model and layer whose scores are shown or wanted; empty without a run."""
        return self.tcav.choice()

    def concept_set(self) -> int | None:
        """The id of the concept in the editor's focus."""
        return self.editor.focus()

    def chosen(self) -> Chosen | None:
        """What is chosen on the tab on the screen, in words and numbers."""
        tab, index = self.tab(), self._index
        if tab == "concepts":
            info = self.editor.info()
            return None if info is None else chosen_set(info)
        if index is None:
            return None
        if tab == "layers":
            pair, space = self.space.pair(), self.space.data
            if pair is not None and space is not None:
                return chosen_layers(space, index, self.separability.data, pair)
        elif tab == "found":
            masks, place = self.found.data, self.found.matches.pair
            if masks is not None and place is not None:
                return chosen_masks(masks, index, self.found.slider.value(), place)
        elif tab == "classes":
            scores, row = self.tcav.data, self.tcav.score()
            if scores is not None and row is not None:
                return chosen_score(scores, row)
        return None

    def _tell_soon(self) -> None:
        self._telling.start()

    def _tell(self) -> None:
        chosen = self.chosen()
        if chosen != self._told:
            self._told = chosen
            self.chosen_changed.emit(chosen)

    # -- what is needed

    def _ask_soon(self) -> None:
        self._asking.start()
        self._telling.start()

    def _ask(self) -> None:
        """Ask once for what the tab on the screen lacks."""
        if self._index is None or not self.isVisible():
            return
        tab = self.tab()
        if tab == "layers":
            shown = self.space.data
            if shown is None or shown.concept != self.concept():
                self._want(self.concept_chosen, "concept", self.concept())
        elif tab == "found":
            layers = self.mask_layers()
            if self.found.data is None and all(layers):
                self._want(self.layers_chosen, "layers", *layers)
            pair = self.found.lacks_masks()
            if pair is not None:
                self._want(self.pair_chosen, "pair", *layers, *pair)
            self._tell_soon()  # the best match was chosen where none was
        elif tab == "classes":
            choice = self.tcav_choice()
            if self.tcav.data is None and all(choice) and self._index.classes:
                self._want(self.layer_chosen, "tcav", *choice)

    def _want(self, signal: SignalInstance, kind: str, *what: object) -> None:
        """Ask, unless that was the last question of its kind."""
        if self._asked.get(kind) != what:
            self._asked[kind] = what
            told = what[-2:] if kind in ("layers", "pair") else what[-1:]
            signal.emit(*told)

    # -- by hand

    def _add_other(self) -> None:
        self.action_requested.emit("add concept")

    def _choose_concept(self, concept: str) -> None:
        self.space.set_concept(concept)
        self.separability.set_concept(concept)
        self._asked["concept"] = (concept,)
        self.concept_chosen.emit(concept)

    def _open_layers(self, layer_a: str, layer_b: str) -> None:
        """Double click on a pair of layers: what was found in them, if anything was."""
        if not self.found.has_layers(layer_a, layer_b):
            self.space.say_elsewhere(_NOT_FOUND)
            return
        self.show_tab("found")
        if (layer_a, layer_b) != self.found.layers():
            self.found.choose_layers(layer_a, layer_b)

    def _choose_layers(self, layer_a: str, layer_b: str) -> None:
        self._asked["layers"] = (layer_a, layer_b)
        self.layers_chosen.emit(layer_a, layer_b)

    def _choose_pair(self, concept_a: int, concept_b: int) -> None:
        self._asked["pair"] = (*self.mask_layers(), concept_a, concept_b)
        self.pair_chosen.emit(concept_a, concept_b)

    def _choose_model(self, model: str) -> None:
        self.model_chosen.emit(model)
        self._choose_layer(self.tcav_choice()[1])

    def _choose_layer(self, layer: str) -> None:
        self._asked["tcav"] = self.tcav_choice()
        self.layer_chosen.emit(layer)
