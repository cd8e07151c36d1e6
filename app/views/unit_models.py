"""The models of a dissection with what each of them knows; selecting here selects everywhere."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.theme import GRID, font, mute
from app.views.unit_columns import model_columns
from app.views.unit_index import UnitIndex
from app.widgets.table_twin import TableTwin


class UnitModels(QWidget):
    """`models_selected(tuple of names)`, in the order in which they were selected."""

    models_selected = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[str, ...] = ()
        self.twin = TableTwin("model", filters=False)
        self.twin.selection_changed.connect(self._selected)
        self.hint = QLabel("Click a model to see its units alone; with Ctrl, several.")
        self.hint.setFont(font("small"))
        mute(self.hint)
        self.hint.setWordWrap(True)
        self.every = QPushButton("All models")
        self.every.setFont(font("small"))
        self.every.setToolTip("Select no model: the units of all are shown")
        self.every.clicked.connect(self._select_none)
        below = QHBoxLayout()
        below.setSpacing(GRID)
        below.addWidget(self.hint, 1)
        below.addWidget(self.every)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.twin, 1)
        layout.addLayout(below)
        self.set_models(())

    def show_counts(
        self, index: UnitIndex | None, interpretable: np.ndarray, shown: np.ndarray
    ) -> None:
        """Write the amounts that hold now."""
        if index is None:
            self.twin.set_columns([], [])
            return
        columns = model_columns(index, index.by_model(interpretable, shown))
        if list(index.models) != self.twin.model.ids:
            self.twin.set_columns(index.models, columns)
            self.twin.set_selected_rows(self._models)
        else:
            for column in columns[1:4]:
                self.twin.model.replace_values(column.key, column.values)

    def set_models(self, models: tuple[str, ...]) -> None:
        """Show which models are selected without telling anyone."""
        self._models = models
        self.every.setEnabled(bool(models))
        if self.twin.selected_ids() != frozenset(models) & frozenset(self.twin.model.ids):
            self.twin.set_selected_rows(models)

    def _selected(self, chosen: frozenset[str]) -> None:
        kept = [model for model in self._models if model in chosen]
        added = [model for model in self.twin.model.shown_ids() if model in chosen - set(kept)]
        models = tuple(map(str, (*kept, *added)))
        if models != self._models:
            self.set_models(models)
            self.models_selected.emit(models)

    def _select_none(self) -> None:
        self.set_models(())
        self.models_selected.emit(())
