"""Layers of two models."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from app.perspectives.base import Presenter
from app.workspace import Workspace


class LayersPresenter(Presenter):
    """The heatmap of layers of A against layers of B."""

    view_module = "app.views.layers_view"
    main_figure = "layers"
    reload_on = frozenset({"project", "model_a", "model_b", "run_layers"})
    pair_opened = Signal(str, str)  # layers of A and B: concepts wished for
    pair_shown = Signal(object)  # Chosen or None: the pair under the crosshair

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.measure = "mmcs_pearson"

    def make_view(self) -> QWidget:
        from app.views.layers_view import LayersView

        view = LayersView()
        view.measure_changed.connect(self._on_measure)
        view.pair_focused.connect(self._on_pair_focused)
        view.pair_activated.connect(self._on_pair_activated)
        view.chosen_changed.connect(self.pair_shown)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        return view

    def slice_sentence(self) -> str:
        return "The similarity of layers was measured over all images of the run."

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
            ready=self._prepared,
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
