"""The figures of saliency maps and faithfulness, as files and as drawings."""

from __future__ import annotations

import json
import re

import matplotlib
import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures.definitions_saliency import SALIENCY_FIGURES
from analysis.figures.export import export_figure, prepare_figure
from analysis.figures.render_saliency import overlay
from analysis.figures.render_saliency_numbers import null_range
from analysis.figures.saliency_readers import faithfulness_summary
from tests.figures.conftest import add_models
from tests.figures.drawn import assert_whole, draw, figure_table, texts
from tests.figures.made_saliency import CNN, METHODS, METRICS, STEPS, VIT, add_saliency, curve
from tests.figures.written import (
    checked_provenance,
    checked_table_provenance,
    each_in_every_format,
    each_in_every_width,
)

_FIGURES = [definition.name for definition in SALIENCY_FIGURES]
_GRIDS = ("methods", "models", "image")
_LONG = (
    "EfficientNet-Lite0, untrained and drawn from a seed",
    "$\\frac{x$ <b>" + "M" * 80,
)
_TABLES = ("saliency", "faithfulness", "faithfulness_summary", "faithfulness_comparison", "curve")


def _words(figure) -> str:
    return " ".join(text.get_text() for text in texts(figure))


def _check_provenance(provenance: dict, name: str) -> None:
    assert provenance["figure"] == name
    assert provenance["audit"] == "saliency"
    assert provenance["run_parameters"]["preset"] == "correct"
    assert [model["name"] for model in provenance["models"]] == [CNN, VIT]
    assert provenance["images"]["count"] == 18
    assert "someone" not in json.dumps(provenance)


@pytest.mark.parametrize(("name", "format"), each_in_every_format(_FIGURES))
def test_each_figure_becomes_every_kind_of_file(explained, tmp_path, name, format):
    out = export_figure(explained[0], name, tmp_path / f"f.{format}", width_mm=85, dpi=60)
    _check_provenance(checked_provenance(out, 85, 60), name)


@pytest.mark.parametrize("name", _FIGURES)
def test_each_table_becomes_csv_and_json(explained, tmp_path, name):
    _check_provenance(checked_table_provenance(explained[0], name, tmp_path), name)


@pytest.mark.parametrize("name", ["faithfulness", pytest.param("saliency", marks=pytest.mark.slow)])
def test_equal_projects_give_equal_bytes(explained, tmp_path, name):
    first, second = (
        export_figure(explained[0], name, tmp_path / f"{n}.svg").read_bytes() for n in "ab"
    )
    assert first == second


@pytest.mark.parametrize(("name", "width_mm"), each_in_every_width(_FIGURES))
def test_nothing_is_cut_off(explained, name, width_mm):
    figure = draw(explained[0], name, width_mm)
    assert figure.get_figwidth() * 25.4 == pytest.approx(width_mm)
    assert_whole(figure)


@pytest.mark.parametrize(("grid", "width_mm"), each_in_every_width(_GRIDS))
def test_every_grid_of_maps_is_whole(explained, grid, width_mm):
    assert_whole(draw(explained[0], "saliency", width_mm, grid=grid))


@pytest.fixture
def long_names(explained):
    project, _ = explained
    add_models(project, _LONG, (("blocks.0",),) * 2)
    add_saliency(
        project,
        models=_LONG,
        methods={_LONG[0]: METHODS[CNN], _LONG[1]: ("raw-pow(power=0.3,layer=7,head=3)", "sobel")},
        images=3,
    )
    with project.transaction() as connection:
        connection.execute("UPDATE image SET label = label || ?", ("$ wheel" * 12,))
        connection.execute("UPDATE saliency SET class = class || ?", (" of a long name" * 8,))
        connection.execute("UPDATE saliency SET layer = layer || ?", (".block" * 20,))
    return project


@pytest.mark.parametrize("name", _FIGURES)
def test_long_names_draw(long_names, name):
    assert_whole(draw(long_names, name, 85, dpi=60))


@pytest.mark.parametrize("grid", _GRIDS[1:])
def test_grids_of_long_names_draw(long_names, grid):
    assert_whole(draw(long_names, "saliency", 85, dpi=60, grid=grid))


@pytest.mark.parametrize("name", _FIGURES)
def test_missing_numbers_draw(explained, name):
    project, _ = explained
    with project.transaction() as connection:
        connection.execute("UPDATE saliency SET score = NULL, tied = NULL, class = NULL")
        connection.execute("UPDATE faithfulness_summary SET ci_low = NULL, n = NULL WHERE id % 2")
        connection.execute("UPDATE faithfulness_summary SET mean = NULL WHERE id % 3 = 0")
        connection.execute("DELETE FROM faithfulness_comparison")
        connection.execute("DELETE FROM curve WHERE image > 1 OR kind = 'deletion'")
        connection.execute("DELETE FROM thumbnail")
    assert_whole(draw(project, name, 175))


@pytest.mark.parametrize("name", _FIGURES)
def test_an_empty_run_is_an_error_with_a_hint(explained, tmp_path, name):
    project, run = explained
    with project.transaction() as connection:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM array")
    for asked in (None, run):
        with pytest.raises(AuditError) as caught:
            export_figure(project, name, tmp_path / "a.svg", run=asked)
        assert caught.value.hint
    assert not (tmp_path / "a.svg").exists()


def test_what_cannot_be_shown_says_why(explained, tmp_path):
    project, _ = explained
    cases = [
        ("saliency", {"models": "nobody"}, "nobody"),
        ("saliency", {"methods": "gradcam, dowsing"}, "dowsing"),
        ("saliency", {"image": 18}, "image 18"),
        ("saliency", {"grid": "sideways"}, "grid"),
        ("saliency", {"grid": "models", "methods": "scorecam", "models": VIT}, "no map"),
        ("faithfulness", {"metrics": "charm"}, "charm"),
        ("faithfulness", {"models": f"{CNN}, nobody"}, "nobody"),
        ("insertion-deletion", {"models": VIT, "methods": "scorecam"}, "no curves"),
        ("attention-depth", {"model": CNN}, CNN),
        ("attention-depth", {"image": 9}, "image 9"),
    ]
    for name, options, words in cases:
        with pytest.raises(AuditError, match=re.escape(words)) as caught:
            export_figure(project, name, tmp_path / "a.svg", **options)
        assert caught.value.hint, name
    assert not list(tmp_path.glob("a.*"))


def test_the_grid_shows_what_was_asked_for(explained):
    project, _ = explained
    grid = prepare_figure(project, "saliency").data
    assert grid.common == CNN
    assert grid.row_titles == ("GradCAM", "Score-CAM", "Random (null)", "Edges (null)")
    assert grid.pictures == (1, 2, 3, 4, 5)
    assert all(cell in grid.maps for line in grid.cells for cell in line)
    grid = prepare_figure(project, "saliency", grid="models").data
    assert (grid.common, grid.row_titles) == ("GradCAM", (CNN, VIT))
    grid = prepare_figure(project, "saliency", grid="models", methods="Raw attention").data
    assert grid.row_titles == (VIT,)
    grid = prepare_figure(
        project, "saliency", grid="image", image=4, methods="sobel, Rollout(first=3,last=5)"
    ).data
    assert grid.column_titles == ("Edges (null)", "Rollout 3–5")
    assert [[cell and cell.model for cell in line] for line in grid.cells] == [
        [CNN, None],
        [VIT, VIT],
    ]
    assert grid.pictures == (4,)
    columns, rows = figure_table(project, "saliency", grid="image", image=4)
    assert len(rows) == 9
    assert {row[columns.index("image")] for row in rows} == {4}


def test_images_are_of_as_many_labels_as_there_are(explained):
    project, _ = explained
    with project.transaction() as connection:
        connection.execute("UPDATE image SET label = 'dog' WHERE id IN (5, 6)")
    grid = prepare_figure(project, "saliency", images=3).data
    assert grid.pictures == (1, 2, 5)
    assert grid.column_titles == ("bird", "bird", "dog")


def test_a_class_is_said_once_where_all_maps_explain_it(explained):
    project, _ = explained
    assert _words(draw(project, "saliency", 175, images=3)).count("finch 0.91") == 3
    with project.transaction() as connection:
        connection.execute("UPDATE saliency SET class = 'dog' WHERE method = 'scorecam'")
    words = _words(draw(project, "saliency", 175, images=3))
    assert (words.count("finch 0.91"), words.count("dog 0.91")) == (3, 3)
    words = _words(draw(project, "saliency", 175, grid="models", images=2))
    assert words.count("finch 0.91") == 4


def test_an_overlay_mixes_picture_and_map():
    colours = matplotlib.colormaps["viridis"]
    pixels = np.full((8, 8, 3), 200, np.uint8)
    values = np.repeat([[-3.0, 5.0]], 2, axis=0)
    painted = overlay(pixels, values, colours, 0.25)
    low, high = (255 * np.array(colours(end)[:3]) for end in (0.0, 1.0))
    np.testing.assert_array_equal(painted[0, 0], np.rint(0.75 * 200 + 0.25 * low))
    np.testing.assert_array_equal(painted[0, -1], np.rint(0.75 * 200 + 0.25 * high))
    np.testing.assert_array_equal(overlay(pixels, values, colours, 0.0), pixels)
    flat = overlay(None, np.full((3, 5), 7.0), colours, 1.0)
    assert (flat == np.rint(low).astype(np.uint8)).all()


def test_the_null_band_holds_every_null_map(explained):
    data = faithfulness_summary(*explained)
    for i in range(len(METRICS)):
        for j in range(2):
            low, high = null_range(data, i, j)
            ends = [(data.ci_low[i, j, k], data.ci_high[i, j, k]) for k in (4, 5)]
            assert (low, high) == (min(a for a, _ in ends), max(b for _, b in ends))
    figure = draw(explained[0], "faithfulness", 175, methods="gradcam,scorecam")
    assert "null maps" not in _words(figure)
    assert "range of null maps" in _words(draw(explained[0], "faithfulness", 175))


def test_faithfulness_shows_the_numbers_asked_for(explained):
    project, run = explained
    columns, rows = figure_table(project, "faithfulness", metrics="deletion", models=CNN)
    assert [row[columns.index("method")] for row in rows] == list(METHODS[CNN])
    data = faithfulness_summary(project, run)
    mean, best = (columns.index(name) for name in ("mean", "best"))
    assert [row[mean] for row in rows] == [
        data.mean[METRICS.index("deletion"), 0, k] for k in (0, 1, 4, 5)
    ]
    assert [row[best] for row in rows] == [True, False, False, False]
    words = _words(draw(project, "faithfulness", 85, metrics="deletion,insertion"))
    assert "lower is better" in words
    assert "best by paired tests" in words
    with project.transaction() as connection:
        connection.execute("UPDATE faithfulness_comparison SET p_adjusted = 1")
    words = _words(draw(project, "faithfulness", 85, metrics="deletion,insertion"))
    assert "best by paired tests" not in words


def test_mean_curves_are_drawn_with_areas_and_grounds(explained):
    project, _ = explained
    figure = draw(project, "insertion-deletion", 175, models=CNN, methods="gradcam,random")
    insertion, deletion = figure.get_axes()
    for axes, kind in ((insertion, "insertion"), (deletion, "deletion")):
        for line, method in zip(axes.get_lines(), ("gradcam", "random"), strict=True):
            expected = np.mean([curve(kind, method, image) for image in range(1, 7)], axis=0)
            np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-12)
            np.testing.assert_allclose(line.get_xdata(), 100 * np.arange(STEPS + 1) / STEPS)
    words = _words(figure)
    assert "from the blurred image" in words
    assert "to mean grey" in words
    assert "mean of 6 images" in words
    columns, rows = figure_table(project, "insertion-deletion", models=CNN, methods="gradcam")
    assert len(rows) == 2 * (STEPS + 1)
    low, mean, high = (columns.index(name) for name in ("ci_low", "mean", "ci_high"))
    assert all(row[low] <= row[mean] + 1e-12 and row[mean] <= row[high] + 1e-12 for row in rows)


def test_depth_shows_a_column_a_head_and_a_row_a_layer(explained):
    project, _ = explained
    figure = draw(project, "attention-depth", 175, image=3)
    words = _words(figure)
    for name in ("head 4", "blocks.0.attn", "blocks.2.attn", "mean", VIT):
        assert name in words
    assert "head 5" not in words
    assert len(figure.get_axes()[0].get_images()) == 3 * 5 + 1
    columns, rows = figure_table(project, "attention-depth", image=3)
    assert len(rows) == 3 * 4 * 6 * 6
    values = [row[columns.index("attention")] for row in rows]
    assert 0 <= min(values) < max(values) <= 1


def test_many_layers_and_heads_fit_on_a_page(explained):
    project, run = explained
    maps = np.random.default_rng(2).integers(0, 256, (24, 16, 5, 5)).astype(np.uint8)
    with project.transaction() as connection:
        connection.execute("DELETE FROM array")
        project.write_array(connection, run, "attention/1/1", maps)
    for width_mm in (85, 175):
        figure = draw(project, "attention-depth", width_mm, dpi=60)
        assert_whole(figure)
        assert figure.get_figheight() * 25.4 < 260
