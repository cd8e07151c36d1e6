"""The panel of findings: what was judged, found again by words, verdict, severity and tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QSignalBlocker, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from analysis.project.findings import SEVERITIES, VERDICTS
from app import theme
from app.finding_entries import GROUPS, ORDERS, FindingEntry, FindingFilter, arrange, tags_of
from app.finding_words import severity_text, verdict_text
from app.findings_delegate import ENTRY_ROLE, PICTURE_SIZE, PLACE_ROLE, FindingDelegate
from app.widgets.empty_state import EmptyState

_EMPTY = (
    "What you judge of what you see: a title, a verdict, a picture, and the way back to the very"
    " same view."
)
_NOTHING_LEFT = "No finding meets the filters."
_MOST_PICTURES = 400  # kept in memory
_ANY = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class FindingsPanel(QWidget):
    """Setters are silent; intents are signals that carry ids of findings.

    `opened(id)`: a click or Enter, bring its view back. `pictures_needed(ids)`: of findings in
    view, which `show_pictures` has not brought yet.
    """

    opened = Signal(int)
    edit_wished = Signal(int)
    remove_wished = Signal(object)  # tuple of ids
    export_wished = Signal()
    record_wished = Signal()
    pictures_needed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[FindingEntry, ...] = ()
        self._places: Mapping[int, str] = {}
        self._views: Mapping[str, str] = {}
        self._writable = False
        self._asked: frozenset[int] = frozenset()
        self._created: dict[int, str] = {}  # of the findings whose pictures are here
        self._make_filters()
        self._make_list()
        self._make_buttons()
        self.empty = EmptyState(_EMPTY, "Record finding…", "record-finding")
        self.nothing = EmptyState(_NOTHING_LEFT, "Show all findings", "show all")
        self.stack = QStackedWidget()
        for part in (self.empty, self.nothing, self.list):
            self.stack.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.GRID,) * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self.filters)
        column.addWidget(self.stack, 1)
        column.addWidget(self.buttons)
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(30)
        self._asking.timeout.connect(self._ask)
        self.empty.action.connect(self.record_wished)
        self.nothing.action.connect(self.clear_filters)
        self.show_findings((), {}, {}, False)

    # -- construction --------------------------------------------------------------------------
    def _make_filters(self) -> None:
        self.words = QLineEdit()
        self.words.setPlaceholderText("Filter by words")
        self.words.setClearButtonEnabled(True)
        self.words.setMaxLength(200)
        self.words.setAccessibleName("Filter findings by words")
        self.verdict = _combo("Verdict shown", "any verdict")
        for one in VERDICTS:
            self.verdict.addItem(verdict_text(one), one)
        self.severity = _combo("Severity shown", "any severity")
        for grade in reversed(SEVERITIES):
            self.severity.addItem(severity_text(grade), grade)
        self.tag = _combo("Tag shown", "any tag")
        self.order = _combo("Order of findings")
        for key, text in ORDERS.items():
            self.order.addItem(text, key)
        self.group = _combo("Groups of findings")
        for key, text in GROUPS.items():
            self.group.addItem(text, key)
        self.filters = QWidget()
        grid = QGridLayout(self.filters)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.GRID // 2)
        grid.addWidget(self.words, 0, 0, 1, 2)
        grid.addWidget(self.verdict, 1, 0)
        grid.addWidget(self.severity, 1, 1)
        grid.addWidget(self.tag, 2, 0)
        grid.addWidget(self.order, 2, 1)
        grid.addWidget(self.group, 3, 0)
        self.words.textChanged.connect(self._arrange)
        for combo in (self.verdict, self.severity, self.tag, self.order, self.group):
            combo.currentIndexChanged.connect(self._arrange)

    def _make_list(self) -> None:
        self.list = FindingList()
        self.delegate = FindingDelegate(self.list)
        self.list.setItemDelegate(self.delegate)
        self.list.itemClicked.connect(self._on_clicked)
        self.list.entered_by_key.connect(self._open_item)
        self.list.itemSelectionChanged.connect(self._enable)
        self.list.customContextMenuRequested.connect(self._open_menu)
        self.list.remove_pressed.connect(self._remove)
        self.list.edit_pressed.connect(self._edit)
        self.list.moved.connect(self._ask_soon)

    def _make_buttons(self) -> None:
        self.record = QPushButton("✎ Record…")
        self.record.setToolTip("Write down what you have found in the view in front")
        self.edit = QPushButton("Edit…")
        self.remove = QPushButton("Remove")
        self.export = QPushButton("Export…")
        self.export.setToolTip("Write all findings as CSV or JSON")
        for button, name in (
            (self.record, "Record a finding"),
            (self.edit, "Edit the finding"),
            (self.remove, "Remove the selected findings"),
            (self.export, "Export the findings as a table"),
        ):
            button.setAccessibleName(name)
        self.buttons = QWidget()
        grid = QGridLayout(self.buttons)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.GRID // 2)
        for place, button in enumerate((self.record, self.edit, self.remove, self.export)):
            grid.addWidget(button, place // 2, place % 2)
        self.record.clicked.connect(self.record_wished)
        self.edit.clicked.connect(self._edit)
        self.remove.clicked.connect(self._remove)
        self.export.clicked.connect(self.export_wished)

    # -- setters -------------------------------------------------------------------------------
    def show_findings(
        self,
        entries: Sequence[FindingEntry],
        places: Mapping[int, str],
        views: Mapping[str, str],
        writable: bool,
    ) -> None:
        """List findings.

        :param places: by id, where a finding was made, in words.
        :param views: titles of the perspectives, by their ids.
        """
        same = tuple(entries) == self._entries and dict(places) == dict(self._places)
        self._writable = writable
        if same and self._views:
            self._enable()
            return
        self._entries, self._places, self._views = tuple(entries), dict(places), dict(views)
        created = {entry.id: entry.created for entry in self._entries}
        for number in [n for n, date in self._created.items() if created.get(n) != date]:
            self.delegate.pictures.pop(number, None)  # an id may come back for another finding
            del self._created[number]
        self._asked = frozenset(self._created)
        with QSignalBlocker(self.tag):
            chosen = self.tag.currentData()
            self.tag.clear()
            self.tag.addItem("any tag", "")
            for tag in tags_of(self._entries):
                self.tag.addItem(tag, tag)
            self.tag.setCurrentIndex(max(0, self.tag.findData(chosen)))
        self._arrange()

    def show_pictures(self, pictures: Mapping[int, QImage]) -> None:
        """Pictures that have come."""
        created = {entry.id: entry.created for entry in self._entries}
        for number, image in pictures.items():
            if number in created:
                self.delegate.pictures[number] = QPixmap.fromImage(image)
                self._created[number] = created[number]
        for number in list(self.delegate.pictures)[:-_MOST_PICTURES]:
            del self.delegate.pictures[number]
            self._created.pop(number, None)
        self._asked = frozenset(self._created)
        self.list.viewport().update()

    def filter(self) -> FindingFilter:
        """What is listed."""
        return FindingFilter(
            self.words.text(),
            self.verdict.currentData() or "",
            self.severity.currentData() or "",
            self.tag.currentData() or "",
            self.order.currentData(),
            self.group.currentData(),
        )

    @Slot()
    def clear_filters(self) -> None:
        """List every finding."""
        self.words.clear()
        for combo in (self.verdict, self.severity, self.tag):
            combo.setCurrentIndex(0)

    def selected(self) -> tuple[int, ...]:
        """The ids of the findings selected, in their order."""
        found = (item.data(0, ENTRY_ROLE) for item in self.list.selectedItems())
        return tuple(dict.fromkeys(entry.id for entry in found if entry is not None))

    # -- listing -------------------------------------------------------------------------------
    @Slot()
    def _arrange(self) -> None:
        chosen = set(self.selected())
        groups = arrange(self._entries, self.filter(), self._views)
        with QSignalBlocker(self.list):
            self.list.clear()
            for title, entries in groups:
                parent: QTreeWidget | QTreeWidgetItem = self.list
                if title:
                    parent = self._group_item(title, len(entries))
                for entry in entries:
                    self._entry_item(parent, entry, entry.id in chosen)
            self.list.expandAll()
        self.filters.setVisible(bool(self._entries))
        shown = self.list if groups else self.nothing if self._entries else self.empty
        self.stack.setCurrentWidget(shown)
        self._enable()
        self._ask_soon()

    def _group_item(self, title: str, amount: int) -> QTreeWidgetItem:
        words = {"verdict": verdict_text, "severity": severity_text}.get(self.filter().group, str)
        item = QTreeWidgetItem([f"{words(title)}  {amount:,}"])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        item.setFont(0, theme.font("small", bold=True))
        self.list.addTopLevelItem(item)
        item.setFirstColumnSpanned(True)
        return item

    def _entry_item(
        self, parent: QTreeWidget | QTreeWidgetItem, entry: FindingEntry, chosen: bool
    ) -> None:
        item = QTreeWidgetItem(parent)
        place = self._places.get(entry.id, "")
        item.setData(0, ENTRY_ROLE, entry)
        item.setData(0, PLACE_ROLE, place)
        said = [entry.title, entry.verdict, f"severity {entry.severity}", *entry.tags, place]
        spoken = ", ".join(part for part in said if part)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, spoken)
        tip = [entry.title, entry.note, spoken if entry.note else "", _date(entry.created)]
        item.setToolTip(0, "\n\n".join(part for part in tip if part))
        item.setSelected(chosen)

    @Slot()
    def _enable(self) -> None:
        chosen = self.selected()
        self.record.setEnabled(self._writable)
        self.empty.button.setEnabled(self._writable)
        self.edit.setEnabled(self._writable and len(chosen) == 1)
        self.remove.setEnabled(self._writable and bool(chosen))
        self.export.setEnabled(bool(self._entries))
        self.buttons.setVisible(bool(self._entries))

    # -- pictures ------------------------------------------------------------------------------
    @Slot()
    def _ask_soon(self) -> None:
        self._asking.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask_soon()

    @Slot()
    def _ask(self) -> None:
        """Ask for the pictures of the findings in view."""
        if not self.isVisible():
            return
        seen = [entry.id for entry in self.list.entries_in_view()]
        lacking = tuple(dict.fromkeys(n for n in seen if n not in self._asked))
        if lacking:
            self._asked |= frozenset(lacking)
            self.pictures_needed.emit(lacking)

    # -- by hand -------------------------------------------------------------------------------
    @Slot(QTreeWidgetItem, int)
    def _on_clicked(self, item: QTreeWidgetItem, _column: int) -> None:
        several = len(self.list.selectedItems()) > 1
        if not several:  # one who selects several does not want to go to each of them
            self._open_item(item)

    @Slot(object)
    def _open_item(self, item: QTreeWidgetItem) -> None:
        entry = item.data(0, ENTRY_ROLE)
        if entry is not None:
            self.opened.emit(entry.id)

    @Slot()
    def _edit(self) -> None:
        chosen = self.selected()
        if self._writable and len(chosen) == 1:
            self.edit_wished.emit(chosen[0])

    @Slot()
    def _remove(self) -> None:
        chosen = self.selected()
        if self._writable and chosen:
            self.remove_wished.emit(chosen)

    def menu(self) -> QMenu:
        """What can be done with the findings selected."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        one = len(self.selected()) == 1
        for text, slot, possible in (
            ("Show its view", self._open_selected, one),
            ("Edit…", self._edit, self._writable and one),
            ("Remove", self._remove, self._writable),
        ):
            action = menu.addAction(text)
            action.triggered.connect(slot)
            action.setEnabled(possible)
        return menu

    @Slot(QPoint)
    def _open_menu(self, place: QPoint) -> None:
        if self.selected():
            self.menu().popup(self.list.viewport().mapToGlobal(place))

    @Slot()
    def _open_selected(self) -> None:
        chosen = self.selected()
        if len(chosen) == 1:
            self.opened.emit(chosen[0])


class FindingList(QTreeWidget):
    """Arrows walk, Enter opens, F2 edits, Delete removes."""

    entered_by_key = Signal(object)  # the item
    edit_pressed = Signal()
    remove_pressed = Signal()
    moved = Signal()  # other rows may be in view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Findings")
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(False)
        self.setIconSize(QSize(*PICTURE_SIZE))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setExpandsOnDoubleClick(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalScrollBar().valueChanged.connect(self.moved)

    def entries_in_view(self) -> list[FindingEntry]:
        """The findings of which something is seen, and one beyond."""
        found: list[FindingEntry] = []
        item = self.itemAt(QPoint(4, 1)) or self.topLevelItem(0)
        bottom = self.viewport().height() + 80
        while item is not None and self.visualItemRect(item).top() < bottom:
            entry = item.data(0, ENTRY_ROLE)
            if entry is not None:
                found.append(entry)
            item = self.itemBelow(item)
        return found

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()  # titles take other lines
        self.moved.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, item = event.key(), self.currentItem()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.entered_by_key.emit(item)
        elif event.matches(QKeySequence.StandardKey.Delete):
            self.remove_pressed.emit()
        elif key == Qt.Key.Key_F2:
            self.edit_pressed.emit()
        else:
            super().keyPressEvent(event)


def _combo(name: str, everything: str = "") -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(_ANY)
    combo.setMinimumContentsLength(8)
    if everything:
        combo.addItem(everything, "")
    return combo


def _date(text: str) -> str:
    return text.replace("T", " ")[:16]
