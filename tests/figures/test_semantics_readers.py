"""Semantic similarity as figures and views get it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures import semantics_readers as readers
from tests.figures import made_semantics as made
from tests.figures.changing import alter
from tests.figures.conftest import add_models
from tests.figures.made_semantics import CLASSES, CONCEPTS, FRAME, IMAGES, LAYERS_A, LAYERS_B, A, B


def _parameters(project, **changes) -> None:
    old = json.loads(project.value("SELECT parameters FROM run"))
    alter(project, "UPDATE run SET parameters = ?", (json.dumps({**old, **changes}),))


def _write(project, run, name, array) -> None:
    with project.transaction() as connection:
        project.write_array(connection, run, name, array)


def _names(layers) -> tuple[str, ...]:
    return tuple(layer.name for layer in layers)


def test_the_index_says_what_the_run_holds(compared):
    project, run = compared
    index = readers.semantics_index(project, run)
    assert index.models == (A, B)
    assert tuple(map(_names, index.layers)) == (LAYERS_A, LAYERS_B)
    assert [layer.depth for layer in index.layers[0]] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert tuple(map(_names, index.mask_layers)) == (("blocks.4",), ("backbone.features.16",))
    assert index.concepts == CONCEPTS
    assert index.thresholds == made.THRESHOLDS
    assert index.classes == CLASSES
    assert index.images.tolist() == list(range(1, IMAGES + 1))
    assert index.image_names[6] == "dog/6.jpg"
    assert index.trained == (True, True)
    assert index.left_out == (("grass", "Only 4 examples."),)
    with pytest.raises(ValueError, match="read-only"):
        index.images[0] = 1


def test_the_settings_are_told_in_words(compared):
    project, run = compared
    said = dict(readers.semantics_index(project, run).settings)
    assert said["Images of the masks"] == "12"
    assert said["Square"] == "central 32 × 32 pixels of a shorter side of 36"
    assert said["Random sets of negatives"] == "500, one vector each"
    assert said["Masks scaled"] == "by the largest value in all images"
    assert said["Presence gate"].startswith("a concept is in an image from 0.10")
    assert said["Negatives"] == "200 drawn at random"
    assert said["Grid of the masks"] == "40 × 40"
    assert said["Chance"] == "200 permutations of the images"
    _parameters(project, normalisation="image", presence=0, negatives="street\n scenes", seed=True)
    said = dict(readers.semantics_index(project, run).settings)
    assert "inflates UCS" in said["Masks scaled"]
    assert said["Presence gate"].startswith("none")
    assert said["Negatives"] == "street scenes"
    assert "Seed" not in said
    for parameters in ("[", "[]", '{"components": 1e999, "presence": "x", "resize": -3}'):
        alter(project, "UPDATE run SET parameters = ?", (parameters,))
        readers.semantics_index(project, run)


@pytest.mark.parametrize(
    ("specification", "report", "trained"),
    [
        ("torchvision:ssd300_vgg16?pretrained=false", None, False),
        ("torchvision:ssd300_vgg16?seed=2&pretrained=False", "{}", False),
        ("torchvision:ssd300_vgg16?pretrained=false@w.pth", None, True),
        ("torchvision:ssd300_vgg16", '{"untrained": true}', False),
        ("torchvision:ssd300_vgg16?pretrained=false", '{"untrained": false}', True),
        ("torchvision:ssd300_vgg16", '["untrained"]', True),
        ("sample:small", "[[[", True),
    ],
)
def test_an_untrained_model_is_known(compared, specification, report, trained):
    project, run = compared
    alter(
        project,
        "UPDATE model SET specification = ?, load_report = ? WHERE name = ?",
        (specification, report, B),
    )
    assert readers.semantics_index(project, run).trained == (True, trained)


def test_an_empty_run_is_empty_and_others_are_refused(compared):
    project, run = compared
    empty = project.add_run("semantics", "none", {}, model_a=A, model_b=A)
    index = readers.semantics_index(project, empty)
    assert (index.concepts, index.layers, index.images.size) == ((), ((), ()), 0)
    assert readers.space_similarity(project, empty).pearson.shape == (0, 0)
    assert readers.separability(project, empty, A).accuracy.shape == (0, 0)
    assert readers.tcav_scores(project, empty, A, "x").score.shape == (0, 0)
    assert readers.mask_similarity(project, empty, "x", "y").ucs.shape == (0, 0, 0)
    assert readers.find_semantics(project, A, B) == run
    assert readers.find_semantics(project, B, A) is None
    assert readers.find_semantics(project, A, A) is None
    other = project.add_run("saliency", "other", {}, models=(A,))
    for call in (
        lambda: readers.semantics_index(project, 99),
        lambda: readers.semantics_index(project, other),
        lambda: readers.space_similarity(project, run, "charm"),
        lambda: readers.separability(project, run, "nobody"),
        lambda: readers.tcav_scores(project, run, "nobody", "x"),
        lambda: readers.projected_masks(project, empty, "x", 0, "y", 0, [1]),
        lambda: readers.projected_masks(project, run, "x", 0, made.MASK_LAYERS[1], 0, [1]),
        lambda: readers.projected_masks(project, run, *_pair(5, 0), [1]),
        lambda: readers.projected_masks(project, run, *_pair(0, -1), [1]),
        lambda: readers.concept_examples(project, 7),
    ):
        with pytest.raises(AuditError) as caught:
            call()
        assert caught.value.hint


def _pair(a: int, b: int) -> tuple[str, int, str, int]:
    return made.MASK_LAYERS[0], a, made.MASK_LAYERS[1], b


@pytest.mark.parametrize("concept", ["", *CONCEPTS])
def test_space_similarity_is_laid_out_by_layers(compared, concept):
    project, run = compared
    data = readers.space_similarity(project, run, concept)
    assert (_names(data.layers_a), _names(data.layers_b)) == (LAYERS_A, LAYERS_B)
    assert (data.concept, data.n) == (concept, 60)
    for i, a in enumerate(LAYERS_A):
        for j, b in enumerate(LAYERS_B):
            each = [made.sfss((LAYERS_A, LAYERS_B), a, b, one) for one in CONCEPTS]
            known = [value for value in each if value is not None]
            value = (np.mean(known) if known else None) if not concept else each[
                CONCEPTS.index(concept)]  # fmt: skip
            if value is None:
                assert np.isnan([data.pearson[i, j], data.null_95[i, j], data.ci_low[i, j]]).all()
                continue
            assert data.pearson[i, j] == pytest.approx(value)
            assert data.spearman[i, j] == pytest.approx(value - 0.03)
            assert data.ci_low[i, j] == pytest.approx(value - 0.1)
            assert data.p_adjusted[i, j] == (0.01 if value > 0.25 else 0.4)
            expected = np.nan if concept else value + 0.01
            assert data.fisher[i, j] == pytest.approx(expected, nan_ok=True)
    assert not data.pearson.flags.writeable


def test_layers_are_the_same_for_every_concept(compared):
    project, run = compared
    alter(project, "DELETE FROM space_similarity WHERE concept = 'sky' AND layer_a <> 'blocks.2'")
    data = readers.space_similarity(project, run, "sky")
    assert _names(data.layers_a) == LAYERS_A
    known = np.isfinite(data.pearson).any(axis=1)
    assert not known[[0, 1, 3, 4, 5]].any()


def test_more_than_chance_is_above_the_null_and_stays_so_after_correction():
    values = np.array([0.5, 0.5, 0.5, 0.1, 0.5, np.nan, 0.1])
    null = np.array([0.2, 0.2, 0.2, 0.2, np.nan, 0.2, 0.2])
    p = np.array([0.01, 0.2, np.nan, np.nan, np.nan, np.nan, 0.01])
    above = readers.above_chance(values, null, p)
    assert above.tolist() == [True, False, True, False, True, False, False]


def test_separability_of_every_concept_and_layer(compared):
    project, run = compared
    for model, layers in ((A, LAYERS_A), (B, LAYERS_B)):
        data = readers.separability(project, run, model)
        assert _names(data.layers) == layers
        assert data.concepts == CONCEPTS
        for i, concept in enumerate(CONCEPTS):
            for j, layer in enumerate(layers):
                expected = made.accuracy(layers, layer, concept)
                assert data.accuracy[i, j] == pytest.approx(expected)
                assert data.separates[i, j] == made.separates(layers, layer, concept)
                assert data.stability[i, j] == pytest.approx(2 * expected - 1)
                assert data.n_positive[i, j] == 20 + len(concept)
                assert data.auc[i, j] == pytest.approx(min(1, expected + 0.02))
        assert data.separates.any()
        assert not data.separates.all()


def test_tcav_of_a_layer(compared):
    project, run = compared
    assert _names(readers.tcav_layers(project, run, A)) == ("blocks.0", "blocks.6")
    assert readers.tcav_layers(project, run, B) == ()
    data = readers.tcav_scores(project, run, A, "blocks.6")
    assert (data.concepts, data.classes) == (CONCEPTS, CLASSES)
    for i, concept in enumerate(CONCEPTS):
        usable = made.separates(LAYERS_A, "blocks.6", concept)
        assert data.separates[i] == usable
        for j, name in enumerate(CLASSES):
            if usable:
                expected = made.score(LAYERS_A, "blocks.6", concept, name)
                assert data.score[i, j] == pytest.approx(expected)
            else:
                assert np.isnan(data.score[i, j])
    assert (data.null_low == 0.31).all()
    alter(project, "DELETE FROM concept_vector")
    assert not readers.tcav_scores(project, run, A, "blocks.6").separates.any()
    assert readers.tcav_scores(project, run, A, "conv_stem").score.shape == (0, 0)


def test_mask_similarity_at_every_threshold(compared):
    project, run = compared
    data = readers.mask_similarity(project, run, *made.MASK_LAYERS)
    assert data.thresholds.tolist() == list(made.THRESHOLDS)
    assert data.ucs.shape == (len(made.THRESHOLDS), *made.COMPONENTS)
    for (t, a, b), value in np.ndenumerate(data.ucs):
        assert value == pytest.approx(made.ucs(a, b, made.THRESHOLDS[t]))
        assert data.matched[t, a, b] == made.matched(a, b)
        assert data.null_95[t, a, b] == pytest.approx(0.3 - 0.2 * made.THRESHOLDS[t])
        assert data.p_adjusted[t, a, b] == (0.01 if made.matched(a, b) else 0.8)
    assert [one.number for one in data.concepts_a] == [0, 1, 2, 3, 4]
    assert data.concepts_a[1].importance == 0.4
    assert (data.concepts_a[1].class_name, data.concepts_b[1].class_name) == ("bird", "")
    assert np.isnan(data.concepts_b[1].importance)
    assert data.concepts_b[3].presence == pytest.approx(0.7)
    assert data.n == IMAGES


def test_concepts_without_a_description_are_shown_all_the_same(compared):
    project, run = compared
    alter(project, "DELETE FROM mask_concept WHERE concept = 2")
    alter(project, "DELETE FROM mask_similarity WHERE concept_a = 4")
    data = readers.mask_similarity(project, run, *made.MASK_LAYERS)
    assert [one.number for one in data.concepts_a] == [0, 1, 2, 3, 4]
    assert np.isnan(data.concepts_a[2].presence)
    assert np.isnan(data.ucs[:, 4]).all()
    assert not data.matched[:, 4].any()


def test_masks_of_a_pair_over_the_same_images(compared):
    project, run = compared
    data = readers.projected_masks(project, run, *_pair(2, 3), [7, 3, 99, 3])
    assert data.images.tolist() == [7, 3]
    for side, (values, concept) in enumerate(((data.values_a, 2), (data.values_b, 3))):
        expected = made.projections(side)[[6, 2], concept] / 255
        np.testing.assert_allclose(values, expected, atol=1e-6)
        assert values.dtype == np.float32
        assert values.shape == (2, made.GRIDS[side], made.GRIDS[side])
    whole = np.array([[0, 0, FRAME.crop, FRAME.crop]])
    assert data.regions == (tuple(FRAME.to_original(whole, 40, 40)[0]),) * 2
    assert readers.projected_masks(project, run, *_pair(0, 0), []).values_a.shape == (0, 6, 6)


def test_a_model_beside_itself(compared):
    project, _ = compared
    layers = (LAYERS_A, LAYERS_A)
    run = made.add_semantics(
        project, models=(A, A), layers=layers, mask_layers=("blocks.4", "blocks.6")
    )
    index = readers.semantics_index(project, run)
    assert tuple(map(_names, index.layers)) == layers
    assert readers.space_similarity(project, run).pearson.shape == (6, 6)
    alter(project, "UPDATE array SET name = 'projections/0/blocks.6' WHERE run = ?"
            " AND name = 'projections/1/blocks.6'", (run,))  # fmt: skip
    data = readers.projected_masks(project, run, "blocks.4", 0, "blocks.6", 1, [1])
    np.testing.assert_allclose(data.values_b[0], made.projections(1)[0, 1] / 255, atol=1e-6)


def test_concepts_given_by_examples(compared):
    project, _ = compared
    assert readers.concept_sets(project) == ()
    folder, label, patches = made.add_sets(project)
    project.add_concept_examples(label, [made.ExampleBox(3, 1, 1, 5, 5)], "negative")
    sets = readers.concept_sets(project)
    assert [(one.id, one.name, one.kind) for one in sets] == [
        (folder, "stripes", "folder"),
        (label, "wheel", "labels"),
        (patches, "sky", "patches"),
    ]
    assert [one.source for one in sets] == [
        "pictures in /home/someone/pictures/stripes",
        "regions labelled “wheel” (part)",
        "2 patches of 2 images",
    ]
    assert [(one.positives, one.negatives) for one in sets] == [(None, None), (None, 1), (2, None)]
    examples = readers.concept_examples(project, patches)
    assert [(one.image, one.box, one.role) for one in examples] == [
        (1, (2, 3, 10, 11), "positive"),
        (2, (0, 0, 9, 9), "positive"),
    ]
    assert readers.concept_examples(project, label)[0].role == "negative"
    alter(project, "UPDATE concept_example SET x = 9223372036854775807 WHERE image = 1")
    alter(project, "UPDATE concept_example SET width = 0 WHERE image = 2")
    assert readers.concept_examples(project, patches) == ()


@pytest.mark.parametrize(
    "change",
    [
        "concept_vector SET accuracy = 9e999, ci_low = -5, null_95 = 1e300, n_positive = -1",
        "concept_vector SET separates = 9223372036854775807, n_negative = 9223372036854775807",
        "space_similarity SET sfss_pearson = 9e999, ci_low = -9e999, p_adjusted = -3, n = -1",
        "space_similarity SET layer_a = layer_a || x'00' || id",
        "tcav SET score = 1e9, null_low = 9e999, n = 0",
        "tcav SET concept = 'c' || id",
        "mask_similarity SET ucs = 7, ci_low = 9e999, n = 9223372036854775807",
        "mask_similarity SET threshold = threshold * 1e300",
        "mask_similarity SET concept_a = concept_a - 3",
        "mask_concept SET importance = 9e999, presence = 2, fidelity = -1, class = NULL",
        "layer SET depth = 9e999, position = 9223372036854775807",
        "layer SET depth = NULL",
        "image SET path = '' WHERE id = 1",
    ],
)
def test_values_that_cannot_be_do_no_harm(compared, change):
    project, run = compared
    alter(project, f"UPDATE {change}")
    index = readers.semantics_index(project, run)
    shown = [readers.space_similarity(project, run, one) for one in ("", *index.concepts[:4])]
    numbers = [data.pearson for data in shown] + [data.ci_low for data in shown]
    for model in (A, B):
        data = readers.separability(project, run, model)
        numbers += [data.accuracy, data.ci_low, data.null_95]
        assert data.n_positive.min(initial=0) >= 0
    numbers += [readers.tcav_scores(project, run, A, "blocks.6").score]
    masks = readers.mask_similarity(project, run, *made.MASK_LAYERS)
    numbers += [masks.ucs, masks.ci_low]
    for array in numbers:
        assert not np.isinf(array).any()
        assert np.nanmax(np.abs(array), initial=0) <= 1
    assert all(one.number >= 0 for one in masks.concepts_a)
    assert not masks.matched[np.isnan(masks.ucs)].any()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images", np.zeros((2, 2), np.int64)),
        ("images", np.full(IMAGES, 3)),
        ("images", np.arange(1, 4)),
        ("images", np.arange(IMAGES) / 2),
        ("0/blocks.4", np.zeros((IMAGES, 5, 6), np.uint8)),
        ("0/blocks.4", np.zeros((IMAGES, 5, 6, 6), np.float32)),
        ("0/blocks.4", np.zeros((IMAGES, 5, 0, 6), np.uint8)),
        ("1/backbone.features.16", np.zeros((IMAGES - 1, 4, 6, 6), np.uint8)),
    ],
)
def test_damaged_masks_are_an_error_with_a_hint(compared, name, array):
    project, run = compared
    _write(project, run, f"projections/{name}", array)
    with pytest.raises(AuditError) as caught:
        readers.projected_masks(project, run, *_pair(0, 0), [1])
    assert "parallax info" in caught.value.hint


@pytest.mark.parametrize("change", ["image SET width = NULL", "run SET parameters = '{}'"])
def test_masks_need_the_square(compared, change):
    project, run = compared
    alter(project, f"UPDATE {change}")
    with pytest.raises(AuditError, match="which part of image 1"):
        readers.projected_masks(project, run, *_pair(0, 0), [1])


def test_images_that_the_project_does_not_have(compared):
    project, run = compared
    _write(project, run, "projections/images", np.arange(10**6, 10**6 + IMAGES))
    assert readers.semantics_index(project, run).image_names[0] == "image 1000000"
    with pytest.raises(AuditError, match="which part"):
        readers.projected_masks(project, run, *_pair(0, 0), [10**6])


def test_a_table_too_large_to_show_is_refused(compared):
    project, _ = compared
    add_models(project, ("C",), ((),))
    many = project.add_run("semantics", "many", {}, model_a="C", model_b="C")
    rows = [
        {"model_a": "C", "layer_a": f"a{i}", "model_b": "C", "layer_b": f"b{i}"}
        for i in range(2100)
    ]
    project.commit_unit(many, "all", {"space_similarity": rows}, {}, [], 1.0)
    with pytest.raises(AuditError, match="more layers and concepts") as caught:
        readers.space_similarity(project, many)
    assert caught.value.hint


def test_reading_needs_no_torch():
    code = "import sys, analysis.figures.semantics_readers; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
