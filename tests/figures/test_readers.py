"""What figures show is what the tables say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures import readers, run_results


@pytest.mark.parametrize("measure", readers.LAYER_MEASURES)
def test_layer_similarity_is_the_table(made_up, measure):
    data = readers.layer_similarity(made_up.project, made_up.layers_run, measure)
    assert data.layers_a == ("conv1.act", "layer1.0.act", "layer2.1.act", "penultimate")
    assert data.layers_b == ("blocks.0", "blocks.1", "penultimate")
    for row in made_up.project.rows("SELECT * FROM layer_similarity"):
        at = (data.layers_a.index(row["layer_a"]), data.layers_b.index(row["layer_b"]))
        assert data.values[at] == row[measure]
    assert np.allclose(data.depths_b, [0, 0.5, 1])
    assert data.classes_done == data.classes_total == 3
    assert (data.classes == 3).all()


def test_every_measure_has_an_interval_and_a_null_of_its_own(made_up):
    pearson = readers.layer_similarity(made_up.project, made_up.layers_run)
    assert np.allclose(pearson.ci_high - pearson.values, 0.04)
    assert np.isfinite(pearson.null_95).all()
    for place, measure in enumerate(readers.LAYER_MEASURES[1:]):
        data = readers.layer_similarity(made_up.project, made_up.layers_run, measure)
        assert np.allclose(data.values - data.ci_low, 0.01 * (place + 1))
        assert np.allclose(data.ci_high - data.values, 0.02 * (place + 1))
        assert np.allclose(data.null_95, 0.1 * (place + 1))


def test_a_run_of_before_has_measures_without_intervals(made_up):
    with made_up.project.transaction() as connection:
        connection.execute("UPDATE layer_similarity SET cka_low = NULL, cka_null_95 = NULL")
    cka = readers.layer_similarity(made_up.project, made_up.layers_run, "cka")
    assert np.isfinite(cka.values).all()
    assert np.isnan(cka.ci_low).all()
    assert np.isnan(cka.null_95).all()


def test_layers_missing_pairs_and_nulls_are_nan(made_up):
    with made_up.project.transaction() as connection:
        connection.execute(
            "DELETE FROM layer_similarity WHERE layer_a = 'conv1.act' AND layer_b = 'blocks.1'"
        )
        connection.execute(
            "UPDATE layer_similarity SET mmcs_pearson = NULL, classes = 2"
            " WHERE layer_a = 'penultimate' AND layer_b = 'blocks.0'"
        )
    data = readers.layer_similarity(made_up.project, made_up.layers_run)
    assert np.isnan(data.values[0, 1])
    assert np.isnan(data.values[3, 0])
    assert np.isfinite(data.values).sum() == 10
    assert data.classes[0, 1] == 0
    assert data.classes[3, 0] == 2


def test_layers_of_a_part_of_the_classes(made_up):
    with made_up.project.transaction() as connection:
        connection.execute("UPDATE layer_similarity SET classes = 1")
    data = readers.layer_similarity(made_up.project, made_up.layers_run)
    assert (data.classes_done, data.classes_total) == (1, 3)


def test_layers_without_results(made_up):
    with made_up.project.transaction() as connection:
        connection.execute("DELETE FROM layer_similarity")
    assert readers.layer_similarity(made_up.project, made_up.layers_run) is None


def test_unknown_measure_run_and_concept(made_up):
    calls: list[Callable[[], object]] = [
        lambda: readers.layer_similarity(made_up.project, made_up.layers_run, "ci_low"),
        lambda: readers.layer_similarity(made_up.project, 99),
        lambda: readers.concept_points(made_up.project, 99),
        lambda: readers.replacement_points(made_up.project, 99),
        lambda: readers.concept_detail(made_up.project, 9999),
        lambda: run_results.latest_run(made_up.project, "charm"),
    ]
    for call in calls:
        with pytest.raises(AuditError) as caught:
            call()
        assert caught.value.hint


def test_concept_points_are_the_tables(made_up):
    data = readers.concept_points(made_up.project, made_up.concepts_run)
    assert len(data.concept_id) == 3 * 4 * 2
    assert list(data.class_name[:8]) == ["bird"] * 8
    assert "".join(data.side[:8]) == "aaaabbbb"
    assert list(data.concept[:4]) == [0, 1, 2, 3]
    assert data.layer_a == data.layer_b == "penultimate"
    for index in (0, 5, 23):
        row = made_up.project.row(
            "SELECT * FROM concept JOIN concept_similarity USING (run, side, class, concept)"
            " WHERE concept.id = ?",
            (int(data.concept_id[index]),),
        )
        assert row["class"] == data.class_name[index]
        for name in ("cmcs_pearson", "ci_low", "null_95", "importance", "stability", "n_images"):
            assert getattr(data, name)[index] == row[name]
    with pytest.raises(ValueError, match="read-only"):
        data.importance[0] = 1


def test_concepts_without_similarity_yet_are_nan(made_up):
    with made_up.project.transaction() as connection:
        connection.execute("DELETE FROM concept_similarity WHERE class = 'dog'")
        connection.execute("UPDATE concept SET importance = NULL WHERE side = 'b'")
    data = readers.concept_points(made_up.project, made_up.concepts_run)
    dog = data.class_name == "dog"
    assert np.isnan(data.cmcs_pearson[dog]).all()
    assert np.isfinite(data.cmcs_pearson[~dog]).all()
    assert np.isnan(data.importance[data.side == "b"]).all()


def test_points_of_a_run_without_results_are_empty(made_up):
    points = readers.concept_points(made_up.project, made_up.layers_run)
    replacement = readers.replacement_points(made_up.project, made_up.layers_run)
    for data in (points, replacement):
        assert len(data.concept_id) == len(data.importance) == 0
        assert data.importance.dtype == float
        assert data.concept_id.dtype == np.int64


def test_replacement_points_are_the_table(made_up):
    data = readers.replacement_points(made_up.project, made_up.concepts_run)
    assert len(data.concept_id) == 24
    row = made_up.project.row(
        "SELECT replacement.*, concept.id AS concept_id, importance FROM replacement"
        " JOIN concept USING (run, side, class, concept) WHERE concept.id = ?",
        (int(data.concept_id[7]),),
    )
    for name in ("delta_pearson", "l2", "kl", "match_accuracy", "importance", "concept_id"):
        assert getattr(data, name)[7] == row[name]


def test_concept_detail_is_tables_and_arrays(made_up):
    project, run = made_up.project, made_up.concepts_run
    concept = project.value(
        "SELECT id FROM concept WHERE run = ? AND side = 'b' AND class = 'dog' AND concept = 2",
        (run,),
    )
    data = readers.concept_detail(project, concept)
    assert (data.target_model, data.predictor_model) == ("ViT-S", "ResNet-18")
    assert (data.class_name, data.concept, data.run, data.n_images) == ("dog", 2, run, 6)
    assert np.array_equal(data.real, project.read_array(run, "class/dog/b/real")[:, 2])
    assert np.array_equal(data.predicted, project.read_array(run, "class/dog/b/predicted")[:, 2])
    assert data.box.shape == (24, 4)
    assert set(data.image) == set(range(7, 13))
    assert [patch.rank for patch in data.top] == [0, 1, 2]
    assert data.top[0].coefficient == pytest.approx(data.real.max())
    worst = data.over[0]
    assert worst.predicted - worst.coefficient == pytest.approx(np.max(data.predicted - data.real))
    assert {patch.kind for patch in data.under} == {"under"}


def test_concept_detail_before_its_coefficients(made_up):
    with made_up.project.transaction() as connection:
        connection.execute("DELETE FROM array")
        connection.execute("DELETE FROM concept_similarity")
        connection.execute("DELETE FROM patch")
    data = readers.concept_detail(made_up.project, 1)
    assert len(data.real) == len(data.image) == 0
    assert data.box.shape == (0, 4)
    assert np.isnan(data.cmcs_pearson)
    assert data.top == ()


def test_concept_detail_of_arrays_that_do_not_fit(made_up):
    project, run = made_up.project, made_up.concepts_run
    with project.transaction() as connection:
        connection.execute("DELETE FROM array WHERE name = 'class/bird/image'")
        project.write_array(connection, run, "class/bird/image", np.arange(3))
    with pytest.raises(AuditError, match="do not fit"):
        readers.concept_detail(project, 1)


def test_latest_run_has_results_and_the_models_asked_for(made_up):
    project = made_up.project
    assert run_results.latest_run(project, "concepts") == made_up.concepts_run
    assert run_results.latest_run(project, "concepts", "ResNet-18", "ViT-S") == made_up.concepts_run
    assert run_results.latest_run(project, "concepts", "ViT-S") is None
    with project.transaction() as connection:
        connection.execute(
            "INSERT INTO run (audit, name, image_set, model_a, model_b, parameters, state, created)"
            " VALUES ('concepts', 'new', 1, 'ViT-S', 'ViT-S', '{}', 'running', '')"
        )
    assert run_results.latest_run(project, "concepts") == made_up.concepts_run
    with project.transaction() as connection:
        connection.execute("DELETE FROM concept")
    assert run_results.latest_run(project, "concepts") is None


def test_classes_of_a_run(made_up):
    assert readers.run_classes(made_up.project, made_up.concepts_run) == ("bird", "dog", "fish")
    assert readers.run_classes(made_up.project, made_up.layers_run) == ()


def test_reading_imports_no_heavy_library():
    code = (
        "import sys; import analysis.figures.readers, analysis.figures.export;"
        "heavy = {'torch', 'timm', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
