"""Concepts of two models."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from analysis.figures.concept_choice import most_telling
from analysis.figures.data import ConceptPoints
from app.concept_examples import ExampleWish
from app.history import LEADING
from app.perspectives.base import Presenter
from app.workspace import Workspace


class ConceptsPresenter(Presenter):
    """Scatter and table of concepts, and the patch grids of the one in focus."""

    view_module = "app.views.concepts_view"
    main_figure = "concepts"
    reload_on = frozenset({"project", "model_a", "model_b", "run_concepts", "image_slice"})

    saliency_wished = Signal(int)  # an image: where do the models look in it?

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._led: set[tuple[str | None, int]] = set()  # project and run

    def make_view(self) -> QWidget:
        from app.views.concepts_view import ConceptsView

        view = ConceptsView(parts=self.parts)
        view.set_source(self.workspace.thumbnails)
        view.concept_selected.connect(self._on_concept)
        view.selection_changed.connect(self._on_selection)
        view.concept_hovered.connect(self._on_hover)
        view.patch_activated.connect(self._on_patch)
        view.patch_focused.connect(self._on_patch)
        view.saliency_requested.connect(self.saliency_wished)
        view.concept_requested.connect(self._on_concept_wished)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        self.workspace.focus.concept_changed.connect(self._on_detail)
        return view

    def shown_runs(self) -> frozenset[int]:
        run = self.session.snapshot.run_concepts
        return frozenset() if run is None else frozenset({run})

    def load(self) -> None:
        run, project = self.session.snapshot.run_concepts, self.workspace.project
        loader, backend = self.workspace.loader, self.workspace.backend
        if run is None or project is None:
            loader.forget("concepts points")
            loader.forget("concepts replacement")
            self.show_missing(
                "Here you will see every concept of one model and how well the other predicts it.",
                "These two layers have not been compared yet.",
            )
            return
        self.read(
            "points",
            *self.narrowed(backend.concept_points, backend.sliced_points, run),
            then=self._show,
        )
        loader.load(
            "concepts replacement",
            backend.replacement_points,
            project,
            run,
            then=self._show_replacement,
            ready=self._prepared,
        )

    def _mirrored(self) -> bool:
        now = self.session.snapshot
        run = self.workspace.run(now.run_concepts)
        return run is not None and run.mirrored(now.model_a)

    def _show(self, points: object) -> None:
        from app.mirror import mirror_points

        if points is None or not len(points.concept_id):  # type: ignore[attr-defined]
            if points is not None and points.slice_name:  # type: ignore[attr-defined]
                self.show_no_images()
                return
            self.show_empty("The first concepts are being found: results appear as they come.")
            return
        self.show_view()
        shown = mirror_points(points) if self._mirrored() else points  # type: ignore[arg-type]
        self.workspace.points = shown
        self.view.show_points(shown)  # type: ignore[attr-defined]
        self.follow(frozenset({"class_name", "concept", "selection"}), None)
        self._on_detail(self.workspace.focus.detail)
        self._lead(shown)  # type: ignore[arg-type]

    def _lead(self, points: ConceptPoints) -> None:
        """A run shown first, with nothing in focus: begin with what sets its models apart most."""
        now = self.session.snapshot
        if now.run_concepts is None or (now.project, now.run_concepts) in self._led:
            return
        self._led.add((now.project, now.run_concepts))
        if now.concept is None and not now.selection:
            concept = most_telling(points, now.class_name)
            if concept is not None:
                self.session.update({"concept": concept}, LEADING)

    def _show_replacement(self, points: object) -> None:
        from app.mirror import mirror_replacement

        if points is not None and self._mirrored():
            points = mirror_replacement(points)  # type: ignore[arg-type]
        self.view.show_replacement(points)  # type: ignore[attr-defined]

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        if initiator is self:
            return
        now, view = self.session.snapshot, self.view
        if "class_name" in changes:
            view.set_class(now.class_name)  # type: ignore[attr-defined]
        if "selection" in changes:
            view.set_selection(now.selection)  # type: ignore[attr-defined]
        if "concept" in changes:
            view.set_concept(now.concept)  # type: ignore[attr-defined]
        if "hover" in changes:
            view.set_hover(now.hover)  # type: ignore[attr-defined]
        if "patch" in changes:
            view.set_patch(now.patch)  # type: ignore[attr-defined]

    def slice_sentence(self) -> str:
        return (
            "Similarities, their intervals and the patches are of its images alone, as far as they"
            " were held out from the fit. Importance, stability and the replacement test are of all"
            " images; chance, same model and best match are not known for a slice."
        )

    def export_parameters(self, figure: str) -> dict[str, object]:
        now = self.session.snapshot
        if figure == "concept":
            return {"concept": now.concept or 0, **self.slice_parameters()}
        of_class: dict[str, object] = {"class_name": now.class_name or ""}
        return of_class if figure == "replacement" else {**of_class, **self.slice_parameters()}

    def example_wish(self) -> ExampleWish:
        """The patches selected, and the top patches of the concepts selected or in focus."""
        now = self.session.snapshot
        focused = () if now.concept is None else (now.concept,)
        chosen = self.view.example_choices() if self.built else ()  # type: ignore[attr-defined]
        wish = ExampleWish(chosen, concepts=tuple(sorted(now.selection)) or focused)
        return wish or super().example_wish()

    @Slot(object)
    def _on_detail(self, detail: object) -> None:
        self.view.show_detail(detail)  # type: ignore[attr-defined]

    @Slot(object)
    def _on_concept(self, concept: int | None) -> None:
        changes: dict[str, object] = {"concept": concept}
        if self.session.snapshot.patch is not None:  # it was of the concept before
            changes |= {"patch": None, "image": None}
        self.session.update(changes, self)

    @Slot(object)
    def _on_selection(self, selection: frozenset[int]) -> None:
        self.session.update({"selection": frozenset(selection)}, self)

    @Slot(object)
    def _on_hover(self, concept: int | None) -> None:
        self.session.update({"hover": concept}, self)

    @Slot(int, int)
    def _on_patch(self, patch: int, image: int) -> None:
        self.session.update({"patch": patch if patch >= 0 else None, "image": image}, self)
