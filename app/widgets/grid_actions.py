"""What can be done with the selected pictures of a grid, in its context menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractItemView

from app.widgets.view_menu import add_view_menu

SAVE_AS_CONCEPT = "Save as concept…"


def add_grid_action(grid: QAbstractItemView, text: str, function: Callable[[], None]) -> QAction:
    """Offer `function` in the grid's context menu."""
    action = QAction(text, grid)
    action.triggered.connect(function)
    grid.addAction(action)
    add_view_menu(grid)
    return action
