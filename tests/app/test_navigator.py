"""The panel of images, models and runs, and what its menus do."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QMessageBox,
)

from app.dialogs.prompts import NameDialog, Question
from tests.app.steps import entry, one, session, until, visible


def test_renaming_and_removing(qtbot, open_window) -> None:
    window = open_window
    window.entry_commands.do("rename-model", "model", "Lite0")
    dialog = one(qtbot, NameDialog)
    dialog.name.setText("Lite zero")
    dialog.accept_button.click()
    until(qtbot, lambda: window.pair_bar.model_a.currentText() == "Lite zero")
    window.entry_commands.do("remove-run", "run", 1)
    one(qtbot, Question).go_back.click()
    assert window.workspace.run(1) is not None
    window.entry_commands.do("remove-run", "run", 1)
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: window.workspace.run(1) is None)


def test_every_menu_entry_has_an_answer(open_window) -> None:
    from app.navigator_menus import MENUS

    known = {d.id for d in open_window.actions_registry.definitions()}
    known |= open_window.entry_commands.intents()
    assert {intent for entries in MENUS.values() for intent, _text in entries} <= known
    assert set(open_window.commands._actions) == {
        d.id for d in open_window.actions_registry.definitions()
    }


def test_read_only_project_offers_no_edits(qtbot, window, project_file) -> None:
    window.commands.open_path_read_only(str(project_file))
    until(qtbot, lambda: session(window).run_concepts is not None)
    assert "read-only" in window.windowTitle()
    for name in ("run-audit", "add-images", "add-model", "resume"):
        assert not window.actions_registry[name].isEnabled()
    menu = window.navigator.menu_for(entry(window, "model", "Lite0"))
    enabled = {a.data()[0]: a.isEnabled() for a in menu.actions()}
    assert not enabled["rename-model"]
    assert enabled["show-as-b"]
    menu.close()
    window.commands.add_images()
    box = one(qtbot, QMessageBox)
    assert "read-only" in box.text()
    box.close()


def test_details_from_the_navigator(qtbot, open_window) -> None:
    from app.dialogs.details import DetailsDialog

    for intent, kind, number, words in (
        ("model-details", "model", "Lite0", "head.weight"),
        ("run-details", "run", 2, "broken.jpg: damaged"),
        ("image-set-details", "image set", 1, "The file ends too early."),
    ):
        open_window.entry_commands.do(intent, kind, number)
        dialog = one(qtbot, DetailsDialog)
        assert words in dialog.text.toPlainText()
        dialog.close()
        until(qtbot, lambda: not visible(DetailsDialog))
