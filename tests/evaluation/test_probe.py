import threading

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analysis.errors import AuditError, Cancelled
from analysis.evaluation.probe import STRENGTHS, fit_linear_head, linear_probe
from analysis.evaluation.splits import Fold, make_split


@pytest.mark.parametrize(("width", "classes"), [(30, 4), (30, 2), (400, 4)])
def test_probabilities_equal_scikit_learn_on_every_fold(make, width, classes):
    """400 features of 96 images are fitted within the span of the images."""
    data = make(width=width, classes=classes)
    split = make_split(data.names)
    found = linear_probe(data.features, split.labels, split.folds, [0.01], tolerance=1e-7)
    assert found.strength == (0.01,) * 5
    assert all(found.converged)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-6)
    for fold in split.folds:
        library = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.01, tol=1e-10, max_iter=10_000)
        )
        library.fit(data.features[fold.train], split.labels[fold.train])
        expected = library.predict_proba(data.features[fold.test])
        np.testing.assert_allclose(found.probabilities[fold.test], expected, atol=2e-3)


def test_the_strength_comes_from_the_training_images_alone(make):
    """Whatever the test images hold changes neither the C nor the fit."""
    data = make(images=80)
    fold = Fold(np.arange(60), np.arange(60, 80))
    whole = linear_probe(data.features, data.labels, [fold])
    features = data.features.copy()
    features[70:] = 1e6
    changed = linear_probe(features, data.labels, [fold])
    assert changed.strength == whole.strength
    np.testing.assert_array_equal(changed.probabilities[60:70], whole.probabilities[60:70])
    assert np.isnan(whole.probabilities[:60]).all()


def test_noise_is_regularised_more_than_signal(make):
    noise, signal = make(spread=1e6), make(spread=0.5)
    weak = linear_probe(noise.features, noise.labels, make_split(noise.names).folds)
    strong = linear_probe(signal.features, signal.labels, make_split(signal.names).folds)
    assert max(weak.strength) < min(strong.strength)
    assert set(weak.strength + strong.strength) <= set(STRENGTHS)
    assert (strong.probabilities.argmax(1) == signal.labels).mean() == 1


def test_the_choice_is_close_to_the_best_strength(make):
    data = make(images=300, width=60, spread=3)
    folds = make_split(data.names).folds

    def loss(strengths):
        given = linear_probe(data.features, data.labels, folds, strengths).probabilities
        return -np.log(given[np.arange(300), data.labels]).mean()

    assert loss(STRENGTHS) < 1.05 * min(loss([strength]) for strength in STRENGTHS)


def test_scale_and_constant_features_do_not_matter(labelled):
    folds = make_split(labelled.names).folds
    plain = linear_probe(labelled.features, labelled.labels, folds)
    constant = np.full((120, 2), 1e4 + 0.1)
    scaled = np.hstack([labelled.features * 1e-6, constant])
    found = linear_probe(scaled, labelled.labels, folds)
    np.testing.assert_allclose(found.probabilities, plain.probabilities, atol=5e-3)


def test_classes_of_one_training_image_are_still_told_apart():
    features = np.eye(6).repeat(2, 0)
    labels = np.arange(6).repeat(2)
    fold = Fold(np.arange(0, 12, 2), np.arange(1, 12, 2))
    found = linear_probe(features, labels, [fold])
    assert (found.probabilities[1::2].argmax(1) == labels[1::2]).all()


def test_a_class_without_training_images_gets_no_probability(labelled):
    train = np.flatnonzero(labelled.labels[:100] < 3)
    fold = Fold(train, np.arange(100, 120))
    found = linear_probe(labelled.features, labelled.labels, [fold])
    assert (found.probabilities[100:, 3] == 0).all()


def test_folds_run_side_by_side_give_the_same_as_one_by_one(labelled):
    folds = make_split(labelled.names).folds
    together = linear_probe(labelled.features, labelled.labels, folds)
    for fold in folds:
        alone = linear_probe(labelled.features, labelled.labels, [fold], classes=4)
        np.testing.assert_array_equal(
            together.probabilities[fold.test], alone.probabilities[fold.test]
        )


def test_too_few_iterations_are_said(labelled):
    folds = make_split(labelled.names).folds
    found = linear_probe(labelled.features, labelled.labels, folds, [1.0], max_iterations=1)
    assert found.converged == (False,) * 5


def test_reports_come_from_the_callers_thread_and_may_cancel(make):
    data = make(images=200, width=100)
    folds = make_split(data.names).folds
    told = []

    def report(done, total, text):
        told.append((done, total, text, threading.get_ident()))

    linear_probe(data.features, data.labels, folds, report=report)
    assert told
    assert {(total, text, thread) for _, total, text, thread in told} == {
        (5, "linear probe", threading.get_ident())
    }

    def cancel(done, total, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        linear_probe(data.features, data.labels, folds, report=cancel)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": np.full((8, 3), np.nan)}, "8 of 8 images"),
        ({"labels": np.zeros(8, int)}, "single class"),
        ({"labels": np.array([0, 1] * 3)}, "6 labels for 8 images"),
        ({"labels": np.array([0, 1, -1, 1] * 2)}, "between 0 and 1"),
        ({"strengths": []}, "Strengths"),
        ({"strengths": [0.0]}, "Strengths"),
        ({"strengths": [float("nan")]}, "Strengths"),
    ],
)
def test_bad_input_is_refused(change, words):
    good = {
        "features": np.arange(24.0).reshape(8, 3),
        "labels": np.array([0, 1] * 4),
        "folds": [Fold(np.arange(6), np.arange(6, 8))],
    }
    linear_probe(**good)
    with pytest.raises(AuditError, match=words):
        linear_probe(**(good | change))


@pytest.mark.parametrize(("images", "width", "classes"), [(120, 6, 3), (40, 90, 2), (60, 200, 4)])
def test_head_gives_the_scores_of_the_classifier_it_was_fitted_as(
    images: int, width: int, classes: int
) -> None:
    generator = np.random.default_rng(images)
    labels = np.arange(images) % classes
    features = generator.normal(size=(images, width)) + 2 * np.eye(classes, width)[labels]
    features[:, -1] = 3.0  # a constant feature must not count
    head = fit_linear_head(features.astype(np.float32), labels, strengths=[0.1])
    scaled = StandardScaler().fit_transform(features)
    model = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(scaled, labels)
    scores = features @ head.weight.T + head.bias
    probabilities = np.exp(scores - scores.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, model.predict_proba(scaled), atol=2e-3)
    assert head.converged
    assert head.weight.shape == (classes, width)
    assert not head.weight[:, -1].any()


def test_head_needs_two_classes() -> None:
    with pytest.raises(AuditError):
        fit_linear_head(np.eye(4, dtype=np.float32), np.zeros(4, dtype=np.int64))
