"""Opening a project: from the menu, from the list of recent ones, by its path in the palette."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox

from tests.e2e.conftest import open_project
from tests.e2e.hands import Hands


def test_a_project_opens_on_its_results(at_work: Hands) -> None:
    window = at_work.window
    assert "scenes.parallax" in window.windowTitle()
    assert window.perspective == "concepts"
    at_work.wait(lambda: window.workspace.points is not None)
    at_work.tab("Layers")
    view = window.presenters["layers"].view
    at_work.wait(lambda: view.isVisible() and view.data is not None)
    assert window.pair_bar.isVisible()


def test_closed_and_opened_again_from_the_recent_ones(at_work: Hands) -> None:
    window = at_work.window
    at_work.key("Ctrl+W")
    at_work.wait(lambda: window.workspace.project is None)
    assert window.perspective == "welcome"
    at_work.menu("File", "Open recent")
    menu = window.recent_menu
    at_work.wait(menu.isVisible)
    entries = [action for action in menu.actions() if action.data()]
    assert "scenes" in entries[0].text()
    at_work.click(menu, menu.actionGeometry(entries[0]).center())
    at_work.wait(lambda: window.workspace.session.snapshot.run_concepts is not None)


def test_what_is_no_project_is_said_and_harms_nothing(at_work: Hands, tmp_path) -> None:
    wrong = tmp_path / "wrong.parallax"
    wrong.write_bytes(b"not a project" * 400)
    at_work.menu("File", "Open…")
    at_work.choose_file(wrong)
    box = at_work.see(QMessageBox)
    assert "wrong.parallax" in box.text()
    at_work.key("Esc", box)
    at_work.gone(QMessageBox)
    assert at_work.window.workspace.project.path.name == "scenes.parallax"


def test_another_project_takes_the_place_of_the_first(at_work: Hands, tmp_path) -> None:
    window = at_work.window
    at_work.menu("File", "Save a copy…")
    at_work.choose_file(tmp_path / "copy.parallax")
    at_work.wait((tmp_path / "copy.parallax").is_file)
    at_work.wait(lambda: not window.workspace.loader.loading)
    open_project(at_work, tmp_path / "copy.parallax")
    at_work.wait(lambda: "copy.parallax" in window.windowTitle())
