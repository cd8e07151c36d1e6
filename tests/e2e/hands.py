"""A user's hands: clicks, keys and drops on what is seen, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QDir, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app.actions import plain_text
from app.main_window import MainWindow

WAIT = 20_000
_LEFT = Qt.MouseButton.LeftButton
_Widget = TypeVar("_Widget", bound=QWidget)


class Hands:
    """At work on one window."""

    def __init__(self, qtbot, window: MainWindow) -> None:
        self._qtbot = qtbot
        self.window = window

    # -- looking -------------------------------------------------------------------------------
    def wait(self, condition: Callable[[], object], patience: int = WAIT) -> None:
        """Look until the condition holds."""
        self._qtbot.waitUntil(lambda: bool(condition()), timeout=patience)

    def see(self, kind: type[_Widget]) -> _Widget:
        """The one window of this kind, as soon as it is on the screen."""
        self.wait(lambda: len(_visible(kind)) == 1)
        return _visible(kind)[0]

    def gone(self, kind: type[QWidget]) -> None:
        """Wait until there is no window of this kind any more."""
        self.wait(lambda: not _visible(kind))

    # -- clicking ------------------------------------------------------------------------------
    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click on what is on the screen and enabled."""
        self.wait(lambda: widget.isVisible() and widget.isEnabled())
        QTest.mouseClick(widget, _LEFT, Qt.KeyboardModifier.NoModifier, at or QPoint())

    def press_button(self, text: str, within: QWidget | None = None) -> None:
        """Click the button that says this."""
        place = within or self.window

        def found() -> list[QAbstractButton]:
            buttons = place.findChildren(QAbstractButton)
            return [
                b for b in buttons if b.isVisible() and plain_text(b.text()) == plain_text(text)
            ]

        self.wait(found)
        self.click(found()[0])

    def menu(self, *texts: str) -> None:
        """Open a menu of the bar and choose; each text is what the entry says."""
        bar = self.window.menuBar()
        entry = _entry(bar.actions(), texts[0])
        QTest.mouseClick(bar, _LEFT, pos=bar.actionGeometry(entry).center())
        for text in texts[1:]:
            menu = entry.menu()
            self.wait(menu.isVisible)
            entry = _entry(menu.actions(), text)
            assert entry.isEnabled(), f"“{text}” is not possible"
            if entry.menu() is None:
                QTest.mouseClick(menu, _LEFT, pos=menu.actionGeometry(entry).center())
                return
            while menu.activeAction() is not entry:
                QTest.keyClick(menu, Qt.Key.Key_Down)
            QTest.keyClick(menu, Qt.Key.Key_Right)

    def tab(self, title: str) -> None:
        """Bring a perspective to the front by its tab."""
        tabs = self.window.tabs
        titles = [tabs.tabText(position) for position in range(tabs.count())]
        QTest.mouseClick(tabs, _LEFT, pos=tabs.tabRect(titles.index(title)).center())

    # -- keys ----------------------------------------------------------------------------------
    def key(self, keys: str, widget: QWidget | None = None) -> None:
        """Press keys, as `Ctrl+K`, on a widget or on the window."""
        pressed = QKeySequence(keys)[0]
        target = widget or self.window
        if isinstance(target, QDialog | MainWindow):  # one that has just opened, or is back
            self.wait(partial(_has_keyboard, target))
        QTest.keyClick(target, pressed.key(), pressed.keyboardModifiers())

    def write(self, edit: QLineEdit, text: str) -> None:
        """Write in place of what a line says."""
        self.click(edit)
        self.key("Ctrl+A", edit)
        QTest.keyClicks(edit, text)
        assert edit.text() == text, edit.text()

    def choose(self, box: QComboBox, text: str) -> None:
        """Choose an entry with the arrow keys."""
        self.wait(lambda: box.findText(text) >= 0)
        box.setFocus()
        steps = box.findText(text) - box.currentIndex()
        for _ in range(abs(steps)):
            QTest.keyClick(box, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)
        assert box.currentText() == text

    # -- files ---------------------------------------------------------------------------------
    def choose_file(self, path: Path) -> None:
        """Paste a path into the file dialog that is open."""
        dialog = self.see(QFileDialog)
        # It begins where the last one ended; showing the file's own folder it would write into
        # the line what it finds there.
        dialog.setDirectory(QDir.rootPath())
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        QGuiApplication.clipboard().setText(str(path))  # typed, it would be completed
        self.click(line)
        self.key("Ctrl+A", line)
        self.key("Ctrl+V", line)
        assert line.text(), "the path was not taken"
        assert str(path).endswith(line.text()), line.text()
        self.click(default_button(dialog))
        self.gone(QFileDialog)

    def drop(self, *paths: Path) -> bool:
        """Drop files on the middle of the window; whether it took them."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        place = self.window.rect().center()
        buttons, keys = _LEFT, Qt.KeyboardModifier.NoModifier
        entering = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, buttons, keys)
        QApplication.sendEvent(self.window, entering)
        if not entering.isAccepted():
            return False
        dropping = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, buttons, keys)
        QApplication.sendEvent(self.window, dropping)
        return dropping.isAccepted()


def default_button(dialog: QWidget) -> QPushButton:
    """The button that Enter presses."""
    return next(b for b in dialog.findChildren(QPushButton) if b.isDefault())


def _has_keyboard(window: QWidget) -> bool:
    if not window.isActiveWindow():
        window.activateWindow()
    return window.isActiveWindow()


def _visible(kind: type[_Widget]) -> list[_Widget]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def _entry(actions: Sequence[QAction], text: str) -> QAction:
    wanted = plain_text(text)
    found = [action for action in actions if plain_text(action.text()) == wanted]
    assert found, f"no “{text}” among {[plain_text(a.text()) for a in actions]}"
    return found[0]
