"""The scatter plot under mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.theme import theme
from app.widgets.scatter_data import ScatterData
from app.widgets.scatter_plot import DENSITY_ABOVE, ScatterPlot


def cross(**more: object) -> ScatterData:
    """Five points: the middle (50), left, right, top and bottom of it."""
    return ScatterData(
        ids=np.array([50, 10, 90, 70, 30]),
        x=np.array([0.0, -1.0, 1.0, 0.0, 0.0]),
        y=np.array([0.0, 0.0, 0.0, 1.0, -1.0]),
        x_title="x",
        y_title="y",
        describe=lambda identity: f"point {identity}",
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def plot(qtbot: QtBot) -> ScatterPlot:
    plot = ScatterPlot("Cross")
    qtbot.addWidget(plot)
    plot.resize(420, 360)
    plot.set_data(cross())
    with qtbot.waitExposed(plot):
        plot.show()
    plot.grab()  # lay the axes out
    return plot


def pixel(plot: ScatterPlot, identity: int) -> QPoint:
    place = plot.points.place_of[identity]
    x, y = plot.canvas.to_pixels(plot.points.x[[place]], plot.points.y[[place]])
    return QPoint(round(x[0]), round(y[0]))


def click(qtbot: QtBot, plot: ScatterPlot, place: QPoint, **more: object) -> None:
    qtbot.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place, **more)


def drag(qtbot: QtBot, plot: ScatterPlot, *places: QPoint, **more: object) -> None:
    viewport = plot.canvas.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=places[0], **more)
    for place in places[1:]:
        qtbot.mouseMove(viewport, place)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=places[-1], **more)


def test_click_tells_the_id_and_selects(qtbot: QtBot, plot: ScatterPlot) -> None:
    told: list[object] = []
    plot.point_focused.connect(told.append)
    plot.selection_changed.connect(told.append)
    click(qtbot, plot, pixel(plot, 90))
    assert told == [90, frozenset({90})]


def test_click_on_nothing_clears_the_selection_and_keeps_the_focus(
    qtbot: QtBot, plot: ScatterPlot
) -> None:
    click(qtbot, plot, pixel(plot, 90))
    with qtbot.waitSignal(plot.selection_changed) as caught:
        click(qtbot, plot, pixel(plot, 90) + QPoint(-40, -40))
    assert caught.args == [frozenset()]
    assert plot.focus() == 90


def test_control_click_adds_and_takes_away(qtbot: QtBot, plot: ScatterPlot) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    click(qtbot, plot, pixel(plot, 90))
    click(qtbot, plot, pixel(plot, 10), stateKey=control)
    assert plot.selection() == {10, 90}
    click(qtbot, plot, pixel(plot, 90), stateKey=control)
    assert plot.selection() == {10}


def test_rectangle_selects_what_lies_in_it(qtbot: QtBot, plot: ScatterPlot) -> None:
    top, left = pixel(plot, 70), pixel(plot, 10)
    with qtbot.waitSignal(plot.selection_changed) as caught:
        drag(qtbot, plot, QPoint(left.x() - 9, top.y() - 9), pixel(plot, 50) + QPoint(9, 9))
    assert caught.args == [frozenset({10, 50, 70})]


def test_lasso_with_alt_held(qtbot: QtBot, plot: ScatterPlot) -> None:
    middle, right, top = pixel(plot, 50), pixel(plot, 90), pixel(plot, 70)
    around = (
        top + QPoint(-9, -9),
        top + QPoint(9, -9),
        right + QPoint(9, -9),
        right + QPoint(9, 9),
        middle + QPoint(30, -20),
    )
    drag(qtbot, plot, *around, stateKey=Qt.KeyboardModifier.AltModifier)
    assert plot.selection() == {70, 90}


def test_arrow_keys_walk_and_enter_opens(qtbot: QtBot, plot: ScatterPlot) -> None:
    plot.set_focus(50)
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Up)
    assert (plot.focus(), plot.selection()) == (70, {70})
    assert plot.canvas.accessibleDescription() == "point 70"
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Down)
    assert plot.focus() == 50
    with qtbot.waitSignal(plot.point_activated) as caught:
        qtbot.keyClick(plot.canvas, Qt.Key.Key_Return)
    assert caught.args == [50]


def test_keyboard_alone_reaches_selection(qtbot: QtBot, plot: ScatterPlot) -> None:
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Right)  # nothing in focus: the leftmost point
    assert plot.focus() == 10
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert plot.selection() == {10, 50}
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Space)
    assert plot.selection() == {10}
    qtbot.keyClick(plot.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(plot.selection()) == 5
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Escape)
    assert plot.selection() == frozenset()


def test_hover_tells_the_id_once_and_none_when_it_leaves(qtbot: QtBot, plot: ScatterPlot) -> None:
    told: list[object] = []
    plot.point_hovered.connect(told.append)
    place = pixel(plot, 30)
    for step in (QPoint(0, 0), QPoint(1, 0), QPoint(60, -30)):
        qtbot.mouseMove(plot.canvas.viewport(), place + step)
    assert told == [30, None]


def test_setters_are_silent_and_unknown_ids_harmless(qtbot: QtBot, plot: ScatterPlot) -> None:
    with (
        qtbot.assertNotEmitted(plot.point_focused),
        qtbot.assertNotEmitted(plot.selection_changed),
        qtbot.assertNotEmitted(plot.point_hovered),
    ):
        plot.set_focus(123456)
        plot.set_hover(123456)
        plot.set_selection(frozenset({123456, 10}))
    assert plot.selected.data["visible"].tolist().count(True) == 1


def test_selection_goes_with_its_ids_to_other_data(plot: ScatterPlot) -> None:
    plot.set_selection(frozenset({90}))
    other = ScatterData(np.array([4, 90]), np.array([3.0, 4.0]), np.array([1.0, 2.0]), "x", "y")
    plot.set_data(other)
    assert plot.selected.data["visible"].tolist() == [False, True]


def test_points_without_numbers_are_counted(plot: ScatterPlot) -> None:
    data = ScatterData(np.array([1, 2]), np.array([np.nan, 1]), np.array([1, np.inf]), "x", "y")
    plot.set_data(data)
    assert plot.left_out == 2
    plot.grab()


@pytest.mark.parametrize("data", [None, "one"])
def test_nothing_and_one_point(qtbot: QtBot, plot: ScatterPlot, data: str | None) -> None:
    one = ScatterData(np.array([6]), np.array([2.0]), np.array([2.0]), "x", "y")
    plot.set_data(one if data else None)
    plot.grab()
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Right)
    assert plot.focus() == (6 if data else None)


def test_twenty_thousand_points_selected_at_once(qtbot: QtBot, plot: ScatterPlot) -> None:
    rng = np.random.default_rng(1)
    ids = rng.permutation(20_000) + 5
    plot.set_data(ScatterData(ids, *rng.normal(size=(2, 20_000)), "x", "y"))
    assert not plot.is_density
    qtbot.keyClick(plot.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(plot.selection()) == 20_000
    assert plot.selected.data["visible"].all()


def test_very_many_points_become_a_density_but_can_still_be_picked(
    qtbot: QtBot, plot: ScatterPlot
) -> None:
    count = DENSITY_ABOVE + 1
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, count))
    x[0], y[0] = 9.0, 9.0
    group = np.zeros(count, dtype=int)
    group[1:4] = 1
    data = cross().__class__(
        np.arange(count), x, y, "x", "y", group=group, styles=cross().styles * 2, always=(1,)
    )
    plot.set_data(data)
    plot.grab()
    assert plot.is_density
    assert plot.image.isVisible()
    assert len(plot.base.data) == 3  # the ones that are always drawn
    click(qtbot, plot, pixel(plot, 0))
    assert plot.focus() == 0
    assert len(plot.selected.data) == 1


def test_selection_ring_and_theme(plot: ScatterPlot) -> None:
    before = plot.grab().toImage()
    plot.set_selection(frozenset({10}))
    assert plot.grab().toImage() != before
    try:
        theme().set_scheme("dark")
        dark = plot.grab().toImage()
        assert dark.pixelColor(3, 3).lightness() < 80
    finally:
        theme().set_scheme("light")
    assert plot.grab().toImage().pixelColor(3, 3).lightness() > 200


def test_a_hidden_plot_takes_the_selection_when_it_is_shown(plot: ScatterPlot) -> None:
    plot.hide()
    plot.set_selection(frozenset({30, 70}))
    assert plot.selection() == {30, 70}
    plot.show()
    shown = plot.points.ids[plot.selected.data["visible"]]
    assert set(shown.tolist()) == {30, 70}
