"""Permutation p values against their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.semantics.max_statistic import (
    max_statistic_p,
    maximum_over,
    permutation_p,
)


def test_p_counts_permutations_that_reach_the_value() -> None:
    null = torch.tensor([[1.0, 5.0], [2.0, torch.nan], [3.0, 7.0]])
    p = permutation_p(torch.tensor([2.0, 6.0]), null)
    assert p.tolist() == [3 / 4, 2 / 3]
    assert bool(permutation_p(torch.tensor([torch.nan]), null[:, :1]).isnan())


def test_correction_is_by_the_greatest_of_each_permutation() -> None:
    generator = torch.Generator().manual_seed(0)
    null = torch.randn(50, 3, 4, generator=generator)
    null[4, 1, 1] = torch.nan
    observed = torch.randn(3, 4, generator=generator) + 1
    observed[0, 0] = torch.nan
    p = max_statistic_p(observed, null)
    greatest = np.nanmax(null.flatten(1).numpy(), axis=1)
    for row in range(3):
        for column in range(4):
            value = float(observed[row, column])
            expected = (1 + (greatest >= value).sum()) / 51 if value == value else np.nan
            assert float(p[row, column]) == pytest.approx(expected, nan_ok=True)
    alone = permutation_p(observed, null)
    assert bool((p >= alone - 0.02)[~p.isnan()].all())


def test_standardised_statistics_do_not_depend_on_their_scale() -> None:
    generator = torch.Generator().manual_seed(1)
    null, observed = torch.randn(80, 5, generator=generator), torch.rand(5, generator=generator) * 3
    scale, shift = torch.tensor([1.0, 100, 0.01, 5, 2]), torch.tensor([0.0, 7, -3, 1, 1])
    first = max_statistic_p(observed, null, standardise=True)
    second = max_statistic_p(observed * scale + shift, null * scale + shift, standardise=True)
    torch.testing.assert_close(first, second)


def test_nothing_to_compare_is_no_number() -> None:
    assert bool(maximum_over(torch.full((3, 2), torch.nan)).isnan().all())
    assert bool(maximum_over(torch.empty(3, 0)).isnan().all())
