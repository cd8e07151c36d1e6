"""The parts of a report in their order: dragged, moved by keys, removed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.report_composition import Composition
from app.theme import GRID, font
from app.views.report_words import figure_key
from app.widgets.figure_source import KEY_ROLE, FigureRows

_PICTURE = (56, 40)
ID_ROLE = Qt.ItemDataRole.UserRole
TITLE_PAGE = 0
"""The id of the first row, which cannot be moved."""


class BlockList(QListWidget):
    """`order_changed`: the rows' ids after a drag; `dropped(id)`: something else was dropped, to
    come behind this row."""

    order_changed = Signal(object)
    dropped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Parts of the report, in their order")
        self.setAlternatingRowColors(True)
        self.pictures = FigureRows(self, _PICTURE)
        self.setItemDelegate(self.pictures)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)

    def ids(self) -> tuple[int, ...]:
        return tuple(self.item(row).data(ID_ROLE) for row in range(self.count()))

    def row_of(self, number: int) -> int:
        ids = self.ids()
        return ids.index(number) if number in ids else -1

    def dropEvent(self, event: QDropEvent) -> None:
        """Move the row in hand, or say behind which row something new belongs."""
        target = self._row_at(event)
        if event.source() is not self:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.dropped.emit(self.ids()[max(0, target - 1)] if self.count() else TITLE_PAGE)
            return
        # Whoever listens puts the rows in order: Qt must not take the dragged row away as well.
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        ids, moved = list(self.ids()), self.currentRow()
        if moved > 0:
            number = ids.pop(moved)
            ids.insert(max(1, target - (target > moved)), number)
            self.order_changed.emit(tuple(ids))

    def _row_at(self, event: QDropEvent) -> int:
        """Before which row the pointer is."""
        index = self.indexAt(event.position().toPoint())
        if not index.isValid():
            return self.count()
        area = self.visualRect(index)
        return index.row() + (event.position().y() > area.center().y())


class ReportBlocks(QWidget):
    """Setters are silent. `block_chosen(id)`: a row is in focus; 0 is the title page."""

    block_chosen = Signal(int)
    order_changed = Signal(object)
    removal_wished = Signal(int)
    edit_wished = Signal()
    dropped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = BlockList()
        self.list.setFont(font("body"))
        self.up = QPushButton("Up")
        self.down = QPushButton("Down")
        self.remove = QPushButton("Remove")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for button, text, keys in (
            (self.up, "Move this part up", "Alt+Up"),
            (self.down, "Move this part down", "Alt+Down"),
            (self.remove, "Take this part out of the report", "Del"),
        ):
            button.setToolTip(f"{text} ({keys})")
            button.setAccessibleName(text)
            button.setFont(font("small"))
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.list.currentItemChanged.connect(self._on_current)
        self.list.itemActivated.connect(self.edit_wished)
        self.list.order_changed.connect(self.order_changed)
        self.list.dropped.connect(self.dropped)
        self.up.clicked.connect(self.move_up)
        self.down.clicked.connect(self.move_down)
        self.remove.clicked.connect(self.remove_current)
        for key, slot in (
            ("Alt+Up", self.move_up),
            ("Alt+Down", self.move_down),
            ("Del", self.remove_current),
        ):
            shortcut = QShortcut(QKeySequence(key), self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)
        self._enable()

    @property
    def current(self) -> int:
        """The id of the row in focus; 0 for the title page."""
        item = self.list.currentItem()
        return int(item.data(ID_ROLE)) if item is not None else TITLE_PAGE

    def show_composition(
        self, composition: Composition, titles: Mapping[int, str], focus: int | None = None
    ) -> None:
        """List the parts; the focus stays, or goes to `focus`."""
        wanted = self.current if focus is None else focus
        row_before = self.list.currentRow()
        rows = [(TITLE_PAGE, "Title page")]
        rows += [(block.id, titles[block.id]) for block in composition.blocks]
        keys = {block.id: figure_key(block) for block in composition.blocks}
        with QSignalBlocker(self.list):
            if [number for number, _ in rows] != list(self.list.ids()):
                self.list.clear()
                for number, _ in rows:
                    item = QListWidgetItem(self.list)
                    item.setData(ID_ROLE, number)
                    if number == TITLE_PAGE:
                        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDragEnabled)
            for row, (number, title) in enumerate(rows):
                self.list.item(row).setData(KEY_ROLE, keys.get(number))
                self.list.item(row).setText(title)
                self.list.item(row).setToolTip(title)
            row = self.list.row_of(wanted)
            if row < 0:  # it was removed: the next one
                row = min(max(row_before, 0), self.list.count() - 1)
            self.list.setCurrentRow(row)
        self._enable()

    @Slot()
    def move_up(self) -> None:
        self._move(-1)

    @Slot()
    def move_down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        ids, row = list(self.list.ids()), self.list.currentRow()
        if row > 0 and 0 < row + by < len(ids):
            ids[row], ids[row + by] = ids[row + by], ids[row]
            self.order_changed.emit(tuple(ids))

    @Slot()
    def remove_current(self) -> None:
        if self.current != TITLE_PAGE:
            self.removal_wished.emit(self.current)

    @Slot()
    def _on_current(self) -> None:
        self._enable()
        self.block_chosen.emit(self.current)

    def _enable(self) -> None:
        row, last = self.list.currentRow(), self.list.count() - 1
        self.up.setEnabled(row > 1)
        self.down.setEnabled(0 < row < last)
        self.remove.setEnabled(row > 0)
