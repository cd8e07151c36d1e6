"""Saliency maps, curves and numbers of faithfulness as figures and views get them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures import saliency_readers as readers
from analysis.figures.saliency_data import Cell
from analysis.figures.saliency_words import method_infos, method_title, metric_infos
from tests.figures.changing import alter, change_parameters
from tests.figures.made_saliency import (
    CNN,
    FRAME,
    METHODS,
    METRICS,
    STEPS,
    VIT,
    add_saliency,
    codes,
    value,
)

_GRADCAM = Cell(1, CNN, "gradcam")


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
    alter(project, "UPDATE image SET label = 'ant' WHERE id = 5")
    alter(project, "UPDATE image SET path = 'a/0.jpg' WHERE id = 3")
    alter(project, "UPDATE image SET label = NULL WHERE id = 2")
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
    change_parameters(project, run, preset="thesis", target="finch", mask="", steps=28)
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
    alter(project, f"UPDATE saliency SET {change} WHERE image = 1 AND model = ?", (CNN,))
    with pytest.raises(AuditError, match="is not usable") as caught:
        readers.saliency_maps(project, run, [_GRADCAM])
    assert "parallax info" in caught.value.hint
    assert len(readers.saliency_maps(project, run, [Cell(2, CNN, "gradcam")])) == 1


def test_numbers_that_are_none_become_nan(explained):
    project, run = explained
    alter(project, "UPDATE saliency SET score = 9e999, tied = NULL, class = NULL, note = NULL")
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
    alter(project, "DELETE FROM saliency")
    assert readers.attention_depth(project, run, 2, VIT).region == (2, 2, 36, 36)
    alter(project, "UPDATE array SET name = 'other' WHERE name LIKE '%/layers'")
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
    alter(
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
    alter(
        project,
        "UPDATE faithfulness_comparison SET method_a = method_b, method_b = method_a,"
        f" difference = -difference WHERE {pair}",
        (CNN,),
    )
    assert readers.faithfulness_summary(project, run).best[3, 0, 0]
    turned = pair.replace("'gradcam'", "''").replace("'scorecam'", "'gradcam'").replace(
        "''", "'scorecam'")  # fmt: skip
    alter(
        project,
        f"UPDATE faithfulness_comparison SET difference = -difference WHERE {turned}",
        (CNN,),
    )
    data = readers.faithfulness_summary(project, run)
    assert not data.best[3, 0].any()
    assert data.level[3, 0].tolist() == [True, True, False, False, False, False]
    alter(project, "UPDATE faithfulness_comparison SET p_adjusted = 0.05")
    data = readers.faithfulness_summary(project, run)
    assert not data.best.any()
    np.testing.assert_array_equal(data.level, np.isfinite(data.mean))
    alter(project, "DELETE FROM faithfulness_comparison")
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
    alter(project, "UPDATE faithfulness_comparison SET p = NULL, difference = 9e999, n = NULL")
    tests = readers.faithfulness_comparisons(project, run)
    assert np.isnan(tests.p).all()
    assert np.isnan(tests.difference).all()
    assert set(tests.n.tolist()) == {0}


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
    alter(project, "UPDATE run SET parameters = ?", (parameters,))
    index = readers.saliency_index(project, run)
    assert index.steps == 0
    assert all(text for _, text in index.settings)
    assert len(readers.faithfulness_summary(project, run).metrics) == len(METRICS)
    assert len(readers.saliency_curves(project, run, [_GRADCAM]).means) == 2
    assert readers.step_picture(project, run, _GRADCAM, "deletion", 1).pixels.shape[2] == 3


def test_unknown_methods_and_metrics_keep_their_names(explained):
    project, run = explained
    odd = "rollout(first=9,last=2)"
    alter(project, "UPDATE saliency SET method = ? WHERE method = 'scorecam'", (odd,))
    alter(project, "UPDATE faithfulness_summary SET metric = 'charm' WHERE metric = 'deletion'")
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
