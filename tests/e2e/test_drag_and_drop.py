"""Projects, folders, checkpoints dropped on the window; and what nobody should drop."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from app.dialogs.images_dialog import ImagesDialog
from app.dialogs.model_dialog import ModelDialog
from tests.e2e.hands import Hands


def test_a_project_dropped_on_the_empty_window_opens(hands: Hands, project_file) -> None:
    assert hands.drop(project_file)
    hands.wait(lambda: hands.window.workspace.session.snapshot.run_concepts is not None)


def test_a_folder_becomes_an_image_set(at_work: Hands, project_file) -> None:
    pictures = project_file.parent / "pictures"
    assert at_work.drop(pictures)
    dialog = at_work.see(ImagesDialog)
    assert dialog.source.text() == str(pictures)
    at_work.write(dialog.name, "dropped")
    at_work.click(dialog.accept_button)
    at_work.gone(ImagesDialog)
    workspace = at_work.window.workspace
    at_work.wait(lambda: len(workspace.index.image_sets) == 2)
    assert {entry.name for entry in workspace.index.image_sets} == {"scenes", "dropped"}


def test_a_checkpoint_asks_for_its_architecture(at_work: Hands, tmp_path) -> None:
    weights = tmp_path / "net.safetensors"
    weights.write_bytes(b"x")
    assert at_work.drop(weights)
    dialog = at_work.see(ModelDialog)
    assert dialog.fields.weights.text() == str(weights)
    at_work.key("Esc", dialog)
    at_work.gone(ModelDialog)


@pytest.mark.parametrize("name", ["gone.parallax", "\u202egnp.exe", "x" * 200])
def test_a_file_that_is_not_there_is_said(at_work: Hands, tmp_path, name) -> None:
    at_work.drop(tmp_path / name)
    box = at_work.see(QMessageBox)
    assert "neither a file nor a folder" in box.text()
    at_work.key("Esc", box)
    at_work.gone(QMessageBox)
    assert at_work.window.workspace.project is not None


def test_two_things_at_a_time_are_refused_in_words(at_work: Hands, project_file) -> None:
    at_work.drop(project_file, Path(project_file.parent / "pictures"))
    box = at_work.see(QMessageBox)
    assert "one thing" in box.text()
    at_work.key("Esc", box)
    at_work.gone(QMessageBox)
