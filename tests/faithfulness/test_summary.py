"""Intervals, paired tests and what is best, against SciPy and by counting."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.errors import AuditError
from analysis.faithfulness.summary import (
    compare,
    holm,
    sign_flip_p,
    summarise,
    summarise_all,
)


def test_mean_and_interval() -> None:
    values = np.random.default_rng(0).normal(3, 2, 200)
    found = summarise(values, replicates=4000)
    assert found.mean == pytest.approx(values.mean())
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", random_state=1
    ).confidence_interval
    assert found.low == pytest.approx(reference.low, abs=0.03)
    assert found.high == pytest.approx(reference.high, abs=0.03)
    assert found.n == 200


def test_images_without_a_value_do_not_count() -> None:
    values = np.array([1.0, np.nan, 2.0, 4.0])
    assert summarise(values).mean == pytest.approx(7 / 3)
    assert 1 <= summarise(values).low < 7 / 3 < summarise(values).high <= 4
    assert summarise(values).n == 3
    empty = summarise(np.array([np.nan]))
    assert empty.n == 0
    assert np.isnan(empty.mean)
    single = summarise(np.array([0.5]))
    assert single.mean == 0.5
    assert np.isnan(single.low)


def test_all_alike_zeros_and_ones_keep_their_doubt() -> None:
    found = summarise(np.ones(20))
    exact = stats.binomtest(20, 20).proportion_ci(method="exact")
    assert found.high == 1
    assert found.low == pytest.approx(exact.low)
    assert summarise(np.zeros(20)).high == pytest.approx(1 - exact.low)
    assert summarise(np.full(20, 0.3)).high == pytest.approx(0.3)


def test_an_interval_is_the_same_alone() -> None:
    random = np.random.default_rng(1)
    values = {"a": random.random(30), "b": random.random(30)}
    together, alone = summarise_all(values)["b"], summarise(values["b"])
    assert (together.mean, together.n) == (alone.mean, alone.n)
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high), rel=1e-12)


def flip(difference: np.ndarray, permutations: int = 10_000, seed: int = 0) -> float:
    return float(sign_flip_p(difference[:, None], permutations, seed)[0])


def test_a_pair_has_the_same_p_alone() -> None:
    table = np.random.default_rng(6).normal(0.1, 1, (40, 5))
    table[3, 2] = np.nan
    together = sign_flip_p(table)
    assert together.tolist() == [flip(table[:, column]) for column in range(5)]
    few = np.array([0.3, np.nan, 0.2, 0.1])
    assert flip(few) == flip(few[[0, 2, 3]]) == 0.25


def test_all_flips_of_few_images() -> None:
    difference = np.array([0.3, -0.1, 0.2, 0.05, 0.4, -0.02])
    signs = np.array(list(itertools.product([1, -1], repeat=6)))
    means = np.abs((signs * difference).mean(1))
    expected = (means >= abs(difference.mean()) - 1e-12).mean()
    assert flip(difference) == pytest.approx(expected)
    reference = stats.permutation_test(
        (difference, np.zeros(6)), lambda x, y: (x - y).mean(), permutation_type="samples",
    )  # fmt: skip
    assert flip(difference) == pytest.approx(reference.pvalue)


def test_drawn_flips_are_near_the_t_test() -> None:
    difference = np.random.default_rng(3).normal(0.2, 1, 150)
    assert flip(difference) == pytest.approx(stats.ttest_1samp(difference, 0).pvalue, abs=0.01)
    assert flip(np.zeros(50)) == 1
    assert flip(np.full(50, 0.1)) == pytest.approx(1 / 10_001)
    assert np.isnan(flip(np.array([])))


def test_differences_known_to_be_nothing_are_seldom_found() -> None:
    random = np.random.default_rng(4)
    p = [flip(random.normal(size=20), 999, seed) for seed in range(300)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09


def test_holm_by_hand() -> None:
    found = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, np.nan, 0.06, 0.02])


def test_what_cannot_be_compared() -> None:
    with pytest.raises(AuditError):
        compare({"a": np.zeros(3), "b": np.zeros(4)}, [("a", "b")])
    with pytest.raises(AuditError):
        compare({"a": np.zeros(3)}, [("a", "b")])
    with pytest.raises(AuditError):
        compare({"a": np.zeros(3), "b": np.zeros(3)}, [("a", "b")], permutations=0)
    with pytest.raises(AuditError):
        summarise(np.array([np.inf]))


def test_rounding_is_no_difference() -> None:
    """Two ways to compute the same map differ in the last digits, always to the same side."""
    values = np.random.default_rng(1).uniform(0.1, 0.9, 50)
    same = compare({"a": values, "b": values * (1 + 1e-6)}, [("a", "b")])[0]
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    other = compare({"a": values, "b": values * 1.01}, [("a", "b")])[0]
    assert other.p < 0.001


def test_only_shares_have_binomial_bounds() -> None:
    zero = summarise_all({"a": np.zeros(20)}, binary=False)["a"]
    assert (zero.low, zero.high) == (0, 0)
    assert summarise_all({"a": np.zeros(20)})["a"].high > 0
