"""How far things are scrolled: there and back, also where there is more or less room."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QGraphicsView, QTableView, QVBoxLayout, QWidget

from app import widget_states
from app.scroll_states import read_scroll, write_scroll
from app.widgets.image_grid import GridItem, ImageGrid
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin


@pytest.fixture
def table(qtbot) -> QTableView:
    view = QTableView()
    view.setModel(QStringListModel([str(i) for i in range(200)], view))
    view.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
    qtbot.addWidget(view)
    view.resize(300, 200)
    view.show()
    return view


def test_a_table_is_scrolled_to_the_same_row_whatever_its_height(table) -> None:
    table.verticalScrollBar().setValue(777)
    kept = read_scroll(table)
    assert kept is not None
    first = table.rowAt(0)
    table.resize(300, 400)
    assert write_scroll(table, [[0, 100], [0, 100]])
    assert table.rowAt(0) == 0
    assert write_scroll(table, kept)
    assert (table.verticalScrollBar().value(), table.rowAt(0)) == (777, first)
    assert not write_scroll(table, kept)


def test_where_everything_is_seen_nothing_is_kept(table) -> None:
    table.setModel(QStringListModel(["one"], table))
    assert read_scroll(table) is None
    assert not write_scroll(table, [[50, 100], [0, 10]])


@pytest.mark.parametrize(
    "value",
    [None, 3, [], [[1, 2]], [1, 2], [[0.5, 2], ["1", 2]], [[True, 9], [3, 0]],
     [[-4, 9], [2**40, 1]]],
)  # fmt: skip
def test_nonsense_does_not_scroll(table, value) -> None:
    table.verticalScrollBar().setValue(50)
    assert not write_scroll(table, value)
    assert table.verticalScrollBar().value() == 50


def test_beyond_the_end_is_the_end(table) -> None:
    assert write_scroll(table, [[900, 10], [0, 10]])
    assert table.verticalScrollBar().value() == table.verticalScrollBar().maximum()


def test_plots_have_a_visible_range_instead(qtbot) -> None:
    view = QGraphicsView()
    qtbot.addWidget(view)
    view.setSceneRect(0, 0, 5000, 5000)
    view.show()
    assert read_scroll(view) is None
    assert not write_scroll(view, [[1, 2], [1, 2]])


def test_a_wider_grid_shows_about_the_same_pictures(qtbot) -> None:
    grid = ImageGrid(size=48)
    grid.set_items(GridItem(i, i) for i in range(400))
    qtbot.addWidget(grid)
    grid.resize(300, 300)
    grid.show()
    qtbot.waitUntil(lambda: grid.verticalScrollBar().maximum() > 0)
    grid.verticalScrollBar().setValue(1500)
    kept, first = read_scroll(grid), _first(grid)
    grid.resize(600, 300)
    assert write_scroll(grid, kept)
    columns = 600 // grid.cell().width()
    assert abs(_first(grid) - first) <= columns


def _first(grid: ImageGrid) -> int:
    index = grid.indexAt(grid.viewport().rect().topLeft())
    return int(str(index.data(0x0100)))


def test_the_rows_of_a_table_twin_belong_to_a_views_state(qtbot) -> None:
    view = QWidget()
    twin = TableTwin()
    values = np.arange(300.0)
    twin.set_columns(list(range(300)), [Column("x", "x", values)])
    QVBoxLayout(view).addWidget(twin)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    at_first = widget_states.read(view)
    twin.set_focus(3)
    twin.table.verticalScrollBar().setValue(2345)
    state = widget_states.read(view)
    changed = {key.rpartition(":")[2] for key in state if state[key] != at_first.get(key)}
    assert changed == {"TableTwin", "QAbstractScrollArea"}
    while widget_states.restore(view, at_first):
        pass
    assert twin.table.verticalScrollBar().value() == 0
    while widget_states.restore(view, state):  # the row in focus is out of sight
        pass
    assert (twin.focus(), twin.table.verticalScrollBar().value()) == (3, 2345)
