"""The table twin of a plot: the same rows, to sort, filter, walk with the keyboard and copy."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.words import count as counted
from app.theme import GRID, font, mute, theme
from app.widgets.flat_table import flatten
from app.widgets.table_model import Column, ColumnTableModel
from app.widgets.view_menu import add_view_menu

_MOST_FOLLOWED = 500  # selected rows that stay selected when the order changes


class _Rows(QTableView):
    """A table whose Enter key opens the current row, on every platform."""

    opened = Signal()
    copied = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class TableTwin(QWidget):
    """Sortable, filterable table over columns. Signals carry ids, never row numbers.

    `row_focused`: the current row changed by hand. `selection_changed`: frozenset of the ids of the
    rows selected by hand. `row_activated`: double click or Enter. `rows_filtered`: list of the ids
    left, in order. Without `filters` the view around has its own.
    """

    row_focused = Signal(object)
    selection_changed = Signal(object)
    row_activated = Signal(object)
    row_hovered = Signal(object)
    rows_filtered = Signal(object)

    def __init__(
        self,
        noun: str = "row",
        plural: str | None = None,
        parent: QWidget | None = None,
        filters: bool = True,
    ) -> None:
        super().__init__(parent)
        self._noun, self._plural = noun, plural
        self._quiet = False
        self.model = ColumnTableModel(self)
        self.table = _Rows()
        self._set_up_table()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(120)
        self._typing.timeout.connect(self._filter)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        self.filter_line = QWidget()
        self.filter_line.setLayout(self._make_filter_line())
        self.filter_line.setVisible(filters)
        layout.addWidget(self.filter_line)
        layout.addWidget(self.table)
        theme().changed.connect(self._restyle)

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(f"Table, one {self._noun} a row")
        table.setFont(font("body"))
        table.setSortingEnabled(True)
        table.horizontalHeader().setSortIndicatorClearable(True)
        table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        table.horizontalHeader().setHighlightSections(False)
        table.horizontalHeader().setFont(font("small"))
        table.horizontalHeader().setStretchLastSection(False)
        flatten(table)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(24)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setAlternatingRowColors(True)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names often differ at their end
        table.setTabKeyNavigation(False)
        table.setMouseTracking(True)
        table.viewport().installEventFilter(self)
        table.entered.connect(self._hover)
        table.doubleClicked.connect(self._activate)
        table.opened.connect(self._activate_current)
        table.copied.connect(self.copy)
        copy = QAction("Copy rows", table)
        copy.triggered.connect(self.copy)
        table.addAction(copy)
        add_view_menu(table)
        selection = table.selectionModel()
        selection.currentRowChanged.connect(self._focus_changed)
        selection.selectionChanged.connect(self._selected_by_hand)
        self.model.about_to_arrange.connect(self._let_go)

    def _make_filter_line(self) -> QHBoxLayout:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter by words")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(54)
        self.search.setAccessibleName("Filter rows by words")
        self.search.textChanged.connect(self._typed)
        self.limit_column = QComboBox()
        self.limit_column.setAccessibleName("Column to limit")
        self.limit_column.setToolTip("Limit a column to values between a minimum and a maximum")
        self.limit_column.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.limit_column.setMinimumContentsLength(7)
        self.limit_column.currentIndexChanged.connect(self.show_limits)
        self.minimum = self._limit_field("min", "Minimum of the column")
        self.maximum = self._limit_field("max", "Maximum of the column")
        self.marked_only = QToolButton()
        self.marked_only.setText("Selected")
        self.marked_only.setToolTip("Show only what is selected in the linked views")
        self.marked_only.setCheckable(True)
        self.marked_only.toggled.connect(self._filter_marked)
        self.count = QLabel()
        self.count.setFont(font("small"))
        mute(self.count)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        line.addWidget(self.search, 1)
        for part in (self.limit_column, self.minimum, self.maximum, self.marked_only, self.count):
            line.addWidget(part)
        for part in (self.search, self.limit_column, self.marked_only):
            part.setFont(font("small"))
        return line

    def _limit_field(self, placeholder: str, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(placeholder)
        field.setAccessibleName(name)
        field.setFont(font("small", tabular=True))
        field.setFixedWidth(54)
        field.textChanged.connect(self._typed)
        return field

    def _restyle(self) -> None:
        self.table.viewport().update()

    # -- data and shared state

    def set_columns(self, ids: Sequence[Hashable], columns: Sequence[Column]) -> None:
        """Show other rows."""
        changed = [c.key for c in columns] != [c.key for c in self.model.columns]
        self._quiet = True
        self.model.set_columns(ids, columns)
        if changed:
            self._list_limit_columns()
            self._fit_columns()
            self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._quiet = False
        self._say_count()

    def _list_limit_columns(self) -> None:
        self.limit_column.clear()
        for column in self.model.columns:
            if column.is_number:
                self.limit_column.addItem(column.title, column.key)
        measured = [c.key for c in self.model.columns if c.low is not None]
        if measured:
            self.limit_column.setCurrentIndex(self.limit_column.findData(measured[0]))

    def _fit_columns(self) -> None:
        """Widths from the headers and the first rows; never from all of them."""
        metrics = self.table.fontMetrics()
        header = self.table.horizontalHeader()
        rows = range(min(60, self.model.rowCount()))
        for i, column in enumerate(self.model.columns):
            widths = [metrics.horizontalAdvance(column.text(r)) for r in rows]
            mark = 20 if column.sides is not None else 0
            widest = max([*widths, 24]) + mark + 18
            self.table.setColumnWidth(i, max(min(widest, 220), header.sectionSizeHint(i)))

    def set_focus(self, identity: Hashable | None) -> None:
        """Move the current row without telling anyone."""
        row = -1 if identity is None else self.model.row_of(identity)
        self._quiet = True
        selection = self.table.selectionModel()
        if row < 0:
            selection.clear()
        else:
            index = self.model.index(row, max(0, self.table.currentIndex().column()))
            flags = QItemSelectionModel.SelectionFlag
            selection.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            hints = QAbstractItemView.ScrollHint
            seen = self.table.viewport().rect().contains(self.table.visualRect(index).center())
            self.table.scrollTo(index, hints.EnsureVisible if seen else hints.PositionAtCenter)
        self._quiet = False

    def focus(self) -> Hashable | None:
        """The id of the current row."""
        return self.model.id_at(self.table.currentIndex().row())

    def set_selection(self, identities: Iterable[Hashable]) -> None:
        """Mark the shared selection without telling anyone."""
        self.model.set_marked(identities)
        self._say_count()

    def set_selected_rows(self, identities: Iterable[Hashable]) -> None:
        """Select rows, as by hand, without telling anyone."""
        flags = QItemSelectionModel.SelectionFlag
        rows = [row for i in identities if (row := self.model.row_of(i)) >= 0]
        self._quiet = True
        selection = self.table.selectionModel()
        selection.clearSelection()
        for row in rows:
            selection.select(self.model.index(row, 0), flags.Select | flags.Rows)
        self._quiet = False

    def selected_ids(self) -> frozenset[Hashable]:
        """Ids of the rows selected by hand."""
        rows = (row for span in self._spans() for row in span)
        return frozenset(i for row in rows if (i := self.model.id_at(row)) is not None)

    def _let_go(self) -> None:
        """Qt would follow every cell of a large selection through a change of order, for seconds;
        what the views share stays marked by its ids."""
        if sum(map(len, self._spans())) > _MOST_FOLLOWED:
            quiet, self._quiet = self._quiet, True
            self.table.clearSelection()
            self._quiet = quiet

    def _spans(self) -> list[range]:
        """Rows selected by hand."""
        spans = list(self.table.selectionModel().selection())  # type: ignore[call-overload]
        return [range(span.top(), span.bottom() + 1) for span in spans]

    # -- by hand

    def _focus_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        if not self._quiet and current.isValid():
            self.row_focused.emit(self.model.id_at(current.row()))

    def _selected_by_hand(self) -> None:
        if not self._quiet:
            self.selection_changed.emit(self.selected_ids())

    def _activate(self, index: QModelIndex) -> None:
        self.row_activated.emit(self.model.id_at(index.row()))

    def _activate_current(self) -> None:
        if self.table.currentIndex().isValid():
            self._activate(self.table.currentIndex())

    def _hover(self, index: QModelIndex) -> None:
        self.row_hovered.emit(self.model.id_at(index.row()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.row_hovered.emit(None)
        return super().eventFilter(watched, event)

    def copy(self) -> None:
        """Copy the selected rows, or all that are shown, as tab-separated text."""
        rows = sorted(r.row() for r in self.table.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(
            self.model.tab_separated(rows or range(self.model.rowCount()))
        )

    def copy_all(self) -> None:
        """Copy every row that is shown as tab-separated text."""
        QGuiApplication.clipboard().setText(self.model.tab_separated(range(self.model.rowCount())))

    # -- filters

    def _typed(self) -> None:
        if not self._quiet:
            self._typing.start()

    def _filter(self) -> None:
        key = self.limit_column.currentData()
        if key is not None:
            self.model.set_limits(key, _number(self.minimum.text()), _number(self.maximum.text()))
        self.apply_filters()

    def apply_filters(self) -> None:
        """Show the rows that meet the filters as they are typed and limited."""
        self._typing.stop()
        self._quiet = True
        self.model.set_text_filter(self.search.text())
        self._name_limited_columns()
        self._quiet = False
        self._keep_in_sight()
        self._say_count()
        self.rows_filtered.emit(self.model.shown_ids())

    def _filter_marked(self, only: bool) -> None:
        self._quiet = True
        self.model.set_marked_only(only)
        self._quiet = False
        self._keep_in_sight()
        self._say_count()
        self.rows_filtered.emit(self.model.shown_ids())

    def _keep_in_sight(self) -> None:
        """Rows that come and go must not carry away the one in focus."""
        index = self.table.currentIndex()
        if index.isValid():
            self.table.updateGeometries()  # how far it can be scrolled now
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def show_limits(self) -> None:
        """Write the limits of the column that is chosen to be limited."""
        quiet, self._quiet = self._quiet, True
        low, high = self.model.filters.limits.get(self.limit_column.currentData(), (None, None))
        self.minimum.setText("" if low is None else f"{low:g}")
        self.maximum.setText("" if high is None else f"{high:g}")
        self._quiet = quiet

    def _name_limited_columns(self) -> None:
        titles = {c.key: c.title for c in self.model.columns}
        for i in range(self.limit_column.count()):
            key = self.limit_column.itemData(i)
            sign = "• " if key in self.model.filters.limits else ""
            self.limit_column.setItemText(i, sign + titles[key])

    def _say_count(self) -> None:
        shown, all_rows = self.model.rowCount(), len(self.model.ids)
        everything = counted(all_rows, self._noun, self._plural)
        self.count.setText(everything if shown == all_rows else f"{shown:,} of {everything}")


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return None
