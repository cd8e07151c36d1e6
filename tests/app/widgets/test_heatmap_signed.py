"""Heatmaps of signed values, with their own texts and verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.theme import theme
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData

VALUES = np.array([[0.8, -0.8], [0.1, np.nan]])


def signed() -> HeatmapData:
    return HeatmapData(
        rows=("low", "high"),
        columns=("PC1", "PC2"),
        values=VALUES,
        null_95=np.full((2, 2), np.nan),
        row_depths=np.zeros(2),
        column_depths=np.zeros(2),
        row_title="",
        column_title="",
        value_title="r",
        survives=np.array([[True, True], [False, False]]),
        texts=np.array([["0.80", "−0.80"], ["0.10", "own"]], dtype=object),
        outside=np.array([[False, False], [False, True]]),
        limits=(-1.0, 1.0),
        signed=True,
    )


@pytest.fixture
def heatmap(qtbot: QtBot) -> Heatmap:
    heatmap = Heatmap("Signed", with_best=False, level_columns=True)
    qtbot.addWidget(heatmap)
    heatmap.resize(420, 300)
    with qtbot.waitExposed(heatmap):
        heatmap.show()
    heatmap.set_data(signed())
    heatmap.grab()
    return heatmap


def test_what_survives_is_coloured_by_its_sign_and_the_rest_grey(heatmap: Heatmap) -> None:
    colours = heatmap.image.image
    assert colours[0, 0].tolist() == theme().signed()[int(0.9 * 255)].tolist()
    assert colours[0, 1].tolist() == theme().signed()[int(0.1 * 255)].tolist()
    grey, ground = theme().colour("no_value"), theme().colour("surface")
    assert QColor(*colours[1, 0].tolist()) == grey
    assert QColor(*colours[1, 1].tolist()) == ground
    assert (heatmap.bar.low, heatmap.bar.high) == (-1.0, 1.0)


def test_texts_take_the_place_of_numbers(heatmap: Heatmap) -> None:
    assert heatmap.data is not None
    assert heatmap.data.text(1, 1) == "own"
    heatmap.set_cell("high", "PC2")
    assert heatmap.canvas.accessibleDescription() == "high with PC2: own"


def test_without_the_margin_cells_take_its_room(qtbot: QtBot, heatmap: Heatmap) -> None:
    other = Heatmap("With margin")
    qtbot.addWidget(other)
    for one in (heatmap, other):
        one.resize(560, 300)
    other.set_data(signed())
    with qtbot.waitExposed(other):
        other.show()
    other.grab()
    heatmap.grab()
    assert heatmap.plot.getViewBox().width() > other.plot.getViewBox().width() + 60


def test_level_names_need_little_height(heatmap: Heatmap) -> None:
    assert heatmap.column_axis.room < 45


def test_where_there_is_little_room_the_cells_take_the_margin(qtbot: QtBot) -> None:
    other = Heatmap("With margin")
    qtbot.addWidget(other)
    other.set_data(signed())
    other.resize(560, 300)
    with qtbot.waitExposed(other):
        other.show()
    assert other.best.isVisible()
    other.resize(420, 300)
    qtbot.waitUntil(lambda: not other.best.isVisible())
