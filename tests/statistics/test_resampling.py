from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.errors import AuditError
from analysis.statistics.bootstrap import pearson_bootstrap, resample_counts
from analysis.statistics.permutation import (
    pearson_permutation_null,
    pearson_permutation_replicates,
    random_permutations,
)


def _pair(images: int = 12, patches: int = 5, concepts: int = 3) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    real = torch.rand(images, patches, concepts, generator=generator)
    noise = torch.rand(images, patches, concepts, generator=generator)
    return real + 0.7 * noise + 3, real


def test_replicates_are_correlations_of_resampled_images() -> None:
    predicted, real = _pair()
    interval = pearson_bootstrap(predicted, real, replicates=20, seed=4)
    counts = resample_counts(12, 20, 4).long()
    assert (counts.sum(1) == 12).all()
    for replicate in range(20):
        drawn = torch.arange(12).repeat_interleave(counts[replicate])
        for concept in range(3):
            expected = np.corrcoef(
                predicted[drawn, :, concept].flatten().double(),
                real[drawn, :, concept].flatten().double(),
            )[0, 1]
            assert interval.replicates[replicate, concept].item() == pytest.approx(expected)
    low = np.quantile(interval.replicates.numpy(), 0.025, axis=0)
    np.testing.assert_allclose(interval.low.numpy(), low)


def test_permuted_blocks_as_a_loop() -> None:
    predicted, real = _pair()
    values = pearson_permutation_replicates(predicted, real, permutations=15, seed=2)
    orders = random_permutations(12, 15, 2)
    assert (orders.sort(1).values == torch.arange(12)).all()
    for replicate in range(15):
        for concept in range(3):
            expected = np.corrcoef(
                predicted[orders[replicate], :, concept].flatten().double(),
                real[:, :, concept].flatten().double(),
            )[0, 1]
            assert values[replicate, concept].item() == pytest.approx(expected)


def test_interval_holds_the_value_and_the_null_lies_below() -> None:
    predicted, real = _pair(images=40)
    interval = pearson_bootstrap(predicted, real, 500, seed=1)
    null = pearson_permutation_null(predicted, real, 500, seed=1)
    for concept in range(3):
        value = np.corrcoef(predicted[..., concept].flatten(), real[..., concept].flatten())[0, 1]
        assert interval.low[concept] < value < interval.high[concept]
        assert null[concept] < interval.low[concept]


def test_same_seed_same_numbers_other_seed_other_numbers() -> None:
    pair = _pair()
    first = pearson_bootstrap(*pair, 50, seed=3).replicates
    assert torch.equal(first, pearson_bootstrap(*pair, 50, seed=3).replicates)
    assert not torch.equal(first, pearson_bootstrap(*pair, 50, seed=4).replicates)


def test_the_global_generator_is_left_alone() -> None:
    state = torch.get_rng_state()
    pearson_bootstrap(*_pair(), 50, seed=3)
    pearson_permutation_null(*_pair(), 50, seed=3)
    assert torch.equal(state, torch.get_rng_state())


def test_one_image_or_a_constant_column_has_no_interval() -> None:
    predicted, real = _pair()
    assert pearson_bootstrap(predicted[:1], real[:1], 20, 0).low.isnan().all()
    assert pearson_permutation_null(predicted[:1], real[:1], 20, 0).isnan().all()
    predicted[..., 1] = 0.1
    interval = pearson_bootstrap(predicted, real, 20, 0)
    null = pearson_permutation_null(predicted, real, 20, 0)
    assert interval.low.isnan().tolist() == [False, True, False]
    assert null.isnan().tolist() == [False, True, False]


def test_non_finite_values_are_refused() -> None:
    predicted, real = _pair()
    predicted[0, 0, 0] = torch.nan
    with pytest.raises(AuditError, match="not finite"):
        pearson_bootstrap(predicted, real, 5, 0)
    with pytest.raises(AuditError, match="not finite"):
        pearson_permutation_null(predicted, real, 5, 0)
