"""The audit `dissection` from images and planes to tables, on small real networks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import audits
from analysis.audits import intake
from analysis.audits.exports import export_units
from analysis.audits.imports import import_dissection
from analysis.errors import AuditError, Cancelled
from analysis.progress import Progress
from analysis.project import Project
from tests.audits.cancelling import CancelAfter

Table = Callable[[Project, str, int], list[dict[str, Any]]]
MODELS = ("pink-sensitive", "pink-invariant", "untrained")
QUICK = {"permutations": 20, "patches": 3, "sweep": "0.02"}
TABLES = ("unit", "unit_candidate", "unit_patch", "profile", "threshold_sweep")


def _parameters(**settings: Any) -> Any:
    return audits.parse_parameters(audits.AUDITS["dissection"].parameters, {**QUICK, **settings})


def _run(project: Project, *models: str, image_set: int | None = None, **settings: Any) -> int:
    run = audits.create_run(
        project, "dissection", models or MODELS, _parameters(**settings), image_set, "cpu"
    )
    audits.execute(project, run, Progress())
    return run


def test_every_table_is_filled(labelled_project: Project, table: Table) -> None:
    run = _run(labelled_project)
    units = table(labelled_project, "unit", run)
    assert len(units) == 3 * 64
    for row in units:
        if row["interpretable"]:
            assert row["iou"] > 0.04
            assert row["iou"] > row["null_iou"]
            assert row["concept"]
        if row["iou"] is not None:
            assert 0 < row["active_fraction"] <= 0.01
            assert 0 < row["p"] <= 1
    counted = {(r["model"], r["concept"], r["category"]) for r in units if r["interpretable"]}
    profile = table(labelled_project, "profile", run)
    assert {(r["model"], r["concept"], r["category"]) for r in profile} == counted
    assert sum(row["units"] for row in profile) == sum(row["interpretable"] for row in units)
    sweep = table(labelled_project, "threshold_sweep", run)
    at = [r for r in sweep if r["quantile"] == 0.01 and r["iou_threshold"] == 0.04]
    assert sum(row["units"] for row in at) == sum(row["units"] for row in profile)
    best = {(r["model"], r["unit"]): r for r in table(labelled_project, "unit_candidate", run)
            if r["rank"] == 0}  # fmt: skip
    for row in units:
        if row["concept"]:
            candidate = best[row["model"], row["unit"]]
            assert candidate["iou"] == row["iou"]
            union = candidate["activation"] + candidate["truth"] - candidate["intersection"]
            assert candidate["intersection"] / union == pytest.approx(row["iou"], abs=1e-12)


def test_the_planted_square_is_known_to_the_network_that_sees_it(
    labelled_project: Project, table: Table
) -> None:
    run = _run(labelled_project)
    found = {
        (row["model"], row["concept"])
        for row in table(labelled_project, "unit", run)
        if row["interpretable"] and row["iou"] > 0.1
    }
    assert ("pink-sensitive", "pink square") in found
    assert ("pink-invariant", "pink square") not in found
    assert ("untrained", "pink square") not in found


def test_masks_lie_in_the_boxes_of_their_images(labelled_project: Project, table: Table) -> None:
    run = _run(labelled_project, "pink-sensitive")
    layer = labelled_project.value("SELECT layer FROM unit WHERE run = ?", (run,))
    packed = labelled_project.read_array(run, f"masks/0/{layer}")
    assert packed.shape == (64, 3, 56 * 56 // 8)
    masks = np.unpackbits(packed, axis=2).reshape(64, 3, 56, 56)
    patches = table(labelled_project, "unit_patch", run)
    assert patches
    for row in patches:
        rows, columns = np.nonzero(masks[row["unit"], row["rank"]])
        assert len(rows)
        scale = 112 / 56  # the sample's images are 112 pixels wide
        assert row["x"] == pytest.approx(columns.min() * scale, abs=1)
        assert row["y"] + row["height"] == pytest.approx((rows.max() + 1) * scale, abs=1)
    for unit in {row["unit"] for row in patches}:
        peaks = {row["rank"]: row["activation"] for row in patches if row["unit"] == unit}
        assert [peaks[rank] for rank in sorted(peaks)] == sorted(peaks.values(), reverse=True)


@pytest.mark.parametrize("stop_after", [25, pytest.param(1, marks=pytest.mark.slow)])
def test_a_cancelled_run_resumes_with_identical_tables(
    labelled_project: Project, table: Table, stop_after: int
) -> None:
    undisturbed = _run(labelled_project)
    run = audits.create_run(labelled_project, "dissection", MODELS, _parameters(), device="cpu")

    with pytest.raises(Cancelled):
        audits.execute(labelled_project, run, CancelAfter(stop_after))
    assert labelled_project.value("SELECT state FROM run WHERE id = ?", (run,)) == "cancelled"
    audits.execute(labelled_project, run, Progress())
    for name in TABLES:
        assert table(labelled_project, name, run) == table(labelled_project, name, undisturbed)


def test_an_image_without_its_plane_is_listed_and_left_out(
    labelled_project: Project, labelled_images: Path, table: Table, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(labelled_images, moved)
    image_set = intake.add_images(labelled_project, "moved", moved, Progress())
    (victim,) = moved.glob("images/boat/boat_000_object.png")
    victim.unlink()
    run = _run(labelled_project, "untrained", image_set=image_set)
    subjects = {
        row["subject"]
        for row in labelled_project.rows("SELECT subject FROM problem WHERE run = ?", (run,))
    }
    assert subjects == {"boat/boat_000.jpg"}
    lost = labelled_project.value(
        "SELECT id FROM image WHERE image_set = ? AND path = 'boat/boat_000.jpg'", (image_set,)
    )
    assert lost not in {row["image"] for row in table(labelled_project, "unit_patch", run)}


def test_a_flat_folder_is_dissected_by_its_colours(
    labelled_project: Project, labelled_images: Path, table: Table, tmp_path: Path
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for picture in labelled_images.glob("images/boat/*.jpg"):
        shutil.copy(picture, flat)
    image_set = intake.add_images(labelled_project, "flat", flat, Progress())
    run = _run(labelled_project, "untrained", image_set=image_set)
    found = {row["category"] for row in table(labelled_project, "unit_candidate", run)}
    assert found == {"color"}
    with pytest.raises(AuditError, match="no label planes"):
        _run(labelled_project, "untrained", image_set=image_set, colours=False)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"layers": "nowhere"}, "no layer “nowhere”"),
        ({"layers": "penultimate"}, "one vector"),
        ({"labels": "unicorns"}, "no label planes “unicorns”"),
        ({"sweep": "much"}, "no share"),
        ({"frame": 300}, "cannot be cut"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    labelled_project: Project, settings: dict[str, Any], expected: str
) -> None:
    with pytest.raises(AuditError, match=expected) as caught:
        audits.estimate(labelled_project, "dissection", MODELS, _parameters(**settings))
    assert caught.value.hint


def test_the_estimate_counts_forwards_and_names_the_layers(labelled_project: Project) -> None:
    cost = audits.estimate(labelled_project, "dissection", MODELS, _parameters())
    assert cost.forwards == 3 * 24
    assert cost.units == 3
    assert all(any(note.startswith(name) for note in cost.notes) for name in MODELS)


@pytest.mark.parametrize("form", ["parallax", "lce", "netdissect"])
def test_exported_units_are_read_again(
    labelled_project: Project, table: Table, tmp_path: Path, form: str
) -> None:
    run = _run(labelled_project, "pink-sensitive")
    out = tmp_path / "pink-sensitive.csv"
    export_units(labelled_project, out, form)
    with Project.create(tmp_path / "other.parallax", "other") as other:
        again = import_dissection(other, out).run
        read = {row["unit"]: row for row in table(other, "unit", again)}
        for row in table(labelled_project, "unit", run):
            if row["interpretable"]:
                found = read[row["unit"]]
                assert (found["concept"], found["category"]) == (row["concept"], row["category"])
                assert found["iou"] == pytest.approx(row["iou"], abs=1e-12)


def test_units_that_are_not_there_are_not_exported(
    labelled_project: Project, tmp_path: Path
) -> None:
    with pytest.raises(AuditError, match="no dissected units"):
        export_units(labelled_project, tmp_path / "units.csv", "lce")
