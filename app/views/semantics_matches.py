"""UCS of every found concept of a layer of A with every one of a layer of B."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from analysis.figures.semantics_data import MaskSimilarityMatrix, SemanticsIndex
from analysis.figures.words import count
from app.labels import wrapped_label
from app.theme import GRID, font
from app.views.semantics_columns import mask_columns, mask_pairs
from app.views.semantics_words import (
    ACTION,
    EMPTY_MASKS,
    RUN,
    found_name,
    mask_counts,
    mask_line,
    model_word,
    pair_facts,
)
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData
from app.widgets.plotting import pg
from app.widgets.table_twin import TableTwin

_HINT = "Move over a cell to read it; click it for its curve and its masks."
_COMING = "The concepts found in these layers are being read."
_NONE_YET = "The run has not compared these two layers: choose others."


class MatchFrames(pg.GraphicsObject):
    """A ring in each cell of the best assignment, seen on every colour."""

    def __init__(self) -> None:
        super().__init__()
        self.matched = np.zeros((0, 0), bool)
        self.setZValue(5)

    def set_matched(self, matched: np.ndarray) -> None:
        """(rows, columns) bool: the cells with a ring."""
        self.prepareGeometryChange()
        self.matched = np.asarray(matched, bool)
        self.update()

    def boundingRect(self) -> QRectF:
        rows, columns = self.matched.shape
        return QRectF(0, 0, columns, rows)

    def paint(self, painter: QPainter, _option: object, _widget: object = None) -> None:
        transform = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, column in np.argwhere(self.matched).tolist():
            cell = QRectF(
                transform.map(QPointF(column, row)), transform.map(QPointF(column + 1, row + 1))
            ).normalized()
            side = min(cell.width(), cell.height())
            corner = max(3.0, min(side * 0.13, 7.0))
            ring = QRectF(0, 0, corner * 1.6, corner * 1.6)
            ring.moveTopRight(QPointF(cell.right() - 3, cell.top() + 3))
            painter.setPen(QPen(QColor("#FFFFFF"), 1.2))
            painter.setBrush(QColor("#000000"))
            painter.drawEllipse(ring)
        painter.restore()


class MatchHeatmap(Heatmap):
    """Keeps the part that is seen when only the numbers of the same concepts change."""

    def __init__(self, name: str) -> None:
        super().__init__(name, level_columns=True)
        self.frames = MatchFrames()
        self.plot.addItem(self.frames)

    def redraw(self, data: HeatmapData, matched: np.ndarray) -> None:
        """Show another threshold of the same concepts, or other concepts as a whole."""
        before = self.data
        same = before is not None and (before.rows, before.columns, before.row_title) == (
            data.rows, data.columns, data.row_title
        )  # fmt: skip
        seen = self.plot.viewRange()
        self.set_data(data)
        self.frames.set_matched(matched)
        if same:
            self.plot.setRange(xRange=seen[0], yRange=seen[1], padding=0)


class MatchPanel(FigurePanel):
    """`pair_chosen(row, column)` by hand: places among the concepts of A and B."""

    pair_chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.heatmap = MatchHeatmap("Similarity of found concepts")
        self.line = wrapped_label(_HINT)
        self.data: MaskSimilarityMatrix | None = None
        self.pair: tuple[int, int] | None = None
        self._index: SemanticsIndex | None = None
        self._step = 0
        super().__init__(
            "mask-similarity",
            "Found concepts",
            self._make_content(),
            TableTwin("pair"),
            EmptyState(EMPTY_MASKS, RUN, ACTION),
            parent,
        )
        self._make_controls()
        assert self.table is not None
        self.table.row_focused.connect(self._focus_row)
        self.heatmap.cell_hovered.connect(self._hover)
        self.heatmap.cell_focused.connect(self._focus)

    def _make_content(self) -> QWidget:
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setMinimumHeight(3 * self.line.fontMetrics().height() + 2)
        self.line.setAccessibleName("The pair of concepts in words")
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.heatmap, 1)
        layout.addWidget(self.line)
        return content

    def _make_controls(self) -> None:
        self.earlier, self.later = QToolButton(), QToolButton()
        for button, sign, name, slot in (
            (self.earlier, "‹", "Better best match", self._better),
            (self.later, "›", "Next best match", self._worse),
        ):
            button.setText(sign)
            button.setFont(font("small"))
            button.setAccessibleName(name)
            button.setToolTip(name)
            button.clicked.connect(slot)
        self.rank = QLabel()
        self.rank.setFont(font("small", tabular=True))
        self.rank.setAccessibleName("Which best match is chosen")
        for part in (self.earlier, self.rank, self.later):
            self.controls.addWidget(part)

    # -- setters

    def set_index(self, index: SemanticsIndex | None) -> None:
        """Another run: what its models are called."""
        self._index = index

    def show_masks(self, data: MaskSimilarityMatrix | None, step: int) -> None:
        """Show the concepts of two layers at a threshold; the pair stays where it can."""
        self.data = data
        there = data is not None and data.ucs.size > 0
        if self.pair is not None and (
            data is None
            or self.pair[0] >= len(data.concepts_a)
            or self.pair[1] >= len(data.concepts_b)
        ):
            self.pair = None
        self.show_content(there)
        if not there:
            if self._index is None:
                self.empty.set_text(EMPTY_MASKS, RUN, ACTION)
            else:
                self.empty.set_text(_COMING if data is None else _NONE_YET)
        self.set_step(step)

    def say_empty(self, words: str, button: str = "", action: str = "") -> None:
        """Say why there is nothing to show."""
        self.empty.set_text(words, button, action)

    def set_step(self, step: int) -> None:
        """Show another threshold, by its place."""
        assert self.table is not None
        data, index = self.data, self._index
        if data is None or index is None or not data.ucs.size:
            self.heatmap.set_data(None)
            self.heatmap.frames.set_matched(np.zeros((0, 0), bool))
            self.table.set_columns([], [])
            self._rank()
            return
        self._step = min(max(step, 0), len(data.thresholds) - 1)
        values = np.asarray(data.ucs[self._step], float)
        finite = data.ucs[np.isfinite(data.ucs)]
        highest = float(finite.max()) if finite.size else 0.0
        self.heatmap.redraw(
            HeatmapData(
                rows=tuple(found_name(c) for c in data.concepts_a),
                columns=tuple(found_name(c) for c in data.concepts_b),
                values=values,
                null_95=np.asarray(data.null_95[self._step], float),
                row_depths=np.arange(len(data.concepts_a)),
                column_depths=np.arange(len(data.concepts_b)),
                row_title=f"A · {model_word(index.models[0], index.trained[0])} · {data.layer_a}",
                column_title=f"B · {model_word(index.models[1], index.trained[1])}"
                f" · {data.layer_b}",
                value_title="UCS",
                # One scale for all thresholds: a paler map is a map with less in common.
                survives=mask_counts(data)[self._step],
                limits=(0.0, min(1.0, max(0.1, np.ceil(highest * 10) / 10))),
            ),
            data.matched[self._step],
        )
        self.table.set_columns(mask_pairs(data), mask_columns(data, self._step))
        self.set_note(self._note())
        self._place()

    def set_pair(self, pair: tuple[int, int] | None) -> None:
        """Put the crosshair on a pair without telling anyone."""
        self.pair = pair
        self._place()

    def best_pairs(self) -> list[tuple[int, int]]:
        """The best assignment at the threshold shown, the most similar pair first."""
        data = self.data
        if data is None or not data.ucs.size:
            return []
        pairs = [(a, b) for a, b in np.argwhere(data.matched[self._step]).tolist()]
        values = np.nan_to_num(data.ucs[self._step], nan=-1.0)
        return sorted(pairs, key=lambda pair: (-float(values[pair]), pair))

    # -- what is shown

    def _note(self) -> str:
        assert self.data is not None
        there = np.isfinite(self.data.ucs[self._step])
        chance = int((there & ~mask_counts(self.data)[self._step]).sum())
        notes = ["Dot: best assignment."]
        if chance:
            notes.append(f"Hatched: {count(chance, 'pair')} no better than chance.")
        return " ".join(notes)

    def _place(self) -> None:
        data = self.data
        assert self.table is not None
        if data is None or self.pair is None:
            self.heatmap.set_cell(None, None)
            self.table.set_focus(None)
        else:
            first, second = data.concepts_a[self.pair[0]], data.concepts_b[self.pair[1]]
            self.heatmap.set_cell(found_name(first), found_name(second))
            self.table.set_focus(self.pair)
        self._say(self.pair)
        self._rank()

    def _rank(self) -> None:
        best = self.best_pairs()
        for part in (self.earlier, self.later, self.rank):
            part.setVisible(bool(best))
        at = best.index(self.pair) if self.pair in best else None
        self.rank.setText(
            f"best match {at + 1} of {len(best)}" if at is not None
            else count(len(best), "best match", "best matches")
        )  # fmt: skip
        self.earlier.setEnabled(at is None or at > 0)
        self.later.setEnabled(at is None or at + 1 < len(best))

    def _say(self, pair: tuple[int, int] | None) -> None:
        if pair is None or self.data is None or self._index is None:
            self.line.setText(_HINT)
            return
        facts = pair_facts(self.data, *pair)
        first = mask_line(self.data, self._index.models, self._step, *pair)
        self.line.setText(f"{first}. {facts}".rstrip(". ") + ".")

    # -- by hand

    def _places(self, row: str, column: str) -> tuple[int, int]:
        assert self.data is not None
        rows = [found_name(c) for c in self.data.concepts_a]
        columns = [found_name(c) for c in self.data.concepts_b]
        return rows.index(row), columns.index(column)

    def _hover(self, row: str | None, column: str | None) -> None:
        there = row is not None and column is not None and self.data is not None
        pair = self._places(row, column) if there and row and column else None
        self._say(pair or self.pair)

    def _focus(self, row: str, column: str) -> None:
        self._take_pair(self._places(row, column))

    def _focus_row(self, pair: tuple[int, int]) -> None:
        self._take_pair(pair)

    def _better(self) -> None:
        self._walk(-1)

    def _worse(self) -> None:
        self._walk(1)

    def _walk(self, steps: int) -> None:
        best = self.best_pairs()
        if best:
            at = best.index(self.pair) + steps if self.pair in best else 0
            self._take_pair(best[min(max(at, 0), len(best) - 1)])

    def _take_pair(self, pair: tuple[int, int]) -> None:
        if pair != self.pair:
            self.set_pair(pair)
            self.pair_chosen.emit(*pair)
