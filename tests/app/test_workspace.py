from __future__ import annotations

from pathlib import Path

from analysis.errors import AuditError
from analysis.project import Project
from app.lanes import JobState
from app.workspace import Workspace, images_wish, model_wish

WAIT = 10_000


def until(qtbot, condition) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT)


def test_opening_chooses_the_newest_runs(open_workspace: Workspace) -> None:
    now = open_workspace.session.snapshot
    assert (now.model_a, now.model_b) == ("Lite0", "Lite2")
    assert (now.run_layers, now.run_concepts) == (1, 2)
    assert (now.layer_a, now.layer_b) == ("penultimate", "penultimate")


def test_index_lists_what_is_there(open_workspace: Workspace) -> None:
    index = open_workspace.index
    assert [m.name for m in index.models] == ["Lite0", "Lite2", "SqueezeNet"]
    assert (index.image_sets[0].images, index.image_sets[0].rejected) == (6, 1)
    assert [(r.audit, r.state, r.units_done, r.has_results) for r in index.runs] == [
        ("layers", "done", 3, True),
        ("concepts", "done", 3, True),
    ]
    assert index.runs[1].problems == 3


def test_a_file_that_is_no_project_leaves_the_open_one(qtbot, open_workspace, tmp_path) -> None:
    wrong = tmp_path / "wrong.parallax"
    wrong.write_text("not a project")
    with qtbot.waitSignal(open_workspace.open_failed, timeout=WAIT) as caught:
        open_workspace.open(wrong)
    assert caught.args[1] == wrong
    assert "wrong.parallax" in caught.args[0].text
    assert open_workspace.session.snapshot.run_concepts == 2


def test_a_missing_file_is_said(qtbot, workspace, tmp_path) -> None:
    with qtbot.waitSignal(workspace.open_failed, timeout=WAIT) as caught:
        workspace.open(tmp_path / "nothing.parallax")
    assert caught.args[0].summary


def test_swapping_keeps_runs_and_focus(qtbot, open_workspace: Workspace) -> None:
    open_workspace.session.update({"concept": 2})
    until(qtbot, lambda: open_workspace.focus.detail is not None)
    side = open_workspace.focus.detail.side
    open_workspace.swap("test")
    now = open_workspace.session.snapshot
    assert (now.model_a, now.model_b, now.run_concepts, now.concept) == ("Lite2", "Lite0", 2, 2)
    until(qtbot, lambda: open_workspace.focus.detail.side != side)


def test_a_pair_without_runs_shows_none(open_workspace: Workspace) -> None:
    open_workspace.set_pair("Lite0", "SqueezeNet", "test")
    now = open_workspace.session.snapshot
    assert (now.run_layers, now.run_concepts, now.layer_a) == (None, None, None)


def test_layers_that_were_not_compared_have_no_run(open_workspace: Workspace) -> None:
    open_workspace.set_layers("block1", "block2", "test")
    assert open_workspace.session.snapshot.run_concepts is None
    open_workspace.set_layers("penultimate", "penultimate", "test")
    assert open_workspace.session.snapshot.run_concepts == 2


def test_a_started_run_is_shown_while_it_goes_on(qtbot, open_workspace, backend) -> None:
    backend.gate.clear()
    parameters = backend.parse_parameters("concepts", {})
    open_workspace.start_audit("concepts", ("Lite0", "Lite2"), parameters, 1, "auto")
    until(qtbot, lambda: open_workspace.session.snapshot.run_concepts == 3)
    until(qtbot, lambda: open_workspace.classes == ("bird",))
    assert open_workspace.jobs.busy
    with qtbot.waitSignal(open_workspace.results_changed, timeout=WAIT):
        backend.gate.set()
    until(qtbot, lambda: not open_workspace.jobs.busy)
    until(qtbot, lambda: open_workspace.run(3).state == "done")
    until(qtbot, lambda: len(open_workspace.classes) == 3)


def test_cancelled_run_keeps_its_units_and_resumes(qtbot, open_workspace, backend) -> None:
    backend.gate.clear()
    parameters = backend.parse_parameters("concepts", {})
    open_workspace.start_audit("concepts", ("Lite0", "SqueezeNet"), parameters, 1, "auto")
    until(qtbot, lambda: open_workspace.run(3) is not None and open_workspace.run(3).has_results)
    job = open_workspace.jobs.of_run(3)
    open_workspace.jobs.cancel(job.id)
    until(qtbot, lambda: job.state == JobState.CANCELLED)
    until(qtbot, lambda: open_workspace.run(3).state == "cancelled")
    assert open_workspace.run(3).units_done == 1
    backend.gate.set()
    open_workspace.resume_all()
    until(qtbot, lambda: open_workspace.run(3).state == "done")
    assert open_workspace.run(3).units_done == 3
    assert backend.executed == [3, 3]


def test_a_run_is_not_started_twice(qtbot, open_workspace, backend) -> None:
    backend.gate.clear()
    parameters = backend.parse_parameters("concepts", {})
    open_workspace.start_audit("concepts", ("Lite0", "Lite2"), parameters, 1, "auto")
    until(qtbot, lambda: open_workspace.jobs.of_run(3) is not None)
    first = open_workspace.jobs.of_run(3).id
    assert open_workspace.start_run(3) == first


def test_failing_run_is_said_and_can_be_resumed(qtbot, open_workspace, backend) -> None:
    backend.fail_with = AuditError("The weights are gone.", "Put them back.")
    parameters = backend.parse_parameters("concepts", {})
    with qtbot.waitSignal(open_workspace.problem_found, timeout=WAIT) as caught:
        open_workspace.start_audit("concepts", ("Lite0", "Lite2"), parameters, 1, "auto")
    assert caught.args[0].summary == "The weights are gone."
    until(qtbot, lambda: open_workspace.run(3) and open_workspace.run(3).state == "failed")
    assert open_workspace.run(3).resumable
    backend.fail_with = None
    open_workspace.jobs.retry(open_workspace.jobs.of_run(3).id)
    until(qtbot, lambda: open_workspace.run(3).state == "done")


def test_renaming_a_model_keeps_looking_at_it(qtbot, open_workspace: Workspace) -> None:
    open_workspace.session.update({"concept": 2})
    open_workspace.rename_model("Lite0", "Lite zero")
    until(qtbot, lambda: open_workspace.session.snapshot.model_a == "Lite zero")
    now = open_workspace.session.snapshot
    assert (now.run_concepts, now.concept) == (2, 2)
    assert open_workspace.run(2).model_a == "Lite zero"


def test_a_taken_name_is_refused(qtbot, open_workspace: Workspace) -> None:
    with qtbot.waitSignal(open_workspace.problem_found, timeout=WAIT) as caught:
        open_workspace.rename_model("Lite0", " Lite2 ")
    assert "Lite2" in caught.args[0].summary


def test_removing_the_shown_run_clears_it(qtbot, open_workspace: Workspace) -> None:
    open_workspace.edit("remove_run", 2)
    until(qtbot, lambda: open_workspace.run(2) is None)
    until(qtbot, lambda: open_workspace.session.snapshot.run_concepts is None)


def test_a_model_in_use_cannot_be_removed(qtbot, open_workspace: Workspace) -> None:
    with qtbot.waitSignal(open_workspace.problem_found, timeout=WAIT) as caught:
        open_workspace.edit("remove_model", "Lite0")
    assert "used by a run" in caught.args[0].summary
    open_workspace.edit("remove_model", "SqueezeNet")
    until(qtbot, lambda: open_workspace.index.model("SqueezeNet") is None)


def test_images_in_use_cannot_be_removed(qtbot, open_workspace: Workspace) -> None:
    with qtbot.waitSignal(open_workspace.problem_found, timeout=WAIT) as caught:
        open_workspace.edit("remove_image_set", 1)
    assert caught.args[0].hint


def test_new_project_takes_in_what_was_wished(qtbot, workspace, tmp_path: Path) -> None:
    path = tmp_path / "new.parallax"
    wishes = (images_wish("pictures", tmp_path), model_wish("net", "timm:resnet18"))
    workspace.create(path, wishes)
    until(qtbot, lambda: workspace.index is not None and len(workspace.index.models) == 1)
    until(qtbot, lambda: len(workspace.index.image_sets) == 1)
    assert workspace.index.model("net").specification == "timm:resnet18"


def test_sample_fills_runs_and_shows(qtbot, workspace, backend, tmp_path: Path) -> None:
    workspace.open_sample(tmp_path / "sample.parallax")
    until(qtbot, lambda: backend.executed == [1, 2])
    until(qtbot, lambda: workspace.session.snapshot.run_layers == 2)
    assert workspace.session.snapshot.run_concepts == 1


def test_read_only_project_starts_nothing(qtbot, workspace, backend, project_file) -> None:
    workspace.open(project_file, read_only=True)
    until(qtbot, lambda: workspace.session.snapshot.run_concepts is not None)
    assert not workspace.writable
    assert workspace.start_run(1) is None
    assert backend.executed == []


def test_a_project_open_to_look_at_opens_to_write(qtbot, workspace, project_file) -> None:
    workspace.open(project_file, read_only=True)
    until(qtbot, lambda: workspace.index is not None)
    assert not workspace.writable
    workspace.open(project_file)
    until(qtbot, lambda: workspace.writable and workspace.index is not None)
    project = workspace.project
    workspace.open(project_file)  # stays as it is
    until(qtbot, lambda: not workspace.store.busy)
    assert workspace.project is project


def test_closing_leaves_one_whole_file(qtbot, open_workspace, project_file: Path) -> None:
    open_workspace.close_project()
    assert open_workspace.session.snapshot.project is None
    assert [p.name for p in project_file.parent.glob("scenes*")] == ["scenes.parallax"]
    with Project.open(project_file) as project:
        assert project.value("SELECT count(*) FROM concept") == 18


def test_when_idle_waits_for_the_job(qtbot, open_workspace, backend) -> None:
    backend.gate.clear()
    parameters = backend.parse_parameters("concepts", {})
    open_workspace.start_audit("concepts", ("Lite0", "Lite2"), parameters, 1, "auto")
    until(qtbot, lambda: open_workspace.jobs.busy)
    called: list[bool] = []
    open_workspace.when_idle(lambda: called.append(True))
    assert called == []
    open_workspace.jobs.cancel_all()
    until(qtbot, lambda: called == [True])


def test_save_as_goes_on_with_the_other_file(qtbot, open_workspace, tmp_path) -> None:
    other = tmp_path / "other.parallax"
    open_workspace.edit("save_as", other)
    until(qtbot, lambda: open_workspace.index.path == other)
    assert open_workspace.session.snapshot.project == str(other)
    assert open_workspace.session.snapshot.run_concepts == 2
