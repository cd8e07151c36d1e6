"""Adjusted p values and permutation tests, beside SciPy and literal loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AuditError
from analysis.statistics.correlation_tests import pearson_permutation_test, pearson_table
from analysis.statistics.multiple_testing import benjamini_hochberg


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_benjamini_hochberg_is_that_of_scipy(p: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p)
    np.testing.assert_allclose(benjamini_hochberg(np.array(p)), expected, rtol=1e-12)


def test_tests_that_were_not_made_do_not_count() -> None:
    p = np.array([[0.01, np.nan], [0.04, 0.03]])
    adjusted = benjamini_hochberg(p)
    expected = scipy.stats.false_discovery_control([0.01, 0.04, 0.03])
    np.testing.assert_allclose(adjusted[~np.isnan(p)], expected)
    assert np.isnan(adjusted[0, 1])
    assert benjamini_hochberg(np.array([])).shape == (0,)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.inf])
def test_no_p_values(bad: float) -> None:
    with pytest.raises(AuditError, match="between 0 and 1"):
        benjamini_hochberg(np.array([0.5, bad]))


def _literal_p(x: np.ndarray, y: np.ndarray) -> float:
    reached = abs(np.corrcoef(x, y)[0, 1]) - 1e-10
    orders = itertools.permutations(range(len(y)))
    null = [abs(np.corrcoef(x, y[list(order)])[0, 1]) for order in orders]
    return float(np.mean([value >= reached for value in null]))


@pytest.mark.parametrize("n", [2, 3, 5, 6])
def test_few_observations_are_enumerated(n: int) -> None:
    generator = np.random.default_rng(n)
    x, y = generator.normal(size=(n, 2)), generator.normal(size=(n, 3))
    r, p = pearson_permutation_test(x, y)
    for a in range(2):
        for b in range(3):
            assert r[a, b] == pytest.approx(np.corrcoef(x[:, a], y[:, b])[0, 1])
            assert p[a, b] == pytest.approx(_literal_p(x[:, a], y[:, b]))


def test_many_observations_are_sampled() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(30, 2))
    y = 0.4 * x + generator.normal(size=(30, 2))
    r, p = pearson_permutation_test(x, y, permutations=20_000, seed=1)
    for a in range(2):
        for b in range(2):
            exact = scipy.stats.pearsonr(x[:, a], y[:, b])
            assert r[a, b] == pytest.approx(exact.statistic)
            # Four standard errors of a share of 20,000, and what normality is worth.
            assert p[a, b] == pytest.approx(exact.pvalue, abs=0.005 + 4 * np.sqrt(p[a, b] / 20_000))
    again = pearson_permutation_test(x, y, permutations=20_000, seed=1)[1]
    np.testing.assert_array_equal(p, again)
    single = pearson_permutation_test(x[:, :1], y, permutations=20_000, seed=1)[1]
    np.testing.assert_array_equal(p[:1], single)


def test_no_chance_is_never_quite_zero() -> None:
    line = np.arange(20.0)[:, None]
    _, p = pearson_permutation_test(line, 2 * line - 7, permutations=999)
    assert p[0, 0] == pytest.approx(1 / 1000)


def test_under_the_null_p_is_uniform() -> None:
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(12, 1)), generator.normal(size=(12, 400))
    _, p = pearson_permutation_test(x, y, permutations=2000)
    assert scipy.stats.kstest(p[0], "uniform").pvalue > 0.001


def test_constant_columns_and_too_few_rows() -> None:
    x = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    r, p = pearson_permutation_test(x, x)
    assert np.isnan(r[0]).all()
    assert np.isnan(p[0]).all()
    assert r[1, 1] == 1.0
    assert np.isnan(pearson_table(x[:1], x[:1])).all()
    for rows in (0, 1):
        r, p = pearson_permutation_test(x[:rows], x[:rows])
        assert r.shape == p.shape == (2, 2)
        assert np.isnan(r).all()
        assert np.isnan(p).all()


def test_input_that_cannot_be_correlated() -> None:
    x = np.zeros((3, 1))
    with pytest.raises(AuditError, match="cannot be correlated"):
        pearson_permutation_test(x, np.zeros((4, 1)))
    with pytest.raises(AuditError, match="finite"):
        pearson_permutation_test(x, np.array([[0.0], [np.nan], [1.0]]))
    with pytest.raises(AuditError, match="at least one permutation"):
        pearson_permutation_test(x, x, permutations=0)
