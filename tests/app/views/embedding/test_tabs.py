"""The tabs beside the embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.views.embedding_view import EmbeddingView
from tests.app.views import made_embedding as made
from tests.app.views.embedding.steps import LEFT, listed

# -- tabs


def test_tabs_are_built_when_first_shown(qtbot: QtBot, view: EmbeddingView) -> None:
    assert list(view.tabs.contents) == ["profiles"]
    for key in ("loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
        assert not view.grab().isNull()
    assert len(view.tabs.contents) == 6


def test_a_concept_asks_for_its_counts_on_the_axis_shown(qtbot: QtBot, view: EmbeddingView) -> None:
    view.tabs.show_tab("loadings")
    view.grab()
    tab, told = view.tabs.contents["loadings"], listed(view.concept_requested)
    bars = tab.loadings.bars
    assert bars.data.rows[0].id == ("food", "material")
    place = bars.row_rectangle(("food", "object")).center().toPoint()
    qtbot.mouseClick(bars.viewport(), LEFT, pos=place)
    view.set_components(2, 1)
    assert told == [("food", "object", 1), ("food", "object", 2)]
    units = listed(view.show_units_requested)
    qtbot.keyClick(bars, Qt.Key.Key_Down)
    qtbot.keyClick(bars, Qt.Key.Key_Return)
    assert told[-1] == (*bars.focus(), 2)
    assert units == [(bars.focus()[0],)]


def test_counts_lie_against_their_component(qtbot: QtBot, view: EmbeddingView) -> None:
    view.tabs.show_tab("loadings")
    view.show_counts(made.counts(component=2))
    panel = view.tabs.contents["loadings"].counts
    assert panel.scatter.data is not None
    assert panel.scatter.data.x_title.startswith("PC2")
    assert panel.scatter.data.y.tolist() == [9, 7, 1, 0]
    assert panel.note.text() == (
        "Units of each model that know food (material): r −0.97 with PC2, 4 models."
    )
    with qtbot.waitSignal(view.show_units_requested) as caught:
        panel.units.click()
    assert caught.args == ["food"]
    view.show_counts(None)
    assert panel.stack.currentWidget() is panel.empty


def test_profiles_follow_the_selection_where_wanted(qtbot: QtBot, view: EmbeddingView) -> None:
    tab = view.tabs.contents["profiles"]
    panel = tab.profiles
    assert panel.shown_models() == ("Mid", "Low", "Zeta", "Alpha", "Newcomer")  # by group
    view.set_models(("Zeta", "Low"))
    assert len(panel.shown_models()) == 5
    panel.which.setCurrentIndex(1)
    assert panel.shown_models() == ("Low", "Zeta")
    objects = panel._column(made.profiles(), 0, [0, 3])
    assert objects.values.tolist() == [5, 7]
    assert objects.texts == ("5 · 2", "7 · 2")


def test_concepts_of_two_models_are_sorted_by_their_difference(
    qtbot: QtBot, view: EmbeddingView
) -> None:
    panel = view.tabs.contents["profiles"].concepts
    view.set_models(("Zeta", "Low"))
    keys = [row.id for row in panel.bars.data.rows]
    assert keys[:2] == [("food", "material"), ("wheel", "part")]  # 9−0 and 6−0
    assert [column.title for column in panel.bars.data.columns] == ["Zeta", "Low"]
    panel.order.setCurrentIndex(1)
    panel.order.activated.emit(1)
    totals = [sum(c.values[i] for c in panel.bars.data.columns) for i in range(len(keys))]
    assert totals == sorted(totals, reverse=True)
    view.set_models(made.MODELS)
    assert panel.stack.currentWidget() is panel.empty


def test_correlations_grey_what_does_not_survive_and_lead_to_the_task(
    qtbot: QtBot, view: EmbeddingView
) -> None:
    view.tabs.show_tab("correlations")
    view.grab()
    tab = view.tabs.contents["correlations"]
    heatmap = tab.panels["performance"].heatmap
    assert heatmap.data.rows == ("Cars", "ImageNet")  # the first at the top
    assert heatmap.data.above_chance().tolist() == [[False] * 3, [True, False, False]]
    x, y = heatmap.canvas.to_pixels(np.array([0.5]), np.array([1.5]))
    place = QPoint(round(x[0]), round(y[0]))
    qtbot.mouseMove(heatmap.canvas.viewport(), place)
    assert tab.panels["performance"].line.text().startswith("ImageNet with PC1: r −0.80")
    with qtbot.waitSignal(view.task_requested) as caught:
        qtbot.mouseDClick(heatmap.canvas.viewport(), LEFT, pos=place)
    assert caught.args == ["ImageNet"]
    tab.show_kind("profile")
    assert tab.panels["profile"].heatmap.data.rows == ("colour (unique)", "object (all)")


def test_ensembles_select_and_compare_pairs(qtbot: QtBot, view: EmbeddingView) -> None:
    view.tabs.show_tab("ensembles")
    view.grab()
    panel = view.tabs.contents["ensembles"]
    heatmap = panel.heatmap
    assert heatmap.data.rows == ("Mid", "Alpha", "Zeta")
    assert heatmap.data.text(2, 0) == "70.1"  # Zeta alone, in per cent
    assert heatmap.data.text(2, 1) == "2.0"
    assert heatmap.data.outside[2, 0]
    chosen, compared = listed(view.models_selected), listed(view.compare_requested)
    x, y = heatmap.canvas.to_pixels(np.array([1.5]), np.array([2.5]))
    place = QPoint(round(x[0]), round(y[0]))
    qtbot.mouseClick(heatmap.canvas.viewport(), LEFT, pos=place)
    assert chosen == [(("Zeta", "Alpha"),)]
    assert view.compare_button.isEnabled()
    qtbot.mouseDClick(heatmap.canvas.viewport(), LEFT, pos=place)
    assert compared == [("Zeta", "Alpha")]
    with qtbot.waitSignal(view.ensemble_task_requested) as caught:
        panel.task.setCurrentIndex(1)
        panel.task.activated.emit(1)
    assert caught.args == ["k-NN (k = 20)"]


def test_groups_and_explained_variance(qtbot: QtBot, view: EmbeddingView) -> None:
    view.tabs.show_tab("groups")
    tab = view.tabs.contents["groups"]
    assert tab.groups.elbow.points.ids.tolist() == [1, 3, 2]  # the choice on top
    assert tab.groups.silhouette.left_out == 1
    column = tab.variance.bars.data.columns[0]
    assert column.texts[0] == "60.0 % · chance 48.0 %"
    assert column.grey.tolist() == [False, True, True]


def test_stability_is_sorted_by_what_changes(view: EmbeddingView) -> None:
    view.tabs.show_tab("stability")
    rows = view.tabs.contents["stability"].bars.data.rows
    assert [row.label for row in rows] == ["1000 draws", "Zeta", "IoU > 0.1"]
    agreement, moved = view.tabs.contents["stability"].bars.data.columns
    assert agreement.texts == ("81 %", "1.00", "0.44")
    assert moved.texts == ("0.20", "—", "0.50")


def test_an_index_is_no_share(qtbot: QtBot, view: EmbeddingView) -> None:
    view.tabs.show_tab("stability")
    data = replace(
        made.stability(),
        kind=np.array(["unit bootstrap", "unit bootstrap", "leave one out"]),
        setting=np.array(["groups kept", "adjusted Rand index", "Zeta"]),
        agreement=np.array([0.91, 0.92, 1.0]),
    )
    view.show_stability(data)
    agreement, _ = view.tabs.contents["stability"].bars.data.columns
    assert agreement.texts == ("91 %", "0.92", "1.00")
