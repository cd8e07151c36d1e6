"""What two models have in common by meaning, and the concepts that the user gives by examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

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
from analysis.figures.words import count
from app import reversible
from app.mirror import mirror_masks, mirror_projected, mirror_semantics, mirror_space
from app.perspectives.base import Presenter
from app.problems import Problem
from app.undo import Edited
from app.workspace import Workspace

_WHAT = "Here you will see which layers of two models, and which places of images, mean the same."
_OF_A_RUN = ("index", "space", "separability", "masks", "pair", "tcav")


class SemanticsPresenter(Presenter):
    """Answers what the view asks for, from the run of the active pair; edits concepts."""

    view_module = "app.views.semantics_view"
    main_figure = "space-similarity"
    reload_on = frozenset({"project", "model_a", "model_b", "run_semantics", "image_slice"})
    view_actions: ClassVar = {"run semantics": "compare-semantics", "add concept": "add-concept"}
    needed = frozenset({"index"})
    chosen_changed = Signal(object)  # Chosen or None: what is in front, in words and numbers

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.index: SemanticsIndex | None = None  # of the run on the screen, as seen from A
        self._turned = False  # whether the run's first model is shown as B
        self._asked: dict[str, tuple[Any, ...]] = {}  # what the view wants of the run, by kind
        self._sets: tuple[ConceptSetInfo, ...] | None = None  # as the view shows them
        self._sets_missed = False  # the project has changed while hidden
        self._wanted_set: int | None = None  # to be focused once it is listed
        self._set: int | None = None  # whose examples the view shows
        self._examples: tuple[ConceptExample, ...] | None = None
        self._edits: set[str] = set()  # what has been asked for here, in words
        workspace.undo.failed.connect(self._on_edit_failed)

    def make_view(self) -> QWidget:
        from app.views.semantics_view import SemanticsView

        view = SemanticsView(parts=self.parts)
        view.set_source(self.workspace.thumbnails)
        view.concept_chosen.connect(self._on_concept)
        view.layers_chosen.connect(self._on_layers)
        view.pair_chosen.connect(self._on_pair)
        view.layer_chosen.connect(self._on_layer)
        view.examples_wanted.connect(self._on_examples_wanted)
        view.set_added.connect(self._on_set_added)
        view.set_renamed.connect(self._on_set_renamed)
        view.set_removed.connect(self._on_set_removed)
        view.examples_removed.connect(self._on_examples_removed)
        view.examples_turned.connect(self._on_examples_turned)
        view.chosen_changed.connect(self.chosen_changed)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        return view

    @property
    def _any_view(self) -> Any:
        return self.view

    def shown_runs(self) -> frozenset[int]:
        run = self.session.snapshot.run_semantics
        return frozenset() if run is None else frozenset({run})

    # -- a run ---------------------------------------------------------------------------------
    def load(self) -> None:
        run, listed = self.session.snapshot.run_semantics, self.workspace.index
        ready = listed is not None and bool(listed.image_sets and listed.networks)
        if self.workspace.project is None or not ready:
            self._forget_run()
            self.forget("sets", "examples")
            self._sets = self._examples = self._set = None
            self.show_missing(_WHAT, "Add images and a model first.", "Add images…", "add-images")
            return
        self._load_sets()
        if run is None:
            self._forget_run()
            self.show_view()  # concepts can be given before anything is run
            return
        shown = self.index
        if shown is not None and (shown.run != run or self._turned != self._mirrored()):
            self._forget_run()
        backend = self.workspace.backend
        read = self.narrowed(backend.semantics_index, backend.sliced_semantics, run)
        self.read("index", *read, then=self._show)

    def _mirrored(self) -> bool:
        now = self.session.snapshot
        run = self.workspace.run(now.run_semantics)
        return run is not None and run.mirrored(now.model_a)

    def _forget_run(self) -> None:
        self.forget(*_OF_A_RUN)
        self.index = None
        self._asked.clear()
        if self._view is not None:
            self._any_view.show_index(None)

    def _show(self, index: SemanticsIndex) -> None:
        first, self._turned = self.index is None, self._mirrored()
        self.index = mirror_semantics(index) if self._turned else index
        self._any_view.show_index(self.index)
        self.show_view()
        self.slice_note_changed.emit()
        if first:
            self.follow(frozenset({"semantic_concept"}), None)
        backend = self.workspace.backend
        self.read(
            "separability", backend.separability, index.run, self.index.models,
            then=self._show_separability,
        )  # fmt: skip
        for kind in tuple(self._asked):  # there may be more of it by now
            self._read(kind)

    def _show_separability(self, both: tuple[Separability, Separability]) -> None:
        self._any_view.show_separability(*both)

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        if "semantic_concept" in changes and initiator is not self:
            self._any_view.set_concept(self.session.snapshot.semantic_concept)

    def slice_sentence(self) -> str:
        index = self.index
        of_them = f"{len(index.images):,}" if index is not None and index.slice_name else "those"
        return (
            f"UCS with its interval and chance, the matches and the mask pairs are of {of_them} of"
            " its images that have masks. SFSS, separability and TCAV rest on the examples of"
            " the concepts: they do not change."
        )

    # -- what the view asks for ----------------------------------------------------------------
    def _want(self, kind: str, *what: Any) -> None:
        if self.index is not None:
            self._asked[kind] = what
            self._read(kind)

    def _read(self, kind: str) -> None:
        backend, index, what = self.workspace.backend, self.index, self._asked[kind]
        if index is None:
            return
        if kind == "space":
            self.read(kind, backend.space_similarity, index.run, *what, then=self._show_space)
        elif kind == "tcav":
            self.read(kind, backend.tcav_scores, index.run, *what, then=self._show_tcav)
        elif kind == "masks":
            layers = what[::-1] if self._turned else what
            masks = self.narrowed(backend.mask_similarity, backend.sliced_masks, index.run, *layers)
            self.read(kind, *masks, then=self._show_masks)
        else:
            sides = tuple(each[::-1] for each in what) if self._turned else what
            images = index.images.tolist()
            self.read(
                kind, backend.projected_masks, index.run, *sides, images, then=self._show_pair
            )

    def _show_space(self, space: SpaceSimilarityMatrix) -> None:
        self._any_view.show_space(mirror_space(space) if self._turned else space)

    def _show_tcav(self, scores: TcavScores) -> None:
        self._any_view.show_tcav(scores)

    def _show_masks(self, masks: MaskSimilarityMatrix) -> None:
        self._any_view.show_masks(mirror_masks(masks) if self._turned else masks)

    def _show_pair(self, pair: ProjectedMasks) -> None:
        self._any_view.show_pair(mirror_projected(pair) if self._turned else pair)

    @Slot(str)
    def _on_concept(self, concept: str) -> None:
        self.session.update({"semantic_concept": concept}, self)
        self._want("space", concept)

    @Slot(str, str)
    def _on_layers(self, layer_a: str, layer_b: str) -> None:
        self._asked.pop("pair", None)
        self.forget("pair")
        self._want("masks", layer_a, layer_b)

    @Slot(int, int)
    def _on_pair(self, concept_a: int, concept_b: int) -> None:
        self._want("pair", self._any_view.mask_layers(), (concept_a, concept_b))

    @Slot(str)
    def _on_layer(self, _layer: str) -> None:
        self._want("tcav", *self._any_view.tcav_choice())

    # -- concepts given by examples ------------------------------------------------------------
    def set_active(self, active: bool) -> None:
        super().set_active(active)
        if active and self._sets_missed:
            self._sets_missed = False
            self._load_sets()

    @Slot(object)
    def _on_index(self, index: object) -> None:
        super()._on_index(index)
        if not self._active:
            self._sets_missed = True
        elif index is not None and self.widget.currentWidget() is not self.empty:
            self._load_sets()

    def _load_sets(self) -> None:
        if self.workspace.project is not None:
            self.read("sets", self.workspace.backend.concept_sets, then=self._show_sets)

    def _show_sets(self, sets: tuple[ConceptSetInfo, ...]) -> None:
        # While runs go on lists come again and again: what has not changed may be in use.
        if sets != self._sets:
            self._sets = sets
            self._any_view.show_sets(sets)
        known = {one.id for one in sets}
        if self._wanted_set in known:
            self._any_view.set_concept_set(self._wanted_set)
            self._wanted_set = None
        if self._set in known:
            self._load_examples()

    def _load_examples(self) -> None:
        read = self.workspace.backend.concept_examples
        self.read("examples", read, self._set, then=self._show_examples)

    def _show_examples(self, examples: tuple[ConceptExample, ...]) -> None:
        if examples != self._examples and self._set is not None:
            self._examples = examples
            self._any_view.show_examples(self._set, examples)

    def show_concept_set(self, number: int) -> None:
        """Bring a concept given by examples to the front, now or when it has been listed."""
        self._wanted_set = number
        self._any_view.show_tab("concepts")
        if self._active:
            self._load_sets()

    @Slot(int)
    def _on_examples_wanted(self, number: int) -> None:
        self._set, self._examples = number, None
        self._load_examples()

    @Slot(str)
    def _on_set_added(self, name: str) -> None:
        self._edit("add concept", reversible.add_concept, name, "patches", None, None, None)

    @Slot(int, str)
    def _on_set_renamed(self, number: int, name: str) -> None:
        self._edit("rename concept", reversible.rename_concept, number, name)

    @Slot(int)
    def _on_set_removed(self, number: int) -> None:
        self._edit("remove concept", reversible.remove_concept, number)

    @Slot(object)
    def _on_examples_removed(self, examples: tuple[int, ...]) -> None:
        text = f"remove {count(len(examples), 'example')}"
        self._edit(text, reversible.remove_examples, examples)

    @Slot(object)
    def _on_examples_turned(self, examples: tuple[int, ...]) -> None:
        text = f"turn {count(len(examples), 'example')}"
        self._edit(text, reversible.turn_examples, examples)

    def _edit(self, text: str, step: Callable[..., Edited], *arguments: Any) -> None:
        self._edits.add(text)
        self.workspace.undo.do(text, partial(step, *arguments))

    @Slot(object, str)
    def _on_edit_failed(self, _problem: Problem, what: str) -> None:
        """An edit that came to nothing goes from the screen; the workspace says what was wrong."""
        if what in self._edits and self._view is not None:
            self._sets = self._examples = None
            self._load_sets()

    @Slot(str, object)
    def _on_load_failed(self, name: str, problem: Problem) -> None:
        if name == f"{self.objectName()} pair":
            self._any_view.show_pair(None)
        super()._on_load_failed(name, problem)

    # -- what is shown, for export -------------------------------------------------------------
    def export_parameters(self, figure: str) -> dict[str, object]:
        view = self._any_view
        if figure == "space-similarity":
            return {
                "concept": view.concept(),
                "measure": view.space.measure.currentData(),
                "depth": view.space.axis.currentIndex() == 1,
            }
        if figure == "tcav":
            return dict(zip(("model", "layer"), view.tcav_choice(), strict=True))
        if figure not in ("mask-similarity", "mask-pair", "robustness"):
            return {}
        found: dict[str, object] = {"threshold": view.threshold(), **self.slice_parameters()}
        found.update(self._of_the_run("layer", view.mask_layers()))
        pair = view.mask_pair()
        if figure != "mask-similarity" and pair is not None:
            found.update(self._of_the_run("concept", pair))
        return found

    def _of_the_run(self, what: str, sides: tuple[Any, Any]) -> dict[str, object]:
        """`layer_a`, `layer_b` and the like: A is the run's first model, whatever is shown as A."""
        return dict(
            zip((f"{what}_a", f"{what}_b"), sides[:: -1 if self._turned else 1], strict=True)
        )
