"""Composing a report: what can be added, the parts in order, and the pages as they will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from analysis.figures.report_composition import Block, Composition
from app.labels import wrapped_label
from app.theme import GRID, PADDING, font, mute
from app.views.report_bar import ReportBar
from app.views.report_blocks import TITLE_PAGE, ReportBlocks
from app.views.report_editor import ReportEditor
from app.views.report_offer import ReportOffer
from app.views.report_pages import ReportPages
from app.views.report_words import OfferedGroup
from app.widgets.figure_source import FigureSource
from app.widgets.splitter import Splitter


class ReportView(QWidget):
    """Intents are signals; setters are silent.

    `block_added(block, id)`: behind the part with this id, 0 for the title page.
    """

    block_added = Signal(object, int)
    block_edited = Signal(object)
    block_removed = Signal(int)
    order_changed = Signal(object)  # ids
    titles_edited = Signal(str, str)
    pages_wanted = Signal()  # of another resolution

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("report view")
        self.composition = Composition()
        self.editable = True
        self._starts: Mapping[int, int] = {}
        self.bar = ReportBar()
        self.offer = ReportOffer()
        self.blocks = ReportBlocks()
        self.editor = ReportEditor()
        self.pages = ReportPages()
        self.notes = wrapped_label()
        self.notes.setAccessibleName("What of this report could not be read")
        self.notes.setFont(font("small"))
        self.notes.hide()
        self.columns = Splitter(Qt.Orientation.Horizontal)
        self.middle = Splitter(Qt.Orientation.Vertical)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.middle.setObjectName("parts and their settings")
        self.middle.addWidget(self.blocks)
        self.middle.addWidget(self.editor)
        self.middle.setSizes([520, 240])
        self.middle.setStretchFactor(0, 1)
        self.middle.setChildrenCollapsible(False)
        self.columns.setObjectName("what to add, parts, pages")
        for title, part, least in (
            ("To add", self.offer, 190),
            ("Parts, in their order", self.middle, 230),
            ("Pages", self.pages, 250),
        ):
            self.columns.addWidget(_titled(title, part, least))
        self.columns.setSizes([250, 320, 480])
        for place, stretch in enumerate((2, 3, 5)):
            self.columns.setStretchFactor(place, stretch)
        self.columns.setChildrenCollapsible(False)
        for splitter in (self.columns, self.middle):
            splitter.setHandleWidth(PADDING)
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING, GRID, PADDING, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.bar)
        column.addWidget(self.notes)
        column.addWidget(self.columns, 1)

    def _connect(self) -> None:
        self.offer.added.connect(self._on_added)
        self.blocks.block_chosen.connect(self._on_chosen)
        self.blocks.order_changed.connect(self._on_order)
        self.blocks.removal_wished.connect(self.block_removed)
        self.blocks.edit_wished.connect(self.editor.focus_first)
        self.blocks.dropped.connect(self._on_dropped)
        self.editor.block_edited.connect(self.block_edited)
        self.editor.titles_edited.connect(self.titles_edited)
        self.pages.resolution_changed.connect(self.pages_wanted)

    # -- showing -------------------------------------------------------------------------------
    def show_composition(
        self,
        composition: Composition,
        titles: Mapping[int, str],
        focus: int | None = None,
        editable: bool = True,
    ) -> None:
        """Show the parts; the focus stays where it is, or goes to the part `focus`."""
        self.composition = composition
        self.editable = editable
        self.blocks.show_composition(composition, titles, focus)
        self.editor.set_editable(editable)
        self.offer.set_editable(editable)
        self._show_editor()

    def set_figures(self, source: FigureSource) -> None:
        """Where the small pictures of figures come from."""
        for rows in (self.offer.pictures, self.blocks.list.pictures):
            rows.set_source(source)

    def show_offer(self, groups: Sequence[OfferedGroup]) -> None:
        self.offer.show_offer(groups)

    def show_notes(self, notes: Sequence[str]) -> None:
        """What of the report could not be read."""
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))

    def show_pages(self, pages: tuple[bytes, ...], missing: int, starts: Mapping[int, int]) -> None:
        """Show the pages; `starts`: on which of them each part begins, by its id."""
        self._starts = starts
        self.pages.show_pages(pages, missing)

    def commit(self) -> None:
        """Hand on what is being typed."""
        self.editor.commit()

    def _show_editor(self) -> None:
        block = self.composition.block(self.blocks.current)
        if block is None:
            self.editor.show_titles(self.composition, self.editable)
        else:
            self.editor.show_block(block)

    # -- intents -------------------------------------------------------------------------------
    @Slot(object)
    def _on_added(self, block: Block) -> None:
        self.editor.commit()
        self.block_added.emit(block, self.blocks.current)

    @Slot(int)
    def _on_dropped(self, after: int) -> None:
        block = self.offer.current
        if block is not None and self.editable:
            self.editor.commit()
            self.block_added.emit(block, after)

    @Slot(object)
    def _on_order(self, ids: tuple[int, ...]) -> None:
        self.editor.commit()
        self.order_changed.emit(tuple(number for number in ids if number != TITLE_PAGE))

    @Slot(int)
    def _on_chosen(self, number: int) -> None:
        self.editor.commit()
        self._show_editor()
        self.pages.go_to(1 if number == TITLE_PAGE else self._starts.get(number, 0))


def _titled(title: str, part: QWidget, least: int) -> QWidget:
    """A part below its title."""
    whole = QWidget()
    whole.setMinimumWidth(least)
    label = QLabel(title)
    label.setFont(font("small"))
    mute(label)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID // 2)
    column.addWidget(label)
    column.addWidget(part, 1)
    return whole
