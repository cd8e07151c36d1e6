"""Opening, dropping, exporting."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QMessageBox,
)

from analysis.project import Project
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.images_dialog import ImagesDialog
from app.dialogs.model_dialog import ModelDialog
from app.dialogs.project_dialog import ProjectDialog
from app.dialogs.prompts import Question
from app.main_window import MainWindow
from tests.app.steps import one, session, until, visible


def test_project_in_use_is_offered_read_only(qtbot, window, project_file) -> None:
    with Project.open(project_file):
        window.commands.open_path(str(project_file))
        question = one(qtbot, Question)
        assert question.go_on.text() == "Open read-only"
        question.go_on.click()
        until(qtbot, lambda: session(window).run_concepts is not None)
    assert not window.workspace.writable


def test_damaged_project_is_offered_to_be_saved(qtbot, window, project_file) -> None:
    data = bytearray(project_file.read_bytes())
    data[3 * 16384 : 5 * 16384] = bytes(2 * 16384)
    project_file.write_bytes(data)
    window.commands.open_path(str(project_file))
    question = one(qtbot, Question)
    assert "read" in question.go_on.text()
    question.go_on.click()
    until(qtbot, lambda: window.workspace.project is not None)
    assert window.workspace.project.path.name == "scenes (saved).parallax"
    assert project_file.read_bytes() == bytes(data)


def test_no_project_file(qtbot, window, tmp_path) -> None:
    wrong = tmp_path / "x.parallax"
    wrong.write_bytes(b"\x00" * 5000)
    window.commands.open_path(str(wrong))
    box = one(qtbot, QMessageBox)
    assert "x.parallax" in box.text()
    box.close()
    assert window.workspace.project is None


def test_new_project_from_the_dialog(qtbot, window, tmp_path) -> None:
    window.actions_registry["new"].trigger()
    dialog = one(qtbot, ProjectDialog)
    dialog.path.set_text(str(tmp_path / "mine"))
    dialog.accept_button.click()
    until(qtbot, lambda: window.workspace.project is not None)
    until(qtbot, lambda: not visible(ProjectDialog))
    assert (tmp_path / "mine.parallax").is_file()


def _drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip


def test_dropping_project_folder_and_checkpoint(qtbot, window, project_file, tmp_path) -> None:
    _drop(window, project_file)
    until(qtbot, lambda: session(window).run_concepts is not None)
    _drop(window, tmp_path)
    dialog = one(qtbot, ImagesDialog)
    assert dialog.source.text() == str(tmp_path)
    dialog.close()
    until(qtbot, lambda: not visible(ImagesDialog))
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"x")
    _drop(window, weights)
    model = one(qtbot, ModelDialog)
    assert model.fields.weights.text() == str(weights)
    model.close()


def test_export_of_what_a_view_shows(qtbot, open_window) -> None:
    open_window.show_perspective("layers")
    view = open_window.presenters["layers"].view
    until(qtbot, lambda: view.data is not None)
    view.export_requested.emit("layers", "pdf")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, dialog.accept_button.isEnabled)
    assert dialog.what.currentData().name == "layers"
    assert dialog.path.text().endswith(".pdf")
    dialog.close()
