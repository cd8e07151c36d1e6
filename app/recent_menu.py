"""The menu of projects opened lately."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QMenu, QWidget

from app import settings
from app.dialogs.form import is_file


class RecentMenu(QMenu):
    """Filled when it opens; emits `chosen(path)`."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Open r&ecent", parent)
        self.aboutToShow.connect(self.fill)

    @Slot()
    def fill(self) -> None:
        self.clear()
        lost = []
        for path in settings.listed_projects():
            there = is_file(path)
            action = self.addAction(f"{path.stem}   {path.parent}{'' if there else '   (missing)'}")
            action.setData(str(path))
            action.setEnabled(there)
            action.triggered.connect(self._on_chosen)
            lost += [] if there else [path]
        if self.isEmpty():
            self.addAction("No project yet").setEnabled(False)
        if lost:
            self.addSeparator()
            self.addAction("Remove missing projects").triggered.connect(self._remove_missing)

    @Slot()
    def _remove_missing(self) -> None:
        for path in settings.listed_projects():
            if not is_file(path):
                settings.remove_recent(path)

    @Slot()
    def _on_chosen(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.chosen.emit(sender.data())  # type: ignore[attr-defined]
