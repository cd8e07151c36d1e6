"""The sheet of keys: grouped, to be searched, and to do what is found."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.key_sheet import KeyLine, found_lines
from app.labels import wrapped_label
from app.widgets.flat_table import flatten
from app.widgets.roomy_rows import RoomyRows

_ACTION_ROLE = Qt.ItemDataRole.UserRole
_WALKING = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class ShortcutsDialog(QDialog):
    """`chosen(action)`: Enter or a double click on a line that is an action possible now."""

    chosen = Signal(str)

    def __init__(
        self,
        lines: Sequence[KeyLine],
        possible: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self._lines = tuple(lines)
        self._possible = frozenset(possible)
        self.search = QLineEdit()
        self.search.setMaxLength(200)
        self.search.setClearButtonEnabled(True)
        self.search.setPlaceholderText("Find a command or a key")
        self.search.setAccessibleName("Find a command or a key")
        self.sheet = QTreeWidget()
        self.sheet.setItemDelegate(RoomyRows(self.sheet))
        self.sheet.setAccessibleName("Commands and their keys")
        self.sheet.setHeaderLabels(["What it does", "Keys"])
        self.sheet.setRootIsDecorated(False)
        self.sheet.setIndentation(theme.GRID)
        self.sheet.setUniformRowHeights(True)
        self.sheet.setAllColumnsShowFocus(True)
        self.sheet.setExpandsOnDoubleClick(False)
        flatten(self.sheet)
        header = self.sheet.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.hint = wrapped_label(muted=True)
        self.hint.setAccessibleName("What can be done with the chosen line")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = buttons.addButton("Copy all", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setToolTip("Copy the sheet as text, to print it")
        for button in buttons.buttons():
            button.setAutoDefault(False)  # type: ignore[attr-defined]
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.PADDING,) * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self.search)
        column.addWidget(self.sheet, 1)
        column.addWidget(self.hint)
        column.addWidget(buttons)
        self.resize(620, 640)
        buttons.rejected.connect(self.reject)
        self.copy_button.clicked.connect(self.copy_all)
        self.search.textChanged.connect(self._show)
        self.search.returnPressed.connect(self._do_current)
        self.search.installEventFilter(self)
        self.sheet.itemActivated.connect(self._do)
        self.sheet.currentItemChanged.connect(self._say)
        self._show("")
        self.search.setFocus()

    def shown(self) -> tuple[KeyLine, ...]:
        """The lines that the search leaves."""
        return found_lines(self._lines, self.search.text())

    @Slot(str)
    def _show(self, _words: str) -> None:
        self.sheet.clear()
        groups: dict[str, QTreeWidgetItem] = {}
        for line in self.shown():
            if line.group not in groups:
                groups[line.group] = self._add_group(line.group)
            item = QTreeWidgetItem([line.text, line.keys])
            item.setData(0, _ACTION_ROLE, line.action)
            item.setToolTip(0, line.about or line.text)
            if line.action and line.action not in self._possible:
                item.setForeground(0, theme.theme().colour("muted"))
            groups[line.group].addChild(item)
        self.sheet.expandAll()
        first = self.sheet.topLevelItem(0)
        line_found = first.child(0) if first is not None else None
        if line_found is not None and self.search.text().strip():
            self.sheet.setCurrentItem(line_found)
        self._say()

    def _add_group(self, name: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([name])
        item.setFont(0, theme.font("body", bold=True))
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.sheet.addTopLevelItem(item)
        item.setFirstColumnSpanned(True)
        return item

    @Slot()
    def _say(self) -> None:
        item = self.sheet.currentItem()
        action = item.data(0, _ACTION_ROLE) if item is not None else ""
        if not self.sheet.topLevelItemCount():
            self.hint.setText("Nothing has these words or keys.")
        elif action in self._possible:
            self.hint.setText("Enter does what the chosen line says.")
        elif action:
            self.hint.setText("This is not possible now; its menu says what it needs.")
        else:
            self.hint.setText("Type a few letters to find a command or its keys.")

    @Slot()
    def _do_current(self) -> None:
        item = self.sheet.currentItem()
        if item is not None:
            self._do(item)

    @Slot(QTreeWidgetItem)
    def _do(self, item: QTreeWidgetItem) -> None:
        action = item.data(0, _ACTION_ROLE)
        if action in self._possible:
            self.accept()
            self.chosen.emit(action)

    @Slot()
    def copy_all(self) -> None:
        """Put the whole sheet on the clipboard."""
        parts: list[str] = []
        group = ""
        for line in self._lines:
            if line.group != group:
                parts += ["", line.group]
                group = line.group
            if line.keys:
                parts.append(f"  {line.keys:<24}{line.text}")
        QGuiApplication.clipboard().setText("\n".join(parts).strip() + "\n")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that walk through the sheet do so from the search field too."""
        walks = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if walks and Qt.Key(event.key()) in _WALKING:  # type: ignore[attr-defined]
            QGuiApplication.sendEvent(self.sheet, event)
            return True
        return super().eventFilter(watched, event)
