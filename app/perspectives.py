"""Perspectives: layouts of linked views, and the presenters that bring them their data.

A presenter loads figure data in the store lane and hands it to its view. It follows the session
only while it is on the screen; hidden, it notes that it is out of date and loads when shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.problems import Problem
from app.widgets.empty_state import EmptyState
from app.workspace import Workspace


class Presenter(QObject):
    """Base of all presenters: visibility, dirtiness, and the empty state beside the view."""

    wish = Signal(str)  # an action's id, asked for by an empty state
    export_wished = Signal(str, str, object, object)  # figure, format, run, parameters

    #: session fields after which the view's data must be loaded anew
    reload_on: frozenset[str] = frozenset({"project", "model_a", "model_b"})

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.session = workspace.session
        self.widget = QStackedWidget()
        self.empty = EmptyState("")
        self.empty.action.connect(self.wish)
        self.widget.addWidget(self.empty)
        self._view: QWidget | None = None
        self._active = False
        self._dirty = True
        workspace.session.changed.connect(self._on_session)
        workspace.results_changed.connect(self._on_results)
        workspace.index_changed.connect(self._on_index)
        workspace.loader.failed.connect(self._on_load_failed)

    # -- to be given by each perspective -------------------------------------------------------
    def make_view(self) -> QWidget:
        """Build the view; called when it is first needed."""
        raise NotImplementedError

    def load(self) -> None:
        """Ask for the data, or show the empty state."""
        raise NotImplementedError

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        """Bring the view's focus and selection up to date."""

    def shown_runs(self) -> frozenset[int]:
        """The runs whose results are on the screen."""
        return frozenset()

    def export_parameters(self, figure: str) -> dict[str, object]:
        """What decides how a figure of this perspective looks, as its export needs it."""
        return {}

    # -- what all share ------------------------------------------------------------------------
    @property
    def built(self) -> bool:
        """Whether the view exists already."""
        return self._view is not None

    @property
    def view(self) -> QWidget:
        if self._view is None:
            self._view = self.make_view()
            self.widget.addWidget(self._view)
        return self._view

    def set_active(self, active: bool) -> None:
        """Shown or hidden; shows what has changed meanwhile."""
        self._active = active
        if active and self._dirty:
            self.refresh()

    def refresh(self) -> None:
        """Load now if on the screen, else when shown."""
        self._dirty = not self._active
        if self._active:
            self.load()

    def show_view(self) -> None:
        self.widget.setCurrentWidget(self.view)

    def show_empty(self, sentence: str, button: str = "", action: str = "") -> None:
        self.empty.set_text(sentence, button, action)
        self.widget.setCurrentWidget(self.empty)

    def show_missing(self, what: str, run_text: str) -> None:
        """Say what will be here, and offer the next step towards it."""
        index = self.workspace.index
        if index is None:
            self.show_empty(f"{what} Open a project to begin.", "Open…", "open")
        elif not index.image_sets:
            self.show_empty(f"{what} The project has no images yet.", "Add images…", "add-images")
        elif not index.models:
            self.show_empty(f"{what} The project has no models yet.", "Add model…", "add-model")
        elif index.read_only:
            self.show_empty(f"{what} This project has none, and it is open read-only.")
        else:
            self.show_empty(f"{what} {run_text}", "Run an audit…", "run-audit")

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], initiator: object) -> None:
        if changes & self.reload_on:
            self.refresh()
        if self._active and self._view is not None:
            self.follow(changes, initiator)

    @Slot(object)
    def _on_results(self, runs: frozenset[int]) -> None:
        if runs & self.shown_runs():
            self.refresh()

    @Slot(object)
    def _on_index(self, _index: object) -> None:
        if self.widget.currentWidget() is self.empty:
            self.refresh()

    @Slot(str, str)
    def _on_export(self, figure: str, form: str) -> None:
        run = next(iter(self.shown_runs()), None)
        self.export_wished.emit(figure, form, run, self.export_parameters(figure))

    @Slot(str)
    def _on_view_action(self, _action: str) -> None:
        self.wish.emit("run-audit")

    @Slot(str, object)
    def _on_load_failed(self, name: str, problem: Problem) -> None:
        if name.startswith(f"{self.objectName()} ") and self._active:
            self.show_empty(problem.text)


class WelcomePresenter(Presenter):
    """The first page: recent projects, or what to do next in the open one."""

    recent_chosen = Signal(str)

    def make_view(self) -> QWidget:
        from app.welcome import WelcomePage

        page = WelcomePage()
        page.action.connect(self.wish)
        page.recent_chosen.connect(self.recent_chosen)
        return page

    def load(self) -> None:
        self.show_view()
        self.view.show_index(self.workspace.index)  # type: ignore[attr-defined]

    @Slot(object)
    def _on_index(self, _index: object) -> None:
        self.refresh()


class LayersPresenter(Presenter):
    """The heatmap of layers of A against layers of B."""

    reload_on = frozenset({"project", "model_a", "model_b", "run_layers"})
    pair_opened = Signal(str, str)  # layers of A and B: concepts wished for

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.measure = "mmcs_pearson"

    def make_view(self) -> QWidget:
        from app.views.layers_view import LayersView

        view = LayersView()
        view.measure_changed.connect(self._on_measure)
        view.pair_focused.connect(self._on_pair_focused)
        view.pair_activated.connect(self._on_pair_activated)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        return view

    def shown_runs(self) -> frozenset[int]:
        run = self.session.snapshot.run_layers
        return frozenset() if run is None else frozenset({run})

    def load(self) -> None:
        run, project = self.session.snapshot.run_layers, self.workspace.project
        if run is None or project is None:
            self.workspace.loader.forget("layers matrix")
            self.show_missing(
                "Here you will see which layers of the two models have similar concepts.",
                "Compare the layers of this pair first.",
            )
            return
        self.workspace.loader.load(
            "layers matrix",
            self.workspace.backend.layer_similarity,
            project,
            run,
            self.measure,
            then=self._show,
        )

    def _show(self, data: object) -> None:
        from app.mirror import mirror_layers

        now = self.session.snapshot
        run = self.workspace.run(now.run_layers)
        if data is None:
            self.show_empty("The first layers are being compared: results appear as they come.")
            return
        if run is not None and run.mirrored(now.model_a):
            data = mirror_layers(data)  # type: ignore[arg-type]
        self.show_view()
        self.view.show_data(data)  # type: ignore[attr-defined]
        self._mark_pair()

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        if changes & {"layer_a", "layer_b"} and initiator is not self:
            self._mark_pair()

    def _mark_pair(self) -> None:
        now = self.session.snapshot
        self.view.set_pair(now.layer_a, now.layer_b)  # type: ignore[attr-defined]

    def export_parameters(self, figure: str) -> dict[str, object]:
        return {"measure": self.measure}

    @Slot(str)
    def _on_measure(self, measure: str) -> None:
        self.measure = measure
        self.refresh()

    @Slot(str, str)
    def _on_pair_focused(self, layer_a: str, layer_b: str) -> None:
        self.workspace.set_layers(layer_a, layer_b, self)

    @Slot(str, str)
    def _on_pair_activated(self, layer_a: str, layer_b: str) -> None:
        self.workspace.set_layers(layer_a, layer_b, self)
        self.pair_opened.emit(layer_a, layer_b)


class ConceptsPresenter(Presenter):
    """Scatter and table of concepts, and the patch grids of the one in focus."""

    reload_on = frozenset({"project", "model_a", "model_b", "run_concepts"})

    def make_view(self) -> QWidget:
        from app.views.concepts_view import ConceptsView

        view = ConceptsView()
        view.set_source(self.workspace.thumbnails)
        view.concept_selected.connect(self._on_concept)
        view.selection_changed.connect(self._on_selection)
        view.concept_hovered.connect(self._on_hover)
        view.patch_activated.connect(self._on_patch)
        view.patch_focused.connect(self._on_patch)
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
        loader.load("concepts points", backend.concept_points, project, run, then=self._show)
        loader.load(
            "concepts replacement",
            backend.replacement_points,
            project,
            run,
            then=self._show_replacement,
        )

    def _mirrored(self) -> bool:
        now = self.session.snapshot
        run = self.workspace.run(now.run_concepts)
        return run is not None and run.mirrored(now.model_a)

    def _show(self, points: object) -> None:
        from app.mirror import mirror_points

        if points is None or not len(points.concept_id):  # type: ignore[attr-defined]
            self.show_empty("The first concepts are being found: results appear as they come.")
            return
        self.show_view()
        shown = mirror_points(points) if self._mirrored() else points  # type: ignore[arg-type]
        self.workspace.points = shown
        self.view.show_points(shown)  # type: ignore[attr-defined]
        self.follow(frozenset({"class_name", "concept", "selection"}), None)
        self._on_detail(self.workspace.focus.detail)

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

    def export_parameters(self, figure: str) -> dict[str, object]:
        now = self.session.snapshot
        if figure == "concept":
            return {"concept": now.concept or 0}
        return {"class_name": now.class_name or ""}

    @Slot(object)
    def _on_detail(self, detail: object) -> None:
        self.view.show_detail(detail)  # type: ignore[attr-defined]

    @Slot(object)
    def _on_concept(self, concept: int | None) -> None:
        self.session.update({"concept": concept}, self)

    @Slot(object)
    def _on_selection(self, selection: frozenset[int]) -> None:
        self.session.update({"selection": frozenset(selection)}, self)

    @Slot(object)
    def _on_hover(self, concept: int | None) -> None:
        self.session.update({"hover": concept}, self)

    @Slot(int, int)
    def _on_patch(self, patch: int, image: int) -> None:
        self.session.update({"patch": patch if patch >= 0 else None, "image": image}, self)


@dataclass(frozen=True)
class Perspective:
    """One tab of the window."""

    id: str
    title: str
    make: Callable[[Workspace], Presenter]
    uses_pair: bool = True


PERSPECTIVES: list[Perspective] = [
    Perspective("welcome", "Welcome", WelcomePresenter, uses_pair=False),
    Perspective("layers", "Layers", LayersPresenter),
    Perspective("concepts", "Concepts", ConceptsPresenter),
]


def make_presenter(perspective: Perspective, workspace: Workspace) -> Presenter:
    """The presenter of a perspective, named after it."""
    presenter = perspective.make(workspace)
    presenter.setObjectName(perspective.id)
    return presenter
