"""The list of projects opened lately: what each held, and which are no longer where they were."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import settings, theme
from app.dialogs.form import is_file
from app.labels import ElidedLabel
from app.recent_pictures import forget_picture

_PICTURE = (104, 65)
_PATH_ROLE = Qt.ItemDataRole.UserRole
_THERE_ROLE = Qt.ItemDataRole.UserRole + 1


class RecentList(QListWidget):
    """`chosen(path)`: a click or Enter on a project; Delete takes one off the list."""

    chosen = Signal(str)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Recent projects")
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._except: Path | None = None
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def show_recent(self, without: Path | None = None) -> None:
        """List the projects of the settings, but for the open one."""
        self._except = without
        self.clear()
        summaries = settings.recent_summaries()
        for path in settings.listed_projects():
            if path != without:
                self._add(path, summaries.get(str(path), ""))
        rows = sum(self.sizeHintForRow(row) for row in range(self.count()))
        self.setMaximumHeight(rows + 2 * self.frameWidth() + 2)

    def projects(self) -> tuple[Path, ...]:
        """Those listed."""
        return tuple(Path(self.item(row).data(_PATH_ROLE)) for row in range(self.count()))

    def show_pictures(self, pictures: Mapping[Path, QImage]) -> None:
        """Show what projects looked like when they were closed."""
        for row, path in enumerate(self.projects()):
            shown = self.itemWidget(self.item(row))
            if isinstance(shown, RecentRow) and path in pictures:
                shown.show_picture(pictures[path])

    def _add(self, path: Path, summary: str) -> None:
        there = is_file(path)
        words = summary if there else "This file is no longer there."
        item = QListWidgetItem()
        item.setData(_PATH_ROLE, str(path))
        item.setData(_THERE_ROLE, there)
        item.setToolTip(str(path) if there else f"{path}\nDelete takes it off this list")
        spoken = f"{path.stem}. {words} {path.parent}"
        item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
        row = RecentRow(path, words, there)
        row.remove.clicked.connect(self._on_remove)
        item.setSizeHint(QSize(0, row.sizeHint().height()))
        self.addItem(item)
        self.setItemWidget(item, row)

    def take_off(self, path: Path) -> None:
        """Forget a project; its file, if there is one, stays."""
        settings.remove_recent(path)
        forget_picture(path)
        self.show_recent(self._except)
        self.changed.emit()

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        if item.data(_THERE_ROLE):
            self.chosen.emit(item.data(_PATH_ROLE))

    @Slot()
    def _on_remove(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.take_off(Path(sender.property("path")))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None:
            row = self.currentRow()
            self.take_off(Path(item.data(_PATH_ROLE)))
            self.setCurrentRow(min(row, self.count() - 1))
        else:
            super().keyPressEvent(event)


class RecentRow(QWidget):
    """One project: its name, what it held, where it lies; greyed where it is missing."""

    def __init__(self, path: Path, summary: str, there: bool) -> None:
        super().__init__()
        name = QLabel(path.stem)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setFont(theme.font("body", bold=True))
        name.setMinimumWidth(40)
        folder = ElidedLabel(str(path.parent), Qt.TextElideMode.ElideMiddle)
        about = ElidedLabel(summary)
        for line in (folder, about):
            line.setFont(theme.font("small"))
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.remove = QToolButton()
        self.remove.setText("Remove")
        self.remove.setProperty("path", str(path))
        self.remove.setAccessibleName(f"Remove {path.stem} from the recent projects")
        self.remove.setToolTip("Take it off this list; no file is deleted")
        self.remove.setVisible(not there)
        self.picture = QLabel()
        self.picture.setFixedSize(*_PICTURE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setStyleSheet(f"border: 1px solid {theme.theme().tokens.grid};")
        self.picture.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.picture.setEnabled(there)
        words = QVBoxLayout()
        words.setSpacing(1)
        for label in (name, about, folder):
            label.setEnabled(there)
            words.addWidget(label)
        about.setVisible(bool(summary))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID, 5, theme.GRID, 5)
        row.setSpacing(theme.GRID)
        row.addWidget(self.picture)
        row.addLayout(words, 1)
        row.addWidget(self.remove)

    def show_picture(self, image: QImage) -> None:
        """What the project looked like."""
        ratio = self.devicePixelRatioF()
        ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        room = QSize(_PICTURE[0] - 2, _PICTURE[1] - 2) * ratio
        pixmap = QPixmap.fromImage(image.scaled(room, *ways))
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)
