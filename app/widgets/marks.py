"""The models' marks as small pictures: a blue circle for A, a vermilion square for B."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.theme import GRID, MODEL_COLOURS, font

_SIDE = 12


@cache
def side_icon(side: str) -> QIcon:
    """The mark of model 'a' or 'b', sharp at every scale in use."""
    icon = QIcon()
    for ratio in (1, 2, 3):
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a selected row must not tint it
            icon.addPixmap(side_pixmap(side, ratio), mode)
    return icon


def side_pixmap(side: str, ratio: float = 1.0) -> QPixmap:
    """The mark of a model as a pixmap of 12 px, with the device pixel ratio given."""
    pixmap = QPixmap(QSize(round(_SIDE * ratio), round(_SIDE * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(QColor(MODEL_COLOURS[side])))
    if side == "a":
        painter.drawEllipse(QRectF(1, 1, 10, 10))
    else:
        painter.drawRect(QRectF(1.5, 1.5, 9, 9))
    painter.end()
    return pixmap


class ModelChip(QWidget):
    """'A ● EfficientNet-Lite0': which model, with its mark; long names are cut in the middle."""

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.side = side
        self._name = ""
        letter = QLabel(side.upper())
        letter.setFont(font("body"))
        letter.setProperty("muted", True)
        self._mark = QLabel()
        self._mark.setPixmap(side_pixmap(side, max(1.0, self.devicePixelRatioF())))
        self.label = QLabel()
        self.label.setFont(font("body", bold=True))
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        for part in (letter, self._mark, self.label):
            layout.addWidget(part)

    def set_name(self, name: str, detail: str = "") -> None:
        """The model's name, and optionally a detail such as its layer, for the tooltip."""
        self._name = name
        metrics = self.label.fontMetrics()
        self.label.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, 240))
        self.setToolTip(f"{name} · {detail}" if detail else name)
        self.setAccessibleName(f"Model {self.side.upper()}: {name}")
