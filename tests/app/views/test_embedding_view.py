"""The embedding view: selection, axes, tabs, and what it asks for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from analysis.figures.embedding_data import EmbeddingPoints
from app.theme import theme
from app.views.embedding_view import EmbeddingView
from app.widgets.model_scatter import ModelScatter
from tests.app.views import made_embedding as made

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def fill(view: EmbeddingView) -> None:
    view.show_points(made.points())
    view.show_loadings(made.loadings())
    view.show_profiles(made.profiles())
    view.show_correlations(made.correlations("profile"), made.correlations("performance"))
    view.show_groups(made.groups())
    view.show_stability(made.stability())
    view.show_tasks(("ImageNet", "Cars"))
    view.show_ensembles(("linear probe", "k-NN (k = 20)"), made.ensembles())


@pytest.fixture
def view(qtbot: QtBot) -> EmbeddingView:
    view = EmbeddingView()
    qtbot.addWidget(view)
    view.resize(1200, 760)
    fill(view)
    with qtbot.waitExposed(view):
        view.show()
    view.grab()
    return view


def spot(view: EmbeddingView, plot: ModelScatter, model: str) -> QPoint:
    place = plot.points.place_of[view._ids.id_of(model)]
    x, y = plot.canvas.to_pixels(plot.points.x[[place]], plot.points.y[[place]])
    return QPoint(round(x[0]), round(y[0]))


def click(qtbot: QtBot, view: EmbeddingView, model: str, *modifiers: object) -> None:
    plot = view.scatter.flat
    qtbot.mouseClick(plot.canvas.viewport(), LEFT, *modifiers, pos=spot(view, plot, model))


def listed(signal) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    signal.connect(lambda *values: told.append(values))
    return told


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


# -- the frame


def test_every_figure_has_a_table_and_an_export(qtbot: QtBot, view: EmbeddingView) -> None:
    view.show_counts(made.counts())
    for key in ("profiles", "loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    view.set_models(("Zeta", "Alpha"))
    tabs = view.tabs.contents
    panels = [
        view.scatter,
        tabs["profiles"].profiles,
        tabs["profiles"].concepts,
        tabs["loadings"].loadings,
        tabs["loadings"].counts,
        *tabs["correlations"].panels.values(),
        tabs["ensembles"],
        tabs["groups"].groups,
        tabs["groups"].variance,
        tabs["stability"],
    ]
    told = listed(view.export_requested)
    for panel in panels:
        assert panel.table.model.rowCount() > 0
        panel.menu.actions()[-1].trigger()
        panel.table_button.click()
        assert panel.stack.currentWidget() is panel.table
    assert told == [
        (figure, "json")
        for figure in (
            "embedding",
            "profiles",
            "profiles",
            "loadings",
            "concept-counts",
            "performance-correlation",
            "profile-correlation",
            "ensembles",
            "groups",
            "explained-variance",
            "stability",
        )
    ]


def test_rows_of_tables_select_models(qtbot: QtBot, view: EmbeddingView) -> None:
    view.scatter.table_button.click()
    told = listed(view.models_selected)
    view.scatter.table.table.selectRow(view.scatter.table.model.row_of("Low"))
    assert told == [(("Low",),)]
    assert view.scatter.flat.selection() == view._ids.ids_of(("Low",))


def test_models_dissected_since_can_be_projected(qtbot: QtBot, view: EmbeddingView) -> None:
    assert not view.newcomers.isVisible()
    view.set_unprojected(("ViT", "ResNet"))
    assert view.newcomers_text.text() == "2 models not in this embedding yet: ViT, ResNet"
    with qtbot.waitSignal(view.project_requested):
        view.project_button.click()
    view.set_unprojected(())
    assert not view.newcomers.isVisible()


def test_an_empty_view_offers_the_next_step(qtbot: QtBot) -> None:
    view = EmbeddingView()
    qtbot.addWidget(view)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    assert not view.below.isVisible()
    assert not view.trust.isVisible()
    with qtbot.waitSignal(view.action_requested) as caught:
        view.scatter.empty.button.click()
    assert caught.args == ["run embedding"]
    with qtbot.waitSignal(view.action_requested) as caught:
        view.tabs.contents["profiles"].profiles.empty.button.click()
    assert caught.args == ["run dissection"]
    fill(view)
    assert view.trust.isVisible()
    for setter in (view.show_points, view.show_loadings, view.show_profiles, view.show_groups):
        setter(None)
    view.show_correlations(None, None)
    view.show_ensembles((), None)
    for key in ("loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    assert not view.grab().isNull()
    assert view.trust.text() == ""


def test_names_are_never_read_as_markup(qtbot: QtBot, view: EmbeddingView) -> None:
    data = made.points()
    hostile = ("<b>bold</b>", *data.models[1:])
    view.show_points(dataclasses.replace(data, models=hostile))
    loads = made.loadings()
    view.show_loadings(dataclasses.replace(loads, concepts=("<i>x</i>", *loads.concepts[1:])))
    assert "<i>x</i>" in view.trust.text()
    assert view.trust.textFormat() == Qt.TextFormat.PlainText
    view.show_surface(dataclasses.replace(made.surface(), task="<img src=x>"))
    assert view.scatter.ground.textFormat() == Qt.TextFormat.PlainText
    assert "<b>" not in view.scatter.note.text()


def test_the_theme_changes_while_everything_is_shown(qtbot: QtBot, view: EmbeddingView) -> None:
    for key in ("loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    view.show_surface(made.surface())
    before = theme().scheme
    try:
        theme().set_scheme("dark")
        dark = view.grab().toImage()
        theme().set_scheme("light")
        light = view.grab().toImage()
    finally:
        theme().set_scheme(before)
    spot = QPointF(4, view.height() - 4).toPoint()
    assert dark.pixelColor(spot) != light.pixelColor(spot)
