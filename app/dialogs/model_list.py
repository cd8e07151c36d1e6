"""Models to be checked, for audits that take any number of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.widgets.roomy_rows import RoomyRows

_NAME_ROLE = Qt.ItemDataRole.UserRole
_ROWS_SHOWN = 5


class ModelList(QWidget):
    """A check box a model; those that cannot be taken are disabled and say why."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setItemDelegate(RoomyRows(self.list))
        self.list.setAccessibleName("Models")
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setUniformItemSizes(True)
        self.summary = QLabel()
        theme.mute(self.summary)
        self.all = _button("All", "Check all models")
        self.none = _button("None", "Check no model")
        row = QHBoxLayout()
        row.addWidget(self.summary, 1)
        row.addWidget(self.all)
        row.addWidget(self.none)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID // 2)
        column.addWidget(self.list)
        column.addLayout(row)
        self.setFocusProxy(self.list)
        self.list.itemChanged.connect(self._on_item)
        self.all.clicked.connect(self._check_all)
        self.none.clicked.connect(self._check_none)

    def show_models(self, models: Sequence[tuple[str, str]], wanted: Collection[str]) -> None:
        """List models: (name, why it cannot be taken or empty).

        :param wanted: those to check; all that can be taken where none of them can.
        """
        able = [name for name, reason in models if not reason]
        chosen = set(wanted).intersection(able) or set(able)
        self.list.blockSignals(True)
        self.list.clear()
        for name, reason in models:
            item = QListWidgetItem(f"{name} ({reason})" if reason else name)
            item.setData(_NAME_ROLE, name)
            item.setToolTip(f"{name}: {reason}" if reason else name)
            flags = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable
            item.setFlags(Qt.ItemFlag.NoItemFlags if reason else flags | Qt.ItemFlag.ItemIsEnabled)
            checked = name in chosen
            item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._summarise()

    def checked(self) -> tuple[str, ...]:
        """The names that are checked, in the order of the list."""
        return tuple(
            item.data(_NAME_ROLE)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        )

    def set_checked(self, names: Collection[str]) -> None:
        """Check these and no others; those that cannot be taken stay as they are."""
        self.list.blockSignals(True)
        for item in self._items():
            if item.flags() & Qt.ItemFlag.ItemIsEnabled:
                wanted = item.data(_NAME_ROLE) in names
                item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self._on_item()

    def sizeHint(self) -> QSize:
        line = self.list.fontMetrics().height() + 6
        rows = min(max(self.list.count(), 2), _ROWS_SHOWN)
        return QSize(240, rows * line + 2 * self.list.frameWidth() + self.all.sizeHint().height())

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    @Slot()
    def _on_item(self) -> None:
        self._summarise()
        self.changed.emit()

    @Slot()
    def _check_all(self) -> None:
        self.set_checked([item.data(_NAME_ROLE) for item in self._items()])

    @Slot()
    def _check_none(self) -> None:
        self.set_checked(())

    def _summarise(self) -> None:
        self.summary.setText(f"{len(self.checked())} of {self.list.count()} checked")


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setAutoDefault(False)
    return button
