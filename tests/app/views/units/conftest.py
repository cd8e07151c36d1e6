"""The units view with a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from analysis.figures.unit_data import UnitTable
from app.views.units_view import UnitsView
from tests.app.views.units.steps import sweep, units


@pytest.fixture
def table() -> UnitTable:
    return units()


@pytest.fixture
def view(qtbot: QtBot, table: UnitTable, make_source: Callable) -> Iterator[UnitsView]:
    view = UnitsView()
    qtbot.addWidget(view)
    source = make_source()
    view.set_source(source)
    view.resize(1200, 800)
    view.show_units(table)
    view.show_sweep(sweep())
    with qtbot.waitExposed(view):
        view.show()
    view.grab()
    yield view
    view.set_source(None)
