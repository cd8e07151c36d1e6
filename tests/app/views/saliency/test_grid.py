"""The saliency view: cells by ids, lazy maps, linked choices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from analysis.figures.saliency_data import Cell
from app.views.saliency_layout import METHODS_IMAGES, MODELS_IMAGES, MODELS_METHODS
from app.views.saliency_view import SaliencyView
from app.widgets.heat_pictures import pixels_of
from tests.app.views import made_saliency as made
from tests.app.views.saliency.steps import (
    CONTROL,
    FIRST,
    LITE0,
    LITE2,
    SHIFT,
    VIT,
    Heard,
    click,
    shown,
)

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
    assert view.tabs.settings.left_out.model.rowCount() == 6
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
