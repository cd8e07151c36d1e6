"""The perspective Units: which units know what, live, linked, and how one gets there."""

from __future__ import annotations

import pytest

from app.dialogs.run_dialog import RunDialog
from tests.app.steps import one, session, until


@pytest.fixture
def units(qtbot, dissected_window):
    """The presenter, with its view on the screen."""
    dissected_window.show_perspective("units")
    presenter = dissected_window.presenters["units"]
    until(qtbot, lambda: presenter.widget.currentWidget() is not presenter.empty)
    return presenter


def rows(presenter) -> int:
    return len(presenter.view.table.model.shown_rows())


def test_units_of_the_newest_dissection_are_shown(qtbot, units, dissected_window) -> None:
    assert rows(units) == 12
    assert session(dissected_window).run_dissection == 3
    assert not dissected_window.pair_bar.layer_a.isVisible()


def test_a_unit_is_shown_with_its_numbers_and_images(qtbot, units, dissected_window) -> None:
    window = dissected_window
    units.view.unit_focused.emit(1)
    until(qtbot, lambda: window.workspace.focus.unit is not None)
    assert window.inspector.title.text() == "wheel"
    assert "Unit 0 of Lite0" in window.inspector.sentence.text()
    assert "interpretable" in window.inspector.sentence.text()
    patch = window.workspace.focus.unit.patches[1]
    assert patch.mask is not None
    units.view.patch_focused.emit(patch.patch_id, patch.image)
    until(qtbot, lambda: "rank 2: peak activation 2" in window.inspector.caption.text())
    assert window.inspector.image.isVisible()


def test_a_dead_unit_says_so(qtbot, units, dissected_window) -> None:
    units.view.unit_focused.emit(4)
    until(qtbot, lambda: dissected_window.inspector.title.text() == "dead")
    assert "has no concept" in dissected_window.inspector.sentence.text()


def test_images_are_read_for_the_units_in_view(qtbot, units, dissected_window) -> None:
    units.view.pictures_needed.emit((5, 6))
    model = units.view.grid.grid_model
    until(qtbot, lambda: model.detail(5) is not None and model.detail(6) is not None)
    assert [patch.rank for patch in model.detail(5).patches] == [0, 1]


def test_focus_and_selection_follow_the_session(qtbot, units, dissected_window) -> None:
    window = dissected_window
    window.workspace.session.update({"unit": 6, "units": frozenset({5, 6})}, "test")
    assert units.view.table.focus() == 6
    until(qtbot, lambda: units.view.panel.detail is not None)
    assert units.view.panel.detail.model == "Lite2"


def test_another_run_forgets_the_unit(dissected_window) -> None:
    session_of = dissected_window.workspace.session
    session_of.update({"unit": 6, "units": frozenset({6})})
    session_of.update({"run_dissection": None})
    assert (session(dissected_window).unit, session(dissected_window).units) == (None, frozenset())


def test_units_appear_model_by_model(qtbot, units, dissected_window, backend) -> None:
    window = dissected_window
    backend.gate.clear()
    parameters = backend.parse_parameters("dissection", {})
    window.workspace.start_audit("dissection", ("SqueezeNet", "Lite0"), parameters, 1, "auto")
    until(qtbot, lambda: session(window).run_dissection == 6)
    until(qtbot, lambda: rows(units) == 4)
    assert window.workspace.jobs.busy
    backend.gate.set()
    until(qtbot, lambda: rows(units) == 8)


def test_hidden_units_load_when_shown(qtbot, units, dissected_window, backend) -> None:
    window = dissected_window
    window.show_perspective("concepts")
    parameters = backend.parse_parameters("dissection", {})
    window.workspace.start_audit("dissection", ("SqueezeNet",), parameters, 1, "auto")
    until(qtbot, lambda: session(window).run_dissection == 6)
    until(qtbot, lambda: not window.workspace.jobs.busy)
    assert rows(units) == 12  # not loaded while hidden
    window.show_perspective("units")
    until(qtbot, lambda: rows(units) == 4)


def test_without_units_the_models_can_be_dissected(qtbot, open_window) -> None:
    open_window.show_perspective("units")
    presenter = open_window.presenters["units"]
    assert presenter.widget.currentWidget() is presenter.empty
    assert presenter.empty.button.text() == "Dissect models…"
    presenter.empty.button.click()
    dialog = one(qtbot, RunDialog)
    assert dialog.audit.currentData() == "dissection"
    assert dialog.chosen_models() == ("Lite0", "Lite2", "SqueezeNet")
    dialog.close()


def test_large_view_of_the_inspectors_image(qtbot, units, dissected_window) -> None:
    window = dissected_window
    units.view.unit_focused.emit(1)
    until(qtbot, lambda: window.workspace.focus.unit is not None)
    patch = window.workspace.focus.unit.patches[0]
    units.view.patch_focused.emit(patch.patch_id, patch.image)
    until(qtbot, window.inspector.image.isVisible)
    window.commands.open_image(patch.image)
    from app.views.patch_dialog import PatchDialog

    one(qtbot, PatchDialog).close()


def test_another_pair_brings_a_unit_of_theirs_into_focus(qtbot, units, dissected_window) -> None:
    window = dissected_window
    until(qtbot, lambda: session(window).unit is not None)
    window.on_pair("Lite0", "Lite2")
    units.view.unit_focused.emit(1)  # of Lite0
    window.on_pair("Lite2", "Lite0")  # it is a unit of one of them: it stays
    assert session(window).unit == 1
    window.on_pair("Lite2", "SqueezeNet")
    until(qtbot, lambda: session(window).unit != 1)
    focus = window.workspace.focus
    until(qtbot, lambda: focus.unit is not None and focus.unit.unit_id == session(window).unit)
    assert focus.unit.model in ("Lite2", "SqueezeNet")
