"""The command palette: a few letters find any command, model, class, layer or concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListView, QVBoxLayout, QWidget

from app import theme
from app.widgets.roomy_rows import RoomyRows

_MOST_SHOWN = 200


@dataclass(frozen=True)
class PaletteEntry:
    """One thing that can be found: what it is, its text, and what choosing it means."""

    kind: str  # command, model, class, layer or concept
    text: str
    payload: object
    hint: str = ""

    @cached_property
    def searched(self) -> str:
        """What typed words are looked for in."""
        return f"{self.text} {self.kind}".casefold()


class CommandPalette(QDialog):
    """Emits `chosen(kind, payload)`."""

    chosen = Signal(str, object)

    def __init__(self, entries: Sequence[PaletteEntry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Find")
        self._entries = list(entries)
        self.edit = QLineEdit()
        self.edit.setMaxLength(200)
        self.edit.setPlaceholderText("Find a command, model, class, layer or concept")
        self.edit.setAccessibleName("Find a command, model, class, layer or concept")
        self.list = QListView()
        self.list.setItemDelegate(RoomyRows(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName("Found")
        self._found = _Found()
        self.list.setModel(self._found)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.GRID,) * 4)
        column.addWidget(self.edit)
        column.addWidget(self.list)
        self.resize(560, 380)
        self.edit.textChanged.connect(self._search)
        self.edit.installEventFilter(self)
        self.edit.returnPressed.connect(self._choose_current)
        self.list.activated.connect(self._on_activated)
        self.list.clicked.connect(self._on_activated)
        self._search("")

    def found(self) -> list[PaletteEntry]:
        return self._found.entries

    @Slot(str)
    def _search(self, text: str) -> None:
        self._found.show(find_entries(self._entries, text))
        self.list.setCurrentIndex(self._found.index(0))

    @Slot()
    def _choose_current(self) -> None:
        self._choose(self.list.currentIndex().row())

    @Slot(QModelIndex)
    def _on_activated(self, index: QModelIndex) -> None:
        self._choose(index.row())

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._found.entries):
            entry = self._found.entries[row]
            self.accept()
            self.chosen.emit(entry.kind, entry.payload)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys in the search field walk through the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            step = steps.get(Qt.Key(event.key()))
            if step is not None and self._found.entries:
                row = (self.list.currentIndex().row() + step) % len(self._found.entries)
                self.list.setCurrentIndex(self._found.index(row))
                return True
        return super().eventFilter(watched, event)


class _Found(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[PaletteEntry] = []

    def show(self, entries: list[PaletteEntry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self.entries)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            hint = f"   {entry.hint}" if entry.hint else ""
            return f"{entry.text}   ·  {entry.kind}{hint}"
        return entry.text if role == Qt.ItemDataRole.ToolTipRole else None


def find_entries(entries: Sequence[PaletteEntry], text: str) -> list[PaletteEntry]:
    """Entries in which every word of `text` occurs; those whose words begin with it come first."""
    words = text.casefold().split()
    if not words:
        return list(entries[:_MOST_SHOWN])
    scored = []
    for position, entry in enumerate(entries):
        haystack = entry.searched
        if all(word in haystack for word in words):
            begins = haystack.split()
            inside = sum(not any(part.startswith(word) for part in begins) for word in words)
            whole = sum(word not in begins for word in words)
            scored.append(((inside, whole, haystack.find(words[0]), position), entry))
    return [entry for _score, entry in sorted(scored, key=_score_of)[:_MOST_SHOWN]]


def _score_of(scored: tuple[tuple[int, int, int, int], PaletteEntry]) -> tuple[int, ...]:
    return scored[0]
