"""Rows kept by a filter elsewhere, columns whose values change, large selections."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.widgets.table_model import Column, ColumnTableModel
from app.widgets.table_twin import TableTwin

IDS = [40, 10, 30, 20]
Role = Qt.ItemDataRole


@pytest.fixture
def model(qtbot: QtBot) -> ColumnTableModel:
    model = ColumnTableModel()
    model.set_columns(
        IDS,
        [
            Column("name", "Name", np.array(["b", "A", "c", "a"])),
            Column("value", "Value", np.array([0.1234, 0.5, np.nan, 2.0]), "decimal", digits=3),
        ],
    )
    return model


def test_kept_rows_stay_sorted_and_go_with_other_data(model: ColumnTableModel) -> None:
    model.sort(0)
    assert model.shown_ids() == [10, 20, 40, 30]  # capitals do not matter; equal ones keep places
    model.set_kept(np.array([True, False, True, True]))
    assert model.shown_ids() == [20, 40, 30]
    assert model.shown_rows().tolist() == [3, 0, 2]
    model.set_text_filter("b")
    assert model.shown_ids() == [40]
    model.set_columns([1, 2], [Column("name", "Name", np.array(["b", "bb"]))])
    assert model.shown_ids() == [1, 2]


def test_replaced_values_are_shown_sorted_and_searched(model: ColumnTableModel) -> None:
    model.sort(0)
    model.replace_values("name", np.array(["z", "y", "x", "w"]))
    assert model.shown_ids() == [20, 30, 10, 40]
    model.set_text_filter("y")
    assert model.shown_ids() == [10]
    model.replace_values("name", np.array(["y", "n", "n", "n"]))
    assert model.shown_ids() == [40]


def test_replaced_values_of_another_column_leave_the_rows_alone(
    qtbot: QtBot, model: ColumnTableModel
) -> None:
    model.sort(0)
    with qtbot.assertNotEmitted(model.layoutChanged), qtbot.waitSignal(model.dataChanged):
        model.replace_values("value", np.array([4.0, 3.0, 2.0, 1.0]))
    assert model.data(model.index(0, 1)) == "3.000"


def test_digits(model: ColumnTableModel) -> None:
    assert [model.data(model.index(row, 1)) for row in range(4)] == ["0.123", "0.500", "—", "2.000"]


def test_a_sorted_number_leaves_room_for_the_arrow(model: ColumnTableModel) -> None:
    model.sort(1)
    title = model.headerData(1, Qt.Orientation.Horizontal)
    assert isinstance(title, str)
    assert title.strip() == "Value"
    assert title.endswith("\u00a0")
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Name"


def test_a_large_selection_is_let_go_silently_when_the_order_changes(qtbot: QtBot) -> None:
    twin = TableTwin(filters=False)
    qtbot.addWidget(twin)
    assert twin.filter_line.isHidden()
    ids = list(range(2000, 0, -1))
    twin.set_columns(ids, [Column("value", "Value", np.arange(2000.0), "whole")])
    twin.table.selectAll()
    assert twin.selected_ids() == frozenset(ids)
    with qtbot.assertNotEmitted(twin.selection_changed):
        twin.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert twin.selected_ids() == frozenset()
    twin.set_selected_rows([3, 7, -1])
    with qtbot.assertNotEmitted(twin.selection_changed):
        twin.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert twin.selected_ids() == {3, 7}
