"""The grid of maps: heads that stay, cells asked for as they come into view, walked by keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDrag, QKeyEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTableView, QWidget

from analysis.figures.saliency_data import Cell, SaliencyMap
from app.theme import font, theme
from app.views.saliency_grid_delegate import CAPTION, SaliencyGridDelegate
from app.views.saliency_grid_model import SaliencyGridModel
from app.views.saliency_layout import GridPlan
from app.views.saliency_words import LETTERS
from app.widgets.flat_table import flatten
from app.widgets.head_view import HeadView
from app.widgets.heat_pictures import HeatLook
from app.widgets.image_grid import FRAME
from app.widgets.image_source import ImageSource

SIZES = (48, 64, 80, 96, 112, 128, 160, 192, 256, 320)
MOST_SELECTED = len(LETTERS)
_USUAL_SIZE = 96
_ASKED_AFTER = 40  # milliseconds without scrolling before maps are asked for
_HEAD_WIDTH = 176
_ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class SaliencyGrid(QTableView):
    """Arrow keys walk; with Control they walk without selecting, and space adds or takes away.

    `cell_focused(Cell)` and `selection_changed(tuple of cells, in the order they were chosen)` by
    hand; `cell_activated(Cell)`: Enter or a double click; `maps_wanted`: something may be lacking;
    `row_pressed(row, added)` and `column_pressed(column, added)`: a head.
    """

    cell_focused = Signal(object)
    selection_changed = Signal(object)
    cell_activated = Signal(object)
    maps_wanted = Signal()
    row_pressed = Signal(int, bool)
    column_pressed = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture_size = _USUAL_SIZE
        self._selection: tuple[Cell, ...] = ()
        self._marked: frozenset[object] = frozenset()
        self.grid_model = SaliencyGridModel(self)
        self.grid_delegate = SaliencyGridDelegate(self)
        self.setModel(self.grid_model)
        self.setItemDelegate(self.grid_delegate)
        self.setAccessibleName("Grid of saliency maps")
        self._set_up()
        self._set_up_heads()
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(_ASKED_AFTER)
        self._asking.timeout.connect(self.maps_wanted)
        for bar in (self.verticalScrollBar(), self.horizontalScrollBar()):
            bar.valueChanged.connect(self.ask_soon)
        self.doubleClicked.connect(self._activate)
        self.selectionModel().currentChanged.connect(self._repaint_heads)
        theme().changed.connect(self._restyle)
        self._fit()

    def _set_up(self) -> None:
        self.setFont(font("body"))
        flatten(self)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setMouseTracking(True)
        self.setCornerButtonEnabled(False)

    def _set_up_heads(self) -> None:
        rows = HeadView(
            Qt.Orientation.Vertical, self.grid_model.row_head, self._row_stands_out, self
        )
        rows.setFixedWidth(_HEAD_WIDTH)
        rows.setAccessibleName("Heads of the rows")
        self.setVerticalHeader(rows)
        columns = HeadView(
            Qt.Orientation.Horizontal, self.grid_model.column_head, self._column_stands_out, self
        )
        columns.setAccessibleName("Heads of the columns")
        self.setHorizontalHeader(columns)
        # A table selects whole rows and columns by their heads: here a head means something else.
        for heads, slot in ((rows, self._press_row), (columns, self._press_column)):
            heads.sectionPressed.disconnect()
            heads.sectionEntered.disconnect()
            heads.sectionClicked.connect(slot)

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

    def set_plan(self, plan: GridPlan | None, focus: Cell | None) -> None:
        """Show other rows and columns, with the focus on a map where it is among them."""
        before = self.grid_model.plan
        same = plan is not None and before is not None and _same_shape(plan, before)
        across, down = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        self.grid_model.set_plan(plan)
        self._fit()
        self.set_focus(focus, scroll=not same)
        if same:
            self.horizontalScrollBar().setValue(across)
            self.verticalScrollBar().setValue(down)
        self.ask_soon()

    def forget_maps(self) -> None:
        """Maps of another run."""
        self.grid_model.maps.clear()
        self.grid_delegate.pictures.cache.clear()

    def show_maps(self, maps: Mapping[Cell, SaliencyMap]) -> None:
        """Show maps that have come."""
        self.grid_model.maps.add(maps)
        self.viewport().update()

    def set_look(self, look: HeatLook) -> None:
        """Lay maps over pictures in another way."""
        self.grid_delegate.look = look
        self.viewport().update()

    def set_selection(self, cells: Sequence[Cell]) -> None:
        """Select maps without telling anyone; those that the grid does not show stay selected."""
        self._selection = tuple(cells)
        self._repaint_heads()

    def selection(self) -> tuple[Cell, ...]:
        """The selected maps, in the order they were chosen."""
        return self._selection

    def place_selected(self, cell: Cell) -> int | None:
        """The place of a map among the selected ones."""
        return self._selection.index(cell) if cell in self._selection else None

    def set_marked(self, keys: frozenset[object]) -> None:
        """Rows and columns whose heads stand out: models selected elsewhere."""
        self._marked = keys
        self._repaint_heads()

    def focus(self) -> Cell | None:
        """The map in the current cell."""
        current = self.currentIndex()
        return self.grid_model.cell(current.row(), current.column()) if current.isValid() else None

    def set_focus(self, cell: Cell | None, scroll: bool = True) -> None:
        """Move the current cell without telling anyone."""
        plan = self.grid_model.plan
        place = None if cell is None or plan is None else plan.place(cell)
        index = QModelIndex() if place is None else self.grid_model.index(*place)
        self._set_current(index)
        if index.isValid() and scroll:
            self.scrollTo(index)
        self.viewport().update()

    def _set_current(self, index: QModelIndex) -> None:
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    # -- size

    def cell_size(self) -> QSize:
        """Room of one picture with its frame and its line."""
        side = self.picture_size + 2 * FRAME
        return QSize(side, side + CAPTION)

    def enlarge(self, steps: int) -> None:
        """Larger or smaller pictures, by steps of a fixed row of sizes."""
        nearest = min(range(len(SIZES)), key=self._distance)
        self.set_picture_size(SIZES[min(max(nearest + steps, 0), len(SIZES) - 1)])

    def _distance(self, place: int) -> int:
        return abs(SIZES[place] - self.picture_size)

    def show_all(self) -> None:
        """Pictures at their usual size again."""
        self.set_picture_size(_USUAL_SIZE)

    def set_picture_size(self, size: int) -> None:
        """Side of the pictures, in pixels at scale 1."""
        self.picture_size = size
        self._fit()
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())
        self.ask_soon()

    def _fit(self) -> None:
        size = self.cell_size()
        self.horizontalHeader().setDefaultSectionSize(size.width())
        self.verticalHeader().setDefaultSectionSize(size.height())
        self.horizontalScrollBar().setSingleStep(size.width() // 2)
        self.verticalScrollBar().setSingleStep(size.height() // 2)

    # -- what is in view

    def visible_cells(self, beyond: int = 0) -> tuple[Cell, ...]:
        """Maps of which some part is seen, and `beyond` further rows and columns on each side."""
        plan = self.grid_model.plan
        if plan is None or not plan.rows or not plan.columns:
            return ()
        size, view = self.cell_size(), self.viewport()
        top, left = self.verticalHeader().offset(), self.horizontalHeader().offset()
        first_row = max(0, top // size.height() - beyond)
        last_row = min(len(plan.rows) - 1, (top + view.height() - 1) // size.height() + beyond)
        first = max(0, left // size.width() - beyond)
        last = min(len(plan.columns) - 1, (left + view.width() - 1) // size.width() + beyond)
        cells = (
            plan.cell(row, column)
            for row in range(first_row, last_row + 1)
            for column in range(first, last + 1)
        )
        return tuple(cell for cell in cells if cell is not None)

    def ask_soon(self) -> None:
        """Say once, when nothing has moved for a moment, that maps may be lacking."""
        self._asking.start()

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.ask_soon()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.ask_soon()

    def _picture_ready(self, image: int) -> None:
        self.grid_delegate.answered.add(image)
        plan = self.grid_model.plan
        for cell in self.visible_cells():
            if cell.image == image and plan is not None and (place := plan.place(cell)) is not None:
                self.viewport().update(self.visualRect(self.grid_model.index(*place)))

    def _row_stands_out(self, row: int) -> bool:
        plan = self.grid_model.plan
        if row == self.currentIndex().row():
            return True
        return plan is not None and 0 <= row < len(plan.rows) and plan.rows[row] in self._marked

    def _column_stands_out(self, column: int) -> bool:
        return column == self.currentIndex().column()

    def _repaint_heads(self) -> None:
        self.horizontalHeader().viewport().update()
        self.verticalHeader().viewport().update()
        self.viewport().update()

    # -- by hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            super().mousePressEvent(event)
            return
        before = self.currentIndex()
        super().mousePressEvent(event)  # it begins a drag
        self._set_current(index)
        self._tell_focus(before)
        cell = self.grid_model.cell(index.row(), index.column())
        if cell is None:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._toggle(cell)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._select_range(before, index)
        else:
            self._select((cell,))

    def startDrag(self, _actions: Qt.DropAction) -> None:
        """Drag the picture under the pointer out; Qt itself would drag what it has selected."""
        data = self.grid_model.mimeData([self.currentIndex()])
        if data.hasUrls():
            drag = QDrag(self)
            drag.setMimeData(data)
            drag.exec(Qt.DropAction.CopyAction)

    def _toggle(self, cell: Cell) -> None:
        if cell in self._selection:
            self._select(tuple(other for other in self._selection if other != cell))
        else:
            self._select((*self._selection, cell)[-MOST_SELECTED:])

    def _select_range(self, start: QModelIndex, end: QModelIndex) -> None:
        """The cells between two corners, as many as can be told apart."""
        if not start.isValid():
            start = end
        rows = range(min(start.row(), end.row()), max(start.row(), end.row()) + 1)
        columns = range(min(start.column(), end.column()), max(start.column(), end.column()) + 1)
        cells = (self.grid_model.cell(row, column) for row in rows for column in columns)
        self._select(tuple(cell for cell in cells if cell is not None)[:MOST_SELECTED])

    def _select(self, cells: tuple[Cell, ...]) -> None:
        if cells != self._selection:
            self.set_selection(cells)
            self.selection_changed.emit(cells)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, key = Qt.Key, Qt.Key(event.key())
        if key in _STEPS:
            self._walk(*_STEPS[key], event.modifiers())
        elif key in (keys.Key_PageDown, keys.Key_PageUp):
            rows = max(1, self.viewport().height() // self.cell_size().height() - 1)
            self._walk(rows if key == keys.Key_PageDown else -rows, 0, event.modifiers())
        elif key in (keys.Key_Home, keys.Key_End):
            far = self.grid_model.columnCount()
            self._walk(0, far if key == keys.Key_End else -far, event.modifiers())
        elif key in (keys.Key_Return, keys.Key_Enter):
            self._activate(self.currentIndex())
        elif key == keys.Key_Space:
            cell = self.focus()
            if cell is not None:
                self._toggle(cell)
        elif key == keys.Key_Escape and self._selection:
            self._select(())
        elif key in (keys.Key_Plus, keys.Key_Equal):
            self.enlarge(1)
        elif key == keys.Key_Minus:
            self.enlarge(-1)
        else:
            super().keyPressEvent(event)

    def _walk(self, down: int, across: int, modifiers: Qt.KeyboardModifier) -> None:
        rows, columns = self.grid_model.rowCount(), self.grid_model.columnCount()
        if not rows or not columns:
            return
        before = self.currentIndex()
        row, column = (before.row(), before.column()) if before.isValid() else (0, 0)
        if before.isValid():
            row = min(max(row + down, 0), rows - 1)
            column = min(max(column + across, 0), columns - 1)
        index = self.grid_model.index(row, column)
        self._set_current(index)
        self.scrollTo(index)
        self._tell_focus(before)
        cell = self.grid_model.cell(row, column)
        if cell is None or modifiers & Qt.KeyboardModifier.ControlModifier:
            return
        added = modifiers & Qt.KeyboardModifier.ShiftModifier and cell not in self._selection
        if added:
            self._toggle(cell)
        elif not modifiers & _ADDING:
            self._select((cell,))

    def _tell_focus(self, before: QModelIndex) -> None:
        current = self.currentIndex()
        if (current.row(), current.column()) != (before.row(), before.column()):
            cell = self.focus()
            if cell is not None:
                self.cell_focused.emit(cell)

    def _activate(self, index: QModelIndex) -> None:
        cell = self.grid_model.cell(index.row(), index.column()) if index.isValid() else None
        if cell is not None:
            self.cell_activated.emit(cell)

    def _press_row(self, row: int) -> None:
        self.row_pressed.emit(row, _adding())

    def _press_column(self, column: int) -> None:
        self.column_pressed.emit(column, _adding())

    def focusInEvent(self, event: QEvent) -> None:  # type: ignore[override]
        """The ring has to be seen: the first map becomes current when none is."""
        super().focusInEvent(event)  # type: ignore[arg-type]
        if not self.currentIndex().isValid() and self.grid_model.rowCount():
            self._set_current(self.grid_model.index(0, 0))
        self.viewport().update()

    def _restyle(self) -> None:
        self._repaint_heads()


def _adding() -> bool:
    from PySide6.QtWidgets import QApplication

    return bool(QApplication.keyboardModifiers() & _ADDING)


def _same_shape(plan: GridPlan, before: GridPlan) -> bool:
    return plan.rows == before.rows and plan.columns == before.columns
