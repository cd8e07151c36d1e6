"""Without a mouse: menus by their letters, perspectives by number, plots and grids by arrows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.perspectives import PERSPECTIVES
from tests.e2e.hands import Hands


def test_perspectives_by_number(at_work: Hands) -> None:
    for number, perspective in enumerate(PERSPECTIVES, 1):
        action = at_work.window.actions_registry[f"go-{perspective.id}"]
        assert action.shortcut().toString() == f"Ctrl+{number}"
        at_work.key(f"Ctrl+{number}")
        at_work.wait(lambda p=perspective: at_work.window.perspective == p.id)


def test_the_scatter_is_walked_through_and_the_patches_enlarged(at_work: Hands) -> None:
    window, workspace = at_work.window, at_work.window.workspace
    at_work.wait(lambda: workspace.points is not None)
    view = window.presenters["concepts"].view
    canvas = view.similarity.scatter.canvas
    canvas.setFocus()
    at_work.wait(lambda: workspace.focus.detail is not None)  # one is in focus from the beginning
    visited = set()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left):
        QTest.keyClick(canvas, key)
        visited.add(workspace.session.snapshot.concept)
    assert len(visited) > 1
    assert None not in visited
    grid = view.concept.sets["top"].grid
    at_work.wait(lambda: grid.model().rowCount() > 0)
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Right)
    at_work.wait(lambda: workspace.session.snapshot.patch is not None)
    QTest.keyClick(grid, Qt.Key.Key_Space)
    at_work.wait(lambda: view._dialog is not None and view._dialog.isVisible())
    at_work.key("Esc", view._dialog)
    at_work.wait(lambda: not view._dialog.isVisible())


@pytest.mark.xvfb
def test_menus_by_their_letters(at_work: Hands) -> None:
    """Alt and a letter reach the menu bar only of a window that the system shows."""
    window = at_work.window
    at_work.key("Alt+V")
    at_work.wait(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert menu.actions()[0] is window.actions_registry["palette"]
    QTest.keyClick(menu, Qt.Key.Key_Escape)
    at_work.wait(lambda: QApplication.activePopupWidget() is None)


@pytest.mark.xvfb
def test_tab_reaches_the_pair_bar_the_view_and_the_inspector(at_work: Hands) -> None:
    window = at_work.window
    at_work.wait(lambda: window.workspace.points is not None)
    parts = {
        "navigator": window.navigator,
        "pair bar": window.pair_bar,
        "view": window.presenters["concepts"].widget,
    }
    reached: set[str] = set()
    window.navigator.setFocus()
    for _ in range(120):
        focus = QApplication.focusWidget()
        reached |= {n for n, p in parts.items() if focus is p or p.isAncestorOf(focus)}
        if len(reached) == len(parts):
            break
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert reached == set(parts)
