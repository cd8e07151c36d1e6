from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QSpinBox

from analysis.errors import AuditError
from app.dialogs.details import DetailsDialog, image_set_text, model_text, run_text
from app.dialogs.export_dialog import ExportDialog, ExportWish
from app.dialogs.images_dialog import ImagesDialog
from app.dialogs.model_dialog import ModelDialog
from app.dialogs.palette import CommandPalette, PaletteEntry
from app.dialogs.project_dialog import ProjectDialog, check_project_path
from app.dialogs.prompts import NameDialog, Question
from app.dialogs.run_dialog import RunDialog
from app.project_index import read_problems

WAIT = 10_000
HOSTILE = [
    "\0",
    "a" * 100_000,
    "../" * 500,
    "'; DROP TABLE model; --",
    "<b>x</b>",
    "\u202egnp.",
    "~nobody/x",
]


def until(qtbot, condition) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT)


# -- new project -------------------------------------------------------------------------------
@pytest.fixture
def project_dialog(qtbot, workspace, tmp_path: Path) -> ProjectDialog:
    dialog = ProjectDialog(workspace, tmp_path)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_new_project_collects_images_and_models(qtbot, project_dialog, tmp_path) -> None:
    (tmp_path / "birds").mkdir()
    project_dialog.add_image_folder(str(tmp_path / "birds"))
    project_dialog.add_image_folder(str(tmp_path / "birds"))
    assert project_dialog.images.count() == 1
    project_dialog.model.specification.setText("timm:resnet18")
    until(qtbot, project_dialog.add_model.isEnabled)
    project_dialog.add_model.click()
    assert project_dialog.models.item(0).text() == "resnet18: timm:resnet18"
    project_dialog.model.specification.setText("timm:resnet18")
    until(qtbot, project_dialog.add_model.isEnabled)
    assert project_dialog.model.name.text() == "resnet18 2"
    with qtbot.waitSignal(project_dialog.wished) as caught:
        project_dialog.accept_button.click()
    path, intake = caught.args
    assert path == tmp_path / "untitled.parallax"
    assert len(intake) == 3


def test_new_project_stays_with_everything_when_it_cannot_be_made(
    qtbot, project_dialog, workspace, tmp_path
) -> None:
    project_dialog.wait_for(workspace)
    project_dialog.add_image_folder(str(tmp_path))
    target = tmp_path / "untitled.parallax"
    project_dialog.accept_button.click()
    target.mkdir()  # somebody was quicker
    workspace.create(target, ())
    until(qtbot, lambda: project_dialog.message.text() != "")
    assert project_dialog.isVisible()
    assert project_dialog.images.count() == 1
    assert project_dialog.accept_button.isEnabled()


@pytest.mark.parametrize("text", ["", *HOSTILE[:3], "/nowhere/at/all/x.parallax"])
def test_impossible_project_paths_are_refused(project_dialog, text) -> None:
    project_dialog.path.set_text(text)
    assert not project_dialog.accept_button.isEnabled()
    assert project_dialog.message.text()
    assert len(project_dialog.message.text()) < 500


def test_existing_project_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.parallax").write_text("mine")
    assert "exists already" in check_project_path(tmp_path / "a.parallax")
    assert "exists already" in check_project_path(tmp_path / "a")
    assert check_project_path(tmp_path / "b") == ""
    assert check_project_path(tmp_path) != ""


def test_dropping_a_folder_and_weights(project_dialog, tmp_path) -> None:
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl.fromLocalFile(str(weights))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime,
        Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    project_dialog.dropEvent(event)
    assert project_dialog.images.count() == 1
    assert project_dialog.model.weights.text() == str(weights)


# -- models ------------------------------------------------------------------------------------
@pytest.fixture
def model_dialog(qtbot, open_workspace) -> ModelDialog:
    dialog = ModelDialog(open_workspace)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_model_is_loaded_and_reported_in_the_dialog(qtbot, model_dialog, backend) -> None:
    fields = model_dialog.fields
    fields.specification.setText("timm:resnet50")
    fields.own.setChecked(True)
    fields.option("mean").setText("0.5,0.5,0.5")
    order = fields.option("order")
    order.setCurrentIndex(order.findData("BGR"))
    until(qtbot, model_dialog.accept_button.isEnabled)
    assert fields.name.text() == "resnet50"
    model_dialog.accept_button.click()
    until(qtbot, model_dialog.report.isVisible)
    assert backend.specifications == ["timm:resnet50?mean=0.5,0.5,0.5&order=BGR"]
    assert "The head was left out." in model_dialog.report.text()
    assert "head.weight" in model_dialog.report.text()
    assert model_dialog.accept_button.text() == "Done"
    model_dialog.accept_button.click()
    assert not model_dialog.isVisible()


def test_failed_loading_keeps_everything_typed(
    qtbot, model_dialog, backend, open_workspace
) -> None:
    shown: list[object] = []
    open_workspace.problem_found.connect(lambda problem, _what: shown.append(problem))
    backend.fail_with = AuditError("The file holds no such layers.", "Check the architecture.")
    model_dialog.fields.specification.setText("timm:resnet50")
    until(qtbot, model_dialog.accept_button.isEnabled)
    model_dialog.accept_button.click()
    until(qtbot, lambda: "no such layers" in model_dialog.message.text())
    assert model_dialog.fields.specification.text() == "timm:resnet50"
    assert model_dialog.fields.isEnabled()
    assert shown == []  # said once, in the dialog
    backend.fail_with = None
    model_dialog.accept_button.click()
    until(qtbot, model_dialog.report.isVisible)


@pytest.mark.parametrize("text", ["", "resnet50", "wrong:thing", *HOSTILE])
def test_wrong_specifications_are_refused(qtbot, model_dialog, text) -> None:
    model_dialog.fields.specification.setText("timm:resnet50")
    until(qtbot, model_dialog.accept_button.isEnabled)
    model_dialog.fields.specification.setText(text)
    assert not model_dialog.accept_button.isEnabled()
    until(qtbot, lambda: model_dialog.fields.problem != "Checking…")
    assert not model_dialog.accept_button.isEnabled()
    assert len(model_dialog.message.text()) < 500


def test_missing_weights_and_taken_names_are_said(qtbot, model_dialog, tmp_path) -> None:
    fields = model_dialog.fields
    fields.specification.setText("timm:resnet50")
    fields.weights.set_text(str(tmp_path / "none.pth"))
    until(qtbot, lambda: "no such weights" in model_dialog.message.text())
    fields.weights.set_text("")
    fields.name.setFocus()
    fields.name.setText("Lite0")
    fields.name.textEdited.emit("Lite0")
    until(qtbot, lambda: "already in this project" in model_dialog.message.text())


def test_catalogue_is_searchable(qtbot, model_dialog) -> None:
    completer = model_dialog.fields.specification.completer()
    until(qtbot, lambda: completer.model().rowCount() == 3)
    completer.setCompletionPrefix("RESNET")
    assert completer.completionCount() == 2


def test_closing_while_a_check_is_under_way_is_harmless(qtbot, open_workspace) -> None:
    dialog = ModelDialog(open_workspace)
    dialog.fields.specification.setText("timm:resnet50")
    dialog.fields._check()
    dialog.deleteLater()
    until(qtbot, lambda: not open_workspace.loader.loading)


# -- images ------------------------------------------------------------------------------------
def test_images_dialog(qtbot, open_workspace, tmp_path) -> None:
    dialog = ImagesDialog(open_workspace)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    for text in ("", "/nowhere/at/all", *HOSTILE[:2], *HOSTILE[3:]):
        dialog.source.set_text(text)
        assert not dialog.accept_button.isEnabled()
    folder = tmp_path / "scenes"
    folder.mkdir(exist_ok=True)
    dialog.source.set_text(str(folder))
    assert dialog.name.text() == "scenes 2"  # the name is taken
    assert dialog.accept_button.isEnabled()
    dialog.accept()
    until(qtbot, lambda: len(open_workspace.index.image_sets) == 2)


# -- runs --------------------------------------------------------------------------------------
@pytest.fixture
def run_dialog(qtbot, open_workspace) -> RunDialog:
    dialog = RunDialog(open_workspace, "concepts")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_form_is_made_from_the_parameters(run_dialog) -> None:
    form = run_dialog.parameters
    assert form.names() == ("components", "penalty", "group_by", "stability", "layer_a", "layer_b")
    assert isinstance(form.field("components"), QSpinBox)
    assert isinstance(form.field("penalty"), QLineEdit)
    assert isinstance(form.field("group_by"), QComboBox)
    assert "Concepts of each class" in form.field("components").toolTip()
    layers = form.field("layer_a")
    assert [layers.itemText(i) for i in range(layers.count())] == [
        "stem", "block1", "block2", "penultimate",
    ]  # fmt: skip


def test_estimate_comes_before_start_and_follows_edits(qtbot, run_dialog) -> None:
    until(qtbot, run_dialog.accept_button.isEnabled)
    assert "3,000 forward passes" in run_dialog.estimate.text()
    assert "about 75 s" in run_dialog.estimate.text()
    assert "3 MB on disk" in run_dialog.estimate.text()
    assert "a note" in run_dialog.estimate.text()
    run_dialog.parameters.set_value("components", "7")
    assert not run_dialog.accept_button.isEnabled()
    until(qtbot, lambda: "7,000 forward passes" in run_dialog.estimate.text())
    assert run_dialog.accept_button.isEnabled()


@pytest.mark.parametrize("text", ["", "lots", "-1", "1e999", "nan", "½", *HOSTILE])
def test_wrong_numbers_are_refused(qtbot, run_dialog, text) -> None:
    until(qtbot, run_dialog.accept_button.isEnabled)
    run_dialog.parameters.set_value("penalty", text)
    until(qtbot, lambda: "penalty" in run_dialog.message.text())
    assert not run_dialog.accept_button.isEnabled()
    assert len(run_dialog.message.text()) < 500


def test_what_the_audit_refuses_is_said(qtbot, run_dialog) -> None:
    run_dialog.parameters.set_value("components", "13")
    until(qtbot, lambda: "Thirteen" in run_dialog.message.text())
    assert not run_dialog.accept_button.isEnabled()
    assert run_dialog.estimate.text() == ""


def test_start_makes_the_run_as_shown(qtbot, run_dialog, open_workspace, backend) -> None:
    run_dialog.parameters.set_value("layer_a", "block1")
    run_dialog.model_b.setCurrentText("SqueezeNet")
    until(qtbot, run_dialog.accept_button.isEnabled)
    run_dialog.accept_button.click()
    until(qtbot, lambda: open_workspace.run(3) is not None)
    run = open_workspace.run(3)
    assert (run.model_a, run.model_b, run.layer_a) == ("Lite0", "SqueezeNet", "block1")
    until(qtbot, lambda: backend.executed == [3])


def test_prefilled_values(qtbot, open_workspace) -> None:
    dialog = RunDialog(open_workspace, "layers", {"components": 5, "layer_b": "stem", "other": 1})
    qtbot.addWidget(dialog)
    assert dialog.audit.currentData() == "layers"
    values = dialog.parameters.values()
    assert (values["components"], values["layer_b"], values["layer_a"]) == (
        "5", "stem", "penultimate",
    )  # fmt: skip


def test_no_run_without_models(qtbot, workspace, tmp_path) -> None:
    workspace.create(tmp_path / "empty.parallax")
    until(qtbot, lambda: workspace.index is not None)
    dialog = RunDialog(workspace, "concepts")
    qtbot.addWidget(dialog)
    until(qtbot, lambda: "needs images and two models" in dialog.message.text())
    dialog.accept()
    assert not workspace.jobs.busy


# -- export ------------------------------------------------------------------------------------
def test_figure_is_exported_as_the_view_shows_it(qtbot, open_workspace, tmp_path) -> None:
    wish = ExportWish("layers", "csv", {"measure": "cka"})
    dialog = ExportDialog(open_workspace, "figure", 1, wish)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    until(qtbot, dialog.accept_button.isEnabled)
    assert dialog.path.text().endswith("scenes-layers-run-1.csv")
    dialog.path.set_text(str(tmp_path / "out.csv"))
    with qtbot.waitSignal(dialog.exported, timeout=WAIT):
        dialog.accept_button.click()
    assert "0.6" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_a_figure_is_shown_as_it_will_be_written(qtbot, open_workspace, tmp_path) -> None:
    dialog = ExportDialog(open_workspace, "figure", 1, ExportWish("layers", "png", {}))
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    until(qtbot, lambda: not dialog.preview.picture.isNull())
    whole = dialog.preview.picture.toImage()
    dialog.options.size_choice.setCurrentIndex(1)
    until(qtbot, lambda: dialog.preview.picture.width() < 0.6 * whole.width())
    narrow = dialog.preview.picture.toImage()
    measure = dialog.options.parameters.field("measure")
    assert isinstance(measure, QComboBox)
    measure.setCurrentText("cka")
    until(qtbot, lambda: dialog.preview.picture.toImage() != narrow)
    dialog.options.resolution.setValue(100)
    dialog.path.set_text(str(tmp_path / "out.png"))
    with qtbot.waitSignal(dialog.exported, timeout=WAIT):
        dialog.accept_button.click()
    written = QImage(str(tmp_path / "out.png"))
    assert abs(written.width() - 85 / 25.4 * 100) < 2
    assert "cka" in written.text("Parallax")


def test_a_figure_that_cannot_be_drawn_says_why(qtbot, open_workspace) -> None:
    wish = ExportWish("concept", "png", {"concept": 10**6})
    dialog = ExportDialog(open_workspace, "figure", None, wish)
    qtbot.addWidget(dialog)
    until(qtbot, lambda: dialog.preview.text != "")
    assert dialog.preview.picture.isNull()


def test_export_stays_open_if_it_cannot_write(qtbot, open_workspace, tmp_path) -> None:
    dialog = ExportDialog(open_workspace, "table", None)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    until(qtbot, dialog.accept_button.isEnabled)
    for text in ("", "x", "x.svg", *HOSTILE):
        dialog.path.set_text(text)
        assert not dialog.accept_button.isEnabled()
    wrong = tmp_path / "missing folder" / "x.csv"
    dialog.path.set_text(str(wrong))
    dialog.accept_button.click()
    until(qtbot, lambda: dialog.message.text() not in ("", "Writing…"))
    assert dialog.path.text() == str(wrong)
    dialog.path.set_text(str(tmp_path / "x.csv"))
    with qtbot.waitSignal(dialog.exported, timeout=WAIT):
        dialog.accept_button.click()
    assert (tmp_path / "x.csv").stat().st_size > 0


# -- small ones --------------------------------------------------------------------------------
def test_name_dialog_refuses_taken_and_hostile_names(qtbot) -> None:
    dialog = NameDialog("Rename", "Lite0", frozenset({"Lite0", "Lite2"}), 7)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    assert dialog.accept_button.isEnabled()  # its own name is free
    for text in ("", "  ", "Lite2", "a" * 100_000):
        dialog.name.setText(text)
        assert not dialog.accept_button.isEnabled()
    dialog.name.setText(" Lite zero ")
    with qtbot.waitSignal(dialog.chosen) as caught:
        dialog.accept_button.click()
    assert caught.args == [7, "Lite zero"]


def test_question_confirms_only_on_yes(qtbot) -> None:
    for button, expected in (("go_back", []), ("go_on", [5])):
        answers: list[object] = []
        question = Question("Remove?", "Really.", "Remove", "Keep", 5)
        question.confirmed.connect(answers.append)
        question.open()
        getattr(question, button).click()
        assert answers == expected


def test_palette_by_keyboard(qtbot) -> None:
    entries = [PaletteEntry("command", name, name) for name in ("Open", "Close", "Run")]
    palette = CommandPalette(entries)
    palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(palette)
    palette.show()
    qtbot.keyClicks(palette.edit, "o")
    assert palette.found()[0].text == "Open"
    palette.edit.setText("")
    qtbot.keyClick(palette.edit, Qt.Key.Key_Down)
    with qtbot.waitSignal(palette.chosen) as caught:
        qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    assert caught.args == ["command", "Close"]


def test_palette_with_nothing_found_does_nothing(qtbot) -> None:
    palette = CommandPalette([PaletteEntry("command", "Open", "open")])
    qtbot.addWidget(palette)
    palette.edit.setText("zzz")
    with qtbot.assertNotEmitted(palette.chosen):
        qtbot.keyClick(palette.edit, Qt.Key.Key_Return)


def test_details_say_what_was_left_out(qtbot, open_workspace) -> None:
    index = open_workspace.index
    run = run_text(index.run(2), read_problems(open_workspace.project, 2))
    assert "broken.jpg: damaged" in run
    assert "penultimate" in run
    assert "head.weight" in model_text(index.models[0])
    assert "broken.jpg" in image_set_text(index.image_sets[0], [("broken.jpg", "ends early")])
    dialog = DetailsDialog("Details", run)
    qtbot.addWidget(dialog)
    assert dialog.text.isReadOnly()


@pytest.mark.parametrize("make", [partial(ExportDialog, kind="figure", run=1), ImagesDialog])
def test_forms_begin_at_their_first_field(qtbot, open_workspace, make) -> None:
    dialog = make(open_workspace)
    qtbot.addWidget(dialog)
    dialog.open()
    assert isinstance(dialog.focusWidget(), QComboBox | QLineEdit)
    first = dialog.form.itemAt(0, QFormLayout.ItemRole.FieldRole).widget()
    assert first is dialog.focusWidget() or first.isAncestorOf(dialog.focusWidget())
