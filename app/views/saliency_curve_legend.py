"""The legend of the curves: a chip a selected map, with its areas and its value at the scrubber."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QWidget

from analysis.figures.palette import series_mark
from analysis.figures.words import number, shorten_middle
from app.theme import GRID, font, theme
from app.views.saliency_grid_delegate import ink_on
from app.views.saliency_words import LETTERS
from app.widgets.flow_layout import FlowLayout

_MOST_SIGNS = 52
_BADGE = 16


class CurveChip(QAbstractButton):
    """The letter of a map in its colour, its name, and numbers of its curves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = 0
        self.setCheckable(True)
        self.setFont(font("small", tabular=True))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_entry(
        self, place: int, short: str, name: str, value: float, areas: tuple[float, float]
    ) -> None:
        """Write what is known of a map's curves."""
        self.place = place
        insertion, deletion = (number(area) for area in areas)
        self.setText(f"{shorten_middle(short, _MOST_SIGNS)}   {number(value)}")
        self.setToolTip(
            f"{name}\narea of insertion {insertion}, of deletion {deletion}\n"
            f"at the scrubber {number(value, 3)}"
        )
        self.setAccessibleName(f"{LETTERS[place]}: {name}")
        self.setAccessibleDescription(self.toolTip())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + _BADGE + 22, _BADGE + 8)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = self.rect().adjusted(0, 0, -1, -1)
        tokens = theme()
        painter.setPen(QPen(tokens.colour("focus" if self.isChecked() else "border"), 1))
        painter.setBrush(tokens.colour("highlight" if self.isChecked() else "surface"))
        painter.drawRect(area)
        if self.hasFocus():
            painter.setPen(QPen(tokens.colour("focus"), 1, Qt.PenStyle.DotLine))
            painter.drawRect(area.adjusted(2, 2, -2, -2))
        colour = QColor(series_mark(self.place).colour)
        badge = self.rect().adjusted(4, 4, 0, 0)
        badge.setSize(QSize(_BADGE, _BADGE))
        painter.fillRect(badge, colour)
        painter.setFont(font("small", bold=True))
        painter.setPen(ink_on(colour))
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), LETTERS[self.place])
        painter.setFont(self.font())
        painter.setPen(tokens.colour("highlight_text" if self.isChecked() else "text"))
        room = self.rect().adjusted(_BADGE + 10, 0, -6, 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, int(flags), self.text())


class CurveLegend(QWidget):
    """`chosen(place among the entries)` by hand."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: list[CurveChip] = []
        self.group = QButtonGroup(self)
        self.group.setExclusive(True)
        self.group.idClicked.connect(self.chosen)
        self._flow = FlowLayout(self, spacing=GRID // 2)

    def show_entries(
        self,
        names: Sequence[tuple[int, str, str]],
        values: Sequence[float],
        areas: Sequence[tuple[float, float]],
        active: int | None,
    ) -> None:
        """Show some maps: place among the selected ones, short and whole name, value, areas; one is
        active."""
        while len(self.chips) < len(names):
            chip = CurveChip(self)
            self.group.addButton(chip, len(self.chips))
            self._flow.addWidget(chip)
            self.chips.append(chip)
        for at, chip in enumerate(self.chips):
            chip.setVisible(at < len(names))
            if at < len(names):
                chip.show_entry(*names[at], values[at], areas[at])
                chip.setChecked(at == active)
        self._flow.invalidate()
