from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics.correlation import (
    average_ranks,
    columnwise_pearson,
    columnwise_spearman,
    pearson,
    spearman,
)


def _columns(seed: int, rows: int, columns: int, ties: bool = False) -> torch.Tensor:
    values = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    return (values * 2).round() if ties else values


@pytest.mark.parametrize("ties", [False, True])
def test_every_pair_as_scipy(ties: bool) -> None:
    a, b = _columns(0, 50, 4, ties), _columns(1, 50, 3, ties)
    for i in range(4):
        for j in range(3):
            x, y = a[:, i].double().numpy(), b[:, j].double().numpy()
            assert pearson(a, b)[i, j].item() == pytest.approx(scipy.stats.pearsonr(x, y)[0])
            assert spearman(a, b)[i, j].item() == pytest.approx(scipy.stats.spearmanr(x, y)[0])


def test_columnwise_is_the_diagonal_and_batches() -> None:
    a = torch.stack([_columns(s, 30, 4) for s in (0, 1)])
    b = torch.stack([_columns(s, 30, 4) for s in (2, 3)])
    diagonal = pearson(a, b).diagonal(dim1=-2, dim2=-1)
    assert torch.allclose(columnwise_pearson(a, b), diagonal)
    ranked = spearman(a, b).diagonal(dim1=-2, dim2=-1)
    assert torch.allclose(columnwise_spearman(a, b), ranked)


def test_constant_columns_and_single_rows_have_no_correlation() -> None:
    a = _columns(0, 20, 2)
    a[:, 1] = 0.1
    assert pearson(a, a)[0, 0].item() == pytest.approx(1)
    assert pearson(a, a)[1].isnan().all()
    assert spearman(a, a)[:, 1].isnan().all()
    assert pearson(a[:1], a[:1]).isnan().all()


def test_very_small_and_very_large_coefficients() -> None:
    a = _columns(0, 20, 2).double()
    scaled = a * torch.tensor([1e-200, 1e200], dtype=torch.float64)
    assert torch.allclose(pearson(scaled, a), pearson(a, a))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
@settings(deadline=None, max_examples=60)
def test_ranks_with_ties(values: list[int]) -> None:
    ranks = average_ranks(torch.tensor(values, dtype=torch.float32)[:, None])[:, 0].numpy()
    np.testing.assert_allclose(ranks, scipy.stats.rankdata(values))


@given(st.floats(0.01, 100), st.floats(-5, 5))
@settings(deadline=None, max_examples=25)
def test_positive_rescaling_changes_nothing(scale: float, shift: float) -> None:
    a, b = _columns(0, 40, 3).double(), _columns(1, 40, 3).double()
    assert torch.allclose(pearson(a * scale + shift, b), pearson(a, b), atol=1e-9)
    assert torch.allclose(spearman(a * scale, b), spearman(a, b))
