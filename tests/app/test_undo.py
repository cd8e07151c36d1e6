"""Undo and redo: what is taken back is as it was, ids included, in the order of the edits."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtGui import QImage

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.findings import Finding
from app import finding_pictures, reversible
from app.undo import EditHistory, Standing
from tests.app.steps import entry, label, until

FINDING = Finding(title="odd", tags=("a",), perspective="layers", run=1)


@pytest.fixture
def project(project_file):
    with Project.open(project_file) as opened:
        yield opened


def _contents(project: Project) -> tuple:
    """Everything that can be undone."""
    tables = ("model", "run", "finding", "finding_picture", "image_slice", "image_slice_image")
    rows = [project.rows(f"SELECT * FROM {table} ORDER BY rowid") for table in tables]
    return tuple(tuple(tuple(row) for row in each) for each in rows)


@pytest.mark.parametrize(
    "step",
    [
        partial(reversible.rename_model, "Lite0", "first"),
        partial(reversible.rename_run, 2, "of both"),
        partial(reversible.add_finding, FINDING, None),
        partial(finding_pictures.record, FINDING, QImage(40, 30, QImage.Format.Format_RGB32)),
        partial(reversible.add_slice, "odd ones", (1, 3), "by hand", None, ""),
    ],
)
def test_every_edit_can_be_undone_and_redone(project, step) -> None:
    history, before = EditHistory(project), _contents(project)
    history.do("edit", step)
    after = _contents(project)
    assert after != before
    for _ in range(2):
        history.undo()
        assert _contents(project) == before
        history.redo()
        assert _contents(project) == after


def test_what_is_removed_comes_back_with_everything(project) -> None:
    history = EditHistory(project)
    picture = QImage(40, 30, QImage.Format.Format_RGB32)
    finding = history.do("a", partial(finding_pictures.record, FINDING, picture)).answer
    other = history.do("b", partial(reversible.add_finding, FINDING, None)).answer
    images = history.do(
        "c", partial(reversible.add_slice, "odd", (1, 2), "by hand", None, "")
    ).answer
    history.do("d", partial(reversible.rename_slice, images, "even"))
    before = _contents(project)
    history.do("e", partial(reversible.remove_findings, (finding, other)))
    history.do("f", partial(reversible.remove_slice, images))
    assert project.findings() == ()
    history.undo()
    history.undo()
    assert _contents(project) == before
    assert project.finding_picture(finding) is not None


def test_a_change_of_a_finding_goes_back_and_forth(project) -> None:
    history = EditHistory(project)
    number = history.do("add", partial(reversible.add_finding, FINDING, None)).answer
    changed = Finding(title="odder", verdict="spurious", id=number)
    history.do("change", partial(reversible.change_finding, changed))
    after = project.finding(number)
    history.undo()
    assert (project.finding(number).title, project.finding(number).verdict) == (
        "odd",
        "needs review",
    )
    history.redo()
    assert project.finding(number) == after


def test_a_new_edit_forgets_what_was_undone(project) -> None:
    history = EditHistory(project)
    history.do("one", partial(reversible.rename_run, 1, "x"))
    history.undo()
    assert history.standing == Standing("", "one")
    history.do("two", partial(reversible.rename_run, 1, "y"))
    assert history.standing == Standing("two", "")
    assert history.redo() is None


def test_an_edit_that_fails_is_dropped_and_the_others_stay(project) -> None:
    history = EditHistory(project)
    history.do("first", partial(reversible.rename_run, 1, "x"))
    history.do("second", partial(reversible.rename_run, 2, "y"))
    project.delete_run(2)
    with pytest.raises(AuditError, match="removed"):
        history.undo()
    assert history.standing == Standing("first", "")
    history.undo()
    assert project.value("SELECT name FROM run WHERE id = 1") == "layers Lite0"


def test_a_finding_of_a_removed_run_comes_back_without_it(project) -> None:
    history = EditHistory(project)
    number = history.do("add", partial(reversible.add_finding, FINDING, None)).answer
    assert project.finding(number).run == 1
    history.do("remove", partial(reversible.remove_finding, number))
    project.delete_run(1)
    history.undo()
    assert project.finding(number).run is None


@pytest.mark.parametrize(
    "step",
    [
        partial(reversible.remove_finding, 99),
        partial(reversible.remove_slice, 99),
        partial(reversible.rename_slice, 99, "x"),
        partial(reversible.rename_concept, 99, "x"),
        partial(reversible.rename_model, "Lite0", "Lite2"),
        partial(reversible.rename_model, "Lite0", "  "),
        partial(reversible.add_slice, "none", (12345,), "", None, ""),
        partial(reversible.remove_findings, (1, 99)),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(project, step) -> None:
    project.add_finding(FINDING)
    history, before = EditHistory(project), _contents(project)
    with pytest.raises(AuditError):
        history.do("edit", step)
    assert _contents(project) == before
    assert history.standing == Standing()


# -- in the window -----------------------------------------------------------------------------
def test_undo_and_redo_in_the_menu_say_what_they_do(qtbot, open_window) -> None:
    window, actions = open_window, open_window.actions_registry
    assert not actions["undo"].isEnabled()
    assert actions["undo"].text() == "&Undo"
    window.workspace.rename_model("Lite0", "first")
    until(qtbot, lambda: window.workspace.session.snapshot.model_a == "first")
    assert actions["undo"].text() == "&Undo: rename model"
    actions["undo"].trigger()
    until(qtbot, lambda: window.workspace.session.snapshot.model_a == "Lite0")
    assert label(window, "model", "Lite0").startswith("● Lite0")
    assert not actions["undo"].isEnabled()
    assert actions["redo"].text() == "&Redo: rename model"
    actions["redo"].trigger()
    until(qtbot, lambda: window.workspace.session.snapshot.model_a == "first")


def test_the_edit_menu_stands_between_file_and_audit(window) -> None:
    titles = [action.text() for action in window.menuBar().actions()]
    assert titles[:3] == ["&File", "&Edit", "&Audit"]


def test_many_wishes_at_once_are_done_in_their_order(qtbot, open_workspace) -> None:
    undo = open_workspace.undo
    for name in ("x", "y", "z"):
        undo.do("rename run", partial(reversible.rename_run, 1, name))
    undo.undo()
    undo.undo()
    undo.redo()
    run = open_workspace.run
    until(qtbot, lambda: undo.standing == Standing("rename run", "rename run"))
    until(qtbot, lambda: run(1).name == "y" and not open_workspace.store.busy)


def test_a_failed_edit_is_said(qtbot, open_workspace) -> None:
    with qtbot.waitSignal(open_workspace.problem_found) as caught:
        open_workspace.undo.do("rename run", partial(reversible.rename_run, 77, "x"))
    assert "removed" in caught.args[0].summary


def test_another_project_has_nothing_to_undo(qtbot, open_workspace, tmp_path) -> None:
    open_workspace.undo.do("rename run", partial(reversible.rename_run, 1, "x"))
    until(qtbot, lambda: open_workspace.undo.standing.undo)
    with qtbot.waitSignal(open_workspace.project_changed):
        open_workspace.create(tmp_path / "other.parallax")
    until(qtbot, lambda: open_workspace.undo.standing == Standing())


def test_an_edit_made_just_before_closing_is_kept(open_workspace, project_file) -> None:
    open_workspace.undo.do("rename run", partial(reversible.rename_run, 1, "at the last moment"))
    open_workspace.close_project()
    with Project.open(project_file) as project:
        assert project.value("SELECT name FROM run WHERE id = 1") == "at the last moment"


def test_read_only_projects_are_not_edited(qtbot, workspace, project_file) -> None:
    workspace.open(project_file, read_only=True)
    until(qtbot, lambda: workspace.index is not None)
    with qtbot.waitSignal(workspace.problem_found) as caught:
        assert not workspace.undo.do("x", partial(reversible.rename_run, 1, "x"))
    assert "read-only" in caught.args[0].summary


def test_a_run_renamed_by_its_menu_can_be_undone(qtbot, open_window) -> None:
    open_window.entry_commands._on_run_renamed(1, "of layers")
    until(qtbot, lambda: "of layers" in entry(open_window, "run", 1).text(0))
    open_window.actions_registry["undo"].trigger()
    until(qtbot, lambda: "of layers" not in entry(open_window, "run", 1).text(0))
