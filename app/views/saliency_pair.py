"""Two selected maps side by side, large; they zoom and move together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from analysis.figures.palette import series_mark
from analysis.figures.saliency_data import Cell, SaliencyMap
from analysis.figures.words import count
from app.labels import ElidedLabel
from app.theme import GRID, font
from app.views.saliency_grid_delegate import heat_picture, ink_on
from app.views.saliency_layout import Places
from app.views.saliency_words import LETTERS, cell_hint, cell_name, percent, short_class
from app.widgets.heat_canvas import ColourBar, HeatCanvas, Zoom
from app.widgets.heat_pictures import HeatLook, span_of
from app.widgets.image_source import ImageSource
from app.widgets.quantities import significant
from app.widgets.tick_box import TickBox

_FIRST = "Click a map of the grid to see it large."
_SECOND = "Ctrl+click another map to see both side by side."
_COMING = "The map is being read."


class LetterBadge(QLabel):
    """The letter of a selected map in its colour."""

    def __init__(self, place: int, parent: QWidget | None = None) -> None:
        super().__init__(LETTERS[place], parent)
        colour = QColor(series_mark(place).colour)
        self.setFont(font("small", bold=True))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFixedSize(18, 18)
        self.setStyleSheet(f"background: {colour.name()}; color: {ink_on(colour).name()};")


class _Side(QWidget):
    """One of both maps with its name, its colours and its facts."""

    def __init__(self, place: int, zoom: Zoom, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.badge = LetterBadge(place)
        self.name = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.name.setFont(font("body"))
        self.canvas = HeatCanvas(f"Map {LETTERS[place]}", zoom)
        self.canvas.frame_colour = QColor(series_mark(place).colour)
        self.bar = ColourBar()
        self.facts = ElidedLabel()
        self.facts.setFont(font("small"))
        self.facts.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.badge)
        head.addWidget(self.name, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(head)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.facts)


class SaliencyPairPanel(QWidget):
    """The first two of the selected maps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zoom = Zoom(self)
        self.sides = (_Side(0, self.zoom), _Side(1, self.zoom))
        self._places: Places | None = None
        self._cells: tuple[Cell, ...] = ()
        self._map_of: Callable[[Cell], SaliencyMap | None] | None = None
        self._look = HeatLook()
        self.common = TickBox("One scale for both")
        self.common.setFont(font("small"))
        self.common.setToolTip(
            "Both maps in the colours of one scale; of use where both are of one method, since "
            "each method has its own units"
        )
        self.common.toggled.connect(self._show)
        self.readout = ElidedLabel()
        self.readout.setFont(font("small", tabular=True))
        self.readout.setAccessibleName("Values under the pointer")
        line = QHBoxLayout()
        line.addWidget(self.readout, 1)
        line.addWidget(self.common)
        pair = QHBoxLayout()
        pair.setSpacing(2 * GRID)
        for side in self.sides:
            pair.addWidget(side, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(pair, 1)
        layout.addLayout(line)
        self.zoom.pointed.connect(self._read)
        self._show()

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        for side in self.sides:
            side.canvas.set_source(source)

    def set_look(self, look: HeatLook) -> None:
        """Lay the maps over the pictures in another way."""
        self._look = look
        for side in self.sides:
            side.canvas.set_look(look)
            side.bar.show_span(side.canvas.picture, look)

    def forget(self) -> None:
        """Another run: its maps are others."""
        for side in self.sides:
            side.canvas.forget()

    def show_cells(
        self,
        places: Places | None,
        cells: Sequence[Cell],
        map_of: Callable[[Cell], SaliencyMap | None],
    ) -> None:
        """Show the first two of some maps."""
        self._places, self._cells, self._map_of = places, tuple(cells), map_of
        self._show()

    def _show(self) -> None:
        found = [self._map_at(place) for place in (0, 1)]
        same = len(self._cells) > 1 and self._cells[0].method == self._cells[1].method
        self.common.setEnabled(same)
        span = None
        if self.common.isChecked() and same and all(f is not None for f in found):
            spans = [span_of(f.values) for f in found if f is not None]
            span = (min(low for low, _ in spans), max(high for _, high in spans))
        for place, (side, one) in enumerate(zip(self.sides, found, strict=True)):
            self._show_side(side, place, one, span)
        self._read()

    def _map_at(self, place: int) -> SaliencyMap | None:
        there = place < len(self._cells) and self._map_of is not None
        return self._map_of(self._cells[place]) if there and self._map_of is not None else None

    def _show_side(
        self, side: _Side, place: int, found: SaliencyMap | None, span: tuple[float, float] | None
    ) -> None:
        there = place < len(self._cells) and self._places is not None
        side.badge.setVisible(there)
        side.name.setVisible(there)
        if not there or self._places is None:
            words = _FIRST if place == 0 else (_SECOND if self._cells else "")
            side.canvas.show_picture(None, words)
            side.canvas.setToolTip("")
            side.facts.setText("")
        else:
            cell = self._cells[place]
            side.name.setText(cell_name(self._places, cell))
            known = self._places.has(cell)
            words = _COMING if known else f"No map: {self._places.reason(cell)}"
            side.canvas.show_picture(None if found is None else heat_picture(found, span), words)
            side.canvas.setToolTip(cell_hint(self._places, cell, found))
            side.facts.setText("" if found is None else _facts(found))
        side.bar.show_span(side.canvas.picture, self._look)

    def _read(self) -> None:
        """The values of both maps under the pointer."""
        values = [side.canvas.value_at(self.zoom.pointer) for side in self.sides]
        for side, value in zip(self.sides, values, strict=True):
            side.bar.set_mark(value)
        parts = [
            f"{LETTERS[place]} {significant(value)}"
            for place, value in enumerate(values)
            if value is not None
        ]
        self.readout.setText("under the pointer: " + ", ".join(parts) if parts else self._hint())

    def _hint(self) -> str:
        if len(self._cells) > 2:
            return f"The first two of {count(len(self._cells), 'selected map')}."
        return (
            "Wheel: zoom both; drag: move both; double click: whole picture." if self._cells else ""
        )


def _facts(found: SaliencyMap) -> str:
    parts = [short_class(found) or "no class", found.layer, f"{percent(found.tied)} tied"]
    return " · ".join(part for part in (*parts, found.note) if part)
