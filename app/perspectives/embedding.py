"""The Learned Concepts Embedding: where models lie by the concepts they have learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from analysis.figures.embedding_data import shown_components
from app.backend import EmbeddingData
from app.perspectives.base import Presenter
from app.workspace import Workspace

_WHAT = "Here you will see where the models lie by the concepts that they have learned."
_DISSECT = (
    "For that, at least two models must be dissected, here or in a table imported from a file."
)


class EmbeddingPresenter(Presenter):
    """Points, profiles, loadings, correlations, performance and ensembles of an embedding."""

    view_module = "app.views.embedding_view"
    main_figure = "embedding"
    reload_on = frozenset({"project", "run_embedding", "run_evaluation"})
    view_actions: ClassVar[Mapping[str, str]] = {
        "run embedding": "embed-models",
        "run dissection": "dissect-models",
        "run evaluation": "evaluate-models",
        "import table": "import-table",
    }
    needed = frozenset({"data"})

    compare_wished = Signal(str, str)  # two models: their concepts
    units_wished = Signal(str)  # a concept: the units that know it
    projection_wished = Signal(int, object)  # run, models to place into it

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.models: tuple[str, ...] = ()  # of the embedding on the screen
        self.task: str | None = None  # of the performance surface
        self.counted: tuple[str, str, int] | None = None  # concept, category, component
        self._available = 0  # components of the embedding on the screen
        self.ensemble_task: str | None = None
        self._ensemble_run: int | None = None
        self._tasks: tuple[str, ...] = ()  # those with ensembles

    def make_view(self) -> QWidget:
        from app.views.embedding_view import EmbeddingView

        view = EmbeddingView()
        view.models_selected.connect(self._on_models)
        view.model_hovered.connect(self._on_hover)
        view.compare_requested.connect(self.compare_wished)
        view.task_requested.connect(self._on_task)
        view.concept_requested.connect(self._on_concept)
        view.ensemble_task_requested.connect(self._on_ensemble_task)
        view.components_changed.connect(self._on_components)
        view.show_units_requested.connect(self.units_wished)
        view.project_requested.connect(self._on_project)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        return view

    def slice_sentence(self) -> str:
        return (
            "Where models lie, their concepts and their performance were measured over all images."
            " “Performance over the slice…” in the Audit menu lists their accuracy on its images."
        )

    def shown_runs(self) -> frozenset[int]:
        now = self.session.snapshot
        runs = (now.run_embedding, now.run_evaluation)
        return frozenset(run for run in runs if run is not None)

    # -- loading -------------------------------------------------------------------------------
    def load(self) -> None:
        run, backend = self.session.snapshot.run_embedding, self.workspace.backend
        if run is None or self.workspace.project is None:
            self.forget("data", "profiles", "surface", "counts", "ensemble tasks", "ensembles")
            self._show_nothing()
            return
        self.read("data", backend.embedding, run, then=self._show)
        self.read("profiles", backend.profiles, run, then=self._show_profiles)
        self.read(
            "ensemble tasks", backend.ensemble_tasks, self._evaluations(), then=self._on_tasks
        )

    def _show_nothing(self) -> None:
        index = self.workspace.index
        if index is None or index.read_only:
            self.show_missing(_WHAT, "")
        elif len(index.dissected) >= 2:
            self.show_empty(_WHAT, "Embed models…", "embed-models")
        elif not index.networks and not index.image_sets:
            self.show_empty(f"{_WHAT} {_DISSECT}", "Import table…", "import-table")
        else:
            self.show_missing(_WHAT, _DISSECT, "Dissect models…", "dissect-models")

    def _evaluations(self) -> tuple[int, ...]:
        """The evaluation shown, then the others from the newest: imported ones lack ensembles."""
        index, shown = self.workspace.index, self.session.snapshot.run_evaluation
        runs = [] if shown is None else [shown]
        for run in reversed(index.runs if index is not None else ()):
            if run.audit == "evaluation" and run.has_results and run.id != shown:
                runs.append(run.id)
        return tuple(runs)

    def _show(self, data: EmbeddingData) -> None:
        self.models = tuple(data.points.models)
        if not self.models:
            self.show_empty("The models are being embedded: results appear as they come.")
            return
        self.show_view()
        view: Any = self.view
        self._available = data.points.points.shape[1]
        view.show_points(data.points)
        view.show_loadings(data.loadings)
        view.show_correlations(data.profile_correlation, data.performance_correlation)
        view.show_groups(data.groups)
        view.show_stability(data.stability)
        view.show_tasks(data.tasks)
        self._show_unprojected()
        self.follow(frozenset({"models", "components"}), None)
        self._load_counts()

    def _components(self) -> tuple[int, int]:
        """Those on the axes: the session's, as far as this embedding has them."""
        return shown_components(self.session.snapshot.components, self._available)

    def _counted(self) -> tuple[str, str, int] | None:
        if self.counted is None:
            return None
        concept, category, component = self.counted
        return concept, category, max(1, min(component, self._available))

    def _show_profiles(self, profiles: Any) -> None:
        self.view.show_profiles(profiles)  # type: ignore[attr-defined]

    def _show_unprojected(self) -> None:
        index = self.workspace.index
        names = index.dissected if index is not None and not index.read_only else ()
        missing = tuple(name for name in names if name not in self.models)
        self.view.set_unprojected(missing)  # type: ignore[attr-defined]

    def _load_surface(self) -> None:
        now = self.session.snapshot
        if self.task is None or now.run_embedding is None or self._available < 2:
            self.forget("surface")
            if self.task is not None and self.models:
                self._show_surface(None)
            return
        read = self.workspace.backend.performance_surface
        self.read(
            "surface", read, now.run_embedding, self.task, self._components(),
            then=self._show_surface,
        )  # fmt: skip

    def _show_surface(self, surface: Any) -> None:
        self.view.show_surface(surface)  # type: ignore[attr-defined]

    def _load_counts(self) -> None:
        run, counted = self.session.snapshot.run_embedding, self._counted()
        if counted is None or run is None or not self._available:
            self.forget("counts")
            return
        read = self.workspace.backend.concept_counts
        self.read("counts", read, run, *counted, then=self._show_counts)

    def _show_counts(self, counts: Any) -> None:
        self.view.show_counts(counts)  # type: ignore[attr-defined]

    def _on_tasks(self, answer: tuple[int | None, tuple[str, ...]]) -> None:
        self._ensemble_run, self._tasks = answer
        if self.ensemble_task not in self._tasks:
            self.ensemble_task = self._tasks[0] if self._tasks else None
        self._load_ensembles()

    def _load_ensembles(self) -> None:
        if self._ensemble_run is None or self.ensemble_task is None:
            self.forget("ensembles")
            self._show_ensembles(None)
            return
        read = self.workspace.backend.ensemble_gains
        self.read(
            "ensembles", read, self._ensemble_run, self.ensemble_task, then=self._show_ensembles
        )

    def _show_ensembles(self, gains: Any) -> None:
        self.view.show_ensembles(self._tasks, gains)  # type: ignore[attr-defined]

    # -- following -----------------------------------------------------------------------------
    def follow(self, changes: frozenset[str], initiator: object) -> None:
        if initiator is self:
            return
        now, view = self.session.snapshot, self.view
        if changes & {"models", "model_a", "model_b"}:
            pair = tuple(name for name in (now.model_a, now.model_b) if name is not None)
            view.set_pair(pair if set(pair) <= set(self.models) else ())  # type: ignore[attr-defined]
            view.set_models(now.models)  # type: ignore[attr-defined]
        if "hover_model" in changes:
            view.set_hover(now.hover_model)  # type: ignore[attr-defined]
        if "components" in changes:
            view.set_components(*self._components())  # type: ignore[attr-defined]
            self._load_surface()

    @Slot(object)
    def _on_index(self, index: object) -> None:
        super()._on_index(index)
        if self._active and self._view is not None:
            self._show_unprojected()

    # -- what is shown, for export -------------------------------------------------------------
    def export_run(self, figure: str) -> int | None:
        now = self.session.snapshot
        return self._ensemble_run if figure == "ensembles" else now.run_embedding

    def export_parameters(self, figure: str) -> dict[str, object]:
        across, up = self._components()
        plane: dict[str, object] = {"component_x": across, "component_y": up}
        if figure in ("embedding", "performance-map"):
            return {**plane, "task": self.task or ""}
        if figure == "ensembles":
            return {"task": self.ensemble_task or ""}
        counted = self._counted()
        if figure == "concept-counts" and counted is not None:
            return dict(zip(("concept", "category", "component"), counted, strict=True))
        return {}

    # -- what the view asks for ----------------------------------------------------------------
    @Slot(object)
    def _on_models(self, names: tuple[str, ...]) -> None:
        self.workspace.select_models(names, self)

    @Slot(object)
    def _on_hover(self, model: str | None) -> None:
        self.session.update({"hover_model": model}, self)

    @Slot(object)
    def _on_task(self, task: str | None) -> None:
        self.task = task
        self._load_surface()
        if task is None:
            self._show_surface(None)

    @Slot(str, str, int)
    def _on_concept(self, concept: str, category: str, component: int) -> None:
        self.counted = (concept, category, component)
        self._load_counts()

    @Slot(str)
    def _on_ensemble_task(self, task: str) -> None:
        self.ensemble_task = task
        self._load_ensembles()

    @Slot(int, int)
    def _on_components(self, across: int, up: int) -> None:
        self.session.update({"components": (across, up)}, self)
        self._load_surface()

    @Slot()
    def _on_project(self) -> None:
        run, index = self.session.snapshot.run_embedding, self.workspace.index
        if run is not None and index is not None:
            missing = tuple(name for name in index.dissected if name not in self.models)
            self.projection_wished.emit(run, missing)
