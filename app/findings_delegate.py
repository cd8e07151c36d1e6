"""How a finding looks in a list: picture, title, verdict with its sign, severity, tags, place."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app import theme
from app.finding_entries import FindingEntry
from app.finding_words import VERDICT_LOOKS, severity_text, verdict_text

ENTRY_ROLE = Qt.ItemDataRole.UserRole
PLACE_ROLE = Qt.ItemDataRole.UserRole + 1
PICTURE_SIZE = (72, 54)
_MARGIN = 8
_GAP = 4
_HEAD = 26
_MOST_LINES = 2  # of a title

Index = QModelIndex | QPersistentModelIndex


class FindingDelegate(QStyledItemDelegate):
    """`pictures`: small pictures by the ids of findings, as they have come."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.pictures: dict[int, QPixmap] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry = index.data(ENTRY_ROLE)
        if not isinstance(entry, FindingEntry):
            return QSize(120, _HEAD)
        inner = self._width(option) - 2 * _MARGIN
        return QSize(120, self._title_height(entry, inner) + _GAP + PICTURE_SIZE[1] + 2 * _MARGIN)

    def _width(self, option: QStyleOptionViewItem) -> int:
        view = option.widget
        return view.viewport().width() if isinstance(view, QAbstractScrollArea) else 240

    def _title_height(self, entry: FindingEntry, width: int) -> int:
        metrics = QFontMetrics(theme.font("body", bold=True))
        room = QRect(0, 0, max(width, 40), 10_000)
        needed = metrics.boundingRect(room, int(_WRAPPED), entry.title).height()
        most = metrics.boundingRect(room, int(_WRAPPED), "\n".join("x" * _MOST_LINES)).height()
        return min(needed, most)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = index.data(ENTRY_ROLE)
        if not isinstance(entry, FindingEntry):
            super().paint(painter, option, index)
            return
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        painter.save()
        inside = option.rect.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        tokens = theme.theme().tokens
        plain = QColor(tokens.highlight_text if chosen else tokens.text)
        title = QRect(inside)
        title.setHeight(self._title_height(entry, inside.width()))
        painter.setFont(theme.font("body", bold=True))
        painter.setPen(plain)
        painter.drawText(title, int(_WRAPPED), shortened(painter, entry.title, title))
        below = QRect(inside)
        below.setTop(title.bottom() + _GAP)
        width, height = PICTURE_SIZE
        frame = QRect(below.left(), below.top(), width, height)
        self._paint_picture(painter, frame, entry.id)
        beside = QRect(frame.right() + _MARGIN, frame.top(), 0, height)
        beside.setRight(inside.right())
        self._paint_lines(painter, beside, entry, str(index.data(PLACE_ROLE) or ""), chosen)
        painter.setPen(QColor(tokens.grid))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()

    def _paint_picture(self, painter: QPainter, frame: QRect, number: int) -> None:
        picture = self.pictures.get(number)
        if picture is None or picture.isNull():
            painter.fillRect(frame, QColor(theme.IMAGE_MAT))
            return
        size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(frame.left(), frame.top(), size.width(), size.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, picture, picture.rect().toRectF())

    def _paint_lines(
        self, painter: QPainter, area: QRect, entry: FindingEntry, place: str, chosen: bool
    ) -> None:
        tokens = theme.theme().tokens
        plain = QColor(tokens.highlight_text if chosen else tokens.text)
        muted = plain if chosen else QColor(tokens.muted)
        look = VERDICT_LOOKS.get(entry.verdict)
        judged = plain
        if look is not None and not chosen:
            judged = QColor(look.dark if tokens.dark else look.light)
        line = area.height() // 3
        rows = [QRect(area.left(), area.top() + n * line, area.width(), line) for n in range(3)]
        painter.setFont(theme.font("small", bold=True))
        _write(painter, rows[0], verdict_text(entry.verdict), judged)
        painter.setFont(theme.font("small"))
        tags = " ".join(f"#{tag}" for tag in entry.tags)
        _write(painter, rows[1], f"{severity_text(entry.severity)}  {tags}", muted)
        _write(painter, rows[2], place, muted)


_WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


def shortened(painter: QPainter, text: str, area: QRect) -> str:
    """The text, cut at its end where it takes more lines than there are."""
    metrics, room = painter.fontMetrics(), QRect(area.left(), 0, area.width(), 10_000)

    def fits(shown: str) -> bool:
        # Wider than the room: one word that cannot be broken.
        needed = metrics.boundingRect(room, int(_WRAPPED), shown)
        return needed.height() <= area.height() + 1 and needed.width() <= area.width()

    if fits(text):
        return text
    kept = text
    while kept and not fits(f"{kept}…"):
        kept = kept[: int(len(kept) * 0.95)] if len(kept) > 20 else kept[:-1]
    return f"{kept}…"


def _write(painter: QPainter, area: QRect, text: str, colour: QColor) -> None:
    """One line, cut where there is no room."""
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.setPen(colour)
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
