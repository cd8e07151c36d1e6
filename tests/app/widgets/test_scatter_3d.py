"""Points in three dimensions, turned by mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.widgets.scatter_3d import START, Scatter3D, projection
from app.widgets.scatter_data import ScatterData

LEFT = Qt.MouseButton.LeftButton
WHERE = np.array([[-1.0, -1.0, -1.0], [1.0, -1.0, 0.5], [0.0, 2.0, 1.0], [np.nan, 0.0, 0.0]])
IDS = (7, 3, 9, 1)


def scatter_data() -> ScatterData:
    return ScatterData(ids=np.array(IDS), x=WHERE[:, 0], y=WHERE[:, 1], x_title="x", y_title="y")


@pytest.fixture
def plot(qtbot: QtBot) -> Scatter3D:
    plot = Scatter3D()
    qtbot.addWidget(plot)
    plot.resize(500, 460)
    names = {identity: f"model {identity}" for identity in IDS}
    covariances = {7: np.diag([0.04, 0.01, 0.09])}
    plot.set_points(scatter_data(), WHERE, names, ("PC1", "PC2", "PC3"), covariances)
    with qtbot.waitExposed(plot):
        plot.show()
    plot.grab()
    return plot


def test_the_projection_keeps_lengths_in_the_plane_of_the_screen() -> None:
    for azimuth, elevation in ((0, 0), (30, 20), (-120, 75), (200, -90)):
        matrix = projection(azimuth, elevation)
        assert np.allclose(matrix @ matrix.T, np.eye(2))
    # From the front the first axis points right and the third up; from above, the second up.
    assert np.allclose(projection(0, 0), [[1, 0, 0], [0, 0, 1]])
    assert np.allclose(projection(0, 90), [[1, 0, 0], [0, 1, 0]])


def test_points_lie_where_the_projection_puts_them(plot: Scatter3D) -> None:
    plot.look_from(40, 10)
    seen = WHERE[:3]
    room = np.ptp(seen, axis=0) * 0.08
    middle = (seen.min(0) - room + seen.max(0) + room) / 2
    expected = (seen - middle) @ projection(40, 10).T
    for identity, place in zip(IDS[:3], expected, strict=True):
        at = plot.points.place_of[identity]
        assert np.allclose([plot.points.x[at], plot.points.y[at]], place)
    assert plot.left_out == 1
    matrix = projection(40, 10)
    assert np.allclose(plot._covariances[7], matrix @ np.diag([0.04, 0.01, 0.09]) @ matrix.T)


def test_dragging_turns_and_is_no_click(qtbot: QtBot, plot: Scatter3D) -> None:
    told: list[object] = []
    plot.selection_changed.connect(told.append)
    viewport = plot.canvas.viewport()
    qtbot.mousePress(viewport, LEFT, pos=QPoint(200, 200))
    qtbot.mouseMove(viewport, QPoint(260, 220))
    qtbot.mouseRelease(viewport, LEFT, pos=QPoint(260, 220))
    assert plot.azimuth != START[0]
    assert plot.elevation > START[1]
    assert told == []


def test_shift_and_dragging_draw_the_rectangle(qtbot: QtBot, plot: Scatter3D) -> None:
    told: list[frozenset[int]] = []
    plot.selection_changed.connect(told.append)
    viewport, shift = plot.canvas.viewport(), Qt.KeyboardModifier.ShiftModifier
    area = plot.canvas._view_rect().toRect().adjusted(2, 2, -2, -2)
    qtbot.mousePress(viewport, LEFT, shift, area.topLeft())
    qtbot.mouseMove(viewport, area.bottomRight())
    qtbot.mouseRelease(viewport, LEFT, shift, area.bottomRight())
    assert told == [frozenset({7, 3, 9})]
    assert (plot.azimuth, plot.elevation) == START


def test_a_click_selects(qtbot: QtBot, plot: Scatter3D) -> None:
    at = plot.points.place_of[9]
    x, y = plot.canvas.to_pixels(plot.points.x[[at]], plot.points.y[[at]])
    with qtbot.waitSignal(plot.selection_changed) as caught:
        qtbot.mouseClick(plot.canvas.viewport(), LEFT, pos=QPoint(round(x[0]), round(y[0])))
    assert caught.args == [frozenset({9})]


def test_control_and_arrows_turn_arrows_alone_walk_and_home_goes_back(
    qtbot: QtBot, plot: Scatter3D
) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Right, control)
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Up, control)
    assert (plot.azimuth, plot.elevation) == (START[0] + 5, START[1] - 5)
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Right)
    assert plot.focus() is not None
    assert (plot.azimuth, plot.elevation) == (START[0] + 5, START[1] - 5)
    for _ in range(40):
        qtbot.keyClick(plot.canvas, Qt.Key.Key_Down, control)
    assert plot.elevation == 90.0
    plot.show_from_start()
    assert (plot.azimuth, plot.elevation) == START


def test_turning_never_takes_points_out_of_sight(plot: Scatter3D) -> None:
    for azimuth in range(-180, 180, 30):
        for elevation in (-90, -30, 0, 45, 90):
            plot.look_from(azimuth, elevation)
            (left, right), (bottom, top) = plot.plot.getViewBox().viewRange()
            assert ((plot.points.x > left) & (plot.points.x < right)).all()
            assert ((plot.points.y > bottom) & (plot.points.y < top)).all()


def test_the_axis_under_the_mouse_is_told(qtbot: QtBot, plot: Scatter3D) -> None:
    told: list[str] = []
    plot.axis_hovered.connect(told.append)
    corners = plot.frame.corners
    for axis in (0, 1, 2):
        at = corners[0] + 0.6 * (corners[1 << axis] - corners[0])
        x, y = plot.canvas.to_pixels(at[[0]], at[[1]])
        qtbot.mouseMove(plot.canvas.viewport(), QPoint(round(x[0]), round(y[0])))
    assert told == ["x", "y", "z"]


def test_titles_of_the_axes_stay_in_view(plot: Scatter3D) -> None:
    for azimuth in (-170, -52, 0, 88, 140):
        plot.look_from(azimuth, 22)
        plot.grab()
        names = plot.names.boxes()
        assert np.isfinite(names).all()
