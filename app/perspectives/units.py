"""Units of the dissected models: which of them know which concept, and what they look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from analysis.figures.concept_choice import most_telling_unit
from analysis.figures.words import count
from app.concept_examples import ExampleWish
from app.history import LEADING
from app.perspectives.base import Presenter
from app.workspace import Workspace

_WHAT = "Here you will see which concept each unit of a model stands for, and on which images."


class UnitsPresenter(Presenter):
    """Table and grid of units, the one in focus, and how many there are by threshold."""

    view_module = "app.views.units_view"
    main_figure = "units"
    reload_on = frozenset({"project", "run_dissection", "image_slice"})
    view_actions: ClassVar[Mapping[str, str]] = {
        "run dissection": "dissect-models",
        "run embedding": "embed-models",
        "import table": "import-table",
    }
    needed = frozenset({"table"})

    compare_wished = Signal(str, str)  # two models: their concepts
    saliency_wished = Signal(int)  # an image: where do the models look in it?

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._led: set[tuple[str | None, int]] = set()  # project and run
        self._table: Any = None  # of the run on the screen

    def make_view(self) -> QWidget:
        from app.views.units_view import UnitsView

        view = UnitsView(parts=self.parts)
        view.set_source(self.workspace.thumbnails)
        view.unit_focused.connect(self._on_unit)
        view.units_selected.connect(self._on_units)
        view.models_selected.connect(self._on_models)
        view.patch_activated.connect(self._on_patch)
        view.patch_focused.connect(self._on_patch)
        view.saliency_requested.connect(self.saliency_wished)
        view.compare_requested.connect(self.compare_wished)
        view.pictures_needed.connect(self._on_pictures)
        view.concept_requested.connect(self._on_concept_wished)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        self.workspace.focus.unit_changed.connect(self._on_detail)
        return view

    def shown_runs(self) -> frozenset[int]:
        run = self.session.snapshot.run_dissection
        return frozenset() if run is None else frozenset({run})

    def load(self) -> None:
        run, backend = self.session.snapshot.run_dissection, self.workspace.backend
        if run is None or self.workspace.project is None:
            self.forget("table", "sweep", "pictures")
            self._table = None
            self._show_nothing()
            return
        self.read("table", backend.unit_table, run, then=self._show)
        self.read("sweep", backend.threshold_sweep, run, then=self._show_sweep)

    def _show_nothing(self) -> None:
        index = self.workspace.index
        if index is not None and not index.read_only and not index.networks:
            self.show_empty(
                f"{_WHAT} Import a table of units, or add images and a model to dissect.",
                "Import table…",
                "import-table",
            )
        else:
            text = "No model has been dissected yet."
            self.show_missing(_WHAT, text, "Dissect models…", "dissect-models")

    def _show(self, table: Any) -> None:
        self._table = table
        if not len(table.unit_id):
            self.show_empty("The first units are being dissected: results appear as they come.")
            return
        self.show_view()
        self.view.show_units(table)  # type: ignore[attr-defined]
        self.follow(frozenset({"models", "unit", "units"}), None)
        self._on_detail(self.workspace.focus.unit)
        self._lead(table)

    def _lead(self, table: Any) -> None:
        """A run shown first, with nothing in focus: begin with what one model alone knows."""
        now = self.session.snapshot
        if now.run_dissection is None or (now.project, now.run_dissection) in self._led:
            return
        self._led.add((now.project, now.run_dissection))
        if now.unit is None and not now.units and not now.models:
            self._lead_to_pair(table)

    def _lead_to_pair(self, table: Any) -> None:
        """Bring what one of A and B alone knows into focus, unless a unit of theirs is."""
        now = self.session.snapshot
        focused = table.model[table.unit_id == now.unit].tolist()
        if now.units or now.models or set(focused) & {now.model_a, now.model_b}:
            return
        unit = most_telling_unit(table, now.model_a, now.model_b)
        if unit is not None:
            self.session.update({"unit": unit}, LEADING)

    def _show_sweep(self, sweep: Any) -> None:
        self.view.show_sweep(sweep)  # type: ignore[attr-defined]

    def _show_pictures(self, details: Any) -> None:
        self.view.show_details(details)  # type: ignore[attr-defined]

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        if initiator is self:
            return
        now, view = self.session.snapshot, self.view
        if "models" in changes:
            view.set_models(now.models)  # type: ignore[attr-defined]
        if changes & {"model_a", "model_b"} and self._table is not None:
            self._lead_to_pair(self._table)
        if "unit" in changes:
            view.set_unit(now.unit)  # type: ignore[attr-defined]
        if "units" in changes:
            view.set_selection(now.units)  # type: ignore[attr-defined]

    def export_parameters(self, figure: str) -> dict[str, object]:
        if figure != "units":
            return {}
        shown = self.view.bar.filters()  # type: ignore[attr-defined]
        sole = next(iter(shown.models)) if len(shown.models) == 1 else ""
        return {
            "model": sole,
            "concept": shown.words,
            "interpretable": shown.interpretable_only,
            **self.slice_parameters(),
        }

    def slice_sentence(self) -> str:
        detail = self.workspace.focus.unit
        if detail is None or not detail.slice_name:
            some = "Of the images that activate a unit most, those of the slice are shown."
        else:
            there = count(len(detail.patches), "is", "are")
            some = (
                f"Of the {detail.images_known} images that activate the unit in focus most,"
                f" {there} in the slice."
            )
        return f"{some} What a unit stands for was measured over all images."

    def example_wish(self) -> ExampleWish:
        """The images selected, and those of the units selected or in focus."""
        now = self.session.snapshot
        focused = () if now.unit is None else (now.unit,)
        chosen = self.view.example_choices() if self.built else ()  # type: ignore[attr-defined]
        wish = ExampleWish(chosen, units=tuple(sorted(now.units)) or focused)
        return wish or super().example_wish()

    def search(self, text: str) -> None:
        """Show the units whose concept holds `text`."""
        self.view.set_search(text)  # type: ignore[attr-defined]

    # -- what the view asks for ----------------------------------------------------------------
    @Slot(object)
    def _on_detail(self, detail: object) -> None:
        self.view.show_detail(detail)  # type: ignore[attr-defined]
        self.slice_note_changed.emit()

    @Slot(object)
    def _on_unit(self, unit: int | None) -> None:
        self.session.update({"unit": unit}, self)

    @Slot(object)
    def _on_units(self, units: frozenset[int]) -> None:
        self.session.update({"units": frozenset(units)}, self)

    @Slot(object)
    def _on_models(self, names: tuple[str, ...]) -> None:
        self.workspace.select_models(names, self)

    @Slot(int, int)
    def _on_patch(self, _patch: int, image: int) -> None:
        self.session.update({"patch": None, "image": image}, self)

    @Slot(object)
    def _on_pictures(self, units: tuple[int, ...]) -> None:
        if units and self.workspace.project is not None:
            backend = self.workspace.backend
            read = self.narrowed(backend.unit_details, backend.sliced_units, tuple(units))
            self.read("pictures", *read, then=self._show_pictures)
