"""The heatmap under mouse and keyboard, and what it greys out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData


def matrix(values: np.ndarray, null: float = 0.3, length: int = 1) -> HeatmapData:
    rows, columns = values.shape
    return HeatmapData(
        rows=tuple("encoder." * length + f"a{i}" for i in range(rows)),
        columns=tuple("encoder." * length + f"b{i}" for i in range(columns)),
        values=values,
        null_95=np.full(values.shape, null),
        row_depths=np.linspace(0, 1, rows),
        column_depths=np.linspace(0, 1, columns),
        row_title="A",
        column_title="B",
        value_title="MMCS",
    )


def test_the_best_of_a_row_has_its_interval_and_its_chance(heatmap: Heatmap) -> None:
    null = np.array([[0.3, 0.2, 0.1], [0.15, 0.25, 0.1]])
    data = dataclasses.replace(matrix(VALUES), null_95=null, low=VALUES - 0.05, high=VALUES + 0.02)
    heatmap.set_data(data)
    x, y = heatmap.best_intervals.getData()
    np.testing.assert_allclose(x, [0.85, 0.92, 0.75, 0.82])
    np.testing.assert_allclose(y, [0.5, 0.5, 1.5, 1.5])
    np.testing.assert_allclose(heatmap.best_null.getData()[0], [0.3, 0.3, 0.25, 0.25])
    blank = dataclasses.replace(data, low=np.full(VALUES.shape, np.nan), null_95=null * np.nan)
    heatmap.set_data(blank)
    assert heatmap.best_intervals.getData()[0] is None
    assert np.isnan(heatmap.best_null.getData()[0]).all()


VALUES = np.array([[0.9, 0.5, 0.1], [0.4, 0.8, np.nan]])


@pytest.fixture
def heatmap(qtbot: QtBot) -> Heatmap:
    heatmap = Heatmap()
    qtbot.addWidget(heatmap)
    heatmap.resize(640, 420)
    heatmap.set_data(matrix(VALUES, length=0))
    with qtbot.waitExposed(heatmap):
        heatmap.show()
    heatmap.grab()
    return heatmap


def middle(heatmap: Heatmap, row: int, column: int) -> QPoint:
    x, y = heatmap.canvas.to_pixels(np.array([column + 0.5]), np.array([row + 0.5]))
    return QPoint(round(x[0]), round(y[0]))


def test_click_and_double_click_tell_names(qtbot: QtBot, heatmap: Heatmap) -> None:
    viewport, left = heatmap.canvas.viewport(), Qt.MouseButton.LeftButton
    with qtbot.waitSignal(heatmap.cell_focused) as caught:
        qtbot.mouseClick(viewport, left, pos=middle(heatmap, 1, 0))
    assert caught.args == ["a1", "b0"]
    with qtbot.waitSignal(heatmap.cell_activated) as caught:
        qtbot.mouseDClick(viewport, left, pos=middle(heatmap, 0, 2))
    assert caught.args == ["a0", "b2"]


def test_arrow_keys_move_the_crosshair_and_stop_at_the_edge(qtbot: QtBot, heatmap: Heatmap) -> None:
    heatmap.set_cell("a0", "b1")
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(heatmap.canvas, key)
    assert heatmap.cell_names() == ("a1", "b2")
    with qtbot.waitSignal(heatmap.cell_activated) as caught:
        qtbot.keyClick(heatmap.canvas, Qt.Key.Key_Return)
    assert caught.args == ["a1", "b2"]


def test_hover_tells_names_and_then_nothing(qtbot: QtBot, heatmap: Heatmap) -> None:
    told: list[tuple[object, object]] = []
    heatmap.cell_hovered.connect(lambda row, column: told.append((row, column)))
    qtbot.mouseMove(heatmap.canvas.viewport(), middle(heatmap, 0, 1))
    qtbot.mouseMove(heatmap.canvas.viewport(), QPoint(2, 2))
    assert told == [("a0", "b1"), (None, None)]


def test_setting_the_cell_is_silent_and_unknown_names_clear_it(
    qtbot: QtBot, heatmap: Heatmap
) -> None:
    with qtbot.assertNotEmitted(heatmap.cell_focused):
        heatmap.set_cell("a1", "b1")
        assert heatmap.cell_names() == ("a1", "b1")
        heatmap.set_cell("a1", "gone")
    assert heatmap.cell_names() is None


def test_chance_and_missing_cells_have_no_colour(heatmap: Heatmap) -> None:
    data = matrix(VALUES)
    assert data.above_chance().tolist() == [[True, True, False], [True, True, False]]
    colours = heatmap.marks.colours
    grey, blank = colours[0, 2].tolist(), colours[1, 2].tolist()
    assert max(grey) - min(grey) < 12  # no hue
    assert grey != blank


def test_a_missing_null_greys_nothing() -> None:
    assert matrix(np.array([[0.1, 0.2]]), null=np.nan).above_chance().all()


def test_colours_run_from_chance_to_the_highest_value() -> None:
    assert matrix(VALUES).span() == (0.3, 0.9)
    assert matrix(np.full((2, 2), np.nan)).span() == (0.0, 1.0)


def test_best_of_each_row_skips_missing_numbers() -> None:
    values = np.array([[0.1, 0.7], [np.nan, 0.2], [np.nan, np.nan]])
    assert np.array_equal(matrix(values).best_of_rows(), [0.7, 0.2, np.nan], equal_nan=True)


def test_relative_depth_takes_the_place_of_names(heatmap: Heatmap) -> None:
    heatmap.set_relative_depth(True)
    assert heatmap.column_axis.names == ("0.00", "0.50", "1.00")
    assert heatmap.column_axis.full_names == ("b0", "b1", "b2")


def test_huge_names_are_cut_from_the_left_but_given_in_full(heatmap: Heatmap) -> None:
    heatmap.set_data(matrix(VALUES, length=60))
    heatmap.grab()
    assert all(len(name) < 40 for name in heatmap.row_axis.names)
    assert heatmap.row_axis.names[1].endswith("a1")
    assert len(heatmap.row_axis.full_names[1]) > 400
    assert heatmap.row_axis.width() < 220


@pytest.mark.parametrize("shape", [(1, 1), (0, 0), (90, 70)])
def test_one_cell_none_and_very_many(qtbot: QtBot, heatmap: Heatmap, shape: tuple) -> None:
    heatmap.set_data(matrix(np.random.default_rng(0).random(shape)))
    heatmap.grab()
    qtbot.keyClick(heatmap.canvas, Qt.Key.Key_Right)
    assert (heatmap.cell_names() is not None) == (shape != (0, 0))
    heatmap.set_data(None)
    heatmap.grab()
    assert heatmap.cell_names() is None


def test_a_narrow_heatmap_gives_its_room_to_the_matrix(qtbot: QtBot, heatmap: Heatmap) -> None:
    box = heatmap.plot.getViewBox()
    beside = heatmap.width() - box.width()
    assert heatmap.best.isVisible()
    heatmap.resize(480, 420)
    qtbot.waitUntil(lambda: heatmap.width() - box.width() < beside - 60)
    assert not heatmap.best.isVisible()
    heatmap.resize(640, 420)
    qtbot.waitUntil(lambda: heatmap.width() - box.width() > beside - 10)
    assert heatmap.best.isVisible()
