"""The audit `concepts` from images to tables, on small real networks."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from analysis import audits
from analysis.audits import intake
from analysis.errors import AuditError, Cancelled
from analysis.progress import Progress
from analysis.project import Project
from analysis.resources import resource_path
from tests.audits.cancelling import CancelAfter

Table = Callable[[Project, str, int], list[dict[str, Any]]]
COMMON = {"components": 4, "replicates": 100, "permutations": 100, "minimum_images": 8}
QUICK = {**COMMON, "stability_seeds": 1, "patches": 3}
TABLES = ("concept", "concept_similarity", "replacement", "patch")


def _run(
    project: Project, model_a: str, model_b: str, audit: str = "concepts", **settings: Any
) -> int:
    parameters = audits.parse_parameters(
        audits.AUDITS[audit].parameters,
        {**(QUICK if audit == "concepts" else COMMON), **settings},
    )
    run = audits.create_run(project, audit, (model_a, model_b), parameters, device="cpu")
    audits.execute(project, run, Progress())
    return run


@pytest.fixture(scope="module")
def finished_file(small_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with one run of its two networks."""
    folder = tmp_path_factory.mktemp("finished")
    path = Path(shutil.copy(small_template, folder / "finished.parallax"))
    with pytest.MonkeyPatch.context() as patch, Project.open(path) as project:
        patch.setenv("PARALLAX_CACHE", str(folder / "cache"))
        _run(project, "pink-sensitive", "pink-invariant")
    return path


@pytest.fixture
def finished(finished_file: Path, tmp_path: Path) -> Iterator[tuple[Project, int]]:
    """A copy of that project, and the run."""
    with Project.open(Path(shutil.copy(finished_file, tmp_path))) as project:
        yield project, project.value("SELECT id FROM run")


def test_every_table_is_filled_for_both_sides(finished: tuple[Project, int], table: Table) -> None:
    small_project, run = finished
    concepts = table(small_project, "concept", run)
    assert len(concepts) == 2 * 2 * 4
    assert max(row["importance"] for row in concepts if row["side"] == "a") == pytest.approx(1)
    assert all(row["importance_residual"] < 1e-3 for row in concepts)
    assert all(0 <= row["reconstruction_error"] <= 1 for row in concepts)
    similarities = table(small_project, "concept_similarity", run)
    assert len(similarities) == len(concepts)
    for row in similarities:
        assert row["n_images"] == 12
        assert row["target_model"] != row["predictor_model"]
        if row["cmcs_pearson"] is not None:
            assert row["ci_low"] - 1e-6 <= row["cmcs_pearson"] <= row["ci_high"] + 1e-6
            assert -1 <= row["null_95"] <= 1
    patches = table(small_project, "patch", run)
    assert {row["kind"] for row in patches} == {"top", "under", "over"}
    assert all(row["x"] >= 0 and row["width"] > 0 for row in patches)
    assert len(table(small_project, "replacement", run)) == len(concepts)


def test_the_scatter_stored_gives_the_score_stored(
    finished: tuple[Project, int], table: Table
) -> None:
    """An independent reading: numpy's correlation of what the view will draw."""
    small_project, run = finished
    for row in table(small_project, "concept_similarity", run):
        prefix = f"class/{row['class']}/{row['side']}"
        real = small_project.read_array(run, f"{prefix}/real")[:, row["concept"]]
        predicted = small_project.read_array(run, f"{prefix}/predicted")[:, row["concept"]]
        if row["cmcs_pearson"] is None:
            assert math.isclose(real.std() * predicted.std(), 0, abs_tol=1e-8)
            continue
        expected = np.corrcoef(real.astype(np.float64), predicted.astype(np.float64))[0, 1]
        assert row["cmcs_pearson"] == pytest.approx(expected, abs=1e-4)


def test_patches_name_what_the_scatter_holds(finished: tuple[Project, int]) -> None:
    small_project, run = finished
    name = small_project.value("SELECT class FROM patch WHERE run = ? LIMIT 1", (run,))
    images = small_project.read_array(run, f"class/{name}/image")
    boxes = small_project.read_array(run, f"class/{name}/box")
    real = small_project.read_array(run, f"class/{name}/a/real")
    for row in small_project.rows(
        "SELECT * FROM patch WHERE run = ? AND class = ? AND side = 'a'", (run, name)
    ):
        box = (row["x"], row["y"], row["width"], row["height"])
        at = (images == row["image"]) & (boxes == np.array(box)).all(1)
        assert row["coefficient"] in real[at, row["concept"]]


def test_a_model_compared_with_itself_is_its_own_ceiling(
    small_project: Project, table: Table
) -> None:
    run = _run(small_project, "pink-sensitive", "pink-sensitive")
    for row in table(small_project, "concept_similarity", run):
        assert row["cmcs_pearson"] == pytest.approx(row["smcs_pearson"], abs=1e-6)
        if row["mcs_pearson"] is not None:
            assert row["mcs_pearson"] == pytest.approx(1, abs=1e-5)


@pytest.fixture
def permuted_project(small_project: Project, tmp_path: Path) -> Project:
    """The small project with a copy of a network whose penultimate channels are shuffled."""
    weights = load_file(resource_path("sample", "models", "pink-sensitive.safetensors"))
    order = torch.randperm(
        weights["head.weight"].shape[1], generator=torch.Generator().manual_seed(0)
    )
    for name, values in weights.items():
        if name.startswith(("blocks.3.conv2", "blocks.3.bn2", "blocks.3.shortcut")) and values.ndim:
            weights[name] = values[order].contiguous()
    weights["head.weight"] = weights["head.weight"][:, order].contiguous()
    save_file(weights, tmp_path / "permuted.safetensors")
    intake.add_model(
        small_project,
        "permuted",
        f"sample:pink-sensitive@{tmp_path / 'permuted.safetensors'}",
        Progress(),
    )
    return small_project


def test_the_order_of_the_features_does_not_matter(permuted_project: Project, table: Table) -> None:
    run = _run(permuted_project, "pink-sensitive", "permuted")
    for row in table(permuted_project, "concept_similarity", run):
        if row["cmcs_pearson"] is None:
            continue
        assert row["cmcs_pearson"] == pytest.approx(row["smcs_pearson"], abs=1e-3)
        assert row["mcs_pearson"] == pytest.approx(1, abs=1e-3)


def test_every_measure_of_layers_has_its_doubt(small_project: Project, table: Table) -> None:
    run = _run(
        small_project, "pink-sensitive", "pink-invariant", "layers",
        layers_a="blocks.1,penultimate", layers_b="blocks.1,penultimate",
    )  # fmt: skip
    rows = table(small_project, "layer_similarity", run)
    assert len(rows) == 4
    for row in rows:
        assert row["ci_low"] < row["mmcs_pearson"] < row["ci_high"]
        for measure in ("mmcs_spearman", "cka", "rsa", "procrustes"):
            low, high = row[f"{measure}_low"], row[f"{measure}_high"]
            assert low < row[measure] < high, measure
            assert row[f"{measure}_null_95"] < 0.95
        assert row["cka_null_95"] < row["cka"]
    # What an earlier Parallax kept of a unit lacks the doubt: it is then missing, not made up.
    key = next(key for key in small_project.unit_states(run))
    with small_project.transaction() as connection:
        connection.execute(
            "DELETE FROM array WHERE run = ? AND name IN (?, ?, ?)",
            (run, f"{key}/cka variance", f"{key}/rsa permuted", f"{key}/procrustes permuted"),
        )
    from analysis.audits.layers_summary import UnitSummary, mean_over_classes

    names = ("blocks.1", "penultimate")
    keys = sorted(small_project.unit_states(run))
    again = mean_over_classes(
        [UnitSummary.read(small_project, run, each) for each in keys], names, names
    )
    for old, new in zip(rows, again, strict=True):
        assert new["cka_low"] is new["rsa_null_95"] is new["procrustes_null_95"] is None
        assert new["cka"] == old["cka"]
        assert new["rsa_low"] == old["rsa_low"]


def test_a_shuffled_copy_has_the_same_layers(permuted_project: Project, table: Table) -> None:
    run = _run(
        permuted_project, "pink-sensitive", "permuted", "layers",
        layers_a="blocks.1,penultimate", layers_b="blocks.1,penultimate",
    )  # fmt: skip
    rows = {
        (row["layer_a"], row["layer_b"]): row
        for row in table(permuted_project, "layer_similarity", run)
    }
    for layer in ("blocks.1", "penultimate"):
        row = rows[layer, layer]
        assert row["mmcs_pearson"] == pytest.approx(1, abs=1e-3)
        for measure in ("cka", "rsa", "procrustes"):
            assert row[measure] == pytest.approx(1, abs=1e-3)
        assert row["null_95"] < row["mmcs_pearson"]
        assert row["classes"] == 2
    for measure in ("mmcs_pearson", "rsa", "procrustes"):
        assert rows["blocks.1", "penultimate"][measure] < 0.95


def test_a_unit_of_an_earlier_version_has_no_newer_measures(
    small_project: Project, table: Table
) -> None:
    run = _run(small_project, "pink-sensitive", "pink-invariant", "layers", layers=2)
    assert all(row["rsa"] is not None for row in table(small_project, "layer_similarity", run))
    with small_project.transaction() as connection:
        connection.execute(
            "DELETE FROM array WHERE run = ? AND (name LIKE '%/rsa' OR name LIKE '%/procrustes')",
            (run,),
        )
    audits.execute(small_project, run, Progress())
    for row in table(small_project, "layer_similarity", run):
        assert row["rsa"] is None
        assert row["procrustes"] is None
        assert row["cka"] is not None


@pytest.mark.parametrize(
    ("preset", "evaluation"),
    [
        ("paper", "cross-fitted"),
        ("reference", "held-out"),
        pytest.param("paper", "held-out", marks=pytest.mark.slow),
        pytest.param("reference", "cross-fitted", marks=pytest.mark.slow),
    ],
)
def test_both_presets_and_both_evaluations_run(
    small_project: Project, table: Table, preset: str, evaluation: str
) -> None:
    run = _run(
        small_project, "pink-sensitive", "pink-invariant", preset=preset, evaluation=evaluation,
        held_out=0.34,
    )  # fmt: skip
    images = {row["n_images"] for row in table(small_project, "concept_similarity", run)}
    assert images == ({12} if evaluation == "cross-fitted" else {4})


def test_both_solvers_agree(small_project: Project, table: Table) -> None:
    fast = _run(small_project, "pink-sensitive", "pink-invariant", solver="fast")
    celer = _run(small_project, "pink-sensitive", "pink-invariant", solver="celer")
    pairs = zip(
        table(small_project, "concept_similarity", fast),
        table(small_project, "concept_similarity", celer),
        strict=True,
    )
    assert all(
        mine["cmcs_pearson"] == pytest.approx(theirs["cmcs_pearson"], abs=1e-3)
        for mine, theirs in pairs
        if mine["cmcs_pearson"] is not None
    )


def test_classes_by_prediction(small_project: Project, table: Table) -> None:
    run = _run(
        small_project, "pink-sensitive", "pink-invariant", group_by="prediction",
        minimum_images=5,
    )  # fmt: skip
    assert table(small_project, "concept", run)
    reported = small_project.rows("SELECT subject, reason FROM problem WHERE run = ?", (run,))
    assert all("Predicted for" in row["reason"] for row in reported)


@pytest.mark.parametrize(
    "stop_after",
    [20, pytest.param(1, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.slow)],
)
def test_a_cancelled_run_resumes_with_identical_tables(
    finished: tuple[Project, int], table: Table, stop_after: int
) -> None:
    small_project, undisturbed = finished
    parameters = audits.parse_parameters(audits.AUDITS["concepts"].parameters, QUICK)
    run = audits.create_run(
        small_project, "concepts", ("pink-sensitive", "pink-invariant"), parameters, device="cpu"
    )
    with pytest.raises(Cancelled):
        audits.execute(small_project, run, CancelAfter(stop_after))
    done = small_project.unit_states(run).values()
    assert list(done).count("done") < 2
    audits.execute(small_project, run, Progress())
    for name in TABLES:
        assert table(small_project, name, run) == table(small_project, name, undisturbed)


def test_a_missing_image_is_listed_and_the_rest_goes_on(
    small_project: Project, small_images: Path, table: Table, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(small_images, moved)
    image_set = intake.add_images(small_project, "moved", moved, Progress())
    victims = sorted(moved.rglob("*.*"))[:2]
    victims[0].unlink()
    victims[1].write_bytes(b"")
    parameters = audits.parse_parameters(audits.AUDITS["concepts"].parameters, QUICK)
    run = audits.create_run(
        small_project,
        "concepts",
        ("pink-sensitive", "pink-invariant"),
        parameters,
        image_set,
        "cpu",
    )
    audits.execute(small_project, run, Progress())
    problems = small_project.rows("SELECT subject, reason FROM problem WHERE run = ?", (run,))
    assert {row["subject"] for row in problems} == {
        path.relative_to(moved).as_posix() for path in victims
    }
    assert table(small_project, "concept", run)


def test_a_class_that_cannot_be_read_is_listed_and_the_other_layers_compared(
    small_project: Project, small_images: Path, table: Table, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(small_images, moved)
    image_set = intake.add_images(small_project, "moved", moved, Progress())
    gone = sorted(path for path in moved.iterdir() if path.is_dir())[0]
    for picture in sorted(gone.iterdir())[:6]:
        picture.unlink()
    parameters = audits.parse_parameters(audits.AUDITS["layers"].parameters, COMMON)
    run = audits.create_run(
        small_project, "layers", ("pink-sensitive", "pink-invariant"), parameters, image_set, "cpu"
    )
    audits.execute(small_project, run, Progress())
    assert {row["classes"] for row in table(small_project, "layer_similarity", run)} == {1}
    reasons = small_project.rows("SELECT reason FROM problem WHERE subject = ?", (gone.name,))
    assert [row["reason"] for row in reasons] == ["Only 6 images could be read."]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"layer_a": "nowhere"}, "no layer “nowhere”"),
        ({"minimum_images": 50}, "No class"),
        ({"minimum_images": 300}, "larger than the most"),
        ({"patch": 300}, "patch is larger"),
        ({"frame": 300}, "square cut into patches"),
        ({"classes": "unicorn"}, "unicorn"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    small_project: Project, settings: dict[str, Any], expected: str
) -> None:
    parameters = audits.parse_parameters(
        audits.AUDITS["concepts"].parameters, {**QUICK, **settings}
    )
    with pytest.raises(AuditError, match=expected) as caught:
        audits.estimate(small_project, "concepts", ("pink-sensitive", "pink-invariant"), parameters)
    assert caught.value.hint


def test_the_estimate_counts_what_will_be_done(small_project: Project) -> None:
    parameters = audits.parse_parameters(audits.AUDITS["concepts"].parameters, QUICK)
    cost = audits.estimate(
        small_project, "concepts", ("pink-sensitive", "pink-invariant"), parameters
    )
    assert cost.forwards == 2 * 24 * 16
    assert cost.units == 2
    assert cost.seconds is not None
    assert cost.seconds > 0
