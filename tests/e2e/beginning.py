"""How a user begins: a new project, a run, a concept in focus."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.dialogs.project_dialog import ProjectDialog
from app.dialogs.run_dialog import RunDialog
from tests.e2e.hands import Hands

LONG = 240_000


def make_project(hands: Hands, path: Path, images: Path, models: tuple[str, ...]) -> None:
    """A new project by the dialog: its file, one folder of images, models."""
    hands.press_button("New project…")
    dialog = hands.see(ProjectDialog)
    hands.write(dialog.path.edit, str(path))
    hands.click(dialog.add_images)
    hands.choose_file(images)
    assert dialog.images.count() == 1
    for position, model in enumerate(models, 1):
        hands.write(dialog.model.specification, model)
        hands.wait(dialog.add_model.isEnabled, LONG)
        hands.click(dialog.add_model)
        assert dialog.models.count() == position
    hands.click(dialog.accept_button)
    hands.gone(ProjectDialog)


def plan_run(hands: Hands, audit: str) -> RunDialog:
    """The dialog of an audit, by the keys of the menu entry."""
    hands.wait(hands.window.actions_registry["run-audit"].isEnabled, LONG)
    hands.key("Ctrl+R")
    dialog = hands.see(RunDialog)
    hands.choose(dialog.audit, audit)
    hands.wait(dialog.accept_button.isEnabled, LONG)
    return dialog


def walk_to_a_concept(hands: Hands) -> object:
    """Walk through the scatter by keys; the concept that is then in focus."""
    workspace = hands.window.workspace
    canvas = hands.window.presenters["concepts"].view.similarity.scatter.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    hands.wait(lambda: workspace.focus.detail is not None)
    return workspace.focus.detail
