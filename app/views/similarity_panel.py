"""Similarity against importance of every concept (paper, Fig. 3)."""

from __future__ import annotations

import html

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLabel, QWidget

from analysis.figures.data import ConceptPoints
from analysis.figures.density import point_density
from analysis.figures.words import count
from app.theme import MODEL_COLOURS, SIDE_SYMBOLS, font, mute, theme
from app.views.concept_regions import ConceptRegions
from app.views.concept_words import point_line
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.scatter_plot import ScatterPlot
from app.widgets.table_twin import TableTwin

_EMPTY = "How well each model predicts the other's concepts, and how much each concept matters."
_STYLES = tuple(PointStyle(SIDE_SYMBOLS[s], MODEL_COLOURS[s], 8.0) for s in ("a", "b"))


class SimilarityPanel(FigurePanel):
    """x is the CMCS, y the importance; both models' concepts, circles of A and squares of B."""

    thresholds_changed = Signal(float, float)

    def __init__(self, twin: TableTwin | None = None, parent: QWidget | None = None) -> None:
        twin = twin or TableTwin("concept")
        self.scatter = ScatterPlot("Similarity and importance of concepts")
        empty = EmptyState(_EMPTY, "Compare concepts…", "run concepts")
        super().__init__(
            "concepts", "Similarity and importance", self.scatter, None, empty, parent, twin
        )
        self.twin = twin  # which the view puts below
        self.data: ConceptPoints | None = None
        self._kept = np.zeros(0, dtype=int)
        self._place_of: dict[int, int] = {}
        self._density = np.zeros(0)
        self.regions = ConceptRegions(self.scatter)
        self.colouring = QComboBox()
        self.colouring.setAccessibleName("Colour of the points")
        self.colouring.setFont(font("small"))
        self.colouring.addItems(["by density", "by model"])
        self.colouring.setCurrentIndex(1)
        self.colouring.setToolTip("What the points' colours say: whose concepts, or how many")
        self.colouring.activated.connect(self._recolour)
        self.controls.addWidget(self.colouring)
        self.similarity = self._threshold("similar ≥", "Similar from this CMCS", 0.5, -1.0)
        self.importance = self._threshold("important ≥", "Important from this share", 0.3, 0.0)
        self.regions.thresholds_changed.connect(self._dragged)
        theme().changed.connect(self._recolour)

    def _threshold(self, text: str, name: str, value: float, low: float) -> QDoubleSpinBox:
        label = QLabel(text)
        label.setFont(font("small"))
        mute(label)
        box = QDoubleSpinBox()
        box.setFont(font("small", tabular=True))
        box.setAccessibleName(name)
        box.setToolTip(f"{name}; the line in the plot can be dragged as well")
        box.setRange(low, 1.0)
        box.setSingleStep(0.05)
        box.setValue(value)
        box.valueChanged.connect(self._typed)
        label.setBuddy(box)
        self.controls.addWidget(label)
        self.controls.addWidget(box)
        return box

    def show_points(self, data: ConceptPoints | None, class_name: str | None) -> np.ndarray:
        """Show the concepts of one class, or of all; returns their places in the data."""
        self.data = data
        there = data is not None and len(data.concept_id) > 0
        self.show_content(there)
        if data is None or not there:
            self._kept, self._place_of = np.zeros(0, dtype=int), {}
            self.scatter.set_data(None)
            return self._kept
        shown = (
            np.ones(len(data.side), bool) if class_name is None else data.class_name == class_name
        )
        self._kept = np.flatnonzero(shown)
        ids = data.concept_id[self._kept].tolist()
        self._place_of = dict(zip(ids, self._kept.tolist(), strict=True))
        self._density = _density(data, self._kept)
        self.scatter.set_data(self._scatter_data(data))
        nulls = data.null_95[self._kept]
        nulls = nulls[np.isfinite(nulls)]
        self.scatter.set_chance_marks([float(np.median(nulls))] if nulls.size else [])
        self.regions.count()
        self.set_note(self._note(data))
        return self._kept

    def show_focus(self, identity: int | None) -> None:
        """Ring a concept and draw its interval."""
        self.scatter.set_focus(identity)
        place = None if identity is None else self._place_of.get(identity)
        if place is None or self.data is None:
            self.scatter.show_interval([], [])
            return
        low, high = float(self.data.ci_low[place]), float(self.data.ci_high[place])
        level = float(self.data.importance[place])
        there = np.isfinite([low, high, level]).all()
        self.scatter.show_interval([low, high] if there else [], [level] * 2 if there else [])

    def set_thresholds(self, similarity: float, importance: float) -> None:
        """Move the borders of the regions."""
        for box, value in ((self.similarity, similarity), (self.importance, importance)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.regions.set_thresholds(similarity, importance)

    @property
    def _by_model(self) -> bool:
        return self.colouring.currentIndex() == 1

    def _scatter_data(self, data: ConceptPoints) -> ScatterData:
        kept = self._kept
        lowest = float(np.nanmin([0.0, *data.cmcs_pearson.tolist()]))
        return ScatterData(
            ids=data.concept_id[kept],
            x=data.cmcs_pearson[kept],
            y=data.importance[kept],
            x_title="similarity to the other model (CMCS)",
            y_title="importance",
            group=(data.side[kept] == "b").astype(int),
            styles=_STYLES,
            level=None if self._by_model else self._density,
            describe=self._describe,
            x_bounds=(lowest - 0.04, 1.03),
            y_bounds=(-0.1, 1.13),
            y_limits=(0.0, 1.0),  # room for the names of the regions
        )

    def _describe(self, identity: int) -> str:
        place = self._place_of.get(identity)
        return "" if place is None or self.data is None else point_line(self.data, place)

    def _note(self, data: ConceptPoints) -> str:
        signs = [
            f'<span style="color: {MODEL_COLOURS[side]}">{sign}</span>' if self._by_model else sign
            for side, sign in (("a", "●"), ("b", "■"))
        ]
        a, b = html.escape(data.model_a), html.escape(data.model_b)
        lines = [
            f"{signs[0]} concepts of {a}, predicted by {b}",
            f"{signs[1]} concepts of {b}, predicted by {a}",
        ]
        if self.scatter.is_density:
            lines.append(f"{count(len(self.scatter.points), 'concept')} drawn as their density")
        if self.scatter.left_out:
            missing = count(self.scatter.left_out, "concept")
            lines.append(f"{missing} without importance or similarity: in the table alone")
        return "<br>".join(lines)

    def _recolour(self) -> None:
        if self.data is not None and len(self._kept):
            self.scatter.recolour(self._scatter_data(self.data))
            self.set_note(self._note(self.data))

    def _typed(self) -> None:
        self.regions.set_thresholds(self.similarity.value(), self.importance.value())
        self.thresholds_changed.emit(self.similarity.value(), self.importance.value())

    def _dragged(self, similarity: float, importance: float) -> None:
        self.set_thresholds(similarity, importance)
        self.thresholds_changed.emit(similarity, importance)


def _density(data: ConceptPoints, kept: np.ndarray) -> np.ndarray:
    """Density at each point on a square root scale, so that few points differ as many do."""
    x, y = data.cmcs_pearson[kept], data.importance[kept]
    there = np.isfinite(x) & np.isfinite(y)
    result = np.zeros(len(kept))
    result[there] = np.sqrt(point_density(x[there], y[there]))
    return result
