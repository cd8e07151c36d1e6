"""A line above a view that says something about all of it, with a button that does it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app import theme
from app.labels import wrapped_label


class NoteLine(QWidget):
    """A sign, words that wrap, and a button. `requested`: the button was pressed."""

    requested = Signal()

    def __init__(
        self, name: str, sign: str, does: str, parent: QWidget | None = None, spoken: str = ""
    ) -> None:
        """`does`: what stands on the button; `spoken`: what a screen reader says instead."""
        super().__init__(parent)
        self.setObjectName(name)
        self.sign = QLabel(sign)
        self.text = wrapped_label()
        self.text.setFont(theme.font("small"))
        self.button = QToolButton()
        self.button.setText(does)
        self.button.setAccessibleName(spoken or does)
        self.button.setAutoRaise(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING, 0, theme.PADDING, theme.GRID // 2)
        row.setSpacing(theme.GRID)
        row.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.button.clicked.connect(self.requested)

    def say(self, words: str) -> None:
        """Show the words, and tell them to a screen reader."""
        self.text.setText(words)
        self.setAccessibleName(words)
