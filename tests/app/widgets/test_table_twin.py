"""The table twin: ids stay with their rows whatever is sorted, filtered or copied."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

IDS = [70, 11, 52, 33]
NAMES = np.array(["owl", "Crab", "bat", "crane"], dtype=object)
VALUES = np.array([0.2, np.nan, 0.9, 0.5])


def columns() -> tuple[Column, ...]:
    return (
        Column("name", "Name", NAMES),
        Column("value", "Value", VALUES, "decimal", VALUES - 0.1, VALUES + 0.05, "not computed"),
    )


@pytest.fixture
def twin(qtbot: QtBot) -> TableTwin:
    twin = TableTwin("animal")
    qtbot.addWidget(twin)
    twin.resize(500, 300)
    twin.set_columns(IDS, columns())
    twin.show()
    return twin


def shown(twin: TableTwin, column: int) -> list[str]:
    model = twin.model
    return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]


def test_sorting_both_ways_keeps_ids_and_puts_missing_numbers_last(twin: TableTwin) -> None:
    twin.table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert twin.model.shown_ids() == [70, 33, 52, 11]
    twin.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert twin.model.shown_ids() == [52, 33, 70, 11]
    assert shown(twin, 1) == ["0.90 [0.80, 0.95]", "0.50 [0.40, 0.55]", "0.20 [0.10, 0.25]", "—"]


def test_missing_number_says_why(twin: TableTwin) -> None:
    index = twin.model.index(1, 1)
    assert twin.model.data(index, Qt.ItemDataRole.ToolTipRole) == "No number: not computed."


def test_text_sorts_without_regard_to_case(twin: TableTwin) -> None:
    twin.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert shown(twin, 0) == ["bat", "Crab", "crane", "owl"]


def test_typing_filters_by_words_and_says_how_many_are_left(qtbot: QtBot, twin: TableTwin) -> None:
    with qtbot.waitSignal(twin.rows_filtered) as caught:
        qtbot.keyClicks(twin.search, "CRA")
    assert caught.args == [[11, 33]]
    assert twin.count.text() == "2 of 4 animals"
    assert twin.model.row_of(70) == -1


def test_limits_leave_out_missing_numbers_and_can_be_taken_back(
    qtbot: QtBot, twin: TableTwin
) -> None:
    with qtbot.waitSignal(twin.rows_filtered) as caught:
        qtbot.keyClicks(twin.minimum, "0.2")
    assert caught.args == [[70, 52, 33]]
    with qtbot.waitSignal(twin.rows_filtered) as caught:
        qtbot.keyClicks(twin.maximum, "0,6")
    assert caught.args == [[70, 33]]
    with qtbot.waitSignal(twin.rows_filtered) as caught:
        twin.minimum.clear()
        twin.maximum.clear()
    assert caught.args == [IDS]


def test_focus_stays_on_its_id_through_sorting(twin: TableTwin) -> None:
    twin.set_focus(52)
    twin.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert twin.focus() == 52
    assert twin.table.currentIndex().row() == 0


def test_arrow_key_and_enter_tell_ids(qtbot: QtBot, twin: TableTwin) -> None:
    twin.set_focus(70)
    with qtbot.waitSignals([twin.row_focused, twin.selection_changed]):
        qtbot.keyClick(twin.table, Qt.Key.Key_Down)
    assert twin.focus() == 11
    with qtbot.waitSignal(twin.row_activated) as caught:
        qtbot.keyClick(twin.table, Qt.Key.Key_Return)
    assert caught.args == [11]


def test_setters_are_silent(qtbot: QtBot, twin: TableTwin) -> None:
    with qtbot.assertNotEmitted(twin.row_focused), qtbot.assertNotEmitted(twin.selection_changed):
        twin.set_focus(33)
        twin.set_selection(frozenset({70, 52, 999}))
        twin.set_columns(IDS[:2], [Column("name", "Name", NAMES[:2])])


def test_only_the_shared_selection_can_be_shown(qtbot: QtBot, twin: TableTwin) -> None:
    twin.set_selection({33, 70})
    twin.marked_only.setChecked(True)
    assert twin.model.shown_ids() == [70, 33]
    twin.set_selection({52})
    assert twin.model.shown_ids() == [52]


def test_copy_gives_full_numbers_with_ids(qtbot: QtBot, twin: TableTwin) -> None:
    twin.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    twin.copy_all()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == "id\tname\tvalue\tvalue_low\tvalue_high"
    assert lines[1] == "52\tbat\t0.9\t0.8\t0.95"
    assert lines[-1] == "11\tCrab\t\t\t"


def test_copy_of_selected_rows_alone(qtbot: QtBot, twin: TableTwin) -> None:
    twin.table.selectRow(2)
    qtbot.keyClick(twin.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2


def test_tab_and_line_break_in_a_name_do_not_break_the_copy(qtbot: QtBot) -> None:
    twin = TableTwin()
    qtbot.addWidget(twin)
    twin.set_columns([5], [Column("name", "Name", np.array(["a\tb\nc"], dtype=object))])
    assert twin.model.tab_separated([0]) == "id\tname\n5\ta b c\n"


def test_no_rows(qtbot: QtBot) -> None:
    twin = TableTwin("animal")
    qtbot.addWidget(twin)
    twin.set_columns([], [Column("value", "Value", np.zeros(0), "decimal")])
    twin.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    twin.model.set_text_filter("x")
    assert twin.model.shown_ids() == []
    assert twin.count.text() == "0 animals"


def test_twenty_thousand_rows_sort_and_filter(qtbot: QtBot) -> None:
    count = 20_000
    rng = np.random.default_rng(0)
    ids = rng.permutation(count) + 10**6
    values = rng.normal(size=count)
    twin = TableTwin()
    qtbot.addWidget(twin)
    twin.set_columns(ids.tolist(), [Column("value", "Value", values, "decimal")])
    twin.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert twin.model.shown_ids() == ids[np.argsort(-values)].tolist()
    twin.model.set_limits("value", 0.0, None)
    assert twin.model.rowCount() == int((values >= 0).sum())


def test_the_row_in_focus_stays_in_sight_when_rows_come_back(qtbot: QtBot, twin: TableTwin) -> None:
    ids = list(range(400))
    names = np.array([f"crab {i}" for i in ids], dtype=object)
    twin.set_columns(ids, (Column("name", "Name", names),))
    twin.search.setText("39")
    twin.apply_filters()
    twin.set_focus(239)
    twin.search.clear()
    twin.apply_filters()
    row = twin.table.visualRect(twin.table.currentIndex())
    assert twin.focus() == 239
    assert twin.table.viewport().rect().contains(row.center())
