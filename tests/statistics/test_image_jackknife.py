"""Variance by leaving images out, and intervals and chance levels of means over classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap, t

from analysis.statistics.class_means import few_draws_quantile, interval_around, mean_interval
from analysis.statistics.image_jackknife import (
    group_of_images,
    influence_variance,
    jackknife_variance,
    thinned,
)


def test_one_image_a_group_is_the_ordinary_jackknife() -> None:
    values = torch.randn(12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left_out = torch.stack([torch.cat([values[:i], values[i + 1 :]]).mean() for i in range(12)])
    found = jackknife_variance(values.mean(), left_out, torch.ones(12))
    assert found.item() == pytest.approx(values.var().item() / 12)  # of a mean: the textbook's
    assert influence_variance(values / 12).item() == pytest.approx(values.var().item() / 12)


def test_groups_are_even_and_unequal_groups_are_weighed() -> None:
    groups = group_of_images(107, most=50)
    sizes = groups.bincount()
    assert sizes.min() == 2
    assert sizes.max() == 3
    assert (groups.diff() >= 0).all()
    assert group_of_images(8).tolist() == list(range(8))
    random = torch.Generator().manual_seed(1)
    found = []
    for _ in range(200):
        values = torch.randn(107, generator=random, dtype=torch.float64)
        left = torch.stack([values[groups != group].mean() for group in range(50)])
        found.append(jackknife_variance(values.mean(), left, sizes).item())
    assert np.mean(found) == pytest.approx(1 / 107, rel=0.05)
    assert jackknife_variance(torch.ones(2), torch.ones(1, 2), torch.ones(1)).isnan().all()


def test_thinning_keeps_whole_images() -> None:
    layer = torch.arange(3000.0)[:, None]
    (kept,), images = thinned([layer], 300)
    assert images == 204
    blocks = kept.reshape(images, 10)
    assert (blocks[:, 0] % 10 == 0).all()
    assert (blocks.diff(dim=1) == 1).all()
    assert blocks[0, 0] == 0
    assert blocks[-1, -1] == 2999
    assert thinned([layer[:100]], 10)[1] == 10


def test_the_interval_of_one_class_is_students_and_stays_on_the_scale() -> None:
    low, high = mean_interval(
        np.array([[0.0, 0.99, 1.0]]), np.array([[0.01, 0.01, 0.0]]), np.array([20])
    )
    assert np.arctanh(high[0]) == pytest.approx(t.ppf(0.975, 19) * 0.1)
    assert low[0] == -high[0]
    assert low[1] < 0.99 < high[1] < 1
    assert (low[2], high[2]) == (1.0, 1.0)


def test_classes_without_a_value_do_not_count_and_without_a_variance_give_nothing() -> None:
    values = np.array([[0.4, 0.4], [0.6, 0.6], [np.nan, 0.5]])
    variances = np.array([[0.01, 0.01], [0.01, 0.01], [np.nan, np.nan]])
    low, high = mean_interval(values, variances, np.array([30, 30, 30]))
    error = np.sqrt(0.02) / 2 / (1 - 0.25) * t.ppf(0.975, 58)
    assert np.arctanh(high[0]) - np.arctanh(0.5) == pytest.approx(error)
    assert np.isnan([low[1], high[1]]).all()


def test_the_interval_is_like_scipys_bootstrap_of_a_mean() -> None:
    values = np.random.default_rng(4).normal(0.3, 0.5, 60)
    scipy = bootstrap((values,), np.mean, method="percentile", random_state=0, n_resamples=4000)
    low, high = mean_interval(
        np.array([[values.mean()]]), np.array([[values.var(ddof=1) / 60]]), np.array([60])
    )
    assert low[0] == pytest.approx(scipy.confidence_interval.low, abs=0.02)
    assert high[0] == pytest.approx(scipy.confidence_interval.high, abs=0.02)


@pytest.mark.parametrize(("classes", "each"), [(1, 12), (10, 2), (40, 1)])
def test_few_draws_are_rarely_exceeded(classes: int, each: int) -> None:
    random = np.random.default_rng(5)
    places = random.normal(0.4, 0.05, classes)
    exceeded = []
    for _ in range(400):
        draws = places[:, None] + random.normal(0, 0.02, (classes, each + 1))
        level = few_draws_quantile(draws[:, :-1])
        exceeded.append(draws[:, -1].mean() > level)
    assert np.mean(exceeded) <= 0.09
    if each > 1:  # with one draw a class the level is on the safe side
        assert np.mean(exceeded) >= 0.02


def test_the_interval_lies_around_the_value() -> None:
    low, high = interval_around(np.array([0.5, 0.2]), np.array([0.03, np.nan]))
    assert np.arctanh(0.5) - np.arctanh(low[0]) == pytest.approx(1.959964 * 0.03 / 0.75)
    assert np.arctanh(high[0]) - np.arctanh(0.5) == pytest.approx(1.959964 * 0.03 / 0.75)
    assert np.isnan([low[1], high[1]]).all()


def test_few_draws_of_one_class_alone_say_nothing() -> None:
    assert np.isnan(few_draws_quantile(np.full((1, 1, 2), 0.3))).all()
    draws = np.full((3, 2, 2), np.nan)
    draws[0] = [[0.2, 0.2], [0.3, 0.3]]
    assert np.isfinite(few_draws_quantile(draws)).all()
