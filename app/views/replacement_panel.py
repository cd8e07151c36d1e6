"""The replacement test: what changes when a concept is replaced by its prediction (Fig. 4)."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from analysis.figures.data import ReplacementPoints
from analysis.figures.words import count
from app.theme import SIDE_SYMBOLS, theme
from app.views.columns import replacement_columns
from app.views.concept_words import replacement_line
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.scatter_plot import ScatterPlot
from app.widgets.table_twin import TableTwin

_EMPTY = "What changes in a model when a concept is replaced by the other model's prediction of it."
_CHANGE = "Δ Pearson (same − cross)"
_AXES = (
    ("l2", "l₂ distance"),
    ("kl", "KL divergence (nats)"),
    ("match_accuracy", "predictions that stay"),
)
_STYLES = tuple(PointStyle(SIDE_SYMBOLS[s], "muted", 7.0) for s in ("a", "b"))


class ReplacementPanel(FigurePanel):
    """Three plots over the same concepts, coloured by importance; selection is shared."""

    concept_focused = Signal(object)
    concept_activated = Signal(object)
    concept_hovered = Signal(object)
    selection_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.plots = {key: ScatterPlot(f"Replacement test: {title}") for key, title in _AXES}
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for plot in self.plots.values():
            layout.addWidget(plot)
        empty = EmptyState(_EMPTY, "Compare concepts…", "run concepts")
        super().__init__(
            "replacement", "Replacement test", row, TableTwin("concept"), empty, parent
        )
        self.data: ReplacementPoints | None = None
        self._place_of: dict[int, int] = {}
        self._kept = np.zeros(0, dtype=int)
        for plot in self.plots.values():
            plot.point_focused.connect(self._focus)
            plot.point_activated.connect(self.concept_activated)
            plot.point_hovered.connect(self.concept_hovered)
            plot.selection_changed.connect(self._select)
        assert self.table is not None
        self.table.row_focused.connect(self._focus)
        self.table.row_activated.connect(self.concept_activated)
        self.table.row_hovered.connect(self.concept_hovered)
        self.table.selection_changed.connect(self._select)
        theme().changed.connect(self._redraw)

    def show_points(self, data: ReplacementPoints | None, class_name: str | None) -> None:
        """Show the concepts of one class, or of all."""
        assert self.table is not None
        self.data = data
        there = data is not None and len(data.concept_id) > 0
        self.show_content(there)
        if data is None or not there:
            self.table.set_columns([], [])
            for plot in self.plots.values():
                plot.set_data(None)
            return
        shown = (
            np.ones(len(data.side), bool) if class_name is None else data.class_name == class_name
        )
        self._kept = np.flatnonzero(shown)
        ids = data.concept_id[self._kept].tolist()
        self._place_of = dict(zip(ids, self._kept.tolist(), strict=True))
        self.table.set_columns(ids, replacement_columns(data, self._kept))
        for key, _ in _AXES:
            has_numbers = bool(np.isfinite(getattr(data, key)[self._kept]).any())
            self.plots[key].setVisible(has_numbers or key == "l2")
            self.plots[key].set_data(self._scatter_data(data, key))
        self.set_note(self._note(data))

    def set_focus(self, identity: int | None) -> None:
        """Ring a concept everywhere."""
        assert self.table is not None
        for plot in self.plots.values():
            plot.set_focus(identity)
        self.table.set_focus(identity)

    def set_selection(self, identities: frozenset[int]) -> None:
        """Ring the shared selection everywhere."""
        assert self.table is not None
        for plot in self.plots.values():
            plot.set_selection(identities)
        self.table.set_selection(identities)

    def set_hover(self, identity: int | None) -> None:
        """Ring the concept that is hovered elsewhere."""
        for plot in self.plots.values():
            plot.set_hover(identity)

    def show_everything(self) -> None:
        for plot in self.plots.values():
            plot.show_all()

    def _scatter_data(self, data: ReplacementPoints, key: str) -> ScatterData:
        importance = data.importance[self._kept]
        known = np.isfinite(importance).any()
        return ScatterData(
            ids=data.concept_id[self._kept],
            x=data.delta_pearson[self._kept],
            y=getattr(data, key)[self._kept],
            x_title=_CHANGE,
            y_title=dict(_AXES)[key],
            group=(data.side[self._kept] == "b").astype(int),
            styles=_STYLES,
            level=importance if known else None,
            describe=self._describe,
            y_bounds=(-0.03, 1.03) if key == "match_accuracy" else None,
        )

    def _note(self, data: ReplacementPoints) -> str:
        who = f"● concepts of {data.model_a}   ■ concepts of {data.model_b}"
        known = np.isfinite(data.importance[self._kept]).any()
        parts = [who + "   brighter: more important" if known else who]
        if np.isnan(data.kl[self._kept]).all():
            parts.append("no logits to compare: the models have no classification head")
        elif left := max(plot.left_out for plot in self.plots.values()):
            parts.append(f"{count(left, 'concept')} without a number: in the table alone")
        return "\n".join(parts)

    def _describe(self, identity: int) -> str:
        place = self._place_of.get(identity)
        return "" if place is None or self.data is None else replacement_line(self.data, place)

    def _focus(self, identity: int | None) -> None:
        self.set_focus(identity)
        self.concept_focused.emit(identity)

    def _select(self, identities: frozenset[int]) -> None:
        self.set_selection(identities)
        self.selection_changed.emit(identities)

    def _redraw(self) -> None:
        if self.data is not None and len(self._kept):
            for key, plot in self.plots.items():
                plot.recolour(self._scatter_data(self.data, key))
