"""The audit `saliency` from images to tables, on small real networks."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from analysis import audits
from analysis.audits import intake
from analysis.audits.explaining import explain_picture
from analysis.audits.saliency_maps import class_codes, target_classes
from analysis.errors import AuditError, Cancelled
from analysis.figures.saliency_data import OUTSIDE
from analysis.models.loading import load_model
from analysis.models.preprocessing import to_model_input
from analysis.progress import Progress
from analysis.project import Project
from tests.audits.cancelling import CancelAfter

Table = Callable[[Project, str, int], list[dict[str, Any]]]
TABLES = ("saliency", "faithfulness", "faithfulness_summary", "faithfulness_comparison", "curve")
QUICK = {
    "images": 4,
    "steps": 4,
    "methods": "gradcam,random,gaussian",
    "metrics": "average-drop,insertion,deletion,energy-inside,sparseness",
    "replicates": 100,
    "permutations": 100,
}
PAIR = ("pink-sensitive", "pink-invariant")


def _parameters(**settings: Any) -> Any:
    return audits.parse_parameters(audits.AUDITS["saliency"].parameters, {**QUICK, **settings})


def _create(project: Project, *models: str, **settings: Any) -> int:
    parameters = _parameters(**settings)
    return audits.create_run(project, "saliency", models or PAIR, parameters, None, "cpu")


def _run(project: Project, *models: str, **settings: Any) -> int:
    run = audits.create_run(
        project, "saliency", models or PAIR, _parameters(**settings), None, "cpu"
    )
    audits.execute(project, run, Progress())
    return run


def _problems(project: Project, run: int) -> dict[str, str]:
    rows = project.rows("SELECT subject, reason FROM problem WHERE run = ?", (run,))
    return {row["subject"]: row["reason"] for row in rows}


def _labels(project: Project) -> dict[int, str]:
    return {row["id"]: row["label"] for row in project.rows("SELECT id, label FROM image")}


def test_every_table_is_filled(labelled_project: Project, table: Table) -> None:
    run = _run(labelled_project)
    maps = table(labelled_project, "saliency", run)
    assert len(maps) == 4 * 2 * 3
    for row in maps:
        assert len(row["map"]) == row["rows"] * row["columns"]
        assert (row["x"], row["y"], row["width"], row["height"]) == (0, 0, 112, 112)
        assert (row["class"] is None) == (row["method"] in ("random", "gaussian"))
    values = table(labelled_project, "faithfulness", run)
    metrics = {row["metric"] for row in values}
    assert metrics == set(QUICK["metrics"].split(","))  # type: ignore[attr-defined]
    curves = table(labelled_project, "curve", run)
    assert len(curves) == 4 * 2 * 3 * 2
    areas = {(r["image"], r["model"], r["method"], r["metric"]): r["value"] for r in values}
    for row in curves:
        scores = np.array(json.loads(row["scores"]))
        assert len(scores) == 5
        area = (scores[:-1] + scores[1:]).sum() / 2 / 4
        assert row["auc"] == pytest.approx(area, abs=1e-5)
        key = (row["image"], row["model"], row["method"], row["kind"])
        assert areas[key] == pytest.approx(row["auc"], abs=1e-6)
    for row in table(labelled_project, "faithfulness_summary", run):
        own = [
            r["value"] for r in values
            if all(r[name] == row[name] for name in ("model", "method", "metric"))
        ]  # fmt: skip
        assert row["n"] == len(own)
        assert row["mean"] == pytest.approx(np.mean(own))
        assert row["ci_low"] <= row["mean"] <= row["ci_high"]
    tests = table(labelled_project, "faithfulness_comparison", run)
    assert len(tests) == 5 * (2 * 3 + 3)  # metrics × (pairs of methods of two models + of models)
    assert not _problems(labelled_project, run)


def test_the_score_is_that_of_the_frame(labelled_project: Project, table: Table) -> None:
    """An independent reading: the whole image, resized, through the network."""
    run = _run(labelled_project, "pink-sensitive")
    model = load_model("sample:pink-sensitive")
    for row in table(labelled_project, "saliency", run):
        if row["method"] != "gradcam":
            continue
        path = labelled_project.resolve_image(row["image"])
        assert path is not None
        with Image.open(path) as picture:
            frame = picture.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.asarray(frame).copy()).permute(2, 0, 1)[None]
        scores = model.run(to_model_input(pixels, model.preprocessing, "cpu")).softmax(1)[0]
        assert row["class_index"] == int(scores.argmax())
        assert row["class"] == (model.class_names or ())[row["class_index"]]
        assert row["score"] == pytest.approx(float(scores.max()), abs=1e-4)


@pytest.mark.parametrize("stop_after", [30, pytest.param(1, marks=pytest.mark.slow)])
def test_a_cancelled_run_resumes_with_identical_tables(
    labelled_project: Project, table: Table, stop_after: int
) -> None:
    settings = {"images": 10}  # two batches
    undisturbed = _run(labelled_project, **settings)
    run = audits.create_run(
        labelled_project, "saliency", PAIR, _parameters(**settings), None, "cpu"
    )

    with pytest.raises(Cancelled):
        audits.execute(labelled_project, run, CancelAfter(stop_after))
    audits.execute(labelled_project, run, Progress())
    for name in TABLES:
        assert table(labelled_project, name, run) == table(labelled_project, name, undisturbed)


def test_the_map_lies_on_the_square_of_the_network_that_sees_it(
    labelled_project: Project, table: Table
) -> None:
    """More of the map than a map that knows nothing has there, for the one and not the other."""
    run = _run(
        labelled_project, images=24, target="boat", mask="pink square",
        metrics="energy-inside", methods="gradcam,random",
    )  # fmt: skip
    rows = table(labelled_project, "faithfulness_summary", run)
    mean = {(row["model"], row["method"]): row for row in rows}
    seen = mean["pink-sensitive", "gradcam"]
    assert seen["n"] == 12  # the boats; no other image shows a square
    assert seen["ci_low"] > 3 * mean["pink-sensitive", "random"]["mean"]
    assert seen["ci_low"] > mean["pink-invariant", "gradcam"]["ci_high"]


def test_attention_of_every_layer_and_head_is_kept(labelled_project: Project) -> None:
    intake.add_model(labelled_project, "vit", "sample:vit", Progress())
    run = _run(labelled_project, "vit", methods="attention", metrics="sparseness")
    images = [row["image"] for row in labelled_project.rows("SELECT image FROM saliency")]
    names = json.loads(labelled_project.read_array(run, "attention/0/layers").tobytes())
    heads = labelled_project.read_array(run, f"attention/0/{images[0]}")
    assert heads.dtype == np.uint8
    assert heads.shape[0] == len(names)
    assert heads.reshape(*heads.shape[:2], -1).max(-1).min() == 255
    stored = labelled_project.row("SELECT * FROM saliency WHERE image = ?", (images[0],))
    assert stored is not None
    assert heads.shape[2:] == (stored["rows"], stored["columns"])
    assert not labelled_project.has_array(_run(labelled_project, "vit", depth=False), "attention/0")


def test_methods_that_do_not_fit_are_listed_and_the_rest_goes_on(
    labelled_project: Project, table: Table
) -> None:
    run = _run(
        labelled_project, "pink-sensitive", methods="gradcam,rollout,tibav", metrics="sparseness"
    )
    assert {row["method"] for row in table(labelled_project, "saliency", run)} == {"gradcam"}
    assert "attention" in _problems(labelled_project, run)["pink-sensitive: Rollout; TIBAV"]


def test_a_headless_model_is_measured_as_far_as_it_goes_or_with_a_probe(
    labelled_project: Project, table: Table
) -> None:
    intake.add_model(labelled_project, "self-supervised", "sample:self-supervised", Progress())
    run = _run(labelled_project, "self-supervised")
    assert {row["method"] for row in table(labelled_project, "saliency", run)} == {
        "random", "gaussian"
    }  # fmt: skip
    problems = _problems(labelled_project, run)
    assert "head=probe" in problems["self-supervised: GradCAM"]
    assert "classifier head" in problems["self-supervised"]
    probed = _run(labelled_project, "self-supervised", head="probe", images=0)
    maps = [r for r in table(labelled_project, "saliency", probed) if r["method"] == "gradcam"]
    assert {row["class"] for row in maps} == {"boat", "house"}
    labels = {
        row["id"]: row["label"] for row in labelled_project.rows("SELECT id, label FROM image")
    }
    right = np.mean([labels[row["image"]] == row["class"] for row in maps])
    assert right > 0.9  # it was fitted to these very images


def test_the_layer_of_the_cams_can_be_chosen(labelled_project: Project, table: Table) -> None:
    run = _run(labelled_project, "pink-sensitive", layer="blocks.2", metrics="sparseness")
    maps = table(labelled_project, "saliency", run)
    assert {row["layer"] for row in maps if row["method"] == "gradcam"} == {"blocks.2"}
    default = _run(labelled_project, "pink-sensitive", metrics="sparseness")
    maps = table(labelled_project, "saliency", default)
    assert {row["layer"] for row in maps if row["method"] == "gradcam"} == {"blocks.3"}


def test_classes_that_a_model_lacks(labelled_project: Project, table: Table) -> None:
    run = _run(labelled_project, "pink-sensitive", target="label", metrics="deletion")
    maps = [r for r in table(labelled_project, "saliency", run) if r["method"] == "gradcam"]
    labels = {
        row["id"]: row["label"] for row in labelled_project.rows("SELECT id, label FROM image")
    }
    assert maps
    assert all(labels[row["image"]] == row["class"] for row in maps)
    with pytest.raises(AuditError, match=r"Nothing could be done.*pink-sensitive.*spaceship"):
        _run(labelled_project, "pink-sensitive", target="spaceship", metrics="deletion")
    assert not table(labelled_project, "saliency", run + 1)


def test_localisation_without_label_planes_is_left_out(small_project: Project) -> None:
    run = _run(small_project, metrics="sparseness,energy-inside")
    metrics = {r["metric"] for r in small_project.rows("SELECT metric FROM faithfulness")}
    assert metrics == {"sparseness"}
    assert "label planes" in _problems(small_project, run)["localisation"]


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"methods": "magic"}, "magic"),
        ({"methods": "gradcam,gradcam"}, "twice"),
        ({"metrics": "beauty"}, "beauty"),
        ({"frame": 300}, "300"),
        ({"target": " "}, "class"),
        ({"steps": 0}, "steps"),
        ({"layer": "blocks.99"}, "blocks.99"),
        ({"layer": "penultimate"}, "one vector"),
    ],
)
def test_bad_parameters_are_refused_before_a_run_is_made(
    labelled_project: Project, settings: dict[str, Any], word: str
) -> None:
    with pytest.raises(AuditError, match=word):
        _create(labelled_project, **settings)
    assert not labelled_project.value("SELECT count(*) FROM run")


def test_the_estimate_counts_what_is_really_done(labelled_project: Project) -> None:
    parameters = _parameters(methods="gradcam,random", metrics="insertion,deletion", steps=4)
    found = audits.estimate(labelled_project, "saliency", PAIR, parameters)
    # A forward for the maps, one for the score, one for the blurred image, 3 + 3 steps a method.
    assert found.forwards == 4 * 2 * (1 + 1 + 2 + 2 * 6)
    assert found.units == 2
    assert found.seconds is not None
    scored = _parameters(methods="scorecam", metrics="sparseness")
    assert audits.estimate(labelled_project, "saliency", PAIR, scored).forwards > 64 * 4 * 2


def test_one_picture_is_explained_by_every_model(labelled_project: Project, tmp_path: Path) -> None:
    source = labelled_project.resolve_image(1)
    assert source is not None
    dropped = tmp_path / "harbour.jpg"
    with Image.open(source) as picture:
        picture.convert("L").resize((200, 100)).save(dropped)  # grey, and not square
    found = explain_picture(labelled_project, dropped, Progress())
    assert found.name == "harbour.jpg"
    assert found.pixels.shape == (224, 224, 3)
    assert set(found.index.models) == {"pink-sensitive", "pink-invariant", "untrained"}
    assert {one.cell.image for one in found.maps} == {OUTSIDE}
    assert all(one.region == (50, 0, 100, 100) for one in found.maps)
    assert found.index.available.shape == (1, 3, len(found.index.methods))
    assert {title for _, title, _ in found.index.refused} >= {"Rollout", "TIBAV"}
    origin = found.origin
    assert origin.sha256 == hashlib.sha256(dropped.read_bytes()).hexdigest()
    assert origin.parameters == {
        "target": "predicted", "methods": "", "resize": 224, "frame": 224
    }  # fmt: skip
    assert {by.name for by in origin.models} == set(found.index.models)
    rows = labelled_project.rows("SELECT name, specification, weights_sha256 FROM model")
    assert {tuple(row) for row in rows} >= {
        (by.name, by.specification, by.weights_sha256) for by in origin.models
    }
    assert origin.device
    assert origin.versions["torch"]
    assert not labelled_project.value("SELECT count(*) FROM run")


def test_a_picture_of_the_project_has_the_maps_of_its_run(
    labelled_project: Project, table: Table
) -> None:
    run = _run(labelled_project, "pink-sensitive", methods="gradcam", metrics="sparseness")
    stored = table(labelled_project, "saliency", run)[0]
    found = explain_picture(
        labelled_project, stored["image"], Progress(), ("pink-sensitive",), "gradcam"
    )
    codes = np.frombuffer(stored["map"], np.uint8).reshape(stored["rows"], stored["columns"])
    values = codes * stored["scale"] + stored["offset"]
    np.testing.assert_allclose(found.maps[0].values, values, atol=stored["scale"])
    assert found.maps[0].tied == pytest.approx(stored["tied"], abs=1e-6)
    assert found.maps[0].score == pytest.approx(stored["score"], abs=1e-5)


def test_pictures_that_cannot_be_explained(labelled_project: Project, tmp_path: Path) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("not a picture")
    with pytest.raises(AuditError):
        explain_picture(labelled_project, text, Progress())
    with pytest.raises(AuditError):
        explain_picture(labelled_project, tmp_path / "nowhere.png", Progress())
    with pytest.raises(AuditError, match="no image 999"):
        explain_picture(labelled_project, 999, Progress())
    dot = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), "red").save(dot)
    found = explain_picture(labelled_project, dot, Progress(), methods="gradcam,sobel")
    assert found.maps[0].region == (0, 0, 1, 1)
    assert all(np.isfinite(one.values).all() for one in found.maps)


def test_a_moved_image_is_left_out(labelled_project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    source = labelled_project.resolve_image(1)
    assert source is not None
    shutil.copytree(source.parent, folder / source.parent.name)
    with Project.create(tmp_path / "moved.parallax", "moved") as project:
        intake.add_images(project, "boats", folder, Progress())
        intake.add_model(project, "pink-sensitive", "sample:pink-sensitive", Progress())
        lost = project.resolve_image(1)
        assert lost is not None
        lost.unlink()
        run = _run(project, "pink-sensitive", images=3, mask="")
        assert project.value("SELECT count(DISTINCT image) FROM saliency") == 2
        assert (
            "no longer"
            in _problems(project, run)[project.value("SELECT path FROM image WHERE id = 1")]
        )


def test_classes_by_name() -> None:
    names = ("boat", "Tree", "car")
    assert class_codes(names, ["tree", None, "fish"]).tolist() == [1, -1, -1]
    assert target_classes("predicted", names, ["boat"]) is None
    assert target_classes("car", names, ["boat", None]).tolist() == [2, 2]  # type: ignore[union-attr]
    assert target_classes("label", (), ["boat"]) is None
    with pytest.raises(AuditError):
        target_classes("fish", names, ["boat"])
