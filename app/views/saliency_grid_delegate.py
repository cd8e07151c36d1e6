"""Paints a cell of the grid: the picture under its map, the class and its score, why none is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from analysis.figures.palette import series_mark
from analysis.figures.saliency_data import Cell, SaliencyMap
from app.theme import IMAGE_MAT, font, theme
from app.views.saliency_words import LETTERS, short_class
from app.widgets.heat_pictures import HeatLook, HeatPicture, HeatPictures
from app.widgets.image_grid import FRAME, fitted

if TYPE_CHECKING:
    from app.views.saliency_grid import SaliencyGrid

Index = QModelIndex | QPersistentModelIndex
CAPTION = 15
"""Height of the line under a picture."""

_BADGE = 15


def heat_picture(found: SaliencyMap, span: tuple[float, float] | None = None) -> HeatPicture:
    """A map as a picture is made from it."""
    return HeatPicture(found.cell, found.cell.image, found.region, found.values, span)


class SaliencyGridDelegate(QStyledItemDelegate):
    """Asks the source for the pictures it lacks; what is waited for stays grey."""

    def __init__(self, grid: SaliencyGrid) -> None:
        super().__init__(grid)
        self.pictures = HeatPictures()
        self.answered: set[int] = set()  # images for which the source has said `ready`
        self.look = HeatLook()
        self._grid = grid

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._grid.cell_size()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        grid = self._grid
        cell = grid.grid_model.cell(index.row(), index.column())
        if cell is None:
            return
        area: QRect = option.rect
        side = grid.picture_size
        frame = QRect(area.left() + FRAME, area.top() + FRAME, side, side)
        painter.save()
        found = grid.grid_model.maps.get(cell)
        if found is not None:
            self._paint_map(painter, frame, found)
            self._paint_caption(painter, frame, short_class(found))
        elif grid.grid_model.has(cell):
            painter.setOpacity(0.35)
            painter.fillRect(frame, QColor(IMAGE_MAT))
            painter.setOpacity(1.0)
        else:
            self._paint_reason(painter, frame, cell)
        self._paint_ring(painter, frame, cell, index, option)
        painter.restore()

    def _paint_map(self, painter: QPainter, frame: QRect, found: SaliencyMap) -> None:
        painter.fillRect(frame, QColor(IMAGE_MAT))
        ratio = self._grid.devicePixelRatioF()
        bare = found.cell.image in self.answered or self.pictures.source is None
        pixmap = self.pictures.pixmap(
            heat_picture(found), frame.width(), ratio, self.look, bare=bare
        )
        if pixmap is not None:
            painter.drawPixmap(fitted(pixmap, frame), pixmap)

    def _paint_caption(self, painter: QPainter, frame: QRect, text: str) -> None:
        if not text:
            return
        painter.setFont(font("small", tabular=True))
        painter.setPen(theme().colour("muted"))
        room = QRect(frame.left(), frame.bottom() + 2, frame.width(), CAPTION)
        name, _, score = text.rpartition(" ")
        metrics = painter.fontMetrics()
        if name:  # the score stays whole; a long class is cut
            rest = room.width() - metrics.horizontalAdvance(" " + score)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rest) + " " + score
        else:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, int(flags), text)

    def _paint_reason(self, painter: QPainter, frame: QRect, cell: Cell) -> None:
        plan = self._grid.grid_model.plan
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(QBrush(theme().colour("grid"), Qt.BrushStyle.BDiagPattern))
        painter.drawRect(frame.adjusted(0, 0, -1, -1))
        if plan is None:
            return
        painter.setFont(font("small"))
        painter.setPen(theme().colour("muted"))
        room = frame.adjusted(5, 5, -5, -5)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        reason = _fitting(painter, plan.places.reason(cell), room, int(flags))
        ground = painter.boundingRect(room, int(flags), reason).adjusted(-3, -1, 3, 1)
        painter.fillRect(
            ground.intersected(frame.adjusted(1, 1, -1, -1)), theme().colour("surface")
        )
        painter.drawText(room, int(flags), reason)

    def _paint_ring(
        self,
        painter: QPainter,
        frame: QRect,
        cell: Cell,
        index: Index,
        option: QStyleOptionViewItem,
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ring = frame.adjusted(-3, -3, 2, 2)
        place = self._grid.place_selected(cell)
        if place is not None:
            colour = QColor(series_mark(place).colour)
            painter.setPen(_pen(colour, 3))
            painter.drawRect(frame.adjusted(-2, -2, 1, 1))
            self._paint_badge(painter, frame, LETTERS[place], colour)
        current = self._grid.currentIndex()
        if (index.row(), index.column()) == (current.row(), current.column()):
            painter.setPen(_pen(theme().colour("focus"), 2 if self._grid.hasFocus() else 1))
            painter.drawRect(ring.adjusted(-1, -1, 1, 1) if place is not None else ring)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(_pen(theme().colour("muted"), 1))
            painter.drawRect(ring)

    def _paint_badge(self, painter: QPainter, frame: QRect, letter: str, colour: QColor) -> None:
        badge = QRect(frame.left(), frame.top(), _BADGE, _BADGE)
        painter.fillRect(badge, colour)
        painter.setFont(font("small", bold=True))
        painter.setPen(ink_on(colour))
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), letter)


def ink_on(colour: QColor) -> QColor:
    """Black or white, whichever reads better on a colour."""
    from app.widgets.colour_maps import contrast

    name = colour.name()
    return QColor(
        "#FFFFFF" if contrast("#FFFFFF", name) >= contrast("#000000", name) else "#000000"
    )


def _pen(colour: QColor, width: int) -> QPen:
    pen = QPen(colour, width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    return pen


def _fitting(painter: QPainter, text: str, room: QRect, flags: int) -> str:
    """As many words of a text as fit, with an ellipsis where some are left out."""
    words = text.split()
    for kept in range(len(words), 0, -1):
        shown = " ".join(words[:kept]) + ("" if kept == len(words) else " …")
        if room.contains(painter.boundingRect(room, flags, shown)):
            return shown
    return "…"
