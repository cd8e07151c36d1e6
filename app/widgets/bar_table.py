"""Bars in rows and columns with their numbers, walked by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from app.theme import GRID, font, theme
from app.widgets.bar_data import BarData
from app.widgets.bar_paint import BarPainter, Layout

_ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_EMPTY = BarData((), ())


@dataclass(frozen=True)
class _Line:
    """One line of the table: a row, or the title of a section."""

    row: int  # −1: a title
    title: str
    top: float


class BarTable(QAbstractScrollArea):
    """Signals carry row ids. Setters are silent.

    `row_focused`: by click or key. `row_activated`: double click or Enter. `row_hovered`: id or
    None. `selection_changed`: frozenset of ids, where rows can be selected.
    """

    row_focused = Signal(object)
    row_activated = Signal(object)
    row_hovered = Signal(object)
    selection_changed = Signal(object)

    def __init__(
        self, name: str = "Bars", parent: QWidget | None = None, selecting: bool = True
    ) -> None:
        super().__init__(parent)
        self.data = _EMPTY
        self.selecting = selecting
        self._lines: list[_Line] = []
        self._focus: Hashable | None = None
        self._hover: Hashable | None = None
        self._selection: frozenset[Hashable] = frozenset()
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.viewport().setMouseTracking(True)
        theme().changed.connect(self.viewport().update)

    # -- data and shared state

    def set_data(self, data: BarData | None) -> None:
        """Show other rows; focus and selection go with their ids."""
        self.data = data or _EMPTY
        self._lines, top, section = [], 0.0, ""
        height = self.row_height()
        for index, row in enumerate(self.data.rows):
            if row.section != section:
                section = row.section
                top += GRID if self._lines else 0.0
                self._lines.append(_Line(-1, section, top))
                top += height
            self._lines.append(_Line(index, "", top))
            top += height
        self._hover = None
        self._set_range()
        self._describe()
        self.viewport().update()

    def set_focus(self, identity: Hashable | None) -> None:
        """Frame a row and bring it into view, without telling anyone."""
        self._focus = identity
        line = self._line_of(identity)
        if line is not None:
            above, below = line.top, line.top + self.row_height() - self._seen_height()
            bar = self.verticalScrollBar()
            bar.setValue(int(min(max(bar.value(), below), above)))
        self._describe()
        self.viewport().update()

    def focus(self) -> Hashable | None:
        """The id of the row in focus."""
        return self._focus

    def set_selection(self, identities: frozenset[Hashable]) -> None:
        """Mark rows without telling anyone."""
        self._selection = frozenset(identities)
        self.viewport().update()

    def set_hover(self, identity: Hashable | None) -> None:
        """Mark the row hovered in another view, without telling anyone."""
        self._hover = identity
        self.viewport().update()

    def row_height(self) -> float:
        """Height of a row, by the font in use."""
        return float(round(QFontMetricsF(font("small")).height() + GRID))

    def row_rectangle(self, identity: Hashable) -> QRectF:
        """Where a row lies in the viewport; empty for an unknown id."""
        line = self._line_of(identity)
        if line is None:
            return QRectF()
        top = self._head() + line.top - self.verticalScrollBar().value()
        return QRectF(0, top, self.viewport().width(), self.row_height())

    def sizeHint(self) -> QSize:
        return QSize(320, round(self._head() + self._content() + 2))

    # -- layout

    def _head(self) -> float:
        return self.row_height() if any(c.title for c in self.data.columns) else 0.0

    def _content(self) -> float:
        return self._lines[-1].top + self.row_height() if self._lines else 0.0

    def _seen_height(self) -> float:
        return max(self.viewport().height() - self._head(), 1.0)

    def _set_range(self) -> None:
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(self._content() - self._seen_height())))
        bar.setPageStep(int(self._seen_height()))
        bar.setSingleStep(int(self.row_height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_range()

    def _line_of(self, identity: Hashable | None) -> _Line | None:
        for line in self._lines:
            if line.row >= 0 and self.data.rows[line.row].id == identity:
                return line
        return None

    def _row_at(self, place: QPoint) -> Hashable | None:
        level = place.y() - self._head()
        if level < 0:
            return None
        level += self.verticalScrollBar().value()
        for line in self._lines:
            if line.row >= 0 and line.top <= level < line.top + self.row_height():
                return self.data.rows[line.row].id
        return None

    # -- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            painter.fillRect(self.viewport().rect(), theme().colour("surface"))
            if self.data.rows:
                self._paint_rows(painter)
            if self.hasFocus():
                painter.setPen(QPen(theme().colour("muted"), 1))
                painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def _paint_rows(self, painter: QPainter) -> None:
        layout = Layout.of(self.data, self.viewport().width())
        paint = BarPainter(painter, self.data, layout)
        head, height = self._head(), self.row_height()
        offset = head - self.verticalScrollBar().value()
        painter.save()
        painter.setClipRect(QRectF(0, head, layout.width, self.viewport().height() - head))
        for line in self._lines:
            area = QRectF(0, offset + line.top, layout.width, height)
            if area.bottom() < head or area.top() > self.viewport().height():
                continue
            if line.row < 0:
                paint.section(area, line.title)
                continue
            identity = self.data.rows[line.row].id
            self._paint_ground(painter, area, identity)
            paint.row(area, line.row, identity in self._selection)
        painter.restore()
        if head:
            paint.head(QRectF(0, 0, layout.width, head))

    def _paint_ground(self, painter: QPainter, area: QRectF, identity: Hashable) -> None:
        if identity in self._selection:
            painter.fillRect(area, theme().colour("highlight"))
        elif identity == self._hover:
            painter.fillRect(area, theme().colour("alternate"))
        if identity == self._focus:
            painter.setPen(QPen(theme().colour("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(0.5, 0.5, -1.5, -0.5))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    # -- by hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        identity = self._row_at(event.position().toPoint())
        adding = bool(event.modifiers() & _ADDING)
        if identity is not None:
            self._take_focus(identity)
        if adding and identity is not None:
            self._select(self._selection ^ {identity})
        elif not adding:
            self._select(frozenset() if identity is None else frozenset({identity}))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        identity = self._row_at(event.position().toPoint())
        if identity is not None:
            self.row_activated.emit(identity)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._tell_hover(self._row_at(event.position().toPoint()), event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._tell_hover(None, None)
        return super().viewportEvent(event)

    def _tell_hover(self, identity: Hashable | None, event: QMouseEvent | None) -> None:
        if identity == self._hover:
            return
        self.set_hover(identity)
        text = self._text_of(identity)
        if event is not None and text:
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
        else:
            QToolTip.hideText()
        self.row_hovered.emit(identity)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ids = [row.id for row in self.data.rows]
        keys, key = Qt.Key, Qt.Key(event.key())
        page = max(1, int(self._seen_height() / self.row_height()) - 1)
        steps = {keys.Key_Down: 1, keys.Key_Up: -1, keys.Key_PageDown: page, keys.Key_PageUp: -page}
        adding = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if ids and key in steps:
            at = ids.index(self._focus) + steps[key] if self._focus in ids else 0
            self._walk(ids[min(max(at, 0), len(ids) - 1)], adding)
        elif ids and key in (keys.Key_Home, keys.Key_End):
            self._walk(ids[0 if key == keys.Key_Home else -1], adding)
        elif key == keys.Key_Space and self._focus in ids:
            self._select(self._selection ^ {self._focus})
        elif key == keys.Key_Escape:
            self._select(frozenset())
        elif key == keys.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._select(frozenset(ids))
        elif key in (keys.Key_Return, keys.Key_Enter) and self._focus in ids:
            self.row_activated.emit(self._focus)
        else:
            super().keyPressEvent(event)

    def _walk(self, identity: Hashable, adding: bool) -> None:
        self._take_focus(identity)
        self._select(self._selection | {identity} if adding else frozenset({identity}))

    def _take_focus(self, identity: Hashable) -> None:
        if identity != self._focus:
            self.set_focus(identity)
            self.row_focused.emit(identity)

    def _select(self, identities: frozenset[Hashable]) -> None:
        if self.selecting and identities != self._selection:
            self.set_selection(identities)
            self.selection_changed.emit(identities)

    def _text_of(self, identity: Hashable | None) -> str:
        if identity is None or self.data.describe is None:
            return ""
        return self.data.describe(identity)

    def _describe(self) -> None:
        there = self._line_of(self._focus) is not None
        self.setAccessibleDescription(self._text_of(self._focus) if there else "")
