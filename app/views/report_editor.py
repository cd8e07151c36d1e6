"""What can be said of one part of a report: its caption, its width, its text."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.report_composition import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_TABLE_ROWS,
    WIDTHS,
    Block,
    Composition,
)
from app.labels import wrapped_label
from app.theme import GRID, font
from app.widgets.tick_box import TickBox

_SETTLE_MS = 500
_WIDTH_WORDS = {100: "whole width", 75: "three quarters", 50: "half"}
_HINTS = {
    "summary": "The main result of every chapter, and how the findings were judged.",
    "models": "Models, images and runs, with the hashes that identify them.",
    "chapter": "What came out of this run, and how to read it.",
    "details": "This run's tables of results, and its parameters.",
    "finding": "The finding with its picture, verdict and note.",
    "findings": "All findings that do not stand elsewhere, the most severe first.",
    "left out": "Images and steps that could not be used, with the reasons.",
    "limits": "What the numbers of the reported audits cannot say.",
    "appendix": "The commands that make the reported numbers again.",
}


class ReportEditor(QWidget):
    """`block_edited(block)`, `titles_edited(title, subtitle)`: once typing rests."""

    block_edited = Signal(object)
    titles_edited = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._block: Block | None = None
        self._titles: tuple[str, str] | None = None
        self.title = self._line("Title of the report", LONGEST_TITLE)
        self.subtitle = self._line("What the report is about", LONGEST_TITLE)
        self.heading = self._line("Heading of this text", LONGEST_TITLE)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Text")
        self.text.setTabChangesFocus(True)
        self.text.setFont(font("body"))
        self.chapter = TickBox("begins a chapter of its own")
        self.chapter.setFont(font("small"))
        self.caption = self._line("Caption", LONGEST_TEXT)
        self.width_choice = QComboBox()
        self.width_choice.setAccessibleName("Width of the figure on the page")
        for width in WIDTHS:
            self.width_choice.addItem(_WIDTH_WORDS[width], width)
        self.rows = QSpinBox()
        self.rows.setAccessibleName("How many rows of the table")
        self.rows.setRange(1, MOST_TABLE_ROWS)
        self.hint = wrapped_label(muted=True)
        self.hint.setFont(font("small"))
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(GRID)
        self.form.setVerticalSpacing(GRID)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._fields = {
            "title": ("Title", self.title),
            "subtitle": ("Below it", self.subtitle),
            "heading": ("Heading", self.heading),
            "chapter": ("", self.chapter),
            "text": ("Text", self.text),
            "caption": ("Caption", self.caption),
            "width": ("Width", self.width_choice),
            "rows": ("Rows", self.rows),
        }
        for words, widget in self._fields.values():
            label = QLabel(words)
            label.setBuddy(widget)
            label.setFont(font("small"))
            self.form.addRow(label, widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.hint)
        column.addLayout(self.form)
        column.addStretch(1)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.commit)
        for line in (self.title, self.subtitle, self.heading, self.caption):
            line.textEdited.connect(self._touch)
            line.editingFinished.connect(self.commit)
        self.text.textChanged.connect(self._touch)
        self.width_choice.activated.connect(self.commit)
        self.chapter.clicked.connect(self.commit)
        self.rows.valueChanged.connect(self._touch)
        self.show_titles(Composition(), editable=False)

    def _line(self, name: str, longest: int) -> QLineEdit:
        line = QLineEdit()
        line.setAccessibleName(name)
        line.setMaxLength(longest)
        return line

    # -- showing -------------------------------------------------------------------------------
    def show_titles(self, composition: Composition, editable: bool = True) -> None:
        """Edit the title page. What was being typed is handed on first."""
        self.commit()
        self._block = None
        self._titles = (composition.title, composition.subtitle)
        self._set(self.title, composition.title)
        self._set(self.subtitle, composition.subtitle)
        self._show_only(("title", "subtitle") if editable else (), "")

    def show_block(self, block: Block) -> None:
        """Edit a part. What was being typed is handed on first."""
        if self._block is None or self._block.id != block.id:
            self.commit()
        self._titles, self._block = None, block
        values = vars(block)
        for name, line in (("heading", self.heading), ("caption", self.caption)):
            if name in values:
                self._set(line, values[name])
        self.chapter.setChecked(bool(values.get("chapter", False)))
        if block.kind == "text" and self.text.toPlainText() != values["text"]:
            with QSignalBlocker(self.text):
                self.text.setPlainText(values["text"])
        if "width" in values:
            self.width_choice.setCurrentIndex(self.width_choice.findData(values["width"]))
        if "rows" in values:
            with QSignalBlocker(self.rows):
                self.rows.setValue(values["rows"])
        names: tuple[str, ...] = ("heading", "caption", "width", "rows")
        shown = [name for name in names if name in values]
        if block.kind == "text":
            shown += ["chapter", "text"]
        self._show_only(tuple(shown), _HINTS.get(block.kind, ""))

    def focus_first(self) -> None:
        """Begin to type."""
        for _, widget in self._fields.values():
            if widget.isVisibleTo(self):
                widget.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def set_editable(self, editable: bool) -> None:
        self.setEnabled(editable)

    def _set(self, line: QLineEdit, text: str) -> None:
        if line.text() != text:
            line.setText(text)
            line.setCursorPosition(0)

    def _show_only(self, names: tuple[str, ...], hint: str) -> None:
        for name, (_, widget) in self._fields.items():
            self.form.setRowVisible(widget, name in names)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    # -- editing -------------------------------------------------------------------------------
    @Slot()
    def _touch(self) -> None:
        self._settle.start()

    @Slot()
    def commit(self) -> None:
        """Hand on what has been typed, if it differs."""
        self._settle.stop()
        if self._titles is not None:
            titles = (self.title.text(), self.subtitle.text())
            if titles != self._titles:
                self._titles = titles
                self.titles_edited.emit(*titles)
        elif self._block is not None:
            edited = self._edited(self._block)
            if edited != self._block:
                self._block = edited
                self.block_edited.emit(edited)

    def _edited(self, block: Block) -> Block:
        values = vars(block)
        changes: dict[str, object] = {}
        if "caption" in values:
            changes["caption"] = self.caption.text()
        if "heading" in values:
            changes["heading"] = self.heading.text()
            changes["chapter"] = self.chapter.isChecked()
            changes["text"] = self.text.toPlainText()[:LONGEST_TEXT]
        if "width" in values:
            changes["width"] = self.width_choice.currentData()
        if "rows" in values:
            changes["rows"] = self.rows.value()
        return replace(block, **changes)  # type: ignore[arg-type]
