"""Composing a report in the window: kept at once, taken back, shown as pages, exported."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QBuffer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from analysis.errors import AuditError
from analysis.figures.report_composition import ChapterBlock, FigureBlock, TextBlock
from analysis.figures.report_preview import ReportPages
from analysis.project import Project
from app.dialogs.prompts import Question
from tests.app.steps import one, until


def _page() -> bytes:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    assert QImage(30, 40, QImage.Format.Format_RGB32).save(buffer, "PNG")
    return bytes(buffer.data().data())


class FakePreview:
    """One page a block; figures need a second answer."""

    def __init__(self) -> None:
        self.asked: list = []
        self.fail_with: Exception | None = None
        self.page = _page()

    def pages(self, project: Project, composition, ppi: float) -> ReportPages:
        if self.fail_with is not None:
            raise self.fail_with
        first = not self.asked or self.asked[-1] != composition
        self.asked.append(composition)
        starts = {block.id: place for place, block in enumerate(composition.blocks, 1)}
        amount = max(1, len(composition.blocks))
        return ReportPages((self.page,) * amount, 1 if first else 0, starts)


@pytest.fixture
def preview(backend, monkeypatch) -> FakePreview:
    preview = FakePreview()
    monkeypatch.setattr(backend, "report_preview", lambda: preview, raising=False)
    return preview


@pytest.fixture
def report(qtbot, open_window, preview):
    """The presenter, with a report of everything on the screen."""
    presenter = open_window.presenters["report"]
    open_window.commands.do("new-report")
    until(qtbot, lambda: presenter.composition is not None)
    until(qtbot, lambda: settled(open_window, presenter))
    return presenter


def settled(window, presenter) -> bool:
    workspace = window.workspace
    busy = workspace.loader.loading or workspace.drawer.loading or workspace.store.busy
    return not busy and not presenter._delay.isActive()


def stored(window):
    return window.workspace.project.reports()


def test_before_the_first_report_one_click_begins_it(qtbot, open_window, preview):
    presenter = open_window.presenters["report"]
    open_window.show_perspective("report")
    until(qtbot, lambda: presenter.empty.button.text() == "Compose a report")
    presenter.empty.button.click()
    until(qtbot, lambda: len(stored(open_window)) == 1)
    until(qtbot, lambda: presenter.built and presenter.view.pages.paper.amount > 3)
    assert stored(open_window)[0].name == "Comparison of two models"
    assert presenter.view.bar.reports.currentText() == "Comparison of two models"
    runs = {run.id for run in open_window.workspace.index.runs}
    assert set(presenter.composition.runs()) == runs
    assert presenter.shown_runs() == runs


def test_without_results_it_says_what_to_do(qtbot, window, tmp_path):
    window.workspace.create(tmp_path / "new.parallax")
    until(qtbot, lambda: window.workspace.index is not None)
    window.show_perspective("report")
    assert "Add images" in window.presenters["report"].empty.button.text()
    assert not window.actions_registry["new-report"].isEnabled()


def test_every_change_is_in_the_project_at_once(qtbot, open_window, report, project_file):
    view = report.view
    view.blocks.list.setCurrentRow(1)
    tree = view.offer.tree
    until(qtbot, lambda: tree.topLevelItemCount() > 1)
    tree.setCurrentItem(tree.topLevelItem(0).child(0))
    view.offer.add.click()
    added = view.blocks.current
    assert isinstance(report.composition.block(added), TextBlock)
    assert view.blocks.list.currentRow() == 2
    view.editor.text.setPlainText("What I think of it.")
    view.commit()
    view.blocks.move_down()
    until(qtbot, lambda: settled(open_window, report))
    with Project.open(project_file, read_only=True) as project:
        blocks = project.reports()[0].composition["blocks"]
    assert blocks[2]["kind"] == "text"
    assert blocks[2]["text"] == "What I think of it."


def test_changes_can_be_taken_back(qtbot, open_window, report):
    before = report.composition
    figure = next(block for block in before.blocks if isinstance(block, FigureBlock))
    report.view.block_removed.emit(figure.id)
    report.view.titles_edited.emit("Another title", "")
    until(qtbot, lambda: settled(open_window, report))
    assert report.composition.block(figure.id) is None
    for _ in range(2):
        open_window.commands.do("undo")
        until(qtbot, lambda: settled(open_window, report))
    assert report.composition == before
    assert len(report.view.blocks.list.ids()) == len(before.blocks) + 1
    open_window.commands.do("redo")
    until(qtbot, lambda: settled(open_window, report))
    assert len(report.composition.blocks) == len(before.blocks) - 1


def test_pages_come_again_until_every_figure_is_drawn(qtbot, open_window, report, preview):
    until(qtbot, lambda: report.view.pages.state.text() == "")
    assert preview.asked[-1] == preview.asked[-2] == report.composition
    amount = len(preview.asked)
    view = report.view
    for title in ("a", "ab", "abc"):
        view.titles_edited.emit(title, "")
    until(qtbot, lambda: settled(open_window, report))
    assert [asked.title for asked in preview.asked[amount:]] == ["abc", "abc"]


def test_a_failing_preview_is_said_beside_the_pages(qtbot, open_window, report, preview):
    preview.fail_with = AuditError("The disk is full.", "Make room.")
    report.view.titles_edited.emit("x", "")
    until(qtbot, lambda: report.view.pages.problem.isVisible())
    assert "The disk is full." in report.view.pages.problem.text()
    preview.fail_with = None
    report.view.titles_edited.emit("y", "")
    until(qtbot, lambda: not report.view.pages.problem.isVisible())


def test_reports_are_begun_chosen_renamed_and_removed(qtbot, open_window, report):
    first = report.entry
    report.view.bar.template_chosen.emit("family")
    until(qtbot, lambda: report.entry is not None and report.entry != first)
    assert report.entry.name == "Study of a family of models"
    report.view.bar.renamed.emit("Ours")
    until(qtbot, lambda: report.view.bar.reports.currentText() == "Ours")
    report.view.bar.report_chosen.emit(first.id)
    until(qtbot, lambda: report.entry == first)
    assert {one.name for one in stored(open_window)} == {first.name, "Ours"}
    report.view.bar.remove.click()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: report.entry is not None and report.entry.name == "Ours")
    assert [one.name for one in stored(open_window)] == ["Ours"]
    open_window.commands.do("undo")
    until(qtbot, lambda: report.entry == first)
    assert len(stored(open_window)) == 2


def test_a_report_begun_is_taken_back_and_made_again(qtbot, open_window, report):
    until(qtbot, lambda: settled(open_window, report))
    begun = stored(open_window)
    undo = open_window.actions_registry["undo"]
    assert undo.text() == "&Undo: add report"
    undo.trigger()
    until(qtbot, lambda: report.empty.isVisible())
    assert stored(open_window) == ()
    assert report.composition is None
    open_window.show_perspective("layers")
    open_window.actions_registry["redo"].trigger()
    until(qtbot, lambda: stored(open_window) == begun)
    open_window.show_perspective("report")
    until(qtbot, lambda: report.entry is not None and report.entry.id == begun[0].id)


def test_a_name_that_is_taken_is_refused_and_the_old_one_stays(qtbot, open_window, report):
    problems = []
    open_window.workspace.problem_found.connect(lambda problem, _what: problems.append(problem))
    name = report.entry.name
    report.view.bar.template_chosen.emit("single")
    until(qtbot, lambda: report.entry is not None and report.entry.name != name)
    report.view.bar.renamed.emit(name)
    until(qtbot, lambda: problems)
    until(qtbot, lambda: settled(open_window, report))
    assert report.view.bar.reports.currentText() == "Audit of one model"


def test_a_damaged_report_opens_without_what_is_damaged(qtbot, window, project_file, preview):
    with Project.open(project_file) as project:
        blocks = [{"kind": "chapter", "run": 99}, {"kind": "?"}]
        project.add_report("Odd", "", {"title": "T", "blocks": blocks})
        project.add_report("Ruin", "", {"blocks": 5})
    window.commands.open_path(str(project_file))
    presenter = window.presenters["report"]
    until(qtbot, lambda: window.workspace.index is not None)
    window.show_perspective("report")
    until(qtbot, lambda: presenter.composition is not None)
    assert presenter.composition.blocks == (ChapterBlock(id=1, run=99),)
    assert "Part 2" in presenter.view.notes.text()
    presenter.view.bar.report_chosen.emit(stored(window)[1].id)
    until(qtbot, lambda: "damaged" in presenter.view.notes.text())
    assert presenter.composition.blocks == ()


def test_a_read_only_project_is_reported_without_keeping_it(qtbot, window, project_file, preview):
    window.commands.open_path_read_only(str(project_file))
    presenter = window.presenters["report"]
    until(qtbot, lambda: window.workspace.index is not None)
    window.show_perspective("report")
    until(qtbot, lambda: presenter.composition is not None)
    presenter.view.titles_edited.emit("Mine", "")
    assert presenter.composition.title == "Mine"
    until(qtbot, lambda: settled(window, presenter))
    assert stored(window) == ()
    assert "read-only" in presenter.view.bar.state.text()


def test_the_report_on_the_screen_is_written(
    qtbot, open_window, report, backend, tmp_path, monkeypatch
):
    written = []
    monkeypatch.setattr(
        backend, "write_report", lambda project, out, what: written.append((out, what)),
        raising=False,
    )  # fmt: skip
    report.view.blocks.list.setCurrentRow(0)
    report.view.editor.title.setText("Typed just now")
    report.view.bar.pdf.click()
    dialog = one(qtbot, QFileDialog)
    assert dialog.defaultSuffix() == "pdf"
    dialog.fileSelected.emit(str(tmp_path / "r.pdf"))
    dialog.close()
    until(qtbot, lambda: written)
    assert written == [(tmp_path / "r.pdf", report.composition)]
    assert report.composition.title == "Typed just now"
    until(qtbot, lambda: "r.pdf" in open_window.status_line.text.text())


def test_a_finding_remembers_which_report_was_shown(qtbot, open_window, report):
    state = report.view_state()
    assert state == {"report": report.entry.id}
    assert not report.restore_view_state(state)
    assert not report.restore_view_state({"report": "nonsense"})
    assert not report.restore_view_state({"report": 12345})
    first = report.entry.id
    report.view.bar.template_chosen.emit("family")
    until(qtbot, lambda: report.entry is not None and report.entry.id != first)
    assert report.restore_view_state(state)
    until(qtbot, lambda: report.entry is not None and report.entry.id == first)


def test_a_slow_answer_does_not_bring_back_another_project(qtbot, open_window, report):
    open_window.commands.close_project()
    until(qtbot, lambda: open_window.workspace.project is None)
    assert report.composition is None
    assert report.entry is None
