"""Named points, their ellipses, and the surface behind them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.widgets.ellipses import Ellipses, ellipse_outline
from app.widgets.group_marks import category_mark, group_mark
from app.widgets.model_scatter import ModelScatter, Surface
from app.widgets.name_ids import NameIds
from app.widgets.scatter_data import PointStyle, ScatterData


def made(covariance: float = 0.25) -> tuple[ScatterData, dict[int, str], dict[int, np.ndarray]]:
    data = ScatterData(
        ids=np.array([4, 8, 6]),
        x=np.array([0.0, 1.0, 2.0]),
        y=np.array([0.0, 1.0, np.nan]),
        x_title="x",
        y_title="y",
        group=np.array([1, 0, 0]),
        styles=(PointStyle("o", "#009E73", 12.0), PointStyle("s", "#E69F00", 12.0, hollow=True)),
    )
    spread = {4: np.diag([covariance, 4 * covariance]), 8: np.full((2, 2), np.nan)}
    return data, {4: "four", 8: "eight", 6: "six"}, spread


@pytest.fixture
def plot(qtbot: QtBot) -> ModelScatter:
    plot = ModelScatter()
    qtbot.addWidget(plot)
    plot.resize(480, 400)
    with qtbot.waitExposed(plot):
        plot.show()
    plot.set_models(*made())
    plot.grab()
    return plot


def test_an_ellipse_holds_95_per_cent_of_normal_draws() -> None:
    covariance = np.array([[0.5, 0.3], [0.3, 0.4]])
    outline = ellipse_outline(np.array([1.0, -2.0]), covariance)
    away = outline - [1.0, -2.0]
    distances = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
    assert np.allclose(distances, distances[0])
    draws = np.random.default_rng(0).multivariate_normal([0, 0], covariance, 200_000)
    inside = np.einsum("ij,jk,ik->i", draws, np.linalg.inv(covariance), draws) <= distances[0]
    assert inside.mean() == pytest.approx(0.95, abs=0.002)


def test_points_without_a_covariance_have_no_ellipse(qtbot: QtBot) -> None:
    item = Ellipses()
    covariances = np.array([np.eye(2), np.zeros((2, 2)), np.full((2, 2), np.nan)])
    item.set_ellipses(np.zeros((3, 2)), covariances, [QColor("red")] * 3)
    assert item.count() == 1


def test_names_belong_to_the_points_that_are_drawn(plot: ModelScatter) -> None:
    assert plot.points.ids.tolist() == [8, 4]  # groups in order; the third has no place
    assert plot.names.names == ("eight", "four")
    assert plot.names.hidden == 0


def test_the_plot_makes_room_for_ellipses(plot: ModelScatter) -> None:
    with_ellipses = plot.plot.getViewBox().viewRange()[1]
    assert with_ellipses[0] < -2.44  # two standard deviations of 1 and more below 0
    plot.set_ellipses_shown(False)
    without = plot.plot.getViewBox().viewRange()[1]
    assert without[0] > -0.5


def test_equal_scales_make_units_as_long_across_as_upwards(plot: ModelScatter) -> None:
    plot.set_equal_scales(True)
    plot.grab()
    x, y = plot.canvas.to_pixels(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert abs(x[1] - x[0]) == pytest.approx(abs(y[1] - y[0]), abs=1.5)


def test_a_surface_has_a_colour_bar_and_holes_are_clear(qtbot: QtBot, plot: ModelScatter) -> None:
    assert plot.bar.size().width() == 0
    values = np.array([[1.0, 2.0], [3.0, np.nan]])
    plot.show_surface(Surface(np.array([0.0, 1.0]), np.array([0.0, 2.0]), values, "task"))
    qtbot.waitUntil(lambda: plot.bar.size().width() > 0)
    assert (plot.bar.low, plot.bar.high) == (1.0, 3.0)
    assert plot.surface.image[..., 3].tolist() == [[255, 255], [255, 0]]
    plot.show_surface(None)
    assert not plot.surface.isVisible()


def test_a_flat_surface_is_drawn(plot: ModelScatter) -> None:
    axis = np.array([0.0, 1.0])
    plot.show_surface(Surface(axis, axis, np.full((2, 2), 5.0), "task"))
    assert plot.bar.low < 5.0 < plot.bar.high
    assert not plot.grab().isNull()


def test_selected_names_are_never_left_out_of_their_place(plot: ModelScatter) -> None:
    before = plot.names.boxes().copy()
    plot.set_selection(frozenset({4}))
    plot.grab()
    assert plot.names.selected == frozenset({plot.points.place_of[4]})
    assert np.array_equal(plot.names.boxes(), before)  # names do not jump when chosen


def test_a_name_keeps_its_number() -> None:
    ids = NameIds()
    first = ids.id_of("a")
    ids.id_of("b")
    assert ids.id_of("a") == first
    assert ids.name_of(first) == "a"
    assert ids.name_of(None) is None
    chosen = ids.ids_of(["c", "b"])
    assert ids.ordered(chosen, before=("c",)) == ("c", "b")
    assert ids.ordered(chosen, before=("x", "b")) == ("b", "c")


def test_groups_differ_in_colour_and_shape_and_then_in_their_pair() -> None:
    marks = [group_mark(letter) for letter in "ABCDEF"]
    assert len({mark.colour for mark in marks}) == len({mark.symbol for mark in marks}) == 6
    more = [group_mark(letter) for letter in "ABCDEFGHIJKL"]
    assert len({(mark.colour, mark.symbol) for mark in more}) == 12
    assert not {"#0072B2", "#D55E00"} & {mark.colour for mark in more}  # those are A and B
    assert group_mark("") == group_mark("")
    assert group_mark("AA") != group_mark("A")


def test_unknown_categories_have_a_mark_and_colour_is_known_by_both_names() -> None:
    assert category_mark("color") == category_mark("colour")
    assert category_mark("class").colour
