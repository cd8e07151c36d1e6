import dataclasses

import numpy as np
import pytest

from analysis.errors import AuditError, Cancelled
from analysis.evaluation.ensembles import ensembles
from analysis.evaluation.neighbours import cross_validated_knn
from analysis.evaluation.probe import linear_probe
from analysis.evaluation.splits import make_split
from analysis.evaluation.tasks import TaskSettings, evaluate

SETTINGS = TaskSettings(neighbours=(5, 20, 200), shots=(1, 5, 50), episodes=20, replicates=200)


def test_every_task_has_its_value_interval_and_number_of_images(labelled):
    split = make_split(labelled.names)
    found = evaluate(labelled.features, split, SETTINGS)
    tasks = {result.task: result for result in found.results}
    assert list(tasks) == [
        "k-NN (k = 5)",
        "k-NN (k = 20)",
        "linear probe",
        "prototypes (1 shot)",
        "prototypes (5 shots)",
    ]
    for result in found.results:
        accuracy = result.accuracy
        assert 0 <= accuracy.low <= accuracy.value <= accuracy.high <= 1
        assert accuracy.n == 120
    near = cross_validated_knn(labelled.features, split, (5,)).probabilities[0]
    assert tasks["k-NN (k = 5)"].accuracy.value == (near.argmax(1) == labelled.labels).mean()
    np.testing.assert_array_equal(tasks["k-NN (k = 5)"].probabilities, near)
    assert tasks["prototypes (5 shots)"].probabilities is None
    assert dict(found.left_out) == {
        "k-NN (k = 200)": "there are only 96 images to train with",
        "prototypes (50 shots)": "Fewer than two classes have the images that 50 shots need.",
    }


def test_training_images_are_not_tested(labelled):
    splits = ["train"] * 80 + ["test"] * 40
    split = make_split(labelled.names, splits)
    found = evaluate(labelled.features, split, SETTINGS)
    for result in found.results:
        assert result.accuracy.n == 40
        if result.probabilities is not None:
            assert result.probabilities.shape == (40, 4)
            assert np.isfinite(result.probabilities).all()


def test_results_of_two_models_make_ensembles(make):
    first, second = make(spread=2), make(spread=3)
    split = make_split(first.names)
    settings = TaskSettings((10,), probe=True, shots=())
    pairs = zip(
        evaluate(first.features, split, settings).results,
        evaluate(second.features, split, settings).results,
        strict=True,
    )
    for one, two in pairs:
        assert one.task == two.task
        found = ensembles(
            [one.probabilities, two.probabilities], split.labels[split.tested], replicates=50
        )
        np.testing.assert_allclose(found.performance, [one.accuracy.value, two.accuracy.value])


def test_a_class_with_few_images_is_left_out_of_the_shots_alone(labelled):
    names = labelled.names
    extra = labelled.features[:6] + 1
    split = make_split([*names, *["rare"] * 6])
    found = evaluate(
        np.vstack([labelled.features, extra]), split, TaskSettings((5,), shots=(10,), episodes=5)
    )
    assert found.left_out == (
        ("prototypes (10 shots)", "without the class rare: 6 images, too few for 10 shots"),
    )
    assert [result.task for result in found.results][-1] == "prototypes (10 shots)"


def test_progress_goes_from_nothing_to_everything(labelled):
    told = []
    evaluate(
        labelled.features,
        make_split(labelled.names),
        SETTINGS,
        lambda done, total, text: told.append((done / total, text)),
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] <= 1
    assert {"k-nearest neighbours", "linear probe"} <= {text for _, text in told}


def test_it_can_be_cancelled(labelled):
    def report(done, total, text):
        if text == "linear probe":
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(labelled.features, make_split(labelled.names), SETTINGS, report)


def test_features_of_other_images_and_unusable_ones_are_refused(labelled):
    split = make_split(labelled.names)
    with pytest.raises(AuditError, match="120 labels for 119 images"):
        evaluate(labelled.features[:-1], split)
    broken = labelled.features.copy()
    broken[3, 4] = np.nan
    with pytest.raises(AuditError, match="1 of 120 images"):
        evaluate(broken, split)


def test_constant_features_are_no_better_than_chance(labelled):
    found = evaluate(np.ones((120, 8)), make_split(labelled.names), SETTINGS)
    for result in found.results:
        assert result.accuracy.value < 0.45


def test_a_probe_that_did_not_converge_is_doubtful(labelled, monkeypatch):
    def stopped(*arguments, **options):
        found = linear_probe(*arguments, **options)
        return dataclasses.replace(found, converged=(False,) * len(found.converged))

    monkeypatch.setattr("analysis.evaluation.tasks.linear_probe", stopped)
    found = evaluate(labelled.features, make_split(labelled.names), TaskSettings((5,), shots=()))
    assert found.left_out == ()
    assert found.doubtful == (("linear probe", "the solver stopped before it converged"),)
