"""How well the models do on the images of a slice, beside all images."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from analysis.figures.embedding_data import PerformanceTable
from analysis.figures.palette import series_mark
from analysis.figures.words import number, plain
from analysis.name_lists import join_names
from app import theme
from app.labels import wrapped_label
from app.widgets.bar_data import BarColumn, BarData, BarRow
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.range_bars import RangeBarTable, Ranges
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

FIGURE = "performance-by-slice"
_NOTHING = (
    "No run keeps answers to the images of this slice: evaluate the models on its image set, with"
    " k-NN or the linear probe. Imported tables and prototypes keep none."
)
_WORDS = (
    "Share of right answers in per cent, with its 95 % interval over images. A slice that was made"
    " by the answers themselves tells nothing new about the models that it was made by."
)
_NOTE = "Thin mark: what the same model reaches over all images."
_SIGNS = "●■▲◆▼"


class PerformanceDialog(QDialog):
    """Bars and a table: one row a model and task. `export_requested(figure, format)`."""

    export_requested = Signal(str, str)

    def __init__(
        self,
        name: str,
        sliced: PerformanceTable,
        whole: PerformanceTable,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Performance over the slice “{name}”")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("performance dialog")
        self._slice, self._tasks = name, sliced.tasks
        self.table = TableTwin("row", "rows")
        self.bars = RangeBarTable(f"Performance over the slice {plain(name)}, a model a row")
        self.panel = FigurePanel(FIGURE, "Performance", self.bars, self.table, EmptyState(""))
        ids, columns = performance_columns(sliced, whole)
        self.words = wrapped_label(_WORDS if ids else _NOTHING, muted=True)
        self.table.set_columns(ids, columns)
        self.bars.set_rows(*performance_bars(ids, columns))
        self.panel.set_note(_NOTE)
        self.panel.show_content(bool(ids))
        self.panel.setVisible(bool(ids))
        self.panel.export_requested.connect(self.export_requested)
        self.table.row_focused.connect(self._on_row)
        self.bars.row_focused.connect(self._on_bar)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.PADDING,) * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self.words)
        column.addWidget(self.panel, 1)
        column.addWidget(buttons)
        self.resize(760, 560 if ids else 160)

    def export_parameters(self) -> dict[str, object]:
        """What the figure needs to show what is shown here."""
        return {"slices": join_names((self._slice,)), "tasks": join_names(self._tasks)}

    @Slot(object)
    def _on_row(self, identity: Hashable) -> None:
        self.bars.set_focus(identity)

    @Slot(object)
    def _on_bar(self, identity: Hashable) -> None:
        self.table.set_focus(identity)


def performance_columns(
    sliced: PerformanceTable, whole: PerformanceTable
) -> tuple[list[tuple[str, str]], tuple[Column, ...]]:
    """Ids (model, task) and columns: over the slice, its images, and over all images."""
    ids = [
        (model, task)
        for j, task in enumerate(sliced.tasks)
        for i, model in enumerate(sliced.models)
        if np.isfinite(sliced.value[i, j])
    ]
    of_slice, of_all = (_rows(table, ids) for table in (sliced, whole))
    columns = (
        Column("model", "Model", np.array([model for model, _ in ids], dtype=object)),
        Column("task", "Task", np.array([task for _, task in ids], dtype=object)),
        Column("slice", "Slice %", of_slice[0], "decimal", of_slice[1], of_slice[2], digits=1),
        Column("n", "Images", of_slice[3], "whole"),
        Column("all", "All images %", of_all[0], "decimal", of_all[1], of_all[2], digits=1),
    )
    return ids, columns


def performance_bars(
    ids: list[tuple[str, str]], columns: tuple[Column, ...]
) -> tuple[BarData | None, Ranges | None]:
    """The same as bars with whiskers, a section a task; a model keeps its sign and colour."""
    if not ids:
        return None, None
    by_key = {column.key: column for column in columns}
    of_slice, of_all = by_key["slice"], by_key["all"]
    order = {model: place for place, model in enumerate(dict.fromkeys(m for m, _ in ids))}
    places = dict(zip(ids, range(len(ids)), strict=True))
    rows = tuple(
        BarRow(
            one,
            plain(one[0]),
            plain(one[1]),
            _SIGNS[order[one[0]] % len(_SIGNS)],
            series_mark(order[one[0]]).colour,
        )
        for one in ids
    )
    values = np.asarray(of_slice.values, float)
    low, high = (np.asarray(end, float) for end in (of_slice.low, of_slice.high))

    def describe(identity: Hashable) -> str:
        at = places[identity]  # type: ignore[index]
        model, task = ids[at]
        ends = f" [{number(low[at], 1)}, {number(high[at], 1)}]" if np.isfinite(low[at]) else ""
        images = f"{int(by_key['n'].values[at]):,} images"
        return (
            f"{plain(model)}, {plain(task)}: {number(values[at], 1)} %{ends} of {images};"
            f" over all images {number(float(of_all.values[at]), 1)} %"
        )

    column = BarColumn(
        "right answers, %",
        values,
        tuple(number(float(value), 1) for value in values),
        (0.0, 100.0),
        marks=np.asarray(of_all.values, float),
    )
    nothing = np.full(len(ids), np.nan)
    ranges = Ranges(low, high, nothing, nothing, ("",) * len(ids))
    return BarData(rows, (column,), describe), ranges


def _rows(table: PerformanceTable, ids: list[tuple[str, str]]) -> list[np.ndarray]:
    """Value, interval and images of each row; per cent."""
    found = [np.full(len(ids), np.nan) for _ in range(4)]
    for row, (model, task) in enumerate(ids):
        if model in table.models and task in table.tasks:
            at = (table.models.index(model), table.tasks.index(task))
            for array, values, factor in zip(
                found, (table.value, table.ci_low, table.ci_high, table.n), (100, 100, 100, 1),
                strict=True,
            ):  # fmt: skip
                array[row] = factor * values[at]
    return found
