"""Paired differences between methods of one model and between models with one method."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from analysis.figures.saliency_data import FaithfulnessComparisons, FaithfulnessSummary
from app.theme import font
from app.views.saliency_layout import Places
from app.views.saliency_metric_columns import comparison_columns
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.table_twin import TableTwin

_EMPTY = (
    "Which methods, and which models, differ in a metric by more than chance: paired tests over "
    "the same images."
)
_NOTE = (
    "Positive: the first has the higher value; the arrow beside a metric says which way is better. "
    "Double-click a row to see both maps side by side."
)
_ALL, _METHODS, _MODELS = "everything", "methods", "models"


class SaliencyDifferencesPanel(FigurePanel):
    """`pair_opened((model, method), (model, method))`: a row was opened."""

    pair_opened = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.twin = TableTwin("difference")
        super().__init__(
            "faithfulness", "Differences", self.twin, None, EmptyState(_EMPTY), parent, self.twin
        )
        self.data: FaithfulnessComparisons | None = None
        self._summary: FaithfulnessSummary | None = None
        self._places: Places | None = None
        self.kind = QComboBox()
        self.kind.setAccessibleName("What is compared")
        self.kind.setFont(font("small"))
        self.kind.addItem("methods and models", _ALL)
        self.kind.addItem("methods of one model", _METHODS)
        self.kind.addItem("models with one method", _MODELS)
        self.kind.activated.connect(self._show)
        self.controls.addWidget(self.kind)
        self.twin.row_activated.connect(self._open)

    def set_places(self, places: Places | None) -> None:
        """Another run: its methods have names."""
        self._places = places
        self._show()

    def set_metrics(self, summary: FaithfulnessSummary | None) -> None:
        """What the metrics are called."""
        self._summary = summary
        self._show()

    def show_comparisons(self, comparisons: FaithfulnessComparisons | None) -> None:
        """Show the comparisons of a run, or say what would be here."""
        self.data = comparisons
        self._show()

    def _show(self) -> None:
        data = self.data
        there = data is not None and len(data.metric) > 0
        self.show_content(there)
        if data is None or not there:
            self.twin.set_columns([], [])
            return
        summary, places = self._summary, self._places
        metrics = {m.key: m for m in summary.metrics} if summary is not None else {}
        methods = summary.methods if summary is not None else ()
        if places is not None:
            methods = (*methods, *places.index.methods)
        titles = {method.label: method.title for method in methods}
        self.twin.set_columns(
            list(range(len(data.metric))), comparison_columns(data, metrics, titles)
        )
        same = data.model_a == data.model_b
        kind = self.kind.currentData()
        kept = {_ALL: np.ones(len(same), dtype=bool), _METHODS: same, _MODELS: ~same}[kind]
        self.twin.model.set_kept(np.asarray(kept, dtype=bool))
        self.set_note(_NOTE)

    def _open(self, row: int | None) -> None:
        data = self.data
        if data is None or row is None:
            return
        first = (str(data.model_a[row]), str(data.method_a[row]))
        second = (str(data.model_b[row]), str(data.method_b[row]))
        self.pair_opened.emit(first, second)
