"""The concepts a unit may stand for, each with its IoU as a bar."""

from __future__ import annotations

import math

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from analysis.figures.unit_data import UnitCandidate, UnitDetail
from analysis.figures.words import number
from app.theme import GRID, font, theme
from app.widgets.category_marks import category_colour, category_word, paint_category
from app.widgets.score_bar import paint_score

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
NO_PARENT = QModelIndex()
_ROW = 34
_MARK = 11


class CandidateModel(QAbstractListModel):
    """The candidates of one unit, best first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.candidates: tuple[UnitCandidate, ...] = ()
        self.null = math.nan
        self.iou_threshold = 0.0

    def set_unit(self, detail: UnitDetail | None, iou_threshold: float) -> None:
        """Show the candidates of another unit."""
        self.beginResetModel()
        self.candidates = detail.candidates if detail is not None else ()
        self.null = detail.null_iou if detail is not None else math.nan
        self.iou_threshold = iou_threshold
        self.endResetModel()

    def counts(self, candidate: UnitCandidate) -> bool:
        """Whether a candidate is above the threshold, and above chance where it is known."""
        beyond_chance = math.isnan(self.null) or candidate.iou > self.null
        return candidate.iou > self.iou_threshold and beyond_chance

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.candidates)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.candidates):
            return None
        candidate = self.candidates[index.row()]
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            line = f"{candidate.concept} · {category_word(candidate.category)}: "
            line += f"IoU {number(candidate.iou, 3)}"
            return line if self.counts(candidate) else f"{line}, does not count"
        if role == Role.UserRole:
            return candidate.concept
        return None


class CandidateList(QListView):
    """`concept_activated(name)`: double click or Enter asks which units know it."""

    concept_activated = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.candidates = CandidateModel(self)
        self.full = 0.1
        self.setModel(self.candidates)
        self.setItemDelegate(_CandidateDelegate(self))
        self.setAccessibleName("Concepts the unit may stand for")
        self.setToolTip("Double click a concept to see all units that know it")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.doubleClicked.connect(self._activate)
        theme().changed.connect(self._restyle)

    def show_unit(self, detail: UnitDetail | None, iou_threshold: float, full: float) -> None:
        """Show the candidates of a unit; `full` is the IoU of a full bar."""
        self.full = max([full, *(c.iou for c in detail.candidates)]) if detail else full
        self.candidates.set_unit(detail, iou_threshold)

    def _activate(self, index: QModelIndex) -> None:
        concept = self.candidates.data(index, Role.UserRole)
        if isinstance(concept, str):
            self.concept_activated.emit(concept)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._activate(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _restyle(self) -> None:
        self.viewport().update()


class _CandidateDelegate(QStyledItemDelegate):
    def __init__(self, view: CandidateList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = self._view.candidates
        candidate = model.candidates[index.row()]
        counts = model.counts(candidate)
        tokens = theme().tokens
        painter.save()
        area: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected and self._view.hasFocus():
            painter.fillRect(area, QColor(tokens.highlight))
        inner = area.adjusted(2, 2, -GRID, -2)
        paint_category(
            painter, QRectF(inner.left(), inner.top() + 3, _MARK, _MARK), candidate.category
        )
        value = number(candidate.iou, 3)
        painter.setFont(font("small", tabular=True))
        room = painter.fontMetrics().horizontalAdvance(value) + 6
        painter.setPen(QPen(QColor(tokens.text if counts else tokens.muted)))
        flags = Qt.AlignmentFlag.AlignVCenter
        head = QRect(inner.left() + _MARK + 6, inner.top(), inner.width() - _MARK - 6, 17)
        painter.drawText(head, int(flags | Qt.AlignmentFlag.AlignRight), value)
        name = painter.fontMetrics().elidedText(
            candidate.concept, Qt.TextElideMode.ElideRight, max(10, head.width() - room)
        )
        painter.drawText(head, int(flags | Qt.AlignmentFlag.AlignLeft), name)
        bar = QRectF(inner.left(), inner.top() + 18, inner.width(), 11)
        colour = category_colour(candidate.category) if counts else None
        paint_score(painter, bar, candidate.iou, model.null, self._view.full, colour)
        painter.restore()
