"""Units of dissected layers, linked: filters, table, grid of units with their images, detail."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.unit_data import ThresholdSweep, UnitDetail, UnitTable
from analysis.figures.words import count
from app.concept_examples import ExampleChoice, selected_choice
from app.theme import GRID, PADDING, font
from app.views.patch_dialog import PatchDialog, ShownPatch
from app.views.unit_columns import INTERPRETABLE, unit_columns, yes_or_no
from app.views.unit_filter_bar import UnitFilterBar
from app.views.unit_grid import UnitGrid
from app.views.unit_index import UnitIndex
from app.views.unit_models import UnitModels
from app.views.unit_panel import UnitPanel, shown_patches
from app.views.unit_sweep import UnitSweepPanel
from app.views.unit_words import found_line
from app.widgets.category_marks import category_word
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.grid_actions import SAVE_AS_CONCEPT, add_grid_action
from app.widgets.image_source import ImageSource
from app.widgets.masked_pictures import MODES
from app.widgets.parts import Parts
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin

_EMPTY = (
    "What each unit of a layer stands for, how surely, and the images that activate it: "
    "which units of which models know “wheel”?"
)
_NOTHING_LEFT = "No unit meets the filters."
_HINTS = {
    "mask": "Dim what lies outside of the unit's activity",
    "box": "Outline where the unit is active",
    "plain": "The images alone",
}


#: made ahead of the view, each in its own turn
PARTS = (UnitPanel, UnitSweepPanel)


class UnitsView(QWidget):
    """Setters are silent; intents are signals that carry ids of the project file.

    `unit_focused(unit id or None)`; `units_selected(frozenset of unit ids)`;
    `models_selected(tuple of names)`; `search_changed(words)`; `pictures_needed(tuple of unit
    ids)`: units in view whose details `show_details` has not brought yet.
    `patch_activated(patch id, image id)`: the large view, which opens here as well unless
    `opens_patches` is False; `patch_focused` likewise.
    `compare_requested(model, model)`: their concept comparison.
    """

    unit_focused = Signal(object)
    units_selected = Signal(object)
    models_selected = Signal(object)
    search_changed = Signal(str)
    patch_activated = Signal(int, int)
    patch_focused = Signal(int, int)
    saliency_requested = Signal(int)  # image id: where do the models look in it?
    concept_requested = Signal(object)  # tuple of ExampleChoice: to become a concept
    compare_requested = Signal(str, str)
    export_requested = Signal(str, str)
    action_requested = Signal(str)  # of the empty view's button: "run dissection"
    pictures_needed = Signal(object)

    def __init__(self, parent: QWidget | None = None, parts: Parts | None = None) -> None:
        super().__init__(parent)
        ready = parts or Parts()
        self.setObjectName("units view")
        self.opens_patches = True
        self._source: ImageSource | None = None
        self._index: UnitIndex | None = None
        self._interpretable = np.zeros(0, dtype=bool)
        self._unit: int | None = None
        self._models: tuple[str, ...] = ()
        self._mode = MODES[0]
        self._dialog: PatchDialog | None = None
        self.empty = EmptyState(_EMPTY, "Dissect models…", "run dissection")
        self.bar = UnitFilterBar()
        self.table = TableTwin("unit", filters=False)
        self.models = UnitModels()
        self.sweep = ready.take(UnitSweepPanel)
        self.grid = UnitGrid()
        self.units = FigurePanel(
            "units",
            "Units",
            self.grid,
            None,
            EmptyState(_NOTHING_LEFT, "Show all units", "show all"),
            copied=self.table,
        )
        self.panel = ready.take(UnitPanel)
        self._build()
        self._connect()
        self.show_units(None)

    # -- how it is put together

    def _build(self) -> None:
        self._add_modes()
        self._add_sizes()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(_padded(self.models), "Models")
        self.tabs.addTab(_padded(self.sweep), "Threshold sweep")
        self.tabs.setFont(font("small"))
        self.sweep.title.hide()  # the tab says it
        self.left = _splitter(Qt.Orientation.Vertical, self.table, self.tabs, [400, 270])
        self.right = _splitter(Qt.Orientation.Vertical, self.units, self.panel, [400, 280])
        self.splitter = _splitter(Qt.Orientation.Horizontal, self.left, self.right, [500, 740])
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 2)
        self.left.setMinimumWidth(300)
        self.right.setMinimumWidth(320)
        self.table.setMinimumHeight(120)
        self.tabs.setMinimumHeight(150)
        self.units.setMinimumHeight(150)
        self.panel.setMinimumHeight(190)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(PADDING, GRID, PADDING, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.bar)
        layout.addWidget(self.splitter, 1)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.stack)

    def _add_modes(self) -> None:
        self.modes = QButtonGroup(self)
        self.modes.setExclusive(True)
        for number, mode in enumerate(MODES):
            button = self._tool(mode, f"Images with {mode}" if mode != "plain" else "Plain images")
            button.setToolTip(_HINTS[mode])
            button.setCheckable(True)
            button.setChecked(number == 0)
            self.modes.addButton(button, number)
        self.modes.idToggled.connect(self._mode_toggled)

    def _add_sizes(self) -> None:
        self.smaller = self._tool("−", "Smaller images")
        self.smaller.clicked.connect(self._make_smaller)
        self.larger = self._tool("+", "Larger images")
        self.larger.clicked.connect(self._make_larger)

    def _tool(self, text: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setFont(font("small"))
        button.setAccessibleName(name)
        button.setToolTip(name)
        self.units.controls.addWidget(button)
        return button

    def _connect(self) -> None:
        self.bar.changed.connect(self._filter)
        self.bar.threshold_changed.connect(self._count_again)
        self.bar.search_changed.connect(self.search_changed)
        self.bar.compare_requested.connect(self._compare)
        self.table.row_focused.connect(self._focus)
        self.table.selection_changed.connect(self._select)
        self.table.row_activated.connect(self._open_first_patch)
        self.table.model.layoutChanged.connect(self._order_changed)
        self.grid.unit_focused.connect(self._focus)
        self.grid.patch_focused.connect(self.patch_focused)
        self.grid.patch_activated.connect(self._open_patch)
        self.grid.units_needed.connect(self.pictures_needed)
        self.panel.patch_focused.connect(self.patch_focused)
        self.panel.patch_activated.connect(self._open_patch)
        self.panel.concept_activated.connect(self._search)
        self.models.models_selected.connect(self._select_models)
        self.sweep.threshold_changed.connect(self._move_threshold)
        self.units.action.connect(self._clear_filters)
        for part in (self.units, self.sweep):
            part.export_requested.connect(self.export_requested)
        self.empty.action.connect(self.action_requested)
        for grid in (self.grid, self.panel.grid):
            add_grid_action(grid, SAVE_AS_CONCEPT, self._save_concept)

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self._source = source
        self.grid.set_source(source)
        self.panel.set_source(source)
        if self._dialog is not None:
            self._dialog.set_source(source)

    def show_units(self, data: UnitTable | None) -> None:
        """Show a run's units, or the empty view."""
        there = data is not None and len(data.unit_id) > 0
        self.stack.setCurrentIndex(1 if there else 0)
        if data is None or not there:
            self._index, self._interpretable = None, np.zeros(0, dtype=bool)
            self.table.set_columns([], [])
            self.grid.set_units(None, self._interpretable, 0.1)
            self.models.show_counts(None, self._interpretable, self._interpretable)
            self.panel.show_detail(None)
            return
        same_run = self._index is not None and self._index.table.run == data.run
        index = self._index = UnitIndex.of(data)
        full = _full_bar(data.iou[index.countable])
        self.bar.set_categories(index.categories)
        self.bar.set_own_threshold(data.iou_threshold, full, keep=same_run)
        self._interpretable = index.interpretable(self.bar.iou_threshold())
        self.grid.set_units(index, self._interpretable, full)
        columns = unit_columns(index, self._interpretable)
        self.table.set_columns(data.unit_id.tolist(), columns)
        self._fit_columns(index)
        self._sort_first(len(columns))
        chance = "; the thin mark is chance" if np.isfinite(data.null_iou).any() else ""
        self.units.set_note(f"Bars: IoU from 0 to {full:.1f}{chance}.")
        self.panel.show_detail(None)
        self._take_threshold()
        self._filter()

    def _sort_first(self, columns: int) -> None:
        """The best units first, unless the table is sorted already."""
        header = self.table.table.horizontalHeader()
        if not 0 <= header.sortIndicatorSection() < columns:
            self.table.table.sortByColumn(_IOU, Qt.SortOrder.DescendingOrder)

    def _fit_columns(self, index: UnitIndex) -> None:
        """Widths by all texts there are, not by those of the first rows."""
        measure = self.table.table.fontMetrics().horizontalAdvance
        categories = [category_word(category) for category in index.categories]
        for place, texts in ((0, index.concepts), (1, categories), (4, index.models)):
            widest = max((measure(text) for text in texts), default=0)
            self.table.table.setColumnWidth(place, min(max(widest + 16, 60), 150))
        self.table.table.setColumnWidth(_IOU, 72)  # room for the arrow of the order

    def show_detail(self, detail: UnitDetail | None) -> None:
        """Show the unit in focus with its candidates and images."""
        self.panel.show_detail(detail)
        if detail is not None:
            self.show_details({detail.unit_id: detail})

    def show_details(self, details: Mapping[int, UnitDetail]) -> None:
        """Show the images of units in the grid."""
        self.grid.show_details(details)

    def show_sweep(self, sweep: ThresholdSweep | None) -> None:
        """Show a run's threshold sweep, or say what would be here."""
        self.sweep.show_sweep(sweep)

    def set_models(self, models: tuple[str, ...]) -> None:
        """The models selected anywhere; the units of others are hidden while the box says so."""
        models = tuple(models)
        if models == self._models:
            return
        self._models = models
        self.bar.set_models(models)
        self.models.set_models(models)
        self.sweep.set_models(models)
        self._filter()

    def set_unit(self, unit: int | None) -> None:
        """Put the focus on a unit."""
        self._unit = unit
        if self.table.focus() != unit:
            self.table.set_focus(unit)
        self.grid.set_focus(unit)
        known = self.grid.grid_model.detail(unit)
        if unit is None or known is not None:
            self.panel.show_detail(known)

    def set_selection(self, units: frozenset[int]) -> None:
        """Mark the selected units."""
        self.table.set_selection(units)

    def set_search(self, words: str) -> None:
        """Show which units know something."""
        if words.strip() != self.bar.filters().words:
            self.bar.set_search(words)
            self._filter()

    # -- filters and counts

    def _filter(self) -> None:
        """Show the units that meet the filters."""
        if self._index is None:
            return
        shown = self._index.shown(self.bar.filters(), self._interpretable)
        self.table.model.set_kept(shown)  # the grid follows its order
        if self._unit is not None and self.table.focus() != self._unit:
            self.table.set_focus(self._unit)
        self._say(shown)

    def _count_again(self) -> None:
        """Another threshold: other units count."""
        if self._index is None:
            return
        self._interpretable = self._index.interpretable(self.bar.iou_threshold())
        self._take_threshold()
        self.table.model.replace_values(INTERPRETABLE, yes_or_no(self._interpretable))
        self.grid.set_interpretable(self._interpretable)
        if self.bar.filters().interpretable_only:
            self._filter()
        else:
            self._say(self._index.shown(self.bar.filters(), self._interpretable))

    def _take_threshold(self) -> None:
        """Tell the other parts which threshold holds."""
        if self._index is None:
            return
        threshold = self.bar.iou_threshold()
        self.sweep.set_threshold(threshold)
        self.panel.set_scale(threshold, self._index.table.quantile, self.grid.grid_delegate.full)

    def _say(self, shown: np.ndarray) -> None:
        index = self._index
        if index is None:
            return
        filters = self.bar.filters()
        found = index.found(filters, self._interpretable)
        self.bar.show_found(found_line(found) if filters.words else "")
        amount = int(self._interpretable.sum())
        concepts = count(index.unique_concepts(self._interpretable), "concept")
        line = f"{amount:,} of {count(len(index), 'unit')} interpretable, {concepts}"
        self.bar.show_counts(index.by_category(self._interpretable), line)
        self.models.show_counts(index, self._interpretable, shown)
        everything = count(len(index), "unit")
        left = int(shown.sum())
        self.units.title.setText(everything if left == len(index) else f"{left:,} of {everything}")

    def _order_changed(self) -> None:
        rows = self.table.model.shown_rows()
        self.grid.set_order(rows, self._unit)
        self.units.show_content(len(rows) > 0)
        self.units.head.show()  # its buttons stay, whatever is left

    def _move_threshold(self, value: float) -> None:
        self.bar.set_threshold(value)
        self._count_again()

    # -- by hand

    def _focus(self, unit: int | None) -> None:
        if unit != self._unit:
            self.set_unit(unit)
            self.unit_focused.emit(unit)

    def _select(self, units: frozenset[int]) -> None:
        self.set_selection(units)
        self.units_selected.emit(units)

    def _select_models(self, models: tuple[str, ...]) -> None:
        self.set_models(models)
        self.models_selected.emit(models)

    def _search(self, concept: str) -> None:
        self.bar.search.setText(concept)

    def _clear_filters(self) -> None:
        before = self.bar.filters().words
        self.bar.clear()
        self._filter()
        if before:
            self.search_changed.emit("")

    def _compare(self) -> None:
        if len(self._models) == 2:
            self.compare_requested.emit(*self._models)

    def _mode_toggled(self, number: int, down: bool) -> None:
        if down:
            self._mode = MODES[number]
            self.grid.set_mode(self._mode)
            self.panel.set_mode(self._mode)

    def _make_smaller(self) -> None:
        self.grid.enlarge(-1)

    def _make_larger(self) -> None:
        self.grid.enlarge(1)

    def example_choices(self) -> tuple[ExampleChoice, ...]:
        """What is selected in either grid, as examples of a concept to be."""
        first, second = self.grid.selected(), self.panel.selected()
        if self.panel.grid.hasFocus():
            first, second = second, first
        return tuple(dict.fromkeys(selected_choice(first) + selected_choice(second)))

    def _save_concept(self) -> None:
        self.concept_requested.emit(self.example_choices())

    # -- large view

    def _open_first_patch(self, unit: int) -> None:
        detail = self.grid.grid_model.detail(unit)
        if detail is not None and detail.patches:
            first = shown_patches(detail, self._mode)[0]
            self._open_patch(first.identity, first.image)

    def _open_patch(self, patch_id: int, image: int) -> None:
        if self.opens_patches:
            self.open_large_view(patch_id, image)
        self.patch_activated.emit(patch_id, image)

    def open_large_view(self, patch_id: int, image: int) -> None:
        """The whole image with its mask or box; ← and → walk through the unit's images."""
        stops, at = self._stops(patch_id, image)
        if self._dialog is None:
            self._dialog = PatchDialog(self)
            self._dialog.set_source(self._source)
            self._dialog.patch_shown.connect(self.patch_focused)
            self._dialog.saliency_requested.connect(self.saliency_requested)
            self._dialog.action_requested.connect(self.action_requested)
            self._dialog.concept_requested.connect(self.concept_requested)
        self._dialog.show_patches(stops, at)
        self._dialog.show()
        self._dialog.raise_()

    def _stops(self, patch_id: int, image: int) -> tuple[list[ShownPatch], int]:
        detail = self.grid.grid_model.detail_of_patch(patch_id) or self.panel.detail
        if detail is not None:
            stops = shown_patches(detail, self._mode)
            at = next((i for i, stop in enumerate(stops) if stop.identity == patch_id), None)
            if at is not None:
                return stops, at
        return [ShownPatch(patch_id, image, None, f"Image {image}", "#FFFFFF")], 0


_IOU = 2  # the column of the table


def _full_bar(scores: np.ndarray) -> float:
    """The IoU of a full bar: the highest one, rounded up to a tenth."""
    highest = float(np.max(scores)) if len(scores) else 0.1
    return max(0.1, math.ceil(highest * 10) / 10)


def _splitter(
    orientation: Qt.Orientation, first: QWidget, second: QWidget, sizes: list[int]
) -> Splitter:
    splitter = Splitter(orientation)
    splitter.addWidget(first)
    splitter.addWidget(second)
    splitter.setSizes(sizes)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(PADDING)
    return splitter


def _padded(widget: QWidget) -> QWidget:
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, GRID, 0, 0)
    layout.addWidget(widget)
    return box
