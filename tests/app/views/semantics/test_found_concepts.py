"""The semantics view: concepts that were found, and TCAV."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from analysis.figures.words import number
from app.views.semantics_view import SemanticsView
from tests.app.views import made_semantics as made
from tests.app.views.semantics.steps import DEEPEST, Heard, fill, show

# -- found concepts


def test_the_slider_redraws_everything_at_once(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    view.show_pair(made.projected())
    view.set_pair(3, 3)
    show(view, "found")
    heard.told.clear()
    heatmap = view.found.matches.heatmap
    heatmap.plot.setRange(xRange=(0, 3), yRange=(0, 4), padding=0)
    seen = heatmap.plot.viewRange()
    data = made.masks()
    for step in (0, 5, 14):
        view.found.slider.setValue(step)
        threshold = made.THRESHOLDS[step]
        assert heatmap.data is not None
        assert np.array_equal(heatmap.data.values, data.ucs[step], equal_nan=True)
        assert heatmap.data.limits == (0.0, 0.9)  # of all thresholds, so that they compare
        assert view.found.robustness.lines.line.value() == pytest.approx(threshold)
        assert view.found.masks.grid.threshold == pytest.approx(threshold)
        assert heard.told[-1] == ("threshold_changed", (pytest.approx(threshold),))
        assert f"at {number(threshold)}" in view.found.matches.line.text()
        assert np.allclose(heatmap.plot.viewRange(), seen)
    assert len(heard.told) == 3
    table = view.found.matches.table
    assert table is not None
    shown = {column.key: column for column in table.model.columns}["ucs"].values
    assert np.array_equal(shown, data.ucs[14].ravel(), equal_nan=True)


def test_the_curve_moves_the_slider(view: SemanticsView, heard: Heard, qtbot: QtBot) -> None:
    fill(view)
    view.set_pair(2, 2)
    robustness = view.found.robustness
    robustness.lines.moved.emit(0.76)
    assert view.found.slider.value() == 14
    assert view.threshold() == pytest.approx(0.75)
    assert heard.told == [("threshold_changed", (pytest.approx(0.75),))]
    show(view, "found")
    qtbot.keyClick(robustness.lines.canvas, Qt.Key.Key_Left)
    assert view.threshold() == pytest.approx(0.7)
    curve = next(one for one in robustness.lines.series if one.front)
    assert np.array_equal(curve.y, made.masks().ucs[:, 0, 0])


def test_a_pair_is_chosen_by_its_numbers(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    matches = view.found.matches
    matches.heatmap.cell_focused.emit("5", "4")  # counted from 1 on the screen
    assert heard.told == [("pair_chosen", (4, 3))]
    assert view.mask_pair() == (4, 3)
    assert matches.pair == (2, 1)
    assert matches.table is not None
    assert matches.table.focus() == (2, 1)
    view.show_pair(made.projected(2, 2))  # late: of another pair
    assert view.found.masks.shown is None
    view.show_pair(made.projected(4, 3))
    assert view.found.masks.shown is not None
    matches.table.row_focused.emit((0, 1))
    assert heard.told[1:] == [("pair_chosen", (2, 3))]
    assert view.found.masks.shown is None  # those of the pair before are gone


def test_best_matches_are_walked_from_the_most_similar(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    matches = view.found.matches
    assert matches.rank.text() == "8 best matches"
    for _ in range(10):
        matches.later.click()
    assert heard.all("pair_chosen") == [(place + 2, place + 2) for place in range(8)]
    assert matches.rank.text() == "best match 8 of 8"
    assert not matches.later.isEnabled()
    assert np.array_equal(matches.heatmap.frames.matched, made.masks().matched[0])


def test_what_does_not_survive_correction_is_hatched(view: SemanticsView) -> None:
    fill(view)
    data = made.masks()
    p = np.where(data.ucs > 0.4, 0.001, 0.2)
    view.show_masks(dataclasses.replace(data, p_adjusted=p))
    heatmap = view.found.matches.heatmap
    for step in (0, 12):
        view.found.slider.setValue(step)
        assert heatmap.data is not None
        wanted = (data.ucs[step] > data.null_95[step]) & (data.ucs[step] > 0.4)
        assert np.array_equal(heatmap.data.above_chance(), wanted)
        amount = int((np.isfinite(data.ucs[step]) & ~wanted).sum())
        assert f"Hatched: {amount} pairs" in view.found.matches.note.text()
    view.set_pair(2, 2)
    curve = next(one for one in view.found.robustness.lines.series if one.front)
    assert curve.solid is not None
    assert np.array_equal(curve.solid, data.ucs[:, 0, 0] > 0.4)


def test_layers_of_found_concepts_are_chosen(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    combo = view.found.first.combo
    assert [combo.itemData(i) for i in range(combo.count())] == [
        one.name for one in made.LAYERS_A[3::4]
    ]
    combo.setCurrentIndex(0)
    combo.activated.emit(0)
    wanted = (made.LAYERS_A[3].name, DEEPEST[1])
    assert heard.told == [("layers_chosen", wanted)]
    view.show_masks(made.masks())  # late: of the layers before
    assert view.found.data is None
    view.show_masks(made.masks(*wanted))
    assert view.found.data is not None
    view.set_layers("no such layer", DEEPEST[1])
    assert view.mask_layers() == wanted


# -- TCAV


def test_bars_count_only_outside_of_random_concepts(view: SemanticsView) -> None:
    fill(view)
    data, drawn = made.tcav(), view.tcav.bars.data
    ranges = view.tcav.bars.ranges
    assert ranges is not None
    grey = drawn.columns[0].grey
    assert grey is not None
    assert len(drawn.rows) == len(made.CONCEPTS) * len(made.CLASSES)
    for place, row in enumerate(drawn.rows):
        assert isinstance(row.id, tuple)
        concept, name = row.id
        at = (made.CONCEPTS.index(concept), made.CLASSES.index(name))
        score = data.score[at]
        if concept == "planted cross":
            assert np.isnan(drawn.columns[0].values[place])
            assert "told apart no better than by chance" in ranges.reasons[place]
            continue
        assert ranges.reasons[place] == ""
        assert drawn.columns[0].values[place] == score
        assert (ranges.null_low[place], ranges.null_high[place]) == (0.31, 0.68)
        assert (ranges.low[place], ranges.high[place]) == (data.ci_low[at], data.ci_high[at])
        counts = not 0.31 <= score <= 0.68 and data.p_adjusted[at] < 0.05
        assert bool(grey[place]) == (not counts)


def test_scores_are_grouped_either_way_and_read(view: SemanticsView, qtbot: QtBot) -> None:
    fill(view)
    show(view, "classes")
    tcav = view.tcav
    assert tcav.bars.data.rows[1].section == "mammal"
    tcav.grouping.setCurrentIndex(1)
    tcav.grouping.activated.emit(1)
    assert tcav.bars.data.rows[1].section == "striped"
    tcav.bars.setFocus()
    qtbot.keyClick(tcav.bars, Qt.Key.Key_End)
    assert "cannot be used" in tcav.line.text()
    assert "cannot be used" in tcav.bars.accessibleDescription()
    qtbot.keyClick(tcav.bars, Qt.Key.Key_Home)
    assert "TCAV 0.93 [0.86, 0.99], random concepts give 0.31 to 0.68" in tcav.line.text()


def test_another_model_takes_the_layer_of_nearest_depth(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    tcav = view.tcav
    tcav.layer.combo.setCurrentIndex(5)
    tcav.layer.combo.activated.emit(5)
    assert heard.told == [("layer_chosen", (made.LAYERS_A[5].name,))]
    tcav.model.combo.setCurrentIndex(1)
    tcav.model.combo.activated.emit(1)
    depth = made.LAYERS_A[5].depth
    nearest = min(made.LAYERS_B, key=lambda one: abs(one.depth - depth)).name
    assert heard.told[1:] == [
        ("model_chosen", (made.MODEL_B,)),
        ("layer_chosen", (nearest,)),
    ]
    assert view.tcav_choice() == (made.MODEL_B, nearest)
    view.show_tcav(made.tcav())  # late: of the model before
    assert tcav.data is None
    assert not tcav.head.isHidden()  # another layer can still be chosen
    view.show_tcav(made.tcav(made.MODEL_B, nearest))
    assert tcav.data is not None
    assert "untrained" in tcav.note.text()
