"""Concepts of two models, linked: plots, table, and the concept in focus with its patches."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.data import ConceptDetail, ConceptPoints, ReplacementPoints
from app.concept_examples import ExampleChoice, selected_choice
from app.theme import GRID, PADDING
from app.views.columns import concept_columns
from app.views.concept_panel import ConceptPanel
from app.views.patch_dialog import PatchDialog, ShownPatch
from app.views.replacement_panel import ReplacementPanel
from app.views.similarity_panel import SimilarityPanel
from app.widgets.empty_state import EmptyState
from app.widgets.grid_actions import SAVE_AS_CONCEPT, add_grid_action
from app.widgets.image_source import ImageSource
from app.widgets.parts import Parts
from app.widgets.splitter import Splitter

_EMPTY = (
    "Which concepts two models share, which only one of them has, and the patches that show it."
)


#: made ahead of the view, each in its own turn

PARTS = (ReplacementPanel, ConceptPanel, SimilarityPanel)


class ConceptsView(QWidget):
    """Setters are silent; intents are signals that carry ids of the project file.

    `concept_selected(concept id)`: focus by click or key. `selection_changed(frozenset)`.
    `concept_activated(concept id)`: double click or Enter. `concept_hovered(id or None)`.
    `patch_activated(patch id or −1, image id)`: the large
    view, which opens here as well unless `opens_patches` is False. `patch_focused(…)` likewise;
    `patch_hovered(patch id or None)`.
    """

    concept_selected = Signal(object)
    concept_activated = Signal(object)
    concept_hovered = Signal(object)
    selection_changed = Signal(object)
    patch_activated = Signal(int, int)
    patch_focused = Signal(int, int)
    patch_hovered = Signal(object)
    saliency_requested = Signal(int)  # image id: where do the models look in it?
    concept_requested = Signal(object)  # tuple of ExampleChoice: to become a concept
    thresholds_changed = Signal(float, float)
    export_requested = Signal(str, str)
    action_requested = Signal(str)  # of an empty view's button: "run concepts"

    def __init__(self, parent: QWidget | None = None, parts: Parts | None = None) -> None:
        super().__init__(parent)
        ready = parts or Parts()
        self.setObjectName("concepts view")
        self.opens_patches = True
        self._source: ImageSource | None = None
        self._points: ConceptPoints | None = None
        self._replacement: ReplacementPoints | None = None
        self._class: str | None = None
        self._concept: int | None = None
        self._dialog: PatchDialog | None = None
        self.empty = EmptyState(_EMPTY, "Compare concepts…", "run concepts")
        self.similarity = ready.take(SimilarityPanel)
        self.table = self.similarity.twin
        self.replacement = ready.take(ReplacementPanel)
        self.concept = ready.take(ConceptPanel)
        self._build()
        self._connect()
        self.show_points(None)
        self.show_replacement(None)

    def _build(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setMovable(True)
        self.tabs.addTab(_padded(self.similarity), "Similarity × importance")
        self.tabs.addTab(_padded(self.replacement), "Replacement test")
        for panel in (self.similarity, self.replacement):
            panel.title.hide()  # the tab says it
        self.left = Splitter(Qt.Orientation.Vertical)
        self.left.addWidget(self.tabs)
        self.left.addWidget(self.table)
        self.left.setSizes([520, 300])
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.left)
        self.splitter.addWidget(self.concept)
        self.splitter.setSizes([520, 680])  # a row of patches wants width
        for splitter in (self.left, self.splitter):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(PADDING)
        self.concept.setMinimumWidth(320)
        self.left.setMinimumWidth(420)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.empty)
        content = QWidget()
        self.stack.addWidget(content)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.stack)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(PADDING, GRID, PADDING, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        scatter, other = self.similarity.scatter, self.replacement
        scatter.point_focused.connect(self._focus)
        scatter.point_activated.connect(self.concept_activated)
        scatter.point_hovered.connect(self._hover)
        scatter.selection_changed.connect(self._select)
        self.table.row_focused.connect(self._focus)
        self.table.row_activated.connect(self.concept_activated)
        self.table.row_hovered.connect(self._hover)
        self.table.selection_changed.connect(self._select)
        other.concept_focused.connect(self._focus)
        other.concept_activated.connect(self.concept_activated)
        other.concept_hovered.connect(self._hover)
        other.selection_changed.connect(self._select)
        self.concept.patch_activated.connect(self._open_patch)
        self.concept.patch_focused.connect(self.patch_focused)
        self.concept.patch_hovered.connect(self.patch_hovered)
        self.similarity.thresholds_changed.connect(self.thresholds_changed)
        self.empty.action.connect(self.action_requested)
        for panel in (self.similarity, self.replacement):
            panel.export_requested.connect(self.export_requested)
            panel.action.connect(self.action_requested)
        for patch_set in self.concept.sets.values():
            add_grid_action(patch_set.grid, SAVE_AS_CONCEPT, self._save_concept)
        self.concept.export_requested.connect(self.export_requested)
        self.concept.action_requested.connect(self.action_requested)

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self._source = source
        self.concept.set_source(source)
        if self._dialog is not None:
            self._dialog.set_source(source)

    def show_points(self, data: ConceptPoints | None) -> None:
        """Show a run's concepts, or the empty view."""
        self._points = data
        there = data is not None and len(data.concept_id) > 0
        self.stack.setCurrentIndex(1 if there else 0)
        self._fill()

    def show_replacement(self, data: ReplacementPoints | None) -> None:
        """Show a run's replacement test, or the empty view."""
        self._replacement = data
        self.replacement.show_points(data, self._class)

    def show_detail(self, detail: ConceptDetail | None) -> None:
        """Show the concept in focus with its patches."""
        self.concept.show_detail(detail)

    def set_class(self, class_name: str | None) -> None:
        """Show the concepts of one class, or of all."""
        if class_name != self._class:
            self._class = class_name
            self._fill()
            self.replacement.show_points(self._replacement, class_name)

    def set_concept(self, concept: int | None) -> None:
        """Put the focus on a concept."""
        self._concept = concept
        self.similarity.show_focus(concept)
        self.table.set_focus(concept)
        self.replacement.set_focus(concept)

    def set_selection(self, concepts: frozenset[int]) -> None:
        """Mark the shared selection."""
        self.similarity.scatter.set_selection(concepts)
        self.table.set_selection(concepts)
        self.replacement.set_selection(concepts)

    def set_hover(self, concept: int | None) -> None:
        """Ring the concept hovered in another view."""
        self.similarity.scatter.set_hover(concept)
        self.replacement.set_hover(concept)

    def set_patch(self, patch_id: int | None) -> None:
        """Put the focus on a patch of the concept."""
        self.concept.set_focused_patch(patch_id)

    def set_thresholds(self, similarity: float, importance: float) -> None:
        """Move the borders of the three regions."""
        self.similarity.set_thresholds(similarity, importance)

    def _fill(self) -> None:
        kept = self.similarity.show_points(self._points, self._class)
        if self._points is None:
            self.table.set_columns([], [])
        else:
            ids = self._points.concept_id[kept].tolist()
            self.table.set_columns(ids, concept_columns(self._points, kept))
        self.table.setVisible(self._points is not None and len(kept) > 0)
        self.set_concept(self._concept)

    def example_choices(self) -> tuple[ExampleChoice, ...]:
        """What is selected in the patch grids, as examples of a concept to be."""
        return selected_choice(self.concept.selected())

    # -- by hand

    def _save_concept(self) -> None:
        self.concept_requested.emit(self.example_choices())

    def _focus(self, concept: int | None) -> None:
        if concept != self._concept:
            self.set_concept(concept)
            self.concept_selected.emit(concept)

    def _select(self, concepts: frozenset[int]) -> None:
        self.set_selection(concepts)
        self.selection_changed.emit(concepts)

    def _hover(self, concept: int | None) -> None:
        self.set_hover(concept)
        self.concept_hovered.emit(concept)

    def _open_patch(self, patch_id: int, image: int) -> None:
        if self.opens_patches:
            self.open_large_view(patch_id, image)
        self.patch_activated.emit(patch_id, image)

    def open_large_view(self, patch_id: int, image: int) -> None:
        """The whole image with the patch outlined; ← and → walk through the patch's set."""
        if self.concept.has_patch(patch_id):
            stops, at = self.concept.shown_patches(patch_id)
        else:
            stops, at = [ShownPatch(-1, image, None, f"Image {image}", "#FFFFFF")], 0
        if self._dialog is None:
            self._dialog = PatchDialog(self)
            self._dialog.set_source(self._source)
            self._dialog.patch_shown.connect(self._patch_shown)
            self._dialog.saliency_requested.connect(self.saliency_requested)
            self._dialog.action_requested.connect(self.action_requested)
            self._dialog.concept_requested.connect(self.concept_requested)
        self._dialog.show_patches(stops, at)
        self._dialog.show()
        self._dialog.raise_()

    def _patch_shown(self, patch_id: int, image: int) -> None:
        if self.concept.has_patch(patch_id):
            self.set_patch(patch_id)
        self.patch_focused.emit(patch_id, image)


def _padded(widget: QWidget) -> QWidget:
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, GRID, 0, 0)
    layout.addWidget(widget)
    return box
