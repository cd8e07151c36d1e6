"""The concepts given by examples: named, looked at, renamed and removed."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.semantics_data import ConceptExample, ConceptSetInfo
from analysis.figures.words import count
from app.labels import wrapped_label
from app.theme import GRID, PADDING, font
from app.views.semantics_examples import ExamplesPanel
from app.views.semantics_words import amount_word, kind_word
from app.widgets.flat_table import flatten
from app.widgets.image_source import ImageSource
from app.widgets.roomy_rows import RoomyRows
from app.widgets.splitter import Splitter

_ID = Qt.ItemDataRole.UserRole
_LONGEST = 200  # signs of a name, as the project file allows
_COLUMNS = ("Concept", "Given by", "Examples", "Negatives")


class ConceptEditor(QWidget):
    """Setters are silent. `set_focused(id or None)`; `examples_wanted(id)`: of the concept on the
    screen, not here yet; `other_wanted`: a concept is to be given by a folder or a label; the
    others are edits, which take effect once `show_sets` brings them."""

    set_focused = Signal(object)
    set_added = Signal(str)
    set_renamed = Signal(int, str)
    set_removed = Signal(int)
    examples_removed = Signal(object)
    examples_turned = Signal(object)
    examples_wanted = Signal(int)
    other_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sets: tuple[ConceptSetInfo, ...] = ()
        self._focus: int | None = None
        self._added = ""  # a name just typed: its concept takes the focus when it comes
        self.tree = QTreeWidget()
        self.tree.setItemDelegate(RoomyRows(self.tree))
        self.examples = ExamplesPanel()
        self._make_list()
        self._make_edits()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(self.new_line)
        column.addWidget(self.problem)
        column.addWidget(self.tree, 1)
        column.addLayout(self.buttons)
        column.addWidget(self.question)
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.examples)
        self.splitter.setSizes([460, 780])
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self.show_sets(())

    def _make_list(self) -> None:
        tree = self.tree
        tree.setAccessibleName("Concepts given by examples")
        tree.setHeaderLabels(list(_COLUMNS))
        tree.setFont(font("body"))
        tree.header().setFont(font("small"))
        flatten(tree)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            tree.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        tree.setRootIsDecorated(False)
        tree.setAlternatingRowColors(True)
        tree.setUniformRowHeights(True)
        tree.setMinimumWidth(320)
        triggers = QAbstractItemView.EditTrigger
        tree.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        tree.currentItemChanged.connect(self._moved)
        tree.itemChanged.connect(self._edited)
        shortcut = QShortcut(QKeySequence(Qt.Key.Key_Delete), tree)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._ask_removal)

    def _make_edits(self) -> None:
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText("Name of a new concept")
        self.new_name.setAccessibleName("Name of a new concept")
        self.new_name.setMaxLength(_LONGEST)
        self.new_name.returnPressed.connect(self._add)
        self.new_name.textChanged.connect(self._typed)
        self.add = QPushButton("Add concept")
        self.add.clicked.connect(self._add)
        self.add.setEnabled(False)
        self.new_line = QHBoxLayout()
        self.new_line.setSpacing(GRID)
        self.new_line.addWidget(self.new_name, 1)
        self.new_line.addWidget(self.add)
        self.problem = wrapped_label()
        self.problem.setFont(font("small"))
        self.problem.setAccessibleName("What is wrong with the name")
        self.problem.hide()
        self.rename = QPushButton("Rename")
        self.rename.setToolTip("Give the concept another name (F2); results keep the old one")
        self.rename.clicked.connect(self._start_renaming)
        self.remove = QPushButton("Remove…")
        self.remove.setToolTip("Forget the concept and its examples (Delete); results stay")
        self.remove.clicked.connect(self._ask_removal)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(GRID)
        for button in (self.rename, self.remove):
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.other = QPushButton("Folder or label…")
        self.other.setToolTip("Name a concept by a folder of its pictures, or a label")
        self.other.clicked.connect(self.other_wanted)
        self.new_line.addWidget(self.other)
        for part in (self.add, self.other, self.rename, self.remove):
            part.setFont(font("small"))
        self.question = QWidget()
        self.question_text = wrapped_label()
        self.sure, self.keep = QPushButton("Remove"), QPushButton("Keep")
        self.sure.clicked.connect(self._remove)
        self.keep.clicked.connect(self._stop_asking)
        line = QHBoxLayout(self.question)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID)
        line.addWidget(self.question_text, 1)
        for button in (self.sure, self.keep):
            button.setFont(font("small"))
            line.addWidget(button)
        self.question.hide()
        self.examples.examples_removed.connect(self.examples_removed)
        self.examples.examples_turned.connect(self.examples_turned)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.ask()

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.examples.set_source(source)

    def show_sets(self, sets: tuple[ConceptSetInfo, ...]) -> None:
        """Show the project's concepts; the focus goes with its id, or to one just added."""
        self._sets = tuple(sets)
        known = [one.id for one in self._sets]
        new = [one.id for one in self._sets if one.name == self._added]
        if self._added and new:
            self._focus, self._added = new[0], ""
            self.examples.examples = None
        elif self._focus not in known:
            self._focus = known[0] if known else None
        with QSignalBlocker(self.tree):
            self.tree.clear()
            for one in self._sets:
                self.tree.addTopLevelItem(self._item(one))
        self._stop_asking()
        self._take_focus()

    def show_examples(self, concept_set: int, examples: tuple[ConceptExample, ...]) -> None:
        """Show the examples of a concept, unless another one has come into focus since."""
        if concept_set == self._focus:
            self.examples.show_examples(tuple(examples))

    def set_concept_set(self, concept_set: int | None) -> None:
        """Put the focus on a concept without telling anyone."""
        if concept_set in [one.id for one in self._sets] or concept_set is None:
            self._focus = concept_set
            self._take_focus()

    def focus(self) -> int | None:
        """The id of the concept in focus."""
        return self._focus

    # -- what is shown

    def _item(self, one: ConceptSetInfo) -> QTreeWidgetItem:
        otherwise = "0" if one.kind == "patches" else "when used"
        item = QTreeWidgetItem(
            [
                one.name,
                kind_word(one),
                amount_word(one.positives, otherwise),
                amount_word(one.negatives or None, "random"),
            ]
        )
        item.setData(0, _ID, one.id)
        item.setSizeHint(0, QSize(0, 24))
        item.setToolTip(0, one.name)
        item.setToolTip(1, one.source)
        item.setToolTip(3, "Negatives are drawn at random" if not one.negatives else "")
        for column in (2, 3):
            item.setTextAlignment(
                column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        return item

    def info(self) -> ConceptSetInfo | None:
        """The concept in focus."""
        return next((one for one in self._sets if one.id == self._focus), None)

    def _take_focus(self) -> None:
        with QSignalBlocker(self.tree):
            for row in range(self.tree.topLevelItemCount()):
                item = self.tree.topLevelItem(row)
                if item is not None and item.data(0, _ID) == self._focus:
                    self.tree.setCurrentItem(item)
        info = self.info()
        self.rename.setEnabled(info is not None)
        self.remove.setEnabled(info is not None)
        self.examples.show_set(info, bool(self._sets))
        self.ask()

    def ask(self) -> None:
        """Ask for the examples on the screen that are not here."""
        info = self.info()
        kept = info is not None and (info.kind == "patches" or bool(info.negatives))
        if info is not None and kept and self.examples.examples is None and self.isVisible():
            self.examples_wanted.emit(info.id)

    # -- by hand

    def _moved(self, item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None) -> None:
        identity = None if item is None else int(item.data(0, _ID))
        if identity is not None and identity != self._focus:
            self._focus = identity
            self._stop_asking()
            self._take_focus()
            self.set_focused.emit(identity)

    def _typed(self, text: str) -> None:
        name = " ".join(text.split())
        taken = self._is_taken(name)
        self.add.setEnabled(bool(name) and not taken)
        self._complain(f"There is a concept “{name}” already." if taken else "")

    def _is_taken(self, name: str, but: int | None = None) -> bool:
        return any(one.name.casefold() == name.casefold() and one.id != but for one in self._sets)

    def _complain(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _add(self) -> None:
        name = " ".join(self.new_name.text().split())
        if name and not self._is_taken(name):
            self._added = name
            self.new_name.clear()
            self.set_added.emit(name)

    def _start_renaming(self) -> None:
        item = self.tree.currentItem()
        if item is not None:
            self.tree.editItem(item, 0)

    def _edited(self, item: QTreeWidgetItem, column: int) -> None:
        identity, name = int(item.data(0, _ID)), " ".join(item.text(0).split())
        before = next((one.name for one in self._sets if one.id == identity), "")
        wrong = column != 0 or not name or len(name) > _LONGEST or self._is_taken(name, identity)
        with QSignalBlocker(self.tree):
            item.setText(0, before if wrong else name)
            for place, text in enumerate(self._texts(identity), start=1):
                item.setText(place, text)
        if column == 0 and name and self._is_taken(name, identity):
            self._complain(f"There is a concept “{name}” already.")
        elif not wrong and name != before:
            self._complain("")
            self.set_renamed.emit(identity, name)

    def _texts(self, identity: int) -> list[str]:
        """What the other columns of a row say; they are not for editing."""
        info = next(one for one in self._sets if one.id == identity)
        item = self._item(info)
        return [item.text(place) for place in (1, 2, 3)]

    def _ask_removal(self) -> None:
        info = self.info()
        if info is None:
            return
        with_what = f" and its {count(info.positives, 'example')}" if info.positives else ""
        self.question_text.setText(f"Remove “{info.name}”{with_what}? Results of runs stay.")
        self.question.show()
        self.keep.setFocus()

    def _stop_asking(self) -> None:
        self.question.hide()

    def _remove(self) -> None:
        self._stop_asking()
        if self._focus is not None:
            self.set_removed.emit(self._focus)
