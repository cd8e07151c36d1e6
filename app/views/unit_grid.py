"""A grid of units: a row a unit, with its concept, its IoU and its most activating images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from analysis.figures.unit_data import UnitDetail
from app.concept_examples import Example
from app.theme import font, theme
from app.views.unit_grid_delegate import CARD_HEIGHT, UnitGridDelegate
from app.views.unit_grid_model import UnitGridModel
from app.views.unit_index import UnitIndex
from app.widgets.flat_table import flatten
from app.widgets.image_grid import FRAME
from app.widgets.image_source import ImageSource

SIZES = (48, 64, 80, 96, 112, 128, 160, 192, 256)
_USUAL_SIZE = 80
_MOST_PICTURES = 10  # before it is known how many a unit has
_ASKED_AFTER = 40  # milliseconds without scrolling before pictures are asked for


class UnitGrid(QTableView):
    """Arrow keys walk through units and their images; Enter or a double click opens an image.

    `unit_focused(unit id)` and `patch_focused(patch id, image)` by hand;
    `patch_activated(patch id, image)`; `units_needed`: ids of units in view, or nearly, of which
    nothing is known yet.
    """

    unit_focused = Signal(object)
    patch_focused = Signal(int, int)
    patch_activated = Signal(int, int)
    units_needed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture_size = _USUAL_SIZE
        self._most_seen = 0  # pictures of a unit
        self._pictureless = False  # units have come, none of them with a picture
        self._quiet = False
        self._asked: tuple[int, ...] = ()
        self.grid_model = UnitGridModel(self)
        self.grid_delegate = UnitGridDelegate(self)
        self.setModel(self.grid_model)
        self.setItemDelegate(self.grid_delegate)
        self.setAccessibleName("Units with their most activating images")
        self._set_up()
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(_ASKED_AFTER)
        self._asking.timeout.connect(self._ask)
        self.doubleClicked.connect(self._activate)
        self.selectionModel().currentChanged.connect(self._moved)
        self.verticalScrollBar().valueChanged.connect(self._ask_soon)
        theme().changed.connect(self._restyle)
        self._fit()

    def _set_up(self) -> None:
        self.setFont(font("body"))
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
        flatten(self)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setTabKeyNavigation(False)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setMouseTracking(True)

    # -- content

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        if self.grid_model.source is not None:
            self.grid_model.source.ready.disconnect(self._picture_ready)
        self.grid_model.source = source
        self.grid_delegate.pictures.set_source(source)
        self.grid_delegate.answered.clear()
        if source is not None:
            source.ready.connect(self._picture_ready)
        self.viewport().update()

    def set_units(
        self, index: UnitIndex | None, interpretable: np.ndarray, full_bar: float
    ) -> None:
        """Show the units of a run; `full_bar` is the IoU of a full bar."""
        self.grid_delegate.full = full_bar
        self.grid_delegate.pictures.cache.clear()
        self._asked, self._most_seen, self._pictureless = (), 0, False
        self._quiet = True
        self.grid_model.set_units(index, interpretable)
        self._quiet = False
        self._fit()

    def set_order(self, rows: np.ndarray, unit: int | None) -> None:
        """Show these places of the unit table in this order, with the focus on a unit."""
        self._quiet = True
        column = max(0, self.currentIndex().column())
        self.grid_model.set_order(rows)
        self._put_focus(unit, column)
        self._quiet = False
        self._ask_soon()

    def set_interpretable(self, interpretable: np.ndarray) -> None:
        """Units that count have changed with the threshold."""
        self.grid_model.interpretable = interpretable
        self.viewport().update()

    def show_details(self, details: Mapping[int, UnitDetail]) -> None:
        """Show what has come to be known of some units."""
        self.grid_model.add_details(details)
        most = max((len(d.patches) for d in details.values()), default=0)
        without = bool(details) and not max(most, self._most_seen)
        if most > self._most_seen or without != self._pictureless:
            self._most_seen, self._pictureless = max(most, self._most_seen), without
            self._fit()
        self.viewport().update()

    def set_mode(self, mode: str) -> None:
        """Show images with their 'mask', with a 'box', or 'plain'."""
        self.grid_delegate.mode = mode
        self.viewport().update()

    def set_focus(self, unit: int | None) -> None:
        """Move the current row without telling anyone."""
        if unit is not None and unit == self.focus():
            return
        self._quiet = True
        self._put_focus(unit, max(0, self.currentIndex().column()))
        self._quiet = False

    def focus(self) -> int | None:
        """The id of the unit in the current row."""
        return self.grid_model.unit_at(self.currentIndex().row())

    def selected(self) -> list[Example]:
        """The images that are selected, row by row."""
        cells = sorted((cell.row(), cell.column()) for cell in self.selectedIndexes())
        patches = [self.grid_model.patch(row, column) for row, column in cells]
        return [
            Example(patch.image, (patch.x, patch.y, patch.width, patch.height))
            for patch in patches
            if patch is not None
        ]

    def _put_focus(self, unit: int | None, column: int) -> None:
        row = self.grid_model.row_of(unit)
        if row < 0:
            self.setCurrentIndex(QModelIndex())
        else:
            place = self.grid_model.index(row, min(column, self.grid_model.columnCount() - 1))
            seen = self.viewport().rect().contains(self.visualRect(place).center())
            self.setCurrentIndex(place)
            hints = QAbstractItemView.ScrollHint
            self.scrollTo(place, hints.EnsureVisible if seen else hints.PositionAtCenter)
        self.viewport().update()

    # -- size

    def enlarge(self, steps: int) -> None:
        """Larger or smaller pictures, by steps of a fixed row of sizes."""
        nearest = min(range(len(SIZES)), key=self._distance)
        self._set_size(SIZES[min(max(nearest + steps, 0), len(SIZES) - 1)])

    def _distance(self, place: int) -> int:
        return abs(SIZES[place] - self.picture_size)

    def show_all(self) -> None:
        """Pictures at their usual size again."""
        self._set_size(_USUAL_SIZE)

    def _set_size(self, size: int) -> None:
        self.picture_size = size
        self._fit()
        self.scrollTo(self.currentIndex())

    def picture_area(self, row: int) -> QRect:
        """Where the pictures of a row lie."""
        top, height = self.rowViewportPosition(row), self.rowHeight(row)
        left = self.columnWidth(0)
        return QRect(left, top, self.viewport().width() - left, height)

    def _fit(self) -> None:
        """As many pictures as fit beside the card."""
        side = self.picture_size + 2 * FRAME
        width = self.viewport().width()
        most = self._most_seen or _MOST_PICTURES
        card = min(240, max(150, width * 3 // 10))
        self.grid_model.set_pictures(max(1, min(most, (width - card) // side)))
        self.setColumnWidth(0, max(card, min(300, width - self.grid_model.pictures * side)))
        for column in range(1, self.grid_model.pictures + 1):
            self.setColumnWidth(column, side)
        self.verticalHeader().setDefaultSectionSize(
            CARD_HEIGHT if self._pictureless else max(side, CARD_HEIGHT)
        )
        self._ask_soon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # -- what is needed

    def visible_rows(self) -> range:
        """Rows of which some part is seen."""
        first = self.rowAt(0)
        if first < 0:
            return range(0)
        last = self.rowAt(self.viewport().height() - 1)
        return range(first, (last if last >= 0 else len(self.grid_model.rows) - 1) + 1)

    def _ask_soon(self) -> None:
        self._asking.start()

    def _ask(self) -> None:
        if not self.isVisible():
            return
        seen = self.visible_rows()
        lacking = self.grid_model.lacking(seen)
        following = range(seen.stop, min(seen.stop + len(seen), len(self.grid_model.rows)))
        wanted = lacking + self.grid_model.lacking(following) if lacking else ()
        if wanted and wanted != self._asked:
            self.units_needed.emit(wanted)
        self._asked = wanted

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask_soon()

    def _picture_ready(self, image: int) -> None:
        for row in self.visible_rows():
            for column in range(1, self.grid_model.pictures + 1):
                patch = self.grid_model.patch(row, column)
                if patch is not None and patch.image == image:
                    self.grid_delegate.answered.add(image)
                    self.viewport().update(self.visualRect(self.grid_model.index(row, column)))

    # -- by hand

    def _moved(self, current: QModelIndex, before: QModelIndex) -> None:
        self.viewport().update()
        if self._quiet or not current.isValid():
            return
        if current.row() != before.row() or not before.isValid():
            self.unit_focused.emit(self.grid_model.unit_at(current.row()))
        patch = self.grid_model.patch(current.row(), current.column())
        if patch is not None:
            self.patch_focused.emit(patch.patch_id, patch.image)

    def _activate(self, index: QModelIndex) -> None:
        """Open the image of a cell; of a unit's card, the first one."""
        patch = self.grid_model.patch(index.row(), max(1, index.column()))
        if patch is not None:
            self.patch_activated.emit(patch.patch_id, patch.image)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        if event.key() in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            self._activate(self.currentIndex())
        elif event.key() in (keys.Key_Plus, keys.Key_Equal):
            self.enlarge(1)
        elif event.key() == keys.Key_Minus:
            self.enlarge(-1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QEvent) -> None:  # type: ignore[override]
        """The ring has to be seen: the first unit becomes current when none is."""
        super().focusInEvent(event)  # type: ignore[arg-type]
        if not self.currentIndex().isValid() and len(self.grid_model.rows):
            self._quiet = True
            self._put_focus(self.grid_model.unit_at(max(0, self.rowAt(0))), 0)
            self._quiet = False
        self.viewport().update()

    def _restyle(self) -> None:
        self.viewport().update()
