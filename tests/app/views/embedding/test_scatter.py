"""The embedding view: selection of models, and the scatter with its axes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from analysis.figures.embedding_data import EmbeddingPoints
from app.views.embedding_view import EmbeddingView
from tests.app.views import made_embedding as made
from tests.app.views.embedding.steps import CONTROL, LEFT, click, fill, listed, spot

# -- selection of models


def test_click_and_control_click_tell_models_in_the_order_of_selection(
    qtbot: QtBot, view: EmbeddingView
) -> None:
    told = listed(view.models_selected)
    click(qtbot, view, "Zeta")
    click(qtbot, view, "Alpha", CONTROL)
    click(qtbot, view, "Mid", CONTROL)
    click(qtbot, view, "Alpha", CONTROL)
    assert [models for (models,) in told] == [
        ("Zeta",),
        ("Zeta", "Alpha"),
        ("Zeta", "Alpha", "Mid"),
        ("Zeta", "Mid"),
    ]


def test_a_rectangle_and_the_keyboard_select(qtbot: QtBot, view: EmbeddingView) -> None:
    plot, told = view.scatter.flat, listed(view.models_selected)
    viewport = plot.canvas.viewport()
    a, b = spot(view, plot, "Zeta"), spot(view, plot, "Alpha")
    corner = QPoint(min(a.x(), b.x()) - 25, min(a.y(), b.y()) - 25)
    qtbot.mousePress(viewport, LEFT, pos=corner)
    far = QPoint(max(a.x(), b.x()) + 25, max(a.y(), b.y()) + 25)
    qtbot.mouseMove(viewport, far)
    qtbot.mouseRelease(viewport, LEFT, pos=far)
    assert set(told[-1][0]) == {"Zeta", "Alpha"}
    plot.set_focus(view._ids.id_of("Zeta"))
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Right)
    assert told[-1] == (("Alpha",),)
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Escape)
    assert told[-1] == ((),)


def test_two_selected_models_can_be_compared(qtbot: QtBot, view: EmbeddingView) -> None:
    assert not view.compare_button.isEnabled()
    click(qtbot, view, "Mid")
    assert not view.compare_button.isEnabled()
    click(qtbot, view, "Zeta", CONTROL)
    with qtbot.waitSignal(view.compare_requested) as caught:
        view.compare_button.click()
    assert caught.args == ["Mid", "Zeta"]
    view.set_models(("Mid", "Zeta", "Low"))
    assert not view.compare_button.isEnabled()


def test_setters_are_silent_and_selection_reaches_every_tab(
    qtbot: QtBot, view: EmbeddingView
) -> None:
    view.tabs.show_tab("loadings")
    view.show_counts(made.counts())
    signals = (view.models_selected, view.model_hovered, view.components_changed)
    told = [listed(signal) for signal in (*signals, view.task_requested)]
    view.set_models(("Alpha", "a model elsewhere"))
    view.set_hover("Mid")
    view.set_components(2, 3)
    view.show_surface(made.surface(2, 3))
    fill(view)
    assert told == [[], [], [], []]
    chosen = view._ids.ids_of(("Alpha", "a model elsewhere"))
    assert view.scatter.flat.selection() == chosen
    assert view.tabs.contents["loadings"].counts.scatter.selection() == chosen
    profiles = view.tabs.contents["profiles"].profiles
    assert profiles.bars._selection == frozenset({"Alpha", "a model elsewhere"})


def test_a_selection_elsewhere_outlives_control_clicks(qtbot: QtBot, view: EmbeddingView) -> None:
    view.set_models(("a model elsewhere",))
    told = listed(view.models_selected)
    click(qtbot, view, "Low", CONTROL)
    assert told == [(("a model elsewhere", "Low"),)]


def test_ids_stay_with_their_models_when_other_data_come(qtbot: QtBot, view: EmbeddingView) -> None:
    view.set_models(("Low",))
    data = made.points()
    order = [3, 4, 0, 2]
    view.show_points(
        dataclasses.replace(
            data,
            models=tuple(data.models[i] for i in order),
            points=data.points[order],
            covariance=data.covariance[order],
            group=tuple(data.group[i] for i in order),
            fitted=data.fitted[order],
        )
    )
    view.grab()
    told = listed(view.models_selected)
    click(qtbot, view, "Newcomer", CONTROL)
    assert told == [(("Low", "Newcomer"),)]


def test_hovering_a_model_rings_it_everywhere(qtbot: QtBot, view: EmbeddingView) -> None:
    told = listed(view.model_hovered)
    plot = view.scatter.flat
    qtbot.mouseMove(plot.canvas.viewport(), spot(view, plot, "Mid"))
    assert told == [("Mid",)]
    assert view.tabs.contents["profiles"].profiles.bars._hover == "Mid"
    qtbot.mouseMove(plot.canvas.viewport(), QPoint(2, 2))
    assert told[-1] == (None,)


# -- the scatter


def test_axes_say_variance_and_chance_and_follow_the_choice(
    qtbot: QtBot, view: EmbeddingView
) -> None:
    panel = view.scatter
    assert panel.flat.data is not None
    assert panel.flat.data.x_title == "PC1 · 60.0 % (chance 48.0 %)"
    panel.up.setCurrentIndex(2)
    with qtbot.waitSignal(view.components_changed) as caught:
        panel.up.activated.emit(2)
    assert caught.args == [1, 3]
    assert panel.flat.data.y_title == "PC3 · 10.0 % (chance 13.7 %)"
    assert panel.flat.data.y.tolist() == made.points().points[:, 2].tolist()


def test_no_two_axes_show_the_same_component(qtbot: QtBot, view: EmbeddingView) -> None:
    panel = view.scatter
    panel.across.setCurrentIndex(1)  # what goes upwards
    with qtbot.waitSignal(view.components_changed) as caught:
        panel.across.activated.emit(1)
    assert caught.args == [2, 1]
    panel.third.setCurrentIndex(0)
    panel.third.activated.emit(0)
    assert (*panel.components(), panel.third.currentData()) == (2, 3, 1)
    view.set_components(1, 3)
    assert (*panel.components(), panel.third.currentData()) == (1, 3, 2)


def test_projected_models_are_hollow_and_have_no_ellipse(view: EmbeddingView) -> None:
    data = view.scatter.flat.data
    assert data is not None
    assert data.group is not None
    hollow = [data.styles[group].hollow for group in data.group.tolist()]
    assert hollow == [False, False, False, False, True]
    assert view.scatter.flat.ellipses.count() == 4
    marks = {(style.symbol, style.colour) for style in data.styles if not style.hollow}
    assert len({symbol for symbol, _ in marks}) == len({colour for _, colour in marks}) == 2


def test_names_do_not_lie_on_one_another(view: EmbeddingView) -> None:
    boxes = view.scatter.flat.names.boxes()
    assert view.scatter.flat.names.hidden == 0
    for i, first in enumerate(boxes):
        for second in boxes[i + 1 :]:
            apart = (
                first[2] <= second[0]
                or second[2] <= first[0]
                or first[3] <= second[1]
                or second[3] <= first[1]
            )
            assert apart


def test_the_axis_under_the_mouse_decides_the_loadings(qtbot: QtBot, view: EmbeddingView) -> None:
    view.tabs.show_tab("loadings")
    panel = view.tabs.contents["loadings"].loadings
    assert panel.title.text() == "Loadings of PC1"
    canvas = view.scatter.flat.canvas
    axis = view.scatter.flat.axes["left"]
    over = canvas.mapFromScene(axis.sceneBoundingRect()).boundingRect().center()
    qtbot.mouseMove(canvas.viewport(), over)
    assert panel.title.text() == "Loadings of PC2"
    panel.axis.setCurrentIndex(panel.axis.findData(3))
    panel.axis.activated.emit(panel.axis.currentIndex())
    qtbot.mouseMove(canvas.viewport(), over + QPoint(1, 30))
    assert panel.title.text() == "Loadings of PC3"


def test_a_surface_is_drawn_only_behind_its_own_components(
    qtbot: QtBot, view: EmbeddingView
) -> None:
    panel = view.scatter
    view.show_surface(made.surface())
    assert panel.flat.surface.isVisible()
    assert panel.figure == "performance-map"
    assert panel.task.currentData() == "ImageNet"
    assert panel.ground.text() == "Ground: ImageNet, regressed on the 4 nearest of 4 models (k-NN)."
    rectangle = panel.flat.surface.mapRectToParent(panel.flat.surface.boundingRect())
    assert rectangle.left() == pytest.approx(-4)  # half a pixel of 2 beyond the first middle
    assert rectangle.width() == pytest.approx(8)
    view.set_components(1, 3)
    assert not panel.flat.surface.isVisible()
    assert panel.figure == "embedding"
    view.show_surface(made.surface(1, 3))
    assert panel.flat.surface.isVisible()
    view.show_surface(None)
    assert not panel.flat.surface.isVisible()
    assert panel.task.currentData() is None


def test_choosing_a_task_asks_for_its_surface(qtbot: QtBot, view: EmbeddingView) -> None:
    told = listed(view.task_requested)
    for place in (1, 0):
        view.scatter.task.setCurrentIndex(place)
        view.scatter.task.activated.emit(place)
    assert told == [("ImageNet",), (None,)]


def test_three_dimensions_keep_the_selection(qtbot: QtBot, view: EmbeddingView) -> None:
    view.set_models(("Zeta",))
    view.scatter.turning.click()
    solid = view.scatter.solid
    assert solid is not None
    assert solid.isVisible()
    assert solid.selection() == view._ids.ids_of(("Zeta",))
    told = listed(view.models_selected)
    view.grab()
    qtbot.mouseClick(solid.canvas.viewport(), LEFT, CONTROL, pos=spot(view, solid, "Low"))
    assert told == [(("Zeta", "Low"),)]
    assert not view.scatter.task.isEnabled()
    view.scatter.turning.click()
    assert view.scatter.flat.isVisible()
    assert view.scatter.flat.selection() == view._ids.ids_of(("Zeta", "Low"))


def test_two_components_have_no_third_dimension(view: EmbeddingView) -> None:
    data = made.points()
    view.scatter.turning.setChecked(True)
    view.show_points(
        dataclasses.replace(
            data,
            points=data.points[:, :2],
            covariance=data.covariance[:, :2, :2],
            explained_variance=data.explained_variance[:2],
            null_95=data.null_95[:2],
        )
    )
    assert not view.scatter.turning.isEnabled()
    assert view.scatter.plots.currentWidget() is view.scatter.flat
    assert view.scatter.across.count() == 2


def test_one_component_is_drawn_as_well(view: EmbeddingView) -> None:
    data = made.points()
    one = dataclasses.replace(
        data,
        points=data.points[:, :1],
        covariance=data.covariance[:, :1, :1],
        explained_variance=data.explained_variance[:1],
        null_95=data.null_95[:1],
    )
    view.show_points(one)
    assert view.scatter.components() == (1, 1)
    assert not view.grab().isNull()


def test_one_model_alone_is_drawn(view: EmbeddingView) -> None:
    data = made.points()
    view.show_points(
        EmbeddingPoints(
            run=1,
            preset="default",
            models=("Alone",),
            points=data.points[:1],
            covariance=data.covariance[:1],
            group=("",),
            fitted=np.array([True]),
            explained_variance=np.full(3, np.nan),
            null_95=np.full(3, np.nan),
        )
    )
    assert view.scatter.flat.data is not None
    assert view.scatter.flat.data.x_title == "PC1"
    assert not view.grab().isNull()
