"""Paints a unit's card (concept, place, IoU against its null) and its masked pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from analysis.figures.unit_data import UnitDetail, UnitPatch
from analysis.figures.words import NOT_COUNTED, number
from app.theme import GRID, IMAGE_MAT, font, theme
from app.views.unit_words import concept_words, pictureless_words
from app.widgets.category_marks import category_colour, paint_category
from app.widgets.image_grid import FRAME, fitted, write_missing
from app.widgets.masked_pictures import MaskedPicture, MaskedPictures
from app.widgets.score_bar import paint_score

if TYPE_CHECKING:
    from app.views.unit_grid import UnitGrid

Index = QModelIndex | QPersistentModelIndex
_MARK = 11
_LINE = 16
_BAR = 12
CARD_HEIGHT = 3 * _LINE + _BAR + 10


def masked(patch: UnitPatch) -> MaskedPicture:
    """A patch as a picture with its mask."""
    box = (patch.x, patch.y, patch.width, patch.height)
    identity = (patch.patch_id, patch.rank)
    return MaskedPicture(identity, patch.image, patch.frame, patch.mask, box)


class UnitGridDelegate(QStyledItemDelegate):
    """Asks the source for the pictures it lacks; what is waited for stays grey."""

    def __init__(self, grid: UnitGrid) -> None:
        super().__init__(grid)
        self.pictures = MaskedPictures()
        self.answered: set[int] = set()  # images for which the source has said `ready`
        self.mode = "mask"
        self.full = 0.1  # IoU of a full bar
        self._grid = grid

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._grid.columnWidth(index.column()), self._grid.rowHeight(index.row()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        area: QRect = option.rect
        focused = index.row() == self._grid.currentIndex().row()
        if focused:
            painter.fillRect(area, theme().colour("highlight"))
        painter.setPen(QPen(theme().colour("grid"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if index.column() == 0:
            self._paint_card(painter, area, index.row(), focused)
        else:
            self._paint_picture(painter, area, index, option)
        painter.restore()

    # -- the card

    def _paint_card(self, painter: QPainter, area: QRect, row: int, focused: bool) -> None:
        model = self._grid.grid_model
        units = model.index_of_units
        if units is None:
            return
        place = int(model.rows[row])
        table = units.table
        concept, category = str(table.concept[place]), str(table.category[place])
        interpretable = bool(model.interpretable[place])
        tokens = theme().tokens
        left, width = area.left() + GRID, area.width() - 2 * GRID
        top = area.top() + max(4, (area.height() - CARD_HEIGHT) // 2 + 2)
        name = concept_words(concept, category)
        paint_category(painter, QRectF(left, top + 3, _MARK, _MARK), category)
        counted = category not in NOT_COUNTED
        text = tokens.highlight_text if focused else tokens.text
        quiet = tokens.highlight_text if focused else tokens.muted
        painter.setFont(font("body", bold=interpretable))
        painter.setPen(QColor(text if interpretable and counted else quiet))
        self._line(painter, left + _MARK + 6, top, width - _MARK - 6, name)
        painter.setFont(font("small"))
        painter.setPen(QColor(quiet))
        self._line(painter, left, top + _LINE + 1, width, str(table.model[place]))
        unit = f"unit {int(table.unit[place]):,}"
        room = painter.fontMetrics().horizontalAdvance(unit + " · ")
        where = painter.fontMetrics().elidedText(
            str(table.layer[place]), Qt.TextElideMode.ElideLeft, max(20, width - room)
        )
        self._line(painter, left, top + 2 * _LINE, width, f"{unit} · {where}")
        score, null = float(table.iou[place]), float(table.null_iou[place])
        if math.isfinite(score) and counted:
            bar = QRect(left, top + 3 * _LINE + 2, width, _BAR)
            colour = category_colour(category) if interpretable else None
            self._paint_bar(painter, bar, score, null, colour, QColor(text))

    def _line(self, painter: QPainter, left: int, top: int, width: int, text: str) -> None:
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRect(left, top, width, _LINE), int(flags), shown)

    def _paint_bar(
        self,
        painter: QPainter,
        area: QRect,
        score: float,
        null: float,
        colour: QColor | None,
        text: QColor,
    ) -> None:
        painter.setFont(font("small", tabular=True))
        room = painter.fontMetrics().horizontalAdvance("0.000") + 6
        bar = QRectF(area.adjusted(0, 0, -room, 0))
        paint_score(painter, bar, score, null, self.full, colour)
        painter.setPen(text)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(area.adjusted(0, -2, 0, 2), int(flags), number(score, 3))

    # -- the pictures

    def _paint_picture(
        self, painter: QPainter, area: QRect, index: Index, option: QStyleOptionViewItem
    ) -> None:
        model = self._grid.grid_model
        detail = model.detail(model.unit_at(index.row()))
        if detail is not None and not detail.patches:
            self._say(painter, area, index, detail)
            return
        side = self._grid.picture_size
        frame = QRect(0, 0, side, side)
        frame.moveCenter(area.center())
        patch = model.patch(index.row(), index.column())
        if patch is None:
            if detail is None:
                painter.setOpacity(0.35)
                painter.fillRect(frame, QColor(IMAGE_MAT))
            return
        painter.fillRect(frame, QColor(IMAGE_MAT))
        ratio = self._grid.devicePixelRatioF()
        pixmap = self.pictures.pixmap(masked(patch), side, ratio, self.mode)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(fitted(pixmap, frame), pixmap)
        elif patch.image in self.answered:
            write_missing(painter, frame)
        self._paint_ring(painter, frame, index, option)

    def _paint_ring(
        self, painter: QPainter, frame: QRect, index: Index, option: QStyleOptionViewItem
    ) -> None:
        current = self._grid.currentIndex()
        here = (index.row(), index.column()) == (current.row(), current.column())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if here:
            width = 2 if self._grid.hasFocus() else 1
            painter.setPen(QPen(theme().colour("focus"), width))
        elif option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(theme().colour("focus"), 2))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(theme().colour("muted"), 1))
        else:
            return
        painter.drawRect(frame.adjusted(-FRAME // 2, -FRAME // 2, 1, 1))

    def _say(self, painter: QPainter, area: QRect, index: Index, detail: UnitDetail) -> None:
        """Each cell draws its part of one line, so that any of them can be drawn alone."""
        row = self._grid.picture_area(index.row())
        painter.setClipRect(area)
        painter.setFont(font("small"))
        current = index.row() == self._grid.currentIndex().row()
        painter.setPen(theme().colour("highlight_text" if current else "muted"))
        words = pictureless_words(detail)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(row.adjusted(GRID, 0, 0, 0), int(flags), words)
