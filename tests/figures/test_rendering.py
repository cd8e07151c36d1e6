"""Every figure draws whatever a project may hold, and nothing is cut off at its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.figures import style
from analysis.figures.definitions_comparison import COMPARISON_FIGURES
from analysis.figures.density import point_density
from analysis.figures.export import prepare_figure
from analysis.figures.readers import concept_detail, concept_points
from analysis.figures.render_concepts import regions
from analysis.figures.selection import telling_concepts
from analysis.figures.thumbnails import patch_tiles
from analysis.figures.words import decimals_for, interval, label, layer_labels, number, plain
from tests.figures.drawn import assert_whole, draw, texts
from tests.figures.written import each_in_every_width

_FIGURES = [definition.name for definition in COMPARISON_FIGURES]
_HOSTILE = (
    r"$\frac{x$",
    "<script>alert(1)</script>",
    "a $x$ $y",
    "_nolegend_",
    "eine sehr lange Klasse " * 30,
    "犬 🐕 ‮abc",
    "line\nbreak\x01\x1f",
    r"back\slash \$ %d {0}",
)


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(_FIGURES))
def test_nothing_is_cut_off(made_up, name, width_mm):
    figure = draw(made_up.project, name, width_mm)
    assert figure.get_figwidth() * 25.4 == pytest.approx(width_mm)
    assert_whole(figure)


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(_FIGURES))
def test_hostile_names_are_only_text(make_project, name, width_mm):
    made = make_project(
        models=(_HOSTILE[0] + "M" * 120, _HOSTILE[2]),
        classes=_HOSTILE,
        layers=(tuple("layer." * 30 + f"{i}$" for i in range(3)), _HOSTILE),
    )
    figure = draw(made.project, name, width_mm, dpi=60)
    assert_whole(figure)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("concept", _HOSTILE),
        ("concepts", _HOSTILE[:1]),  # there a class is named in the title alone
        pytest.param("concepts", _HOSTILE[1:], marks=pytest.mark.slow),
    ],
)
def test_each_hostile_class_draws(make_project, name, classes):
    made = make_project(classes=_HOSTILE)
    for class_name in classes:
        concept = made.project.value("SELECT id FROM concept WHERE class = ?", (class_name,))
        chosen = {"concept": concept} if name == "concept" else {"class_name": class_name}
        assert_whole(draw(made.project, name, 85, dpi=50, **chosen))


def test_dollar_signs_stay_dollar_signs(make_project):
    made = make_project(models=("cost $5 to $9", "B"))
    with style.journal_style():
        figure = draw(made.project, "layers", 175)
        drawn = [text._preprocess_math(text.get_text()) for text in texts(figure)]
    assert ("A · cost $5 to $9", False) in drawn


@pytest.mark.parametrize("name", _FIGURES)
def test_missing_numbers_draw(make_project, name):
    made = make_project(headless="b")
    with made.project.transaction() as connection:
        connection.execute("UPDATE layer_similarity SET mmcs_pearson = NULL WHERE id % 2")
        connection.execute("UPDATE layer_similarity SET null_95 = NULL, ci_low = NULL")
        connection.execute("UPDATE concept_similarity SET cmcs_pearson = NULL WHERE concept = 1")
        connection.execute("UPDATE concept_similarity SET ci_low = NULL, null_95 = NULL")
        connection.execute("DELETE FROM replacement WHERE side = 'a'")
        connection.execute("UPDATE concept SET stability = NULL")
    assert_whole(draw(made.project, name, 175))


def test_model_without_head_says_so(make_project):
    made = make_project(headless="b")
    words = " ".join(text.get_text() for text in texts(draw(made.project, "concepts", 175)))
    assert "no classification head" in words.replace("\n", " ")
    words = " ".join(text.get_text() for text in texts(draw(made.project, "replacement", 175)))
    assert words.count("no classification head") == 2


def test_layers_not_above_chance_have_no_colour(made_up):
    project = made_up.project
    with project.transaction() as connection:
        connection.execute("UPDATE layer_similarity SET mmcs_pearson = null_95 WHERE id IN (2, 5)")
        connection.execute("UPDATE layer_similarity SET mmcs_pearson = 0.9 WHERE id NOT IN (2, 5)")
        connection.execute("UPDATE layer_similarity SET mmcs_pearson = NULL WHERE id = 7")
    figure = draw(project, "layers", 175)
    axes = figure.axes[0]
    mesh = axes.collections[0]
    assert int(np.ma.getmaskarray(mesh.get_array()).sum()) == 3
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert len(hatched) == 1
    assert len(hatched[0].get_path().vertices) == 2 * 5
    words = {text.get_text() for text in texts(figure)}
    assert {"not above chance", "not computed", "chance"} <= words


def test_sides_have_their_colours(made_up):
    figure = draw(made_up.project, "layers", 175)
    axes = figure.axes[0]
    assert axes.yaxis.label.get_color() == "#0072B2"
    assert axes.xaxis.label.get_color() == "#D55E00"


def test_tiles_are_cut_from_the_scaled_thumbnail(made_up):
    detail = concept_detail(made_up.project, 1)
    patches = [*detail.top, *detail.over, *detail.under]
    tiles = patch_tiles(made_up.project, patches)
    colours = {
        (0, 0): (255, 0, 0),
        (20, 0): (0, 255, 0),
        (0, 20): (0, 0, 255),
        (20, 20): (255,) * 3,
    }
    for patch in patches:
        pixels = tiles[patch.patch_id].pixels
        assert pixels.shape == (160, 160, 3)
        assert (pixels[20:-20, 20:-20] == colours[patch.x, patch.y]).all()


def test_tiles_that_cannot_be_cut_say_why(made_up):
    project = made_up.project
    patches = [p for k in ("top", "over", "under") for p in getattr(concept_detail(project, 1), k)]
    first, second, third, *_ = {patch.image: patch for patch in patches}.values()
    with project.transaction() as connection:
        connection.execute("DELETE FROM thumbnail WHERE image = ?", (first.image,))
        connection.execute(
            "UPDATE thumbnail SET data = substr(data, 1, 40) WHERE image = ?", (second.image,)
        )
        connection.execute("UPDATE patch SET x = 400 WHERE id = ?", (third.patch_id,))
    third = replace(third, x=400)
    tiles = patch_tiles(project, [first, second, third])
    assert tiles[first.patch_id].word == "no\nthumbnail"
    assert tiles[second.patch_id].word == "damaged\nthumbnail"
    assert tiles[third.patch_id].word == "outside\nthe image"
    figure = draw(project, "concept", 175, concept=1)
    assert "no\nthumbnail" in {text.get_text() for text in texts(figure)}


def test_regions_of_the_paper():
    similarity = np.array([0.1, 0.9, 0.1, 0.9, np.nan, 0.1])
    importance = np.array([0.1, 0.9, 0.9, 0.1, 0.9, np.nan])
    assert list(regions(similarity, importance, 0.5, 0.3)) == [1, 2, 3, 0, 0, 0]


def test_density_is_highest_in_the_crowd():
    random = np.random.default_rng(0)
    crowd, alone = random.normal(0, 0.01, (200, 2)), np.array([[1.0, 1.0]])
    x, y = np.concatenate([crowd, alone]).T
    density = point_density(x, y)
    assert density.max() == 1
    assert density[-1] == density.min() < 0.1
    assert np.array_equal(point_density(np.zeros(3), np.zeros(3)), np.ones(3))
    assert len(point_density(np.zeros(0), np.zeros(0))) == 0


def test_telling_concepts_are_important_and_unlike(made_up):
    project = made_up.project
    with project.transaction() as connection:
        connection.execute("UPDATE concept SET importance = 0.9 WHERE id IN (3, 9)")
        connection.execute("UPDATE concept SET importance = 0.2 WHERE id NOT IN (3, 9)")
        connection.execute("UPDATE concept_similarity SET cmcs_pearson = 0.8")
        connection.execute(
            "UPDATE concept_similarity SET cmcs_pearson = 0.1 WHERE (side, class, concept) ="
            " (SELECT side, class, concept FROM concept WHERE id = 9)"
        )
    data = concept_points(project, made_up.concepts_run)
    assert telling_concepts(data, 2) == [9, 3]
    side = str(data.side[data.concept_id == 9][0])
    assert telling_concepts(data, 1, side) == [9]
    prepared = prepare_figure(project, "concept")
    assert prepared.data.concept_id == 9


def test_layer_names_are_shortened_from_the_left_and_differ():
    names = [f"features.stage.{i}.block.activation" for i in range(3)]
    assert layer_labels(names, 12) == tuple(f"…{i}.block.activation" for i in range(3))
    assert layer_labels(["short", "names"], 12) == ("short", "names")
    assert layer_labels(["twin", "twin"], 3) == ("…in", "…in")


def test_words_of_numbers_and_names():
    assert interval(0.834, 0.779, 0.871) == "0.83 [0.78, 0.87]"
    assert number(-0.001) == "0.00"
    assert number(-0.25) == "−0.25"
    assert number(float("nan")) == "none"
    assert decimals_for(9.7) == 1
    assert decimals_for(0.0123) == 3
    assert plain("a\n\tb\x00c") == "a b c"
    assert label("$x$") == r"\$x\$"


def test_global_settings_are_left_alone(made_up):
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw(made_up.project, "layers", 85)
    assert dict(matplotlib.rcParams) == before
