"""Which images are shown: all of them, or a slice; and what that means for what is seen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app import theme
from app.labels import wrapped_label
from app.project_index import SliceEntry
from app.widgets.eliding_combo import ElidingComboBox

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


class SliceNote(QWidget):
    """Under the bar while a slice is in use: what of the view is of it, and what is of all."""

    all_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("slice note")
        self.sign = QLabel("◫")
        self.text = wrapped_label()
        self.text.setFont(theme.font("small"))
        self.button = QToolButton()
        self.button.setText("Show all images")
        self.button.setAccessibleName("Show all images")
        self.button.setAutoRaise(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING, 0, theme.PADDING, theme.GRID // 2)
        row.setSpacing(theme.GRID)
        row.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.button.clicked.connect(self.all_requested)

    def show_text(self, name: str, images: int, sentence: str) -> None:
        """Name the slice, and say what it means here."""
        words = f"Slice “{name}”, {images:,} image{'' if images == 1 else 's'}. {sentence}"
        self.text.setText(words)
        self.setAccessibleName(words)
