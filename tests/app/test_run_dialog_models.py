"""Planning runs of any number of models."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from analysis.project import Project
from app.dialogs.run_dialog import RunDialog
from tests.app.steps import until


@pytest.fixture
def workspace_with_table(qtbot, workspace, dissected_file):
    """Three networks, dissected, and a model known from a table alone."""
    with Project.open(dissected_file) as project:
        project.add_model("from elsewhere", "imported:from elsewhere", library="imported")
    workspace.open(dissected_file)
    until(qtbot, lambda: workspace.index is not None)
    return workspace


def make(qtbot, workspace, audit: str, **more) -> RunDialog:
    dialog = RunDialog(workspace, audit, **more)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_all_networks_are_checked_and_tables_say_why_not(qtbot, workspace_with_table) -> None:
    dialog = make(qtbot, workspace_with_table, "dissection")
    assert dialog.chosen_models() == ("Lite0", "Lite2", "SqueezeNet")
    item = dialog.models.list.item(3)
    assert item.text() == "from elsewhere (comes from a table: there is no network to run)"
    assert not item.flags() & Qt.ItemFlag.ItemIsEnabled
    assert dialog.image_set.isVisible()
    assert not dialog.model_a.isVisible()
    dialog.models.all.click()
    assert "from elsewhere" not in dialog.chosen_models()
    assert dialog.models.summary.text() == "3 of 4 checked"


def test_selected_models_are_checked(qtbot, workspace_with_table) -> None:
    workspace_with_table.select_models(("SqueezeNet", "from elsewhere"), "test")
    assert make(qtbot, workspace_with_table, "evaluation").chosen_models() == ("SqueezeNet",)
    dialog = make(qtbot, workspace_with_table, "dissection", models=("Lite2",))
    assert dialog.chosen_models() == ("Lite2",)


def test_a_run_needs_models(qtbot, workspace_with_table) -> None:
    dialog = make(qtbot, workspace_with_table, "dissection")
    dialog.models.none.click()
    until(qtbot, lambda: dialog.message.text() == "Check the models to look at.")
    assert not dialog.accept_button.isEnabled()
    dialog.models.set_checked(("Lite2",))
    until(qtbot, dialog.accept_button.isEnabled)


def test_an_embedding_takes_dissected_models_and_no_images(qtbot, workspace_with_table) -> None:
    dialog = make(qtbot, workspace_with_table, "embedding")
    assert not dialog.image_set.isVisible()
    assert dialog.chosen_images() is None
    assert dialog.models.list.item(3).text() == "from elsewhere (not dissected yet)"
    dialog.models.set_checked(("Lite2",))
    until(qtbot, lambda: dialog.message.text() == "Check 2 models or more.")


def test_start_makes_the_run_of_the_models_checked(qtbot, workspace_with_table, backend) -> None:
    workspace = workspace_with_table
    dialog = make(qtbot, workspace, "dissection")
    dialog.models.set_checked(("Lite0", "SqueezeNet"))
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, lambda: workspace.run(6) is not None)
    run = workspace.run(6)
    assert (run.audit, run.models, run.image_set) == ("dissection", ("Lite0", "SqueezeNet"), 1)
    assert run.about == "Lite0, SqueezeNet"
    until(qtbot, lambda: workspace.run(6).state == "done")
    assert workspace.run(6).dissected == ("Lite0", "SqueezeNet")


def test_parameters_of_one_audit_stay_out_of_another(qtbot, workspace_with_table) -> None:
    dialog = make(qtbot, workspace_with_table, "concepts")
    dialog.parameters.set_value("components", "7")
    dialog.audit.setCurrentIndex(dialog.audit.findData("embedding"))
    assert dialog.parameters.values()["components"] == "3"
    dialog.audit.setCurrentIndex(dialog.audit.findData("layers"))
    assert dialog.parameters.values()["components"] == "7"
    assert dialog.chosen_models() == ("Lite0", "Lite2")


def test_pairs_are_chosen_among_networks(qtbot, workspace_with_table) -> None:
    dialog = make(qtbot, workspace_with_table, "concepts", models=("SqueezeNet", "Lite0"))
    assert dialog.chosen_models() == ("SqueezeNet", "Lite0")
    assert dialog.model_a.findData("from elsewhere") < 0


def test_layers_that_all_models_have_are_offered(qtbot, workspace_with_table) -> None:
    dialog = make(qtbot, workspace_with_table, "evaluation")
    layer = dialog.parameters.field("layer")

    def offered() -> list[str]:
        return [layer.itemText(row) for row in range(layer.count())]

    assert offered() == ["stem", "block1", "block2", "penultimate"]
    assert dialog.parameters.values()["layer"] == "penultimate"
    layer.setCurrentText("block1")
    dialog.models.none.click()
    assert offered() == []
    assert dialog.parameters.values()["layer"] == "block1"
