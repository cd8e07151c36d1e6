"""Composing a report: what is listed, typed, moved and dropped becomes an intent."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed

import pytest
from PySide6.QtCore import QBuffer, QMimeData, QPointF, Qt
from PySide6.QtGui import QColor, QDropEvent, QImage

from analysis.figures.report_composition import (
    Block,
    ChapterBlock,
    Composition,
    FigureBlock,
    LimitsBlock,
    SummaryBlock,
    TableBlock,
    TextBlock,
    numbered,
)
from analysis.figures.report_names import ReportNames, block_titles
from app.views.report_view import ReportView


@dataclass(frozen=True)
class Entry:
    title: str
    block: Block


@dataclass(frozen=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


SUMMARY, CHAPTER, FIGURE, TABLE, TEXT = 1, 2, 3, 4, 5
WHOLE = Composition(
    "Birds",
    "two models",
    numbered(
        (
            SummaryBlock(),
            ChapterBlock(run=7),
            FigureBlock(figure="layers", run=7, caption="Alike", width=75),
            TableBlock(table="concept", rows=9),
            TextBlock(heading="Mine", text="one\n\ntwo"),
        )
    ),
)
NAMES = ReportNames(runs={7: "Layers: A and B"}, figures={"layers": "Similarity of layers"})
GROUPS = (
    Group("Texts", (Entry("Text of your own", TextBlock()), Entry("Limits", LimitsBlock()))),
    Group("Layers (run 7)", (Entry("Figure: Layers", FigureBlock(figure="layers", run=7)),)),
    Group("Concepts (run 8)", ()),
)


def page(colour: str) -> bytes:
    image = QImage(100, 140, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "PNG")
    return bytes(buffer.data().data())


@pytest.fixture
def view(qtbot) -> ReportView:
    view = ReportView()
    qtbot.addWidget(view)
    view.resize(1100, 700)
    view.show()
    show(view, WHOLE)
    view.show_offer(GROUPS)
    return view


def show(view: ReportView, composition: Composition, focus: int | None = None) -> None:
    view.show_composition(composition, block_titles(composition, NAMES), focus)


def titles(view: ReportView) -> list[str]:
    rows = view.blocks.list
    return [rows.item(row).text() for row in range(rows.count())]


def choose(view: ReportView, number: int) -> None:
    view.blocks.list.setCurrentRow(view.blocks.list.row_of(number))


def heard(signal) -> list:
    calls: list = []
    signal.connect(lambda *values: calls.append(values))
    return calls


def test_the_parts_are_listed_in_order(view):
    assert titles(view) == [
        "Title page",
        "Summary",
        "Chapter · Layers: A and B",
        "Figure · Alike",
        "Table · concept",
        "Text · Mine",
    ]
    assert view.blocks.current == 0
    assert view.editor.title.text() == "Birds"
    assert view.editor.subtitle.text() == "two models"


def test_each_part_offers_what_can_be_said_of_it(view):
    def fields() -> set[str]:
        lines = view.editor._fields.items()
        return {name for name, (_, widget) in lines if widget.isVisibleTo(view)}

    assert fields() == {"title", "subtitle"}
    for number, expected in (
        (SUMMARY, set()),
        (CHAPTER, set()),
        (FIGURE, {"caption", "width"}),
        (TABLE, {"caption", "rows"}),
        (TEXT, {"heading", "text", "chapter"}),
    ):
        choose(view, number)
        assert fields() == expected
    assert view.editor.text.toPlainText() == "one\n\ntwo"
    choose(view, SUMMARY)
    assert view.editor.hint.isVisible()


def test_setters_are_silent(view):
    calls = [
        heard(signal)
        for signal in (
            view.block_added, view.block_edited, view.block_removed, view.order_changed,
            view.titles_edited,
        )
    ]  # fmt: skip
    for number in (FIGURE, TEXT, TABLE, 0):
        show(view, WHOLE, number)
        show(view, changed(WHOLE, title="Fish", blocks=WHOLE.blocks[::-1]), number)
    view.show_offer(GROUPS[:1])
    assert calls == [[], [], [], [], []]


def test_a_caption_is_handed_on_when_typing_rests(view, qtbot):
    choose(view, FIGURE)
    with qtbot.waitSignal(view.block_edited) as said:
        view.editor.caption.selectAll()
        qtbot.keyClicks(view.editor.caption, "Unlike")
    assert said.args == [changed(WHOLE.blocks[2], caption="Unlike")]


def test_what_is_typed_is_handed_on_before_another_part_is_shown(view, qtbot):
    choose(view, TEXT)
    edited, asked = heard(view.block_edited), heard(view.titles_edited)
    view.editor.text.setPlainText("three")
    choose(view, 0)
    assert edited == [(changed(WHOLE.blocks[4], text="three"),)]
    view.editor.title.selectAll()
    qtbot.keyClicks(view.editor.title, "Fish")
    choose(view, SUMMARY)
    assert asked == [("Fish", "two models")]


def test_width_and_rows_are_handed_on(view, qtbot):
    choose(view, FIGURE)
    edited = heard(view.block_edited)
    view.editor.width_choice.setFocus()
    qtbot.keyClick(view.editor.width_choice, Qt.Key.Key_Down)
    assert edited == [(changed(WHOLE.blocks[2], width=50),)]
    choose(view, TEXT)
    qtbot.keyClick(view.editor.chapter, Qt.Key.Key_Space)
    assert edited[1:] == [(changed(WHOLE.blocks[4], chapter=True),)]
    choose(view, TABLE)
    with qtbot.waitSignal(view.block_edited) as said:
        view.editor.rows.setValue(30)
    assert said.args == [changed(WHOLE.blocks[3], rows=30)]


def test_keys_move_and_remove_parts(view, qtbot):
    orders, removed = heard(view.order_changed), heard(view.block_removed)
    rows = view.blocks.list
    rows.setFocus()
    choose(view, FIGURE)
    qtbot.keyClick(rows, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(rows, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert orders == [((1, 3, 2, 4, 5),), ((1, 2, 4, 3, 5),)]
    assert removed == [(FIGURE,)]


def test_ends_and_the_title_page_stay(view, qtbot):
    orders, removed = heard(view.order_changed), heard(view.block_removed)
    rows = view.blocks.list
    rows.setFocus()
    for number, key in ((0, Qt.Key.Key_Down), (SUMMARY, Qt.Key.Key_Up), (TEXT, Qt.Key.Key_Down)):
        choose(view, number)
        qtbot.keyClick(rows, key, Qt.KeyboardModifier.AltModifier)
    choose(view, 0)
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert (orders, removed) == ([], [])
    assert not view.blocks.remove.isEnabled()
    choose(view, SUMMARY)
    assert not view.blocks.up.isEnabled()
    assert view.blocks.down.isEnabled()


def drop(view: ReportView, source, row: int, below: bool) -> None:
    """Drop what is dragged from `source` on the upper or lower half of a row."""
    rows = view.blocks.list
    area = rows.visualItemRect(rows.item(row))
    at = QPointF(area.center().x(), area.bottom() - 1 if below else area.top() + 1)
    event = _Drop(source, at)
    rows.dropEvent(event)


class _Drop(QDropEvent):
    def __init__(self, source, at: QPointF) -> None:
        self._mime = QMimeData()
        action, none = Qt.DropAction.MoveAction, Qt.KeyboardModifier.NoModifier
        super().__init__(at, action, self._mime, Qt.MouseButton.LeftButton, none)
        self._from = source

    def source(self):
        return self._from


@pytest.mark.parametrize(
    ("row", "below", "order"),
    [
        (1, False, (3, 1, 2, 4, 5)),
        (0, False, (3, 1, 2, 4, 5)),  # nothing comes before the title page
        (2, False, (1, 3, 2, 4, 5)),
        (5, True, (1, 2, 4, 5, 3)),
        (4, True, (1, 2, 4, 3, 5)),
    ],
)
def test_dragging_moves_a_part(view, row, below, order):
    orders = heard(view.order_changed)
    choose(view, FIGURE)
    drop(view, view.blocks.list, row, below)
    assert orders == [(order,)]
    assert titles(view)[3] == "Figure · Alike"  # the list waits for the answer


def test_what_is_dragged_from_the_left_comes_in_where_it_is_dropped(view):
    added = heard(view.block_added)
    view.offer.tree.setCurrentItem(view.offer.tree.topLevelItem(1).child(0))
    drop(view, view.offer.tree, 2, True)
    drop(view, view.offer.tree, 0, True)
    block = GROUPS[1].entries[0].block
    assert added == [(block, CHAPTER), (block, 0)]


def test_enter_and_the_button_add_behind_the_part_in_focus(view, qtbot):
    added = heard(view.block_added)
    choose(view, TABLE)
    tree = view.offer.tree
    tree.setFocus()
    tree.setCurrentItem(tree.topLevelItem(0))
    assert not view.offer.add.isEnabled()
    tree.setCurrentItem(tree.topLevelItem(0).child(1))
    qtbot.keyClick(tree, Qt.Key.Key_Return)
    qtbot.mouseClick(view.offer.add, Qt.MouseButton.LeftButton)
    assert added == [(LimitsBlock(), TABLE)] * 2


def test_finding_what_to_add(view, qtbot):
    tree = view.offer.tree
    tree.topLevelItem(1).setExpanded(False)
    qtbot.keyClicks(view.offer.filter, "fig RUN")
    assert tree.topLevelItem(0).isHidden()
    assert not tree.topLevelItem(1).isHidden()
    assert tree.topLevelItem(1).isExpanded()
    view.offer.filter.clear()
    assert not tree.topLevelItem(0).child(0).isHidden()


def test_after_a_removal_the_next_part_is_in_focus(view):
    choose(view, FIGURE)
    blocks = tuple(block for block in WHOLE.blocks if block.id != FIGURE)
    show(view, changed(WHOLE, blocks=blocks))
    assert view.blocks.current == TABLE
    assert view.editor.rows.isVisible()
    show(view, Composition("Empty"))
    assert view.blocks.current == 0
    assert view.editor.title.text() == "Empty"


def test_a_report_that_cannot_be_changed(view):
    composition = block_titles(WHOLE, NAMES)
    view.show_composition(WHOLE, composition, FIGURE, editable=False)
    assert not view.editor.caption.isEnabled()
    view.offer.tree.setCurrentItem(view.offer.tree.topLevelItem(0).child(0))
    assert not view.offer.add.isEnabled()


def test_pages_follow_the_part_in_focus(view, qtbot):
    pages = tuple(page(colour) for colour in ("red", "lime", "blue", "red"))
    view.show_pages(pages, 2, {SUMMARY: 2, FIGURE: 4})
    assert view.pages.where.text() == "page 1 of 4"
    assert view.pages.state.text() == "2 figures are still being drawn"
    choose(view, FIGURE)
    assert view.pages.where.text() == "page 4 of 4"
    choose(view, 0)
    assert view.pages.where.text() == "page 1 of 4"
    view.show_pages(pages, 0, {})
    assert view.pages.state.text() == ""


def test_pages_are_painted_in_their_order(view, qtbot):
    view.show_pages((page("red"), page("lime")), 0, {})
    paper = view.pages.paper
    image = paper.grab().toImage()
    ratio = image.devicePixelRatio()
    for number, colour in ((1, "#ff0000"), (2, "#00ff00")):
        top = paper.top_of(number) + 20
        at = image.pixelColor(round(paper.width() / 2 * ratio), round(top * ratio))
        assert at.name() == colour
    view.show_pages((page("red"), page("blue")), 0, {})  # only one page is new
    image = paper.grab().toImage()
    at = image.pixelColor(round(paper.width() / 2 * ratio), round((paper.top_of(2) + 20) * ratio))
    assert at.name() == "#0000ff"


def test_another_size_asks_for_finer_pages(view, qtbot):
    view.show_pages((page("red"),) * 3, 0, {})
    before = view.pages.pixels_per_inch()
    narrow = view.pages.paper.width()
    with qtbot.waitSignal(view.pages_wanted):
        view.pages.zoom.setFocus()
        for _ in range(view.pages.zoom.count() - 1):
            qtbot.keyClick(view.pages.zoom, Qt.Key.Key_Down)
    assert view.pages.paper.width() > narrow
    assert view.pages.pixels_per_inch() > before


def test_a_problem_keeps_the_pages(view):
    view.show_pages((page("red"),), 0, {})
    view.pages.show_problem("The disk is full.")
    assert view.pages.problem.isVisible()
    assert view.pages.paper.amount == 1
    view.show_pages((page("red"),), 0, {})
    assert not view.pages.problem.isVisible()


def test_the_bar_names_reports_and_renames_in_place(view, qtbot):
    bar = view.bar
    chosen, renamed, begun = (
        heard(bar.report_chosen),
        heard(bar.renamed),
        heard(bar.template_chosen),
    )
    bar.show_reports([(4, "First"), (9, "Second")], 9, writable=True)
    bar.show_templates([("family", "Family", "many models")])
    assert bar.reports.currentText() == "Second"
    bar.reports.setFocus()
    qtbot.keyClick(bar.reports, Qt.Key.Key_Up)
    assert chosen == [(4,)]
    qtbot.mouseClick(bar.rename, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(bar.name, "Third")
    qtbot.keyClick(bar.name, Qt.Key.Key_Return)
    assert renamed == [("Third",)]
    assert bar.choice.currentWidget() is bar.reports
    bar.templates.actions()[0].trigger()
    assert begun == [("family",)]
    bar.show_reports([], None, writable=False)
    assert not bar.rename.isEnabled()
    assert "read-only" in bar.state.text()
