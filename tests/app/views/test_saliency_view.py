"""The saliency view: cells by ids, lazy maps, linked choices, curves with their scrubber."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider, QTableView
from pytestqt.qtbot import QtBot

from analysis.figures.saliency_data import OUTSIDE, Cell, StepPicture
from app.theme import theme
from app.views.saliency_layout import METHODS_IMAGES, MODELS_IMAGES, MODELS_METHODS
from app.views.saliency_view import SaliencyView
from app.widgets.heat_pictures import pixels_of
from tests.app.views import made_saliency as made

LITE0, LITE2, VIT = made.MODELS
FIRST = 40  # id of the first image; the others follow by threes


class Heard:
    """What a view has told."""

    def __init__(self, view: SaliencyView) -> None:
        self.told: list[tuple[str, object]] = []
        for name in (
            "maps_needed", "cells_selected", "image_focused", "models_selected", "method_chosen",
            "arranged", "explain_requested", "back_requested", "action_requested",
        ):  # fmt: skip
            getattr(view, name).connect(self._listener(name))
        view.depth_needed.connect(self._depth)
        view.step_needed.connect(self._step)
        view.export_requested.connect(self._export)

    def _listener(self, name: str) -> Callable[..., None]:
        def listen(*what: object) -> None:
            self.told.append((name, what[0] if what else None))

        return listen

    def _depth(self, image: int, model: str) -> None:
        self.told.append(("depth_needed", (image, model)))

    def _step(self, cell: Cell, kind: str, step: int) -> None:
        self.told.append(("step_needed", (cell, kind, step)))

    def _export(self, figure: str, form: str) -> None:
        self.told.append(("export_requested", (figure, form)))

    def all(self, name: str) -> list[object]:
        return [what for who, what in self.told if who == name]

    def last(self, name: str) -> object:
        return self.all(name)[-1]


@pytest.fixture
def view(qtbot: QtBot, make_source: Callable) -> Iterator[SaliencyView]:
    view = SaliencyView()
    qtbot.addWidget(view)
    source = make_source()
    view.set_source(source)
    view.resize(1000, 800)
    view.show_index(made.index())
    yield view
    view.set_source(None)


def shown(qtbot: QtBot, view: SaliencyView) -> Heard:
    heard = Heard(view)
    view.show()
    qtbot.waitExposed(view)
    qtbot.waitUntil(lambda: bool(heard.all("maps_needed")))
    view.show_maps(made.maps(heard.last("maps_needed")))  # type: ignore[arg-type]
    return heard


def click(qtbot: QtBot, view: SaliencyView, cell: Cell, *modifiers: Qt.KeyboardModifier) -> None:
    plan = view.grid.grid_model.plan
    assert plan is not None
    place = plan.place(cell)
    assert place is not None
    centre = view.grid.visualRect(view.grid.grid_model.index(*place)).center()
    keys = modifiers[0] if modifiers else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, keys, centre)


CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


# -- empty


def test_without_a_run_it_offers_to_make_one(qtbot: QtBot) -> None:
    view = SaliencyView()
    qtbot.addWidget(view)
    heard = Heard(view)
    view.show()
    assert view.empty.isVisible()
    view.empty.button.click()
    view.explain.click()
    assert heard.told == [("action_requested", "run saliency"), ("explain_requested", None)]


def test_a_run_that_goes_leaves_the_empty_view(view: SaliencyView) -> None:
    view.show_index(None)
    assert view.stack.currentIndex() == 0
    assert view.grid.grid_model.rowCount() == 0


def test_a_run_without_images_says_so(view: SaliencyView) -> None:
    index = made.index(2)
    nothing = dataclasses.replace(
        index,
        run=9,
        images=index.images[:0],
        image_names=(),
        image_labels=(),
        available=index.available[:0],
    )
    view.show_index(nothing)
    assert not view.panel.head.isVisibleTo(view)
    assert view.chosen().image is None


# -- lazy maps


def test_only_maps_near_the_view_are_asked_for(qtbot: QtBot, view: SaliencyView) -> None:
    view.show_index(made.index(1000, run=8))
    heard = Heard(view)
    view.show()
    qtbot.waitUntil(lambda: bool(heard.all("maps_needed")))
    asked = heard.last("maps_needed")
    assert isinstance(asked, tuple)
    seen = set(view.grid.visible_cells())
    assert seen <= set(asked)
    assert len(asked) < 100
    assert {cell.method for cell in asked} == {"gradcam"}
    view.show_maps(made.maps(asked))
    view.grid.horizontalScrollBar().setValue(40_000)
    qtbot.waitUntil(lambda: len(heard.all("maps_needed")) == 2)
    later = heard.last("maps_needed")
    assert isinstance(later, tuple)
    assert not set(later) & set(asked)
    assert min(cell.image for cell in later) > FIRST + 3 * 300


def test_scrolling_asks_once_when_it_rests(qtbot: QtBot, view: SaliencyView) -> None:
    view.show_index(made.index(1000, run=8))
    heard = shown(qtbot, view)
    for value in range(5000, 30000, 1000):
        view.grid.horizontalScrollBar().setValue(value)
    qtbot.waitUntil(lambda: len(heard.all("maps_needed")) > 1)
    assert len(heard.all("maps_needed")) == 2


def test_what_the_run_does_not_hold_is_not_asked_for(qtbot: QtBot, view: SaliencyView) -> None:
    view.set_method("rollout")
    heard = Heard(view)
    view.show()
    qtbot.waitUntil(lambda: bool(heard.all("maps_needed")))
    asked = heard.last("maps_needed")
    assert isinstance(asked, tuple)
    assert {cell.model for cell in asked} == {VIT}
    assert FIRST + 3 * 11 not in {cell.image for cell in asked}  # not done yet


def test_a_hidden_view_asks_for_nothing(qtbot: QtBot, view: SaliencyView) -> None:
    heard = Heard(view)
    view.grid.maps_wanted.emit()
    assert heard.told == []


def test_maps_are_drawn_over_the_square_they_cover(
    qtbot: QtBot, view: SaliencyView, make_source: Callable
) -> None:
    source = make_source()
    view.set_source(source)
    shown(qtbot, view)
    view.grid.grab()
    assert {box for _, box, _ in source.asked} == {made.REGION}
    view.set_source(None)


def test_kept_maps_are_bounded(view: SaliencyView) -> None:
    maps = view.grid.grid_model.maps
    maps.limit = 10 * 7 * 7 * 4
    cells = [Cell(FIRST + 3 * i, LITE0, "gradcam") for i in range(11)]
    view.show_maps(made.maps(cells))
    assert maps.size <= maps.limit
    assert len(maps) == 10
    assert cells[0] not in maps
    assert cells[-1] in maps


def test_the_same_run_shown_again_keeps_maps_selection_and_place(
    qtbot: QtBot, view: SaliencyView
) -> None:
    shown(qtbot, view)
    cell = Cell(FIRST + 3, LITE2, "gradcam")
    click(qtbot, view, cell)
    before = len(view.grid.grid_model.maps)
    view.show_index(made.index())
    assert view.selection() == (cell,)
    assert view.grid.focus() == cell
    assert len(view.grid.grid_model.maps) == before
    view.show_index(made.index(run=99))
    assert view.selection() == ()
    assert len(view.grid.grid_model.maps) == 0


# -- selection and focus


def test_setters_are_silent(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    heard.told.clear()
    view.set_image(FIRST + 6)
    view.set_models((VIT, LITE2))
    view.set_method("scorecam")
    view.set_arrangement(METHODS_IMAGES)
    view.show_summary(made.summary())
    view.show_comparisons(made.comparisons())
    view.show_curves(made.curves([Cell(FIRST, LITE0, "gradcam")]))
    view.show_depth(made.depth(FIRST))
    assert [name for name, _ in heard.told if name != "maps_needed"] == []
    assert view.chosen() == (
        dataclasses.replace(view.chosen(), image=FIRST + 6, model=VIT, method="scorecam")
    )


def test_clicks_select_one_with_control_more(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    a, b = Cell(FIRST + 3, LITE0, "gradcam"), Cell(FIRST + 3, LITE2, "gradcam")
    click(qtbot, view, a)
    assert heard.last("cells_selected") == (a,)
    assert heard.last("image_focused") == FIRST + 3
    click(qtbot, view, b, CONTROL)
    assert heard.last("cells_selected") == (a, b)
    assert [view.grid.place_selected(cell) for cell in (a, b)] == [0, 1]
    click(qtbot, view, a, CONTROL)
    assert heard.last("cells_selected") == (b,)
    click(qtbot, view, a)
    assert heard.last("cells_selected") == (a,)


def test_shift_selects_what_lies_between_at_most_eight(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    click(qtbot, view, Cell(FIRST, LITE0, "gradcam"))
    click(qtbot, view, Cell(FIRST + 6, LITE2, "gradcam"), SHIFT)
    assert len(set(heard.last("cells_selected"))) == 6  # type: ignore[arg-type]
    click(qtbot, view, Cell(FIRST, LITE0, "gradcam"))
    click(qtbot, view, Cell(FIRST + 15, LITE2, "gradcam"), SHIFT)
    assert len(heard.last("cells_selected")) == 8  # type: ignore[arg-type]


def test_arrow_keys_walk_and_space_adds(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    click(qtbot, view, Cell(FIRST, LITE0, "gradcam"))
    qtbot.keyClick(view.grid, Qt.Key.Key_Right)
    assert heard.last("cells_selected") == (Cell(FIRST + 3, LITE0, "gradcam"),)
    qtbot.keyClick(view.grid, Qt.Key.Key_Down, CONTROL)
    assert view.grid.focus() == Cell(FIRST + 3, LITE2, "gradcam")
    assert len(view.selection()) == 1
    qtbot.keyClick(view.grid, Qt.Key.Key_Space)
    assert [cell.model for cell in view.selection()] == [LITE0, LITE2]
    qtbot.keyClick(view.grid, Qt.Key.Key_End)
    assert view.grid.focus() == Cell(FIRST + 33, LITE2, "gradcam")
    qtbot.keyClick(view.grid, Qt.Key.Key_Escape)
    assert heard.last("cells_selected") == ()


def test_enter_opens_the_map_large(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    view.tabs.show_tab("settings")
    cell = Cell(FIRST + 3, LITE2, "gradcam")
    click(qtbot, view, cell)
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    assert view.tabs.key() == "pair"
    assert view.selection() == (cell,)
    picture = view.tabs.pair.sides[0].canvas.picture
    assert picture is not None
    assert picture.identity == cell


def test_selection_outlives_the_arrangement(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    a = Cell(FIRST, LITE0, "gradcam")
    click(qtbot, view, a)
    view.set_method("scorecam")
    b = Cell(FIRST, LITE0, "scorecam")
    click(qtbot, view, b, CONTROL)
    assert heard.last("cells_selected") == (a, b)
    assert view.tabs.pair.sides[0].name.text().startswith("EfficientNet-Lite0 · GradCAM")


# -- arrangements and choosers


def test_choosers_hold_what_the_grid_does_not_show(view: SaliencyView) -> None:
    view.show()
    for arrangement, visible in (
        (MODELS_IMAGES, view.bar.method),
        (METHODS_IMAGES, view.bar.model),
        (MODELS_METHODS, view.bar.image),
    ):
        view.set_arrangement(arrangement)
        parts = (view.bar.method, view.bar.model, view.bar.image)
        assert [part for part in parts if part.isVisible()] == [visible]
    with pytest.raises(ValueError, match="round"):
        view.set_arrangement("round")


def test_choosing_by_hand_tells(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    view.bar.method.combo.activated.emit(view.bar.method.combo.findData("sobel"))
    assert heard.last("method_chosen") == "sobel"
    assert view.grid.grid_model.cell(0, 0) == Cell(FIRST, LITE0, "sobel")
    view.bar.group.button(1).click()
    assert heard.last("arranged") == METHODS_IMAGES
    view.bar.model.combo.activated.emit(2)
    assert heard.last("models_selected") == (VIT,)
    assert view.grid.grid_model.cell(0, 0) == Cell(FIRST, VIT, "gradcam")
    view.bar.group.button(2).click()
    view.bar.later.click()
    assert heard.last("image_focused") == FIRST + 3
    assert view.bar.image.combo.currentData() == FIRST + 3


def test_heads_choose(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    view.grid.row_pressed.emit(1, False)
    assert heard.last("models_selected") == (LITE2,)
    view.grid.row_pressed.emit(2, True)
    assert heard.last("models_selected") == (LITE2, VIT)
    view.grid.column_pressed.emit(4, False)
    assert heard.last("image_focused") == FIRST + 12
    view.set_arrangement(MODELS_METHODS)
    view.grid.column_pressed.emit(3, False)
    assert heard.last("method_chosen") == "scorecam"


def test_a_click_on_a_head_reaches_the_view(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    head = view.grid.verticalHeader()
    place = QPoint(20, head.sectionViewportPosition(1) + 10)
    qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard.last("models_selected") == (LITE2,)


def test_choosers_follow_the_focus(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    view.set_arrangement(MODELS_METHODS)
    click(qtbot, view, Cell(FIRST, LITE2, "scorecam"))
    view.set_arrangement(MODELS_IMAGES)
    assert view.bar.method.combo.currentData() == "scorecam"
    assert view.grid.focus() == Cell(FIRST, LITE2, "scorecam")


def test_refused_methods_are_named_below_and_in_the_settings(view: SaliencyView) -> None:
    view.set_arrangement(METHODS_IMAGES)
    assert "Rollout" in view.panel.note.text()
    assert view.tabs.settings.heading.text() == "6 methods left out"
    assert view.tabs.settings.refused.model.rowCount() == 6
    view.set_models((VIT,))
    assert view.panel.note.text() == ""
    assert "preset: correct" in view.bar.settings.text()


def test_a_missing_map_says_why_in_its_place(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    view.set_arrangement(MODELS_METHODS)
    model = view.grid.grid_model
    plan = model.plan
    assert plan is not None
    place = plan.place(Cell(FIRST, LITE0, "raw"))
    assert place is not None
    text = model.data(model.index(*place), Qt.ItemDataRole.ToolTipRole)
    assert made.REASON in str(text)


# -- how maps look


def test_opacity_and_colours_reach_the_pictures(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    cell = Cell(FIRST, LITE0, "gradcam")
    area = view.grid.visualRect(view.grid.grid_model.index(0, 0)).adjusted(12, 12, -12, -30)

    def drawn() -> np.ndarray:
        return pixels_of(view.grid.viewport().grab(area).toImage()).astype(int)

    view.look.opacity.setValue(0)
    plain = drawn()
    assert (plain.std(axis=(0, 1)) < 1).all()  # one colour
    view.look.opacity.setValue(100)
    viridis = drawn()
    assert viridis.std() > 10
    view.look.colours.setCurrentIndex(view.look.colours.findData("inferno"))
    assert np.abs(drawn() - viridis).mean() > 5
    view.look.mode.setCurrentIndex(view.look.mode.findData("image"))
    assert (drawn() == plain).all()
    assert not view.look.opacity.isEnabled()
    assert cell in view.grid.grid_model.maps


def test_pictures_change_size_by_button_and_key(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    before = view.grid.picture_size
    view.look.larger.click()
    larger = view.grid.picture_size
    qtbot.keyClick(view.grid, Qt.Key.Key_Minus)
    assert larger > before == view.grid.picture_size


# -- side by side


def test_one_scale_for_both_spans_both(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    a, b = Cell(FIRST, LITE0, "gradcam"), Cell(FIRST + 3, VIT, "gradcam")
    maps = made.maps([a, b])
    maps[b] = dataclasses.replace(maps[b], values=maps[b].values * 5)
    view.show_maps(maps)
    click(qtbot, view, a)
    click(qtbot, view, b, CONTROL)
    pair = view.tabs.pair
    assert pair.common.isEnabled()
    pair.common.setChecked(True)
    pictures = [side.canvas.picture for side in pair.sides]
    spans = {picture.span for picture in pictures if picture is not None}
    low = min(float(maps[c].values.min()) for c in (a, b))
    assert spans == {(low, float(maps[b].values.max()))}
    click(qtbot, view, Cell(FIRST, LITE2, "gradcam"))
    assert not pair.common.isEnabled()


# -- curves


def with_curves(qtbot: QtBot, view: SaliencyView, cells: list[Cell]) -> Heard:
    heard = shown(qtbot, view)
    view.tabs.show_tab("curves")
    click(qtbot, view, cells[0])
    for cell in cells[1:]:
        click(qtbot, view, cell, CONTROL)
    view.show_curves(made.curves(cells))
    return heard


CELLS = [Cell(FIRST, LITE0, "gradcam"), Cell(FIRST, LITE2, "gradcam")]


def test_the_scrubber_asks_for_the_step_it_stands_at(qtbot: QtBot, view: SaliencyView) -> None:
    heard = with_curves(qtbot, view, CELLS)
    curves = view.tabs.curves
    plot = curves.plots["deletion"]
    for share in (0.1, 0.2, 0.25):
        plot.canvas.line_dragged.emit(plot.scrubber, share)
    qtbot.waitUntil(lambda: ("step_needed", (CELLS[0], "deletion", 56)) in heard.told)
    assert (CELLS[0], "deletion", 22) not in heard.all("step_needed")  # passed on the way
    assert plot.scrubber.value() == 0.25
    assert curves.line.text().startswith("deletion, step 56 of 224: 25 % of the pixels gone")


def test_keys_move_the_scrubber_and_change_the_map(qtbot: QtBot, view: SaliencyView) -> None:
    heard = with_curves(qtbot, view, CELLS)
    curves = view.tabs.curves
    canvas = curves.plots["insertion"].canvas
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert curves.active() == (CELLS[0], "insertion", 1)
    qtbot.keyClick(canvas, Qt.Key.Key_Right, SHIFT)
    assert curves.active()[2] == 11
    for _ in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_Left, SHIFT)
    assert curves.active()[2] == 0
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert curves.active()[0] == CELLS[1]
    qtbot.waitUntil(lambda: ("step_needed", (CELLS[1], "insertion", 0)) in heard.told)
    curves.legend.chips[0].click()
    assert curves.active()[0] == CELLS[0]


def test_the_picture_of_another_curve_is_not_shown(qtbot: QtBot, view: SaliencyView) -> None:
    with_curves(qtbot, view, CELLS)
    curves = view.tabs.curves
    pixels = np.full((8, 8, 3), 200, np.uint8)
    view.show_step(StepPicture(CELLS[1], "insertion", 0, pixels))
    assert curves.picture.pixmap() is None
    view.show_step(StepPicture(CELLS[0], "insertion", 0, pixels))
    pixmap = curves.picture.pixmap()
    assert pixmap is not None
    assert (pixels_of(pixmap.toImage()) == pixels).all()


def test_curves_have_the_colours_of_the_selection_and_null_maps_are_dashed(
    qtbot: QtBot, view: SaliencyView
) -> None:
    view.set_arrangement(METHODS_IMAGES)
    cells = [Cell(FIRST, LITE0, "gradcam"), Cell(FIRST, LITE0, "gradcam++")]
    with_curves(qtbot, view, cells)
    curves = view.tabs.curves
    lines = curves._lines("insertion", cells)
    assert [line.colour.name() for line in lines] == ["#0072b2", "#d55e00"]
    assert [line.dashed for line in lines] == [False, False]
    means = curves._means("insertion")
    assert [mean.dashed for mean in means] == [False, False, True, True]
    curves.with_means.setChecked(False)
    assert curves._means("insertion") == []
    assert [chip.text().split("   ")[0] for chip in curves.legend.chips] == ["GradCAM", "GradCAM++"]
    assert curves.table is not None
    assert curves.table.model.rowCount() == 4


def test_without_curves_it_says_what_would_be_here(qtbot: QtBot, view: SaliencyView) -> None:
    with_curves(qtbot, view, CELLS)
    assert view.tabs.curves.splitter.isVisible()
    view.show_curves(made.curves([]))
    assert view.tabs.curves.empty.isVisible()
    assert "no curve of the selected maps" in view.tabs.curves.empty.sentence.text()


def test_earlier_curves_stay_for_a_moment_while_others_are_read(
    qtbot: QtBot, view: SaliencyView
) -> None:
    with_curves(qtbot, view, CELLS[:1])
    curves = view.tabs.curves
    other = Cell(FIRST + 3, LITE2, "gradcam")
    click(qtbot, view, other)
    assert curves.splitter.isVisible()
    view.show_curves(made.curves([other]))
    assert curves.active()[0] == other
    click(qtbot, view, CELLS[0])
    qtbot.waitUntil(curves.empty.isVisible)
    assert "are being read" in curves.empty.sentence.text()


# -- faithfulness


def test_the_best_is_bold_only_where_the_test_says_so(view: SaliencyView) -> None:
    view.show_summary(made.summary())
    metrics = view.tabs.metrics
    table = metrics.twin.table
    delegate = table.itemDelegate()
    model = metrics.twin.model
    row = model.row_of((LITE0, "gradcam"))
    words = delegate.words(model.index(row, 0))  # type: ignore[attr-defined]
    assert words.startswith("Average drop ↓: 0.08 [")
    assert "mean of 100 images" in words
    assert "told from every other by the paired test" in words
    level = delegate.words(model.index(row, 2))  # type: ignore[attr-defined]
    assert "not told from the best" in level
    other = delegate.words(model.index(row, 1))  # type: ignore[attr-defined]
    assert "\n" not in other
    head = metrics._head(model.row_of((LITE0, "sobel")))
    assert head is not None
    assert (head.second, head.chance) == ("chance", True)


def test_bold_is_drawn(qtbot: QtBot, view: SaliencyView) -> None:
    summary = made.summary()
    shown(qtbot, view)
    view.tabs.show_tab("metrics")
    view.set_method("sobel")  # another row has the highlight

    def ink(best: bool) -> int:
        marked = dataclasses.replace(summary, best=np.full_like(summary.best, best))
        view.show_summary(marked)
        metrics = view.tabs.metrics
        index = metrics.twin.model.index(0, 1)
        area = metrics.twin.table.visualRect(index)
        pixels = pixels_of(metrics.twin.table.viewport().grab(area).toImage())
        return int((255 - pixels.astype(int)).sum())

    assert ink(True) > ink(False)


def test_tables_follow_the_model_and_the_method(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    view.show_summary(made.summary())
    metrics = view.tabs.metrics
    assert metrics.twin.model.rowCount() == 7
    view.set_models((VIT,))
    assert metrics.title.text() == f"Faithfulness: {VIT}"
    assert metrics.twin.model.rowCount() == 10
    metrics.twin.row_focused.emit((VIT, "rollout"))
    assert heard.last("method_chosen") == "rollout"
    metrics.kind.setCurrentIndex(1)
    metrics.kind.activated.emit(1)
    assert metrics.title.text() == "Faithfulness: Rollout"
    assert metrics.twin.model.shown_ids() == [(VIT, "rollout")]
    view.set_method("gradcam")
    assert metrics.twin.model.rowCount() == 3


def test_table_copies_numbers_in_full(view: SaliencyView) -> None:
    view.show_summary(made.summary())
    text = view.tabs.metrics.twin.model.tab_separated([0])
    header, first = text.splitlines()
    assert header.split("\t")[:4] == [
        "id", "average-drop", "average-drop_low", "average-drop_high",
    ]  # fmt: skip
    assert first.startswith("EfficientNet-Lite0 ~ gradcam\t0.08\t")


def test_differences_open_both_maps(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    view.show_summary(made.summary())
    view.show_comparisons(made.comparisons())
    differences = view.tabs.differences
    assert differences.twin.model.rowCount() == 3
    told = next(c for c in differences.twin.model.columns if c.key == "told")
    assert told.values.tolist() == ["no", "yes", "yes"]
    differences.kind.setCurrentIndex(2)
    differences.kind.activated.emit(2)
    assert differences.twin.model.shown_ids() == [2]
    differences.twin.row_activated.emit(2)
    expected = (Cell(FIRST, LITE0, "gradcam"), Cell(FIRST, LITE2, "gradcam"))
    assert heard.last("cells_selected") == expected
    assert view.tabs.key() == "pair"


# -- depth


def test_attention_is_asked_for_once_it_is_looked_at(qtbot: QtBot, view: SaliencyView) -> None:
    heard = shown(qtbot, view)
    assert heard.all("depth_needed") == []
    view.tabs.show_tab("attention")
    assert heard.all("depth_needed") == [(FIRST, VIT)]
    view.show_depth(made.depth(FIRST))
    depth = view.tabs.attention
    assert depth.slider.maximum() == 11
    assert depth.slider.value() == 11
    assert len(depth.heads.grid_model.items) == 6
    view.set_image(FIRST + 3)
    assert heard.all("depth_needed") == [(FIRST, VIT), (FIRST + 3, VIT)]
    view.show_depth(made.depth(FIRST))  # late: the focus has moved on
    assert depth.shown is not None
    view.show_depth(made.depth(FIRST + 3))
    assert depth.shown.image == FIRST + 3


def test_layers_slide_and_heads_are_shown_large(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    view.tabs.show_tab("attention")
    data = made.depth(FIRST)
    view.show_depth(data)
    depth = view.tabs.attention
    depth.slider.setValue(2)
    depth.heads.item_focused.emit((2, 4))
    picture = depth.canvas.picture
    assert picture is not None
    assert (picture.values == data.values[2, 4]).all()
    depth.deeper.click()
    picture = depth.canvas.picture
    assert picture is not None
    assert (picture.values == data.values[3, 4]).all()
    assert "layer 4 of 12: blocks.3.attn" in depth.layer.text()


def test_more_of_the_same_run_leaves_attention_where_it_is(
    qtbot: QtBot, view: SaliencyView
) -> None:
    heard = shown(qtbot, view)
    view.tabs.show_tab("attention")
    view.show_depth(made.depth(FIRST))
    view.tabs.attention.set_layer(3)
    view.show_index(made.index())
    assert view.tabs.attention.slider.value() == 3
    assert heard.all("depth_needed") == [(FIRST, VIT)]


def test_a_run_without_transformers_says_so(view: SaliencyView) -> None:
    view.show_index(dataclasses.replace(made.index(run=20), depth_models=()))
    assert "No model of this run keeps its attention" in view.tabs.attention.empty.sentence.text()


# -- a picture outside of any run


def test_an_explanation_is_shown_at_once_and_gone_back_from(
    qtbot: QtBot, view: SaliencyView
) -> None:
    heard = shown(qtbot, view)
    cell = Cell(FIRST + 3, LITE2, "gradcam")
    click(qtbot, view, cell)
    heard.told.clear()
    view.show_explanation(made.explanation())
    assert view.bar.banner.isVisible()
    assert view.bar.banner_text.text().startswith("holiday.jpg, not part of a run: 10 methods")
    assert "its weights are not there" in view.bar.problems.text()
    assert view.arrangement() == MODELS_METHODS
    assert [c.image for c in view.selection()] == [OUTSIDE, OUTSIDE]
    assert view.tabs.pair.sides[1].canvas.picture is not None
    assert not view.tabs.isTabVisible(1)
    click(qtbot, view, Cell(OUTSIDE, VIT, "rollout"))
    view.tabs.show_tab("attention")
    assert view.tabs.attention.shown is not None
    assert heard.told == []
    view.bar.back.click()
    assert heard.all("back_requested") == [None]
    assert view.arrangement() == MODELS_IMAGES
    assert view.selection() == (cell,)
    assert view.chosen().image == FIRST + 3
    assert not view.bar.banner.isVisible()
    qtbot.waitUntil(lambda: bool(heard.all("maps_needed")))


def test_an_image_chosen_elsewhere_meanwhile_is_in_focus_afterwards(view: SaliencyView) -> None:
    view.show_explanation(made.explanation())
    view.set_image(FIRST + 6)
    assert view.chosen().image == OUTSIDE
    view.show_explanation(None)
    assert view.chosen().image == FIRST + 6


def test_an_explained_picture_of_the_project_is_no_map_of_the_run(
    qtbot: QtBot, view: SaliencyView
) -> None:
    shown(qtbot, view)
    cell = Cell(FIRST, LITE0, "gradcam")
    mine = dataclasses.replace(made.saliency_map(cell), class_name="other class")
    one = made.explanation()
    index = dataclasses.replace(one.index, images=np.array([FIRST]))
    view.show_explanation(dataclasses.replace(one, index=index, maps=(mine,)))
    found = view.grid.grid_model.maps.get(cell)
    assert found is not None
    assert found.class_name == "other class"
    view.show_explanation(None)
    assert view.grid.grid_model.maps.get(cell) is None


def test_an_explanation_needs_no_run(qtbot: QtBot) -> None:
    view = SaliencyView()
    qtbot.addWidget(view)
    view.show_explanation(made.explanation())
    assert view.stack.currentIndex() == 1
    view.show_index(None)
    assert view.stack.currentIndex() == 1
    view.show_explanation(None)
    assert view.stack.currentIndex() == 0


# -- all together


def test_exports_name_their_figures(qtbot: QtBot, view: SaliencyView) -> None:
    heard = Heard(view)
    view.show_summary(made.summary())
    for panel, figure in (
        (view.panel, "saliency"),
        (view.tabs.curves, "curves"),
        (view.tabs.metrics, "faithfulness"),
        (view.tabs.attention, "attention-depth"),
    ):
        action = next(a for a in panel.menu.actions() if a.data() == "svg")
        panel.menu.triggered.emit(action)
        assert heard.last("export_requested") == (figure, "svg")


def test_everything_has_a_name(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    for kind in (QComboBox, QSlider, QTableView):
        for part in view.findChildren(kind):
            assert part.accessibleName(), part
    for button in view.findChildren(QAbstractButton):
        named = button.accessibleName() or button.text() or button.metaObject().className()
        assert named, button


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_window_in_both_schemes(
    qtbot: QtBot, view: SaliencyView, scheme: str, qapp: QApplication
) -> None:
    theme().set_scheme(scheme)
    try:
        view.resize(800, 640)
        shown(qtbot, view)
        view.show_summary(made.summary())
        view.show_comparisons(made.comparisons())
        for key in ("pair", "curves", "metrics", "differences", "attention", "settings"):
            view.tabs.show_tab(key)
            assert not view.grab().isNull()
        assert view.minimumSizeHint().width() <= 800
        assert view.minimumSizeHint().height() <= 640
    finally:
        theme().set_scheme("light")


def test_without_a_run_there_is_no_way_back(qtbot: QtBot) -> None:
    view = SaliencyView()
    qtbot.addWidget(view)
    view.show()
    view.show_explanation(made.explanation())
    assert view.bar.banner.isVisible()
    assert not view.bar.back.isVisible()
