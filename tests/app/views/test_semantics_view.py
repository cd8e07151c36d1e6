"""The semantics view: what it shows, what it tells, and what it asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from analysis.figures.words import number
from app.theme import theme
from app.views.semantics_view import TABS, SemanticsView
from app.widgets.empty_state import EmptyState
from app.widgets.plot_canvas import PlotCanvas
from tests.app.views import made_semantics as made

SIGNALS = (
    "concept_chosen", "layers_chosen", "threshold_changed", "pair_chosen", "model_chosen",
    "layer_chosen", "concept_set_focused", "set_added", "set_renamed", "set_removed",
    "examples_removed", "examples_turned", "examples_wanted", "export_requested",
    "action_requested",
)  # fmt: skip
DEEPEST = (made.LAYERS_A[11].name, made.LAYERS_B[8].name)


class Heard:
    """What a view has told."""

    def __init__(self, view: SemanticsView) -> None:
        self.told: list[tuple[str, tuple[object, ...]]] = []
        for name in SIGNALS:
            getattr(view, name).connect(self._listener(name))

    def _listener(self, name: str) -> Callable[..., None]:
        def listen(*what: object) -> None:
            self.told.append((name, what))

        return listen

    def all(self, name: str) -> list[tuple[object, ...]]:
        return [what for who, what in self.told if who == name]


@pytest.fixture
def view(qapp: QApplication, make_source: Callable) -> Iterator[SemanticsView]:
    before = theme().scheme
    made_view = SemanticsView()
    made_view.resize(1280, 860)
    made_view.set_source(make_source())
    yield made_view
    made_view.close()
    made_view.deleteLater()  # now, and not with the last test: a change of theme asks every widget
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    if theme().scheme != before:
        theme().set_scheme(before)


@pytest.fixture
def heard(view: SemanticsView) -> Heard:
    return Heard(view)


def fill(view: SemanticsView) -> None:
    view.show_index(made.index())
    view.show_space(made.space())
    view.show_separability(made.separability(), made.separability(made.MODEL_B))
    view.show_masks(made.masks())
    view.show_tcav(made.tcav())
    view.show_sets(made.concept_sets())


def show(view: SemanticsView, tab: str = "layers") -> None:
    view.show_tab(tab)
    view.show()
    QApplication.processEvents()


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


# -- what a run is, and what there is without one


def test_untrained_models_say_so(view: SemanticsView) -> None:
    view.show_index(made.index())
    assert f"{made.MODEL_B} is untrained" in view.bar.warning.text()
    assert view.bar.names[1].text() == f"{made.MODEL_B} (untrained)"
    view.show_space(made.space())
    assert view.space.heatmap.data is not None
    assert view.space.heatmap.data.column_title.endswith("(untrained)")
    assert not view.space.heatmap.data.row_title.endswith("(untrained)")
    view.show_index(dataclasses.replace(made.index(trained=(True, True)), left_out=()))
    assert view.bar.warning.isHidden()
    assert "untrained" not in view.bar.names[1].text()


def test_without_a_run_every_panel_says_what_to_do(view: SemanticsView, heard: Heard) -> None:
    show(view)
    assert view.bar.isHidden()
    for key, panel in (("layers", view.space), ("found", view.found.matches),
                       ("classes", view.tcav)):  # fmt: skip
        view.show_tab(key)
        QApplication.processEvents()
        assert isinstance(panel.stack.currentWidget(), EmptyState)
        seen = [one for one in view.findChildren(EmptyState) if one.button.isVisible()]
        assert seen == [panel.empty]  # one sentence, one button
        panel.empty.button.click()
    assert heard.all("action_requested") == [("run semantics",)] * 3
    view.show_tab("concepts")
    assert "Name one here" in view.editor.examples.empty.sentence.text()
    view.editor.other.click()
    assert heard.all("action_requested")[3:] == [("add concept",)]


def test_what_a_run_did_not_measure_is_said(view: SemanticsView, heard: Heard) -> None:
    index = dataclasses.replace(made.index(), mask_layers=((), ()), classes=())
    view.show_index(index)
    show(view, "found")
    assert "found no concepts in any layer" in view.found.matches.empty.sentence.text()
    view.show_tab("classes")
    QApplication.processEvents()
    assert "scored no class" in view.tcav.empty.sentence.text()
    view.found.matches.empty.button.click()
    assert heard.told == [("action_requested", ("run semantics",))]


def test_what_is_empty_in_a_run_is_said_and_others_can_be_chosen(view: SemanticsView) -> None:
    fill(view)
    nothing = np.zeros((0, 0))
    names = ("score", "ci_low", "ci_high", "null_low", "null_high", "p_adjusted")
    view.show_tcav(
        dataclasses.replace(
            made.tcav(), concepts=(), classes=(), separates=np.zeros(0, bool),
            **dict.fromkeys(names, nothing),
        )
    )  # fmt: skip
    assert "no scores in this layer" in view.tcav.empty.sentence.text()
    assert not view.tcav.head.isHidden()
    names = ("pearson", "spearman", "ci_low", "ci_high", "null_95", "p_adjusted")
    view.show_space(
        dataclasses.replace(made.space(), layers_a=(), layers_b=(), **dict.fromkeys(names, nothing))
    )
    assert "no similarity of layers for this concept" in view.space.empty.sentence.text()
    assert not view.space.head.isHidden()
    names = ("ucs", "ci_low", "ci_high", "null_95", "matched")
    empty = np.zeros((len(made.THRESHOLDS), 0, 0))
    view.show_masks(
        dataclasses.replace(
            made.masks(), concepts_a=(), concepts_b=(), **dict.fromkeys(names, empty)
        )
    )
    assert "not compared these two layers" in view.found.matches.empty.sentence.text()
    assert not view.found.bar.isHidden()
    assert view.mask_pair() is None
    view.show_masks(made.masks())
    assert view.found.matches.stack.currentWidget() is view.found.matches.plot


def test_settings_and_what_was_left_out(view: SemanticsView) -> None:
    fill(view)
    assert view.settings.heading.text() == "2 items left out"
    model = view.settings.left_out.model
    rows = [[model.columns[c].text(r) for c in range(2)] for r in range(model.rowCount())]
    assert rows == [list(one) for one in made.index().left_out]
    assert "random sets: 500" in view.bar.settings.text()


# -- access


def test_everything_has_a_name(view: SemanticsView) -> None:
    fill(view)
    view.show_pair(made.projected())
    view.show_examples(7, made.examples(7))
    nameless = []
    for kind in (QComboBox, QAbstractSlider, QAbstractItemView, PlotCanvas, QAbstractButton):
        for widget in view.findChildren(kind):
            assert isinstance(widget, QWidget)
            popup = widget.window() is not view or widget.objectName().startswith("qt_")
            unused = isinstance(widget, QScrollBar) or widget.isHidden()
            parents = (QComboBox, QAbstractItemView, QLineEdit, QTabBar)
            if unused or popup or isinstance(widget.parentWidget(), parents):
                continue
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not (widget.accessibleName() or text):
                nameless.append(widget)
    assert nameless == []


def test_it_fits_beside_the_docks_of_a_small_window(view: SemanticsView) -> None:
    fill(view)
    view.show_pair(made.projected())
    show(view)
    assert view.minimumSizeHint().width() <= 760
    assert view.minimumSizeHint().height() <= 560


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_draw_every_tab(view: SemanticsView, scheme: str) -> None:
    theme().set_scheme(scheme)
    fill(view)
    view.show_pair(made.projected())
    view.show_examples(7, made.examples(7))
    show(view)
    for key in TABS:
        view.show_tab(key)
        QApplication.processEvents()
        ground = theme().colour("window")
        picture = view.grab().toImage()
        assert picture.pixelColor(QPoint(2, 2)).lightness() == ground.lightness()


def test_every_figure_can_be_exported(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    view.set_pair(2, 2)
    view.show_pair(made.projected())
    panels = (view.space, view.separability, view.found.matches, view.found.robustness,
              view.found.masks, view.tcav)  # fmt: skip
    for panel in panels:
        next(a for a in panel.menu.actions() if a.data() == "svg").trigger()
    assert heard.all("export_requested") == [
        (name, "svg")
        for name in ("space-similarity", "separability", "mask-similarity", "robustness",
                     "mask-pair", "tcav")
    ]  # fmt: skip


def test_unknown_tabs_are_refused(view: SemanticsView) -> None:
    with pytest.raises(ValueError, match="no tab 'no such'"):
        view.show_tab("no such")
