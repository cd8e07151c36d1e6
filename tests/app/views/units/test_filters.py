"""The units view: filters that count at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from analysis.figures.unit_data import UnitTable
from app.views.units_view import UnitsView
from tests.app.views.units.steps import MODELS, counted, detail, row_of, units


def test_best_units_come_first_and_grid_follows_the_table(
    view: UnitsView, table: UnitTable
) -> None:
    shown = view.table.model.shown_ids()
    assert shown[0] == int(table.unit_id[np.nanargmax(table.iou)])
    assert [view.grid.grid_model.unit_at(row) for row in range(len(shown))] == shown
    view.table.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    shown = view.table.model.shown_ids()
    assert str(table.model[row_of(table, shown[0])]) == "ViT"
    assert [view.grid.grid_model.unit_at(row) for row in range(len(shown))] == shown


def test_search_says_which_units_of_which_models_know_it(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    told: list[str] = []
    view.search_changed.connect(told.append)
    qtbot.keyClicks(view.bar.search, "wheel")
    assert told[-1] == "wheel"
    known = counted(table, 0.04) & np.char.startswith(table.concept, "wheel")
    by_model = {m: int((known & (table.model == m)).sum()) for m in MODELS}
    ordered = sorted(by_model, key=lambda m: -by_model[m])
    named = ", ".join(f"{m} {by_model[m]}" for m in ordered)
    line = view.bar.found.text()
    assert line.startswith(f"wheel: {known.sum()} units in 3 models ({named})")
    assert "2 concepts: wheel " in line
    shown = view.table.model.shown_ids()
    assert {str(table.concept[row_of(table, u)]) for u in shown} == {"wheel", "wheel-t"}
    assert view.grid.grid_model.rowCount() == len(shown)


def test_search_for_what_nobody_knows(qtbot: QtBot, view: UnitsView) -> None:
    view.bar.search.setText("xyzzy")
    assert view.bar.found.text() == "“xyzzy”: no concept of this run is called like that"
    assert view.grid.grid_model.rowCount() == 0
    told: list[str] = []
    view.search_changed.connect(told.append)
    qtbot.mouseClick(view.units.empty.button, Qt.MouseButton.LeftButton)
    assert told == [""]
    assert view.grid.grid_model.rowCount() == 120


def test_threshold_counts_again_at_once(view: UnitsView, table: UnitTable) -> None:
    view.bar.slider.setValue(150)
    expected = counted(table, 0.15)
    assert view.bar.counts.text().startswith(f"{expected.sum()} of 120 units interpretable")
    parts = int((expected & (table.category == "part")).sum())
    assert view.bar.chips["part"].text() == f"part {parts}"
    values = view.table.model.columns[-1].values
    assert (values == "yes").tolist() == expected.tolist()
    assert view.sweep.marker.value() == pytest.approx(0.15)
    view.bar.interpretable_only.setChecked(True)
    assert set(view.table.model.shown_ids()) == set(table.unit_id[expected].tolist())
    view.bar.threshold.setValue(0.2)
    assert set(view.table.model.shown_ids()) == set(table.unit_id[counted(table, 0.2)].tolist())
    view.bar.back.click()
    assert view.bar.iou_threshold() == 0.04


def test_threshold_of_the_run_is_not_rounded(view: UnitsView, table: UnitTable) -> None:
    between = dataclasses.replace(table, run=9, iou_threshold=0.04251)
    view.show_units(between)
    assert view.bar.iou_threshold() == 0.04251


def test_new_results_of_the_run_leave_the_threshold_alone(
    view: UnitsView, table: UnitTable
) -> None:
    view.bar.threshold.setValue(0.1)
    view.show_units(units(50))
    assert view.bar.iou_threshold() == pytest.approx(0.1)
    view.show_units(dataclasses.replace(table, run=5))
    assert view.bar.iou_threshold() == 0.04


def test_chips_show_categories_alone_even_the_dead(view: UnitsView, table: UnitTable) -> None:
    view.bar.chips["dead"].click()
    assert set(view.table.model.shown_ids()) == set(
        table.unit_id[table.category == "dead"].tolist()
    )
    view.bar.chips["part"].click()
    wanted = np.isin(table.category, ["dead", "part"])
    assert set(view.table.model.shown_ids()) == set(table.unit_id[wanted].tolist())
    assert view.bar.chips["dead"].text() == "dead 3"
    assert view.bar.chips["not a number"].text() == "not a number 3"


def test_selected_models_hide_the_others_until_the_box_is_empty(
    view: UnitsView, table: UnitTable
) -> None:
    view.set_models(("Lite2",))
    assert set(view.table.model.shown_ids()) == set(table.unit_id[table.model == "Lite2"].tolist())
    view.bar.selected_only.setChecked(False)
    assert len(view.table.model.shown_ids()) == 120
    view.bar.selected_only.setChecked(True)
    view.set_models(("a model of another run",))
    assert len(view.table.model.shown_ids()) == 120


def test_two_selected_models_are_one_click_from_their_comparison(
    qtbot: QtBot, view: UnitsView
) -> None:
    chosen: list[tuple[str, ...]] = []
    view.models_selected.connect(chosen.append)
    rows = {view.models.twin.model.id_at(row): row for row in range(3)}
    models = view.models.twin.table
    models.selectRow(rows["ViT"])
    selection = models.selectionModel()
    both = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
    selection.select(view.models.twin.model.index(rows["Lite0"], 0), both)
    assert chosen == [("ViT",), ("ViT", "Lite0")]
    with qtbot.waitSignal(view.compare_requested) as caught:
        qtbot.mouseClick(view.bar.compare, Qt.MouseButton.LeftButton)
    assert caught.args == ["ViT", "Lite0"]
    qtbot.mouseClick(view.models.every, Qt.MouseButton.LeftButton)
    assert chosen[-1] == ()
    assert not view.bar.compare.isVisible()


def test_setters_are_silent(qtbot: QtBot, view: UnitsView, table: UnitTable) -> None:
    told: list[object] = []
    for signal in (
        view.unit_focused, view.units_selected, view.models_selected, view.search_changed,
        view.patch_activated, view.compare_requested,
    ):  # fmt: skip
        signal.connect(lambda *values: told.append(values))
    unit = int(table.unit_id[7])
    view.set_unit(unit)
    view.set_models(("Lite0", "ViT"))
    view.set_search("sky")
    view.set_selection(frozenset({unit, 999_999}))
    view.show_detail(detail(table, unit))
    view.show_units(table)
    view.show_units(None)
    view.set_unit(None)
    assert told == []
