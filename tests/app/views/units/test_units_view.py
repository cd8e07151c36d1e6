"""The units view as a whole: thresholds, exports, odd data."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from analysis.figures.unit_data import UnitTable
from app.theme import theme
from app.views.units_view import UnitsView
from tests.app.views.units.steps import NAN, counted, detail, sweep, units


def test_dragged_line_of_the_sweep_moves_the_threshold(view: UnitsView, table: UnitTable) -> None:
    view.sweep.scatter.canvas.line_dragged.emit(view.sweep.marker, 0.1204)
    assert view.bar.iou_threshold() == pytest.approx(0.12)
    assert view.bar.counts.text().startswith(f"{counted(table, 0.12).sum()} of")


def test_sweep_has_a_line_for_each_model_and_quantile_and_a_table_twin(
    view: UnitsView,
) -> None:
    view.tabs.setCurrentIndex(1)
    view.grab()
    assert len(view.sweep._lines) == 6
    assert view.sweep.twin.model.rowCount() == 30
    view.sweep.twin.row_focused.emit(12)
    assert view.sweep.scatter.focus() == 12
    assert "above IoU 0.080" in view.sweep.scatter.describe(12)
    view.set_models(("ViT",))
    assert view.sweep._loud(sweep()) == {"ViT"}


def test_select_all_survives_a_change_of_order(qtbot: QtBot, table: UnitTable) -> None:
    view = UnitsView()
    qtbot.addWidget(view)
    many = units(400)
    view.show_units(many)
    told: list[frozenset[int]] = []
    view.units_selected.connect(told.append)
    view.table.table.selectAll()
    assert told[-1] == frozenset(many.unit_id.tolist())
    view.table.table.sortByColumn(5, Qt.SortOrder.AscendingOrder)
    assert len(told) == 1
    assert view.table.model._marked == told[0]


def test_exports_name_their_figures(qtbot: QtBot, view: UnitsView) -> None:
    told: list[tuple[str, str]] = []
    view.export_requested.connect(lambda figure, form: told.append((figure, form)))
    for panel in (view.units, view.sweep):
        next(a for a in panel.menu.actions() if a.data() == "csv").trigger()
    assert told == [("units", "csv"), ("threshold-sweep", "csv")]


def test_empty_view_leads_to_a_dissection(qtbot: QtBot) -> None:
    view = UnitsView()
    qtbot.addWidget(view)
    view.show_sweep(None)
    view.set_models(("Lite0", "ViT"))
    view.set_unit(5)
    with qtbot.waitSignal(view.action_requested) as caught:
        view.empty.button.click()
    assert caught.args == ["run dissection"]


def test_one_unit_with_nothing(qtbot: QtBot, view: UnitsView, table: UnitTable) -> None:
    nothing = {
        f.name: getattr(table, f.name)[:1]
        for f in dataclasses.fields(table)
        if isinstance(getattr(table, f.name), np.ndarray)
    }
    only = dataclasses.replace(table, run=11, **nothing)
    only = dataclasses.replace(
        only, iou=np.array([NAN]), concept=np.array([""]), category=np.array([""])
    )
    view.show_units(only)
    view.bar.search.setText("a")
    assert view.bar.counts.text() == "0 of 1 unit interpretable, 0 concepts"
    view.bar.search.setText("")
    assert list(view.bar.chips) == ["no concept"]
    view.grab()


def test_all_controls_can_be_named(view: UnitsView) -> None:
    kinds = (QAbstractButton, QLineEdit, QComboBox)
    nameless = [
        part
        for kind in kinds
        for part in view.findChildren(kind)
        if part.isVisible()
        and not (part.accessibleName() or getattr(part, "text", str)())
        and not part.objectName().startswith("qt_")
    ]
    assert nameless == []
    model = view.grid.grid_model
    text = model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert "IoU" in str(text)


def test_destroyed_view_leaves_nothing_behind(
    qtbot: QtBot, table: UnitTable, make_source: Callable
) -> None:
    gc.collect()
    before = set(QApplication.allWidgets())
    source = make_source(later=True)
    unit = int(table.unit_id[0])

    def open_and_close() -> None:
        view = UnitsView()
        view.set_source(source)
        view.show_units(table)
        view.show_sweep(sweep())
        view.tabs.setCurrentIndex(1)
        view.show_detail(detail(table, unit))
        view.show()
        view.open_large_view(unit * 10, unit)
        view.grab()
        view.close()
        view.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
        assert not shiboken6.isValid(view)

    for _ in range(2):
        open_and_close()
    gc.collect()
    assert [w for w in QApplication.allWidgets() if w not in before] == []
    source.ready.emit(unit)
    theme().changed.emit()
    QApplication.processEvents()
