"""The figures of dissection, embedding and evaluation, as files and as drawings."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures import style
from analysis.figures.definitions_embedding import EMBEDDING_FIGURES
from analysis.figures.definitions_evaluation import EVALUATION_FIGURES
from analysis.figures.definitions_units import UNIT_FIGURES
from analysis.figures.embedding_data import shown_components
from analysis.figures.embedding_readers import embedding_loadings, performance_table
from analysis.figures.export import FIGURES, export_figure
from analysis.figures.render_components import top_loadings
from analysis.figures.render_embedding import ellipse_axes
from analysis.figures.render_units import masked_pixels
from analysis.figures.run_results import latest_run
from analysis.project.schema import RESULT_TABLES
from tests.figures.drawn import assert_whole, draw, figure_table, texts
from tests.figures.made_audits import MODELS, TASKS, UNITS, add_embedding
from tests.figures.written import (
    checked_provenance,
    checked_table_provenance,
    each_in_every_format,
    each_in_every_width,
)

_DEFINITIONS = (*UNIT_FIGURES, *EMBEDDING_FIGURES, *EVALUATION_FIGURES)
_FIGURES = [definition.name for definition in _DEFINITIONS]
_LONG = (
    "EfficientNet-Lite0, untrained and drawn from a seed",
    "vit_small_patch16_224.augreg_in21k_ft_in1k",
    "$\\frac{x$ <b>" + "M" * 80,
)


def _check_provenance(provenance: dict, name: str, audited) -> None:
    audit = FIGURES[name].audit
    assert provenance["figure"] == name
    assert provenance["run"] == audited.run_of(audit)
    assert provenance["seed"] == 7
    assert [model["name"] for model in provenance["models"]] == list(MODELS)
    assert {model["side"] for model in provenance["models"]} == {None}
    assert provenance["images"]["count"] == 18
    assert "someone" not in json.dumps(provenance)


@pytest.mark.parametrize(("name", "format"), each_in_every_format(_FIGURES))
def test_each_figure_becomes_every_kind_of_file(audited, tmp_path, name, format):
    out = export_figure(audited.project, name, tmp_path / f"f.{format}", width_mm=85, dpi=60)
    _check_provenance(checked_provenance(out, 85, 60), name, audited)


@pytest.mark.parametrize("name", _FIGURES)
def test_each_table_becomes_csv_and_json(audited, tmp_path, name):
    _check_provenance(checked_table_provenance(audited.project, name, tmp_path), name, audited)


@pytest.mark.parametrize("name", ["embedding", pytest.param("ensembles", marks=pytest.mark.slow)])
def test_equal_projects_give_equal_bytes(audited, tmp_path, name):
    first, second = (
        export_figure(audited.project, name, tmp_path / f"{n}.svg").read_bytes() for n in "ab"
    )
    assert first == second


@pytest.mark.parametrize("name", _FIGURES)
def test_an_empty_run_is_an_error_with_a_hint(audited, tmp_path, name):
    with audited.project.transaction() as connection:
        for table in RESULT_TABLES:
            connection.execute(f"DELETE FROM {table}")
    for run in (None, audited.run_of(FIGURES[name].audit)):
        with pytest.raises(AuditError, match=r"no results|has results of") as caught:
            export_figure(audited.project, name, tmp_path / "a.svg", run=run)
        assert "parallax run FILE" in caught.value.hint
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(_FIGURES))
def test_nothing_is_cut_off(audited, name, width_mm):
    figure = draw(audited.project, name, width_mm)
    assert figure.get_figwidth() * 25.4 == pytest.approx(width_mm)
    assert_whole(figure)


@pytest.mark.parametrize("name", _FIGURES)
def test_few_models_of_long_names_draw(make_audited, name):
    made = make_audited(_LONG)
    with made.project.transaction() as connection:
        for table in ("unit", "unit_candidate", "loading"):
            connection.execute(f"UPDATE {table} SET concept = concept || ?", ("$ wheel" * 12,))
        for table in ("performance", "ensemble", "performance_correlation"):
            connection.execute(f"UPDATE {table} SET task = task || ?", (" of a long name" * 8,))
        for task in TASKS:
            longer = (" of a long name" * 8, f"models/%/{task}")
            connection.execute("UPDATE array SET name = name || ? WHERE name LIKE ?", longer)
        connection.execute("UPDATE unit SET category = ? WHERE category = 'color'", (_LONG[2],))
    assert_whole(draw(made.project, name, 85, dpi=60))


@pytest.mark.parametrize("name", _FIGURES)
def test_missing_numbers_draw(audited, name):
    with audited.project.transaction() as connection:
        connection.execute("UPDATE unit SET null_iou = NULL, p = NULL")
        connection.execute("UPDATE embedding SET se1 = NULL WHERE id % 2")
        connection.execute('UPDATE embedding SET se2 = NULL, "group" = NULL')
        connection.execute("UPDATE component SET null_95 = NULL")
        connection.execute("UPDATE loading SET loading = NULL WHERE id % 2")
        connection.execute("UPDATE group_choice SET silhouette = NULL")
        connection.execute("UPDATE profile_correlation SET p_adjusted = NULL, r = NULL")
        connection.execute("UPDATE ensemble SET ci_low = NULL, ci_high = NULL, gain = NULL")
        connection.execute("UPDATE stability SET agreement = NULL")
        connection.execute("DELETE FROM thumbnail")
        connection.execute("DELETE FROM array WHERE name NOT LIKE 'models/%'")
    assert_whole(draw(audited.project, name, 175))


def test_the_newest_run_that_has_what_the_figure_shows_is_taken(audited, tmp_path):
    project = audited.project
    assert latest_run(project, "evaluation") == audited.imported_evaluation
    _, rows = figure_table(project, "ensembles")
    assert {row[0] for row in rows} == {TASKS[0]}
    bare = add_embedding(project, MODELS[:3], performance=False)
    assert len(figure_table(project, "embedding")[1]) == 3
    assert len(figure_table(project, "performance-correlation")[1]) == 9
    with pytest.raises(AuditError, match="correlations with performance"):
        export_figure(project, "performance-correlation", tmp_path / "a.svg", run=bare)
    with project.transaction() as connection:
        connection.execute("DELETE FROM ensemble")
    with pytest.raises(AuditError, match="ensembles could show"):
        export_figure(project, "ensembles", tmp_path / "a.svg")
    with pytest.raises(AuditError, match="no results of ensembles") as caught:
        export_figure(project, "ensembles", tmp_path / "a.svg", run=audited.imported_evaluation)
    assert "Imported performance has none" in caught.value.hint


def test_what_cannot_be_shown_says_why(audited, tmp_path):
    project = audited.project
    one = add_embedding(project, MODELS[:2], components=1, sources=[audited.dissection])
    add_embedding(project, MODELS[:3], sources=[audited.dissection])  # the newest
    cases = [
        ("embedding", {"run": one, "component_y": 3}, "no component 3"),
        ("embedding", {"run": one, "task": TASKS[0]}, "no component 2"),
        ("performance-map", {"run": one}, "no component 2"),
        ("embedding", {"task": "juggling"}, "juggling"),
        ("embedding", {"component_x": 4}, "component_x"),
        ("embedding", {"run": audited.dissection}, "audit dissection"),
        ("performance-map", {"component_y": 1}, "two different"),
        ("concept-counts", {"concept": "unicorn"}, "unicorn"),
        ("concept-counts", {"run": one, "component": 2}, "no component 2"),
        ("profiles", {"models": "ViT-S, nobody"}, "nobody"),
        ("profiles", {"run": audited.evaluation}, "audit evaluation"),
        ("units", {"model": "nobody"}, "nobody"),
        ("units", {"concept": "unicorn"}, "fits this choice"),
        ("units", {"units": 0}, "units"),
        ("threshold-sweep", {"quantile": 0.3}, "quantile 0.3"),
        ("ensembles", {"task": "juggling"}, "juggling"),
    ]
    for name, options, words in cases:
        with pytest.raises(AuditError, match=re.escape(words)) as caught:
            export_figure(project, name, tmp_path / "a.svg", **options)
        assert caught.value.hint, name
    assert not list(tmp_path.glob("a.*"))


def test_models_of_one_component_lie_along_one_axis(audited):
    one = add_embedding(audited.project, MODELS[:2], components=1, sources=[audited.dissection])
    figure = draw(audited.project, "embedding", 85, run=one)
    assert_whole(figure)
    (axes,) = figure.axes
    assert axes.get_xlabel().startswith("component 1")
    assert axes.get_ylabel() == "no second component"
    assert len(axes.get_yticks()) == 0
    (row, other) = figure_table(audited.project, "embedding", run=one)[1]
    assert len(row) == len(other) == 5  # what there is, and nothing made up


@pytest.mark.parametrize(
    ("wanted", "available", "shown"),
    [
        ((1, 2), 3, (1, 2)),
        ((2, 3), 3, (2, 3)),
        ((1, 3), 2, (1, 2)),
        ((3, 1), 2, (2, 1)),
        ((3, 2), 2, (1, 2)),
        ((2, 2), 3, (2, 1)),
        ((2, 3), 1, (2, 1)),
        ((9, -1), 0, (1, 2)),
    ],
)
def test_axes_fall_back_to_components_that_exist(wanted, available, shown):
    assert shown_components(wanted, available) == shown


def test_profiles_of_an_embedding_can_be_asked_for(audited):
    columns, rows = figure_table(audited.project, "profiles", run=audited.embedding)
    assert {row[columns.index("model")] for row in rows} == set(MODELS)
    _, few = figure_table(audited.project, "profiles", models="ViT-S, BYOL")
    assert {row[0] for row in few} == {"ViT-S", "BYOL"}


def test_units_are_chosen_by_concept_model_and_doubt(audited):
    columns, rows = figure_table(audited.project, "units", units=60, model="ViT-S")
    units = {row[columns.index("unit")] for row in rows}
    assert units == set(range(2, UNITS))
    _, rows = figure_table(audited.project, "units", concept="WHEEL", interpretable="false")
    assert {row[columns.index("concept")] for row in rows} == {"wheel", "Wheelchair"}
    iou = [row[columns.index("iou")] for row in rows]
    assert iou == sorted(iou, reverse=True)


def test_units_of_imported_tables_say_that_there_are_no_images(audited):
    figure = draw(audited.project, "units", 85, run=audited.imported)
    words = " ".join(text.get_text() for text in texts(figure))
    assert words.count("no images") == 2
    assert "chance" not in words


def test_the_scatter_names_groups_and_projected_models(audited):
    figure = draw(audited.project, "embedding", 175)
    words = [text.get_text() for text in texts(figure)]
    assert {*MODELS} <= set(words)
    assert "group A (3)" in words
    assert "B (2)" in words
    assert "only projected (1)" in words
    assert "component 1: 70.0 % of the variance (chance 40.0 %)" in words
    hollow = [c for c in figure.axes[0].collections if (c.get_facecolor() == 1).all()]
    assert len(hollow) == 1


def test_one_unit_is_as_long_along_both_axes(audited):
    for name in ("embedding", "performance-map"):
        figure = draw(audited.project, name, 120)
        axes = figure.axes[0]
        box, x, y = axes.get_window_extent(), axes.get_xlim(), axes.get_ylim()
        assert box.width / np.ptp(x) == pytest.approx(box.height / np.ptp(y), rel=0.02)


def test_an_ellipse_holds_95_per_cent():
    random = np.random.default_rng(0)
    covariance = np.array([[2.0, 0.7], [0.7, 0.5]])
    width, height, angle = ellipse_axes(covariance)
    points = random.multivariate_normal([0, 0], covariance, 20_000)
    turn = np.radians(angle)
    along = points @ np.array([np.cos(turn), np.sin(turn)])
    across = points @ np.array([-np.sin(turn), np.cos(turn)])
    inside = (2 * along / width) ** 2 + (2 * across / height) ** 2 < 1
    assert inside.mean() == pytest.approx(0.95, abs=0.006)


def test_cells_that_do_not_survive_have_no_colour(audited):
    figure = draw(audited.project, "performance-correlation", 175)
    cells = figure.axes[0].collections[0].get_array()
    expected = np.array([[False, False, True], [True] * 3, [True] * 3])  # adjusted p .03, .07, .11
    np.testing.assert_array_equal(np.ma.getmaskarray(cells).reshape(3, 3), expected)
    words = [text.get_text() for text in texts(figure)]
    assert "−0.50  (6)" in words
    assert "not known" in words
    assert any(text.startswith("2 of 6 correlations survive") for text in words)
    figure = draw(audited.project, "performance-correlation", 175, level=0.1)
    cells = figure.axes[0].collections[0].get_array()
    assert (~np.ma.getmaskarray(cells)).sum() == 4


def test_doubtful_gains_are_grey(audited):
    figure = draw(audited.project, "ensembles", 175)
    cells = np.ma.getmaskarray(figure.axes[0].collections[0].get_array()).reshape(6, 6)
    gain = 0.004 * (np.arange(15) - 1)
    doubtful = (gain - 0.01 <= 0) & (gain + 0.01 >= 0)
    assert (~cells).sum() == 2 * (~doubtful).sum()
    words = [text.get_text() for text in texts(figure)]
    assert {"60.0", "63.0", "5.2"} <= set(words)


def test_the_strongest_loadings_are_shown_in_order(audited):
    data = embedding_loadings(audited.project, audited.embedding)
    chosen = top_loadings(data, 2, 3)
    strength = np.abs(data.loadings[1])
    assert set(chosen) == set(np.argsort(-strength)[:3])
    assert (np.diff(data.loadings[1][chosen]) <= 0).all()
    assert len(top_loadings(data, 1, 99)) == len(data.concepts)


def test_concept_counts_choose_the_strongest_concept(audited):
    columns, rows = figure_table(audited.project, "concept-counts", concept="food", component=2)
    data = embedding_loadings(audited.project, audited.embedding)
    food = [c for c, name in enumerate(data.concepts) if name == "food"]
    best = food[int(np.argmax(np.abs(data.loadings[1, food])))]
    assert {row[columns.index("category")] for row in rows} == {data.categories[best]}
    assert len(rows) == 5


def test_pictures_are_dark_where_a_unit_is_not_active():
    pixels = np.full((8, 8, 3), 200, np.uint8)
    mask = np.zeros((4, 4), bool)
    mask[0, 0] = True
    shown = masked_pixels(pixels, mask)
    assert (shown[:2, :2] == 200).all()
    assert (shown[2:] < 80).all()
    assert masked_pixels(pixels, None) is pixels


def test_maps_take_the_first_task_that_has_values(audited):
    table = performance_table(audited.project)
    _, rows = figure_table(audited.project, "performance-map")
    assert {row[0] for row in rows} == {table.tasks[0]}
    with style.journal_style():
        figure = draw(audited.project, "embedding", 175, task="ImageNet")
    assert "ImageNet" in {axes.get_ylabel() for axes in figure.axes}
