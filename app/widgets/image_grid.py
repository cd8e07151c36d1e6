"""A grid of patches or images: crisp, fast, walked with the arrow keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QBrush,
    QColor,
    QKeyEvent,
    QPainter,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.theme import IMAGE_MAT, font, theme
from app.widgets.image_source import Box, ImageSource, PixmapCache

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
NO_PARENT = QModelIndex()
FRAME = 4  # around each picture: room for its outline and the focus ring
_SMALLEST_FIT = 30
_NEARLY = 0.9  # of the largest size
_SIZES = (48, 56, 64, 72, 80, 96, 112, 128, 160, 192, 256, 384, 512)


@dataclass(frozen=True)
class GridItem:
    """One picture: `box` cuts it from the image; `caption` shows on hover and is read aloud."""

    identity: Hashable
    image: int
    box: Box | None = None
    caption: str = ""
    outline: str | None = None  # colour, #RRGGBB


class GridModel(QAbstractListModel):
    """Items by row, and where each id and each image stands."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: list[GridItem] = []
        self.source: ImageSource | None = None
        self._row_of: dict[Hashable, int] = {}
        self._rows_of_image: dict[int, list[int]] = {}

    def set_items(self, items: Iterable[GridItem]) -> None:
        """Show other items."""
        self.beginResetModel()
        self.items = list(items)
        self._row_of = {item.identity: row for row, item in enumerate(self.items)}
        self._rows_of_image = {}
        for row, item in enumerate(self.items):
            self._rows_of_image.setdefault(item.image, []).append(row)
        self.endResetModel()

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.items):
            return None
        item = self.items[index.row()]
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            return item.caption or None
        if role == Role.UserRole:
            return item.identity
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return base | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemNeverHasChildren

    def mimeTypes(self) -> list[str]:
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files of the dragged images, where the source knows them."""
        data = QMimeData()
        if self.source is not None:
            images = dict.fromkeys(self.items[i.row()].image for i in indexes)
            paths = [p for image in images if (p := self.source.path(image)) is not None]
            data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
        return data

    def row_of(self, identity: Hashable) -> int:
        """The row of an id, −1 when it is not here."""
        return self._row_of.get(identity, -1)

    def rows_of_image(self, image: int) -> list[int]:
        """Rows that show some part of an image."""
        return self._rows_of_image.get(image, [])


class GridDelegate(QStyledItemDelegate):
    """Paints a picture on neutral grey, with its outline; asks the source for what is missing."""

    def __init__(self, grid: ImageGrid, cache: PixmapCache) -> None:
        super().__init__(grid)
        self.cache = cache
        self.answered: set[int] = set()  # images for which the source has said `ready`
        self._grid = grid

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._grid.cell()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item = self._grid.grid_model.items[index.row()]
        size = self._grid.thumbnail_size
        frame = QRect(option.rect.x() + FRAME, option.rect.y() + FRAME, size, size)
        painter.save()
        painter.fillRect(frame, QColor(IMAGE_MAT))
        pixmap = self.pixmap(item)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(fitted(pixmap, frame), pixmap)
        elif item.image in self.answered:
            write_missing(painter, frame)
        self._frame(painter, frame, item, option)
        painter.restore()

    def _frame(
        self, painter: QPainter, frame: QRect, item: GridItem, option: QStyleOptionViewItem
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if item.outline is not None:
            painter.setPen(_pen(item.outline, 2))
            painter.drawRect(frame.adjusted(0, 0, -1, -1))
        state = QStyle.StateFlag
        current = self._grid.currentIndex().row() == self._grid.grid_model.row_of(item.identity)
        if option.state & state.State_Selected or (current and self._grid.hasFocus()):
            painter.setPen(_pen(theme().tokens.focus, 2))
            painter.drawRect(frame.adjusted(-2, -2, 1, 1))
        elif option.state & state.State_MouseOver:
            painter.setPen(_pen(theme().tokens.muted, 1))
            painter.drawRect(frame.adjusted(-2, -2, 1, 1))

    def pixmap(self, item: GridItem) -> QPixmap | None:
        """The picture at the size and pixel density shown, from the cache or the source."""
        source = self._grid.grid_model.source
        if source is None:
            return None
        ratio = self._grid.devicePixelRatioF()
        wanted = round(self._grid.thumbnail_size * ratio)
        key = (item.image, item.box, wanted)
        pixmap = self.cache.get(key)
        if pixmap is None:
            given = source.request(item.image, item.box, wanted)
            if given is None or given.isNull():
                return None
            pixmap = at_most(given, wanted)
            self.cache.put(key, pixmap)
        return pixmap


class ImageGrid(QListView):
    """Pictures in rows. Signals carry the items' ids.

    `item_focused`: the current item changed by hand. `item_activated`: double click, Enter or
    space (which asks for the large view). `item_hovered`: an id, or None.
    With `fit`, the thumbnails take the largest size, up to `largest`, at which all are seen.
    """

    item_focused = Signal(object)
    item_activated = Signal(object)
    item_hovered = Signal(object)

    def __init__(
        self,
        name: str = "Images",
        size: int = 96,
        fit: bool = False,
        parent: QWidget | None = None,
        largest: int = 160,
    ) -> None:
        super().__init__(parent)
        self.thumbnail_size = size
        self._fit, self._largest = fit, largest
        self._quiet = False
        self.grid_model = GridModel(self)
        self.cache = PixmapCache()
        self.grid_delegate = GridDelegate(self, self.cache)
        self.setModel(self.grid_model)
        self.setItemDelegate(self.grid_delegate)
        self.setAccessibleName(name)
        self.setFont(font("small"))
        # A wrapped list, not icon mode: icon mode keeps a position an item and slows with many.
        self.setViewMode(QListView.ViewMode.ListMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setMouseTracking(True)
        self.entered.connect(self._hover)
        self.doubleClicked.connect(self._activate)
        self.selectionModel().currentChanged.connect(self._moved)
        theme().changed.connect(self._restyle)

    # -- content

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        if self.grid_model.source is not None:
            self.grid_model.source.ready.disconnect(self._picture_ready)
        self.grid_model.source = source
        self.cache.clear()
        self.grid_delegate.answered.clear()
        if source is not None:
            source.ready.connect(self._picture_ready)
        self.viewport().update()

    def set_items(self, items: Iterable[GridItem]) -> None:
        """Show other items; the focus goes with its id where the id is still here."""
        focus = self.focus()
        self._quiet = True
        self.grid_model.set_items(items)
        self.set_focus(focus)
        self._quiet = False
        self._choose_size()

    def set_thumbnail_size(self, size: int) -> None:
        """Longer side of the pictures, in pixels at scale 1."""
        if size != self.thumbnail_size:
            self.thumbnail_size = size
            self.setGridSize(self.cell())
            self.scheduleDelayedItemsLayout()

    def cell(self) -> QSize:
        """Room of one picture with its frame."""
        side = self.thumbnail_size + 2 * FRAME
        return QSize(side, side)

    def focus(self) -> Hashable | None:
        """The id of the current item."""
        return self._id(self.currentIndex())

    def set_focus(self, identity: Hashable | None) -> None:
        """Move the current item without telling anyone."""
        row = -1 if identity is None else self.grid_model.row_of(identity)
        if row >= 0 and row == self.currentIndex().row():
            return  # what is selected besides it stays
        quiet, self._quiet = self._quiet, True
        if row < 0:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        else:
            self.setCurrentIndex(self.grid_model.index(row, 0))
            self.scrollTo(self.currentIndex())
        self._quiet = quiet

    def selected(self) -> list[Hashable]:
        """The ids of the selected items, in their order."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        items = self.grid_model.items
        return [items[row].identity for row in rows if row < len(items)]

    def _id(self, index: QModelIndex) -> Hashable | None:
        rows = len(self.grid_model.items)
        return self.grid_model.items[index.row()].identity if 0 <= index.row() < rows else None

    def _picture_ready(self, image: int) -> None:
        rows = self.grid_model.rows_of_image(image)
        if rows:
            self.grid_delegate.answered.add(image)
        for row in rows:
            rectangle = self.visualRect(self.grid_model.index(row, 0))
            if rectangle.intersects(self.viewport().rect()):
                self.viewport().update(rectangle)

    # -- size

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._choose_size()

    def _choose_size(self) -> None:
        if not self._fit or not self.grid_model.items:
            return
        room, count = self.maximumViewportSize(), len(self.grid_model.items)
        # The list keeps room for its scroll bar even where none is shown.
        width = room.width() - self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent) - 1
        largest_of: dict[int, int] = {}  # by the number of rows they would stand in
        for size in range(_SMALLEST_FIT, self._largest + 1, 2):
            side = size + 2 * FRAME
            rows = -(-count // max(1, width // side))
            if rows * side <= room.height():
                largest_of[rows] = size
        best = max(largest_of.values(), default=_SMALLEST_FIT)
        # One row less is worth pictures that are a little smaller.
        close = [(rows, size) for rows, size in largest_of.items() if size >= _NEARLY * best]
        self.set_thumbnail_size(min(close)[1] if close else best)

    def enlarge(self, steps: int) -> None:
        """Larger or smaller thumbnails, by steps of a fixed row of sizes."""
        nearest = min(range(len(_SIZES)), key=lambda i: abs(_SIZES[i] - self.thumbnail_size))
        self.set_thumbnail_size(_SIZES[min(max(nearest + steps, 0), len(_SIZES) - 1)])

    # -- by hand

    def _moved(self, current: QModelIndex, _before: QModelIndex) -> None:
        self.viewport().update()
        if not self._quiet and current.isValid():
            self.item_focused.emit(self._id(current))

    def _activate(self, index: QModelIndex) -> None:
        self.item_activated.emit(self._id(index))

    def _hover(self, index: QModelIndex) -> None:
        self.item_hovered.emit(self._id(index))

    def leaveEvent(self, event: QEvent) -> None:
        self.item_hovered.emit(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        if event.key() in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            if self.currentIndex().isValid():
                self._activate(self.currentIndex())
        elif event.key() in (keys.Key_Plus, keys.Key_Equal) and not self._fit:
            self.enlarge(1)
        elif event.key() == keys.Key_Minus and not self._fit:
            self.enlarge(-1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QEvent) -> None:  # type: ignore[override]
        """The ring has to be seen: the first item becomes current when none is."""
        super().focusInEvent(event)  # type: ignore[arg-type]
        if not self.currentIndex().isValid() and self.grid_model.items:
            self.set_focus(self.grid_model.items[0].identity)
        self.viewport().update()

    def _restyle(self) -> None:
        self.viewport().update()


def _pen(colour: str, width: int) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    return pen


def fitted(pixmap: QPixmap, frame: QRect) -> QRect:
    """The pixmap's place in the frame: whole, centred, its proportions kept."""
    size = QSize(pixmap.width(), pixmap.height()).scaled(
        frame.size(), Qt.AspectRatioMode.KeepAspectRatio
    )
    place = QRect(frame.topLeft(), size)
    place.moveCenter(frame.center())
    return place


def at_most(pixmap: QPixmap, side: int) -> QPixmap:
    """Scaled once when it comes, so that painting is a plain copy of pixels."""
    if max(pixmap.width(), pixmap.height()) == side:
        return pixmap
    return pixmap.scaled(
        QSize(side, side),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def write_missing(painter: QPainter, frame: QRect) -> None:
    """Say in the picture's place that there is none to be had."""
    painter.fillRect(frame, QBrush(QColor("#666666"), Qt.BrushStyle.BDiagPattern))
    painter.setPen(QColor("#FFFFFF"))
    painter.setFont(font("small"))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(frame, int(flags), "no image")
