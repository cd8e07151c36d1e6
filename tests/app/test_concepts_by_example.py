"""Patches, folders and labels become concepts, from wherever they are seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QMessageBox

from analysis.audits.label_names import label_names
from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox
from app import reversible
from app.concept_examples import Example, ExampleChoice, ExampleWish, read_offer, walked_choices
from app.dialogs.add_concept_dialog import AddConceptDialog
from app.dialogs.palette import CommandPalette
from app.dialogs.save_concept_dialog import SaveConceptDialog
from app.views.patch_dialog import PatchDialog
from app.widgets.grid_actions import SAVE_AS_CONCEPT
from tests.app.steps import one, session, until, visible

CTRL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier


def kept(window) -> list[tuple]:
    rows = window.workspace.project.rows(
        "SELECT concept_set.name, role, image, x, y, width, height FROM concept_example"
        " JOIN concept_set ON concept_set.id = concept_set ORDER BY concept_example.id"
    )
    return [tuple(row) for row in rows]


def click(grid, row: int, modifier=PLAIN) -> None:
    place = grid.visualRect(grid.model().index(row, 0)).center()
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def offered(grid):
    return next(action for action in grid.actions() if action.text() == SAVE_AS_CONCEPT)


@pytest.fixture
def concepts(qtbot, open_window):
    """The concepts view with a concept in focus."""
    open_window.show_perspective("concepts")
    presenter = open_window.presenters["concepts"]
    until(qtbot, lambda: open_window.workspace.points is not None)
    open_window.workspace.session.update({"concept": 1}, "test")
    until(qtbot, lambda: presenter.view.concept.detail is not None)
    return presenter.view


# -- patches of concepts ---------------------------------------------------------------------------
def test_selected_patches_become_a_concept(qtbot, open_window, concepts) -> None:
    grid = concepts.concept.sets["top"].grid
    until(qtbot, lambda: not grid.visualRect(grid.model().index(1, 0)).isEmpty())
    click(grid, 0)
    click(grid, 1, CTRL)
    assert len(grid.selected()) == 2
    offered(grid).trigger()
    dialog = one(qtbot, SaveConceptDialog)
    assert dialog.patches.currentText() == "2 patches selected"
    assert dialog.concept.currentText() == "a new concept"
    assert not dialog.accept_button.isEnabled()  # it has no name yet
    dialog.name.setText("stripes")
    dialog.name.textEdited.emit("stripes")
    dialog.accept_button.click()
    until(qtbot, lambda: not visible(SaveConceptDialog))
    patches = concepts.concept.detail.top
    assert kept(open_window) == [("stripes", "positive", p.image, 10, 5, 20, 20) for p in patches]
    assert "2 patches" in open_window.status_line.text.text()
    until(qtbot, lambda: open_window.workspace.index.concept_sets)
    examples = kept(open_window)
    open_window.actions_registry["undo"].trigger()
    until(qtbot, lambda: not open_window.workspace.index.concept_sets)
    assert kept(open_window) == []
    open_window.actions_registry["redo"].trigger()
    until(qtbot, lambda: open_window.workspace.index.concept_sets)
    assert kept(open_window) == examples


def test_grids_and_tables_offer_what_the_window_does(qtbot, open_window, concepts) -> None:
    record = open_window.actions_registry["record-finding"]
    grid, rows = concepts.concept.sets["top"].grid, concepts.table.table
    for view, own in ((grid, SAVE_AS_CONCEPT), (rows, "Copy rows")):
        view.customContextMenuRequested.emit(view.viewport().rect().center())
        menu = one(qtbot, QMenu)
        assert [action.text() for action in menu.actions()] == [own, "", record.text()]
        assert menu.actions()[-1] is record
        menu.close()


def test_without_a_selection_the_top_patches_are_taken(qtbot, open_window, concepts) -> None:
    open_window.workspace.session.update({"selection": frozenset({1, 4})}, "test")
    for patch_set in concepts.concept.sets.values():
        patch_set.grid.clearSelection()
    open_window.actions_registry["save-concept"].trigger()
    dialog = one(qtbot, SaveConceptDialog)
    texts = [dialog.patches.itemText(row) for row in range(dialog.patches.count())]
    assert len(texts) == 1
    assert "of 2 concepts" in texts[0]
    details = [
        open_window.workspace.backend.concept_detail(open_window.workspace.project, number)
        for number in (1, 4)
    ]
    expected = {(p.image, p.x, p.y, p.width, p.height) for d in details for p in d.top}
    assert set(dialog.chosen().boxes) == expected
    dialog.close()


def test_patches_are_added_to_a_concept_as_negatives(qtbot, open_window, concepts) -> None:
    project = open_window.workspace.project
    project.add_concept_set("wheel", "patches", examples=[(3, 0, 0, 9, 9)])
    project.add_concept_set("sky", "labels", label="sky")
    open_window.actions_registry["save-concept"].trigger()
    dialog = one(qtbot, SaveConceptDialog)
    names = [dialog.concept.itemText(row) for row in range(dialog.concept.count())]
    assert names == ["a new concept", "wheel"]  # a label's regions are all there is of “sky”
    assert dialog.role.count() == 1
    dialog.concept.setCurrentIndex(1)
    dialog.role.setCurrentIndex(dialog.role.findData("negative"))
    dialog.accept_button.click()
    until(qtbot, lambda: not visible(SaveConceptDialog))
    assert kept(open_window)[0] == ("wheel", "positive", 3, 0, 0, 9, 9)
    assert {row[:2] for row in kept(open_window)[1:]} == {("wheel", "negative")}


def test_a_concept_of_a_folder_takes_negatives_alone(
    qtbot, open_window, concepts, tmp_path
) -> None:
    open_window.workspace.project.add_concept_set("zebra", "folder", folder=tmp_path)
    open_window.actions_registry["save-concept"].trigger()
    dialog = one(qtbot, SaveConceptDialog)
    dialog.concept.setCurrentIndex(1)
    assert [dialog.role.itemData(row) for row in range(dialog.role.count())] == ["negative"]
    dialog.close()


def test_a_name_that_is_taken_is_refused(qtbot, open_window, concepts) -> None:
    open_window.workspace.project.add_concept_set("wheel", "patches")
    open_window.actions_registry["save-concept"].trigger()
    dialog = one(qtbot, SaveConceptDialog)
    dialog.name.setText("wheel")
    dialog.name.textEdited.emit("wheel")
    assert not dialog.accept_button.isEnabled()
    assert "wheel" in dialog.message.text()
    dialog.name.setText("tyre")
    dialog.name.textEdited.emit("tyre")
    # Taken meanwhile: the dialog stays, and says so.
    open_window.workspace.project.add_concept_set("tyre", "patches")
    dialog.accept_button.click()
    until(qtbot, lambda: "tyre" in dialog.message.text())
    assert dialog.isVisible()
    assert not visible(QMessageBox)  # it is said once
    assert not open_window.workspace.undo.standing.undo
    dialog.close()


def test_the_patch_shown_large_becomes_a_concept(qtbot, open_window, concepts) -> None:
    patches = concepts.concept.detail.top
    concepts.open_large_view(patches[1].patch_id, patches[1].image)
    large = one(qtbot, PatchDialog)
    large.save.click()
    dialog = one(qtbot, SaveConceptDialog)
    assert not large.isVisible()
    assert dialog.patches.itemText(0) == "the patch shown"
    assert dialog.chosen().boxes == (ExampleBox(patches[1].image, 10, 5, 20, 20),)
    dialog.patches.setCurrentIndex(1)
    assert len(dialog.chosen().boxes) == len(patches)
    dialog.close()


# -- units -----------------------------------------------------------------------------------------
def test_images_of_units_become_a_concept(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("units")
    view = window.presenters["units"].view
    until(qtbot, lambda: view.grid.grid_model.rowCount() > 0)
    window.workspace.session.update({"unit": None, "concept": None}, "test")
    assert not window.actions_registry["save-concept"].isEnabled()
    units = [int(unit) for unit in view._index.table.unit_id[:2]]
    window.workspace.session.update({"units": frozenset(units)}, "test")
    window.actions_registry["save-concept"].trigger()
    dialog = one(qtbot, SaveConceptDialog)
    details = window.workspace.backend.unit_details(window.workspace.project, units)
    expected = {(p.image, p.x, p.y, p.width, p.height) for d in details.values() for p in d.patches}
    assert set(dialog.chosen().boxes) == expected
    concepts = {d.concept for d in details.values()}
    assert dialog.name.text() == (concepts.pop() if len(concepts) == 1 else "")
    dialog.close()


def test_single_images_of_a_unit_become_a_concept(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("units")
    view = window.presenters["units"].view
    until(qtbot, lambda: view.grid.grid_model.patch(0, 2) is not None)
    for column, modifier in ((1, PLAIN), (2, CTRL)):
        place = view.grid.visualRect(view.grid.grid_model.index(0, column)).center()
        QTest.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, modifier, place)
    offered(view.grid).trigger()
    dialog = one(qtbot, SaveConceptDialog)
    detail = view.grid.grid_model.detail(view.grid.focus())
    assert dialog.patches.itemText(0) == "2 patches selected"
    assert [box.image for box in dialog.chosen().boxes] == [p.image for p in detail.patches]
    dialog.close()


def test_the_grid_of_units_has_one_menu_with_everything(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("units")
    view = window.presenters["units"].view
    until(qtbot, lambda: view.grid.grid_model.patch(0, 2) is not None)
    for _ in range(2):
        view.grid.customContextMenuRequested.emit(view.grid.viewport().rect().center())
        menu = one(qtbot, QMenu)
        texts = [action.text() for action in menu.actions()]
        assert texts[:3] == [SAVE_AS_CONCEPT, "", "Copy data"]
        assert texts.count(SAVE_AS_CONCEPT) == 1
        assert menu.actions()[-1] is window.actions_registry["record-finding"]
        menu.close()


def test_the_box_of_a_unit_is_kept_where_its_mask_is_shown(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("units")
    view = window.presenters["units"].view
    until(qtbot, lambda: view.grid.grid_model.patch(0, 1) is not None)
    patch = view.grid.grid_model.patch(0, 1)
    view.open_large_view(patch.patch_id, patch.image)
    large = one(qtbot, PatchDialog)
    assert large.patches[0].box is None  # the mask is shown in its place
    large.save.click()
    dialog = one(qtbot, SaveConceptDialog)
    box = ExampleBox(patch.image, patch.x, patch.y, patch.width, patch.height)
    assert dialog.chosen().boxes == (box,)
    dialog.close()


# -- what is gathered ------------------------------------------------------------------------------
def test_a_whole_image_and_what_is_gone(open_workspace) -> None:
    backend, project = open_workspace.backend, open_workspace.project
    whole = ExampleChoice("the image", (Example(1), Example(1)))
    gone = ExampleChoice("another", (Example(999),))
    offer = read_offer(backend, project, ExampleWish((gone, whole)))
    assert [choice.boxes for choice in offer.choices] == [(ExampleBox(1, 0, 0, 60, 40),)]
    with pytest.raises(AuditError, match="no patch"):
        read_offer(backend, project, ExampleWish((gone,)))
    with pytest.raises(AuditError, match="no concept 999"):
        read_offer(backend, project, ExampleWish((whole,), concepts=(999,)))


def test_a_row_of_one_patch_is_offered_once() -> None:
    assert walked_choices((), 0) == ()
    assert len(walked_choices((Example(1), Example(1)), 1)) == 1
    first, every = walked_choices((Example(1), Example(2)), 1)
    assert (first.examples, len(every.examples)) == ((Example(2),), 2)


def test_a_damaged_box_leaves_no_concept_behind(project_file) -> None:
    with Project.open(project_file) as project:
        with pytest.raises(AuditError, match="outside"):
            reversible.save_as_concept("wheel", [ExampleBox(1, 0, 0, 0, 5)], project)
        assert project.value("SELECT count(*) FROM concept_set") == 0
        boxes = [ExampleBox(1, 0, 0, 5, 5)] * 2
        assert reversible.save_as_concept(" wheel ", boxes, project).answer == 1
        assert project.value("SELECT name FROM concept_set") == "wheel"
        number = project.value("SELECT id FROM concept_set")
        assert reversible.add_examples(number, boxes, "positive", project).answer == 0


# -- folders and labels ----------------------------------------------------------------------------
def test_a_folder_becomes_a_concept(qtbot, open_window, tmp_path) -> None:
    folder = tmp_path / "zebra stripes"
    folder.mkdir()
    open_window.actions_registry["add-concept"].trigger()
    dialog = one(qtbot, AddConceptDialog)
    assert not dialog.accept_button.isEnabled()
    dialog.source.set_text(str(tmp_path / "nowhere"))
    assert "no such folder" in dialog.message.text()
    dialog.source.set_text(str(folder))
    assert dialog.name.text() == "zebra stripes"
    dialog.accept_button.click()
    until(qtbot, lambda: open_window.perspective == "semantics")
    project = open_window.workspace.project
    row = project.row("SELECT * FROM concept_set")
    assert (row["name"], row["kind"]) == ("zebra stripes", "folder")
    assert project.concept_folder(row["id"]) == folder.resolve()
    view = open_window.presenters["semantics"].view
    until(qtbot, lambda: view.concept_set() == row["id"])
    assert view.tab() == "concepts"


def test_a_label_becomes_a_concept(qtbot, open_window, backend, monkeypatch) -> None:
    labels = (("sky", "object"), ("wheel", "part"))
    monkeypatch.setattr(backend, "label_names", lambda _project: labels)
    open_window.actions_registry["add-concept"].trigger()
    dialog = one(qtbot, AddConceptDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("labels"))
    until(qtbot, lambda: dialog.label.count() == 2)
    assert not dialog.accept_button.isEnabled()
    dialog.label.setCurrentIndex(1)
    assert dialog.name.text() == "wheel"
    dialog.accept_button.click()
    until(qtbot, lambda: not visible(AddConceptDialog))
    row = open_window.workspace.project.row("SELECT * FROM concept_set")
    assert (row["kind"], row["label"], row["category"]) == ("labels", "wheel", "part")


def test_a_label_may_be_typed(qtbot, open_window) -> None:
    open_window.actions_registry["add-concept"].trigger()
    dialog = one(qtbot, AddConceptDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("labels"))
    until(qtbot, lambda: not open_window.workspace.loader.loading)
    dialog.label.setEditText("front wheel")
    assert dialog.chosen_label() == ("front wheel", None)
    dialog.name.setText("")
    dialog.name.textEdited.emit("")
    assert not dialog.accept_button.isEnabled()
    dialog.close()


def test_the_labels_of_a_projects_planes(open_workspace, tmp_path) -> None:
    project = open_workspace.project
    assert label_names(project) == ()
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "labels.csv").write_text("index,name,category\n1,wheel,part\n2,Sky,object\n")
    project.add_label_planes("masks", masks, "masks")
    assert label_names(project) == (("Sky", "object"), ("wheel", "part"))
    (masks / "labels.csv").unlink()
    masks.rmdir()
    assert label_names(project) == ()


def test_the_palette_finds_concepts_given_by_examples(qtbot, open_window) -> None:
    number = open_window.workspace.project.add_concept_set("zebra stripes", "patches")
    open_window.workspace.refresh_index()
    until(qtbot, lambda: open_window.workspace.index.concept_sets)
    open_window.actions_registry["palette"].trigger()
    palette = one(qtbot, CommandPalette)
    palette.edit.setText("zebra")
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    assert open_window.perspective == "semantics"
    view = open_window.presenters["semantics"].view
    until(qtbot, lambda: view.concept_set() == number)


def test_the_image_in_focus_becomes_a_concept(qtbot, explained_window) -> None:
    explained_window.show_perspective("saliency")
    explained_window.workspace.session.update({"image": 2}, "test")
    assert session(explained_window).image == 2
    explained_window.actions_registry["save-concept"].trigger()
    dialog = one(qtbot, SaveConceptDialog)
    assert dialog.chosen().boxes == (ExampleBox(2, 0, 0, 60, 40),)
    dialog.close()
