"""How well the models do on the images of a slice, beside all images."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from analysis.figures.embedding_data import PerformanceTable
from app import theme
from app.labels import wrapped_label
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

_NOTHING = (
    "No run keeps answers to the images of this slice: evaluate the models on its image set, with"
    " k-NN or the linear probe. Imported tables and prototypes keep none."
)
_WORDS = (
    "Share of right answers in per cent, with its 95 % interval over images. A slice that was made"
    " by the answers themselves tells nothing new about the models that it was made by."
)


class PerformanceDialog(QDialog):
    """A table: one row a model and task."""

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
        self.table = TableTwin("row", "rows")
        ids, columns = performance_columns(sliced, whole)
        self.words = wrapped_label(_WORDS if ids else _NOTHING, muted=True)
        self.table.set_columns(ids, columns)
        self.table.setVisible(bool(ids))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.PADDING,) * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self.words)
        column.addWidget(self.table, 1)
        column.addWidget(buttons)
        self.resize(760, 520 if ids else 160)


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
