"""Slices of the images: made, used in every view, renamed, removed, undone."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from analysis.name_lists import split_names
from analysis.project import Project
from app.backend_export import FigureRequest
from app.concept_examples import Example, ExampleChoice, ExampleWish
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.performance_dialog import PerformanceDialog
from app.dialogs.prompts import NameDialog
from app.dialogs.slice_dialog import SliceDialog
from app.palette_entries import palette_entries
from app.slice_bar import SliceControl, SliceNote
from app.slice_making import read_slice_offer
from tests.app.fake_backend import MODELS
from tests.app.steps import one, until, visible

TASK = "k-NN (k = 20)"


def add(file, images, name="some") -> int:
    with Project.open(file) as project:
        return project.add_image_slice(name, images, "by hand")


def labelled(file, label) -> list[int]:
    with Project.open(file) as project:
        return [r[0] for r in project.rows("SELECT id FROM image WHERE label = ?", (label,))]


def choose(control: SliceControl, text: str) -> None:
    """Choose an entry as a user does, by its text."""
    control.choice.setFocus()
    place = next(i for i in range(control.choice.count())
                 if control.choice.itemText(i).startswith(text))  # fmt: skip
    control.choice.setCurrentIndex(place)
    control.choice.activated.emit(place)


def opened(qtbot, window, file):
    window.commands.open_path(str(file))
    until(qtbot, lambda: window.workspace.session.snapshot.run_concepts is not None)
    return window


def note(window) -> SliceNote:
    return window.findChild(SliceNote)


def control(window) -> SliceControl:
    """The one that is to be seen."""
    (shown,) = [each for each in window.findChildren(SliceControl) if each.isVisible()]
    return shown


# -- the control -----------------------------------------------------------------------------------
def test_every_perspective_with_images_has_one_control(qtbot, open_window) -> None:
    for name in open_window.presenters:
        open_window.show_perspective(name)
        shown = [each for each in open_window.findChildren(SliceControl) if each.isVisible()]
        about_images = name not in ("welcome", "report")
        assert len(shown) == about_images, name
        compared = name in ("layers", "concepts", "semantics")
        assert open_window.pair_bar.model_a.isVisible() == about_images, name
        assert open_window.pair_bar.layer_a.isVisible() == compared, name
        assert not note(open_window).isVisible()


def test_a_new_slice_of_a_class_narrows_the_views_and_can_be_undone(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    choose(control(window), "New slice")
    dialog = one(qtbot, SliceDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("class"))
    assert not dialog.accept_button.isEnabled()
    item = dialog.classes.item(1)
    item.setCheckState(Qt.CheckState.Checked)
    label = item.data(Qt.ItemDataRole.UserRole)
    until(qtbot, lambda: dialog.count.text() == "2 images")
    assert dialog.name.text() == label
    until(qtbot, dialog.accept_button.isEnabled)
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: not visible(SliceDialog))
    workspace = window.workspace
    until(qtbot, lambda: workspace.slices.images is not None)
    number = workspace.session.snapshot.image_slice
    assert workspace.slices.images == workspace.project.slice_images(number)
    assert control(window).choice.currentText() == f"{label} (2)"
    assert note(window).isVisible()
    assert f"“{label}”, 2 images" in note(window).text.text()
    until(qtbot, lambda: getattr(workspace.points, "slice_name", "") == label)
    assert set(workspace.points.class_name) == {label}
    assert workspace.undo.standing.undo == "add slice"
    workspace.undo.undo()
    until(qtbot, lambda: workspace.session.snapshot.image_slice is None)
    assert not note(window).isVisible()
    until(qtbot, lambda: getattr(workspace.points, "slice_name", "-") == "")
    workspace.undo.redo()
    until(qtbot, lambda: workspace.index.slices)
    assert workspace.index.slices[0].id == number


def test_back_leaves_the_slice(qtbot, window, project_file) -> None:
    number = add(project_file, [1, 2, 3])
    opened(qtbot, window, project_file)
    window.show_perspective("concepts")
    choose(control(window), "some")
    assert window.workspace.session.snapshot.image_slice == number
    window.go_back()
    assert window.workspace.session.snapshot.image_slice is None
    choose(control(window), "some")
    QTest.mouseClick(note(window).button, Qt.MouseButton.LeftButton)
    assert window.workspace.session.snapshot.image_slice is None
    assert control(window).choice.currentText() == "all images"


# -- views -----------------------------------------------------------------------------------------
def test_a_concept_is_of_the_slice_everywhere(qtbot, window, project_file) -> None:
    images = labelled(project_file, "zebra")[:1] or labelled(project_file, "bird")[:1]
    number = add(project_file, images)
    opened(qtbot, window, project_file)
    window.show_perspective("concepts")
    workspace, view = window.workspace, window.presenters["concepts"].view
    until(qtbot, lambda: workspace.points is not None)
    label = workspace.project.value("SELECT label FROM image WHERE id = ?", (images[0],))
    places = np.flatnonzero(workspace.points.class_name == label)
    concept = int(workspace.points.concept_id[places[0]])
    workspace.session.update({"concept": concept, "image_slice": number}, "test")
    until(qtbot, lambda: view.concept.detail is not None and view.concept.detail.slice_name)
    detail = view.concept.detail
    assert set(detail.image.tolist()) == set(images)
    assert len(view.concept.table.model.ids) == len(detail.real) == 2
    assert {patch.image for patch in detail.top} == set(images)
    assert "1 image of the slice “some”" in view.concept.sentence.text()
    until(qtbot, lambda: "slice “some”" in window.inspector.sentence.text())
    export = window.presenters["concepts"].export_parameters
    assert export("concept") == {"concept": concept, "slice": "some"}
    assert export("concepts")["slice"] == "some"
    assert "slice" not in export("replacement")  # measured over all images


def test_a_patch_of_a_slice_opens_large(qtbot, window, project_file) -> None:
    number = add(project_file, [1, 2, 3, 4, 5, 6])
    opened(qtbot, window, project_file)
    window.show_perspective("concepts")
    workspace, view = window.workspace, window.presenters["concepts"].view
    until(qtbot, lambda: workspace.points is not None)
    workspace.session.update({"image_slice": number, "concept": 1}, "test")
    until(qtbot, lambda: view.concept.detail is not None and view.concept.detail.slice_name)
    patch = view.concept.detail.top[0]
    assert patch.patch_id < 0  # the run keeps no such patch
    view.concept.patch_activated.emit(patch.patch_id, patch.image)
    assert workspace.session.snapshot.image == patch.image
    assert workspace.session.snapshot.patch is None
    assert view._dialog.isVisible()
    view._dialog.close()


def test_a_run_without_images_of_the_slice_says_so(qtbot, window, explained_file) -> None:
    with Project.open(explained_file) as project:
        explained = {r[0] for r in project.rows("SELECT DISTINCT image FROM saliency")}
        others = [r[0] for r in project.rows("SELECT id FROM image") if r[0] not in explained]
    add(explained_file, others, "others")
    add(explained_file, [min(explained), *others], "one of them")
    opened(qtbot, window, explained_file)
    window.show_perspective("saliency")
    presenter = window.presenters["saliency"]
    until(qtbot, lambda: presenter.index is not None)
    choose(control(window), "others")
    until(qtbot, lambda: presenter.widget.currentWidget() is presenter.empty)
    assert "slice “others”" in presenter.empty.sentence.text()
    QTest.mouseClick(presenter.empty.button, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: presenter.index is not None and presenter.index.slice_name == "")
    assert len(presenter.index.images) == len(explained)
    choose(control(window), "one of them")
    until(qtbot, lambda: presenter.index is not None and presenter.index.slice_name != "")
    assert presenter.index.images.tolist() == [min(explained)]
    assert {cell.image for cell in presenter.cells} == {min(explained)}
    assert "1 of its images was explained" in note(window).text.text()
    assert presenter.export_parameters("faithfulness") == {"slice": "one of them"}
    assert presenter.export_parameters("saliency")["slice"] == "one of them"
    assert [each.examples for each in presenter.example_wish().choices] == [
        (Example(min(explained)),)
    ]


def test_units_show_the_images_of_the_slice(qtbot, window, dissected_file) -> None:
    with Project.open(dissected_file) as project:
        unit, image = project.row(
            "SELECT unit.id, image FROM unit JOIN unit_patch USING (run, model, layer, unit)"
            " ORDER BY unit.id, rank LIMIT 1"
        )
        there = project.value(
            "SELECT count(*) FROM unit_patch JOIN unit USING (run, model, layer, unit)"
            " WHERE unit.id = ?", (unit,)
        )  # fmt: skip
    add(dissected_file, [image])
    opened(qtbot, window, dissected_file)
    window.show_perspective("units")
    view = window.presenters["units"].view
    window.workspace.session.update({"unit": unit}, "test")
    until(qtbot, lambda: view.panel.detail is not None)
    assert len(view.panel.detail.patches) == there
    choose(control(window), "some")
    until(qtbot, lambda: view.panel.detail is not None and view.panel.detail.slice_name == "some")
    assert {patch.image for patch in view.panel.detail.patches} == {image}
    until(qtbot, lambda: f"Of the {there} images" in note(window).text.text())
    assert window.presenters["units"].export_parameters("units")["slice"] == "some"


def test_mask_pairs_are_of_the_slice(qtbot, window, compared_file) -> None:
    add(compared_file, [1, 2])
    opened(qtbot, window, compared_file)
    presenter = window.presenters["semantics"]
    window.show_perspective("semantics")
    until(qtbot, lambda: presenter.index is not None)
    whole = presenter.index.images.tolist()
    choose(control(window), "some")
    until(qtbot, lambda: presenter.index is not None and presenter.index.slice_name == "some")
    assert presenter.index.images.tolist() == [image for image in whole if image in (1, 2)]
    assert "UCS with its interval" in note(window).text.text()
    assert "SFSS" in note(window).text.text()


@pytest.mark.parametrize("name", ["layers", "embedding"])
def test_what_was_measured_over_all_images_says_so(qtbot, window, dissected_file, name) -> None:
    add(dissected_file, [1])
    opened(qtbot, window, dissected_file)
    window.show_perspective(name)
    choose(control(window), "some")
    assert "measured over all images" in note(window).text.text()
    assert "slice" not in window.presenters[name].export_parameters(name)


# -- making, renaming, removing --------------------------------------------------------------------
def evaluate(file) -> int:
    """Predictions of two models about the six images: they differ on images 2 and 5."""
    with Project.open(file) as project:
        run = project.add_run("evaluation", "answers", {"seed": 1}, models=MODELS[:2], image_set=1,
                              units=["models/0", "models/1"])  # fmt: skip
        for place, model in enumerate(MODELS[:2]):
            answers = np.array([0, 1, 2, 0, 1, 2])
            if place:
                answers[[1, 4]] = 0
            arrays = {
                f"models/{place}/images": np.arange(1, 7),
                f"models/{place}/labels": np.array([0, 1, 2, 0, 2, 2]),
                f"models/{place}/{TASK}": np.eye(3, dtype=np.float32)[answers],
            }
            rows = [{"model": model, "task": TASK, "value": 0.8, "n": 6}]
            project.commit_unit(run, f"models/{place}", {"performance": rows}, arrays, [], 0.1)
        project.set_run_state(run, "done")
        return run


def test_a_slice_by_what_models_answer_and_their_performance(qtbot, window, project_file) -> None:
    evaluate(project_file)
    opened(qtbot, window, project_file)
    window.actions_registry["new-slice"].trigger()
    dialog = one(qtbot, SliceDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("agreement"))
    until(qtbot, lambda: dialog.count.text() == "2 images")  # they differ
    dialog.part.setCurrentIndex(dialog.part.findData("only A right"))
    dialog.part.activated.emit(dialog.part.currentIndex())
    until(qtbot, lambda: dialog.count.text() == "1 image")
    dialog.model_b.setCurrentIndex(dialog.model_a.currentIndex())
    dialog.model_b.activated.emit(0)
    assert "two different models" in dialog.message.text()
    assert not dialog.accept_button.isEnabled()
    dialog.model_b.setCurrentIndex(1 - dialog.model_a.currentIndex())
    dialog.model_b.activated.emit(0)
    dialog.part.setCurrentIndex(dialog.part.findData("disagree"))
    dialog.part.activated.emit(0)
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, lambda: window.workspace.slices.images == frozenset({2, 5}))
    assert window.workspace.slices.entry.origin.startswith("disagree: A Lite0, B Lite2")
    window.actions_registry["slice-performance"].trigger()
    shown = one(qtbot, PerformanceDialog)
    rows = {shown.table.model.ids[row][0]: row for row in range(2)}
    columns = {column.key: column for column in shown.table.model.columns}
    assert columns["slice"].values[rows["Lite0"]] == 50
    assert columns["slice"].values[rows["Lite2"]] == 0
    assert columns["n"].values.tolist() == [2, 2]
    assert columns["all"].values[rows["Lite0"]] == pytest.approx(80)
    (bars,) = shown.bars.data.columns  # the same as a plot
    assert bars.values.tolist() == columns["slice"].values.tolist()
    assert bars.marks.tolist() == columns["all"].values.tolist()
    assert np.array_equal(shown.bars.ranges.low, columns["slice"].low)
    assert "over all images 80.0 %" in shown.bars.data.describe(("Lite0", TASK))
    shown.table.row_focused.emit(("Lite2", TASK))
    assert shown.bars.focus() == ("Lite2", TASK)
    shown.panel.export_requested.emit("performance-by-slice", "pdf")
    export = one(qtbot, ExportDialog)
    until(qtbot, lambda: not export.preview.picture.isNull() or export.preview.text)
    assert export.what.currentData().name == "performance-by-slice"
    named = split_names(str(export.options.values()["slices"]))
    assert named == (window.workspace.slices.entry.name,)
    assert not export.preview.picture.isNull()
    export.close()
    shown.close()


def test_a_slice_of_what_is_selected_and_of_file_names(qtbot, open_window) -> None:
    window = open_window
    window.workspace.session.update({"selection": frozenset({1, 4})}, "test")
    window.show_perspective("concepts")
    window.actions_registry["new-slice"].trigger()
    dialog = one(qtbot, SliceDialog)
    assert dialog.kind.currentData() == "selected"  # what is at hand comes first
    assert "of 2 concepts" in dialog.selected.currentText()
    until(qtbot, lambda: dialog.count.text().endswith("images"))
    assert dialog.recipe().images
    dialog.kind.setCurrentIndex(dialog.kind.findData("names"))
    assert not dialog.accept_button.isEnabled()
    dialog.pattern.setText("no such file")
    until(qtbot, lambda: dialog.count.text() == "0 images")
    assert not dialog.accept_button.isEnabled()
    dialog.pattern.setText("4.png")
    until(qtbot, lambda: dialog.count.text() == "1 image")
    dialog.name.setText("")
    dialog.name.textEdited.emit("")
    assert not dialog.accept_button.isEnabled()
    dialog.reject()


def test_what_is_selected_may_have_no_images(open_workspace) -> None:
    backend, project = open_workspace.backend, open_workspace.project
    nothing = ExampleWish((ExampleChoice("gone", (Example(12345),)),))
    offer = read_slice_offer(backend, project, nothing)
    assert offer.selected == ()
    assert sum(images for _, _, images in offer.sources.labels) == 6
    some = ExampleWish((ExampleChoice("two", (Example(1), Example(2, (0, 0, 5, 5)))),))
    (selected,) = read_slice_offer(backend, project, some).selected
    assert (selected.text, selected.images) == ("two", frozenset({1, 2}))


def test_renaming_and_removing_in_the_navigator(qtbot, window, project_file) -> None:
    number = add(project_file, [1, 2])
    add(project_file, [3], "other")
    opened(qtbot, window, project_file)
    workspace = window.workspace
    items = [item for item in window.navigator._all_items() if item.text(0).startswith("◫")]
    assert [item.text(0) for item in items] == ["◫ other  slice of 1", "◫ some  slice of 2"]
    menu = window.navigator.menu_for(items[1])
    assert [action.text() for action in menu.actions()] == [
        "Show these images alone",
        "Rename…",
        "Remove from the project",
    ]
    menu.actions()[0].trigger()
    assert workspace.session.snapshot.image_slice == number
    menu.actions()[1].trigger()
    dialog = one(qtbot, NameDialog)
    dialog.name.setText("other")
    assert not dialog.accept_button.isEnabled()  # taken
    dialog.name.setText("dusk")
    dialog.accept_button.click()
    until(qtbot, lambda: workspace.slices.entry.name == "dusk")
    until(qtbot, lambda: "“dusk”" in note(window).text.text())
    entries = palette_entries(window.actions_registry, workspace)
    assert ("dusk", number) in [(e.text, e.payload) for e in entries if e.kind == "slice"]
    menu.actions()[2].trigger()
    until(qtbot, lambda: workspace.session.snapshot.image_slice is None)
    assert [one.name for one in workspace.index.slices] == ["other"]
    workspace.undo.undo()
    until(qtbot, lambda: len(workspace.index.slices) == 2)
    assert workspace.project.slice_images(number) == frozenset({1, 2})
    menu.deleteLater()


def test_a_read_only_project_can_be_narrowed_but_gets_no_slice(qtbot, window, project_file) -> None:
    add(project_file, [1, 2])
    window.commands.open_path_read_only(str(project_file))
    until(qtbot, lambda: window.workspace.session.snapshot.run_concepts is not None)
    window.show_perspective("concepts")
    texts = [control(window).choice.itemText(i) for i in range(control(window).choice.count())]
    assert texts == ["all images", "some (2)"]
    assert not window.actions_registry["new-slice"].isEnabled()
    choose(control(window), "some")
    until(qtbot, lambda: window.workspace.slices.images == frozenset({1, 2}))


def test_another_project_begins_with_all_images(qtbot, window, project_file, tmp_path) -> None:
    add(project_file, [1])
    opened(qtbot, window, project_file)
    window.show_perspective("concepts")
    choose(control(window), "some")
    window.commands.close_project()
    until(qtbot, lambda: window.workspace.project is None)
    assert window.workspace.session.snapshot.image_slice is None
    assert window.workspace.slices.images is None
    assert not note(window).isVisible()


def test_an_exported_figure_is_of_the_slice(qtbot, window, project_file, tmp_path) -> None:
    add(project_file, [1, 2, 3, 4, 5, 6])
    opened(qtbot, window, project_file)
    window.show_perspective("concepts")
    choose(control(window), "some")
    until(qtbot, lambda: getattr(window.workspace.points, "slice_name", "") == "some")
    presenter = window.presenters["concepts"]
    presenter.view.export_requested.emit("concepts", "csv")
    dialog = one(qtbot, ExportDialog)
    dialog.close()
    out = tmp_path / "out.json"
    request = FigureRequest("concepts", parameters=presenter.export_parameters("concepts"))
    window.workspace.backend.export_figure(window.workspace.project, request, out)
    assert '"slice": "some"' in out.read_text()
