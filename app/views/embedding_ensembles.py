"""What two models gain by voting together (LCE paper, Fig. 8)."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from analysis.figures.embedding_data import EnsembleGains
from analysis.figures.words import number
from app.theme import font
from app.views.embedding_columns import gain_columns, gain_pairs
from app.views.embedding_words import gain_line, gains_count
from app.views.read_heatmap import ReadHeatmap
from app.widgets.bar_data import upper_limit
from app.widgets.empty_state import EmptyState
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData
from app.widgets.table_twin import TableTwin

_EMPTY = "How much better two models are together than the better one of them alone."
_HINT = "Move over a cell to read it; click to select the two models; double-click to compare them."


class EnsemblesPanel(ReadHeatmap):
    """Gains of every pair, accuracies on the diagonal."""

    pair_chosen = Signal(str, str)
    pair_activated = Signal(str, str)
    task_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        heatmap = Heatmap("Gains of ensembles", with_best=False)
        empty = EmptyState(_EMPTY, "Evaluate models…", "run evaluation")
        table = TableTwin("pair")
        super().__init__("ensembles", "Ensembles", heatmap, table, empty, _HINT, parent)
        self.data: EnsembleGains | None = None
        self.task = QComboBox()
        self.task.setFont(font("small"))
        self.task.setAccessibleName("Task of the ensembles")
        self.task.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.task.setMinimumContentsLength(16)
        self.task.activated.connect(self._choose_task)
        self.controls.addWidget(self.task)
        self.heatmap.cell_hovered.connect(self._hover)
        self.heatmap.cell_focused.connect(self._focus)
        self.heatmap.cell_activated.connect(self._activate)
        assert self.table is not None
        self.table.row_focused.connect(self._focus_row)
        self.table.row_activated.connect(self._activate_row)

    def show_ensembles(self, tasks: tuple[str, ...], data: EnsembleGains | None) -> None:
        """Show a task's ensembles, or the empty state; `tasks` can be chosen."""
        self.data = data if data is not None and len(data.models) > 1 else None
        there = self.data is not None
        self.show_content(there)
        self.line.setVisible(there)
        with QSignalBlocker(self.task):
            self.task.clear()
            self.task.addItems(tasks)
            if data is not None:
                self.task.setCurrentIndex(self.task.findText(data.task))
        assert self.table is not None
        if self.data is None:
            self.heatmap.set_data(None)
            self.table.set_columns([], [])
            return
        names = self.data.models
        self.heatmap.set_data(_matrix(self.data))
        pairs = [(names[i], names[j]) for i, j in gain_pairs(self.data)]
        self.table.set_columns(pairs, gain_columns(self.data))
        self.set_note(
            "Gain over the better one in percentage points; on the diagonal the accuracy alone,"
            " in per cent. Grey and hatched: the 95 % interval holds 0."
        )
        self._say(self.heatmap.cell_names())

    def _choose_task(self) -> None:
        self.task_requested.emit(self.task.currentText())

    def _hover(self, row: str | None, column: str | None) -> None:
        hovered = None if row is None or column is None else (row, column)
        self._say(hovered or self.heatmap.cell_names())

    def _focus(self, row: str, column: str) -> None:
        assert self.table is not None
        for pair in ((row, column), (column, row)):
            if self.table.model.row_of(pair) >= 0:
                self.table.set_focus(pair)
        self._say((row, column))
        self.pair_chosen.emit(row, column)

    def _focus_row(self, pair: tuple[str, str]) -> None:
        self.heatmap.set_cell(*pair)
        self._say(pair)
        self.pair_chosen.emit(*pair)

    def _activate(self, row: str, column: str) -> None:
        if row != column:
            self.pair_activated.emit(row, column)

    def _activate_row(self, pair: tuple[str, str]) -> None:
        self._activate(*pair)

    def _say(self, pair: tuple[str, str] | None) -> None:
        known = self.data is not None and pair is not None
        self.line.setText(
            gain_line(self.data, *pair)
            if known and self.data is not None and pair is not None
            else _HINT
        )


def _matrix(data: EnsembleGains) -> HeatmapData:
    """Percentage points; the first model at the top."""
    models = len(data.models)
    diagonal = np.eye(models, dtype=bool)
    gain = np.where(diagonal, np.nan, 100 * data.gain)
    texts = np.full((models, models), "", dtype=object)
    for i in range(models):
        for j in range(models):
            value = 100 * float(data.performance[i]) if i == j else float(gain[i, j])
            texts[i, j] = number(value, 1) if np.isfinite(value) else ""
    most = upper_limit(gain)
    return HeatmapData(
        rows=data.models[::-1],
        columns=data.models,
        values=gain[::-1],
        null_95=np.full(gain.shape, np.nan),
        row_depths=np.linspace(1, 0, models),
        column_depths=np.linspace(0, 1, models),
        row_title="",
        column_title="",
        value_title="gain, points",
        survives=gains_count(data)[::-1],
        texts=texts[::-1],
        outside=diagonal[::-1],
        limits=(-most, most),
        signed=True,
    )
