"""Parts of the window that need no window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures import readers, unit_readers
from analysis.project import Project
from app import run_choice
from app.dialogs.palette import PaletteEntry, find_entries
from app.dialogs.parameter_form import meaning_of_empty
from app.mirror import mirror_detail, mirror_layers, mirror_points, mirror_replacement
from app.project_edits import clean_name
from app.project_index import read_image_facts, read_index, read_json
from app.session import Snapshot
from app.specification_text import (
    compose_specification,
    join_specification,
    split_specification,
    suggest_model_name,
)
from app.welcome import next_steps
from app.words import (
    concept_readings,
    concept_title,
    model_readings,
    models_sentence,
    models_title,
    similarity_sentence,
    unit_place,
    unit_readings,
    unit_title,
)
from tests.app.made_results import add_dissection

MODELS = ("Lite0", "Lite2", "SqueezeNet")


@pytest.fixture
def project(project_file: Path):
    with Project.open(project_file, read_only=True) as opened:
        yield opened


# -- seen from the other side ------------------------------------------------------------------
def test_mirroring_transposes_the_matrix(project) -> None:
    data = readers.layer_similarity(project, 1, "mmcs_pearson")
    other = mirror_layers(data)
    assert (other.model_a, other.model_b) == ("Lite2", "Lite0")
    assert other.values[0, 3] == data.values[3, 0]
    np.testing.assert_array_equal(mirror_layers(other).values, data.values)


def test_mirroring_exchanges_sides(project) -> None:
    points = readers.concept_points(project, 2)
    other = mirror_points(points)
    assert set(zip(points.side.tolist(), other.side.tolist(), strict=True)) == {
        ("a", "b"), ("b", "a"),
    }  # fmt: skip
    np.testing.assert_array_equal(other.concept_id, points.concept_id)
    replacement = readers.replacement_points(project, 2)
    assert mirror_replacement(replacement).side[0] != replacement.side[0]
    detail = readers.concept_detail(project, int(points.concept_id[0]))
    assert mirror_detail(mirror_detail(detail)) == detail


# -- words -------------------------------------------------------------------------------------
def test_the_sentence_says_what_the_number_means(project) -> None:
    detail = replace(
        readers.concept_detail(project, 1),
        cmcs_pearson=0.21, ci_low=0.10, ci_high=0.33, null_95=0.12,
    )  # fmt: skip
    assert similarity_sentence(detail) == (
        "Lite2 cannot predict this concept of Lite0 (CMCS 0.21 [0.10, 0.33], chance 0.12)."
    )
    assert "no better than chance" in similarity_sentence(replace(detail, cmcs_pearson=0.11))
    assert "predicts this concept of Lite0 well" in similarity_sentence(
        replace(detail, cmcs_pearson=0.9)
    )
    nothing = similarity_sentence(replace(detail, cmcs_pearson=float("nan")))
    assert "nan" not in nothing.lower()
    assert "could not be compared" in nothing


def test_missing_numbers_say_why(project) -> None:
    detail = readers.concept_detail(project, 1)
    nan = float("nan")
    readings = {
        reading.name: reading.value
        for reading in concept_readings(replace(detail, importance=nan, stability=nan))
    }
    assert readings["importance"] == "no class head"
    assert "nan" not in " ".join(readings.values()).lower()
    assert concept_title(detail).startswith("Concept 1 of Lite0")


# -- specifications ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "timm:resnet18",
        "timm:x?pretrained=false",
        "timm:x?a=1&b=2@w.pth",
        "sample:vit",
        "@",
        "?",
        "",
    ],
)
def test_splitting_and_joining_loses_nothing_but_empty_marks(text) -> None:
    assert join_specification(split_specification(text)) == text.strip("@?")


def test_composing_sets_weights_and_options() -> None:
    composed = compose_specification(
        "timm:resnet18?num_classes=0", "/w/a.pth", {"mean": "0.5,0.5,0.5", "std": " "}
    )
    assert composed == "timm:resnet18?num_classes=0&mean=0.5,0.5,0.5@/w/a.pth"
    assert compose_specification("timm:x?mean=1", "", {"mean": "2"}) == "timm:x?mean=2"


def test_suggested_names_are_free() -> None:
    assert suggest_model_name("timm:resnet18", set()) == "resnet18"
    assert suggest_model_name("timm:resnet18", {"resnet18", "resnet18 2"}) == "resnet18 3"
    assert suggest_model_name("timm:vit@/w/dino.pth", set()) == "dino"


# -- names -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["", "   ", "a\nb", "\x00", "x" * 5000, "taken"])
def test_bad_names_are_refused(name) -> None:
    with pytest.raises(AuditError):
        clean_name(name, frozenset({"taken"}))


def test_names_may_be_in_any_script() -> None:
    assert clean_name("  Modèle 模型 'quoted'; DROP TABLE model ") == (
        "Modèle 模型 'quoted'; DROP TABLE model"
    )
    for joined in ("می\u200cخواهم", "👩\u200d👧 boat"):
        assert clean_name(joined) == joined


# -- index and choices -------------------------------------------------------------------------
def test_damaged_json_is_an_empty_object() -> None:
    assert read_json("{broken") == {}
    assert read_json("[1]") == {}
    assert read_json(None) == {}


def test_image_facts(project) -> None:
    facts = read_image_facts(project, 1)
    assert (facts.label, facts.width, facts.height) == ("bird", 60, 40)
    assert read_image_facts(project, 999) is None


def test_choice_follows_the_started_run_only(project) -> None:
    index = read_index(project)
    older = replace(index.runs[1], id=1)
    newer = replace(index.runs[1], id=9, layer_a="block1")
    index = replace(index, runs=(index.runs[0], older, newer))
    snapshot = Snapshot(
        model_a="Lite0", model_b="Lite2", run_concepts=1,
        layer_a="penultimate", layer_b="penultimate",
    )  # fmt: skip
    assert run_choice.changes_for(snapshot, index).get("run_concepts", 1) == 1
    followed = run_choice.changes_for(snapshot, index, {9})
    assert (followed["run_concepts"], followed["layer_a"]) == (9, "block1")


def test_where_nothing_is_shown_the_started_run_takes_the_stage(project) -> None:
    index = read_index(project)
    snapshot = Snapshot(model_a="Lite0", model_b="SqueezeNet")
    assert run_choice.changes_for(snapshot, index).get("model_b", "SqueezeNet") == "SqueezeNet"
    changes = run_choice.changes_for(snapshot, index, {2})
    assert (changes["model_b"], changes["run_concepts"]) == ("Lite2", 2)


def test_layers_of_a_mirrored_run(project) -> None:
    index = read_index(project)
    run = replace(index.runs[1], layer_a="block1", layer_b="block2")
    index = replace(index, runs=(index.runs[0], run))
    assert run.layers_for("Lite2") == ("block2", "block1")
    assert run.mirrored("Lite2")
    assert not run.mirrored("Lite0")
    changes = run_choice.for_pair(index, "Lite2", "Lite0")
    assert (changes["layer_a"], changes["layer_b"]) == ("block2", "block1")


def test_layer_choices_come_in_the_models_order(project) -> None:
    index = read_index(project)
    snapshot = Snapshot(model_a="Lite0", model_b="Lite2", layer_a="block1")
    layers_a, layers_b = run_choice.layer_choices(index, snapshot)
    assert layers_a == ["block1", "penultimate"]
    assert layers_b == ["penultimate"]


def test_an_empty_project_has_no_pair(tmp_path) -> None:
    with Project.create(tmp_path / "empty.parallax") as empty:
        index = read_index(empty)
    changes = run_choice.changes_for(Snapshot(), index)
    assert (changes["model_a"], changes["run_concepts"]) == (None, None)


# -- runs and models of any number -------------------------------------------------------------
@pytest.fixture
def dissected(dissected_file: Path):
    with Project.open(dissected_file, read_only=True) as opened:
        yield opened


def test_index_lists_runs_of_many_models(dissected) -> None:
    index = read_index(dissected)
    run = index.run(3)
    assert (run.models, run.dissected, run.pair) == (MODELS, MODELS, False)
    assert (run.about, index.run(2).about) == ("3 models", "Lite0 ⇄ Lite2")
    assert index.dissected == MODELS
    assert [index.run(number).has_results for number in (3, 4, 5)] == [True] * 3
    assert index.newest_pair() == ("Lite0", "Lite2")


def test_a_pair_with_a_finished_run_comes_before_a_newer_one_without(dissected) -> None:
    index = read_index(dissected)
    finished = next(run for run in index.runs if run.pair and not run.resumable)
    stopped = replace(finished, id=99, model_b="SqueezeNet", state="cancelled")
    assert stopped.resumable
    assert replace(index, runs=(*index.runs, stopped)).newest_pair() == ("Lite0", "Lite2")
    alone = replace(index, runs=(stopped,))
    assert alone.newest_pair() == ("Lite0", "SqueezeNet")  # better than nothing


def test_models_of_tables_are_no_networks(dissected_file) -> None:
    with Project.open(dissected_file) as project:
        project.add_model("table", "imported:table", library="imported")
        index = read_index(project)
    assert index.model("table").imported
    assert [model.name for model in index.networks] == list(MODELS)


def test_the_newest_run_of_each_kind_is_chosen(dissected) -> None:
    index = read_index(dissected)
    changes = run_choice.changes_for(Snapshot(), index)
    fields = ("run_dissection", "run_evaluation", "run_embedding")
    assert [changes[field] for field in fields] == [3, 4, 5]


def test_a_shown_run_stays_until_a_started_one_has_results(dissected) -> None:
    index = read_index(dissected)
    newer = replace(index.run(3), id=9)
    index = replace(index, runs=(*index.runs, newer))
    shown = Snapshot(model_a="Lite0", model_b="Lite2", run_dissection=3)
    assert "run_dissection" not in run_choice.changes_for(shown, index)
    assert run_choice.changes_for(shown, index, {9})["run_dissection"] == 9
    empty = replace(index, runs=(*index.runs[:-1], replace(newer, has_results=False)))
    assert "run_dissection" not in run_choice.changes_for(shown, empty, {9})


def test_what_is_gone_is_no_longer_shown_or_selected(dissected) -> None:
    index = read_index(dissected)
    snapshot = Snapshot(
        model_a="Lite0", model_b="Lite2", models=("gone", "Lite2"), run_dissection=77,
        run_embedding=78,
    )  # fmt: skip
    changes = run_choice.changes_for(snapshot, replace(index, runs=index.runs[:3]))
    assert (changes["models"], changes["run_dissection"]) == (("Lite2",), 3)
    assert changes["run_embedding"] is None


def test_showing_a_run_of_many_models_leaves_the_pair(dissected) -> None:
    index = read_index(dissected)
    assert run_choice.for_run(Snapshot(model_a="Lite2"), index.run(5)) == {"run_embedding": 5}


def test_a_saliency_run_is_chosen_and_welcomed(explained_file) -> None:
    with Project.open(explained_file, read_only=True) as project:
        index = read_index(project)
    assert index.run(3).has_results
    assert index.run(3).models == ("Lite0", "Lite2")
    assert run_choice.changes_for(Snapshot(), index)["run_saliency"] == 3
    assert run_choice.for_run(Snapshot(), index.run(3)) == {"run_saliency": 3}
    assert "go-saliency" in dict(next_steps(index))


def test_fields_left_empty_say_what_that_means() -> None:
    assert meaning_of_empty("Layer of the CAMs; empty: the last with places") == (
        "the last with places"
    )
    assert meaning_of_empty("Only these, by name; empty means all; or one") == "all"
    assert meaning_of_empty("Steps of insertion") == ""


def test_words_about_units(dissected) -> None:
    wheel, red, dead = (unit_readers.unit_detail(dissected, number) for number in (1, 3, 4))
    assert (unit_title(wheel), unit_title(dead)) == ("wheel", "dead")
    assert "not interpretable" in unit_place(red)
    readings = {reading.name: reading.value for reading in unit_readings(wheel)}
    assert (readings["IoU"], readings["chance"], readings["active"]) == ("0.200", "0.020", "1 %")
    bare = replace(wheel, null_iou=float("nan"), p=float("nan"), active_fraction=float("nan"))
    assert unit_place(bare).endswith("chance is not known.")
    assert {reading.name for reading in unit_readings(bare)} == {"category", "IoU", "threshold"}


def test_words_about_models(dissected) -> None:
    models = read_index(dissected).models
    assert models_title(models) == "3 models selected"
    assert models_sentence(models[:2], "Ctrl+X") == "Ctrl+X compares their concepts."
    table = replace(models[0], library="imported")
    assert models_sentence((models[1], table), "Ctrl+X") == ""
    assert "table" in models_sentence((table,), "Ctrl+X")
    names = [reading.name for reading in model_readings(models[:1])]
    assert names == ["source", "architecture", "classes", "layers"]
    assert [reading.value for reading in model_readings(models)] == list(MODELS)


def test_welcome_offers_what_is_there_and_what_is_next(dissected, tmp_path) -> None:
    steps = dict(next_steps(replace(read_index(dissected), read_only=False)))
    assert list(steps)[:4] == ["go-concepts", "go-layers", "go-embedding", "go-units"]
    with Project.create(tmp_path / "empty.parallax") as empty:
        assert "import-table" in dict(next_steps(read_index(empty)))
        project = empty
        for name in ("one", "two"):
            project.add_model(name, f"imported:{name}", library="imported")
        add_dissection(project, ("one", "two"))
        assert next(step for step, _ in next_steps(read_index(empty)) if "go" not in step) == (
            "embed-models"
        )


# -- palette -----------------------------------------------------------------------------------
def test_palette_finds_every_word_whole_words_first() -> None:
    entries = [
        PaletteEntry("class", "great white shark", 1),
        PaletteEntry("class", "whitebait", 2),
        PaletteEntry("command", "New project", 3),
    ]
    assert [e.payload for e in find_entries(entries, "white")] == [1, 2]
    assert [e.payload for e in find_entries(entries, "whiteb")] == [2]
    assert [e.payload for e in find_entries(entries, "aRk")] == [1]
    assert [e.payload for e in find_entries(entries, "SHARK great")] == [1]
    assert find_entries(entries, "nothing like it") == []
    assert len(find_entries(entries * 1000, "")) == 200
