"""Units by row, each with its card and its pictures, in the order of the table."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QUrl,
)
from PySide6.QtWidgets import QWidget

from analysis.figures.unit_data import UnitDetail, UnitPatch
from app.views.unit_index import UnitIndex
from app.views.unit_words import patch_line, pictureless_words, unit_line
from app.widgets.image_source import ImageSource

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
NO_PARENT = QModelIndex()
_MOST_DETAILS = 500  # with ten masks of 56 × 56 each about 15 MB


class UnitGridModel(QAbstractTableModel):
    """Column 0 is the unit itself; each further column is one of its images, best first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index_of_units: UnitIndex | None = None
        self.rows = np.zeros(0, dtype=np.int64)  # shown row → place in the unit table
        self.interpretable = np.zeros(0, dtype=bool)
        self.pictures = 1
        self.source: ImageSource | None = None
        self._shown_at = np.zeros(0, dtype=np.int64)  # place in the unit table → shown row or −1
        self._details: OrderedDict[int, UnitDetail] = OrderedDict()

    # -- content

    def set_units(self, index: UnitIndex | None, interpretable: np.ndarray) -> None:
        """Show the units of another run."""
        self.beginResetModel()
        self.index_of_units = index
        self.interpretable = interpretable
        self._details.clear()
        self._take_order(np.arange(len(index) if index is not None else 0))
        self.endResetModel()

    def set_order(self, rows: np.ndarray) -> None:
        """Show these places of the unit table, in this order."""
        self.beginResetModel()
        self._take_order(rows)
        self.endResetModel()

    def _take_order(self, rows: np.ndarray) -> None:
        total = len(self.index_of_units) if self.index_of_units is not None else 0
        self.rows = rows
        self._shown_at = np.full(total, -1, dtype=np.int64)
        self._shown_at[rows] = np.arange(len(rows))

    def set_pictures(self, number: int) -> None:
        """Have another number of picture columns."""
        if number > self.pictures:
            self.beginInsertColumns(NO_PARENT, self.pictures + 1, number)
            self.pictures = number
            self.endInsertColumns()
        elif number < self.pictures:
            self.beginRemoveColumns(NO_PARENT, number + 1, self.pictures)
            self.pictures = number
            self.endRemoveColumns()

    def add_details(self, details: Mapping[int, UnitDetail]) -> None:
        """Keep what is known of units; those asked for longest ago go first."""
        for unit, detail in details.items():
            self._details[unit] = detail
            self._details.move_to_end(unit)
        while len(self._details) > max(_MOST_DETAILS, len(details)):
            self._details.popitem(last=False)

    def detail(self, unit: int | None) -> UnitDetail | None:
        """What is known of a unit, if it has come."""
        return None if unit is None else self._details.get(unit)

    def detail_of_patch(self, patch_id: int) -> UnitDetail | None:
        """The unit that a patch belongs to, if it is known."""
        for detail in self._details.values():
            if any(patch.patch_id == patch_id for patch in detail.patches):
                return detail
        return None

    def patch(self, row: int, column: int) -> UnitPatch | None:
        """The image in a cell, if it is known."""
        detail = self.detail(self.unit_at(row))
        there = detail is not None and 1 <= column <= len(detail.patches)
        return detail.patches[column - 1] if detail is not None and there else None

    def lacking(self, rows: Sequence[int]) -> tuple[int, ...]:
        """Ids of the units in some rows of which nothing is known yet."""
        units = [unit for row in rows if (unit := self.unit_at(row)) is not None]
        return tuple(unit for unit in units if unit not in self._details)

    # -- ids and rows

    def unit_at(self, row: int) -> int | None:
        """The id of the unit in a row."""
        if self.index_of_units is None or not 0 <= row < len(self.rows):
            return None
        return int(self.index_of_units.table.unit_id[self.rows[row]])

    def row_of(self, unit: int | None) -> int:
        """The row of a unit, −1 where it is not shown."""
        if self.index_of_units is None or unit is None:
            return -1
        place = self.index_of_units.row_of.get(unit)
        return -1 if place is None else int(self._shown_at[place])

    # -- what Qt asks for

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else 1 + self.pictures

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        if not index.isValid() or self.index_of_units is None:
            return None
        if role == Role.UserRole:
            return self.unit_at(index.row())
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            return self._text(index.row(), index.column())
        return None

    def _text(self, row: int, column: int) -> str | None:
        if self.index_of_units is None or row >= len(self.rows):
            return None
        place = int(self.rows[row])
        if column == 0:
            return unit_line(self.index_of_units.table, place, bool(self.interpretable[place]))
        patch = self.patch(row, column)
        if patch is not None:
            return patch_line(patch)
        detail = self.detail(self.unit_at(row))
        return pictureless_words(detail) if detail is not None and not detail.patches else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return base | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemNeverHasChildren

    def mimeTypes(self) -> list[str]:
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files of the dragged images, where the source knows them."""
        data = QMimeData()
        patches = [self.patch(i.row(), i.column()) for i in indexes]
        images = dict.fromkeys(patch.image for patch in patches if patch is not None)
        if self.source is not None:
            paths = [path for i in images if (path := self.source.path(i)) is not None]
            data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        return data
