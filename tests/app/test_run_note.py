"""What is said of a newer run that is not finished."""

from __future__ import annotations

import pytest

from analysis.figures.run_results import Standing
from analysis.project import Project
from app.project_index import RunEntry
from app.run_note import RunNote, newer_words
from tests.app.steps import until


@pytest.fixture
def note(window) -> RunNote:
    return window.findChild(RunNote)


def opened(qtbot, window, file) -> None:
    window.commands.open_path(str(file))
    until(qtbot, lambda: window.workspace.session.snapshot.run_layers is not None)


def add_layers_run(path, state: str) -> int:
    """A newer run of the layers of the same two models, of which nothing has come yet."""
    with Project.open(path) as project:
        row = project.row("SELECT * FROM run WHERE audit = 'layers'")
        run = project.add_run("layers", "Layers, once more", {}, model_a=row["model_a"],
                              model_b=row["model_b"], image_set=row["image_set"],
                              units=["a", "b", "c"])  # fmt: skip
        project.set_run_state(run, state)
        return run


def test_the_older_run_stays_and_the_newer_one_is_named(qtbot, window, note, project_file) -> None:
    newer = add_layers_run(project_file, "cancelled")
    opened(qtbot, window, project_file)
    window.show_perspective("layers")
    shown = window.workspace.session.snapshot.run_layers
    assert shown is not None
    assert shown != newer
    until(qtbot, note.isVisible)
    assert f"(run {newer}), is not finished (0 of 3 units of work done)" in note.text.text()
    assert note.accessibleName() == note.text.text()
    assert not note.button.isVisible()  # there is nothing to show of it
    window.show_perspective("concepts")
    assert not note.isVisible()  # no newer run of this audit


def test_a_finished_newer_run_is_no_news(qtbot, window, note, project_file) -> None:
    add_layers_run(project_file, "done")
    opened(qtbot, window, project_file)
    window.show_perspective("layers")
    assert window.workspace.session.snapshot.run_layers is not None
    assert not note.isVisible()


def test_its_results_are_shown_all_the_same_when_asked_for(qtbot, window, note, project_file):
    newer = add_layers_run(project_file, "cancelled")
    with Project.open(project_file) as project:
        row = dict(project.row("SELECT * FROM layer_similarity"))
        kept = {name: value for name, value in row.items() if name not in ("id", "run")}
        project.commit_unit(newer, "a", {"layer_similarity": [kept]}, {}, [], 0.1)
    opened(qtbot, window, project_file)
    window.show_perspective("layers")
    older = next(r for r in window.workspace.index.runs if r.audit == "layers" and r.id != newer)
    window.workspace.show_run(older.id, "test")
    until(qtbot, note.isVisible)
    assert note.button.isVisible()
    note.button.click()
    assert window.workspace.session.snapshot.run_layers == newer
    until(qtbot, lambda: not note.isVisible())


def test_words_of_a_run_that_goes_on() -> None:
    entry = RunEntry(8, "layers", "Layers", 1, "A", "B", None, None, "running", 31, 50, 0, "", "",
                     None, False, "{}", standing=Standing.NOTHING)  # fmt: skip
    words = newer_words(entry, entry, True)
    assert words.endswith("is running (31 of 50 units of work done).")
