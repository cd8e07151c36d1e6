"""Faithfulness in numbers: a row a method (or a model), a column a metric, null maps as chance."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from analysis.figures.saliency_data import FaithfulnessSummary
from analysis.figures.words import count, number
from app.theme import font, theme
from app.views.saliency_layout import KIND_WORDS, NULL_KIND, Head
from app.views.saliency_metric_columns import (
    Row,
    amount,
    marks,
    metric_columns,
    rows_of_method,
    rows_of_model,
)
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.head_view import HeadView
from app.widgets.table_model import NO_VALUE, Column
from app.widgets.table_twin import TableTwin

Index = QModelIndex | QPersistentModelIndex
LEVEL = "≈"
"""Before a mean that no test tells from the best one."""

_EMPTY = "How far each method's maps may be believed, with chance in the same table."
_OF_MODEL = (
    f"Bold: best, told from all others by the paired test. {LEVEL} not told from the best. "
    "Italics: null maps, chance."
)
_OF_METHOD = "95 % intervals over images. Whether two models differ stands under Differences."
_ROW = 36
_LINE = 16
_METHODS, _MODELS = "methods", "models"


class SaliencyMetricsPanel(FigurePanel):
    """`method_chosen(label)` and `model_chosen(name)`: a row was chosen by hand."""

    method_chosen = Signal(str)
    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.twin = TableTwin("row", filters=False)
        super().__init__(
            "faithfulness", "Faithfulness", self.twin, None, EmptyState(_EMPTY), parent, self.twin
        )
        self.summary: FaithfulnessSummary | None = None
        self._model = self._method = ""
        self._kinds: dict[str, str] = {}
        self._rows: list[Row] = []
        self.kind = QComboBox()
        self.kind.setAccessibleName("What stands in the rows")
        self.kind.setFont(font("small"))
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.kind.addItem("methods of one model", _METHODS)
        self.kind.addItem("models with one method", _MODELS)
        self.kind.activated.connect(self._show)
        self.controls.addWidget(self.kind)
        self._set_up_table()

    def _set_up_table(self) -> None:
        table = self.twin.table
        self.heads = HeadView(Qt.Orientation.Vertical, self._head, self._stands_out, table)
        self.heads.setFixedWidth(170)
        self.heads.setAccessibleName("Methods or models")
        self.heads.sectionClicked.connect(self._press)
        table.setVerticalHeader(self.heads)
        self.heads.setSectionResizeMode(HeadView.ResizeMode.Fixed)
        self.heads.setDefaultSectionSize(_ROW)
        table.setItemDelegate(MetricDelegate(self))
        table.setAlternatingRowColors(False)
        self.twin.row_focused.connect(self._take_row)

    # -- setters

    def show_summary(self, summary: FaithfulnessSummary | None) -> None:
        """Show the means of a run, or say what would be here."""
        self.summary = summary
        methods = summary.methods if summary is not None else ()
        self._kinds = {method.label: method.kind for method in methods}
        self._show()

    def set_chosen(self, model: str, method: str) -> None:
        """The model whose methods, and the method whose models, are shown."""
        if (model, method) == (self._model, self._method):
            return
        by_methods = self.kind.currentData() == _METHODS
        same_table = model == self._model if by_methods else method == self._method
        self._model, self._method = model, method
        if same_table:
            self.twin.set_focus((model, method))
            self.heads.viewport().update()
            self._name()
        else:
            self._show()

    def is_chance(self, row: Row) -> bool:
        """Whether a row is that of a null map."""
        return self._kinds.get(row[1]) == NULL_KIND

    def _show(self) -> None:
        summary = self.summary
        rows: list[Row] = []
        if summary is not None and self.kind.currentData() == _METHODS:
            rows = rows_of_model(summary, self._model) if self._model in summary.models else []
        elif summary is not None:
            rows = rows_of_method(summary, self._method) if self._method in self._kinds else []
        self._rows = rows
        self.show_content(summary is not None and summary.mean.size > 0)
        self._name()
        if summary is None:
            self.twin.set_columns([], [])
            return
        columns = metric_columns(summary, rows)
        self.twin.set_columns(rows, columns)
        self._fit(columns)
        if (self._model, self._method) in rows:
            self.twin.set_focus((self._model, self._method))

    def _name(self) -> None:
        by_methods = self.kind.currentData() == _METHODS
        held = self._model if by_methods else self._title(self._method)
        self.title.setText(f"Faithfulness: {held}" if held else "Faithfulness")
        numberless = f"{held} has no number in this run." if held and not self._rows else ""
        self.set_note(numberless or (_OF_MODEL if by_methods else _OF_METHOD))

    def _title(self, label: str) -> str:
        methods = self.summary.methods if self.summary is not None else ()
        return next((m.title for m in methods if m.label == label), label)

    def _fit(self, columns: tuple[Column, ...]) -> None:
        """Room for the mean and, under it, its interval."""
        small = QFontMetrics(font("small", tabular=True))
        for place, column in enumerate(columns):
            widest = max(
                (
                    small.horizontalAdvance(interval_text(column, row))
                    for row in range(len(self._rows))
                ),
                default=0,
            )
            title = small.horizontalAdvance(column.title) + 30  # with room for the sorting arrow
            self.twin.table.setColumnWidth(place, max(widest + 16, title, 62))

    # -- heads

    def _row(self, place: int) -> Row | None:
        found = self.twin.model.id_at(place)
        return found if isinstance(found, tuple) else None

    def _head(self, place: int) -> Head | None:
        row = self._row(place)
        if row is None:
            return None
        model, label = row
        kind = self._kinds.get(label, "")
        if self.kind.currentData() == _MODELS:
            return Head(model, "", f"{model} · {self._title(label)}")
        title = self._title(label)
        return Head(title, KIND_WORDS.get(kind, kind), f"{title} of {model}", kind == NULL_KIND)

    def _stands_out(self, place: int) -> bool:
        return self._row(place) == (self._model, self._method)

    # -- by hand

    def _press(self, place: int) -> None:
        row = self._row(place)
        if row is not None:
            self.twin.set_focus(row)
            self._take_row(row)

    def _take_row(self, row: Row | None) -> None:
        if row is None:
            return
        if self.kind.currentData() == _METHODS:
            self.method_chosen.emit(row[1])
        else:
            self.model_chosen.emit(row[0])


def interval_text(column: Column, row: int) -> str:
    """The interval of a cell, empty where there is none."""
    if column.low is None or column.high is None:
        return ""
    low, high = float(column.low[row]), float(column.high[row])
    return f"[{number(low)}, {number(high)}]" if low == low and high == high else ""


class MetricDelegate(QStyledItemDelegate):
    """A mean with its interval under it."""

    def __init__(self, panel: SaliencyMetricsPanel) -> None:
        super().__init__(panel)
        self._panel = panel

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        panel = self._panel
        model = panel.twin.model
        row = model.id_at(index.row())
        if not isinstance(row, tuple) or panel.summary is None:
            return
        column = model.columns[index.column()]
        source = int(model.shown_rows()[index.row()])
        best = level = False
        if panel.kind.currentData() == _METHODS:
            best, level = marks(panel.summary, row, column.key)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        chance = panel.is_chance(row)
        ground = "highlight" if selected else ("alternate" if chance else "surface")
        text = "highlight_text" if selected else ("muted" if chance else "text")
        area: QRect = option.rect
        painter.save()
        painter.fillRect(area, theme().colour(ground))
        painter.setPen(QPen(theme().colour("border" if self._ends(index.row()) else "grid"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        under = interval_text(column, source)
        room = area.adjusted(6, 3, -8, -3)
        value = float(column.values[source])
        there = value == value
        mean = number(value, column.digits) if there else NO_VALUE
        face = font("body", bold=best, tabular=True)
        face.setItalic(chance)
        painter.setFont(face)
        painter.setPen(theme().colour(text if there else "muted"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        first = QRect(room.left(), room.top(), room.width(), _LINE) if under else room
        painter.drawText(first, int(right), mean)
        if level and not best and there:
            width = painter.fontMetrics().horizontalAdvance(mean) + 5
            painter.setPen(theme().colour("highlight_text" if selected else "muted"))
            painter.drawText(first.adjusted(0, 0, -width, 0), int(right), LEVEL)
        painter.setFont(font("small", tabular=True))
        painter.setPen(theme().colour("highlight_text" if selected else "muted"))
        painter.drawText(
            QRect(room.left(), room.top() + _LINE - 1, room.width(), _LINE - 2), int(right), under
        )
        painter.restore()

    def _ends(self, place: int) -> bool:
        """Whether null maps begin, or end, after a row."""
        model = self._panel.twin.model
        here, after = model.id_at(place), model.id_at(place + 1)
        if not isinstance(here, tuple) or not isinstance(after, tuple):
            return False
        return self._panel.is_chance(here) != self._panel.is_chance(after)

    def helpEvent(self, event, view, option, index) -> bool:  # type: ignore[no-untyped-def]
        """What a number stands on, and how it compares."""
        from PySide6.QtWidgets import QToolTip

        words = self.words(index)
        if words:
            QToolTip.showText(event.globalPos(), words, view)
        else:
            QToolTip.hideText()
        return True

    def words(self, index: Index) -> str:
        """A cell in words."""
        panel = self._panel
        model = panel.twin.model
        row = model.id_at(index.row()) if index.isValid() else None
        if not isinstance(row, tuple) or panel.summary is None:
            return ""
        column = model.columns[index.column()]
        source = int(model.shown_rows()[index.row()])
        if float(column.values[source]) != float(column.values[source]):
            return f"No number: {column.missing}."
        line = f"{column.title}: {column.text(source)}"
        images = amount(panel.summary, row, column.key)
        if images:
            line += f", mean of {count(images, 'image')}"
        best, level = marks(panel.summary, row, column.key)
        if best:
            line += f"\nthe best method of {row[0]}, told from every other by the paired test"
        elif level:
            line += f"\nnot told from the best method of {row[0]} by the paired test"
        return line
