"""k-means, silhouette and agreement beside scikit-learn and exhaustive search."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from analysis.embedding.groups import (
    adjusted_rand_index,
    choose_groups,
    k_means_of_distances,
    letter_groups,
    silhouette,
    squared_distances,
)
from analysis.errors import AuditError


def _blobs(seed: int, n: int = 12, d: int = 5) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, d)) + 4 * generator.integers(0, 3, size=(n, 1))


def _k_means(values: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    labels, inertia = k_means_of_distances(squared_distances(values)[None], k)
    return labels[0], float(inertia[0])


def _inertia(values: np.ndarray, labels: np.ndarray) -> float:
    groups = [values[labels == label] for label in np.unique(labels)]
    return sum(float(((group - group.mean(0)) ** 2).sum()) for group in groups)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_no_other_grouping_is_tighter(k: int) -> None:
    values = np.random.default_rng(k).normal(size=(7, 3))
    every = itertools.product(range(k), repeat=7)
    best = min(_inertia(values, np.array(labels)) for labels in every)
    labels, inertia = _k_means(values, k)
    assert inertia == pytest.approx(best)
    assert inertia == pytest.approx(_inertia(values, labels))


@pytest.mark.parametrize("seed", range(4))
def test_k_means_is_that_of_scikit_learn(seed: int) -> None:
    values = _blobs(seed, 15)
    for k in (2, 3, 5):
        theirs = KMeans(k, n_init=50, random_state=0).fit(values)
        labels, inertia = _k_means(values, k)
        assert inertia <= theirs.inertia_ * (1 + 1e-9)
        # With five groups it may stop at a worse grouping.
        if k < 5 or theirs.inertia_ == pytest.approx(inertia):
            assert adjusted_rand_score(labels, theirs.labels_) == pytest.approx(1.0)


def test_many_sets_at_once_are_each_on_its_own() -> None:
    sets = np.stack([_blobs(seed) for seed in range(6)])
    distances = squared_distances(sets)
    labels, inertia = k_means_of_distances(distances, 3)
    for index, values in enumerate(sets):
        alone, own = _k_means(values, 3)
        assert labels[index].tolist() == alone.tolist()
        assert inertia[index] == pytest.approx(own)
        differences = values[:, None] - values[None]
        np.testing.assert_allclose(distances[index], (differences**2).sum(-1), atol=1e-10)


def test_a_known_grouping_can_only_help() -> None:
    values = _blobs(9, 20)
    distances = squared_distances(values)[None]
    best, inertia = k_means_of_distances(distances, 4)
    known, same = k_means_of_distances(distances, 4, starts=1, known=best[0])
    assert same[0] == pytest.approx(inertia[0])
    assert known.tolist() == best.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_silhouette_and_agreement_are_those_of_scikit_learn(seed: int) -> None:
    values = _blobs(seed)
    generator = np.random.default_rng(seed)
    first, second = generator.integers(0, 4, size=(2, 12))
    first[:2] = 7, 7
    first[2] = 9  # alone in its group
    assert silhouette(values, first) == pytest.approx(silhouette_score(values, first))
    assert adjusted_rand_index(first, second) == pytest.approx(adjusted_rand_score(first, second))
    assert adjusted_rand_index(first, 10 - first) == pytest.approx(1.0)


def test_agreement_of_trivial_groupings() -> None:
    one, own = np.zeros(5, dtype=int), np.arange(5)
    assert adjusted_rand_index(one, one) == adjusted_rand_index(own, own) == 1.0
    assert adjusted_rand_index(one, own) == adjusted_rand_score(one, own) == 0.0
    assert adjusted_rand_index(one[:1], one[:1]) == 1.0


def test_the_silhouette_chooses_planted_groups() -> None:
    generator = np.random.default_rng(0)
    values = np.repeat(10 * np.eye(3), 4, axis=0) + generator.normal(0, 0.1, size=(12, 3))
    choice = choose_groups(values)
    assert choice.k.tolist() == list(range(1, 9))
    assert choice.chosen == 3
    assert choice.chosen_labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert choose_groups(values, wanted=2).chosen == 2
    assert choose_groups(values, wanted=40).chosen == 8
    assert (np.diff(choice.inertia) < 0).all()


@pytest.mark.parametrize(("models", "choices"), [(1, 1), (2, 1), (3, 2)])
def test_too_few_models_to_choose(models: int, choices: int) -> None:
    choice = choose_groups(np.arange(float(models))[:, None] ** 3)
    assert choice.chosen == 1
    assert len(choice.k) == choices


def test_equal_models() -> None:
    same = choose_groups(np.full((6, 4), 0.1))
    assert same.k.tolist() == [1]
    assert same.inertia.tolist() == [0.0]
    assert same.chosen_labels.tolist() == [0] * 6
    two = choose_groups(np.repeat([[0.0, 0.3], [5.0, 0.1]], 3, axis=0))
    assert two.k.tolist() == [1, 2]
    assert two.chosen == 2
    assert two.silhouette[1] == pytest.approx(1.0)


def test_letters() -> None:
    labels = np.array([2, 0, 2, 1])
    assert letter_groups(labels, ["y", "x", "a", "b"]) == ("A", "C", "A", "B")
    heights = np.array([5.0, 0.0, 3.0, 2.0])
    assert letter_groups(labels, ["y", "x", "a", "b"], heights) == ("C", "A", "C", "B")


@pytest.mark.parametrize("k", [0, 4])
def test_impossible_numbers_of_groups(k: int) -> None:
    with pytest.raises(AuditError, match="cannot be put into"):
        _k_means(np.eye(3), k)
