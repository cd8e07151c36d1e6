"""Masks side by side, bars with ranges, and lines with points, down to their pixels."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme import MODEL_COLOURS, theme
from app.widgets.bar_data import BarColumn, BarData, BarRow
from app.widgets.bar_paint import Layout
from app.widgets.heat_pictures import pixels_of
from app.widgets.line_plot import LinePlot, Series
from app.widgets.mask_pairs import MaskPair, MaskPairGrid, composed
from app.widgets.range_bars import RangeBarTable, Ranges


def bilinear(values: np.ndarray, side: int) -> np.ndarray:
    """Brought to (side, side) in a plain loop, pixel centres at halves."""
    rows, columns = values.shape
    result = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            down = min(max((y + 0.5) * rows / side - 0.5, 0), rows - 1)
            across = min(max((x + 0.5) * columns / side - 0.5, 0), columns - 1)
            top, left = math.floor(down), math.floor(across)
            below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            v, h = down - top, across - left
            result[y, x] = (
                values[top, left] * (1 - v) * (1 - h) + values[top, right] * (1 - v) * h
                + values[below, left] * v * (1 - h) + values[below, right] * v * h
            )  # fmt: skip
    return result


def white(side: int) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(QColor("#FFFFFF"))
    return pixmap


@pytest.mark.parametrize("threshold", [0.5, 0.75])
def test_masks_are_cut_after_they_are_enlarged(qapp: QApplication, threshold: float) -> None:
    values = np.random.default_rng(2).random((5, 4)).astype(np.float32)
    wanted = bilinear(values, 48) > threshold
    shown = pixels_of(composed(white(48), values, "mask", threshold).toImage())[..., 0]
    assert 0 < wanted.sum() < wanted.size
    assert np.array_equal(shown == 255, wanted)  # all else is dimmed
    assert set(shown[~wanted].tolist()) == {255 - 140}


def test_a_higher_threshold_lies_in_a_lower_one_and_nothing_is_no_mask(qapp: QApplication) -> None:
    values = np.random.default_rng(3).random((7, 7)).astype(np.float32)
    low, high = (
        pixels_of(composed(white(60), values, "mask", t).toImage())[..., 0] == 255
        for t in (0.5, 0.75)
    )
    assert (low | ~high).all()
    assert high.sum() < low.sum()
    nothing = pixels_of(composed(white(60), np.zeros((7, 7)), "mask", 0.05).toImage())
    assert (nothing == 255 - 140).all()
    plain = composed(white(60), values, "image", 0.5)
    assert (pixels_of(plain.toImage()) == 255).all()


def pairs(count: int = 3) -> list[MaskPair]:
    full, empty = np.ones((4, 4), np.float32), np.zeros((4, 4), np.float32)
    return [MaskPair(i, 40 + 3 * i, (0, 0, 100, 100), full, empty) for i in range(count)]


def test_a_pair_is_shown_side_by_side_in_the_models_colours(
    qtbot: QtBot, make_source: Callable
) -> None:
    grid = MaskPairGrid("Masks")
    qtbot.addWidget(grid)
    grid.resize(600, 400)
    grid.set_source(make_source())
    grid.show_pairs(pairs(), ["first", "second", "third"])
    grid.show()
    QApplication.processEvents()
    picture = grid.viewport().grab().toImage()
    place = grid.visualRect(grid.grid_model.index(0, 0))
    size = grid.thumbnail_size
    y = place.y() + 4 + size // 2
    left, right = place.x() + 4, place.x() + 4 + size + 3
    assert picture.pixelColor(left, y) == QColor(MODEL_COLOURS["a"])
    assert picture.pixelColor(right, y) == QColor(MODEL_COLOURS["b"])
    whole = picture.pixelColor(left + size // 2, y)
    dimmed = picture.pixelColor(right + size // 2, y)
    assert whole.name() == QColor.fromHsv(40 * 37 % 360, 160, 200).name()
    assert dimmed.value() == pytest.approx(200 * (255 - 140) / 255, abs=2)


def test_enter_shows_one_pair_large_and_escape_goes_back(
    qtbot: QtBot, make_source: Callable
) -> None:
    grid = MaskPairGrid("Masks", largest=100)
    qtbot.addWidget(grid)
    grid.resize(700, 420)
    grid.set_source(make_source())
    grid.show_pairs(pairs(), ["first", "second", "third"])
    grid.show()
    grid.setFocus()
    small = grid.thumbnail_size
    grid.set_focus(1)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert grid.alone() == 1
    assert [item.caption for item in grid.grid_model.items] == ["second"]
    assert grid.thumbnail_size > 2 * small
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    assert grid.alone() == 2
    qtbot.keyClick(grid, Qt.Key.Key_Escape)
    assert grid.alone() is None
    assert len(grid.grid_model.items) == 3
    assert grid.focus() == 2
    assert grid.thumbnail_size == small


def test_masks_come_with_their_images_or_on_grey(qtbot: QtBot, make_source: Callable) -> None:
    source = make_source(later=True, missing=frozenset({43}))
    grid = MaskPairGrid("Masks")
    qtbot.addWidget(grid)
    grid.resize(600, 400)
    grid.set_source(source)
    grid.show_pairs(pairs(2), ["first", "second"])
    first, second = grid.grid_model.items
    assert grid.picture(first, 0) is None
    source.deliver(40)
    source.deliver(43)
    assert grid.picture(first, 0) is not None
    grey = grid.picture(second, 0)
    assert grey is not None
    assert set(np.unique(pixels_of(grey.toImage())).tolist()) == {0x7A}
    with pytest.raises(ValueError, match="no way"):
        grid.set_mode("outline")


def test_bars_have_their_range_and_those_that_do_not_count_no_colour(qtbot: QtBot) -> None:
    table = RangeBarTable("Scores")
    qtbot.addWidget(table)
    table.resize(500, 160)
    nan = float("nan")
    blue = MODEL_COLOURS["a"]
    column = BarColumn("score", np.array([0.9, 0.5, nan]), ("0.90", "0.50", ""), (0.0, 1.0), blue,
                       grey=np.array([False, True, False]))  # fmt: skip
    rows = tuple(BarRow(name, name) for name in ("first", "second", "third"))
    ranges = Ranges(np.array([0.8, 0.4, nan]), np.array([0.95, 0.6, nan]),
                    np.full(3, 0.3), np.full(3, 0.7), ("", "", "not used"))  # fmt: skip
    table.set_rows(BarData(rows, (column,)), ranges)
    table.show()
    QApplication.processEvents()
    picture = table.viewport().grab().toImage()

    def colours(name: str) -> set[str]:
        place = table.row_rectangle(name)
        y = round(place.center().y()) + 4  # below the whisker
        return {picture.pixelColor(x, y).name() for x in range(picture.width())}

    assert blue.lower() in colours("first")
    assert blue.lower() not in colours("second")
    assert blue.lower() not in colours("third")
    assert theme().colour("no_value").name() in colours("third")
    # The ends of what chance gives, and the band between them.
    left, width = Layout.of(table.data, table.viewport().width()).bars[0]
    y = round(table.row_rectangle("second").top()) + 2  # above the bar
    edge = theme().colour("muted").name()
    for value in (0.3, 0.7):
        near = [picture.pixelColor(round(left + value * width) + off, y) for off in (-1, 0, 1)]
        assert edge in [colour.name() for colour in near]
    ground = theme().colour("surface").name()
    assert picture.pixelColor(round(left + 0.5 * width), y).name() not in (ground, edge)
    assert picture.pixelColor(round(left + 0.9 * width), y).name() == ground
    table.set_rows(None, None)
    table.grab()


def line_plot(qtbot: QtBot) -> LinePlot:
    plot = LinePlot("Lines", "across", "up")
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    x = np.array([0.1, 0.5, 0.9])
    plot.show_series(
        [
            Series("low", x, np.array([0.1, np.nan, 0.3]), QColor("#009E73"), "o"),
            Series("high", x, np.array([0.8, 0.9, 0.7]), QColor("#CC79A7"), "t1",
                   x - 0.1, x + 0.1, np.array([True, False, True]), front=True),
            Series("chance", x, np.full(3, 0.5), QColor("#59616A"), dashed=True),
        ]
    )  # fmt: skip
    plot.show()
    QApplication.processEvents()
    return plot


def test_points_are_found_by_the_mouse_and_lines_without_points_are_not(qtbot: QtBot) -> None:
    plot = line_plot(qtbot)
    pressed: list[tuple[object, int]] = []
    moved: list[float] = []
    plot.series_pressed.connect(lambda identity, place: pressed.append((identity, place)))
    plot.moved.connect(moved.append)

    def at(x: float, y: float) -> QPointF:
        px, py = plot.canvas.to_pixels(np.array([x]), np.array([y]))
        return QPointF(px[0], py[0])

    plot.canvas.pressed_at.emit(at(0.5, 0.9), Qt.KeyboardModifier.NoModifier)
    plot.canvas.pressed_at.emit(at(0.9, 0.3), Qt.KeyboardModifier.NoModifier)
    plot.canvas.pressed_at.emit(at(0.5, 0.5), Qt.KeyboardModifier.NoModifier)
    assert pressed == [("high", 1), ("low", 2)]
    assert moved == []  # there is no line to move
    plot.set_line(0.2)
    plot.canvas.pressed_at.emit(at(0.5, 0.5), Qt.KeyboardModifier.NoModifier)
    assert moved == [pytest.approx(0.5, abs=0.01)]
    hovered: list[tuple[object, int]] = []
    plot.point_hovered.connect(lambda identity, place: hovered.append((identity, place)))
    plot.canvas.moved_to.emit(at(0.1, 0.1))
    plot.canvas.left.emit()
    assert hovered == [("low", 0), (None, -1)]


def test_lines_have_round_ticks_within_their_bounds(qtbot: QtBot) -> None:
    plot = line_plot(qtbot)
    plot.set_bounds((0.0, 1.0), (0.5, 1.0))
    ticks = plot.axes["left"]._tickLevels
    assert [text for _, text in ticks[0]] == ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    (left, right), (bottom, top) = plot.canvas.view.viewRange()  # type: ignore[union-attr]
    assert (left, right) == pytest.approx((-0.03, 1.03))
    assert (bottom, top) == pytest.approx((0.485, 1.015))
    light = plot.grab().toImage().pixelColor(200, 120)
    before = theme().scheme
    theme().set_scheme("dark")
    dark = plot.grab().toImage().pixelColor(200, 120)
    theme().set_scheme(before)
    assert light.lightness() > 200 > 100 > dark.lightness()
