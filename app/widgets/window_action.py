"""Actions of the window in the menus of its parts."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget


class _Adder(QObject):
    def __init__(self, menu: QMenu, widget: QWidget, name: str) -> None:
        super().__init__(menu)
        self._menu, self._widget, self._name = menu, widget, name
        menu.aboutToShow.connect(self._add)

    @Slot()
    def _add(self) -> None:
        action = self._widget.window().findChild(QAction, self._name)
        if action is not None and action not in self._menu.actions():
            self._menu.addSeparator()
            self._menu.addAction(action)


def add_window_action(menu: QMenu, widget: QWidget, name: str) -> None:
    """Put the window's action of this name at the end of a menu, once there is a window."""
    _Adder(menu, widget, name)
