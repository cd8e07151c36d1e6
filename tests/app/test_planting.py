"""Making images with a planted concept in the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.audits import intake
from analysis.audits.planting import Planted, Planting
from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project
from app.dialogs.planting_dialog import PlantingDialog
from app.lanes import JobState
from tests.app.steps import one, until, visible


def _copy_instead(
    project: Project, settings: dict[str, Any], folder: Path, progress: Progress
) -> Planted:
    """Images as they are, half of them called “with”; pasting is tested where it is done."""
    wish = Planting(**settings)
    root = project.image_set_root(wish.image_set)
    files = sorted(root.rglob("*.png"))
    if not files:
        raise AuditError("Too few of the images can be read.")
    for number, file in enumerate(files):
        target = folder / "images" / ("with", "without")[number % 2] / f"{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    (folder / "masks").mkdir()
    (folder / "masks" / "names.csv").write_text("index,name\n1,rings\n", encoding="utf-8")
    images = intake.add_images(project, wish.name, folder / "images", progress)
    labels = intake.add_labels(project, wish.name, folder / "masks", images)
    return Planted(images, labels, len(files), len(files) // 2, 0, 0, folder)


@pytest.fixture
def dialog(qtbot, monkeypatch: pytest.MonkeyPatch, open_window) -> PlantingDialog:
    monkeypatch.setattr(open_window.workspace.backend, "plant", _copy_instead)
    open_window.actions_registry["plant-concept"].trigger()
    found = one(qtbot, PlantingDialog)
    until(qtbot, lambda: found.concept.count() > 0)
    return found


def test_images_with_a_pattern_come_into_the_project(qtbot, open_window, dialog, tmp_path) -> None:
    assert dialog.name.text() == "planted stripes"
    dialog.concept.setCurrentIndex(dialog.concept.findData("rings"))
    assert dialog.name.text() == "planted rings"
    assert not dialog.accept_button.isEnabled()  # where to?
    dialog.folder.edit.setText(str(tmp_path / "planted"))
    dialog.accept_button.click()
    until(qtbot, lambda: not visible(PlantingDialog))
    until(qtbot, lambda: len(open_window.workspace.index.image_sets) == 2)
    until(qtbot, lambda: len(open_window.workspace.index.labels) == 1)
    made = {entry.name: entry.images for entry in open_window.workspace.index.image_sets}
    assert made == {"scenes": 6, "planted rings": 6}
    assert len(list((tmp_path / "planted" / "images" / "with").iterdir())) == 3
    assert "3 of them with the concept" in open_window.status_line.text.text()


def test_a_folder_in_use_and_a_name_in_use_are_said(dialog, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a.txt").write_text("mine")
    dialog.folder.edit.setText(str(tmp_path / "used"))
    assert "in use" in dialog.message.text()
    dialog.folder.edit.setText("x" * 4000)
    assert not dialog.accept_button.isEnabled()
    dialog.folder.edit.setText(str(tmp_path / "free"))
    assert dialog.message.text() == ""
    dialog.name.setText("scenes")
    dialog.check()
    assert "already in this project" in dialog.message.text()
    assert dialog.wish() is None
    dialog.name.setText(" ")
    dialog.check()
    assert "a name" in dialog.message.text()
    dialog.reject()


def test_what_goes_wrong_is_told_and_nothing_is_left(
    qtbot, open_window, dialog, tmp_path: Path
) -> None:
    dialog.folder.edit.setText(str(tmp_path / "planted"))
    for file in (tmp_path / "pictures").rglob("*.png"):
        file.unlink()
    dialog.accept_button.click()
    jobs = open_window.workspace.jobs
    until(qtbot, lambda: bool(jobs.records()) and jobs.records()[-1].state is JobState.FAILED)
    assert not (tmp_path / "planted").exists()
    assert len(open_window.workspace.index.image_sets) == 1


def test_projects_that_cannot_be_changed_do_not_offer_it(qtbot, window, project_file) -> None:
    window.commands.open_path_read_only(str(project_file))
    until(qtbot, lambda: window.workspace.index is not None)
    assert not window.actions_registry["plant-concept"].isEnabled()
