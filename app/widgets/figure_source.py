"""Small pictures of figures in the rows of a list, as they come."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import (
    QBuffer,
    QIODevice,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    SignalInstance,
    Slot,
)
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QStyle,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app import theme
from app.findings_delegate import shortened
from app.widgets.image_source import PixmapCache
from app.widgets.roomy_rows import RoomyRows

KEY_ROLE = Qt.ItemDataRole.UserRole + 40
"""Of items that are figures: their `FigureKey`."""

_MARGIN, _INSET = 5, 2
_PAPER, _ON_PAPER = "#ffffff", "#5f5f5f"
_SCALED_BYTES = 8 * 2**20
_LARGEST_TIP = 360
_WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
_WITHIN = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap


@dataclass(frozen=True)
class FigureKey:
    """A figure as it is drawn: of which run (None: the newest), showing what."""

    name: str
    run: int | None = None
    parameters: tuple[tuple[str, Any], ...] = ()

    @staticmethod
    def of(name: str, run: int | None, parameters: Mapping[str, Any]) -> FigureKey:
        return FigureKey(name, run, tuple(sorted(parameters.items())))


class FigureSource(Protocol):
    """Gives small pictures of figures, now or after `changed`."""

    changed: SignalInstance

    def picture(self, key: FigureKey) -> QPixmap | None: ...

    def problem(self, key: FigureKey) -> str:
        """Why there is none; empty while it is being drawn."""
        ...


class FigureRows(RoomyRows):
    """Rows with `KEY_ROLE` show their figure before their text; all others are as usual.

    The pointer over one shows it larger. Without a source the rows are plain.
    """

    def __init__(self, view: QAbstractItemView, box: tuple[int, int]) -> None:
        super().__init__(view)
        self._box = QSize(*box)
        self._source: FigureSource | None = None
        self._scaled = PixmapCache(_SCALED_BYTES)

    def set_source(self, source: FigureSource) -> None:
        """Where pictures come from."""
        self._source = source
        source.changed.connect(self._on_changed)
        view = self.parent()
        if isinstance(view, QAbstractItemView):
            view.scheduleDelayedItemsLayout()

    @Slot()
    def _on_changed(self) -> None:
        view = self.parent()  # not kept: it keeps this
        if isinstance(view, QAbstractItemView):
            view.viewport().update()

    def _key(self, index: QModelIndex | QPersistentModelIndex) -> FigureKey | None:
        key = index.data(KEY_ROLE) if self._source is not None else None
        return key if isinstance(key, FigureKey) else None

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        usual = super().sizeHint(option, index)
        if self._key(index) is None:
            return usual
        return QSize(self._box.width() + 60, self._box.height() + 2 * _MARGIN)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        key = self._key(index)
        if key is None:
            super().paint(painter, option, index)
            return
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        painter.save()
        frame = QRect(option.rect.topLeft() + QPoint(_MARGIN, _MARGIN), self._box)
        self._paint_picture(painter, frame, key)
        words = option.rect.adjusted(self._box.width() + 2 * _MARGIN + 2, 2, -2, -2)
        tokens = theme.theme().tokens
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setFont(theme.font("small"))
        painter.setPen(QColor(tokens.highlight_text if chosen else tokens.text))
        text = shortened(painter, figure_words(index), words)
        painter.drawText(words, int(_WRAPPED), text)
        painter.restore()

    def _paint_picture(self, painter: QPainter, frame: QRect, key: FigureKey) -> None:
        assert self._source is not None
        painter.fillRect(frame, QColor(_PAPER))
        painter.setPen(QPen(QColor(theme.theme().tokens.grid), 1))
        picture, problem = self._source.picture(key), self._source.problem(key)
        if picture is not None and not problem:
            shown = self._fitted(key, picture, painter.device().devicePixelRatioF())
            ratio = shown.devicePixelRatio()
            left = frame.left() + round((frame.width() - shown.width() / ratio) / 2)
            top = frame.top() + round((frame.height() - shown.height() / ratio) / 2)
            painter.drawPixmap(left, top, shown)
        painter.drawRect(frame.adjusted(0, 0, -1, -1))
        if picture is None or problem:
            painter.setFont(theme.font("small"))
            painter.setPen(QColor(_ON_PAPER))
            painter.drawText(frame, int(_WITHIN), "no picture" if problem else "drawing…")

    def _fitted(self, key: FigureKey, picture: QPixmap, ratio: float) -> QPixmap:
        """The picture at the size of its box; made once."""
        place = (picture.cacheKey(), ratio)
        shown = self._scaled.get(place)
        if shown is None:
            room = self._box - QSize(2 * _INSET, 2 * _INSET)
            shown = picture.scaled(
                room * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            shown.setDevicePixelRatio(ratio)
            self._scaled.put(place, shown)
        return shown

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        key = self._key(index)
        if key is None or self._source is None:
            return super().helpEvent(event, view, option, index)
        QToolTip.showText(event.globalPos(), self.tip(index, key), view)
        return True

    def tip(self, index: QModelIndex | QPersistentModelIndex, key: FigureKey) -> str:
        """The whole title, and the figure larger."""
        assert self._source is not None
        title = html.escape(figure_words(index))
        problem, picture = self._source.problem(key), self._source.picture(key)
        if problem:
            return f"<p>{title}</p><p>{html.escape(problem)}</p>"
        if picture is None:
            return f"<p>{title}</p>"
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        size = picture.size().scaled(
            QSize(_LARGEST_TIP, _LARGEST_TIP), Qt.AspectRatioMode.KeepAspectRatio
        )
        picture.save(buffer, "PNG")  # type: ignore[call-overload]
        data = base64.b64encode(bytes(buffer.data().data())).decode()
        return (
            f'<p>{title}</p><p><img src="data:image/png;base64,{data}"'
            f' width="{size.width()}" height="{size.height()}"></p>'
        )


class FigureComboBox(QComboBox):
    """A choice of figures whose list, once it is opened, shows them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waiting: tuple[FigureSource, tuple[int, int]] | None = None

    def set_figures(self, source: FigureSource, box: tuple[int, int]) -> None:
        """Where pictures come from, and the size of their room."""
        self._waiting = (source, box)

    def showPopup(self) -> None:
        if self._waiting is not None:
            (source, box), self._waiting = self._waiting, None
            rows = FigureRows(self.view(), box)
            self.setItemDelegate(rows)
            rows.set_source(source)
        super().showPopup()


def figure_words(index: QModelIndex | QPersistentModelIndex) -> str:
    """The text of a row without the word that its picture says."""
    text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
    return text.removeprefix("Figure: ").removeprefix("Figure · ")
