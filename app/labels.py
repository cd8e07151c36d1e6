"""Labels that fit where they are put."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from app.theme import mute

_LONG_NAME = re.compile(r"\S{25,}")
_BREAKS = re.compile(r"[_./-]")


class ElidedLabel(QFrame):
    """One line of plain text, cut with an ellipsis where there is no room; whole in its tooltip."""

    def __init__(
        self,
        text: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def text(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        text = " ".join(text.split())
        if text == self._text:
            return
        self._text = text
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._text), self._line())

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._line())

    def _line(self) -> int:
        return self.fontMetrics().height() + 2

    def paintEvent(self, event: QPaintEvent) -> None:
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self._text, self._mode, area.width())
        # Drawn without the style: its Python object may outlive a change of the style sheet.
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(self.foregroundRole()))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(area, flags, shown)


class WrappedLabel(QLabel):
    """Several lines of plain text; long names break after a dot, a dash or an underscore."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.setText(text)

    def text(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        self._text = text
        super().setText(_LONG_NAME.sub(_breakable, text))


def _breakable(name: re.Match[str]) -> str:
    return _BREAKS.sub("\\g<0>\u200b", name.group())


def wrapped_label(text: str = "", muted: bool = False) -> QLabel:
    """A label of several lines of plain text that can be selected."""
    label = WrappedLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setMinimumWidth(40)
    if muted:
        mute(label)
    return label
