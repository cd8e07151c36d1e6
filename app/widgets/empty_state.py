"""What an empty view shows: one sentence on what will be here, and the one button to get there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.theme import GRID, font, mute


class EmptyState(QWidget):
    """One sentence and one button; `action` carries the name of what the button asks for."""

    action = Signal(str)

    def __init__(
        self, sentence: str, button: str = "", action: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._action = action
        self.sentence = QLabel(sentence)
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        mute(self.sentence)
        self.sentence.setFont(font("body"))
        self.button = QPushButton()
        self.button.setFont(font("body"))
        self.button.clicked.connect(self._ask)

        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GRID)
        layout.addStretch(2)
        layout.addWidget(self.sentence)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        layout.setContentsMargins(4 * GRID, 0, 4 * GRID, 0)
        self.sentence.setMinimumWidth(40)
        self.set_text(sentence, button, action)

    def set_text(self, sentence: str, button: str = "", action: str = "") -> None:
        """Say something else; without a button's text there is no button."""
        self._action = action
        self.sentence.setText(sentence)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self.setAccessibleName(sentence)

    def _ask(self) -> None:
        self.action.emit(self._action)
