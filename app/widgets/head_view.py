"""The heads of rows or columns that stay in view: a name, and a line of the second rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QToolTip, QWidget

from app.theme import GRID, font, theme

_LINE = 16


class HeadText(Protocol):
    """What a head says."""

    @property
    def title(self) -> str: ...
    @property
    def second(self) -> str: ...
    @property
    def hint(self) -> str: ...
    @property
    def chance(self) -> bool: ...


class HeadView(QHeaderView):
    """`head_of` gives the text of a section; `is_marked` says whether it stands out."""

    def __init__(
        self,
        orientation: Qt.Orientation,
        head_of: Callable[[int], HeadText | None],
        is_marked: Callable[[int], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(orientation, parent)
        self._head_of, self._is_marked = head_of, is_marked
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setMinimumSectionSize(1)
        self.setMouseTracking(True)
        self.setFont(font("body"))
        if orientation == Qt.Orientation.Horizontal:
            self.setFixedHeight(2 * _LINE + 6)

    def sizeHint(self) -> QSize:
        if self.orientation() == Qt.Orientation.Horizontal:
            return QSize(super().sizeHint().width(), 2 * _LINE + 6)
        return super().sizeHint()

    def paintSection(self, painter: QPainter, area: QRect, section: int) -> None:
        head = self._head_of(section)
        if head is None or not area.isValid():
            return
        marked = self._is_marked(section)
        tokens = theme().tokens
        painter.save()
        painter.fillRect(area, theme().colour("highlight" if marked else "window"))
        painter.setPen(QPen(theme().colour("grid"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topRight(), area.bottomRight())
        down = self.orientation() == Qt.Orientation.Vertical
        lines = 2 if head.second else 1
        top = area.top() + max(3, (area.height() - lines * _LINE) // 2) if down else area.top() + 3
        side = GRID if down else 4
        room = QRect(area.left() + side, top, area.width() - 2 * side, _LINE)
        name = font("body" if down else "small", bold=marked)
        name.setItalic(head.chance)
        painter.setFont(name)
        painter.setPen(theme().colour("highlight_text" if marked else "text"))
        self._line(painter, room, head.title, Qt.TextElideMode.ElideMiddle)
        painter.setFont(font("small"))
        painter.setPen(theme().colour("highlight_text" if marked else "muted"))
        mode = Qt.TextElideMode.ElideLeft if down else Qt.TextElideMode.ElideRight
        self._line(painter, room.translated(0, _LINE), head.second, mode)
        if tokens.dark and marked:
            painter.setPen(QPen(theme().colour("focus"), 1))
            painter.drawLine(area.topLeft(), area.bottomLeft() if down else area.topRight())
        painter.restore()

    def _line(self, painter: QPainter, room: QRect, text: str, mode: Qt.TextElideMode) -> None:
        shown = painter.fontMetrics().elidedText(text, mode, room.width())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, int(flags), shown)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            head = self._head_of(self.logicalIndexAt(event.pos()))
            if head is not None and head.hint:
                QToolTip.showText(event.globalPos(), head.hint, self)
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        over = self._head_of(self.logicalIndexAt(event.position().toPoint())) is not None
        shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
