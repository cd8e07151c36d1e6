"""Which images are shown: all of them, or a slice; and what that means for what is seen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QWidget

from analysis.figures.words import count
from app import theme
from app.project_index import SliceEntry
from app.widgets.eliding_combo import ElidingComboBox
from app.widgets.note_line import NoteLine

ALL_IMAGES = "all images"
_NEW = "New slice…"
_TOOLTIP = "Which images are shown: all, or a slice of them"


class SliceControl(QWidget):
    """Shows and changes the slice. Setters are silent; signals are the user's wishes."""

    slice_changed = Signal(object)  # id of a slice, None for all images
    new_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slice: int | None = None
        self._writable = False
        self.caption = QLabel("slice")
        theme.mute(self.caption)
        self.choice = ElidingComboBox(Qt.TextElideMode.ElideRight)
        self.choice.setAccessibleName("Slice of the images")
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.setMinimumContentsLength(6)
        self.choice.setMaximumWidth(260)
        self.choice.setMaxVisibleItems(24)
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID)
        row.addWidget(self.caption)
        row.addWidget(self.choice, 1)
        self.choice.activated.connect(self._on_chosen)
        self.set_slices((), False)

    def set_slices(self, entries: Sequence[SliceEntry], writable: bool) -> None:
        """List the slices; new ones can be made where the project can be written to."""
        self._writable = writable
        with QSignalBlocker(self.choice):
            self.choice.clear()
            self.choice.addItem(ALL_IMAGES, None)
            for one in entries:
                self.choice.addItem(f"{one.name} ({one.images:,})", one.id)
            if writable:
                self.choice.insertSeparator(self.choice.count())
                self.choice.addItem(_NEW, _NEW)
        self.choice.setEnabled(bool(entries) or writable)
        self.set_slice(self._slice)

    def set_slice(self, number: int | None) -> None:
        """Show which slice is in use."""
        self._slice = number
        with QSignalBlocker(self.choice):
            self.choice.setCurrentIndex(max(0, self.choice.findData(number) if number else 0))
        self.choice.setToolTip(f"{_TOOLTIP}: {self.choice.currentText()}")

    @Slot(int)
    def _on_chosen(self, place: int) -> None:
        chosen = self.choice.itemData(place)
        self.set_slice(self._slice)  # the session decides
        if chosen == _NEW:
            self.new_requested.emit()
        else:
            self.slice_changed.emit(chosen)


class SliceNote(NoteLine):
    """Under the bar while a slice is in use: what of the view is of it, and what is of all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("slice note", "◫", "Show all images", parent)

    def show_text(self, name: str, images: int, sentence: str) -> None:
        """Name the slice, and say what it means here."""
        self.say(f"Slice “{name}”, {count(images, 'image')}. {sentence}")
