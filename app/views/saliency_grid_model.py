"""The grid of maps as a Qt model: what stands in each cell, and which maps have come."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from PySide6.QtCore import (
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QUrl,
)

from analysis.figures.saliency_data import Cell, SaliencyMap
from app.views.saliency_layout import GridPlan, Head
from app.views.saliency_words import cell_hint
from app.widgets.image_source import ImageSource

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
NO_PARENT = QModelIndex()
MOST_BYTES = 64 * 1024 * 1024  # of maps: about 80,000 of 14 × 14 or 5,000 of 56 × 56


class SaliencyMaps:
    """Maps that have come, bounded by bytes; those asked for longest ago go first."""

    def __init__(self, limit: int = MOST_BYTES) -> None:
        self.limit = limit
        self.size = 0
        self._maps: OrderedDict[Cell, SaliencyMap] = OrderedDict()

    def __len__(self) -> int:
        return len(self._maps)

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._maps

    def get(self, cell: Cell | None) -> SaliencyMap | None:
        """A map, which becomes the most recently used one."""
        found = None if cell is None else self._maps.get(cell)
        if found is not None:
            self._maps.move_to_end(found.cell)
        return found

    def add(self, maps: Mapping[Cell, SaliencyMap]) -> None:
        """Keep some maps."""
        for cell, found in maps.items():
            before = self._maps.pop(cell, None)
            self.size += found.values.nbytes - (0 if before is None else before.values.nbytes)
            self._maps[cell] = found
        while self.size > self.limit and len(self._maps) > 1:
            _, oldest = self._maps.popitem(last=False)
            self.size -= oldest.values.nbytes

    def clear(self) -> None:
        """Forget all."""
        self._maps.clear()
        self.size = 0


class SaliencyGridModel(QAbstractTableModel):
    """Rows and columns are those of a plan."""

    def __init__(self, parent: object = None) -> None:
        super().__init__(parent)  # type: ignore[arg-type]
        self.plan: GridPlan | None = None
        self.maps = SaliencyMaps()
        self.source: ImageSource | None = None

    def set_plan(self, plan: GridPlan | None) -> None:
        """Show other rows and columns."""
        self.beginResetModel()
        self.plan = plan
        self.endResetModel()

    def cell(self, row: int, column: int) -> Cell | None:
        """The map of a row and column."""
        return None if self.plan is None else self.plan.cell(row, column)

    def has(self, cell: Cell | None) -> bool:
        """Whether the run holds a map."""
        return cell is not None and self.plan is not None and self.plan.places.has(cell)

    def lacking(self, cells: Iterable[Cell | None]) -> tuple[Cell, ...]:
        """Maps of some cells that the run holds and that have not come."""
        return tuple(c for c in cells if c is not None and c not in self.maps and self.has(c))

    def row_head(self, row: int) -> Head | None:
        """The head of a row, None outside of the grid."""
        there = self.plan is not None and 0 <= row < len(self.plan.rows)
        return self.plan.row_head(row) if self.plan is not None and there else None

    def column_head(self, column: int) -> Head | None:
        """The head of a column, None outside of the grid."""
        there = self.plan is not None and 0 <= column < len(self.plan.columns)
        return self.plan.column_head(column) if self.plan is not None and there else None

    # -- what Qt asks for

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() or self.plan is None else len(self.plan.rows)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() or self.plan is None else len(self.plan.columns)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        if not index.isValid() or self.plan is None:
            return None
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            cell = self.plan.cell(index.row(), index.column())
            return None if cell is None else cell_hint(self.plan.places, cell, self.maps.get(cell))
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        across = orientation == Qt.Orientation.Horizontal
        head = self.column_head(section) if across else self.row_head(section)
        if head is None:
            return None
        if role == Role.DisplayRole:
            return head.title
        return head.hint if role == Role.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return base | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemNeverHasChildren

    def mimeTypes(self) -> list[str]:
        return ["text/uri-list"]

    def mimeData(self, indexes: Iterable[QModelIndex]) -> QMimeData:
        """The files of the dragged images, where the source knows them."""
        data = QMimeData()
        cells = [self.cell(i.row(), i.column()) for i in indexes]
        images = dict.fromkeys(cell.image for cell in cells if cell is not None)
        if self.source is not None:
            paths = [path for i in images if (path := self.source.path(i)) is not None]
            data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        return data
