"""Where models look and how far their maps may be believed: grid of maps, pair, curves, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QPushButton,
    QWidget,
)

from analysis.figures.saliency_data import (
    AttentionDepth,
    Cell,
    Curves,
    Explanation,
    FaithfulnessComparisons,
    FaithfulnessSummary,
    SaliencyIndex,
    SaliencyMap,
    StepPicture,
)
from app.views.saliency_bar import LookControls, SaliencyBar
from app.views.saliency_frame import filled, large_button, offer_below, stacked
from app.views.saliency_grid import SaliencyGrid
from app.views.saliency_layout import (
    ARRANGEMENTS,
    METHODS_IMAGES,
    MODELS_METHODS,
    Chosen,
    GridPlan,
    Places,
    first_pair,
    held,
    kept_choice,
)
from app.views.saliency_map_table import SaliencyMapTable
from app.views.saliency_tabs import SaliencyTabs
from app.views.saliency_words import (
    EMPTY,
    EXPLAIN,
    NOTHING,
    explanation_line,
    left_out_line,
)
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.heat_pictures import HeatLook
from app.widgets.image_source import ImageSource
from app.widgets.parts import Parts
from app.widgets.pixel_source import PixelSource

_NOBODY = Chosen(None, "", "")


#: made ahead of the view, each in its own turn
PARTS = (SaliencyTabs,)


class SaliencyView(QWidget):
    """Setters are silent; intents are signals that carry ids of the project file and names.

    `maps_needed(tuple of cells)`: maps in view, or selected, which `show_maps` has not brought yet;
    `cells_selected(tuple of cells)`: their curves are wanted; `image_focused(id or None)`;
    `models_selected(tuple of names)`; `method_chosen(label)`; `depth_needed(image, model)`;
    `step_needed(Cell, kind, step)`: the scrubber; `arranged(arrangement)`, by hand;
    `explain_requested`: a picture shall be explained; `back_requested`: from an explanation to the
    run. While an explanation is shown nothing of the run is asked for.
    """

    maps_needed = Signal(object)
    cells_selected = Signal(object)
    image_focused = Signal(object)
    models_selected = Signal(object)
    method_chosen = Signal(str)
    arranged = Signal(str)
    depth_needed = Signal(int, str)
    step_needed = Signal(object, str, int)
    explain_requested = Signal()
    back_requested = Signal()
    export_requested = Signal(str, str)
    action_requested = Signal(str)  # of the empty view's button: "run saliency"

    def __init__(self, parent: QWidget | None = None, parts: Parts | None = None) -> None:
        super().__init__(parent)
        ready = parts or Parts()
        self.setObjectName("saliency view")
        self._source: ImageSource | None = None
        self._index: SaliencyIndex | None = None
        self._explanation: Explanation | None = None
        self._pixels: PixelSource | None = None
        self._places: Places | None = None
        self._arrangement = ARRANGEMENTS[0]
        self._chosen = _NOBODY
        self._before: tuple[str, Chosen, tuple[Cell, ...]] | None = None  # an explanation came
        self._models: tuple[str, ...] = ()
        self._pair: tuple[str, ...] = ()
        self._asked: tuple[Cell, ...] = ()
        self.empty = EmptyState(EMPTY, "Run saliency…", "run saliency")
        self.explain = QPushButton(EXPLAIN)
        self.bar = SaliencyBar()
        self.grid = SaliencyGrid()
        self.look = LookControls()
        self.table = SaliencyMapTable(self.grid)
        self.panel = FigurePanel("saliency", "Maps", self.grid, self.table, EmptyState(NOTHING))
        self.tabs = ready.take(SaliencyTabs)
        self._build()
        self._connect()
        self._take_index()

    # -- how it is put together

    def _build(self) -> None:
        self.panel.controls.addWidget(self.look)
        offer_below(self.empty, self.explain)
        self.splitter = stacked(self.panel, self.tabs)
        self.alone = large_button()
        self.tabs.setCornerWidget(self.alone)
        self.stack = filled(self, self.empty, self.bar, self.splitter)
        self._stepping = QTimer(self)  # a scrubber asks for what it stands at, not for its way
        self._stepping.setSingleShot(True)
        self._stepping.setInterval(30)
        self._step: tuple[Cell, str, int] | None = None

    def _connect(self) -> None:
        self.bar.arranged.connect(self._arrange)
        self.bar.method_chosen.connect(self._choose_method)
        self.bar.model_chosen.connect(self._choose_model)
        self.bar.image_chosen.connect(self._choose_image)
        self.bar.explain_requested.connect(self.explain_requested)
        self.bar.back_requested.connect(self._go_back)
        self.explain.clicked.connect(self.explain_requested)
        self.empty.action.connect(self.action_requested)
        self.look.changed.connect(self._take_look)
        self.look.resized.connect(self.grid.enlarge)
        self.grid.cell_focused.connect(self._focus)
        self.grid.selection_changed.connect(self._select)
        self.grid.cell_activated.connect(self._open)
        self.grid.maps_wanted.connect(self._ask)
        self.grid.row_pressed.connect(self._press_row)
        self.grid.column_pressed.connect(self._press_column)
        self.panel.export_requested.connect(self.export_requested)
        self.tabs.export_requested.connect(self.export_requested)
        self.tabs.depth_needed.connect(self._ask_depth)
        self.tabs.step_needed.connect(self._ask_step)
        self.tabs.cells_chosen.connect(self._select)
        self.tabs.method_chosen.connect(self._choose_method)
        self.tabs.model_chosen.connect(self._choose_model)
        self._stepping.timeout.connect(self._tell_step)
        self.alone.toggled.connect(self.panel.setHidden)

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self._source = source
        if self._explanation is None:
            self._show_source(source)

    def show_index(self, index: SaliencyIndex | None) -> None:
        """Show a run, or the empty view. Of the same run, what is shown and selected stays."""
        before = self._index
        self._index = index
        if index is None or before is None or before.run != index.run:
            self._before = None
            self.tabs.forget_run()
        if self._explanation is None:
            same = index is not None and before is not None and before.run == index.run
            self._take_index(keep=same, more=same)

    def show_maps(self, maps: Mapping[Cell, SaliencyMap]) -> None:
        """Show maps that have come."""
        if self._explanation is None:
            self._bring(maps)

    def show_summary(self, summary: FaithfulnessSummary | None) -> None:
        """Show the means of the metrics."""
        self.tabs.show_summary(summary)

    def show_comparisons(self, comparisons: FaithfulnessComparisons | None) -> None:
        """Show the paired differences."""
        self.tabs.show_comparisons(comparisons)

    def show_curves(self, curves: Curves | None) -> None:
        """Show the curves of the selected maps."""
        self.tabs.show_curves(curves)

    def show_step(self, step: StepPicture | None) -> None:
        """Show the picture at a step of a curve."""
        self.tabs.show_step(step)

    def show_depth(self, depth: AttentionDepth | None) -> None:
        """Show the attention of the image in focus through a transformer's depth."""
        if self._explanation is None:
            self.tabs.show_depth(depth)

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show a picture explained outside of any run; None goes back to the run."""
        if explanation is not None and self._explanation is None and self._places is not None:
            self._before = (self._arrangement, self._chosen, self.grid.selection())
        self._explanation = explanation
        if explanation is None:
            self._pixels = None
            self.bar.show_banner("")
            self._show_source(self._source)
            self.grid.forget_maps()
            if self._before is not None:
                self._arrangement, self._chosen, selected = self._before
                self.grid.set_selection(selected)
            self._take_index(keep=self._before is not None)
            self._before = None
            return
        self._pixels = PixelSource(explanation.pixels, self)
        self._show_source(self._pixels)
        problems = "; ".join(f"{who}: {why}" for who, why in explanation.problems)
        self.bar.show_banner(explanation_line(explanation), problems)
        self.bar.back.setVisible(self._index is not None)
        self._arrangement = MODELS_METHODS
        self._take_index()
        self._bring({found.cell: found for found in explanation.maps})
        if self._places is not None:
            self._select(first_pair(self._places, self._chosen, self._pair))

    def select_first(self) -> tuple[Cell, ...]:
        """Where at most one map is selected, select the chosen image's of two models; what is."""
        selected = self.grid.selection()
        if self._places is not None and len(selected) < 2:
            pair = first_pair(self._places, self._chosen, self._pair)
            if pair and pair != selected:
                self.grid.set_selection(pair)
                self._show_selected()
                self.grid.ask_soon()
        return tuple(self.grid.selection())

    def set_image(self, image: int | None) -> None:
        """Put the focus on an image."""
        if image is None or self._places is None or image == self._chosen.image:
            return
        if self._explanation is not None:
            if self._before is not None:  # for when the run comes back
                arrangement, chosen, selected = self._before
                self._before = (arrangement, replace(chosen, image=image), selected)
        elif image in self._places.images:
            self._choose(image=image)

    def set_models(self, models: tuple[str, ...]) -> None:
        """The models selected anywhere: their rows stand out; one of them is the one shown."""
        self._models = tuple(models)
        self.grid.set_marked(frozenset(self._models))
        there = self._places.models if self._places is not None else {}
        known = [model for model in self._models if model in there]
        if known and self._chosen.model not in known:
            self._choose(model=known[0])

    def set_pair(self, models: tuple[str, ...]) -> None:
        """Models A and B: their maps of the image in focus stand side by side."""
        before, self._pair = self._pair, models
        if models != before and self._places is not None and self.grid.selection():
            pair = first_pair(self._places, self._chosen, models)
            if tuple(cell.model for cell in pair) == models:
                self._select(pair)

    def set_method(self, label: str) -> None:
        """Show maps of another method."""
        if self._places is not None and label in self._places.methods:
            self._choose(method=label)

    def set_arrangement(self, arrangement: str) -> None:
        """Lay the grid out in another way, one of `ARRANGEMENTS`; ValueError for others."""
        if arrangement not in ARRANGEMENTS:
            raise ValueError(f"no arrangement {arrangement!r}: one of {', '.join(ARRANGEMENTS)}")
        if self._explanation is None and arrangement != self._arrangement:
            self._arrangement = arrangement
            self._lay_out()

    def arrangement(self) -> str:
        """How the grid is laid out."""
        return self._arrangement

    def depth_model(self) -> str:
        """The transformer whose attention is shown; empty: none."""
        shown = self.tabs.attention.shown
        return shown.model if shown is not None else ""

    def chosen(self) -> Chosen:
        """What each axis that is not in the grid is held at; the image is the one in focus."""
        return self._chosen

    def selection(self) -> tuple[Cell, ...]:
        """The selected maps, in the order they were chosen."""
        return self.grid.selection()

    # -- what is shown

    def _shown_index(self) -> SaliencyIndex | None:
        return self._index if self._explanation is None else self._explanation.index

    def _show_source(self, source: ImageSource | None) -> None:
        self.grid.set_source(source)
        self.tabs.set_source(source)

    def _take_index(self, keep: bool = False, more: bool = False) -> None:
        """Show another index; with `keep`, selection and maps stay; `more`: of the same run."""
        index = self._shown_index()
        self._asked = ()
        self.stack.setCurrentIndex(0 if index is None else 1)
        if not keep:
            self.grid.set_selection(())
            self.grid.forget_maps()
        if index is None:
            self._places, self._chosen = None, _NOBODY
            self.grid.set_plan(None, None)
            self.tabs.show_places(None, _NOBODY, self._explanation)
            return
        self._places = Places(index)
        self._chosen = kept_choice(self._places, self._chosen)
        self.bar.set_places(self._places)
        self.panel.show_content(bool(index.models and index.methods and len(index.images)))
        self.tabs.show_places(self._places, self._chosen, self._explanation, keep=more)
        self._lay_out()
        self.grid.set_selection([c for c in self.grid.selection() if self._places.knows(c)])
        self._show_selected()

    def _lay_out(self) -> None:
        places = self._places
        if places is None:
            return
        plan = GridPlan(places, self._arrangement, self._chosen)
        self.bar.show_choice(self._arrangement, self._chosen)
        self.grid.set_plan(plan, self._focused())
        self.grid.set_marked(frozenset(self._models))
        self.panel.set_note(left_out_line(places, self._chosen.model, plan.left_out))
        self.tabs.set_chosen(self._chosen)

    def _focused(self) -> Cell | None:
        chosen = self._chosen
        if chosen.image is None:
            return None
        return Cell(chosen.image, chosen.model, chosen.method)

    def _bring(self, maps: Mapping[Cell, SaliencyMap]) -> None:
        self.grid.show_maps(maps)
        if any(cell in maps for cell in self.grid.selection()):
            self._show_selected()
        self.grid.ask_soon()

    def _show_selected(self) -> None:
        self.tabs.show_cells(self.grid.selection(), self.grid.grid_model.maps.get)

    def _take_look(self, look: HeatLook) -> None:
        self.grid.set_look(look)
        self.tabs.set_look(look)

    # -- what is needed

    def _ask(self) -> None:
        if self._explanation is not None or not self.isVisible() or self._places is None:
            return
        model = self.grid.grid_model
        seen = model.lacking(self.grid.visible_cells())
        wanted = dict.fromkeys(seen + model.lacking(self.grid.selection()))
        if seen:
            wanted.update(dict.fromkeys(model.lacking(self.grid.visible_cells(beyond=2))))
        cells = tuple(wanted)
        if cells and cells != self._asked:
            self._asked = cells
            self.maps_needed.emit(cells)

    def _ask_depth(self, image: int, model: str) -> None:
        if self._explanation is None:
            self.depth_needed.emit(image, model)
            return
        found = [d for d in self._explanation.depths if d.model == model]
        self.tabs.show_depth(found[0] if found else None)

    def _ask_step(self, cell: Cell, kind: str, step: int) -> None:
        if self._explanation is None:
            self._step = (cell, kind, step)
            if not self._stepping.isActive():
                self._stepping.start()

    def _tell_step(self) -> None:
        if self._step is not None:
            self.step_needed.emit(*self._step)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.grid.ask_soon()

    # -- by hand

    def _choose(
        self, image: int | None = None, model: str | None = None, method: str | None = None
    ) -> None:
        before = self._chosen
        self._chosen = Chosen(
            before.image if image is None else image,
            before.model if model is None else model,
            before.method if method is None else method,
        )
        if held(self._arrangement, self._chosen) != held(self._arrangement, before):
            self._lay_out()
        elif self._chosen != before:  # the grid stays, its focus moves
            self.bar.show_choice(self._arrangement, self._chosen)
            self.grid.set_focus(self._focused())
            self.tabs.set_chosen(self._chosen)

    def _arrange(self, arrangement: str) -> None:
        if arrangement != self._arrangement:
            self.set_arrangement(arrangement)
            self.arranged.emit(arrangement)

    def _choose_method(self, label: str) -> None:
        if label != self._chosen.method:
            self._choose(method=label)
            self.method_chosen.emit(label)

    def _choose_model(self, model: str) -> None:
        if model != self._chosen.model:
            self._choose(model=model)
        self._tell_model(model)

    def _tell_model(self, model: str) -> None:
        if self._explanation is None and model not in self._models:
            self._models = (model,)
            self.grid.set_marked(frozenset(self._models))
            self.models_selected.emit(self._models)

    def _choose_image(self, image: int) -> None:
        if image != self._chosen.image:
            self._choose(image=image)
            self._tell_image(image)

    def _tell_image(self, image: int | None) -> None:
        if self._explanation is None:
            self.image_focused.emit(image)

    def _focus(self, cell: Cell) -> None:
        """A cell of the grid: the axes that are in the grid follow; the grid itself stays."""
        before = self._chosen
        self._chosen = Chosen(cell.image, cell.model, cell.method)
        self.bar.show_choice(self._arrangement, self._chosen)
        self.tabs.set_chosen(self._chosen)
        if cell.image != before.image:
            self._tell_image(cell.image)
        if cell.method != before.method and self._explanation is None:
            self.method_chosen.emit(cell.method)

    def _select(self, cells: tuple[Cell, ...]) -> None:
        self.grid.set_selection(cells)
        self._show_selected()
        self.grid.ask_soon()
        if self._explanation is None:
            self.cells_selected.emit(cells)

    def _open(self, cell: Cell) -> None:
        """Enter or a double click: large."""
        if cell not in self.grid.selection():
            self._select((cell,))
        self.tabs.show_tab("pair")

    def _press_row(self, row: int, added: bool) -> None:
        plan = self.grid.grid_model.plan
        if plan is None:
            return
        key = plan.rows[row]
        if self._arrangement == METHODS_IMAGES:
            self._choose_method(key)
            self.grid.set_focus(self._focused())
            return
        models = tuple(m for m in self._models if m != key)
        self._models = (*models, key) if added and key not in self._models else models
        if not added:
            self._models = (key,)
        self.grid.set_marked(frozenset(self._models))
        if key in self._models:
            self._choose(model=key)
        if self._explanation is None:
            self.models_selected.emit(self._models)

    def _press_column(self, column: int, _added: bool) -> None:
        plan = self.grid.grid_model.plan
        if plan is None:
            return
        key = plan.columns[column]
        if self._arrangement == MODELS_METHODS:
            self._choose_method(str(key))
        else:
            self._choose_image(int(key))
        self.grid.set_focus(self._focused())

    def _go_back(self) -> None:
        self.show_explanation(None)
        self.back_requested.emit()
