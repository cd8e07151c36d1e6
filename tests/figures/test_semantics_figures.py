"""The figures of semantic similarity, as files and as drawings."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures import semantics_readers as readers
from analysis.figures.definitions_semantics import SEMANTICS_FIGURES
from analysis.figures.export import export_figure, prepare_figure
from analysis.figures.render_semantics import column_order
from analysis.figures.render_semantics_masks import BOTH_COLOUR, shown_mask, shown_overlap
from analysis.figures.render_semantics_numbers import told_from_random
from analysis.figures.semantics_choice import masks_agree, spread_by_rank
from analysis.figures.style import MODEL_COLOURS
from analysis.project import Project
from tests.figures import made_semantics as made
from tests.figures.changing import alter
from tests.figures.conftest import add_models
from tests.figures.drawn import assert_whole, draw, drawn_texts, figure_table, texts
from tests.figures.made_semantics import CONCEPTS, IMAGES, LAYERS_A, LAYERS_B, A, B, add_semantics
from tests.figures.written import (
    checked_provenance,
    checked_table_provenance,
    each_in_every_format,
    each_in_every_width,
)

_FIGURES = [definition.name for definition in SEMANTICS_FIGURES]
_TABLES = ("concept_vector", "space_similarity", "tcav", "mask_concept", "mask_similarity")
_LONG = ("EfficientNet-Lite0, untrained, drawn from a seed", "$\\frac{x$ <b>" + "M" * 80)


def _words(figure) -> str:
    return " ".join(text.get_text() for text in texts(figure))


def _check_provenance(provenance: dict, name: str) -> None:
    assert provenance["figure"] == name
    assert provenance["audit"] == "semantics"
    assert provenance["run_parameters"]["normalisation"] == "data set"
    assert [(model["side"], model["name"]) for model in provenance["models"]] == [
        ("a", A),
        ("b", B),
    ]
    assert "someone" not in json.dumps(provenance)


@pytest.mark.parametrize(("name", "format"), each_in_every_format(_FIGURES))
def test_each_figure_becomes_every_kind_of_file(compared, tmp_path, name, format):
    out = export_figure(compared[0], name, tmp_path / f"f.{format}", width_mm=85, dpi=60)
    _check_provenance(checked_provenance(out, 85, 60), name)


@pytest.mark.parametrize("name", _FIGURES)
def test_each_table_becomes_csv_and_json(compared, tmp_path, name):
    _check_provenance(checked_table_provenance(compared[0], name, tmp_path), name)


@pytest.mark.parametrize(
    "name", ["mask-pair", pytest.param("separability", marks=pytest.mark.slow)]
)
def test_equal_projects_give_equal_bytes(compared, tmp_path, name):
    first, second = (
        export_figure(compared[0], name, tmp_path / f"{n}.svg").read_bytes() for n in "ab"
    )
    assert first == second


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(_FIGURES))
def test_nothing_is_cut_off(compared, name, width_mm):
    figure = draw(compared[0], name, width_mm)
    assert figure.get_figwidth() * 25.4 == pytest.approx(width_mm)
    assert figure.get_figheight() * 25.4 < 260
    assert_whole(figure)
    assert "untrained" not in _words(figure)  # of models that are trained


def _overlaps(figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover one another."""
    renderer = figure.canvas.get_renderer()
    shown = [(text, text.get_window_extent(renderer)) for text in drawn_texts(figure)]
    shown = [(text, box) for text, box in shown if text.get_text().strip()]
    return [
        (one.get_text(), other.get_text())
        for place, (one, box) in enumerate(shown)
        for other, box_of_other in shown[place + 1 :]
        if one is not other and box.padded(-1).overlaps(box_of_other.padded(-1))
    ]


@pytest.mark.parametrize(
    ("name", "width_mm"),
    each_in_every_width(["separability", "tcav", "robustness", "mask-pair"]),
)
def test_words_do_not_cover_one_another(compared, name, width_mm):
    assert _overlaps(draw(compared[0], name, width_mm)) == []


@pytest.fixture(scope="module")
def long_names(compared_file, tmp_path_factory):
    """A project of long names, read by several tests, changed by none."""
    path = Path(shutil.copy(compared_file, tmp_path_factory.mktemp("long names")))
    with Project.open(path) as project:
        _lengthen(project)
    with Project.open(path, read_only=True) as project:
        yield project


def _lengthen(project) -> None:
    layers = tuple(tuple(f"{'stage.' * 9}{i}.act" for i in range(30)) for _ in range(2))
    add_models(project, _LONG, layers)
    concepts = tuple(f"a concept of a long name ${i}" * 3 for i in range(26))
    add_semantics(
        project, models=_LONG, layers=layers, concepts=concepts, mask_layers=("x" * 90, "$y" * 60)
    )
    alter(project, "UPDATE tcav SET class = class || ?", ("$ wheel" * 12,))
    alter(
        project, "UPDATE model SET load_report = ? WHERE name = ?", ('{"untrained":true}', _LONG[0])
    )


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(_FIGURES))
def test_long_names_and_many_concepts_draw(long_names, name, width_mm):
    assert_whole(draw(long_names, name, width_mm, dpi=60))


@pytest.mark.parametrize("name", _FIGURES)
def test_missing_numbers_draw(compared, name):
    project, _ = compared
    for table, columns in (
        ("concept_vector", "accuracy = NULL, null_95 = NULL"),
        ("concept_vector", "ci_low = NULL, n_positive = NULL, separates = 1"),
        ("space_similarity", "sfss_pearson = NULL, null_95 = NULL, n = NULL"),
        ("tcav", "score = NULL, null_low = NULL"),
        ("tcav", "p_adjusted = NULL, ci_low = NULL"),
        ("mask_similarity", "ucs = NULL, null_95 = NULL"),
        ("mask_similarity", "ci_high = NULL"),
    ):
        alter(project, f"UPDATE {table} SET {columns} WHERE id % 3 = {len(columns) % 3}")
    alter(project, "UPDATE layer SET depth = NULL")
    alter(project, "DELETE FROM mask_concept")
    alter(project, "DELETE FROM thumbnail")
    assert_whole(draw(project, name, 175))


@pytest.mark.parametrize("name", ["separability", "tcav", "robustness", "space-similarity"])
def test_numbers_that_are_all_missing_draw(compared, name):
    project, _ = compared
    alter(
        project,
        "UPDATE concept_vector SET accuracy = NULL, ci_low = NULL, ci_high = NULL, null_95 = NULL",
    )
    alter(project, "UPDATE tcav SET score = NULL, null_low = NULL")
    alter(project, "UPDATE mask_similarity SET ci_low = NULL, ci_high = NULL, null_95 = NULL")
    alter(project, "UPDATE space_similarity SET sfss_pearson = NULL, null_95 = NULL")
    assert_whole(draw(project, name, 85))


@pytest.mark.parametrize("name", _FIGURES)
def test_an_empty_run_is_an_error_with_a_hint(compared, tmp_path, name):
    project, run = compared
    for table in _TABLES:
        alter(project, f"DELETE FROM {table}")
    for asked in (None, run):
        with pytest.raises(AuditError) as caught:
            export_figure(project, name, tmp_path / "a.svg", run=asked)
        assert caught.value.hint
    assert not (tmp_path / "a.svg").exists()


def test_what_cannot_be_shown_says_why(compared, tmp_path):
    project, run = compared
    cases = [
        ("space-similarity", {"concept": "charm"}, "charm"),
        ("space-similarity", {"measure": "cka"}, "measure"),
        ("separability", {"concepts": "sky, charm"}, "charm"),
        ("tcav", {"model": B}, B),
        ("tcav", {"layer": "conv_head"}, "conv_head"),
        ("tcav", {"classes": "fish"}, "fish"),
        ("mask-similarity", {"layer_a": "blocks.2"}, "blocks.2"),
        ("mask-similarity", {"threshold": 0.51}, "0.51"),
        ("mask-pair", {"concept_a": 5}, "no concept 5"),
        ("mask-pair", {"concept_a": 3}, "no matched pair"),
        ("mask-pair", {"image": 13}, "image 13"),
        ("robustness", {"concept_b": 4}, "no concept 4"),
    ]
    for name, options, words in cases:
        with pytest.raises(AuditError, match=re.escape(words)) as caught:
            export_figure(project, name, tmp_path / "a.svg", **options)
        assert caught.value.hint, name
    alter(project, "DELETE FROM array")
    with pytest.raises(AuditError, match="keeps no masks"):
        export_figure(project, "mask-pair", tmp_path / "a.svg")
    alter(project, "UPDATE mask_similarity SET matched = 0")
    with pytest.raises(AuditError, match="no matched pairs"):
        export_figure(project, "robustness", tmp_path / "a.svg")
    alter(project, "DELETE FROM concept_vector")
    with pytest.raises(AuditError, match="separability could show") as caught:
        export_figure(project, "separability", tmp_path / "a.svg")
    assert "imported" not in caught.value.hint
    with pytest.raises(AuditError, match="no results yet"):
        export_figure(project, "separability", tmp_path / "a.svg", run=run)
    assert not list(tmp_path.glob("a.*"))


def test_the_heatmap_of_layers_shows_what_was_asked_for(compared):
    project, _ = compared
    columns, rows = figure_table(project, "space-similarity", concept="wheel")
    at = {name: columns.index(name) for name in columns}
    assert len(rows) == len(LAYERS_A) * len(LAYERS_B)
    for row in rows:
        expected = made.sfss((LAYERS_A, LAYERS_B), row[at["layer_a"]], row[at["layer_b"]], "wheel")
        assert row[at["sfss_pearson"]] == (None if expected is None else pytest.approx(expected))
        assert row[at["above_chance"]] == (expected is not None and expected > 0.25)
    words = _words(draw(project, "space-similarity", 175, concept="wheel", measure="spearman"))
    assert "SFSS, wheel, 60 images" in words
    assert "SFSS (Spearman)" in words
    assert "does not separate" in words
    assert "backbone.extra.3" in words
    words = _words(draw(project, "space-similarity", 175, depth=True))
    assert "mean of all concepts" in words
    assert "relative depth" in words
    assert "backbone" not in words


def test_an_untrained_model_says_so(compared):
    project, _ = compared
    alter(project, "UPDATE model SET load_report = '{\"untrained\": true}'")
    for name in _FIGURES:
        assert "untrained " in _words(draw(project, name, 175)), name


def test_separability_has_a_panel_a_concept_and_a_curve_a_model(compared):
    project, _ = compared
    figure = draw(project, "separability", 175, concepts="grass,wheel")
    panels = figure.get_axes()
    assert [axes.get_title(loc="left") for axes in panels] == ["grass", "wheel"]
    for axes, concept in zip(panels, ("grass", "wheel"), strict=True):
        solid = [line for line in axes.get_lines() if line.get_linestyle() == "-"]
        for line, layers, side in zip(solid, (LAYERS_A, LAYERS_B), "ab", strict=True):
            expected = [made.accuracy(layers, layer, concept) for layer in layers]
            np.testing.assert_allclose(line.get_ydata(), expected)
            np.testing.assert_allclose(line.get_xdata(), np.linspace(0, 1, len(layers)))
            assert line.get_color() == MODEL_COLOURS[side]
        hollow = [line for line in axes.get_lines() if line.get_markerfacecolor() == "white"]
        for line, layers in zip(hollow, (LAYERS_A, LAYERS_B), strict=True):
            unknown = [layer for layer in layers if not made.separates(layers, layer, concept)]
            assert len(line.get_xdata()) == len(unknown)
    columns, rows = figure_table(project, "separability", concepts="grass")
    assert len(rows) == len(LAYERS_A) + len(LAYERS_B)
    assert {row[columns.index("concept")] for row in rows} == {"grass"}


def test_layers_without_a_depth_stand_in_order(compared):
    project, _ = compared
    assert "relative depth" in _words(draw(project, "separability", 175))
    alter(project, "UPDATE layer SET depth = NULL WHERE name = 'blocks.2'")
    words = _words(draw(project, "separability", 175))
    assert "layers in order" in words
    assert "relative depth" not in words


def test_one_model_beside_itself_has_one_curve(compared):
    project, _ = compared
    add_semantics(project, models=(A, A), layers=(LAYERS_A, LAYERS_A),
                  mask_layers=("blocks.4", "blocks.6"))  # fmt: skip
    figure = draw(project, "separability", 175)
    assert len([line for line in figure.get_axes()[0].get_lines() if line.get_marker() == "o"]) == 2
    for name in _FIGURES:
        assert_whole(draw(project, name, 85))


def test_tcav_scores_are_told_from_random_by_the_test(compared):
    project, run = compared
    data = readers.tcav_scores(project, run, A, "blocks.0")
    told = told_from_random(data)
    for i, concept in enumerate(data.concepts):
        for j, name in enumerate(data.classes):
            score = made.score(LAYERS_A, "blocks.0", concept, name)
            outside = not 0.31 < score < 0.72
            assert told[i, j] == (made.separates(LAYERS_A, "blocks.0", concept) and outside)
    assert told.any()
    words = _words(draw(project, "tcav", 175, layer="blocks.0"))
    assert words.count("does not separate") == 2 * 2
    assert "told from random" in words
    assert "does not separate" not in _words(draw(project, "tcav", 175))  # the deepest layer
    alter(project, "UPDATE tcav SET p_adjusted = 0.2")
    words = _words(draw(project, "tcav", 175))
    assert "not told from random" in words
    assert words.count("told from random") == 1
    alter(project, "UPDATE tcav SET p_adjusted = NULL")
    again = told_from_random(readers.tcav_scores(project, run, A, "blocks.0"))
    np.testing.assert_array_equal(again, told)
    columns, rows = figure_table(project, "tcav", classes="dog", concepts="sky,grass")
    assert [(row[columns.index("concept")], row[columns.index("class")]) for row in rows] == [
        ("sky", "dog"),
        ("grass", "dog"),
    ]


def test_columns_stand_in_the_order_of_their_matches():
    matched = np.zeros((3, 5), dtype=bool)
    matched[0, 3] = matched[1, 0] = matched[2, 4] = True
    assert column_order(matched).tolist() == [3, 0, 4, 1, 2]
    assert column_order(np.zeros((2, 3), dtype=bool)).tolist() == [0, 1, 2]


def test_masks_are_compared_at_the_threshold_asked_for(compared):
    project, _ = compared
    for threshold in (0.5, 0.75):
        columns, rows = figure_table(project, "mask-similarity", threshold=threshold)
        at = {name: columns.index(name) for name in columns}
        assert len(rows) == made.COMPONENTS[0] * made.COMPONENTS[1]
        for row in rows:
            pair = (row[at["concept_a"]], row[at["concept_b"]])
            assert row[at["ucs"]] == pytest.approx(made.ucs(*pair, threshold))
            assert row[at["matched"]] == made.matched(*pair)
            assert row[at["above_chance"]] == made.matched(*pair)
    figure = draw(project, "mask-similarity", 175, threshold=0.75)
    assert "masks above 0.75" in _words(figure)
    shown = [tick.get_text() for tick in figure.get_axes()[0].get_xticklabels()]
    assert shown == ["1", "2", "3", "0"]
    figure = draw(project, "mask-similarity", 175, order="number")
    shown = [tick.get_text() for tick in figure.get_axes()[0].get_xticklabels()]
    assert shown == ["0", "1", "2", "3"]
    assert "masks above 0.50" in _words(figure)


def test_layers_that_were_not_compared_are_not_chosen(compared):
    project, run = compared
    more = [
        {"model": A, "layer": "conv_head", "concept": 0},
        {"model": B, "layer": "backbone.extra.3", "concept": 0},
    ]
    project.commit_unit(run, "more", {"mask_concept": more}, {}, [], 0.1)
    data = prepare_figure(project, "mask-similarity").data
    assert (data.matrix.layer_a, data.matrix.layer_b) == made.MASK_LAYERS
    with pytest.raises(AuditError, match="has not compared") as caught:
        prepare_figure(project, "mask-similarity", layer_a="conv_head")
    assert caught.value.hint


def test_robustness_draws_every_match_over_all_thresholds(compared):
    project, _ = compared
    figure = draw(project, "robustness", 175, threshold=0.75)
    pairs = [(a, b) for a in range(5) for b in range(4) if made.matched(a, b)]
    panels = figure.get_axes()
    assert [axes.get_title(loc="left") for axes in panels] == [f"A {a} – B {b}" for a, b in pairs]
    for axes, pair in zip(panels, pairs, strict=True):
        curve = axes.get_lines()[0]
        np.testing.assert_allclose(curve.get_xdata(), made.THRESHOLDS)
        np.testing.assert_allclose(curve.get_ydata(), [made.ucs(*pair, t) for t in made.THRESHOLDS])
    columns, rows = figure_table(project, "robustness", concept_a=3, concept_b=3)
    assert len(rows) == len(made.THRESHOLDS)
    assert {row[columns.index("concept_a")] for row in rows} == {3}
    assert len(figure_table(project, "robustness", pairs=2)[1]) == 2 * len(made.THRESHOLDS)


def _grown(values: np.ndarray, side: int) -> np.ndarray:
    """Bilinear enlargement, place by place, edges held."""
    rows, columns = values.shape
    grown = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            v = min(max((y + 0.5) * rows / side - 0.5, 0), rows - 1)
            h = min(max((x + 0.5) * columns / side - 0.5, 0), columns - 1)
            top, left = min(int(v), rows - 2), min(int(h), columns - 2)
            p, q = v - top, h - left
            cell = values[top : top + 2, left : left + 2]
            grown[y, x] = (1 - p) * (cell[0] @ (1 - q, q)) + p * (cell[1] @ (1 - q, q))
    return grown


def test_the_iou_of_masks_is_taken_after_enlarging(compared):
    project, run = compared
    pair = (made.MASK_LAYERS[0], 1, made.MASK_LAYERS[1], 2)
    data = readers.projected_masks(project, run, *pair, [2, 5])
    found = masks_agree(data.values_a, data.values_b, 0.4)
    for place in range(2):
        first, second = (
            _grown(values[place].astype(float), 56) > 0.4
            for values in (data.values_a, data.values_b)
        )
        expected = (first & second).sum() / (first | second).sum()
        assert found[place] == pytest.approx(expected, abs=2e-3)
    assert 0 < found[1] < found[0] < 1
    nothing = np.zeros((1, 3, 3), np.float32)
    assert np.isnan(masks_agree(nothing, nothing, 0.5)).all()
    assert masks_agree(nothing, nothing + 1, 0.5).tolist() == [0.0]


def test_images_are_spread_from_the_most_to_the_least_alike():
    agreement = np.array([0.2, np.nan, 0.9, 0.5, 0.1, 0.7])
    assert spread_by_rank(agreement, 3).tolist() == [2, 3, 4]
    assert spread_by_rank(agreement, 1).tolist() == [2]
    assert spread_by_rank(agreement, 5).tolist() == [2, 5, 3, 0, 4]
    assert spread_by_rank(agreement, 9).tolist() == [2, 5, 3, 0, 4, 1]


def test_the_pair_shown_is_the_one_asked_for(compared):
    project, _ = compared
    data = prepare_figure(project, "mask-pair", images=3).data
    assert (data.masks.concept_a, data.masks.concept_b) == (0, 1)
    assert data.n == IMAGES
    assert np.all(np.diff(data.agreement) <= 0)
    data = prepare_figure(project, "mask-pair", concept_b=3, image=4).data
    assert (data.masks.concept_a, data.masks.concept_b) == (2, 3)
    assert data.masks.images.tolist() == [4]
    data = prepare_figure(project, "mask-pair", concept_a=4, concept_b=3, threshold=0.61).data
    assert (data.masks.concept_a, data.masks.concept_b, data.threshold) == (4, 3, 0.61)
    words = _words(draw(project, "mask-pair", 175, images=3))
    assert "A, concept 0" in words
    assert "B, concept 1" in words
    assert "from most to least alike" in words
    assert words.count("IoU") == 3 + 1
    blobs = [made.projections(side)[:, side] / 255 for side in range(2)]
    on_its_grid = masks_agree(*(blob.astype(np.float32) for blob in blobs), 0.5, 40)
    data = prepare_figure(project, "mask-pair", images=IMAGES).data
    np.testing.assert_allclose(np.sort(data.agreement), np.sort(on_its_grid), atol=1e-9)
    assert data.mean == pytest.approx(on_its_grid.mean())
    columns, rows = figure_table(project, "mask-pair", image=4, threshold=0.3)
    masks = made.projections(0)[3, 0] / 255
    assert rows[0][columns.index("area_a")] == pytest.approx((masks > 0.3).mean())


def test_an_image_in_which_nothing_is_says_so(compared):
    project, run = compared
    blank = np.zeros((IMAGES, 5, 4, 4), np.uint8)
    with project.transaction() as connection:
        for name in ("0/blocks.4", "1/backbone.features.16"):
            project.write_array(connection, run, f"projections/{name}", blank)
    words = _words(draw(project, "mask-pair", 85, images=2))
    assert words.count("no mask") == 3
    assert figure_table(project, "mask-pair", images=2)[1][0][11] is None


def test_what_lies_outside_of_a_mask_is_pale_and_both_have_a_colour_of_their_own():
    pixels = np.full((2, 2, 3), 100, np.uint8)
    first = np.array([[True, True], [False, False]])
    second = np.array([[True, False], [True, False]])
    shown = shown_mask(pixels, first)
    assert (shown[0] == 100).all()
    assert (shown[1] == round(0.28 * 100 + 0.72 * 255)).all()
    painted = shown_overlap(pixels, first, second).astype(int)
    pale = 0.28 * 100 + 0.72 * 255
    for place, colour in (
        ((0, 0), BOTH_COLOUR),
        ((0, 1), MODEL_COLOURS["a"]),
        ((1, 0), MODEL_COLOURS["b"]),
    ):
        tint = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        expected = 0.3 * pale + 0.7 * np.array(tint)
        np.testing.assert_allclose(painted[place], expected, atol=0.51)
    assert (painted[1, 1] == round(pale)).all()


def test_concepts_are_limited_to_a_page(long_names):
    data = prepare_figure(long_names, "separability").data
    assert len(data.models[0].concepts) == 24
    assert len(CONCEPTS) == 4
