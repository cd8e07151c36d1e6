"""Rows of lists and trees that a pointer can hit, and whose colours stay when they are selected.

Boxes to tick have an outline in both schemes.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPalette
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.theme import outlined, theme

ROW_HEIGHT = 22
"""Least height of a row, in pixels at scale 1."""
_LIGHTER = 118  # per cent: a colour for text on the dark ground of selected rows


class RoomyRows(QStyledItemDelegate):
    """Rows of at least `ROW_HEIGHT`; text with a colour of its own keeps it when selected."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), ROW_HEIGHT))

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.palette = outlined(option.palette)  # type: ignore[attr-defined]
        own = index.data(Qt.ItemDataRole.ForegroundRole)
        if isinstance(own, QBrush):
            own = own.color()
        if isinstance(own, QColor):
            shown = own.lighter(_LIGHTER) if theme().dark else own
            option.palette.setColor(QPalette.ColorRole.HighlightedText, shown)  # type: ignore[attr-defined]
