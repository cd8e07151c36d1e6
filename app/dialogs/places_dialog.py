"""Where a project's images and models lie, and what is not there any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.labels import wrapped_label
from app.widgets.flat_table import flatten
from app.widgets.roomy_rows import RoomyRows

_WORDS = {
    "images": "images",
    "labels": "label planes",
    "concept": "concept",
    "model": "weights",
}
_EXPLANATION = (
    "Every result and small picture is in the project itself. New runs, and pictures at full size,"
    " need the images and models. Images and weights are known by their content: they are found"
    " under other names and in other folders, too."
)
_NOTHING = "This project refers to no image and no file of weights."
_LOOKING = "Looking where they lie …"
_PLACE_ROLE = Qt.ItemDataRole.UserRole


class PlacesDialog(QDialog):
    """Lists places; `find_wished(kind, id)` when one is to be looked for."""

    find_wished = Signal(str, int)

    def __init__(self, writable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("PlacesDialog")
        self.setWindowTitle("Relocate images and models")
        self._writable = writable
        self.explanation = wrapped_label(_EXPLANATION, muted=True)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Where images and models lie")
        self.list.setHeaderLabels(["What", "Name", "Found", "Where it is looked for"])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setItemDelegate(RoomyRows(self.list))
        self.list.setAllColumnsShowFocus(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        flatten(self.list)
        header = self.list.header()
        for column in range(3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.message: QLabel = wrapped_label(_LOOKING)
        self.message.setAccessibleName("What was found")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.find_button = self.buttons.addButton("Find…", QDialogButtonBox.ButtonRole.ActionRole)
        self.find_button.setToolTip("Choose the folder in which to look for what is chosen here")
        self.find_button.setDefault(True)
        column_of_all = QVBoxLayout(self)
        column_of_all.setContentsMargins(*(theme.PADDING,) * 4)
        column_of_all.setSpacing(theme.GRID)
        column_of_all.addWidget(self.explanation)
        column_of_all.addWidget(self.list, 1)
        column_of_all.addWidget(self.message)
        column_of_all.addWidget(self.buttons)
        self.resize(720, 360)
        self.buttons.rejected.connect(self.reject)
        self.find_button.clicked.connect(self._find)
        self.list.itemDoubleClicked.connect(self._find)
        self.list.currentItemChanged.connect(self._on_current)
        self._on_current()

    def show_places(self, places: Sequence[Any]) -> None:
        """List places anew, and choose the first that is not complete, or the one before."""
        chosen = self._current()
        self.list.clear()
        warning = QColor(theme.theme().tokens.warning_text)
        items = []
        in_front: QTreeWidgetItem | None = None
        for place in places:
            texts = [_WORDS[place.kind], place.name, found_words(place), str(place.path)]
            item = QTreeWidgetItem(texts)
            item.setData(0, _PLACE_ROLE, (place.kind, place.id))
            item.setToolTip(3, str(place.path))
            if not place.complete:
                item.setForeground(2, warning)
            items.append(item)
            if (place.kind, place.id) == chosen or (in_front is None and not place.complete):
                in_front = item
        self.list.addTopLevelItems(items)
        if items:
            self.list.setCurrentItem(in_front or items[0])
        if self.message.text() == _LOOKING:
            self.say("" if items else _NOTHING)
        self._on_current()

    def say(self, text: str) -> None:
        """Say how the search goes, or how it went."""
        self.message.setText(text)

    def _current(self) -> tuple[str, int] | None:
        item = self.list.currentItem()
        return item.data(0, _PLACE_ROLE) if item is not None else None

    @Slot()
    def _on_current(self) -> None:
        self.find_button.setEnabled(self._writable and self._current() is not None)

    @Slot()
    def _find(self) -> None:
        chosen = self._current()
        if chosen is not None and self._writable:
            self.find_wished.emit(*chosen)


def found_words(place: Any) -> str:
    """How much of what was looked for is there, in words."""
    if place.complete:
        return "✓ here"
    if not place.there:
        return "✕ not found"
    return f"◐ {place.there:,} of {place.looked_at:,} looked at"
