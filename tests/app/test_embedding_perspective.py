"""The perspective Embedding: what it shows, asks for and leads to."""

from __future__ import annotations

import json

import pytest
from PySide6.QtWidgets import QMessageBox

from analysis.project import Project
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.run_dialog import RunDialog
from tests.app.made_results import add_dissection
from tests.app.steps import one, session, until


@pytest.fixture
def embedding(qtbot, dissected_window):
    """The presenter, with its view on the screen."""
    dissected_window.show_perspective("embedding")
    presenter = dissected_window.presenters["embedding"]
    until(qtbot, lambda: presenter.models != ())
    return presenter


def test_the_newest_embedding_is_shown(qtbot, embedding) -> None:
    assert embedding.models == ("Lite0", "Lite2", "SqueezeNet")
    assert embedding.shown_runs() == frozenset({4, 5})
    until(qtbot, lambda: embedding.view._profiles is not None)
    assert embedding.view._profiles.models == embedding.models


def test_ensembles_come_from_the_newest_evaluation_that_has_some(
    qtbot, window, dissected_file
) -> None:
    with Project.open(dissected_file) as project:
        run = project.add_run(
            "evaluation", "Performance: x.csv", {"imported": True}, models=("Lite0",)
        )
        rows = [{"model": "Lite0", "task": "elsewhere", "value": 70.0}]
        project.commit_unit(run, "table", {"performance": rows}, {})
        project.set_run_state(run, "done")
    window.commands.open_path(str(dissected_file))
    until(qtbot, lambda: session(window).run_evaluation == 6)
    window.show_perspective("embedding")
    presenter = window.presenters["embedding"]
    until(qtbot, lambda: presenter.view._ensembles[1] is not None)
    _tasks, gains = presenter.view._ensembles
    assert (gains.run, gains.task) == (4, "k-NN (k = 20)")
    presenter.view.ensemble_task_requested.emit("linear probe")
    until(qtbot, lambda: presenter.view._ensembles[1].task == "linear probe")
    assert presenter.export_run("ensembles") == 4
    assert presenter.export_parameters("ensembles") == {"task": "linear probe"}


def test_counts_of_a_concept_and_its_units(qtbot, embedding, dissected_window) -> None:
    embedding.view.concept_requested.emit("wheel", "part", 2)
    until(qtbot, lambda: embedding.view._counts is not None)
    assert embedding.view._counts.units.tolist() == [1, 2, 2]
    embedding.view.show_units_requested.emit("wheel")
    assert dissected_window.perspective == "units"
    units = dissected_window.presenters["units"].view
    until(qtbot, lambda: len(units.table.model.shown_rows()) == 5)


def test_components_are_remembered_and_exported(qtbot, embedding, dissected_window) -> None:
    window = dissected_window
    embedding.view.components_changed.emit(2, 3)
    assert session(window).components == (2, 3)
    embedding.view.export_requested.emit("embedding", "svg")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, dialog.accept_button.isEnabled)
    assert dialog.what.currentData().name == "embedding"
    assert dialog.run.currentData() == 5
    dialog.close()


def test_axes_fall_back_to_components_of_the_embedding(qtbot, embedding, dissected_window) -> None:
    window, view = dissected_window, embedding.view
    there = view.scatter.data.points.shape[1]
    window.workspace.session.update({"components": (there, there + 1)}, "another embedding")
    assert view.scatter.components() == (there, 1)
    shown = embedding.export_parameters("embedding")
    assert (shown["component_x"], shown["component_y"]) == (there, 1)
    view.concept_requested.emit("wheel", "part", there + 1)
    until(qtbot, lambda: view._counts is not None)
    assert view._counts.component == there
    assert embedding.export_parameters("concept-counts")["component"] == there


def test_models_dissected_since_can_be_projected(qtbot, window, project_file, backend) -> None:
    from tests.app.made_results import add_embedding

    with Project.open(project_file) as project:
        add_dissection(project, ("Lite0", "Lite2"))
        add_embedding(project, ("Lite0", "Lite2"))
        add_dissection(project, ("SqueezeNet",))
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_embedding == 4)
    window.show_perspective("embedding")
    presenter = window.presenters["embedding"]
    until(qtbot, lambda: presenter.models == ("Lite0", "Lite2"))
    assert presenter.view.newcomers_text.text().endswith("SqueezeNet")
    presenter.view.project_button.click()
    until(qtbot, lambda: window.workspace.run(6) is not None)
    run = window.workspace.run(6)
    assert run.models == ("Lite0", "Lite2")
    assert json.loads(run.parameters)["projected"] == "SqueezeNet"
    until(qtbot, lambda: presenter.models == ("Lite0", "Lite2", "SqueezeNet"))
    assert session(window).run_embedding == 6
    until(qtbot, lambda: not presenter.view.newcomers.isVisible())


def test_models_whose_names_hold_commas_are_projected(qtbot, window, project_file) -> None:
    from tests.app.made_results import add_embedding

    with Project.open(project_file) as project:
        project.rename_model("SqueezeNet", "SqueezeNet, 1.1")
        add_dissection(project, ("Lite0", "Lite2"))
        add_embedding(project, ("Lite0", "Lite2"))
        add_dissection(project, ("SqueezeNet, 1.1",))
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_embedding == 4)
    window.commands.models.project(4, ("SqueezeNet, 1.1",))
    until(qtbot, lambda: window.workspace.run(6) is not None)
    assert json.loads(window.workspace.run(6).parameters)["projected"] == '"SqueezeNet, 1.1"'
    window.show_perspective("embedding")
    until(qtbot, lambda: len(window.presenters["embedding"].models) == 3)
    assert window.presenters["embedding"].models[2] == "SqueezeNet, 1.1"
    window.commands.models.project(6, ("SqueezeNet, 1.1",))  # named once is enough
    until(qtbot, lambda: window.workspace.run(7) is not None)
    assert json.loads(window.workspace.run(7).parameters)["projected"] == '"SqueezeNet, 1.1"'


def test_projecting_looks_at_the_new_models_dissection_too(qtbot, window, project_file) -> None:
    with Project.open(project_file) as project:
        add_dissection(project, ("Lite0", "Lite2"))
        add_dissection(project, ("SqueezeNet",))
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_dissection == 4)
    parameters = window.workspace.backend.parse_parameters("embedding", {"dissection": "3"})
    window.workspace.start_audit("embedding", ("Lite0", "Lite2"), parameters, None, "auto")
    until(qtbot, lambda: session(window).run_embedding == 5)
    until(qtbot, lambda: not window.workspace.jobs.busy)
    window.commands.models.project(5, ("SqueezeNet",))
    until(qtbot, lambda: window.workspace.run(6) is not None)
    assert json.loads(window.workspace.run(6).parameters)["dissection"] == "3,4"


def test_dissected_models_are_embedded_by_one_click(qtbot, window, project_file, backend) -> None:
    with Project.open(project_file) as project:
        add_dissection(project, ("Lite0", "SqueezeNet"))
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_dissection == 3)
    window.show_perspective("embedding")
    presenter = window.presenters["embedding"]
    assert presenter.empty.button.text() == "Embed models…"
    presenter.empty.button.click()
    dialog = one(qtbot, RunDialog)
    assert dialog.audit.currentData() == "embedding"
    assert dialog.chosen_models() == ("Lite0", "SqueezeNet")
    assert not dialog.image_set.isVisible()
    assert not dialog.model_a.isVisible()
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, lambda: presenter.models == ("Lite0", "SqueezeNet"))


def test_without_dissected_models_they_are_dissected_first(qtbot, open_window) -> None:
    open_window.show_perspective("embedding")
    presenter = open_window.presenters["embedding"]
    assert presenter.empty.button.text() == "Dissect models…"
    assert not open_window.actions_registry["embed-models"].isEnabled()


def test_what_a_button_asks_for_too_early_is_explained(qtbot, window, tmp_path) -> None:
    window.workspace.create(tmp_path / "new.parallax")
    until(qtbot, lambda: window.workspace.index is not None)
    window.presenters["embedding"].view.action_requested.emit("run evaluation")
    box = one(qtbot, QMessageBox)
    assert "“Evaluate models” is not possible yet." in box.text()
    assert "Add images and a model" in box.informativeText()
    box.close()


def test_an_empty_project_offers_a_table(qtbot, window, tmp_path) -> None:
    window.workspace.create(tmp_path / "new.parallax")
    until(qtbot, lambda: window.workspace.index is not None)
    for name in ("embedding", "units"):
        window.show_perspective(name)
        assert window.presenters[name].empty.button.text() == "Import table…"


def test_a_view_that_cannot_be_read_says_why(qtbot, embedding, dissected_window) -> None:
    with dissected_window.workspace.project.transaction() as connection:
        connection.execute("DELETE FROM run WHERE id = 5")
    embedding.refresh()
    until(qtbot, lambda: embedding.widget.currentWidget() is embedding.empty)
    assert "no run 5" in embedding.empty.sentence.text()
