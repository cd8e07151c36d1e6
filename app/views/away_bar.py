"""The line that says that an original image is not at hand, and the way to find it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QToolButton, QWidget

from app.labels import wrapped_label
from app.theme import GRID

_SENTENCE = "The original is not where it was: this is the small picture kept in the project."


class AwayBar(QWidget):
    """`relocate` is the button to listen to; it is below the sentence where room is narrow."""

    def __init__(self, narrow: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        way = QBoxLayout.Direction
        layout = QBoxLayout(way.TopToBottom if narrow else way.LeftToRight, self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        self.sentence = wrapped_label(_SENTENCE, muted=True)
        self.relocate = QToolButton()
        self.relocate.setText("Relocate…")
        self.relocate.setToolTip("See where images and models lie, and find those that were moved")
        self.relocate.setAccessibleName("Relocate images and models")
        self.relocate.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout.addWidget(self.sentence, 0 if narrow else 1)
        layout.addWidget(self.relocate)
