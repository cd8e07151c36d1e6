"""Saliency maps, curves and numbers of faithfulness as figures and views get them."""

from __future__ import annotations

import io
import itertools
import json

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from analysis.errors import AuditError
from analysis.faithfulness import steps
from analysis.figures import saliency_readers as readers
from analysis.figures import saliency_steps
from analysis.figures.saliency_data import Cell
from analysis.figures.saliency_words import method_infos, method_title, metric_infos
from tests.figures.made_saliency import (
    CNN,
    FRAME,
    METHODS,
    METRICS,
    STEPS,
    VIT,
    add_saliency,
    codes,
    curve,
    value,
)

_GRADCAM = Cell(1, CNN, "gradcam")


def _change(project, statement: str, values: tuple = ()) -> None:
    with project.transaction() as connection:
        connection.execute(statement, values)


def _parameters(project, run: int, **changes) -> None:
    old = json.loads(project.value("SELECT parameters FROM run WHERE id = ?", (run,)))
    _change(project, "UPDATE run SET parameters = ?", (json.dumps({**old, **changes}),))


def test_the_index_lays_out_images_models_and_methods(explained):
    index = readers.saliency_index(*explained)
    assert index.models == (CNN, VIT)
    assert [method.label for method in index.methods] == [
        *("gradcam", "scorecam", "attention", "rollout(first=3,last=5)", "random", "sobel")
    ]
    assert [method.kind for method in index.methods[-2:]] == ["null", "null"]
    assert index.methods[3].title == "Rollout 3–5"
    assert index.images.tolist() == [1, 2, 3, 4, 5, 6]
    assert index.image_names[0] == "bird/0.jpg"
    assert set(index.image_labels) == {"bird"}
    for image, model, method in itertools.product(range(6), (CNN, VIT), range(6)):
        there = index.methods[method].label in METHODS[model]
        assert index.available[image, index.models.index(model), method] == there
    assert index.layers[VIT, "attention"] == "blocks.1.norm1"
    assert index.layers[CNN, "random"] == ""
    assert (CNN, "attention") not in index.layers
    assert index.depth_models == (VIT,)
    assert index.steps == STEPS
    with pytest.raises(ValueError, match="read-only"):
        index.available[0] = True


def test_images_are_in_order_of_label_and_path(explained):
    project, run = explained
    _change(project, "UPDATE image SET label = 'ant' WHERE id = 5")
    _change(project, "UPDATE image SET path = 'a/0.jpg' WHERE id = 3")
    _change(project, "UPDATE image SET label = NULL WHERE id = 2")
    index = readers.saliency_index(project, run)
    assert index.images.tolist() == [2, 5, 3, 1, 4, 6]
    assert index.image_labels[:3] == ("", "ant", "bird")


def test_the_settings_say_class_frame_steps_and_baselines(explained):
    project, run = explained
    said = dict(readers.saliency_index(project, run).settings)
    assert said["Explained class"] == "the predicted class"
    assert said["Square"] == "central 32 × 32 pixels of a shorter side of 36"
    assert said["Insertion starts from"] == "the blurred image (11 × 11, σ 5)"
    assert said["Deletion ends in"] == "mean grey"
    assert said["Masked image"] == "map × image on black"
    assert "Average drop and increase of" not in said
    _parameters(project, run, preset="thesis", target="finch", mask="", steps=28)
    said = dict(readers.saliency_index(project, run).settings)
    assert said["Explained class"] == "“finch”"
    assert said["Object of localisation"] == "not measured"
    assert said["Average drop and increase of"] == "the label's class"
    assert said["Steps"].startswith("28 ")


def test_what_could_not_be_explained_is_told_once_with_its_reason(explained):
    project, run = explained
    project.commit_unit(
        run, "more", {}, {},
        [(f"{VIT}: TIBAV", "A gate has no rule."), (CNN, "Gone."),
         ("bird/0.jpg", "Damaged."), (f"{CNN}: finch", "The model has no such class.")],
    )  # fmt: skip
    assert set(readers.saliency_index(project, run).refused) == {
        (CNN, "Rollout", "There is no class token."),
        (VIT, "TIBAV", "A gate has no rule."),
        (CNN, "", "Gone."),
    }


def test_maps_come_in_the_methods_own_units(explained):
    project, run = explained
    cells = [_GRADCAM, Cell(2, VIT, "attention"), Cell(2, CNN, "attention"), _GRADCAM]
    maps = readers.saliency_maps(project, run, cells)
    assert list(maps) == cells[:2]
    for cell, side in ((cells[0], 7), (cells[1], 14)):
        expected = codes(*cell, side, side) * 0.02 - 1.0
        np.testing.assert_allclose(maps[cell].values, expected, atol=1e-6)
        assert maps[cell].values.dtype == np.float32
        assert maps[cell].cell == cell
    whole = np.array([[0, 0, FRAME.crop, FRAME.crop]])
    assert maps[_GRADCAM].region == tuple(FRAME.to_original(whole, 40, 40)[0])
    assert (maps[_GRADCAM].class_name, maps[_GRADCAM].score) == ("finch", 0.91)
    assert maps[cells[1]].class_name == ""
    assert maps[_GRADCAM].layer == "blocks.0.norm1"
    with pytest.raises(ValueError, match="read-only"):
        maps[_GRADCAM].values[0] = 1


def test_many_maps_take_few_questions_and_none_reads_the_whole_table(explained, monkeypatch):
    project, run = explained
    index = readers.saliency_index(project, run)
    cells = [
        Cell(image, model, method.label)
        for image in index.images.tolist()
        for model in index.models
        for method in index.methods
    ]
    asked = []
    rows = project.rows
    monkeypatch.setattr(project, "rows", lambda sql, *rest: asked.append((sql, *rest)) or rows(
        sql, *rest))  # fmt: skip
    maps = readers.saliency_maps(project, run, cells[:200])
    assert set(maps) == {cell for cell in cells[:200] if cell.method in METHODS[cell.model]}
    assert len(asked) == 1
    plan = [row["detail"] for row in rows(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1])]
    assert any("SEARCH saliency USING INDEX" in step for step in plan)
    assert not any("SCAN saliency" in step for step in plan)


@pytest.mark.parametrize(
    "change",
    [
        "map = x'0102'",
        "rows = 70, columns = 7",
        "rows = -7, columns = -7",
        "rows = 9223372036854775807",
        "scale = 9e999",
        "scale = 1e308",
        "offset = -9e999",
        "width = 0",
        "x = 9223372036854775807",
    ],
)
def test_a_damaged_map_is_an_error_with_a_hint(explained, change):
    project, run = explained
    _change(project, f"UPDATE saliency SET {change} WHERE image = 1 AND model = ?", (CNN,))
    with pytest.raises(AuditError, match="is not usable") as caught:
        readers.saliency_maps(project, run, [_GRADCAM])
    assert "parallax info" in caught.value.hint
    assert len(readers.saliency_maps(project, run, [Cell(2, CNN, "gradcam")])) == 1


def test_numbers_that_are_none_become_nan(explained):
    project, run = explained
    _change(project, "UPDATE saliency SET score = 9e999, tied = NULL, class = NULL, note = NULL")
    shown = readers.saliency_maps(project, run, [_GRADCAM])[_GRADCAM]
    assert np.isnan(shown.score)
    assert np.isnan(shown.tied)
    assert (shown.class_name, shown.note) == ("", "")


def test_attention_of_every_layer_and_head(explained):
    project, run = explained
    depth = readers.attention_depth(project, run, 2, VIT)
    assert depth.values.shape == (3, 4, 6, 6)
    assert depth.layers == ("blocks.0.attn", "blocks.1.attn", "blocks.2.attn")
    expected = codes(2 + 1, "33" + "3", "attention", 6, 6) / 255
    np.testing.assert_allclose(depth.values[1, 3], expected, atol=1e-6)
    assert depth.region == (2, 2, 36, 36)
    assert readers.attention_depth(project, run, 2, CNN) is None
    assert readers.attention_depth(project, run, 99, VIT) is None
    assert readers.attention_depth(project, run, 2, "nobody") is None
    _change(project, "DELETE FROM saliency")
    assert readers.attention_depth(project, run, 2, VIT).region == (2, 2, 36, 36)
    _change(project, "UPDATE array SET name = 'other' WHERE name LIKE '%/layers'")
    assert readers.attention_depth(project, run, 2, VIT).layers[0] == "layer 1"


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3, 4, 4)), np.zeros((0, 3, 4, 4), np.uint8)],
)
def test_damaged_attention_is_an_error(explained, array):
    project, run = explained
    with project.transaction() as connection:
        connection.execute("DELETE FROM array WHERE name = 'attention/1/2'")
        project.write_array(connection, run, "attention/1/2", array)
    with pytest.raises(AuditError, match="not usable"):
        readers.attention_depth(project, run, 2, VIT)


@pytest.mark.parametrize("names", [b"[1, 2, 3]", b"{}", b"[[[[", b"\xff", b'["one"]'])
def test_unreadable_names_of_layers_become_numbers(explained, names):
    project, run = explained
    with project.transaction() as connection:
        connection.execute("DELETE FROM array WHERE name = 'attention/1/layers'")
        project.write_array(connection, run, "attention/1/layers", np.frombuffer(names, np.uint8))
    layers = readers.attention_depth(project, run, 2, VIT).layers
    assert layers == ("layer 1", "layer 2", "layer 3")


def test_the_summary_has_means_intervals_and_ties(explained):
    data = readers.faithfulness_summary(*explained)
    assert [metric.key for metric in data.metrics] == list(METRICS)
    assert [metric.better for metric in data.metrics] == [
        *("lower", "higher", "higher", "lower", "higher")
    ]
    assert f"in {STEPS} steps" in data.metrics[2].description
    assert "blurred" in data.metrics[2].description
    place = {method.label: k for k, method in enumerate(data.methods)}
    for i, metric in enumerate(METRICS):
        for j, model in enumerate((CNN, VIT)):
            for method in METHODS[model]:
                values = [value(metric, method, image) for image in range(1, 7)]
                known = [one for one in values if one is not None]
                at = (i, j, place[method])
                assert data.mean[at] == pytest.approx(np.mean(known))
                assert data.n[at] == len(known)
                assert data.ci_low[at] <= data.mean[at] <= data.ci_high[at]
    assert np.isnan(data.mean[:, 0, place["attention"]]).all()
    assert data.tied[0, place["scorecam"]] == 0.25
    assert np.isnan(data.tied[1, place["scorecam"]])


def _brute_verdicts(project, run, data):
    """`best` and `level` from the rows of the table, pair by pair."""
    rows = project.rows("SELECT * FROM faithfulness_comparison WHERE run = ?", (run,))
    best, level = np.zeros_like(data.best), np.zeros_like(data.level)
    for i, metric in enumerate(data.metrics):
        for j, model in enumerate(data.models):
            mean = {
                method.label: data.mean[i, j, k]
                for k, method in enumerate(data.methods)
                if np.isfinite(data.mean[i, j, k])
            }
            order = sorted(mean, key=mean.get, reverse=metric.better == "higher")
            told = set()
            for row in rows:
                pair = {row["method_a"], row["method_b"]}
                same = row["metric"] == metric.key and row["model_a"] == row["model_b"] == model
                if same and order[0] in pair and row["p_adjusted"] < 0.05:
                    told |= pair - {order[0]}
            for k, method in enumerate(data.methods):
                if method.label in mean:
                    if len(told) == len(mean) - 1:
                        best[i, j, k] = method.label == order[0]
                    else:
                        level[i, j, k] = method.label not in told
    return best, level


def test_only_what_the_tests_tell_apart_is_best(explained):
    project, run = explained
    data = readers.faithfulness_summary(project, run)
    best, level = _brute_verdicts(project, run, data)
    np.testing.assert_array_equal(data.best, best)
    np.testing.assert_array_equal(data.level, level)
    assert best.any()
    assert level.any()


def test_methods_that_give_the_same_values_are_best_together(explained):
    project, run = explained
    before = readers.faithfulness_summary(project, run)
    assert before.best[3, 0].tolist().count(True) == 1
    pair = "metric = 'deletion' AND model_a = ? AND method_a = 'gradcam' AND method_b = 'scorecam'"
    _change(
        project,
        "UPDATE faithfulness_comparison SET difference = 0, ci_low = 0, ci_high = 0, p = 1,"
        f" p_adjusted = 1 WHERE {pair}",
        (CNN,),
    )
    data = readers.faithfulness_summary(project, run)
    both = [method.label in ("gradcam", "scorecam") for method in data.methods]
    np.testing.assert_array_equal(data.best[3, 0], both)
    assert not data.level[3, 0].any()


def test_a_test_counts_in_either_order_and_only_in_favour(explained):
    project, run = explained
    pair = "metric = 'deletion' AND model_a = ? AND method_a = 'gradcam' AND method_b = 'scorecam'"
    before = readers.faithfulness_summary(project, run)
    assert before.best[3, 0, 0]
    _change(
        project,
        "UPDATE faithfulness_comparison SET method_a = method_b, method_b = method_a,"
        f" difference = -difference WHERE {pair}",
        (CNN,),
    )
    assert readers.faithfulness_summary(project, run).best[3, 0, 0]
    turned = pair.replace("'gradcam'", "''").replace("'scorecam'", "'gradcam'").replace(
        "''", "'scorecam'")  # fmt: skip
    _change(
        project,
        f"UPDATE faithfulness_comparison SET difference = -difference WHERE {turned}",
        (CNN,),
    )
    data = readers.faithfulness_summary(project, run)
    assert not data.best[3, 0].any()
    assert data.level[3, 0].tolist() == [True, True, False, False, False, False]
    _change(project, "UPDATE faithfulness_comparison SET p_adjusted = 0.05")
    data = readers.faithfulness_summary(project, run)
    assert not data.best.any()
    np.testing.assert_array_equal(data.level, np.isfinite(data.mean))
    _change(project, "DELETE FROM faithfulness_comparison")
    data = readers.faithfulness_summary(project, run)
    assert not data.best.any()
    assert not data.level.any()


def test_comparisons_come_as_they_are(explained):
    project, run = explained
    tests = readers.faithfulness_comparisons(project, run)
    rows = project.rows("SELECT * FROM faithfulness_comparison ORDER BY id")
    assert len(tests.metric) == len(rows) == 5 * (6 + 10)
    for name in ("metric", "model_a", "method_a", "model_b", "method_b"):
        assert getattr(tests, name).tolist() == [row[name] for row in rows]
    for name in ("difference", "ci_low", "ci_high", "p", "p_adjusted", "n"):
        assert getattr(tests, name).tolist() == [row[name] for row in rows]
    _change(project, "UPDATE faithfulness_comparison SET p = NULL, difference = 9e999, n = NULL")
    tests = readers.faithfulness_comparisons(project, run)
    assert np.isnan(tests.p).all()
    assert np.isnan(tests.difference).all()
    assert set(tests.n.tolist()) == {0}


def test_curves_of_cells_and_their_means(explained):
    project, run = explained
    cells = [_GRADCAM, Cell(2, CNN, "gradcam"), Cell(1, VIT, "attention"), Cell(9, CNN, "gradcam")]
    found = readers.saliency_curves(project, run, cells)
    assert [(one.cell, one.kind) for one in found.curves] == [
        (cell, kind) for cell in cells[:3] for kind in ("insertion", "deletion")
    ]
    for one in found.curves:
        expected = curve(one.kind, one.cell.method, one.cell.image)
        np.testing.assert_allclose(one.scores, expected, atol=1e-12)
        np.testing.assert_allclose(one.fraction, np.arange(STEPS + 1) / STEPS)
        assert one.auc == pytest.approx(np.trapezoid(expected, dx=1 / STEPS))
    assert [(mean.model, mean.method, mean.kind) for mean in found.means] == [
        (model, method, kind)
        for model, method in ((CNN, "gradcam"), (VIT, "attention"))
        for kind in ("insertion", "deletion")
    ]
    for mean in found.means:
        values = np.array([curve(mean.kind, mean.method, image) for image in range(1, 7)])
        np.testing.assert_allclose(mean.mean, values.mean(0), atol=1e-12)
        assert mean.n == 6
        assert mean.auc == pytest.approx(np.trapezoid(values.mean(0), dx=1 / STEPS))
        spread = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile",
                                 rng=np.random.default_rng(1))  # fmt: skip
        width = (spread.confidence_interval.high - spread.confidence_interval.low).max()
        np.testing.assert_allclose(mean.low, spread.confidence_interval.low, atol=0.1 * width)
        np.testing.assert_allclose(mean.high, spread.confidence_interval.high, atol=0.1 * width)


def test_the_mean_of_one_image_has_no_interval_and_equal_files_equal_ones(explained):
    project, run = explained
    first, second = (readers.saliency_curves(project, run, [_GRADCAM]).means[0] for _ in "ab")
    np.testing.assert_array_equal(first.low, second.low)
    _change(project, "DELETE FROM curve WHERE image > 1")
    mean = readers.saliency_curves(project, run, [_GRADCAM]).means[0]
    assert mean.n == 1
    assert np.isnan(mean.low).all()


@pytest.mark.parametrize(
    "scores",
    [
        "", "null", "{}", "[]", "[0.5]", "[0.5, null]", "[0.5, true]", '[0.5, "1"]',
        "[NaN, 0.5]", "[0.5, Infinity]", "[0.5, 1e999]", "[" * 100_000, "[1, [2]]",
        f"[1, {'9' * 400}]", f"[1, {'9' * 5000}]",
    ],
)  # fmt: skip
def test_scores_that_are_no_numbers_are_left_out(explained, scores):
    project, run = explained
    _change(project, "UPDATE curve SET scores = ? WHERE image = 1", (scores,))
    found = readers.saliency_curves(project, run, [_GRADCAM, Cell(2, CNN, "gradcam")])
    assert {one.cell.image for one in found.curves} == {2}
    assert {mean.n for mean in found.means} == {5}


def test_very_long_and_odd_curves(explained):
    project, run = explained
    _change(
        project, "UPDATE curve SET scores = ? WHERE image = 1", ("[" + "0.5," * 600_000 + "1]",)
    )
    assert readers.saliency_curves(project, run, [_GRADCAM]).curves == ()
    _change(project, "UPDATE curve SET scores = '[0.1, 0.2]' WHERE image = 2")
    assert readers.saliency_curves(project, run, [_GRADCAM]).means[0].n == 4
    long = json.dumps(np.linspace(0, 1, 5001).tolist())
    _change(project, "UPDATE curve SET scores = ?", (long,))
    found = readers.saliency_curves(project, run, [_GRADCAM])
    assert len(found.curves[0].scores) == 5001
    assert len(found.means[0].mean) == 1001
    np.testing.assert_allclose(found.means[0].mean, found.means[0].fraction, atol=1e-12)
    assert found.means[0].auc == pytest.approx(0.5)


def _picture(tmp_path, project) -> np.ndarray:
    """The file of image 1 beside the project: noise, 40 × 40."""
    pixels = np.random.default_rng(5).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    file = tmp_path / "bird" / "0.png"
    file.parent.mkdir()
    Image.fromarray(pixels).save(file)
    _change(project, "UPDATE image_set SET source = ?", (str(tmp_path),))
    _change(project, "UPDATE image SET path = 'bird/0.png', size_bytes = ? WHERE id = 1",
            (file.stat().st_size,))  # fmt: skip
    return FRAME.apply(Image.fromarray(pixels))


def test_a_step_is_the_image_as_it_was_measured(explained, tmp_path):
    project, run = explained
    pixels = _picture(tmp_path, project)
    values = readers.saliency_maps(project, run, [_GRADCAM])[_GRADCAM].values
    for kind, step in (("insertion", 3), ("deletion", 5), ("insertion", 0)):
        shown = readers.step_picture(project, run, _GRADCAM, kind, step)
        expected = steps.step_picture(pixels, values, kind, step, STEPS)
        np.testing.assert_array_equal(shown.pixels, expected)
        assert (shown.cell, shown.kind, shown.step) == (_GRADCAM, kind, step)
    for kind, step in (("insertion", STEPS), ("deletion", 0)):
        shown = readers.step_picture(project, run, _GRADCAM, kind, step)
        np.testing.assert_array_equal(shown.pixels, pixels)


def test_dragging_along_a_curve_reads_the_image_once(explained, tmp_path, monkeypatch):
    project, run = explained
    _picture(tmp_path, project)
    read = []
    decode = saliency_steps.decode_image
    monkeypatch.setattr(saliency_steps, "decode_image", lambda file: read.append(file) or decode(
        file))  # fmt: skip
    for step in range(STEPS + 1):
        readers.step_picture(project, run, _GRADCAM, "deletion", step)
    assert len(read) == 1


@pytest.mark.parametrize("lost", ["nothing", "file", "size", "content"])
def test_without_its_file_a_step_is_shown_on_the_thumbnail(explained, tmp_path, lost):
    project, run = explained
    whole = _picture(tmp_path, project)
    file = tmp_path / "bird" / "0.png"
    if lost == "file":
        file.unlink()
    elif lost == "size":
        other = io.BytesIO()
        Image.new("RGB", (10, 90)).save(other, "PNG")
        file.write_bytes(other.getvalue())
        _change(project, "UPDATE image SET size_bytes = ?", (file.stat().st_size,))
    elif lost == "content":
        file.write_bytes(bytes(file.stat().st_size))
    shown = readers.step_picture(project, run, _GRADCAM, "deletion", 0).pixels
    assert shown.shape == (FRAME.crop, FRAME.crop, 3)
    if lost == "nothing":
        np.testing.assert_array_equal(shown, whole)
    else:
        assert shown[2, 2].tolist() == [255, 0, 0]  # the thumbnail's quarters
        assert shown[-3, -3].tolist() == [255, 255, 255]
        _change(project, "DELETE FROM thumbnail")
        with pytest.raises(AuditError, match="no picture of image 1") as caught:
            readers.step_picture(project, run, _GRADCAM, "deletion", 0)
        assert caught.value.hint


def test_steps_that_do_not_exist(explained):
    project, run = explained
    for cell, kind, step, words in (
        (_GRADCAM, "deletion", STEPS + 1, f"no step {STEPS + 1} of {STEPS}"),
        (_GRADCAM, "deletion", -1, "no step"),
        (_GRADCAM, "sideways", 1, "no sideways"),
        (Cell(1, CNN, "attention"), "deletion", 1, "no deletion of attention"),
    ):
        with pytest.raises(AuditError, match=words) as caught:
            readers.step_picture(project, run, cell, kind, step)
        assert caught.value.hint


def test_a_huge_frame_is_shown_smaller(explained):
    project, run = explained
    _parameters(project, run, resize=4096, frame=4096)
    shown = readers.step_picture(project, run, _GRADCAM, "insertion", 4)
    assert shown.pixels.shape == (1024, 1024, 3)


def test_the_newest_run_with_all_models_is_found(explained):
    project, run = explained
    assert readers.find_saliency(project, 1, (CNN, VIT)) == run
    newer = add_saliency(project, models=(CNN, VIT), methods={CNN: ["gradcam"], VIT: []}, images=2)
    assert readers.find_saliency(project, 1, (CNN,)) == newer
    assert readers.find_saliency(project, 1, (VIT, CNN, VIT)) == run
    assert readers.find_saliency(project, 1) == newer
    assert readers.find_saliency(project, 3) == run
    assert readers.find_saliency(project, 1, ("nobody",)) is None
    assert readers.find_saliency(project, 99) is None


def test_an_empty_run_is_empty_and_an_unknown_one_an_error(explained):
    project, _ = explained
    run = project.add_run("saliency", "empty", {}, models=(CNN,), image_set=1)
    index = readers.saliency_index(project, run)
    assert index.available.shape == (0, 0, 0)
    assert index.steps == 0
    assert readers.faithfulness_summary(project, run).mean.shape == (0, 0, 0)
    assert len(readers.faithfulness_comparisons(project, run).p) == 0
    assert readers.saliency_curves(project, run, [_GRADCAM]).means == ()
    assert readers.saliency_maps(project, run, [_GRADCAM]) == {}
    assert readers.saliency_maps(project, run, []) == {}
    for read in (
        lambda: readers.saliency_index(project, 99),
        lambda: readers.saliency_maps(project, 99, []),
        lambda: readers.faithfulness_summary(project, 99),
        lambda: readers.faithfulness_comparisons(project, 99),
        lambda: readers.saliency_curves(project, 99, []),
        lambda: readers.attention_depth(project, 99, 1, VIT),
        lambda: readers.step_picture(project, 99, _GRADCAM, "deletion", 0),
    ):
        with pytest.raises(AuditError, match="no run 99"):
            read()


@pytest.mark.parametrize(
    "parameters",
    [
        "[]", "7", '"x"', '{"steps": 1e300, "frame": [], "resize": {}, "seed": -1, "preset": 5}',
        '{"steps": "x", "preset": "no such", "target": 3, "mask": [], "replicates": NaN}',
        '{"frame": 1e9, "resize": 1e9, "steps": -3, "head": null, "layer": 9}',
    ],
)  # fmt: skip
def test_parameters_that_mean_nothing_are_passed_over(explained, parameters):
    project, run = explained
    _change(project, "UPDATE run SET parameters = ?", (parameters,))
    index = readers.saliency_index(project, run)
    assert index.steps == 0
    assert all(text for _, text in index.settings)
    assert len(readers.faithfulness_summary(project, run).metrics) == len(METRICS)
    assert len(readers.saliency_curves(project, run, [_GRADCAM]).means) == 2
    assert readers.step_picture(project, run, _GRADCAM, "deletion", 1).pixels.shape[2] == 3


def test_unknown_methods_and_metrics_keep_their_names(explained):
    project, run = explained
    odd = "rollout(first=9,last=2)"
    _change(project, "UPDATE saliency SET method = ? WHERE method = 'scorecam'", (odd,))
    _change(project, "UPDATE faithfulness_summary SET metric = 'charm' WHERE metric = 'deletion'")
    index = readers.saliency_index(project, run)
    assert (index.methods[-1].title, index.methods[-1].kind) == (odd, "")
    data = readers.faithfulness_summary(project, run)
    assert (data.metrics[-1].key, data.metrics[-1].better) == ("charm", "")
    assert not data.best[-1].any()


def test_methods_and_metrics_have_their_order():
    labels = [
        "sobel",
        "rollout",
        "attention(layer=2)",
        "attention",
        "odd one",
        "raw-pow(power=0.3)",
    ]
    assert [one.label for one in method_infos(labels)] == [
        *("attention", "attention(layer=2)", "raw-pow(power=0.3)", "rollout", "sobel", "odd one")
    ]
    keys = ["randomisation", "odd", "deletion", "average-drop"]
    assert [one.key for one in metric_infos(keys, None)] == [
        *("average-drop", "deletion", "randomisation", "odd")
    ]
    assert method_title("Rollout 3–5") == "Rollout 3–5"
    assert method_title("rollout(first=3,last=5)") == "Rollout 3–5"
    assert method_title("finch") is None
