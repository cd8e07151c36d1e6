"""The semantics view: what it asks for, layers and separability."""

from __future__ import annotations

import dataclasses

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from analysis.figures.words import number
from app.views.semantics_view import SemanticsView
from tests.app.views import made_semantics as made
from tests.app.views.semantics.steps import DEEPEST, Heard, fill, show

# -- setters and questions


def test_setters_are_silent_where_the_view_is_not_seen(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    view.show_pair(made.projected())
    view.show_examples(7, made.examples(7))
    view.set_concept("fur")
    view.set_layers(made.LAYERS_A[3].name, made.LAYERS_B[2].name)
    view.set_threshold(0.75)
    view.set_pair(3, 4)
    view.set_model(made.MODEL_B)
    view.set_layer(made.LAYERS_B[2].name)
    view.set_concept_set(12)
    QApplication.processEvents()
    assert heard.told == []
    assert view.concept() == "fur"
    assert view.mask_layers() == (made.LAYERS_A[3].name, made.LAYERS_B[2].name)
    assert view.tcav_choice() == (made.MODEL_B, made.LAYERS_B[2].name)
    assert view.concept_set() == 12


def test_each_tab_asks_once_for_what_it_lacks(view: SemanticsView, heard: Heard) -> None:
    view.show_index(made.index())
    view.show_sets(made.concept_sets())
    show(view)
    assert heard.told == [("concept_chosen", ("",))]
    view.show_tab("found")
    QApplication.processEvents()
    assert heard.told[1:] == [("layers_chosen", DEEPEST)]
    view.show_masks(made.masks())
    QApplication.processEvents()
    # The best match: its concepts have the number 2, though they stand in row 0.
    assert heard.told[2:] == [("pair_chosen", (2, 2))]
    view.show_pair(made.projected())
    view.show_tab("classes")
    QApplication.processEvents()
    # Not the last one: there all images of a class have the same gradient.
    late = min(made.index().layers[0], key=lambda layer: abs(layer.depth - 0.9)).name
    assert late != DEEPEST[0]
    assert heard.told[3:] == [("layer_chosen", (late,))]
    assert view.tcav_choice() == (made.MODEL_A, late)
    view.show_tab("concepts")
    QApplication.processEvents()
    assert heard.told[4:] == [("examples_wanted", (7,))]
    view.show_tab("layers")
    view.show_tab("found")
    QApplication.processEvents()
    assert len(heard.told) == 5  # asked already


def test_a_concept_set_elsewhere_is_asked_for_each_time(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    show(view)
    for concept in ("fur", "sky", "fur"):
        view.set_concept(concept)
        QApplication.processEvents()
    assert heard.all("concept_chosen") == [("fur",), ("sky",), ("fur",)]
    view.set_concept("no such concept")
    QApplication.processEvents()
    assert view.concept() == "fur"


def test_more_of_the_same_run_keeps_what_is_chosen(view: SemanticsView) -> None:
    fill(view)
    view.set_pair(4, 5)
    view.set_threshold(0.75)
    view.show_index(made.index())
    assert view.mask_pair() == (4, 5)
    assert view.threshold() == 0.75
    assert view.space.data is not None
    view.show_index(made.index(run=12))
    assert view.mask_pair() is None
    assert view.threshold() == 0.5  # the first of the run's thresholds
    assert view.space.data is None


# -- layers


def test_cells_no_better_than_chance_are_hatched(view: SemanticsView) -> None:
    fill(view)
    data, drawn = made.space(), view.space.heatmap.data
    assert drawn is not None
    above = drawn.above_chance()
    for row in range(len(data.layers_a)):
        for column in range(len(data.layers_b)):
            value, p = data.pearson[row, column], data.p_adjusted[row, column]
            wanted = bool(np.isfinite(value) and value > 0.24 and p < 0.05)
            assert above[row, column] == wanted
    hatched = int((np.isfinite(data.pearson) & ~above).sum())
    assert hatched > 0
    assert f"{hatched} pairs no better than chance" in view.space.note.text()
    assert "2 pairs without a concept" in view.space.note.text()


def test_measure_and_axes_are_the_views_own(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    space = view.space
    space.measure.setCurrentIndex(1)
    space.measure.activated.emit(1)
    assert space.heatmap.data is not None
    assert np.array_equal(space.heatmap.data.values, made.space().spearman, equal_nan=True)
    space.axis.setCurrentIndex(1)
    space.axis.activated.emit(1)
    assert space.heatmap.row_axis.names == tuple(number(one.depth) for one in made.LAYERS_A)
    assert space.heatmap.row_axis.full_names == tuple(one.name for one in made.LAYERS_A)
    assert heard.told == []


def test_a_concept_chosen_by_hand_is_told_and_linked(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    combo = view.space.chooser.combo
    assert [combo.itemData(i) for i in range(combo.count())] == ["", *made.CONCEPTS]
    combo.setCurrentIndex(3)
    combo.activated.emit(3)
    assert heard.told == [("concept_chosen", ("grass",))]
    assert view.separability.concept_name == "grass"
    front = [one.identity for one in view.separability.plots[0].series if one.front]
    assert front == ["grass"]
    view.show_space(made.space("sky"))  # late: another concept was chosen since
    assert view.concept() == "grass"
    assert view.space.data is not None
    assert view.space.data.concept == ""
    view.show_space(made.space("grass"))
    assert view.space.data.concept == "grass"


def test_an_earlier_matrix_does_not_stay_under_another_name(
    view: SemanticsView, qtbot: QtBot
) -> None:
    fill(view)
    show(view)
    view.set_concept("fur")
    assert view.space.stack.currentWidget() is view.space.plot
    qtbot.waitUntil(lambda: view.space.stack.currentWidget() is view.space.empty, timeout=2000)
    assert not view.space.head.isHidden()  # another concept can still be chosen
    view.set_concept("")
    assert view.space.stack.currentWidget() is view.space.plot


def test_a_pair_of_layers_is_read_and_opened(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    view.space.heatmap._go((7, 5))
    data = made.space()
    text = view.space.line.text()
    assert f"{made.LAYERS_A[7].name} ~ {made.MODEL_B} · {made.LAYERS_B[5].name}" in text
    assert number(float(data.pearson[7, 5])) in text
    assert "chance 0.24" in text
    assert view.space.table is not None
    assert view.space.table.focus() == (made.LAYERS_A[7].name, made.LAYERS_B[5].name)
    opened = (made.LAYERS_A[7].name, made.LAYERS_B[5].name)
    view.space.heatmap.cell_activated.emit(*opened)
    assert view.tab() == "found"
    assert heard.all("layers_chosen") == [opened]
    assert view.mask_layers() == opened
    view.show_tab("layers")
    view.space.heatmap.cell_activated.emit(made.LAYERS_A[0].name, made.LAYERS_B[0].name)
    assert view.tab() == "layers"
    assert "No concepts were found" in view.space.line.text()


def test_a_cell_without_a_number_says_why(view: SemanticsView) -> None:
    fill(view)
    view.space.heatmap._go((0, 0))
    assert "no number, since no concept is told apart in both layers" in view.space.line.text()


def test_the_tables_hold_what_a_run_has_measured_besides(view: SemanticsView) -> None:
    fill(view)
    space, apart = view.space.table, view.separability.table
    assert space is not None
    assert apart is not None
    assert "fisher" not in [column.key for column in space.model.columns]
    fisher = made.space().pearson + 0.01
    view.show_space(dataclasses.replace(made.space(), fisher=fisher))
    shown = {column.key: column.values for column in space.model.columns}
    assert np.array_equal(shown["fisher"], fisher.ravel(), equal_nan=True)
    both = [made.separability(model) for model in (made.MODEL_A, made.MODEL_B)]
    both = [dataclasses.replace(data, auc=data.accuracy + 0.001) for data in both]
    view.show_separability(both[0], both[1])
    shown = {column.key: column.values for column in apart.model.columns}
    assert np.array_equal(shown["auc"], np.concatenate([data.auc.ravel() for data in both]))
    assert len(apart.model.ids) == len(made.CONCEPTS) * (len(made.LAYERS_A) + len(made.LAYERS_B))


# -- separability


def test_separability_shows_both_models_and_what_is_not_used(
    view: SemanticsView, heard: Heard
) -> None:
    fill(view)
    for plot, model in zip(view.separability.plots, (made.MODEL_A, made.MODEL_B), strict=True):
        data = made.separability(model)
        curves = {one.identity: one for one in plot.series if one.symbol}
        assert tuple(curves) == made.CONCEPTS
        for row, concept in enumerate(made.CONCEPTS):
            assert np.array_equal(curves[concept].y, data.accuracy[row])
            assert np.array_equal(np.asarray(curves[concept].solid), data.accuracy[row] > 0.6)
            assert np.array_equal(curves[concept].x, [one.depth for one in data.layers])
    legend = view.separability.legend
    assert [legend.item(i).text() for i in range(legend.count())] == [
        "all of them",
        *made.CONCEPTS,
    ]
    legend.setCurrentRow(2)
    assert heard.told == [("concept_chosen", ("wheel",))]
    assert view.concept() == "wheel"
    view.separability.plots[1].series_pressed.emit("fur", 3)
    assert heard.told[1:] == [("concept_chosen", ("fur",))]
    view.separability.plots[1].point_hovered.emit("sky", 0)
    text = view.separability.line.text()
    assert text.startswith(f"sky in {made.MODEL_B} · {made.LAYERS_B[0].name}")
    assert "its vector is not used" in text


def test_separability_is_walked_with_keys(view: SemanticsView, qtbot: QtBot) -> None:
    fill(view)
    show(view)
    canvas = view.separability.plots[1].canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert view.concept() == made.CONCEPTS[0]
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    told = canvas.accessibleDescription()
    assert told.startswith(f"striped in {made.MODEL_B} · {made.LAYERS_B[1].name}")


def test_one_model_is_shown_once(view: SemanticsView) -> None:
    view.show_index(made.index(same=True, trained=(True, True)))
    view.show_separability(made.separability(), made.separability())
    assert not view.separability.plots[0].isHidden()
    assert view.separability.plots[1].isHidden()
    assert view.tcav.model.isHidden()
