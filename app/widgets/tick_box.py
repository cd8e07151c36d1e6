"""A box to tick whose outline is seen in both schemes."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QCheckBox, QWidget

from app.theme import outlined, theme


class TickBox(QCheckBox):
    """As any other, but not dark on dark."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        theme().changed.connect(self._take_outline)
        self._take_outline()

    @Slot()
    def _take_outline(self) -> None:
        self.setPalette(outlined(QPalette()))
