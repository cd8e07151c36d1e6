"""Where the models look, by every method, and how far each map may be believed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from itertools import islice
from typing import Any, ClassVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from analysis.figures.saliency_data import Cell, Explanation, SaliencyIndex
from analysis.figures.words import count
from app.concept_examples import Example, ExampleChoice, ExampleWish
from app.perspectives.base import Presenter
from app.problems import Problem
from app.workspace import Workspace

MODELS_METHODS = "models × methods"

_WHAT = "Here you will see where each model looks in an image, and how far that may be believed."
_BATCH = 96  # maps a read: short, so that what is scrolled to comes soon
_MOST_WAITING = 2000
_FIGURES = {"curves": "insertion-deletion"}  # where view and figure have other names
_OF_PICTURES = {"saliency": "explained", "attention-depth": "explained-attention"}
_GRIDS = {"models × images": "models", "methods × images": "methods", MODELS_METHODS: "image"}
_OF_A_RUN = ("index", "summary", "comparisons", "maps", "curves", "step", "depth")

_Step = tuple[Cell, str, int]


class SaliencyPresenter(Presenter):
    """Maps, curves and metrics of a run, or the explanation of one picture."""

    picture_export_wished = Signal(str, str, object, object)  # figure, format, Explanation, …
    picture_changed = Signal()  # another one is in front, or none

    view_module = "app.views.saliency_view"
    main_figure = "saliency"
    reload_on = frozenset({"project", "run_saliency", "image_slice"})
    view_actions: ClassVar[Mapping[str, str]] = {
        "run saliency": "explain-images",
        "explain picture": "explain-picture",
    }
    needed = frozenset({"index"})

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.index: SaliencyIndex | None = None  # of the run on the screen
        self.explanation: Explanation | None = None  # in front of the run
        self.cells: tuple[Cell, ...] = ()  # whose curves are shown
        self._begun = False  # these are what the view came with, nobody's choice yet
        self.depth: tuple[int, str] | None = None  # image and model whose attention is shown
        self._explaining = ""  # what is being done, where there is nothing to see yet
        self._arrangement = ""  # to be taken when the run has come
        self._wanted: OrderedDict[Cell, None] = OrderedDict()  # maps, the next one last
        self._reading_maps = False
        self._step: _Step | None = None  # the newest one wished for and not asked for yet
        self._reading_step = False
        self._step_failed = False

    def make_view(self) -> QWidget:
        from app.views.saliency_view import SaliencyView

        view = SaliencyView(parts=self.parts)
        view.set_source(self.workspace.thumbnails)
        view.maps_needed.connect(self._on_maps_needed)
        view.cells_selected.connect(self._on_cells)
        view.step_needed.connect(self._on_step)
        view.depth_needed.connect(self._on_depth)
        view.image_focused.connect(self._on_image)
        view.models_selected.connect(self._on_models)
        view.explain_requested.connect(self._on_explain)
        view.back_requested.connect(self._on_back)
        view.method_chosen.connect(self._on_method)
        view.export_requested.connect(self._on_export)
        view.action_requested.connect(self._on_view_action)
        return view

    def shown_runs(self) -> frozenset[int]:
        run = self.session.snapshot.run_saliency
        return frozenset() if run is None else frozenset({run})

    # -- a run ---------------------------------------------------------------------------------
    def load(self) -> None:
        run, backend = self.session.snapshot.run_saliency, self.workspace.backend
        if run is None or self.workspace.project is None:
            self._forget_run()
            if self._view is not None:
                self._any_view.show_index(None)
            if self.explanation is None:
                self._show_nothing()
            return
        if self.index is not None and self.index.run != run:
            self._forget_run()
        read = self.narrowed(backend.saliency_index, backend.sliced_saliency, run)
        self.read("index", *read, then=self._show)
        if self.session.snapshot.image_slice is not None:
            read = self.narrowed(backend.faithfulness_summary, backend.sliced_faithfulness, run)
            self.forget("comparisons")
            self.read("summary", *read, then=self._show_both)
            return
        self.read("summary", backend.faithfulness_summary, run, then=self._show_summary)
        self.read("comparisons", backend.faithfulness_comparisons, run, then=self._show_comparisons)

    def _forget_run(self) -> None:
        self.forget(*_OF_A_RUN)
        self.index, self.cells, self.depth = None, (), None
        self._begun = False
        self._wanted.clear()
        self._step = None
        self._reading_maps = self._reading_step = self._step_failed = False

    def _show_nothing(self) -> None:
        index = self.workspace.index
        if self._explaining:
            self.show_empty(self._explaining)
        elif index is not None and index.networks and (index.read_only or not index.image_sets):
            text = f"{_WHAT} Drop a picture here, and it is explained at once."
            self.show_empty(text, "Explain a picture…", "explain-picture")
        else:
            drop = " A picture dropped here is explained at once."
            there = index is not None and index.networks
            text = f"No image has been explained yet.{drop if there else ''}"
            self.show_missing(_WHAT, text, "Explain images…", "explain-images")

    @property
    def _any_view(self) -> Any:
        return self.view

    def _show(self, index: SaliencyIndex) -> None:
        if not len(index.images):
            if self.explanation is None and index.slice_name:
                self._forget_maps()
                self.show_no_images()
            elif self.explanation is None:
                text = "The first images are being explained: results appear as they come."
                self.show_empty(text)
            return
        first, self.index = self.index is None, index
        self._any_view.show_index(index)
        self.show_view()
        self.slice_note_changed.emit()
        self.follow(frozenset({"models", "image", "saliency_method", "model_a"}), None)
        if self._arrangement:
            self._any_view.set_arrangement(self._arrangement)
            self._arrangement = ""
        known = set(index.images.tolist())
        self.cells = tuple(cell for cell in self.cells if cell.image in known)
        if first or not self.cells:
            self._begun = True
        if self._begun and len(self.cells) < 2:  # the second model's map may come later
            self.cells = self._any_view.select_first()
        self._load_curves()

    def _forget_maps(self) -> None:
        self.index, self.cells = None, ()
        self._wanted.clear()

    def _show_both(self, both: tuple[Any, Any]) -> None:
        self._show_summary(both[0])
        self._show_comparisons(both[1])

    def _show_summary(self, summary: Any) -> None:
        self._any_view.show_summary(summary)

    def _show_comparisons(self, comparisons: Any) -> None:
        self._any_view.show_comparisons(comparisons)

    def slice_sentence(self) -> str:
        index = self.index
        if index is None or not index.slice_name:
            return "Maps, means, intervals, tests and mean curves are of its images alone."
        return (
            f"{count(len(index.images), 'of its images was', 'of its images were')} explained:"
            " maps, means with their intervals, tests and mean curves are of these alone."
        )

    def example_wish(self) -> ExampleWish:
        """The images whose maps are selected."""
        if self.explanation is not None or not self.cells:
            return super().example_wish()
        images = tuple(dict.fromkeys(cell.image for cell in self.cells))
        words = "the image selected" if len(images) == 1 else f"the {len(images)} images selected"
        return ExampleWish((ExampleChoice(words, tuple(Example(image) for image in images)),))

    def show_image(self, image: int) -> None:
        """Show the maps of an image by all methods, now or when the run has come."""
        self.leave_explanation()
        self._arrangement = MODELS_METHODS
        if self.index is not None and self.index.run == self.session.snapshot.run_saliency:
            self._any_view.set_image(image)
            self._any_view.set_arrangement(self._arrangement)
            self._arrangement = ""

    def show_results(self) -> None:
        self.leave_explanation()

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        if initiator is self:
            return
        now = self.session.snapshot
        if "models" in changes:
            self._any_view.set_models(now.models)
        if "image" in changes:
            self._any_view.set_image(now.image)
        if changes & {"model_a", "model_b"}:
            pair = (now.model_a, now.model_b)
            self._any_view.set_pair(tuple(name for name in pair if name is not None))
        if "saliency_method" in changes:
            self._any_view.set_method(now.saliency_method)

    # -- maps: in batches, what was wished for last comes first ----------------------------------
    @Slot(object)
    def _on_maps_needed(self, cells: tuple[Cell, ...]) -> None:
        if self.explanation is not None or self.index is None:
            return
        for cell in reversed(cells):
            self._wanted[cell] = None
            self._wanted.move_to_end(cell)
        while len(self._wanted) > _MOST_WAITING:
            self._wanted.popitem(last=False)
        self._read_maps()

    def _read_maps(self) -> None:
        if self._reading_maps or not self._wanted or self.index is None:
            return
        cells = tuple(islice(reversed(self._wanted), _BATCH))
        for cell in cells:
            del self._wanted[cell]
        self._reading_maps = True
        read = self.workspace.backend.saliency_maps
        self.read("maps", read, self.index.run, cells, then=self._show_maps)

    def _show_maps(self, maps: Any) -> None:
        self._reading_maps = False
        if self.explanation is None:
            self._any_view.show_maps(maps)
        self._read_maps()

    # -- curves --------------------------------------------------------------------------------
    @Slot(object)
    def _on_cells(self, cells: tuple[Cell, ...]) -> None:
        if self.explanation is None:
            self.cells, self._begun = tuple(cells), False
            self._load_curves()
            if cells:  # the image that the view came with may be nobody's choice yet
                self._on_image(cells[-1].image)

    def _load_curves(self) -> None:
        if self.index is None or not self.cells:
            self.forget("curves")
            self._any_view.show_curves(None)
            return
        backend = self.workspace.backend
        read = self.narrowed(
            backend.saliency_curves, backend.sliced_curves, self.index.run, self.cells
        )
        self.read("curves", *read, then=self._show_curves)

    def _show_curves(self, curves: Any) -> None:
        if self.explanation is None:
            self._any_view.show_curves(curves)

    @Slot(object, str, int)
    def _on_step(self, cell: Cell, kind: str, step: int) -> None:
        self._step = (cell, kind, step)
        self._read_step()

    def _read_step(self) -> None:
        """One read at a time: while one drags each answer is shown, then the newest wish is read.

        To forget the read in hand at each wish would show nothing before the hand is still.
        """
        if self._reading_step or self._step is None or self.index is None:
            return
        wish, self._step = self._step, None
        self._reading_step = True
        read = self.workspace.backend.step_picture
        self.read("step", read, self.index.run, *wish, then=self._show_step)

    def _show_step(self, picture: Any) -> None:
        self._reading_step = False
        if self.explanation is None:
            self._any_view.show_step(picture)
        self._read_step()

    # -- depth ---------------------------------------------------------------------------------
    @Slot(int, str)
    def _on_depth(self, image: int, model: str) -> None:
        if self.explanation is not None:
            depths = (d for d in self.explanation.depths if (d.image, d.model) == (image, model))
            self._show_depth(next(depths, None))
        elif self.index is not None:
            self.depth = (image, model)
            read = self.workspace.backend.attention_depth
            self.read("depth", read, self.index.run, image, model, then=self._show_depth)

    def _show_depth(self, depth: Any) -> None:
        self._any_view.show_depth(depth)

    # -- one picture ---------------------------------------------------------------------------
    def set_explaining(self, sentence: str) -> None:
        """Say that a picture is being explained, or (empty) that none is any longer."""
        self._explaining = sentence
        if self.widget.currentWidget() is self.empty:
            self.refresh()

    def show_explanation(self, explanation: Explanation) -> None:
        """Show a picture's maps in front of the run."""
        self.forget("maps", "curves", "step", "depth")
        self._reading_maps = self._reading_step = False
        self._wanted.clear()
        self._step, self.explanation = None, explanation
        self._any_view.show_explanation(explanation)
        self.show_view()
        self.picture_changed.emit()

    def leave_explanation(self) -> None:
        """Go back to the run, if there is one."""
        if self.explanation is not None:
            self._any_view.show_explanation(None)
            self._on_back()

    @Slot()
    def _on_back(self) -> None:
        """The view has gone back to the run by itself."""
        self.explanation = None
        self.picture_changed.emit()
        self.refresh()

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], initiator: object) -> None:
        # A run that has its first results meanwhile does not take the picture's place.
        chosen = "run_saliency" in changes and initiator is not self.workspace
        if "project" in changes or chosen:
            self._arrangement = ""
            self.leave_explanation()
        super()._on_session(changes, initiator)

    @Slot(str, object)
    def _on_load_failed(self, name: str, problem: Problem) -> None:
        owner, _, what = name.partition(" ")
        if owner == self.objectName() and what == "maps":
            self._reading_maps = False
            self._wanted.clear()  # the others would fail as well; the view asks again
        elif owner == self.objectName() and what == "step":
            self._reading_step, self._step = False, None
            if self._step_failed:
                return  # said once, not at each pixel that one drags
            self._step_failed = True
        super()._on_load_failed(name, problem)

    # -- what the view asks for ----------------------------------------------------------------
    @Slot(object)
    def _on_image(self, image: int | None) -> None:
        if image is None or image >= 0:
            self.session.update({"patch": None, "image": image}, self)

    @Slot(str)
    def _on_method(self, label: str) -> None:
        self.session.update({"saliency_method": label}, self)

    @Slot(object)
    def _on_models(self, names: tuple[str, ...]) -> None:
        self.workspace.select_models(names, self)

    @Slot()
    def _on_explain(self) -> None:
        self.wish.emit("explain-picture")

    # -- what is shown, for export -------------------------------------------------------------
    @Slot(str, str)
    def _on_export(self, figure: str, form: str) -> None:
        if self.explanation is None or figure not in _OF_PICTURES:
            super()._on_export(_FIGURES.get(figure, figure), form)
            return
        figure = _OF_PICTURES[figure]
        parameters = self.export_parameters(figure)
        self.picture_export_wished.emit(figure, form, self.explanation, parameters)

    def export_parameters(self, figure: str) -> dict[str, object]:
        if figure == "explained":
            look = self._any_view.look.look()
            return {"opacity": look.opacity, "colours": look.colours}
        if figure == "explained-attention":
            return {
                "model": self._any_view.depth_model(),
                "colours": self._any_view.look.look().colours,
            }
        if figure == "saliency" and self.index is not None:
            return {**self._shown_grid(), **self.slice_parameters()}
        if figure == "faithfulness":
            return self.slice_parameters()
        if figure == "insertion-deletion":
            return {
                **self.slice_parameters(),
                "models": ",".join(dict.fromkeys(cell.model for cell in self.cells)),
                "methods": ",".join(dict.fromkeys(cell.method for cell in self.cells)),
            }
        if figure == "attention-depth" and self.depth is not None:
            image, model = self.depth
            return {"image": image, "model": model, "colours": self._any_view.look.look().colours}
        return {}

    def _shown_grid(self) -> dict[str, object]:
        """The grid as it is laid out; of many images a figure takes a few of each label."""
        view = self._any_view
        grid, chosen, look = _GRIDS[view.arrangement()], view.chosen(), view.look.look()
        return {
            "grid": grid,
            "image": (chosen.image or 0) if grid == "image" else 0,
            "models": chosen.model if grid == "methods" else "",
            "methods": chosen.method if grid == "models" else "",
            "opacity": look.opacity,
            "colours": look.colours,
        }
