"""What can be added to a report: texts, findings, and each run's chapter, figures and tables."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.report_composition import Block
from app.theme import GRID, font
from app.views.report_words import OfferedGroup, figure_key
from app.widgets.figure_source import KEY_ROLE, FigureRows

_BLOCK = Qt.ItemDataRole.UserRole
_GROUP = Qt.ItemDataRole.UserRole + 1
_OPEN_AT_FIRST = 3  # groups
_INDENTATION = 14
_PICTURE = (78, 56)


class ReportOffer(QWidget):
    """`added(block)`: Enter, double click or the button. Setters are silent."""

    added = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Find what to add")
        self.filter.setAccessibleName("Find what to add")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFont(font("body"))
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("What can be added to the report")
        self.tree.setHeaderHidden(True)
        self.tree.setFont(font("body"))
        self.pictures = FigureRows(self.tree, _PICTURE)
        self.tree.setItemDelegate(self.pictures)
        self.tree.setIndentation(_INDENTATION)
        self.tree.setDragEnabled(True)
        self.tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.add = QPushButton("Add to the report")
        self.add.setToolTip("Put it behind the part in focus (Enter, double click, or drag it)")
        self.add.setFont(font("small"))
        self.add.setEnabled(False)
        self._groups: tuple[OfferedGroup, ...] = ()
        self._editable = True
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.filter)
        column.addWidget(self.tree, 1)
        column.addWidget(self.add)
        self.filter.textChanged.connect(self._filter)
        self.tree.itemActivated.connect(self._on_activated)
        self.tree.currentItemChanged.connect(self._on_current)
        self.add.clicked.connect(self.add_current)

    def show_offer(self, groups: Sequence[OfferedGroup]) -> None:
        """List what there is; what is unfolded stays so."""
        groups = tuple(groups)
        if groups == self._groups:
            return
        first = not self._groups
        opened = {top.data(0, _GROUP) for top in self._groups_shown() if top.isExpanded()}
        self._groups = groups
        self.tree.clear()
        for place, group in enumerate(groups):
            top = QTreeWidgetItem(self.tree, [group.title])
            top.setToolTip(0, group.title)
            top.setData(0, _GROUP, group.title)
            top.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            for offered in group.entries:
                item = QTreeWidgetItem(top, [offered.title])
                item.setToolTip(0, offered.title)
                item.setData(0, _BLOCK, offered.block)
                item.setData(0, KEY_ROLE, figure_key(offered.block))
            top.setExpanded(place < _OPEN_AT_FIRST if first else group.title in opened)
        self._filter(self.filter.text())

    def set_editable(self, editable: bool) -> None:
        self._editable = editable
        self._on_current()

    @property
    def current(self) -> Block | None:
        """What is in focus."""
        item = self.tree.currentItem()
        return item.data(0, _BLOCK) if item is not None else None

    @Slot()
    def add_current(self) -> None:
        if self._editable and self.current is not None:
            self.added.emit(self.current)

    @Slot()
    def _on_activated(self) -> None:
        self.add_current()

    @Slot()
    def _on_current(self) -> None:
        self.add.setEnabled(self._editable and self.current is not None)

    def _groups_shown(self) -> list[QTreeWidgetItem]:
        return _children(self.tree.invisibleRootItem())

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for top in self._groups_shown():
            group = top.text(0).casefold()
            found = 0
            for child in _children(top):
                shown = all(word in f"{group} {child.text(0).casefold()}" for word in words)
                child.setHidden(not shown)
                found += shown
            top.setHidden(not found)
            if words and found:
                top.setExpanded(True)


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(at) for at in range(item.childCount()))
    return [child for child in found if child is not None]
