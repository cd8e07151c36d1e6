"""The context menu of a grid or a table: its own actions, and what the window offers everywhere."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QAbstractItemView, QMenu

from app.widgets.window_action import add_window_action


class _Opener(QObject):
    """Makes the menu when it is first wanted, with the actions that the view has then."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        self._menu: QMenu | None = None
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._open)

    @Slot(QPoint)
    def _open(self, place: QPoint) -> None:
        if self._menu is None:
            self._menu = QMenu(self._view)
            self._menu.addActions(self._view.actions())
            add_window_action(self._menu, self._view, "record-finding")
        self._menu.popup(self._view.viewport().mapToGlobal(place))


def add_view_menu(view: QAbstractItemView) -> None:
    """Give a grid or a table a context menu, unless what is around it opens one already."""
    if view.contextMenuPolicy() != Qt.ContextMenuPolicy.CustomContextMenu:
        _Opener(view)
