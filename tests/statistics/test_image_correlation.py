"""Correlations over patches with intervals over images, in numpy alone."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from analysis.errors import AuditError
from analysis.statistics.bootstrap import pearson_bootstrap
from analysis.statistics.image_correlation import correlation_over_images


def made(images: int = 30, patches: int = 12, columns: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    level = generator.normal(size=(images, 1, columns))
    real = level + generator.normal(size=(images, patches, columns))
    return real, 0.6 * real + 0.7 * generator.normal(size=real.shape)


def test_the_correlations_are_those_of_scipy() -> None:
    real, predicted = (values.reshape(-1, 3).round(1) for values in made())
    image = np.repeat(np.arange(30), 12)
    found = correlation_over_images(real, predicted, image, replicates=100)
    for column in range(3):
        pearson = scipy.stats.pearsonr(real[:, column], predicted[:, column]).statistic
        spearman = scipy.stats.spearmanr(real[:, column], predicted[:, column]).statistic
        assert found.pearson[column] == pytest.approx(pearson, abs=1e-12)
        assert found.spearman[column] == pytest.approx(spearman, abs=1e-12)
    assert (found.images, found.patches) == (30, 360)


def test_the_interval_is_that_of_the_engine_in_torch() -> None:
    real, predicted = made()
    expected = pearson_bootstrap(torch.from_numpy(predicted), torch.from_numpy(real), 4000, seed=1)
    found = correlation_over_images(
        real.reshape(-1, 3), predicted.reshape(-1, 3), np.repeat(np.arange(30), 12), 4000, seed=2
    )
    assert np.allclose(found.low, expected.low.numpy(), atol=0.015)
    assert np.allclose(found.high, expected.high.numpy(), atol=0.015)


def test_the_interval_is_the_literal_one_with_different_numbers_of_patches() -> None:
    generator = np.random.default_rng(5)
    image = np.repeat(np.arange(8) * 7, [1, 5, 2, 9, 3, 4, 6, 2])
    order = generator.permutation(len(image))
    x = generator.normal(size=(len(image), 1))
    y = x + generator.normal(size=x.shape)
    found = correlation_over_images(x[order], y[order], image[order], 300, seed=4)
    drawn = np.random.default_rng(4).multinomial(8, np.full(8, 1 / 8), size=300)
    values = []
    for counts in drawn:
        rows = np.concatenate(
            [
                np.tile(np.flatnonzero(image == number), times)
                for number, times in zip(np.unique(image), counts, strict=True)
            ]
        )
        values.append(np.corrcoef(x[rows, 0], y[rows, 0])[0, 1])
    assert found.low[0] == pytest.approx(np.quantile(values, 0.025), abs=1e-9)
    assert found.high[0] == pytest.approx(np.quantile(values, 0.975), abs=1e-9)


def test_images_are_resampled_not_patches() -> None:
    """Copies of the same patches tell nothing new: the interval stays as wide."""
    real, predicted = made(images=10, patches=2, columns=1)
    image = np.repeat(np.arange(10), 2)
    once = correlation_over_images(real.reshape(-1, 1), predicted.reshape(-1, 1), image, 500)
    often = correlation_over_images(
        np.repeat(real.reshape(-1, 1), 50, 0),
        np.repeat(predicted.reshape(-1, 1), 50, 0),
        np.repeat(image, 50),
        500,
    )
    assert np.allclose(once.low, often.low)
    assert np.allclose(once.high, often.high)


def test_what_has_no_spread_has_no_correlation() -> None:
    x = np.column_stack([np.arange(6.0), np.full(6, 0.1)])
    found = correlation_over_images(x, x, np.arange(6) // 2, 200)
    assert found.pearson[0] == pytest.approx(1)
    assert np.isnan([found.pearson[1], found.spearman[1], found.low[1], found.high[1]]).all()


def test_one_image_has_no_interval_and_none_nothing() -> None:
    x = np.random.default_rng(0).normal(size=(5, 2))
    one = correlation_over_images(x, x[:, ::-1], np.zeros(5, int))
    assert np.isfinite(one.pearson).all()
    assert np.isnan(one.low).all()
    none = correlation_over_images(x[:0], x[:0], np.zeros(0, int))
    assert np.isnan(none.pearson).all()
    assert (none.images, none.patches) == (0, 0)


def test_bad_input_is_refused() -> None:
    x = np.ones((4, 2))
    with pytest.raises(AuditError, match="do not fit"):
        correlation_over_images(x, x[:3], np.arange(4))
    with pytest.raises(AuditError, match="not finite"):
        correlation_over_images(x, np.where(x > 0, np.nan, x), np.arange(4))
