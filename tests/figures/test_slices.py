"""Results over a slice of the images, against the same numbers computed plainly."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.figures import slice_semantics
from analysis.figures.export import export_figure, export_figure_table
from analysis.figures.readers import concept_detail, concept_points
from analysis.figures.saliency_data import Cell
from analysis.figures.saliency_readers import (
    faithfulness_comparisons,
    faithfulness_summary,
    saliency_curves,
)
from analysis.figures.semantics_masks import mask_similarity
from analysis.figures.slice_concepts import sliced_detail, sliced_points
from analysis.figures.slice_making import (
    OfAgreement,
    OfClasses,
    OfImages,
    OfNames,
    chosen_images,
    slice_sources,
)
from analysis.figures.slice_saliency import sliced_faithfulness, sliced_index
from analysis.figures.slice_semantics import sliced_masks, sliced_semantics
from analysis.figures.slice_units import sliced_units
from analysis.figures.slices import SliceChoice, slice_choice, slice_named
from analysis.figures.unit_readers import unit_details
from tests.figures.drawn import figure_table
from tests.figures.made_semantics import MASK_LAYERS, projections
from tests.figures.written import each_in_every_width


def made(project, images, name="some") -> SliceChoice:
    return slice_choice(project, project.add_image_slice(name, images))


def every(project) -> SliceChoice:
    return made(project, [row[0] for row in project.rows("SELECT id FROM image")], "everything")


# -- concepts --------------------------------------------------------------------------------------
def test_similarities_are_those_of_the_patches_of_the_slice(made_up) -> None:
    project, run = made_up.project, made_up.concepts_run
    chosen = made(project, [1, 2, 4, 9])  # three birds and a dog
    points = sliced_points(project, run, chosen)
    assert set(points.class_name) == {"bird", "dog"}
    assert points.slice_name == "some"
    assert set(points.n_images[points.class_name == "bird"]) == {3}
    for place, number in enumerate(points.concept_id.tolist()):
        detail = concept_detail(project, number)
        kept = np.isin(detail.image, list(chosen.images))
        expected = np.corrcoef(detail.real[kept], detail.predicted[kept])[0, 1]
        assert points.cmcs_pearson[place] == pytest.approx(expected)
        if points.class_name[place] == "bird":
            assert points.ci_low[place] <= expected <= points.ci_high[place]
        else:
            assert np.isnan(points.ci_low[place])  # of one image alone
    whole = concept_points(project, run)
    same = np.isin(whole.concept_id, points.concept_id)
    assert np.array_equal(points.importance, whole.importance[same])
    assert np.isnan([points.null_95, points.smcs_pearson, points.mcs_pearson]).all()


def test_the_slice_of_all_images_changes_no_similarity(made_up) -> None:
    project, run = made_up.project, made_up.concepts_run
    points, whole = sliced_points(project, run, every(project)), concept_points(project, run)
    assert np.array_equal(points.concept_id, whole.concept_id)
    assert np.allclose(points.cmcs_pearson, whole.cmcs_pearson, atol=1e-6)


def test_a_concept_shows_the_best_patches_of_the_slice(made_up) -> None:
    project = made_up.project
    whole = concept_detail(project, 1)
    images = sorted(set(whole.image.tolist()))[::2]
    detail = sliced_detail(project, 1, made(project, images))
    assert set(detail.image.tolist()) == set(images)
    assert detail.n_images == len(images) == 3
    by_image = defaultdict(float)
    for image, value in zip(detail.image.tolist(), detail.real.tolist(), strict=True):
        by_image[image] = max(by_image[image], value)
    assert [patch.coefficient for patch in detail.top] == sorted(by_image.values(), reverse=True)
    assert len({patch.image for patch in detail.top}) == len(detail.top)
    known = {p.patch_id for p in (*whole.top, *whole.over, *whole.under)}
    ids = [p.patch_id for p in (*detail.top, *detail.over, *detail.under)]
    assert len(set(ids)) == len(ids)
    assert all(number in known or number < -1 for number in ids)


def test_a_slice_without_its_images_leaves_a_concept_empty(made_up) -> None:
    detail = sliced_detail(made_up.project, 1, made(made_up.project, [18]))
    assert (len(detail.real), detail.n_images, detail.top) == (0, 0, ())
    assert np.isnan(detail.cmcs_pearson)


# -- saliency --------------------------------------------------------------------------------------
def test_means_are_of_the_images_of_the_slice(explained) -> None:
    project, run = explained
    chosen = made(project, [1, 2, 5, 6])
    summary, tests = sliced_faithfulness(project, run, chosen)
    values = defaultdict(list)
    for row in project.rows("SELECT * FROM faithfulness WHERE run = ?", (run,)):
        if row["image"] in chosen.images and row["value"] is not None:
            values[row["metric"], row["model"], row["method"]].append(row["value"])
    for i, metric in enumerate(summary.metrics):
        for j, model in enumerate(summary.models):
            for k, method in enumerate(summary.methods):
                own = values.get((metric.key, model, method.label), [])
                assert summary.n[i, j, k] == len(own)
                if own:
                    assert summary.mean[i, j, k] == pytest.approx(np.mean(own))
                    assert summary.ci_low[i, j, k] <= np.mean(own) <= summary.ci_high[i, j, k]
    assert summary.slice_name == "some"
    assert tests.n.max() == 4
    assert (tests.p_adjusted >= tests.p - 1e-12).all()


def test_the_slice_of_all_images_gives_what_the_run_gives(explained) -> None:
    project, run = explained
    summary, tests = sliced_faithfulness(project, run, every(project))
    whole, told = faithfulness_summary(project, run), faithfulness_comparisons(project, run)
    assert np.allclose(summary.mean, whole.mean, equal_nan=True)
    assert np.array_equal(summary.n, whole.n)
    assert np.allclose(summary.tied, whole.tied, equal_nan=True)
    pair = {
        (a, b, c, d, e): x
        for a, b, c, d, e, x in zip(
            told.metric, told.model_a, told.method_a, told.model_b, told.method_b,
            told.difference, strict=True,
        )
    }  # fmt: skip
    matched = 0
    for at in range(len(tests.p)):
        key = (tests.metric[at], tests.model_a[at], tests.method_a[at], tests.model_b[at],
               tests.method_b[at])  # fmt: skip
        if key in pair:
            matched += 1
            assert tests.difference[at] == pytest.approx(pair[key], abs=1e-9)
    assert matched


def test_maps_and_mean_curves_are_of_the_slice(explained) -> None:
    project, run = explained
    chosen = made(project, [2, 3, 17])
    index = sliced_index(project, run, chosen)
    assert set(index.images.tolist()) == {2, 3}  # the third was not explained
    assert len(index.image_names) == len(index.image_labels) == len(index.available) == 2
    row = project.row("SELECT model, method FROM curve WHERE run = ? LIMIT 1", (run,))
    cell = Cell(2, row["model"], row["method"])
    curves = saliency_curves(project, run, [cell], chosen)
    expected = [
        json.loads(r["scores"])
        for r in project.rows(
            "SELECT scores FROM curve WHERE run = ? AND model = ? AND method = ?"
            " AND kind = 'insertion' AND image IN (2, 3)",
            (run, *cell[1:]),
        )
    ]
    mean = next(one for one in curves.means if one.kind == "insertion")
    assert mean.n == 2
    assert np.allclose(mean.mean, np.mean(expected, axis=0))


# -- units and semantics ---------------------------------------------------------------------------
def test_a_unit_shows_its_images_of_the_slice_and_says_how_many_there_were(audited) -> None:
    project = audited.project
    number = project.value(
        "SELECT unit.id FROM unit JOIN unit_patch USING (run, model, layer, unit) LIMIT 1"
    )
    (whole,) = unit_details(project, [number])
    wanted = whole.patches[1].image
    (detail,) = sliced_units(project, [number], made(project, [wanted]))
    assert [p.patch_id for p in detail.patches] == [
        p.patch_id for p in whole.patches if p.image == wanted
    ]
    assert detail.images_known == len(whole.patches)
    assert detail.iou == whole.iou


def test_ucs_is_that_of_the_masks_of_the_slice(compared) -> None:
    project, run = compared
    chosen = made(project, [1, 3, 4])
    index = sliced_semantics(project, run, chosen)
    assert index.images.tolist() == [1, 3, 4]
    found = sliced_masks(project, run, *MASK_LAYERS, chosen)
    whole = mask_similarity(project, run, *MASK_LAYERS)
    assert found.ucs.shape == whole.ucs.shape
    assert found.n == 3
    from analysis.faithfulness.steps import enlarge

    side = json.loads(project.value("SELECT parameters FROM run WHERE id = ?", (run,))).get(
        "mask_side", 56
    )
    codes = [projections(place)[[0, 2, 3]] / np.float32(255) for place in (0, 1)]
    for t, threshold in enumerate(found.thresholds.tolist()):
        for a in range(codes[0].shape[1]):
            for b in range(codes[1].shape[1]):
                values = []
                for image in range(3):
                    first = enlarge(codes[0][image, a].astype(np.float32), side, side) > threshold
                    second = enlarge(codes[1][image, b].astype(np.float32), side, side) > threshold
                    if (first | second).any():
                        values.append((first & second).sum() / (first | second).sum())
                expected = np.mean(values) if values else np.nan
                assert found.ucs[t, a, b] == pytest.approx(expected, abs=1e-6, nan_ok=True)
        assert found.matched[t].sum(0).max() <= 1
        assert found.matched[t].sum(1).max() <= 1


def test_ucs_of_a_slice_has_its_own_chance(compared, monkeypatch) -> None:
    project, run = compared
    chosen = made(project, [1, 2, 3, 4])
    found = sliced_masks(project, run, *MASK_LAYERS, chosen)
    whole = mask_similarity(project, run, *MASK_LAYERS)
    there = np.isfinite(found.ucs)
    assert there.any()
    assert np.isfinite(found.null_95[there]).all()
    assert np.isfinite(found.p_adjusted[there]).all()
    assert (found.p_adjusted[there] >= 1 / 201).all()
    assert not np.array_equal(found.null_95, whole.null_95)
    # Once measured, it is not measured again; measured again, it is the same.
    with monkeypatch.context() as patched:
        patched.setattr(slice_semantics, "_measure", None)
        kept = sliced_masks(project, run, *MASK_LAYERS, chosen)
    slice_semantics._KEPT.clear()
    again = sliced_masks(project, run, *MASK_LAYERS, chosen)
    for name in ("ucs", "ci_low", "null_95", "p_adjusted"):
        assert np.array_equal(getattr(kept, name), getattr(found, name), equal_nan=True)
        assert np.array_equal(getattr(again, name), getattr(found, name), equal_nan=True)


def test_one_image_has_no_chance(compared) -> None:
    project, run = compared
    found = sliced_masks(project, run, *MASK_LAYERS, made(project, [2]))
    assert np.isnan(found.null_95).all()
    assert np.isnan(found.p_adjusted).all()


# -- making slices ---------------------------------------------------------------------------------
def test_images_by_class_and_by_name(made_up) -> None:
    project = made_up.project
    assert slice_sources(project).labels == ((1, "bird", 6), (1, "dog", 6), (1, "fish", 6))
    found = chosen_images(project, OfClasses(("dog", "fish")))
    assert found.images == frozenset(range(7, 19))
    assert found.origin == "class dog, fish"
    assert chosen_images(project, OfClasses(("dog",), image_set=2)).images == frozenset()
    assert chosen_images(project, OfNames("BIRD/")).images == frozenset(range(1, 7))
    assert chosen_images(project, OfNames("*/1?.jpg")).images == frozenset(range(11, 19))
    assert chosen_images(project, OfNames("[bd]ird")).images == frozenset()
    assert chosen_images(project, OfNames("  ")).images == frozenset()
    named = chosen_images(project, OfImages(frozenset({3, 900}), "by hand"))
    assert (named.images, named.origin) == (frozenset({3}), "by hand")


def test_predictions_that_are_not_there_are_said(made_up) -> None:
    with pytest.raises(AuditError, match="keeps no predictions"):
        chosen_images(
            made_up.project, OfAgreement(made_up.layers_run, "k-NN", "a", "b", "disagree")
        )


# -- figures ---------------------------------------------------------------------------------------
FIGURES = ("concepts", "concept")


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(FIGURES))
def test_a_figure_says_of_which_slice_it_is(made_up, tmp_path, name, width_mm) -> None:
    project = made_up.project
    made(project, [1, 2, 3, 7, 8], "rainy & dark")
    out = export_figure(
        project, name, tmp_path / "out.svg", width_mm=width_mm, slice="rainy & dark"
    )
    text = out.read_text()
    assert "Slice “rainy &amp; dark”: 5 images" in text
    assert text.count("rainy &amp; dark") >= 3  # over the figure, in its title, in its parameters
    whole = export_figure(project, name, tmp_path / "whole.png", None, width_mm, 100)
    part = export_figure(
        project, name, tmp_path / "part.png", None, width_mm, 100, slice="rainy & dark"
    )
    with Image.open(whole) as a, Image.open(part) as b:
        assert json.loads(b.text["Parallax"])["figure_parameters"]["slice"] == "rainy & dark"
        assert json.loads(a.text["Parallax"])["figure_parameters"]["slice"] == ""
        assert "rainy" in b.text["Title"]
        assert a.width == b.width
        line = np.asarray(b.convert("L"))[: round(4.5 / 25.4 * 100)]
        assert (line < 128).any()  # it is written
        assert not (line[:, 0] < 128).any()  # and not cut
    again = export_figure(
        project, name, tmp_path / "again.svg", width_mm=width_mm, slice="rainy & dark"
    )
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("name", ["saliency", "faithfulness", "insertion-deletion"])
def test_figures_of_maps_are_narrowed(explained, tmp_path, name) -> None:
    project, _ = explained
    made(project, [1, 2, 3])
    columns, rows = figure_table(project, name, slice="some")
    whole = figure_table(project, name)[1]
    assert rows
    assert rows != whole
    export_figure_table(project, name, tmp_path / "out.json", slice="some")
    assert '"slice": "some"' in (tmp_path / "out.json").read_text()
    out = export_figure(project, name, tmp_path / "out.png", dpi=60, slice="some")
    assert out.stat().st_size > 1000
    assert columns == figure_table(project, name)[0]


@pytest.mark.parametrize("name", ["mask-similarity", "mask-pair", "robustness"])
def test_figures_of_masks_are_narrowed(compared, tmp_path, name) -> None:
    project, _ = compared
    made(project, [1, 2])
    assert figure_table(project, name, slice="some")[1] != figure_table(project, name)[1]
    assert export_figure(project, name, tmp_path / "out.svg", slice="some").stat().st_size > 1000


def test_units_are_drawn_with_their_images_of_the_slice(audited, tmp_path) -> None:
    made(audited.project, [1, 2, 3, 4])
    out = export_figure(audited.project, "units", tmp_path / "out.svg", slice="some")
    assert "Slice “some”: 4 images" in out.read_text()


def test_a_slice_that_is_not_there_or_has_nothing_is_said(made_up, tmp_path) -> None:
    project = made_up.project
    with pytest.raises(AuditError, match="has no slice “rain”"):
        export_figure(project, "concepts", tmp_path / "out.svg", slice="rain")
    with pytest.raises(AuditError, match="slice"):  # a figure of all images takes none
        export_figure(project, "layers", tmp_path / "out.svg", slice="rain")
    number = project.add_image_set("others", tmp_path, "folder")
    with project.transaction() as connection:
        connection.execute(
            "INSERT INTO image (id, image_set, path, width, height) VALUES (99, ?, 'x.png', 9, 9)",
            (number,),
        )
    made(project, [99], "elsewhere")
    for name in FIGURES:
        with pytest.raises(AuditError, match="no results of the images of the slice “elsewhere”"):
            export_figure(project, name, tmp_path / "out.svg", slice="elsewhere")
    assert slice_named(project, "") is None
    with pytest.raises(AuditError, match="no such slice"):
        slice_choice(project, 12345)
