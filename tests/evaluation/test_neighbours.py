import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from analysis.errors import AuditError
from analysis.evaluation.neighbours import cross_validated_knn, weighted_knn
from analysis.evaluation.splits import make_split


def literal_knn(train, labels, test, k, temperature, classes):
    """DINO's reading, a loop over images and neighbours."""
    found = np.zeros((len(test), classes))
    for row, query in enumerate(test):
        similarity = [
            float(query @ other / np.linalg.norm(query) / np.linalg.norm(other)) for other in train
        ]
        nearest = sorted(range(len(train)), key=lambda i: -similarity[i])[:k]
        for other in nearest:
            found[row, labels[other]] += np.exp(similarity[other] / temperature)
    return found / found.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_votes_equal_a_literal_loop_and_scikit_learn(labelled, temperature):
    train, test = labelled.features[:90], labelled.features[90:]
    labels, ks = labelled.labels[:90], (1, 7, 20, 90)
    found = weighted_knn(train, labels, test, ks, temperature)
    assert found.shape == (4, 30, 4)
    for position, k in enumerate(ks):
        literal = literal_knn(train, labels, test, k, temperature, 4)
        library = KNeighborsClassifier(
            k,
            metric="cosine",
            algorithm="brute",
            weights=lambda distance: np.exp((1 - distance) / temperature),
        )
        np.testing.assert_allclose(found[position], literal, atol=2e-5)
        np.testing.assert_allclose(
            found[position], library.fit(train, labels).predict_proba(test), atol=2e-5
        )


def test_blocks_do_not_change_the_votes(labelled, monkeypatch):
    whole = weighted_knn(labelled.features[:90], labelled.labels[:90], labelled.features[90:], [9])
    monkeypatch.setattr("analysis.evaluation.neighbours._BLOCK_VALUES", 7 * 90)
    blocks = weighted_knn(labelled.features[:90], labelled.labels[:90], labelled.features[90:], [9])
    np.testing.assert_allclose(blocks, whole, atol=1e-6)


def test_a_low_temperature_does_not_overflow_and_zero_vectors_have_neighbours():
    train = np.array([[1.0, 0], [0.9, 0.1], [0, 1.0], [0, 0]])
    test = np.array([[1.0, 0.0], [0.0, 0.0]])
    found = weighted_knn(train, np.array([0, 0, 1, 1]), test, [4], temperature=1e-4)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[0, 0], [1, 0], atol=1e-6)
    np.testing.assert_allclose(found[0, 1], [0.5, 0.5])


def test_every_fold_is_predicted_from_the_others(labelled):
    split = make_split(labelled.names, folds=5)
    found = cross_validated_knn(labelled.features, split, (5, 20))
    for fold in split.folds:
        direct = weighted_knn(
            labelled.features[fold.train],
            split.labels[fold.train],
            labelled.features[fold.test],
            (5, 20),
        )
        np.testing.assert_allclose(found.probabilities[:, fold.test], direct)


def test_an_image_is_not_its_own_neighbour(make):
    noise = make(images=40, spread=1e6)
    found = cross_validated_knn(noise.features, make_split(noise.names), (1,))
    assert (found.probabilities[0].argmax(1) == noise.labels).mean() < 0.6


def test_k_above_the_training_images_is_left_out_with_the_reason(labelled):
    split = make_split(labelled.names, folds=5)
    found = cross_validated_knn(labelled.features, split, (10, 96, 97, 200))
    assert found.ks == (10, 96)
    assert found.probabilities.shape == (2, 120, 4)
    assert found.left_out == (
        ("k-NN (k = 97)", "there are only 96 images to train with"),
        ("k-NN (k = 200)", "there are only 96 images to train with"),
    )


def test_no_k_is_small_enough(make):
    few = make(images=10, classes=2)
    found = cross_validated_knn(few.features, make_split(few.names), (100, 200))
    assert found.ks == ()
    assert found.probabilities.shape == (0, 10, 2)
    assert len(found.left_out) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"train_features": np.full((4, 2), np.nan)},
        {"test_features": np.array([[1.0, np.inf]])},
        {"test_features": np.ones((1, 3))},
        {"train_features": np.ones((3, 2))},
        {"train_features": np.ones((4, 0))},
        {"train_labels": np.zeros(4, int)},
        {"train_labels": np.array([0, 1, 0, -1])},
        {"train_labels": np.array([0.0, 1, 0, 1])},
        {"train_labels": np.array([0, 1, 0, 5]), "classes": 2},
        {"ks": [5]},
        {"ks": [0]},
        {"ks": []},
        {"temperature": 0.0},
    ],
)
def test_bad_input_is_refused(change):
    good = {
        "train_features": np.arange(8.0).reshape(4, 2),
        "train_labels": np.array([0, 1, 0, 1]),
        "test_features": np.ones((1, 2)),
        "ks": [2],
    }
    assert weighted_knn(**good).shape == (1, 1, 2)
    with pytest.raises(AuditError):
        weighted_knn(**(good | change))
