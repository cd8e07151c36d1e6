"""The figure as it will be written, on paper."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from app import theme

_MARGIN = 12
_PAPER = "#ffffff"
_TEXT_ON_PAPER = "#4a4a4a"


class FigurePreview(QWidget):
    """A white sheet with the figure, never enlarged beyond its own pixels; or a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Preview of the figure")
        self.setMinimumSize(320, 240)
        self._picture = QPixmap()
        self._text = ""
        self._drawing = False

    def sizeHint(self) -> QSize:
        return QSize(520, 480)

    def show_picture(self, data: bytes) -> None:
        """Show a PNG."""
        picture = QPixmap()
        self._drawing = False
        self._text = "" if picture.loadFromData(data, "PNG") else "The figure cannot be shown."
        self._picture = picture
        self.update()

    def show_text(self, text: str) -> None:
        """Say why there is no figure."""
        self._picture, self._text, self._drawing = QPixmap(), text, False
        self.update()

    def set_drawing(self) -> None:
        """A new picture is under way; the one before stays, pale."""
        self._drawing = True
        self.update()

    @property
    def picture(self) -> QPixmap:
        """What is shown; null while there is none."""
        return self._picture

    @property
    def text(self) -> str:
        return self._text

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(_PAPER))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        inner = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if not self._picture.isNull():
            size = self._picture.size().scaled(inner.size(), Qt.AspectRatioMode.KeepAspectRatio)
            if size.width() > self._picture.width():
                size = self._picture.size()
            left = inner.left() + (inner.width() - size.width()) // 2
            top = inner.top() + (inner.height() - size.height()) // 2
            ratio = self.devicePixelRatioF()
            shown = self._picture.scaled(
                size * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            shown.setDevicePixelRatio(ratio)
            painter.setOpacity(0.4 if self._drawing else 1.0)
            painter.drawPixmap(left, top, shown)
            return
        painter.setPen(QColor(_TEXT_ON_PAPER))
        painter.setFont(theme.font("body"))
        words = self._text or ("Drawing…" if self._drawing else "")
        wrap = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(inner, int(wrap), words)
