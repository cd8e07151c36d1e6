"""The tabs below the maps: curves with their scrubber, faithfulness, attention by depth."""

from __future__ import annotations

import dataclasses

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from analysis.figures.saliency_data import Cell, StepPicture
from app.views.saliency_layout import METHODS_IMAGES
from app.views.saliency_view import SaliencyView
from app.widgets.heat_pictures import pixels_of
from tests.app.views import made_saliency as made
from tests.app.views.saliency.steps import (
    CELLS,
    FIRST,
    LITE0,
    LITE2,
    SHIFT,
    VIT,
    click,
    shown,
    with_curves,
)

# -- curves


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
