"""A table over columns of numpy arrays, sorted and filtered without copying them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush

from analysis.figures.words import interval, number
from app.theme import font, theme
from app.widgets.marks import side_icon
from app.widgets.quantities import significant

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
NO_PARENT = QModelIndex()
NO_VALUE = "—"
"""In place of a number that does not exist; the cell's tooltip says why."""

_ARROW_ROOM = "\u00a0" * 4  # the arrow of the order would cover a title that stands on the right


@dataclass(frozen=True)
class Column:
    """One column: its values and how they are written.

    `values` is (n,) of numbers or of str. With `low` and `high`, (n,) each, cells read
    '0.83 [0.78, 0.87]'. `style` is 'decimal' (with `digits` of them), 'significant', 'whole' or
    'text'. `missing` says why a number may not exist. `sides`, (n,) of 'a' or 'b', puts the model's
    mark before the text.
    """

    key: str
    title: str
    values: np.ndarray
    style: str = "text"
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    missing: str = "not measured"
    hint: str = ""
    sides: np.ndarray | None = None
    digits: int = 2

    @property
    def is_number(self) -> bool:
        return self.style != "text"

    def text(self, row: int) -> str:
        """The cell as shown."""
        value = self.values[row]
        if not self.is_number:
            return str(value)
        if not math.isfinite(value):
            return NO_VALUE
        if self.low is not None and self.high is not None:
            return interval(float(value), float(self.low[row]), float(self.high[row]))
        if self.style == "whole":
            return f"{round(value):,}"
        if self.style == "decimal":
            return number(float(value), self.digits)
        return significant(float(value))

    def fields(self) -> list[str]:
        """Header cells of this column in copied text."""
        return [
            self.key,
            *([f"{self.key}_low", f"{self.key}_high"] if self.low is not None else []),
        ]

    def plain(self, row: int) -> list[str]:
        """Cells of this column in copied text: full numbers, empty where there is none."""
        if not self.is_number:
            return [str(self.values[row]).replace("\t", " ").replace("\n", " ")]
        arrays = [self.values, *(a for a in (self.low, self.high) if a is not None)]
        return ["" if np.isnan(float(a[row])) else f"{float(a[row]):.7g}" for a in arrays]


@dataclass
class Filters:
    """What rows must meet to be shown."""

    text: str = ""
    limits: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    marked_only: bool = False

    def any(self) -> bool:
        return bool(self.text or self.limits or self.marked_only)


class ColumnTableModel(QAbstractTableModel):
    """Rows have ids that stay with them through sorting and filtering.

    `about_to_arrange`: just before rows change their places.
    """

    about_to_arrange = Signal()

    def __init__(self, parent: object = None) -> None:
        super().__init__(parent)  # type: ignore[arg-type]
        self.columns: tuple[Column, ...] = ()
        self.ids: list[Hashable] = []
        self.filters = Filters()
        self._source_of: dict[Hashable, int] = {}
        self._order = np.zeros(0, dtype=np.int64)  # shown row → source row
        self._row_of = np.zeros(0, dtype=np.int64)  # source row → shown row, −1 when hidden
        self._marked: frozenset[Hashable] = frozenset()
        self._sorting: tuple[int, Qt.SortOrder] | None = None
        self._kept: np.ndarray | None = None
        self._folded: dict[str, np.ndarray] = {}
        self._ranks: dict[str, np.ndarray] = {}
        self._number_font = font("body", tabular=True)

    # -- content

    def set_columns(self, ids: Sequence[Hashable], columns: Sequence[Column]) -> None:
        """Show other data; sorting and filters that still make sense stay."""
        self.beginResetModel()
        same = [c.key for c in columns] == [c.key for c in self.columns]
        self.columns = tuple(columns)
        self.ids = list(ids)
        self._source_of = {identity: i for i, identity in enumerate(self.ids)}
        self._folded, self._ranks, self._kept = {}, {}, None
        if not same:
            self._sorting = None
            self.filters.limits = {}
        self._arrange()
        self.endResetModel()

    def replace_values(self, key: str, values: np.ndarray) -> None:
        """Show other values in one column, (n,) as before; rows keep their places if they can."""
        place = [column.key for column in self.columns].index(key)
        changed = replace(self.columns[place], values=values)
        self.columns = (*self.columns[:place], changed, *self.columns[place + 1 :])
        self._folded.pop(key, None)
        self._ranks.pop(key, None)
        sorting = self._sorting is not None and self._sorting[0] == place
        if sorting or key in self.filters.limits or (self.filters.text and not changed.is_number):
            self._rearrange()
        elif len(self._order):
            last = self.index(len(self._order) - 1, place)
            self.dataChanged.emit(self.index(0, place), last)

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._order):
            return None
        column, source = self.columns[index.column()], int(self._order[index.row()])
        if role == Role.DisplayRole:
            return column.text(source)
        if role == Role.TextAlignmentRole and column.is_number:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Role.FontRole and column.is_number:
            return self._number_font
        if role == Role.BackgroundRole and self.ids[source] in self._marked:
            return QBrush(theme().colour("highlight"))
        if role == Role.DecorationRole and column.sides is not None:
            return side_icon(str(column.sides[source]))
        if role in (Role.ToolTipRole, Role.AccessibleDescriptionRole):
            return self._explanation(column, source)
        if role == Role.UserRole:
            return self.ids[source]
        return None

    def _explanation(self, column: Column, source: int) -> str | None:
        if column.is_number and np.isnan(float(column.values[source])):
            return f"No number: {column.missing}."
        return column.text(source) if not column.is_number else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == Role.DisplayRole:
            sorted_by = self._sorting is not None and self._sorting[0] == section
            return column.title + (_ARROW_ROOM if sorted_by and column.is_number else "")
        if role == Role.ToolTipRole:
            return column.hint or column.title
        if role == Role.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    # -- ids and rows

    def id_at(self, row: int) -> Hashable | None:
        """The id shown in a row."""
        return self.ids[int(self._order[row])] if 0 <= row < len(self._order) else None

    def row_of(self, identity: Hashable) -> int:
        """The row in which an id is shown, −1 when it is filtered out or unknown."""
        source = self._source_of.get(identity)
        return -1 if source is None else int(self._row_of[source])

    def shown_ids(self) -> list[Hashable]:
        """Ids in the order shown."""
        return [self.ids[int(i)] for i in self._order]

    def shown_rows(self) -> np.ndarray:
        """Places in the columns' arrays of the rows shown, in their order."""
        return self._order

    def set_marked(self, identities: Iterable[Hashable]) -> None:
        """Mark the rows of the shared selection; any number of them."""
        self._marked = frozenset(identities)
        if self.filters.marked_only:
            self._rearrange()
        elif len(self._order):
            corner = self.index(len(self._order) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), corner, [Role.BackgroundRole])

    # -- sorting and filtering

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorting = (column, order) if 0 <= column < len(self.columns) else None
        self._rearrange()

    def set_kept(self, kept: np.ndarray | None) -> None:
        """Show only rows that a filter elsewhere keeps, (n,) bool, until there are other rows."""
        self._kept = kept
        self._rearrange()

    def set_text_filter(self, text: str) -> None:
        """Show only rows in which every word of the text occurs in some text column."""
        self.filters.text = text.strip()
        self._rearrange()

    def set_limits(self, key: str, low: float | None, high: float | None) -> None:
        """Show only rows whose number in a column lies between two values, ends included."""
        if low is None and high is None:
            self.filters.limits.pop(key, None)
        else:
            self.filters.limits[key] = (low, high)
        self._rearrange()

    def set_marked_only(self, only: bool) -> None:
        """Show only rows of the shared selection."""
        self.filters.marked_only = only
        self._rearrange()

    def _rearrange(self) -> None:
        self.about_to_arrange.emit()
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        sources = [int(self._order[i.row()]) for i in before]
        self._arrange()
        after = [
            self.index(row, i.column()) if (row := int(self._row_of[s])) >= 0 else QModelIndex()
            for i, s in zip(before, sources, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        rows = np.flatnonzero(self._shown())
        if self._sorting is not None:
            column, order = self._sorting
            rows = rows[self._sorted(self.columns[column], rows, order)]
        self._order = rows
        self._row_of = np.full(len(self.ids), -1, dtype=np.int64)
        self._row_of[rows] = np.arange(len(rows))

    def _sorted(self, column: Column, rows: np.ndarray, order: Qt.SortOrder) -> np.ndarray:
        values = column.values[rows].astype(float) if column.is_number else self._rank(column)[rows]
        missing = np.isnan(values) if column.is_number else np.zeros(len(rows), dtype=bool)
        there = np.flatnonzero(~missing)
        if order == Qt.SortOrder.DescendingOrder:
            # Reversed twice, so that equal values keep their order.
            by_value = (len(there) - 1 - np.argsort(values[there][::-1], kind="stable"))[::-1]
        else:
            by_value = np.argsort(values[there], kind="stable")
        return np.concatenate([there[by_value], np.flatnonzero(missing)])

    def _shown(self) -> np.ndarray:
        shown = np.ones(len(self.ids), bool) if self._kept is None else self._kept.copy()
        for word in self.filters.text.casefold().split():
            found = np.zeros(len(self.ids), dtype=bool)
            for column in self.columns:
                if not column.is_number:
                    found |= np.char.find(self._fold(column), word) >= 0
            shown &= found
        for column in self.columns:
            low, high = self.filters.limits.get(column.key, (None, None))
            if low is not None:
                shown &= column.values.astype(float) >= low
            if high is not None:
                shown &= column.values.astype(float) <= high
        if self.filters.marked_only:
            shown &= np.fromiter((i in self._marked for i in self.ids), bool, len(self.ids))
        return shown

    def _fold(self, column: Column) -> np.ndarray:
        if column.key not in self._folded:
            folded = [str(v).casefold() for v in column.values]
            self._folded[column.key] = np.array(folded, dtype=np.str_).reshape(len(folded))
        return self._folded[column.key]

    def _rank(self, column: Column) -> np.ndarray:
        """Place of each text in the alphabet: whole numbers sort much faster than texts."""
        if column.key not in self._ranks:
            _, self._ranks[column.key] = np.unique(self._fold(column), return_inverse=True)
        return self._ranks[column.key]

    # -- copying

    def tab_separated(self, rows: Iterable[int]) -> str:
        """Rows as shown, as tab-separated text with a header; numbers in full, ids first."""
        header = ["id", *(name for column in self.columns for name in column.fields())]
        lines = ["\t".join(header)]
        for row in rows:
            source = int(self._order[row])
            identity = self.ids[source]
            first = " ~ ".join(map(str, identity)) if isinstance(identity, tuple) else str(identity)
            cells = [cell for column in self.columns for cell in column.plain(source)]
            lines.append("\t".join([first, *cells]))
        return "\n".join(lines) + "\n"
