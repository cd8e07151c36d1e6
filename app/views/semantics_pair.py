"""A pair of found concepts: its similarity over thresholds, and its masks over the same images."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QWidget

from analysis.figures.semantics_data import MaskSimilarityMatrix, ProjectedMasks, SemanticsIndex
from analysis.figures.words import count, number
from app.theme import font, theme
from app.views.map_peaks import mask_columns
from app.views.semantics_columns import robustness_columns
from app.views.semantics_words import EMPTY_PAIR, EMPTY_ROBUSTNESS, mask_counts
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.image_source import ImageSource
from app.widgets.line_plot import LinePlot, Series
from app.widgets.mask_pairs import MODES, MaskPair, MaskPairGrid
from app.widgets.table_twin import TableTwin

_MODE_WORDS = {"mask": "masks", "map": "before the threshold", "image": "images alone"}
_MODE_HINTS = {
    "mask": "Bright where the concept is above the threshold",
    "map": "How strong the concept is, 0 to 1, from dark to yellow",
    "image": "The images without anything over them",
}
_COMING = "The masks of this pair are being read."


class RobustnessPanel(FigurePanel):
    """`step_chosen(place)`: another threshold by its place, by hand."""

    step_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.lines = LinePlot("Similarity over thresholds", "threshold", "UCS")
        super().__init__(
            "robustness",
            "Robustness",
            self.lines,
            TableTwin("threshold", filters=False),
            EmptyState(EMPTY_ROBUSTNESS),
            parent,
        )
        self.data: MaskSimilarityMatrix | None = None
        self.pair: tuple[int, int] | None = None
        self._step = 0
        self.lines.moved.connect(self._move)
        self.lines.stepped.connect(self._walk)
        self.lines.series_pressed.connect(self._press)
        theme().changed.connect(self._draw)

    def show_pair(
        self, data: MaskSimilarityMatrix | None, pair: tuple[int, int] | None, step: int
    ) -> None:
        """Show the curve of a pair, and the threshold in use."""
        self.data, self.pair, self._step = data, pair, step
        self._draw()

    def set_step(self, step: int) -> None:
        """Move the line to another threshold."""
        self._step = step
        if self.data is not None and self.pair is not None:
            self._read()

    def _draw(self) -> None:
        data, pair = self.data, self.pair
        assert self.table is not None
        there = data is not None and pair is not None and data.ucs.size > 0
        self.show_content(there)
        if data is None or pair is None or not there:
            self.table.set_columns([], [])
            return
        row, column = pair
        x = np.asarray(data.thresholds, float)
        ends = (float(x.min()), float(x.max()))
        across = ends if ends[1] > ends[0] else (ends[0] - 0.1, ends[1] + 0.1)
        arrays = (data.ucs, data.ci_high, data.null_95)
        shown = np.concatenate([np.asarray(a)[:, row, column] for a in arrays])
        finite = shown[np.isfinite(shown)]
        highest = float(finite.max()) if finite.size else 1.0
        self.lines.set_bounds(across, (0.0, max(0.1, min(1.0, np.ceil(highest * 10) / 10))))
        null = data.null_95[:, row, column]
        text = theme().colour("text")
        self.lines.show_series(
            [
                Series("chance", x, null, theme().colour("muted"), dashed=True),
                Series("ucs", x, data.ucs[:, row, column], QColor(text), "o",
                       data.ci_low[:, row, column], data.ci_high[:, row, column],
                       mask_counts(data)[:, row, column], front=True),
            ]
        )  # fmt: skip
        self.table.set_columns(list(range(len(x))), robustness_columns(data, row, column))
        self.set_note("Band: 95 % interval over images. Dashed: chance. Drag the line, or ← →.")
        self._read()

    def _read(self) -> None:
        assert self.data is not None
        assert self.pair is not None
        step = min(max(self._step, 0), len(self.data.thresholds) - 1)
        threshold = float(self.data.thresholds[step])
        value = float(self.data.ucs[(step, *self.pair)])
        self.lines.set_line(threshold)
        self.lines.describe(f"UCS {number(value)} at the threshold {number(threshold)}")

    # -- by hand

    def _move(self, threshold: float) -> None:
        if self.data is not None:
            apart = np.abs(np.asarray(self.data.thresholds, float) - threshold)
            self._take(int(apart.argmin()))

    def _walk(self, right: int) -> None:
        if self.data is not None:
            self._take(min(max(self._step + right, 0), len(self.data.thresholds) - 1))

    def _press(self, _identity: Hashable, place: int) -> None:
        self._take(place)

    def _take(self, step: int) -> None:
        if step != self._step:
            self.set_step(step)
            self.step_chosen.emit(step)


class MaskPairPanel(FigurePanel):
    """The masks of the chosen pair, A left and B right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.grid = MaskPairGrid("Masks of both concepts, A left and B right, an image a pair")
        super().__init__(
            "mask-pair", "Masks", self.grid, TableTwin("image"), EmptyState(EMPTY_PAIR), parent
        )
        assert self.table is not None
        self.table.row_focused.connect(self._focus_row)
        self.table.row_activated.connect(self._open_row)
        self.grid.item_focused.connect(self.table.set_focus)
        self.shown: ProjectedMasks | None = None
        self._index: SemanticsIndex | None = None
        self._names: dict[int, str] = {}
        self.mode = QComboBox()
        self.mode.setAccessibleName("What is shown of the masks")
        self.mode.setFont(font("small"))
        for place, mode in enumerate(MODES):
            self.mode.addItem(_MODE_WORDS[mode], mode)
            self.mode.setItemData(place, _MODE_HINTS[mode], Qt.ItemDataRole.ToolTipRole)
        self.mode.activated.connect(self._choose_mode)
        self.controls.addWidget(self.mode)

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.grid.set_source(source)

    def set_index(self, index: SemanticsIndex | None) -> None:
        """Another run: what its images are called."""
        self._index = index
        self._names = (
            {}
            if index is None
            else dict(zip(index.images.tolist(), index.image_names, strict=True))
        )

    def show_pair(self, masks: ProjectedMasks | None, coming: bool = False) -> None:
        """Show the masks of a pair; `coming`: they are on their way."""
        self.shown = masks
        there = masks is not None and len(masks.images) > 0
        self.show_content(there)
        self.empty.set_text(_COMING if coming else EMPTY_PAIR)
        if masks is None or not there:
            self.grid.show_pairs([], [])
            self._fill_table(None)
            return
        pairs = [
            MaskPair(place, int(image), region, masks.values_a[place], masks.values_b[place])
            for place, (image, region) in enumerate(
                zip(masks.images.tolist(), masks.regions, strict=True)
            )
        ]
        self.grid.show_pairs(pairs, [self._caption(masks, pair.image) for pair in pairs])
        self._fill_table(masks)
        self._note(masks)

    def _fill_table(self, masks: ProjectedMasks | None) -> None:
        assert self.table is not None
        if masks is None:
            self.table.set_columns([], [])
            return
        images = masks.images.tolist()
        names = [self._names.get(image, f"image {image}") for image in images]
        self.table.set_columns(list(range(len(images))), mask_columns(masks, names))

    def set_threshold(self, threshold: float) -> None:
        """Cut the masks elsewhere."""
        self.grid.set_threshold(threshold)
        if self.shown is not None:
            self._note(self.shown)

    def _caption(self, masks: ProjectedMasks, image: int) -> str:
        name = self._names.get(image, f"image {image}")
        return (
            f"{name}\nleft: A, concept {masks.concept_a + 1} of {masks.layer_a}\n"
            f"right: B, concept {masks.concept_b + 1} of {masks.layer_b}"
        )

    def _note(self, masks: ProjectedMasks) -> None:
        shown = count(len(masks.images), "image")
        self.set_note(
            f"Left, blue: concept {masks.concept_a + 1} of A. Right, vermilion: concept "
            f"{masks.concept_b + 1} of B. {shown}, "
            f"threshold {number(self.grid.threshold)}. Enter or a double click: large."
        )

    def _focus_row(self, place: int) -> None:
        self.grid.set_focus(place)

    def _open_row(self, place: int) -> None:
        """Enter in the table: that pair of pictures, large."""
        self.show_table(False)
        self.grid.set_alone(place)

    def _choose_mode(self) -> None:
        self.grid.set_mode(self.mode.currentData())
