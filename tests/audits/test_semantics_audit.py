"""The audit `semantics` from images and concepts to tables, on small real networks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis import audits
from analysis.audits.semantics import mask_layers
from analysis.errors import AuditError, Cancelled
from analysis.progress import Progress
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox
from tests.audits.cancelling import CancelAfter

Table = Callable[[Project, str, int], list[dict[str, Any]]]
PAIR = ("pink-sensitive", "pink-invariant")
TABLES = ("concept_vector", "space_similarity", "tcav", "mask_concept", "mask_similarity")
QUICK = {
    "concepts": "pink square,roof",
    "random_sets": 8,
    "permutations": 50,
    "replicates": 100,
    "layers": 2,
    "components": 3,
    "negatives": 40,
    "mask_side": 28,
}


def _create(project: Project, *models: str, **settings: Any) -> int:
    values = {**QUICK, **settings}
    parameters = audits.parse_parameters(audits.AUDITS["semantics"].parameters, values)
    return audits.create_run(project, "semantics", models or PAIR, parameters, None, "cpu")


def _run(project: Project, *models: str, **settings: Any) -> int:
    run = _create(project, *models, **settings)
    audits.execute(project, run, Progress())
    return run


def _problems(project: Project, run: int) -> dict[str, str]:
    rows = project.rows("SELECT subject, reason FROM problem WHERE run = ?", (run,))
    return {row["subject"]: row["reason"] for row in rows}


@pytest.fixture(scope="module")
def finished_file(labelled_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The labelled project with one run of its two networks."""
    folder = tmp_path_factory.mktemp("finished")
    path = Path(shutil.copy(labelled_template, folder / "finished.parallax"))
    with pytest.MonkeyPatch.context() as patch, Project.open(path) as project:
        patch.setenv("PARALLAX_CACHE", str(folder / "cache"))
        _run(project)
    return path


@pytest.fixture
def finished(finished_file: Path, tmp_path: Path) -> Iterator[tuple[Project, int]]:
    """A copy of that project, and the run."""
    with Project.open(Path(shutil.copy(finished_file, tmp_path))) as project:
        yield project, project.value("SELECT id FROM run")


def test_every_table_is_filled(finished: tuple[Project, int], table: Table) -> None:
    labelled_project, run = finished
    vectors = table(labelled_project, "concept_vector", run)
    assert len(vectors) == 2 * 2 * 2  # models, layers, concepts
    assert {row["concept"] for row in vectors} == {"pink square", "roof"}
    spaces = table(labelled_project, "space_similarity", run)
    assert len(spaces) == 2 * 2 * 3  # pairs of layers, both concepts and their mean
    assert sum(row["concept"] is None for row in spaces) == 4
    scores = table(labelled_project, "tcav", run)
    assert {row["class"] for row in scores} == {"boat", "house"}
    found = table(labelled_project, "mask_concept", run)
    assert len(found) == 2 * 3
    assert max(abs(row["importance"]) for row in found) == 1
    pairs = table(labelled_project, "mask_similarity", run)
    thresholds = {row["threshold"] for row in pairs}
    assert {0.5, 0.75} < thresholds
    assert len(pairs) == 9 * len(thresholds)
    for threshold in thresholds:
        matched = [r for r in pairs if r["threshold"] == threshold and r["matched"]]
        assert len({row["concept_a"] for row in matched}) == len(matched) <= 3
    codes = labelled_project.read_array(run, "projections/1/" + pairs[0]["layer_b"])
    assert codes.shape[:2] == (24, 3)
    assert codes.dtype == np.uint8


def test_a_model_is_like_itself(labelled_project: Project, table: Table) -> None:
    run = _run(labelled_project, "pink-sensitive", "pink-sensitive")
    for row in table(labelled_project, "space_similarity", run):
        if row["layer_a"] == row["layer_b"] and row["sfss_pearson"] is not None:
            assert row["sfss_pearson"] == pytest.approx(1, abs=1e-5)
    for row in table(labelled_project, "mask_similarity", run):
        if row["concept_a"] == row["concept_b"] and row["ucs"] is not None:
            assert row["ucs"] == pytest.approx(1)
            assert row["matched"]


def test_the_square_separates_in_the_network_that_sees_it(
    labelled_project: Project, table: Table
) -> None:
    run = _run(labelled_project, concepts="pink square", random_sets=20)
    best = {
        model: max(
            row["accuracy"]
            for row in table(labelled_project, "concept_vector", run)
            if row["model"] == model
        )
        for model in PAIR
    }
    assert best["pink-sensitive"] > 0.85


@pytest.mark.parametrize("stop_after", [12, pytest.param(3, marks=pytest.mark.slow)])
def test_a_cancelled_run_resumes_with_identical_tables(
    finished: tuple[Project, int], table: Table, stop_after: int
) -> None:
    labelled_project, undisturbed = finished
    run = _create(labelled_project)

    with pytest.raises(Cancelled):
        audits.execute(labelled_project, run, CancelAfter(stop_after))
    audits.execute(labelled_project, run, Progress())
    for name in TABLES:
        assert table(labelled_project, name, run) == table(labelled_project, name, undisturbed)


def test_concepts_of_folders_and_patches(
    labelled_project: Project, table: Table, tmp_path: Path
) -> None:
    folder = tmp_path / "stripes"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(8):
        stripes = np.zeros((60, 60, 3), np.uint8)
        stripes[:, (np.arange(60) // (4 + number % 3)) % 2 == 0] = generator.integers(100, 255, 3)
        Image.fromarray(stripes).save(folder / f"{number}.png")
    labelled_project.add_concept_set("stripes", "folder", folder)
    images = [row["id"] for row in labelled_project.rows("SELECT id FROM image ORDER BY path")]
    boxes = [ExampleBox(image, 10, 10, 40, 40) for image in images[:8]]
    number = labelled_project.add_concept_set("corner", "patches", examples=boxes)
    others = [ExampleBox(image, 60, 60, 40, 40) for image in images[10:20]]
    labelled_project.add_concept_examples(number, others, "negative")
    labelled_project.add_concept_set("thin", "patches", examples=boxes[:2])
    run = _run(labelled_project, concepts="")
    vectors = {r["concept"]: r for r in table(labelled_project, "concept_vector", run)}
    assert set(vectors) == {"stripes", "corner"}
    assert vectors["stripes"]["separates"]
    assert (vectors["corner"]["n_positive"], vectors["corner"]["n_negative"]) == (8, 10)
    assert "2 images" in _problems(labelled_project, run)["thin"]


def test_the_commonest_labels_where_nothing_is_given(
    labelled_project: Project, table: Table
) -> None:
    run = _run(labelled_project, concepts="", most_concepts=2)
    names = {row["concept"] for row in table(labelled_project, "concept_vector", run)}
    assert len(names) == 2
    assert names.isdisjoint({"pink", "white", "blue"})


def test_a_concept_that_does_not_exist(labelled_project: Project) -> None:
    run = _create(labelled_project, concepts="unicorn")
    with pytest.raises(AuditError, match="No concept has enough examples"):
        audits.execute(labelled_project, run, Progress())
    assert labelled_project.value("SELECT state FROM run WHERE id = ?", (run,)) == "failed"


def test_labels_may_stand_for_classes_of_other_names(
    labelled_project: Project, table: Table
) -> None:
    with labelled_project.transaction() as connection:
        connection.execute("UPDATE image SET label = 'vessel' WHERE label = 'boat'")
        connection.execute("UPDATE image SET label = 'building' WHERE label = 'house'")
    run = _run(labelled_project, concepts="pink square", random_sets=4)
    assert not table(labelled_project, "tcav", run)
    run = _run(
        labelled_project, concepts="pink square", random_sets=4,
        class_names="Vessel=Boat, building=no such class",
    )  # fmt: skip
    scores = table(labelled_project, "tcav", run)
    assert {row["class"] for row in scores} == {"vessel"}
    assert {row["model"] for row in scores} == set(PAIR)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"thresholds": "0.5,high"}, "high"),
        ({"thresholds": "1.5"}, "1.5"),
        ({"layers_a": "nowhere"}, "nowhere"),
        ({"mask_layers_b": "penultimate"}, "one vector"),
        ({"frame": 300}, "300"),
        ({"class_names": "boat"}, "boat"),
        ({"class_names": "boat=car,Boat=house"}, "Boat=house"),
    ],
)
def test_bad_parameters_are_refused_before_a_run_is_made(
    labelled_project: Project, settings: dict[str, Any], word: str
) -> None:
    with pytest.raises(AuditError, match=word):
        _create(labelled_project, **settings)
    assert not labelled_project.value("SELECT count(*) FROM run")


def test_concepts_are_not_looked_for_in_what_the_classifier_reads(
    labelled_project: Project,
) -> None:
    """SqueezeNet's penultimate features come as a map."""
    statement = "UPDATE layer SET shape = '[64, 6, 6]' WHERE name = 'penultimate'"
    with labelled_project.transaction() as connection:
        connection.execute(statement)
    found = mask_layers(labelled_project, "pink-sensitive", ())
    assert found
    assert "penultimate" not in found
