"""Bars under mouse and keyboard, and how they are laid out."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.widgets.bar_data import BarColumn, BarData, BarRow, upper_limit
from app.widgets.bar_paint import Layout
from app.widgets.bar_table import BarTable

LEFT = Qt.MouseButton.LeftButton


def bars(rows: int = 4, sections: bool = False) -> BarData:
    values = np.linspace(-1, 1, rows)
    return BarData(
        tuple(
            BarRow(f"id{i}", f"name {i}", f"part {i // 2}" if sections else "", "●", "#009E73")
            for i in range(rows)
        ),
        (
            BarColumn("Signed", values, tuple(f"{v:.2f}" for v in values), (-1.0, 1.0)),
            BarColumn(
                "Whole",
                np.arange(1.0, rows + 1),
                tuple(str(i + 1) for i in range(rows)),
                (0.0, float(rows)),
                "#D55E00",
            ),
        ),
        lambda identity: f"about {identity}",
    )


@pytest.fixture
def table(qtbot: QtBot) -> BarTable:
    table = BarTable("Made-up bars")
    qtbot.addWidget(table)
    table.resize(500, 300)
    table.set_data(bars())
    with qtbot.waitExposed(table):
        table.show()
    return table


def middle(table: BarTable, identity: str) -> QPoint:
    return table.row_rectangle(identity).center().toPoint()


def test_click_focuses_and_selects_control_adds_and_double_click_opens(
    qtbot: QtBot, table: BarTable
) -> None:
    focused: list[object] = []
    selected: list[object] = []
    table.row_focused.connect(focused.append)
    table.selection_changed.connect(selected.append)
    qtbot.mouseClick(table.viewport(), LEFT, pos=middle(table, "id2"))
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(table.viewport(), LEFT, control, pos=middle(table, "id0"))
    assert focused == ["id2", "id0"]
    assert selected == [frozenset({"id2"}), frozenset({"id0", "id2"})]
    with qtbot.waitSignal(table.row_activated) as caught:
        qtbot.mouseDClick(table.viewport(), LEFT, pos=middle(table, "id3"))
    assert caught.args == ["id3"]


def test_keys_walk_select_and_open(qtbot: QtBot, table: BarTable) -> None:
    selected: list[object] = []
    table.selection_changed.connect(selected.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Up):
        qtbot.keyClick(table, key)
    assert table.focus() == "id2"
    assert table.accessibleDescription() == "about id2"
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert selected[-1] == frozenset({"id2", "id3"})
    qtbot.keyClick(table, Qt.Key.Key_Space)
    assert selected[-1] == frozenset({"id2"})
    qtbot.keyClick(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(selected[-1]) == 4
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert selected[-1] == frozenset()
    with qtbot.waitSignal(table.row_activated) as caught:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert caught.args == ["id3"]


def test_hover_tells_the_row_and_then_nothing(qtbot: QtBot, table: BarTable) -> None:
    told: list[object] = []
    table.row_hovered.connect(told.append)
    qtbot.mouseMove(table.viewport(), middle(table, "id1"))
    qtbot.mouseMove(table.viewport(), QPoint(40, 3))  # the head
    assert told == ["id1", None]


def test_setters_are_silent_and_focus_comes_into_view(qtbot: QtBot, table: BarTable) -> None:
    told: list[object] = []
    for signal in (table.row_focused, table.selection_changed, table.row_hovered):
        signal.connect(told.append)
    table.set_data(bars(200, sections=True))
    table.set_focus("id150")
    table.set_selection(frozenset({"id150"}))
    table.set_hover("id3")
    assert told == []
    seen = table.row_rectangle("id150")
    assert seen.top() >= 0
    assert seen.bottom() <= table.viewport().height()
    assert table.row_rectangle("id0").bottom() < 0


def test_sections_take_lines_of_their_own(table: BarTable) -> None:
    table.set_data(bars(4, sections=True))
    height = table.row_height()
    gaps = [table.row_rectangle(f"id{i}").top() for i in range(4)]
    assert gaps[1] - gaps[0] == height
    assert gaps[2] - gaps[1] > 2 * height


def test_bars_are_painted_to_scale(table: BarTable) -> None:
    layout = Layout.of(table.data, table.viewport().width())
    picture = table.viewport().grab().toImage()
    left, width = layout.bars[1]
    for index in range(4):
        level = middle(table, f"id{index}").y()
        colours = [picture.pixelColor(round(left + x), level) for x in range(2, round(width))]
        painted = sum(colour == QColor("#D55E00") for colour in colours)
        assert painted == pytest.approx(width * (index + 1) / 4, abs=4)


def test_columns_share_the_room_and_a_narrow_table_still_holds_them(table: BarTable) -> None:
    wide = Layout.of(table.data, 500)
    assert not wide.over
    assert wide.bars[0][1] == wide.bars[1][1]
    last, room = wide.numbers[-1]
    assert last + room <= 500
    narrow = Layout.of(table.data, 150)
    assert narrow.over
    assert narrow.bars[-1][0] + narrow.bars[-1][1] <= 150
    assert narrow.label <= 0.4 * 150


def test_missing_values_and_nothing_at_all_are_painted(table: BarTable) -> None:
    nothing = np.full(2, np.nan)
    column = BarColumn(
        "", nothing, ("—", "—"), (0.0, 0.0), inner=nothing, marks=nothing, grey=nothing > 0
    )
    table.set_data(BarData((BarRow("a", "A"), BarRow("b", "B")), (column,)))
    assert not table.grab().isNull()
    table.set_data(None)
    assert not table.grab().isNull()
    assert table.row_rectangle("a").isEmpty()


def test_the_upper_limit_is_the_largest_magnitude() -> None:
    assert upper_limit(np.array([1.0, -3.0, np.nan]), np.array([2.0])) == 3.0
    assert upper_limit(np.array([np.nan])) == 1.0
    assert upper_limit(np.zeros(0)) == 1.0
