"""A divider between two parts: a plain strip that shows itself under the mouse."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle

from app.theme import theme


class Splitter(QSplitter):
    """Parts side by side, or one above the other."""

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)


class _Handle(QSplitterHandle):
    def __init__(self, orientation: Qt.Orientation, parent: QSplitter) -> None:
        super().__init__(orientation, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)  # painted anew as the mouse comes and goes

    def paintEvent(self, event: QPaintEvent) -> None:
        token = "border" if self.underMouse() else "window"
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), theme().colour(token))
