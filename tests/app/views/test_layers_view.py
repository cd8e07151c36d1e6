"""The layers view: what it tells, says and shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from analysis.figures.data import LayerSimilarity
from analysis.figures.words import number
from app.views.layers_view import LayersView
from app.views.layers_words import chosen_pair, pair_line

LAYERS_A = ("stem", "blocks.1", "blocks.2", "penultimate")
LAYERS_B = ("stem", "blocks.1", "blocks.2", "blocks.3", "penultimate")
Make = Callable[..., LayerSimilarity]


@pytest.fixture
def view(qtbot: QtBot, make_layers: Make) -> LayersView:
    view = LayersView()
    qtbot.addWidget(view)
    view.resize(900, 640)
    view.show_data(make_layers(LAYERS_A, LAYERS_B, holes=1))
    with qtbot.waitExposed(view):
        view.show()
    view.grab()
    return view


def test_hover_line_names_the_pair_its_interval_and_chance(make_layers: Make) -> None:
    data = make_layers(LAYERS_A, LAYERS_B)
    data.values[1, 2], data.ci_low[1, 2], data.ci_high[1, 2] = 0.714, 0.65, 0.77
    data.null_95[1, 2] = 0.34
    assert pair_line(data, "blocks.1", "blocks.2") == (
        "EfficientNet-Lite0 · blocks.1 ~ EfficientNet-Lite2 · blocks.2: "
        "MMCS 0.71 [0.65, 0.77], chance 0.34, 10 classes"
    )
    data.values[1, 2] = 0.3
    assert "no better than chance" in pair_line(data, "blocks.1", "blocks.2")
    data.values[1, 2] = np.nan
    assert pair_line(data, "blocks.1", "blocks.2").endswith(": not computed yet.")


def test_the_pair_for_the_inspector(qtbot: QtBot, view: LayersView, make_layers: Make) -> None:
    data = make_layers(LAYERS_A, LAYERS_B)
    a, b = data.layers_a[1], data.layers_b[2]
    chosen = chosen_pair(data, a, b)
    assert chosen is not None
    readings = {reading.name: reading.value for reading in chosen.readings}
    assert chosen.title == f"{a} ~ {b}"
    assert readings["chance"] == number(float(data.null_95[1, 2]))
    best = data.layers_b[int(np.nanargmax(data.values[1]))]
    assert readings["A is most like"].startswith(best)
    assert all(reading.meaning for reading in chosen.readings)
    assert chosen_pair(data, "no such layer", b) is None
    told = []
    view.chosen_changed.connect(told.append)
    view.heatmap.cell_focused.emit(a, b)
    view.set_pair(a, b)
    assert told[-1] == chosen_pair(view.data, a, b)
    view.show_data(None)
    assert told[-1] is None


def test_hovering_says_the_pair_and_goes_back_to_the_kept_one(
    qtbot: QtBot, view: LayersView
) -> None:
    view.set_pair("stem", "stem")
    kept = view.line.text()
    x, y = view.heatmap.canvas.to_pixels(np.array([3.5]), np.array([2.5]))
    viewport = view.heatmap.canvas.viewport()
    with qtbot.waitSignal(view.pair_hovered) as caught:
        qtbot.mouseMove(viewport, QPoint(round(x[0]), round(y[0])))
    assert caught.args == ["blocks.2", "blocks.3"]
    assert "blocks.3" in view.line.text()
    qtbot.mouseMove(viewport, QPoint(1, 1))
    assert view.line.text() == kept


def test_enter_opens_the_pair_under_the_crosshair(qtbot: QtBot, view: LayersView) -> None:
    view.set_pair("stem", "blocks.1")
    with qtbot.waitSignal(view.pair_focused) as caught:
        qtbot.keyClick(view.heatmap.canvas, Qt.Key.Key_Up)
    assert caught.args == ["blocks.1", "blocks.1"]
    assert view.table.focus() == ("blocks.1", "blocks.1")
    with qtbot.waitSignal(view.pair_activated) as caught:
        qtbot.keyClick(view.heatmap.canvas, Qt.Key.Key_Return)
    assert caught.args == ["blocks.1", "blocks.1"]


def test_table_twin_follows_and_leads(qtbot: QtBot, view: LayersView) -> None:
    view.panel.table_button.click()
    assert view.table.isVisible()
    view.table.table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    best = view.table.model.id_at(0)
    view.set_pair("penultimate", "penultimate")
    with qtbot.waitSignal(view.pair_focused) as caught:
        view.table.table.selectRow(0)
    assert tuple(caught.args) == best
    assert view.heatmap.cell_names() == best


def test_setters_are_silent(qtbot: QtBot, view: LayersView, make_layers: Make) -> None:
    with (
        qtbot.assertNotEmitted(view.pair_focused),
        qtbot.assertNotEmitted(view.measure_changed),
        qtbot.assertNotEmitted(view.pair_activated),
    ):
        view.set_pair("stem", "blocks.3")
        view.set_pair("no such layer", None)
        view.show_data(dataclasses.replace(make_layers(LAYERS_A, LAYERS_B), measure="cka"))
    assert view.measure.currentText() == "CKA"


def test_choosing_a_measure_is_a_wish(qtbot: QtBot, view: LayersView) -> None:
    with qtbot.waitSignal(view.measure_changed) as caught:
        view.measure.setFocus()
        qtbot.keyClick(view.measure, Qt.Key.Key_Down)
    assert caught.args == ["mmcs_spearman"]


def test_partial_results_say_how_far_they_are(view: LayersView, make_layers: Make) -> None:
    data = make_layers(LAYERS_A, LAYERS_B, holes=2)
    view.show_data(dataclasses.replace(data, classes_done=3, classes_total=10))
    assert view.progress.text() == "3 of 10 classes"
    assert "2 pairs not computed yet" in view.panel.note.text()


def test_a_measure_that_an_earlier_run_lacks_is_said(view: LayersView, make_layers: Make) -> None:
    data = make_layers(LAYERS_A, LAYERS_B)
    none = np.full_like(data.values, np.nan)
    view.show_data(dataclasses.replace(data, measure="rsa", values=none, null_95=none))
    assert view.measure.currentText() == "RSA"
    assert "This run has no RSA" in view.panel.note.text()
    assert "not computed yet" not in view.panel.note.text()


def test_a_run_of_before_says_that_chance_and_interval_are_missing(
    view: LayersView, make_layers: Make
) -> None:
    data = make_layers(LAYERS_A, LAYERS_B)
    none = np.full_like(data.values, np.nan)
    old = dataclasses.replace(data, measure="cka", ci_low=none, ci_high=none, null_95=none)
    view.show_data(old)
    assert "Chance and intervals of CKA are not in this run" in view.panel.note.text()
    chosen = chosen_pair(old, LAYERS_A[0], LAYERS_B[0])
    assert chosen is not None
    assert "no interval" in chosen.readings[0].meaning
    assert "[" not in chosen.readings[0].value
    assert "is not in this run" in chosen.sentence
    view.show_data(dataclasses.replace(data, measure="cka"))
    assert "not in this run" not in view.panel.note.text()
    new = chosen_pair(view.data, LAYERS_A[0], LAYERS_B[0])
    assert new is not None
    assert "left out" in new.readings[0].meaning


def test_every_measure_can_be_chosen_and_says_what_it_is(view: LayersView) -> None:
    from analysis.figures.readers import LAYER_MEASURES

    boxed = [view.measure.itemData(place) for place in range(view.measure.count())]
    assert boxed == list(LAYER_MEASURES)
    for place in range(view.measure.count()):
        assert view.measure.itemData(place, Qt.ItemDataRole.ToolTipRole)


def test_empty_view_offers_the_run(qtbot: QtBot, view: LayersView) -> None:
    view.show_data(None)
    assert view.panel.empty.isVisible()
    assert not view.heatmap.isVisible()
    with qtbot.waitSignal(view.action_requested) as caught:
        view.panel.empty.button.click()
    assert caught.args == ["run layers"]


def test_menu_copies_and_asks_for_exports(qtbot: QtBot, view: LayersView) -> None:
    asked: list[tuple[str, str]] = []
    view.export_requested.connect(lambda figure, form: asked.append((figure, form)))
    for action in view.panel.menu.actions():
        action.trigger()
    assert asked == [("layers", form) for form in ("svg", "pdf", "png", "csv", "json")]
    view.panel.copy_data()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 1 + len(LAYERS_A) * len(LAYERS_B)
    assert lines[1].startswith("stem ~ stem\tstem\tstem\t0.8")


def test_huge_names_do_not_widen_the_view(view: LayersView, make_layers: Make) -> None:
    long = tuple("module." * 80 + str(i) for i in range(4))
    data = dataclasses.replace(make_layers(long, long), model_a="M" * 400, model_b="N" * 400)
    view.show_data(data)
    view.set_pair(long[1], long[2])
    view.grab()
    assert view.minimumSizeHint().width() < 1100
    assert "M" * 400 in view.line.text()
