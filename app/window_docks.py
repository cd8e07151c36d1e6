"""The panels around the perspectives: made, placed, listed in the View menu."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QStatusBar, QWidget

_AREAS = Qt.DockWidgetArea


@dataclass(frozen=True)
class Dock:
    """One panel: `key` names it in code, `behind` another one that it shares a place with."""

    key: str
    title: str
    area: Qt.DockWidgetArea
    keys: str  # the shortcut that shows or hides it
    width: int = 0
    height: int = 0
    least_width: int = 0
    shown: bool = True
    behind: str = ""


DOCKS = (
    Dock("navigator", "Project", _AREAS.LeftDockWidgetArea, "F9", width=220, least_width=150),
    Dock("inspector", "Inspector", _AREAS.RightDockWidgetArea, "F10", width=240, least_width=210),
    Dock(
        "findings",
        "Findings",
        _AREAS.RightDockWidgetArea,
        "F8",
        width=240,
        least_width=210,
        behind="inspector",
    ),
    Dock("jobs", "Jobs", _AREAS.BottomDockWidgetArea, "Ctrl+J", height=200, shown=False),
)


class Panel(QDockWidget):
    """A panel whose action brings it to the front, and hides it only when it is there."""

    def __init__(self, title: str, window: QMainWindow) -> None:
        super().__init__(title, window)
        self._seen = False
        self.view_action = QAction(f"Panel: {title}", self)
        self.view_action.setCheckable(True)
        self.view_action.triggered.connect(self.toggle)
        self.visibilityChanged.connect(self._on_seen)

    @Slot()
    def toggle(self) -> None:
        """Show the panel in front of those behind which it stands, or hide it."""
        if self._seen:
            self.hide()
        else:
            self.show()
            self.raise_()

    @Slot(bool)
    def _on_seen(self, seen: bool) -> None:
        self._seen = seen
        self.view_action.setChecked(seen)


def build_docks(window: QMainWindow, widgets: dict[str, QWidget]) -> dict[str, Panel]:
    """Put each panel of `DOCKS` (its widget by key) where it stands at first."""
    docks: dict[str, Panel] = {}
    for dock in DOCKS:
        widget = widgets[dock.key]
        made = Panel(dock.title, window)
        made.setObjectName(f"dock {dock.title}")
        made.setAccessibleName(f"Panel {dock.title}")
        made.setWidget(widget)
        if dock.least_width:
            widget.setMinimumWidth(dock.least_width)
        window.addDockWidget(dock.area, made)
        if dock.behind:
            window.tabifyDockWidget(docks[dock.behind], made)
            docks[dock.behind].raise_()
        made.setVisible(dock.shown)
        docks[dock.key] = made
    window.setCorner(Qt.Corner.BottomLeftCorner, _AREAS.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, _AREAS.RightDockWidgetArea)
    wide = [dock for dock in DOCKS if dock.width]
    window.resizeDocks(
        [docks[dock.key] for dock in wide],
        [dock.width for dock in wide],
        Qt.Orientation.Horizontal,
    )
    high = [dock for dock in DOCKS if dock.height]
    window.resizeDocks(
        [docks[dock.key] for dock in high], [dock.height for dock in high], Qt.Orientation.Vertical
    )
    return docks


def list_docks(menu: QMenu, docks: dict[str, Panel]) -> None:
    """An entry with its keys for each panel."""
    menu.addSeparator()
    for dock in DOCKS:
        action = docks[dock.key].view_action
        action.setShortcut(QKeySequence(dock.keys))
        menu.addAction(action)


def status_bar(line: QWidget) -> QStatusBar:
    """The bar at the bottom with its one line."""
    bar = QStatusBar()
    bar.setSizeGripEnabled(True)
    bar.setContentsMargins(0, 0, 0, 0)
    bar.addWidget(line, 1)
    return bar
