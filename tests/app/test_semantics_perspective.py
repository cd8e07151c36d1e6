"""Semantics in the window: what is shown of a pair, seen from either side, and the editor."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.project import Project
from app.backend_export import FigureRequest
from app.dialogs.run_dialog import RunDialog
from app.run_note import RunNote
from tests.app.made_semantics import (
    COMPONENTS,
    LAYERS_A,
    LAYERS_B,
    THRESHOLDS,
    add_semantics,
    mask_value,
    space_value,
)
from tests.app.steps import one, session, until


class Heard:
    """What the presenter told the view, by setter."""

    SETTERS = (
        "show_index", "show_space", "show_separability", "show_tcav", "show_masks", "show_pair",
        "show_sets", "show_examples", "set_concept", "set_concept_set",
    )  # fmt: skip

    def __init__(self, view) -> None:
        self.calls: dict[str, list] = {name: [] for name in self.SETTERS}
        self._view = view
        for name in self.SETTERS:
            setattr(view, name, self._note(name, getattr(view, name)))

    def stop(self) -> None:
        """Leave the view as it was: one that holds its own methods is never let go."""
        for name in self.SETTERS:
            delattr(self._view, name)
        del self._view

    def _note(self, name, setter):
        def told(*arguments):
            self.calls[name].append(arguments if len(arguments) > 1 else arguments[0])
            setter(*arguments)

        return told

    def __getattr__(self, name):
        return self.calls[name]


@pytest.fixture
def semantics(compared_window):
    return compared_window.presenters["semantics"]


@pytest.fixture
def heard(qtbot, semantics, compared_window):
    heard = Heard(semantics.view)
    compared_window.show_perspective("semantics")
    until(qtbot, lambda: last(heard.show_index) and last(heard.show_separability))
    settled(qtbot, compared_window)
    yield heard
    heard.stop()


def last(calls: list):
    return calls[-1] if calls else None


def settled(qtbot, window) -> None:
    until(qtbot, lambda: not window.workspace.loader.loading)


def test_the_pairs_newest_run_is_shown(qtbot, heard, semantics, compared_window) -> None:
    assert session(compared_window).run_semantics == 3
    assert semantics.widget.currentWidget() is semantics.view
    assert compared_window.pair_bar.isVisible()
    index = heard.show_index[-1]
    assert index.models == ("Lite0", "Lite2")
    assert [layer.name for layer in index.layers[0]] == list(LAYERS_A)
    of_a, of_b = heard.show_separability[-1]
    assert (of_a.model, of_b.model) == ("Lite0", "Lite2")
    assert of_b.accuracy[0, 0] == pytest.approx(0.65)
    until(qtbot, lambda: heard.show_space)  # the view asks for what is on the screen
    assert heard.show_space[-1].concept == ""


def test_a_concept_is_read_and_remembered(qtbot, heard, semantics, compared_window) -> None:
    semantics.view.concept_chosen.emit("dog")
    until(qtbot, lambda: heard.show_space[-1].concept == "dog")
    expected = [[space_value(2, row, column) for column in range(3)] for row in range(2)]
    np.testing.assert_allclose(heard.show_space[-1].pearson, expected)
    assert session(compared_window).semantic_concept == "dog"
    compared_window.workspace.session.update({"semantic_concept": "wheel"}, "test")
    assert heard.set_concept[-1] == "wheel"


def test_masks_classes_and_a_pair(qtbot, heard, semantics) -> None:
    view = semantics.view
    view.show_tab("found")
    until(qtbot, lambda: heard.show_masks and heard.show_pair)
    masks = heard.show_masks[-1]
    assert (masks.layer_a, masks.layer_b) == view.mask_layers()
    assert masks.ucs.shape == (len(THRESHOLDS), *COMPONENTS)
    assert masks.ucs[1, 1, 2] == pytest.approx(mask_value(1, 1, 2))
    view.pair_chosen.emit(1, 2)
    until(qtbot, lambda: heard.show_pair[-1].concept_b == 2)
    pair = heard.show_pair[-1]
    assert (pair.concept_a, len(pair.images)) == (1, 6)
    assert pair.values_a.shape[1:] == (4, 4)
    assert pair.values_a.max() == pytest.approx(2 * 51 / 255)
    assert pair.values_b.max() == pytest.approx(3 * 51 / 255)
    view.show_tab("classes")
    until(qtbot, lambda: heard.show_tcav)
    assert heard.show_tcav[-1].model == "Lite0"
    assert (heard.show_tcav[-1].model, heard.show_tcav[-1].layer) == view.tcav_choice()


def test_swapping_shows_the_same_run_from_the_other_side(
    qtbot, heard, semantics, compared_window
) -> None:
    view = semantics.view
    view.concept_chosen.emit("wheel")
    until(qtbot, lambda: heard.show_space[-1].concept == "wheel")
    straight = heard.show_space[-1]
    compared_window.actions_registry["swap"].trigger()
    until(qtbot, lambda: heard.show_index[-1] and heard.show_index[-1].models[0] == "Lite2")
    assert session(compared_window).run_semantics == 3
    assert [layer.name for layer in heard.show_index[-1].layers[0]] == list(LAYERS_B)
    view.concept_chosen.emit("wheel")
    until(qtbot, lambda: heard.show_space[-1].pearson.shape == (3, 2))
    settled(qtbot, compared_window)
    np.testing.assert_array_equal(heard.show_space[-1].pearson, straight.pearson.T)
    assert heard.show_separability[-1][0].model == "Lite2"
    view.show_tab("found")
    until(qtbot, lambda: heard.show_masks and heard.show_masks[-1] is not None)
    masks = heard.show_masks[-1]
    assert (masks.layer_a, masks.ucs.shape[1:]) == ("penultimate", COMPONENTS[::-1])
    assert masks.ucs[0, 2, 1] == pytest.approx(mask_value(0, 1, 2))
    view.pair_chosen.emit(2, 1)
    until(qtbot, lambda: heard.show_pair and heard.show_pair[-1].concept_a == 2)
    assert heard.show_pair[-1].values_a.shape[1:] == (2, 2)
    wishes = []
    semantics.export_wished.disconnect()
    semantics.export_wished.connect(lambda *wish: wishes.append(wish))
    view.export_requested.emit("mask-pair", "svg")
    parameters = wishes[0][3]  # A is the run's first model there
    assert parameters["layer_a"] in LAYERS_A
    assert (parameters["concept_a"], parameters["concept_b"]) == tuple(view.mask_pair()[::-1])


def test_another_pair_has_no_run_but_its_concepts(qtbot, heard, semantics, compared_window) -> None:
    compared_window.workspace.set_pair("Lite0", "SqueezeNet", "test")
    assert session(compared_window).run_semantics is None
    assert heard.show_index[-1] is None
    assert semantics.shown_runs() == frozenset()
    assert semantics.widget.currentWidget() is semantics.view  # concepts can be edited
    compared_window.workspace.set_pair("Lite2", "Lite0", "test")
    until(qtbot, lambda: heard.show_index[-1] is not None)
    assert heard.show_index[-1].models == ("Lite2", "Lite0")


def test_a_run_fills_the_view_step_by_step(qtbot, heard, semantics, compared_window, backend):
    window = compared_window
    backend.gate.clear()
    parameters = backend.parse_parameters("semantics", {})
    window.workspace.start_audit("semantics", ("Lite0", "Lite2"), parameters, 1, "auto")
    note = window.findChild(RunNote)
    until(qtbot, lambda: note.isVisible() and note.button.isVisible())  # it has concept vectors
    assert "(run 4), is running" in note.text.text()
    assert session(window).run_semantics == 3  # whose results are whole
    note.button.click()
    assert session(window).run_semantics == 4
    until(qtbot, lambda: heard.show_index[-1] and heard.show_index[-1].run == 4)
    assert heard.show_index[-1].mask_layers == ((), ())
    until(qtbot, lambda: last(heard.show_space) is not None and heard.show_space[-1].run == 4)
    assert heard.show_space[-1].pearson.size == 0
    backend.gate.set()
    until(qtbot, lambda: heard.show_index[-1].mask_layers != ((), ()))
    until(qtbot, lambda: heard.show_space[-1].pearson.shape == (2, 3))
    assert [layer.name for layer in heard.show_index[-1].mask_layers[1]] == ["penultimate"]
    assert heard.show_index[-1].left_out == (("zebra", "Too few examples."),)


def test_runs_are_chosen_in_the_list(qtbot, window, project_file) -> None:
    with Project.open(project_file) as project:
        add_semantics(project, "Lite0", "Lite2")
        add_semantics(project, "SqueezeNet", "SqueezeNet", steps=1)
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_semantics == 3)
    window.commands.show_run(4)
    assert window.perspective == "semantics"
    now = session(window)
    assert (now.model_a, now.model_b) == ("SqueezeNet", "SqueezeNet")
    assert (now.run_semantics, now.run_concepts) == (4, None)
    presenter = window.presenters["semantics"]
    until(qtbot, lambda: presenter.index is not None and presenter.index.run == 4)
    window.go_back()  # to the perspective before
    window.go_back()
    until(qtbot, lambda: session(window).run_semantics == 3)


def test_without_a_run_one_can_be_planned(qtbot, open_window) -> None:
    open_window.show_perspective("semantics")
    presenter = open_window.presenters["semantics"]
    until(qtbot, lambda: presenter.widget.currentWidget() is presenter.view)
    presenter.view.action_requested.emit("run semantics")
    dialog = one(qtbot, RunDialog)
    assert dialog.audit.currentData() == "semantics"
    assert dialog.chosen_models() == ("Lite0", "Lite2")
    until(qtbot, dialog.accept_button.isEnabled)
    # Not the number of concepts that another audit was given.
    assert dialog.parameters.values()["components"] == "10"
    dialog.audit.setCurrentIndex(dialog.audit.findData("concepts"))
    assert dialog.parameters.values()["components"] == "3"
    dialog.close()


def test_two_selected_models_are_compared(qtbot, open_window) -> None:
    open_window.workspace.select_models(("SqueezeNet", "Lite0"), "test")
    open_window.actions_registry["compare-semantics"].trigger()
    dialog = one(qtbot, RunDialog)
    assert dialog.chosen_models() == ("SqueezeNet", "Lite0")
    dialog.close()


@pytest.mark.parametrize(
    "figure",
    ["space-similarity", "separability", "tcav", "mask-similarity", "mask-pair", "robustness"],
)
def test_figures_can_be_made_of_what_is_exported(
    qtbot, heard, semantics, backend, tmp_path, compared_window, figure
) -> None:
    semantics.view.show_tab("found")
    until(qtbot, lambda: heard.show_pair and semantics.view.mask_pair() is not None)
    settled(qtbot, compared_window)
    wishes = []
    semantics.export_wished.disconnect()
    semantics.export_wished.connect(lambda *wish: wishes.append(wish))
    semantics.view.export_requested.emit(figure, "csv")
    name, form, run, parameters = wishes[0]
    assert run == 3
    out = tmp_path / f"it.{form}"
    wanted = FigureRequest(name, run, parameters)
    backend.export_figure(semantics.workspace.project, wanted, out)
    assert "Lite0" in out.read_text(encoding="utf-8")


# -- concepts given by examples --------------------------------------------------------------------
def rows(window, query: str) -> list[tuple]:
    return [tuple(row) for row in window.workspace.project.rows(query)]


def test_concepts_are_named_renamed_and_removed(qtbot, heard, semantics, compared_window) -> None:
    view = semantics.view
    view.show_tab("concepts")
    view.set_added.emit("stripes")
    until(qtbot, lambda: last(heard.show_sets))
    assert [(one.name, one.kind) for one in heard.show_sets[-1]] == [("stripes", "patches")]
    number = heard.show_sets[-1][0].id
    view.set_renamed.emit(number, "striped")
    until(qtbot, lambda: heard.show_sets[-1][0].name == "striped")
    assert compared_window.workspace.index.concept_sets[0].name == "striped"
    view.set_removed.emit(number)
    until(qtbot, lambda: heard.show_sets[-1] == ())
    assert rows(compared_window, "SELECT name FROM concept_set") == []


def test_a_refused_edit_is_said_and_undone(qtbot, heard, semantics, compared_window) -> None:
    said = []
    semantics.workspace.problem_found.disconnect()
    semantics.workspace.problem_found.connect(lambda problem, _what: said.append(problem.summary))
    project = compared_window.workspace.project
    first = project.add_concept_set("wheel", "patches")
    project.add_concept_set("dog", "patches")
    compared_window.workspace.refresh_index()
    until(qtbot, lambda: len(last(heard.show_sets) or ()) == 2)
    told = len(heard.show_sets)
    semantics.view.set_renamed.emit(first, "dog")
    until(qtbot, lambda: said and len(heard.show_sets) > told)
    assert "dog" in said[0]
    assert [one.name for one in heard.show_sets[-1]] == ["wheel", "dog"]


def test_lists_that_stay_the_same_leave_the_editor_alone(
    qtbot, heard, semantics, compared_window
) -> None:
    semantics.view.set_added.emit("stripes")
    until(qtbot, lambda: last(heard.show_sets))
    settled(qtbot, compared_window)
    told = len(heard.show_sets)
    compared_window.workspace.refresh_index()
    settled(qtbot, compared_window)
    assert len(heard.show_sets) == told


def test_examples_are_shown_and_removed(qtbot, heard, semantics, compared_window) -> None:
    project = compared_window.workspace.project
    boxes = [(1, 0, 0, 20, 20), (2, 5, 5, 20, 20)]
    number = project.add_concept_set("wheel", "patches", examples=boxes)
    project.add_concept_examples(number, [(3, 0, 0, 10, 10)], "negative")
    compared_window.workspace.refresh_index()
    semantics.view.show_tab("concepts")
    until(qtbot, lambda: heard.show_examples)
    of, examples = heard.show_examples[-1]
    assert of == number
    assert [(one.image, one.role) for one in examples] == [
        (1, "positive"), (2, "positive"), (3, "negative"),
    ]  # fmt: skip
    semantics.view.examples_removed.emit((examples[0].id,))
    until(qtbot, lambda: len(heard.show_examples[-1][1]) == 2)
    assert heard.show_sets[-1][0].positives == 1
    kept = heard.show_examples[-1][1]
    assert all(one.image_name for one in kept)
    semantics.view.examples_turned.emit(tuple(one.id for one in kept))
    until(qtbot, lambda: heard.show_examples[-1][1][0].image == 3)
    assert [(one.image, one.role) for one in heard.show_examples[-1][1]] == [
        (3, "positive"), (2, "negative"),
    ]  # fmt: skip


def test_edits_of_concepts_are_undone_and_redone(qtbot, heard, semantics, compared_window) -> None:
    project, actions = compared_window.workspace.project, compared_window.actions_registry
    boxes = [(1, 0, 0, 20, 20), (2, 5, 5, 20, 20)]
    number = project.add_concept_set("wheel", "patches", examples=boxes)
    compared_window.workspace.refresh_index()
    semantics.view.show_tab("concepts")
    until(qtbot, lambda: heard.show_examples)
    before = heard.show_examples[-1][1]
    semantics.view.examples_turned.emit((before[0].id,))
    until(qtbot, lambda: "1 example" in actions["undo"].text())
    until(qtbot, lambda: heard.show_examples[-1][1][-1].role == "negative")
    assert actions["undo"].text() == "&Undo: turn 1 example"
    actions["undo"].trigger()
    until(qtbot, lambda: heard.show_examples[-1][1] == before)
    actions["redo"].trigger()
    until(qtbot, lambda: heard.show_examples[-1][1][-1].role == "negative")
    kept = project.concept_examples(number)
    semantics.view.set_removed.emit(number)
    until(qtbot, lambda: heard.show_sets[-1] == ())
    assert actions["undo"].text() == "&Undo: remove concept"
    actions["undo"].trigger()
    until(qtbot, lambda: heard.show_sets[-1])
    assert heard.show_sets[-1][0].id == number
    assert project.concept_examples(number) == kept


def test_the_inspector_says_what_is_chosen(qtbot, heard, semantics, compared_window) -> None:
    inspector = compared_window.inspector
    assert not inspector.hint.isHidden()
    until(qtbot, lambda: heard.show_space)
    semantics.view.set_layers(LAYERS_A[0], LAYERS_B[1])
    until(qtbot, lambda: inspector.title.text() == "mean of all concepts")
    assert LAYERS_B[1] in inspector.sentence.text()
    assert inspector.hint.isHidden()
    semantics.view.show_tab("found")
    until(qtbot, lambda: inspector.title.text().startswith("Found concepts"))
    compared_window.show_perspective("concepts")
    assert not inspector.title.text().startswith("Found concepts")
    compared_window.show_perspective("semantics")
    assert inspector.title.text().startswith("Found concepts")


def test_nothing_is_edited_in_a_project_that_is_read_only(qtbot, window, compared_file) -> None:
    said = []
    window.workspace.problem_found.disconnect()
    window.workspace.problem_found.connect(lambda problem, _what: said.append(problem.summary))
    window.commands.open_path_read_only(str(compared_file))
    until(qtbot, lambda: session(window).run_semantics == 3)
    window.show_perspective("semantics")
    window.presenters["semantics"].view.set_added.emit("stripes")
    assert said == ["This project is open read-only."]
    settled(qtbot, window)
    assert rows(window, "SELECT name FROM concept_set") == []
    for action in ("add-concept", "save-concept", "compare-semantics"):
        assert not window.actions_registry[action].isEnabled()
