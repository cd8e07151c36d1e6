"""A project whose images and models lie elsewhere now, in the window."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QFileDialog

from analysis.audits.places import Place
from analysis.project import Project
from app.dialogs.places_dialog import PlacesDialog, found_words
from app.file_opening import FileOpener, hear_of_files
from tests.app.steps import entry, label, one, session, until, visible


@pytest.fixture
def moved(tmp_path: Path, project_file: Path) -> Path:
    """The project alone in a folder; its images were renamed and lie in another one."""
    with Project.open(project_file) as project:
        project.set_specification("Lite2", "timm:resnet18@/nowhere/lite2.safetensors")
    alone = tmp_path / "alone" / "deep" / "scenes.parallax"
    alone.parent.mkdir(parents=True)
    shutil.move(project_file, alone)
    heap = tmp_path / "heap"
    heap.mkdir()
    for number, file in enumerate(sorted((tmp_path / "pictures").rglob("*.png"))):
        shutil.move(file, heap / f"photo {number}.png")
    shutil.rmtree(tmp_path / "pictures")
    return alone


@pytest.fixture
def moved_window(qtbot, window, moved: Path):
    window.commands.open_path(str(moved))
    until(qtbot, lambda: session(window).run_concepts is not None)
    until(qtbot, lambda: "not found" in label(window, "image set", 1))
    return window


def _choose(qtbot, folder: Path) -> None:
    chooser = one(qtbot, QFileDialog)
    chooser.fileSelected.emit(str(folder))
    chooser.close()


def test_renamed_images_are_found_from_the_navigator(qtbot, moved_window, tmp_path: Path) -> None:
    window = moved_window
    image = window.workspace.project.value("SELECT min(id) FROM image")
    window.workspace.session.update({"image": image}, None)
    until(qtbot, lambda: not window.inspector.away.isHidden())
    window.entry_commands.do("relocate-image-set", "image set", 1)
    _choose(qtbot, tmp_path / "heap")
    until(qtbot, lambda: "not found" not in label(window, "image set", 1))
    assert "6 of 6 images found" in window.workspace.jobs.records()[-1].log[-1]
    assert "6 of them under another name" in window.workspace.jobs.records()[-1].log[-1]
    until(qtbot, window.inspector.away.isHidden)
    path = window.workspace.thumbnails.path(image)
    assert path is not None
    assert path.parent == tmp_path / "heap"


def test_the_list_of_places_from_where_an_original_is_missing(
    qtbot, moved_window, tmp_path: Path
) -> None:
    window = moved_window
    image = window.workspace.project.value("SELECT min(id) FROM image")
    window.workspace.session.update({"image": image}, None)
    until(qtbot, lambda: not window.inspector.away.isHidden())
    window.inspector.away.relocate.click()
    dialog = one(qtbot, PlacesDialog)
    until(qtbot, lambda: dialog.list.topLevelItemCount() == 2)
    rows = [dialog.list.topLevelItem(row) for row in range(2)]
    assert [row.text(2) for row in rows] == ["✕ not found", "✕ not found"]
    assert [row.text(1) for row in rows] == ["scenes", "Lite2"]
    assert dialog.list.currentItem() is rows[0]
    dialog.find_button.click()
    _choose(qtbot, tmp_path / "alone")  # the wrong folder: said in the dialog, nothing is changed
    until(qtbot, lambda: "none of the 6 images" in dialog.message.text())
    dialog.find_button.click()
    _choose(qtbot, tmp_path / "heap")
    until(qtbot, lambda: "6 of 6 images found" in dialog.message.text())
    until(qtbot, lambda: dialog.list.topLevelItem(0).text(2) == "✓ here")
    assert dialog.list.topLevelItem(1).text(2) == "✕ not found"
    dialog.close()
    until(qtbot, lambda: not visible(PlacesDialog))


def test_the_large_view_offers_it_too(qtbot, moved_window) -> None:
    from app.views.patch_dialog import PatchDialog

    window = moved_window
    window.show_perspective("concepts")
    window.commands.open_image(window.workspace.project.value("SELECT min(id) FROM image"))
    large = one(qtbot, PatchDialog)
    assert large.away.isVisible()
    large.away.relocate.click()
    one(qtbot, PlacesDialog).close()
    assert not visible(PatchDialog)


def test_a_project_in_its_place_asks_for_nothing(qtbot, open_window) -> None:
    window = open_window
    until(qtbot, lambda: not window.workspace.loader.loading)
    assert label(window, "image set", 1) == "scenes  6, 1 left out"
    image = window.workspace.project.value("SELECT min(id) FROM image")
    window.workspace.session.update({"image": image}, None)
    until(qtbot, lambda: window.inspector.place.text() != "")
    assert window.inspector.away.isHidden()
    menu = window.navigator.menu_for(entry(window, "model", "Lite0"))
    possible = {a.data()[0]: a.isEnabled() for a in menu.actions()}
    assert not possible["relocate-model"]  # its weights are the library's
    menu.close()


def test_read_only_projects_are_looked_at_alone(qtbot, window, moved: Path) -> None:
    window.commands.open_path_read_only(str(moved))
    until(qtbot, lambda: session(window).run_concepts is not None)
    window.actions_registry["relocate"].trigger()
    dialog = one(qtbot, PlacesDialog)
    until(qtbot, lambda: dialog.list.topLevelItemCount() == 2)
    assert not dialog.find_button.isEnabled()
    dialog.close()
    until(qtbot, lambda: not visible(PlacesDialog))


def test_how_much_is_there_in_words() -> None:
    def words(looked_at: int, there: int) -> str:
        return found_words(Place("images", 1, "pets", Path("pets"), looked_at, there))

    assert words(4, 4) == "✓ here"
    assert words(4, 0) == "✕ not found"
    assert words(200, 150) == "◐ 150 of 200 looked at"


def test_files_that_the_system_wants_opened(qtbot, tmp_path: Path) -> None:
    application = QCoreApplication.instance()
    assert application is not None
    opener = hear_of_files(application, "darwin")
    heard: list[str] = []
    opener.wished.connect(heard.append)
    path = tmp_path / "a b.parallax"
    QCoreApplication.sendEvent(application, QFileOpenEvent(QUrl.fromLocalFile(str(path))))
    assert heard == [str(path)]
    application.removeEventFilter(opener)
    silent = hear_of_files(application, "linux")
    silent.wished.connect(heard.append)
    QCoreApplication.sendEvent(application, QFileOpenEvent(QUrl.fromLocalFile(str(path))))
    assert heard == [str(path)]
    for made in (opener, silent):
        assert isinstance(made, FileOpener)
        made.deleteLater()
