"""What the window remembers and follows: layouts, recent projects, the system's colours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox, QSplitter

from app import settings, theme
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.shortcuts_dialog import ShortcutsDialog
from app.main_window import MainWindow
from app.workspace import Workspace
from tests.app.steps import one, session, until, visible


def _again(qtbot, window, backend) -> MainWindow:
    """Close the window and start anew."""
    window.close()
    until(qtbot, lambda: not window.isVisible())  # its project is closed with it
    again = MainWindow(Workspace(backend))
    again.show()
    return again


def _end(qtbot, window) -> None:
    window.close()
    until(qtbot, lambda: not window.isVisible())  # its project is closed with it
    window.deleteLater()


# -- layouts -----------------------------------------------------------------------------------
def test_each_perspective_keeps_its_panels(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("layers")
    window.docks["inspector"].hide()
    window.show_perspective("concepts")
    assert window.docks["inspector"].isHidden()  # never arranged: taken over
    window.docks["inspector"].show()
    window.docks["navigator"].hide()
    window.show_perspective("layers")
    assert window.docks["inspector"].isHidden()
    assert not window.docks["navigator"].isHidden()
    window.show_perspective("concepts")
    assert not window.docks["inspector"].isHidden()
    assert window.docks["navigator"].isHidden()


def test_panels_of_perspectives_outlive_the_window(qtbot, open_window, backend) -> None:
    open_window.show_perspective("layers")
    open_window.docks["inspector"].hide()
    open_window.show_perspective("units")
    open_window.docks["inspector"].show()
    open_window.show_perspective("welcome")
    again = _again(qtbot, open_window, backend)
    again.show_perspective("layers")
    assert again.docks["inspector"].isHidden()
    again.show_perspective("units")
    assert not again.docks["inspector"].isHidden()
    _end(qtbot, again)


def test_dividers_are_remembered_even_in_tabs_built_late(qtbot, dissected_window, backend) -> None:
    window = dissected_window
    path = window.workspace.project.path
    window.show_perspective("embedding")
    view = window.presenters["embedding"].view
    until(qtbot, view.tabs.isVisible)
    view.tabs.show_tab("profiles")
    QApplication.processEvents()
    inner = view.tabs.contents["profiles"].findChildren(QSplitter) or [
        view.tabs.contents["profiles"]
    ]
    places = []
    for splitter in (view.splitter, inner[0]):
        handle = splitter.handle(1)
        across = QPoint(-40, 0) if splitter.orientation() == Qt.Orientation.Horizontal else None
        by = across or QPoint(0, -30)
        before = splitter.sizes()
        middle = handle.rect().center()
        qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
        qtbot.mouseMove(handle, middle + by)
        qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=middle + by)
        places.append(splitter.sizes())
        assert places[-1] != before
    again = _again(qtbot, window, backend)
    again.resize(window.size())
    again.commands.open_path(str(path))
    until(qtbot, lambda: session(again).run_embedding is not None)
    again.show_perspective("embedding")
    view = again.presenters["embedding"].view
    until(qtbot, view.tabs.isVisible)
    until(qtbot, lambda: _alike(view.splitter.sizes(), places[0]))
    view.tabs.show_tab("profiles")
    tab = view.tabs.contents["profiles"]
    late = (tab.findChildren(QSplitter) or [tab])[0]
    until(qtbot, lambda: _alike(late.sizes(), places[1]))
    again.actions_registry["reset-layout"].trigger()
    until(qtbot, lambda: not _alike(view.splitter.sizes(), places[0]))
    assert settings.load_dividers() == {}
    _end(qtbot, again)


def _alike(sizes: list[int], wanted: list[int]) -> bool:
    """The same shares of the room, up to the pixels that frames take."""
    return all(
        abs(a / sum(sizes) - b / sum(wanted)) < 0.02 for a, b in zip(sizes, wanted, strict=True)
    )


@pytest.mark.parametrize("value", ["rubbish", '{"a": 3}', '{"a": [1e9]}', "[" * 9999, b"\x00"])
def test_damaged_layouts_do_no_harm(qtbot, window, backend, value) -> None:
    stored = settings.open_settings()
    stored.setValue("dividers", value)
    stored.setValue("recent_summaries", value)
    stored.setValue("panels/layers", value)
    stored.setValue("panels/nowhere", value)
    stored.sync()
    assert settings.load_dividers() == {}
    assert settings.recent_summaries() == {}
    again = MainWindow(Workspace(backend))
    again.show()
    again.show_perspective("layers")
    _end(qtbot, again)


# -- recent projects ---------------------------------------------------------------------------
def test_recent_projects_say_what_they_held_and_which_are_gone(
    qtbot, open_window, tmp_path
) -> None:
    window = open_window
    path = window.workspace.project.path
    settings.add_recent(tmp_path / "gone.parallax", "40 images, 2 models and 1 run.")
    assert "6 images, 3 models and 2 runs" in settings.recent_summaries()[str(path)]
    window.commands.close_project()
    until(qtbot, lambda: window.workspace.project is None)
    page = window.presenters["welcome"].view
    until(qtbot, lambda: page.recent.count() == 2)
    rows = [page.recent.itemWidget(page.recent.item(i)) for i in range(2)]
    assert [row.remove.isVisible() for row in rows] == [True, False]
    page.recent.itemClicked.emit(page.recent.item(0))
    assert window.workspace.project is None
    rows[0].remove.click()
    assert [p.name for p in settings.listed_projects()] == ["scenes.parallax"]
    page.recent.setCurrentRow(0)
    qtbot.keyClick(page.recent, Qt.Key.Key_Return)
    until(qtbot, lambda: window.workspace.project is not None)


def test_delete_takes_a_project_off_the_list_and_leaves_its_file(qtbot, open_window) -> None:
    path = open_window.workspace.project.path
    open_window.commands.close_project()
    page = open_window.presenters["welcome"].view
    until(qtbot, lambda: page.recent.count() == 1)
    page.recent.setCurrentRow(0)
    qtbot.keyClick(page.recent, Qt.Key.Key_Delete)
    assert settings.listed_projects() == []
    assert path.is_file()
    assert not page.recent.isVisible()


def test_recent_menu_greys_what_is_missing(open_window, tmp_path) -> None:
    settings.add_recent(tmp_path / "gone.parallax")
    menu = open_window.recent_menu
    menu.aboutToShow.emit()
    states = {a.text().split()[0]: a.isEnabled() for a in menu.actions() if a.data()}
    assert states == {"gone": False, "scenes": True}
    next(a for a in menu.actions() if "Remove" in a.text()).trigger()
    assert [p.name for p in settings.listed_projects()] == ["scenes.parallax"]


# -- colours -----------------------------------------------------------------------------------
class Desktop:
    """Stands for the desktop, which the offscreen platform lacks; the signal is Qt's own."""

    def __init__(self) -> None:
        self._scheme = Qt.ColorScheme.Light

    def styleHints(self) -> Desktop:
        return self

    def colorScheme(self) -> Qt.ColorScheme:
        return self._scheme

    def change_to(self, scheme: Qt.ColorScheme) -> None:
        self._scheme = scheme
        QGuiApplication.styleHints().colorSchemeChanged.emit(scheme)


def test_colours_follow_the_system_while_it_is_running(window, monkeypatch) -> None:
    system = Desktop()
    theme.apply(QApplication.instance(), settings.scheme())
    monkeypatch.setattr(theme, "QGuiApplication", system)
    window.actions_registry["theme-system"].trigger()
    assert settings.scheme() == "system"
    assert not theme.theme().dark
    system.change_to(Qt.ColorScheme.Dark)
    assert theme.theme().dark
    assert window.palette().window().color().lightness() < 80
    assert theme.DARK.text in window.tabs.styleSheet()
    system.change_to(Qt.ColorScheme.Light)
    assert not theme.theme().dark
    window.actions_registry["theme-light"].trigger()
    system.change_to(Qt.ColorScheme.Dark)
    assert not theme.theme().dark  # always light was chosen


# -- status line -------------------------------------------------------------------------------
def test_status_line_names_device_and_memory(window) -> None:
    line = window.status_line
    assert "CPU" in line.machine.text()
    assert "MB" in line.machine.text() or "GB" in line.machine.text()
    line._accelerator = lambda: (3_000_000_000, 80_000_000_000)
    line.set_device("NVIDIA H100")
    assert line.machine.text().startswith("NVIDIA H100, 3.0 GB of 80.0 GB")


# -- shortcut sheet ----------------------------------------------------------------------------
def test_sheet_has_every_action_and_finds_and_does(qtbot, open_window) -> None:
    window = open_window
    window.actions_registry["shortcuts"].trigger()
    sheet = one(qtbot, ShortcutsDialog)
    listed = {line.action for line in sheet.shown()} - {""}
    assert listed == {d.id for d in window.actions_registry.definitions()}
    sheet.search.setText("ctrl+shift+e")
    assert [line.action for line in sheet.shown()] == ["export-table"]
    qtbot.keyClick(sheet.search, Qt.Key.Key_Return)
    dialog = one(qtbot, ExportDialog)
    assert not visible(ShortcutsDialog)
    dialog.close()


def test_sheet_does_nothing_that_is_not_possible(qtbot, window) -> None:
    window.actions_registry["shortcuts"].trigger()
    sheet = one(qtbot, ShortcutsDialog)
    sheet.search.setText("save a copy")
    assert "not possible" in sheet.hint.text()
    with qtbot.assertNotEmitted(sheet.chosen):
        qtbot.keyClick(sheet.search, Qt.Key.Key_Return)
    assert sheet.isVisible()
    sheet.search.setText("no such words anywhere")
    assert sheet.shown() == ()
    qtbot.keyClick(sheet.search, Qt.Key.Key_Return)
    sheet.search.clear()
    sheet.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    assert "In plots" in copied
    assert "Ctrl+K" in copied
    sheet.close()


# -- dropping ----------------------------------------------------------------------------------
def _drop(window: MainWindow, *urls: QUrl) -> None:
    mime = QMimeData()
    mime.setUrls(list(urls))
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip


def _hostile(folder: Path) -> dict[str, Path]:
    """Paths of the kinds that should do no harm."""
    os.mkfifo(folder / "pipe.csv")
    os.mkfifo(folder / "pipe.parallax")
    (folder / "link.parallax").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    return {
        "pipe": folder / "pipe.csv",
        "project pipe": folder / "pipe.parallax",
        "dangling": folder / "link.parallax",
        "loop": folder / "loop",
        "missing": folder / "gone.png",
        "long": folder / ("x" * 5000 + ".pth"),
        "device": Path("/dev/null"),
    }


@pytest.mark.parametrize(
    "kind", ["pipe", "project pipe", "dangling", "loop", "missing", "long", "device"]
)
def test_hostile_files_are_said_to_be_none(qtbot, open_window, tmp_path, kind) -> None:
    project = open_window.workspace.project
    _drop(open_window, QUrl.fromLocalFile(str(_hostile(tmp_path)[kind])))
    box = one(qtbot, QMessageBox)
    assert "neither a file nor a folder" in box.text()
    assert len(box.text()) < 400
    box.close()
    assert open_window.workspace.project is project


def test_a_folder_named_like_a_project_is_a_folder(qtbot, open_window, tmp_path) -> None:
    from app.dialogs.images_dialog import ImagesDialog

    for name in ("birds.parallax", "birds.csv", "birds.pth"):
        (tmp_path / name).mkdir()
        _drop(open_window, QUrl.fromLocalFile(str(tmp_path / name)))
        dialog = one(qtbot, ImagesDialog)
        assert dialog.source.text() == str(tmp_path / name)
        dialog.close()
        until(qtbot, lambda: not visible(ImagesDialog))


def test_addresses_of_the_network_and_nothing_at_all_are_ignored(open_window) -> None:
    _drop(open_window, QUrl("https://example.org/net.pth"), QUrl("file:"), QUrl())
    _drop(open_window)
    QApplication.processEvents()
    assert [w for w in visible(QMessageBox) if "network" in w.text()] == []
    assert open_window.isVisible()


def test_the_keys_of_a_panel_bring_it_to_the_front_before_they_hide_it(qtbot, open_window) -> None:
    findings, inspector = open_window.docks["findings"], open_window.docks["inspector"]
    inspector.raise_()
    until(qtbot, lambda: not findings.view_action.isChecked())
    findings.view_action.trigger()
    until(qtbot, lambda: findings.view_action.isChecked())
    assert findings.isVisible()
    assert not inspector.view_action.isChecked()
    findings.view_action.trigger()
    until(qtbot, lambda: findings.isHidden())
    findings.view_action.trigger()
    until(qtbot, lambda: findings.view_action.isChecked())
