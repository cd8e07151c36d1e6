"""The window as a whole: beginning, colours, layout, end."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLineEdit,
    QWidget,
)

from app import settings, theme
from app.dialogs.palette import CommandPalette
from app.dialogs.prompts import Question
from app.main_window import MainWindow
from app.workspace import Workspace
from tests.app.steps import WAIT, entry, one, session, start_run, until


# -- start -------------------------------------------------------------------------------------
def test_empty_window_offers_a_beginning(window) -> None:
    assert window.windowTitle() == "Parallax"
    assert window.perspective == "welcome"
    assert not window.pair_bar.isVisible()
    for name in ("run-audit", "close", "export-figure", "add-images", "cancel", "back"):
        assert not window.actions_registry[name].isEnabled()
    for name in ("new", "open", "sample", "palette"):
        assert window.actions_registry[name].isEnabled()


@pytest.mark.parametrize("name", ["layers", "concepts"])
def test_empty_perspectives_lead_on(qtbot, window, name) -> None:
    window.show_perspective(name)
    presenter = window.presenters[name]
    assert presenter.widget.currentWidget() is presenter.empty
    assert presenter.empty.button.text() == "Open…"


def test_opening_shows_project_pair_and_results(qtbot, open_window) -> None:
    window = open_window
    assert "scenes.parallax" in window.windowTitle()
    assert settings.listed_projects()[0].name == "scenes.parallax"
    assert window.pair_bar.model_a.currentText() == "Lite0"
    assert entry(window, "model", "Lite0").text(0) == "● Lite0  (A)"
    assert entry(window, "run", 2).text(0).startswith("✓")
    window.show_perspective("layers")
    layers = window.presenters["layers"]
    until(qtbot, lambda: layers.widget.currentWidget() is not layers.empty)
    assert layers.view.data.layers_a[0] == "stem"
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    until(qtbot, lambda: window.pair_bar.class_name.count() == 4)


def test_sample_from_the_menu(qtbot, window, backend, tmp_path) -> None:
    window.commands.open_sample(tmp_path / "sample.parallax")
    until(qtbot, lambda: backend.executed == [1, 2])
    until(qtbot, lambda: session(window).run_layers == 2)


# -- palette, theme, layout --------------------------------------------------------------------
def test_palette_finds_commands_models_and_concepts(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    window.actions_registry["palette"].trigger()
    palette = one(qtbot, CommandPalette)
    palette.edit.setText("concept 2 lite2 mammal")
    assert palette.found()[0].text == "concept 2 of Lite2 · mammal"
    before = window.workspace.focus.detail
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    until(qtbot, lambda: window.workspace.focus.detail is not before)
    detail = window.workspace.focus.detail
    assert (detail.target_model, detail.class_name, detail.concept) == ("Lite2", "mammal", 1)


def test_theme_is_remembered(qtbot, window) -> None:
    window.actions_registry["theme-dark"].trigger()
    assert theme.theme().dark
    assert settings.scheme() == "dark"
    assert window.actions_registry["theme-dark"].isChecked()
    assert not window.actions_registry["theme-system"].isChecked()
    window.actions_registry["theme-light"].trigger()
    assert not theme.theme().dark


def test_layout_is_remembered_and_reset(qtbot, window, backend) -> None:
    window.docks["inspector"].hide()
    window.close()
    until(qtbot, lambda: not window.workspace.running)
    again = MainWindow(Workspace(backend))
    again.show()
    assert not again.docks["inspector"].isVisible()
    again.actions_registry["reset-layout"].trigger()
    assert again.docks["inspector"].isVisible()
    again.close()
    until(qtbot, lambda: not again.workspace.running)


def test_damaged_settings_do_no_harm(qtbot, window) -> None:
    stored = settings.open_settings()
    for key in ("geometry", "state", "recent", "scheme"):
        stored.setValue(key, "rubbish")
    stored.sync()
    assert settings.scheme() == "system"
    assert not any(path.is_file() for path in settings.listed_projects())
    again = MainWindow(Workspace(window.workspace.backend))
    again.show()
    again.close()
    until(qtbot, lambda: not again.workspace.running)


def test_diagnostics_name_versions_and_nothing_private(open_window) -> None:
    open_window.actions_registry["diagnostics"].trigger()
    text = QGuiApplication.clipboard().text()
    assert "PySide6" in text
    assert "torch" in text
    assert "runs: done, done" in text
    assert "Lite0" not in text


def test_every_control_has_an_accessible_name(qtbot, open_window) -> None:
    open_window.docks["jobs"].show()
    unnamed = []
    for part in (
        open_window.pair_bar,
        open_window.navigator,
        open_window.jobs_panel,
        open_window.status_line,
        open_window.inspector,
    ):
        for child in [part, *part.findChildren(QWidget)]:
            inner = child.objectName().startswith("qt_") or child.window() is not open_window
            inner = inner or isinstance(child.parent(), QComboBox)
            named = child.accessibleName() or (isinstance(child, QAbstractButton) and child.text())
            if inner or not isinstance(
                child, (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView)
            ):
                continue
            if "Header" in type(child).__name__ or "CompleterView" in type(child).__name__:
                continue
            if not named:
                unnamed.append(child)
    assert unnamed == []


def test_shortcuts_are_unique(window) -> None:
    keys = [a.shortcut().toString() for a in window.actions_registry.actions()]
    keys += [d.view_action.shortcut().toString() for d in window.docks.values()]
    used = [key for key in keys if key]
    assert len(used) == len(set(used))


# -- end ---------------------------------------------------------------------------------------
def test_closing_while_a_job_runs_asks_and_waits(qtbot, open_window, backend) -> None:
    window = open_window
    backend.gate.clear()
    start_run(qtbot, window, backend)
    assert not window.close()
    question = one(qtbot, Question)
    question.go_back.click()
    assert window.isVisible()
    assert window.workspace.jobs.busy
    assert not window.close()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: not window.isVisible())
    assert not window.workspace.running
    assert window.workspace.project is None


def test_closing_the_project_while_a_job_runs_asks(qtbot, open_window, backend) -> None:
    window = open_window
    backend.gate.clear()
    start_run(qtbot, window, backend)
    window.actions_registry["close"].trigger()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: window.workspace.project is None)
    assert window.perspective == "welcome"
    assert window.isVisible()


def test_the_killed_run_can_be_resumed_after_reopening(qtbot, open_window, backend) -> None:
    window = open_window
    path = window.workspace.project.path
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: window.workspace.run(run) and window.workspace.run(run).units_done == 1)
    window.actions_registry["close"].trigger()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: window.workspace.project is None)
    backend.gate.set()
    window.commands.open_path(str(path))
    until(qtbot, lambda: window.workspace.run(run) is not None)
    assert window.workspace.run(run).state == "cancelled"
    until(qtbot, window.actions_registry["resume"].isEnabled)
    window.actions_registry["resume"].trigger()
    until(qtbot, lambda: window.workspace.run(run).units_done == 3)


def test_nothing_is_left_behind(qtbot, backend, project_file) -> None:
    from PySide6.QtCore import QThread, QTimer

    window = MainWindow(Workspace(backend))
    window.show()
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_concepts is not None)
    window.show_perspective("concepts")
    lanes = window.workspace._lanes()
    threads: list[QThread] = [lane._thread for lane in lanes]
    window.close()
    until(qtbot, lambda: not window.workspace.running)
    assert all(thread.isFinished() for thread in threads)
    window.deleteLater()
    with qtbot.waitSignal(window.destroyed, timeout=WAIT):
        pass
    left = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert left == []
    application = QApplication.instance()
    assert [t for t in application.findChildren(QTimer) if t.isActive()] == []
    assert not project_file.with_name("scenes.parallax-wal").exists()
