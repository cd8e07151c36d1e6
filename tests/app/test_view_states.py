"""States of views as findings keep them: there and back, and nothing that is not trusted."""

from __future__ import annotations

import dataclasses
import json

import pytest

from analysis.project import Project
from app.history import Place
from app.project_index import read_index
from app.session import Snapshot
from app.view_states import find_state, read_state, take_state, write_state

FULL = Snapshot(
    model_a="Lite0",
    model_b="Lite2",
    run_concepts=2,
    run_layers=1,
    layer_a="stem",
    layer_b="penultimate",
    class_name="bird",
    concept=3,
    image=1,
    patch=1,
    selection=frozenset({3, 4}),
    models=("Lite2", "SqueezeNet"),
    components=(3, 1),
    saliency_method="gradcam",
)


@pytest.fixture
def project(project_file):
    with Project.open(project_file) as opened:
        yield opened


def _stored(project: Project, snapshot: Snapshot = FULL, view: dict | None = None) -> dict:
    """The state as it comes out of a file."""
    state = take_state("concepts", snapshot, read_index(project), view or {})
    return json.loads(json.dumps(write_state(state)))


def test_a_state_comes_back_as_it_was(project) -> None:
    found = find_state(project, "concepts", _stored(project, view={"controls": {"x": [1, 2.5]}}))
    assert found.changes == Place("concepts", FULL).changes()
    assert found.state.view == {"controls": {"x": [1, 2.5]}}
    assert found.missing == ()


def test_every_field_of_a_place_is_kept() -> None:
    kept = write_state(take_state("x", Snapshot(), None, {}))["session"]
    assert set(kept) == set(Place("x", Snapshot()).changes())
    assert read_state("x", {"session": kept}).session == Place("x", Snapshot()).changes()


def test_a_renamed_model_is_found_by_its_id(project) -> None:
    stored = _stored(project)
    project.rename_model("Lite0", "first")
    project.rename_model("SqueezeNet", "Lite0")
    found = find_state(project, "concepts", stored)
    assert (found.changes["model_a"], found.changes["models"]) == ("first", ("Lite2", "Lite0"))
    assert found.missing == ()


def test_a_removed_run_is_named_and_what_belongs_to_it_goes(project) -> None:
    stored = _stored(project)
    project.delete_run(2)
    found = find_state(project, "concepts", stored)
    assert found.missing == ("The run “concepts Lite0” was removed.",)
    gone = {name: found.changes[name] for name in ("run_concepts", "concept", "patch", "selection")}
    assert gone == {"run_concepts": None, "concept": None, "patch": None, "selection": frozenset()}
    assert found.changes["run_layers"] == 1
    assert found.changes["class_name"] == "bird"


def test_a_removed_model_is_said(project) -> None:
    for run in (1, 2):
        project.delete_run(run)
    stored = _stored(project, dataclasses.replace(FULL, run_concepts=None, run_layers=None))
    project.remove_model("Lite2")
    found = find_state(project, "layers", stored)
    assert found.missing == ("The model “Lite2” was removed.",)
    assert found.changes["model_b"] is None
    assert found.changes["models"] == ("SqueezeNet",)


def test_ids_that_are_gone_are_counted(project) -> None:
    ids = frozenset({3, 4, 900, 901})
    gone = dataclasses.replace(FULL, selection=ids, concept=902, patch=None, image=77)
    found = find_state(project, "concepts", _stored(project, gone))
    assert found.changes["selection"] == {3, 4}
    assert found.changes["concept"] is None
    assert found.changes["image"] is None
    assert set(found.missing) == {
        "The concept is gone.",
        "2 selected concepts are gone.",
        "The image is gone.",
    }


def test_an_id_of_another_run_is_no_id_of_this_one(project) -> None:
    stored = _stored(project)
    stored["session"]["run_concepts"] = 1  # a run of layers
    found = find_state(project, "concepts", stored)
    assert found.changes["run_concepts"] is None
    assert found.changes["concept"] is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {"session": []},
        {"session": {"concept": "three", "selection": "1,2", "models": {}, "components": [1]}},
        {"session": {"concept": True, "image": -4, "unit": 2**70, "selection": [1, "x"]}},
        {"session": {"model_a": 3, "class_name": "x" * 5000, "models": [None], "hover": 3}},
        {"session": {"project": "elsewhere.parallax", "unknown": 1}, "models": {"a": "b"}},
        {"session": {"components": [0.5, None]}, "names": {"run_concepts": 7}, "view": 3},
    ],
)
def test_nonsense_is_left_out(project, value) -> None:
    found = find_state(project, "concepts", value)
    assert found.changes.keys() <= Place("", Snapshot()).changes().keys()
    assert found.changes == {}
    assert found.missing == ()


def test_components_begin_at_one(project) -> None:
    found = find_state(project, "embedding", {"session": {"components": [0, 9]}})
    assert found.changes == {"components": (1, 9)}
