"""The units view: linked focus by ids, lazy details and their pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from analysis.figures.unit_data import UnitTable
from app.views.units_view import UnitsView
from tests.app.views.units.steps import counted, detail, units


def test_walking_the_table_focuses_units_by_id(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    told: list[int] = []
    view.unit_focused.connect(told.append)
    shown = view.table.model.shown_ids()
    view.set_unit(shown[0])
    qtbot.keyClick(view.table.table, Qt.Key.Key_Down)
    assert told == [shown[1]]
    assert view.grid.focus() == shown[1]
    qtbot.keyClick(view.grid, Qt.Key.Key_Down)
    assert told == [shown[1], shown[2]]
    assert view.table.focus() == shown[2]


def test_focus_stays_with_its_unit_when_filters_hide_and_show_it(
    view: UnitsView, table: UnitTable
) -> None:
    unit = int(table.unit_id[np.flatnonzero(table.concept == "sky")[3]])
    view.set_unit(unit)
    view.bar.search.setText("grass")
    assert view.grid.focus() is None
    view.bar.search.setText("")
    assert view.grid.focus() == unit
    assert view.table.focus() == unit


def test_pictures_are_asked_for_once_for_units_in_view(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    asked: list[tuple[int, ...]] = []
    view.pictures_needed.connect(asked.append)
    view.bar.search.setText("grass")
    qtbot.waitUntil(lambda: len(asked) == 1)
    shown = view.table.model.shown_ids()
    seen = list(view.grid.visible_rows())
    assert asked[0][: len(seen)] == tuple(shown[row] for row in seen)
    assert len(asked[0]) <= 2 * len(seen)
    view.show_details({unit: detail(table, unit) for unit in asked[0]})
    view.grid.verticalScrollBar().setValue(view.grid.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert not set(asked[1]) & set(asked[0])
    assert shown[-1] in asked[1]


def test_arrows_reach_images_and_enter_opens_them(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    view.opens_patches = False
    unit = view.table.model.shown_ids()[0]
    view.show_details({unit: detail(table, unit)})
    view.set_unit(unit)
    opened: list[tuple[int, int]] = []
    view.patch_activated.connect(lambda patch, image: opened.append((patch, image)))
    for _ in range(2):
        qtbot.keyClick(view.grid, Qt.Key.Key_Right)
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    assert opened == [(unit * 10 + 1, unit + 1)]
    qtbot.keyClick(view.table.table, Qt.Key.Key_Return)
    assert opened[-1] == (unit * 10, unit)


def test_large_view_walks_through_the_units_images_with_masks(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    unit = view.table.model.shown_ids()[3]
    view.show_details({unit: detail(table, unit)})
    view.open_large_view(unit * 10 + 2, unit + 2)
    dialog = view._dialog
    assert dialog is not None
    assert (dialog.at, len(dialog.patches)) == (2, 4)
    assert dialog.patches[2].mask is not None
    assert dialog.patches[2].box is None
    view.modes.button(1).click()
    view.open_large_view(unit * 10 + 2, unit + 2)
    assert dialog.patches[2].mask is None
    assert dialog.patches[2].box == (30, 20, 30, 30)
    dialog.close()


def test_detail_says_what_one_may_say(view: UnitsView, table: UnitTable) -> None:
    known = counted(table, 0.04)
    unit = int(table.unit_id[np.flatnonzero(known)[0]])
    view.show_detail(detail(table, unit))
    assert "stands for “" in view.panel.sentence.text()
    assert view.panel.grid.grid_model.rowCount() == 4
    assert view.panel.candidates.candidates.rowCount() == 2
    by_chance = int(table.unit_id[np.flatnonzero(table.null_iou > table.iou)[0]])
    view.show_detail(detail(table, by_chance))
    assert "no better than chance" in view.panel.sentence.text()
    view.show_detail(detail(table, unit))
    view.bar.threshold.setValue(0.9)
    assert "not well enough" in view.panel.sentence.text()
    dead = int(table.unit_id[np.flatnonzero(table.category == "dead")[0]])
    nobody = dataclasses.replace(detail(table, dead, pictures=0), candidates=())
    view.show_detail(nobody)
    assert view.panel.sentence.text().endswith("is dead: no image activates it.")
    assert view.panel.no_images.text() == "No image activates this unit."


def test_candidate_asks_which_units_know_it(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    unit = int(table.unit_id[0])
    view.show_detail(detail(table, unit))
    candidates = view.panel.candidates
    candidates.setCurrentIndex(candidates.candidates.index(1, 0))
    with qtbot.waitSignal(view.search_changed) as caught:
        qtbot.keyClick(candidates, Qt.Key.Key_Return)
    assert caught.args == ["fur"]


def test_imported_units_say_that_they_have_no_images(
    qtbot: QtBot, view: UnitsView, make_source: Callable
) -> None:
    imported = dataclasses.replace(units(nulls=False), run=8)
    view.show_units(imported)
    known = counted(imported, 0.04)
    assert view.bar.counts.text().startswith(f"{known.sum()} of 120")
    shown = view.table.model.shown_ids()
    view.show_details({unit: detail(imported, unit, pictures=0) for unit in shown[:6]})
    model = view.grid.grid_model
    text = model.data(model.index(0, 1), Qt.ItemDataRole.AccessibleTextRole)
    assert text == "imported from a table: no images are known"
    view.show_detail(detail(imported, shown[0], pictures=0))
    assert "comes from a table" in view.panel.no_images.text()
    assert "chance" not in view.panel.sentence.text()
    assert view.panel.numbers.text() == ""
    view.grab()


def test_units_without_an_image_in_the_slice_say_so(
    view: UnitsView, table: UnitTable, make_source: Callable
) -> None:
    shown = view.table.model.shown_ids()
    none = dataclasses.replace(
        detail(table, shown[0], pictures=0), slice_name="boats", images_known=9
    )
    view.show_details({shown[0]: none})
    model = view.grid.grid_model
    text = model.data(model.index(0, 1), Qt.ItemDataRole.AccessibleTextRole)
    assert text == "none of its 9 images is in the slice"
