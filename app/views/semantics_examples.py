"""The examples of one concept: what shows it, and what does not."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.semantics_data import ConceptExample, ConceptSetInfo
from analysis.figures.words import count
from app.labels import ElidedLabel, wrapped_label
from app.theme import GRID, PADDING, font
from app.views.semantics_examples_columns import example_columns
from app.views.semantics_words import NO_SETS, example_caption, set_line
from app.widgets.empty_state import EmptyState
from app.widgets.image_grid import GridItem, ImageGrid
from app.widgets.image_source import ImageSource
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin
from app.widgets.view_menu import add_view_menu

_CHOOSE = "Choose a concept to see its examples."
_COMING = "The examples are being read."
_NO_POSITIVES = (
    "No example yet: select patches or units in any grid of the window, then “Save as concept…” "
    "adds them to this one."
)
_NO_NEGATIVES = (
    "Negatives are drawn at random from the other images. To choose them, add patches as "
    "negatives by “Save as concept…”."
)
_ELSEWHERE = "The examples of this concept are not kept in the project file."
_TURN = "Turn into negatives"
_SIZE = 88


class _Role(QWidget):
    """The examples of one role, or what stands in their place."""

    def __init__(self, title: str, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.heading = QLabel(title)
        self.heading.setFont(font("small", bold=True))
        self.grid = ImageGrid(f"{title} of the concept", size=_SIZE)
        self.nothing = wrapped_label(nothing, muted=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.nothing)
        self.stack.addWidget(self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.heading)
        layout.addWidget(self.stack, 1)

    def show_examples(self, examples: list[ConceptExample]) -> None:
        """Show some examples."""
        self.heading.setText(f"{self._title} ({len(examples):,})" if examples else self._title)
        self.stack.setCurrentIndex(1 if examples else 0)
        self.grid.set_items(
            GridItem(one.id, one.image, one.box, example_caption(one)) for one in examples
        )

    def chosen(self) -> list[int]:
        """Ids of the selected examples."""
        rows = sorted(index.row() for index in self.grid.selectedIndexes())
        items = self.grid.grid_model.items
        return [int(str(items[row].identity)) for row in rows if row < len(items)]


class ExamplesPanel(QWidget):
    """`examples_removed(tuple of ids)`, `examples_turned(tuple of ids)` by hand: the latter show
    the concept from now on if they did not, and the other way round."""

    examples_removed = Signal(object)
    examples_turned = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info: ConceptSetInfo | None = None
        self.examples: tuple[ConceptExample, ...] | None = None
        self.name = ElidedLabel()
        self.name.setFont(font("body", bold=True))
        self.facts = wrapped_label(muted=True)
        self.facts.setFont(font("small"))
        self.remove = QPushButton("Remove examples")
        self.remove.setFont(font("small"))
        self.remove.setToolTip("Forget the selected examples (Delete); the images stay")
        self.remove.clicked.connect(self._remove)
        self.turn = QPushButton(_TURN)
        self.turn.setFont(font("small"))
        self.turn.setToolTip(
            "What shows the concept becomes a negative, and the other way round (T)"
        )
        self.turn.clicked.connect(self._turn)
        self.table = TableTwin("example", filters=False)
        self.table.hide()
        self.table.selection_changed.connect(self._selected)
        self.table_button = QToolButton()
        self.table_button.setText("Table")
        self.table_button.setFont(font("small"))
        self.table_button.setCheckable(True)
        self.table_button.setToolTip("Show the same examples as a table")
        self.table_button.toggled.connect(self._show_table)
        self.positives = _Role("Examples", _NO_POSITIVES)
        self.negatives = _Role("Negatives", _NO_NEGATIVES)
        self.splitter = Splitter(Qt.Orientation.Vertical)
        for role in (self.positives, self.negatives):
            self.splitter.addWidget(role)
            role.grid.selectionModel().selectionChanged.connect(self._selected)
            add_view_menu(role.grid)
            for key, slot in ((Qt.Key.Key_Delete, self._remove), (Qt.Key.Key_T, self._turn)):
                shortcut = QShortcut(QKeySequence(key), role.grid)
                shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
                shortcut.activated.connect(slot)
        self.splitter.setSizes([420, 200])
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        self.empty = EmptyState(_CHOOSE)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self._show()

    def _make_content(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for button in (self.turn, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.table_button)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.name)
        layout.addWidget(self.facts)
        layout.addLayout(buttons)
        layout.addSpacing(GRID // 2)
        layout.addWidget(self.splitter, 1)
        layout.addWidget(self.table, 1)
        return content

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.positives.grid.set_source(source)
        self.negatives.grid.set_source(source)

    def show_set(self, info: ConceptSetInfo | None, any_set: bool) -> None:
        """Show another concept, its examples still to come, or say what to do."""
        if info is None or self.info is None or info.id != self.info.id:
            self.examples = None
        self.info = info
        self.empty.set_text(_CHOOSE if any_set else NO_SETS)
        self._show()

    def show_examples(self, examples: tuple[ConceptExample, ...]) -> None:
        """Show the examples of the concept."""
        self.examples = examples
        self._show()

    def _show(self) -> None:
        info = self.info
        self.stack.setCurrentIndex(0 if info is None else 1)
        if info is None:
            return
        self.name.setText(info.name)
        self.facts.setText(set_line(info))
        kept = info.kind == "patches"
        examples = self.examples or ()
        coming = self.examples is None and (kept or bool(info.negatives))
        for role, key, nothing in (
            (self.positives, "positive", _NO_POSITIVES if kept else _ELSEWHERE),
            (self.negatives, "negative", _NO_NEGATIVES),
        ):
            role.nothing.setText(_COMING if coming else nothing)
            role.show_examples([one for one in examples if one.role == key])
        self.table.set_columns([one.id for one in examples], example_columns(examples))
        self.table_button.setVisible(bool(examples))
        self._selected()

    def _selected(self) -> None:
        chosen = len(self._chosen())
        self.remove.setEnabled(chosen > 0)
        self.remove.setText(f"Remove {count(chosen, 'example')}" if chosen else "Remove examples")
        self.turn.setEnabled(chosen > 0 and self._turns())
        self.turn.setText(self._turn_text())

    def _turns(self) -> bool:
        """Patches alone can show a concept: one given otherwise has negatives alone."""
        return self.info is not None and self.info.kind == "patches"

    def _turn_text(self) -> str:
        shown, others = len(self.positives.chosen()), len(self.negatives.chosen())
        if shown and not others:
            return f"Make {shown:,} negative"
        if others and not shown:
            return f"Make {others:,} positive"
        return f"Swap the roles of {shown + others:,}" if shown else _TURN

    def _turn(self) -> None:
        chosen = self._chosen()
        if chosen and self._turns():
            self.examples_turned.emit(tuple(chosen))

    def _show_table(self, shown: bool) -> None:
        self.table.setVisible(shown)
        self.splitter.setHidden(shown)
        self._selected()

    def _chosen(self) -> list[int]:
        if self.table_button.isChecked():
            return sorted(int(str(one)) for one in self.table.selected_ids())
        return self.positives.chosen() + self.negatives.chosen()

    def _remove(self) -> None:
        chosen = self._chosen()
        if chosen:
            self.examples_removed.emit(tuple(chosen))
