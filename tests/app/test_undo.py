"""Undo and redo: what is taken back is as it was, ids included, in the order of the edits."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox
from analysis.project.findings import Finding
from app import finding_pictures, reversible
from app.backend_report import NewReport
from app.report_edits import ReportAdded, ReportRemoved, add_report, remove_report
from app.undo import EditHistory, Standing
from tests.app.steps import entry, label, until

FINDING = Finding(title="odd", tags=("a",), perspective="layers", run=1)
POSITIVE, NEGATIVE = "positive", "negative"
BOX, OTHER = ExampleBox(1, 0, 0, 9, 9), ExampleBox(2, 1, 1, 9, 9)
THIRD, FOURTH = ExampleBox(3, 2, 2, 9, 9), ExampleBox(4, 3, 3, 9, 9)


@pytest.fixture
def project(project_file):
    with Project.open(project_file) as opened:
        yield opened


def _contents(project: Project) -> tuple:
    """Everything that can be undone."""
    tables = (
        "model", "run", "finding", "finding_picture", "image_slice", "image_slice_image",
        "concept_set", "concept_example", "report",
    )  # fmt: skip
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
        partial(reversible.add_concept, "sky", "labels", None, "sky", "object"),
        partial(reversible.add_concept, "zebra", "folder", Path("stripes"), None, None),
        partial(reversible.save_as_concept, "wheel", (BOX, OTHER)),
        partial(add_report, lambda _project: NewReport("Ours", "single", {"blocks": []})),
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


# -- concepts and their examples -----------------------------------------------------------------
@pytest.fixture
def wheel(project) -> int:
    """A concept of two examples and two negatives, one of which is an example as well."""
    project.add_concept_set("sky", "labels", label="sky")
    number = project.add_concept_set("wheel", "patches", examples=[BOX, OTHER])
    project.add_concept_examples(number, [OTHER, THIRD], "negative")
    return number


def _examples(project: Project, number: int) -> list[tuple[str, ExampleBox]]:
    return [(one.role, one.box) for one in project.concept_examples(number)]


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (
            partial(reversible.add_examples, 2, (BOX, FOURTH), "positive"),
            [(POSITIVE, BOX), (POSITIVE, OTHER), (NEGATIVE, OTHER), (NEGATIVE, THIRD),
             (POSITIVE, FOURTH)],
        ),
        (
            partial(reversible.remove_examples, (1, 3, 99)),
            [(POSITIVE, OTHER), (NEGATIVE, THIRD)],
        ),
        (  # the second example takes the place of the negative that it becomes
            partial(reversible.turn_examples, (1, 2)),
            [(NEGATIVE, BOX), (NEGATIVE, OTHER), (NEGATIVE, THIRD)],
        ),
        (partial(reversible.remove_concept, 2), []),
    ],
)  # fmt: skip
def test_examples_come_and_go_with_their_ids(project, wheel, step, left) -> None:
    assert wheel == 2
    assert [one.id for one in project.concept_examples(wheel)] == [1, 2, 3, 4]
    history, before = EditHistory(project), _contents(project)
    history.do("edit", step)
    after = _contents(project)
    assert _examples(project, wheel) == left
    for _ in range(2):
        history.undo()
        assert _contents(project) == before
        history.redo()
        assert _contents(project) == after


def test_a_row_of_edits_of_examples_goes_back_and_forth(project, wheel) -> None:
    history, states = EditHistory(project), [_contents(project)]
    for step in (
        partial(reversible.turn_examples, (2, 4)),
        partial(reversible.remove_examples, (1, 2)),
        partial(reversible.add_examples, wheel, (BOX, THIRD), "negative"),
        partial(reversible.remove_concept, wheel),
        partial(reversible.save_as_concept, "wheel", (FOURTH,)),  # the name is free again
    ):
        history.do("edit", step)
        states.append(_contents(project))
    for state in states[-2::-1]:
        history.undo()
        assert _contents(project) == state
    for state in states[1:]:
        history.redo()
        assert _contents(project) == state


@pytest.mark.parametrize(
    "step",
    [
        partial(reversible.add_examples, 2, (BOX,), "positive"),
        partial(reversible.remove_examples, (98, 99)),
        partial(reversible.turn_examples, ()),
    ],
)
def test_what_changes_nothing_is_not_taken_back(project, wheel, step) -> None:
    history = EditHistory(project)
    history.do("rename", partial(reversible.rename_run, 1, "x"))
    history.undo()
    assert not history.do("nothing", step).changed
    assert history.standing == Standing("", "rename")  # nor does it end what can be redone


def test_a_removed_report_comes_back_with_its_dates(project) -> None:
    number = project.add_report(
        "Ours", "single", {"title": "T"}, created="2026-01-02", changed="2026-03-04"
    )
    history, before = EditHistory(project), _contents(project)
    removed = history.do("remove", partial(remove_report, number))
    assert removed.answer == ReportRemoved(number)
    assert project.reports() == ()
    assert history.undo().answer == ReportAdded(number)
    assert _contents(project) == before
    history.redo()
    assert project.reports() == ()


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
        partial(reversible.remove_concept, 99),
        partial(reversible.add_examples, 99, (), "positive"),
        partial(reversible.save_as_concept, "wheel", (BOX, ExampleBox(1, 0, 0, 0, 5))),
        partial(reversible.add_concept, " ", "patches", None, None, None),
        partial(remove_report, 99),
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
