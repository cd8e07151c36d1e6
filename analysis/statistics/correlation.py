"""Pearson and Spearman correlations between columns, batched; a constant column gives NaN."""

from __future__ import annotations

import torch

from analysis.statistics.numerics import widened


def unit_columns(values: torch.Tensor) -> torch.Tensor:
    """Centre each column and scale it to unit length.

    :param values: (…, n, k).
    :returns: (…, n, k), float64 (float32 on MPS); a constant column is NaN throughout.
    """
    constant = (values == values[..., :1, :]).all(-2, keepdim=True)
    wide = widened(values)
    centred = wide - wide.mean(-2, keepdim=True)
    # Squares of very small or large coefficients would leave the range of the format.
    centred = centred / centred.abs().amax(-2, keepdim=True)
    unit = centred / torch.linalg.vector_norm(centred, dim=-2, keepdim=True)
    return unit.masked_fill(constant, torch.nan)


def pearson(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Pearson correlation of every column of `first` with every column of `second`.

    :param first: (…, n, k1).
    :param second: (…, n, k2), the same n observations.
    :returns: (…, k1, k2) in −1…1; NaN where a column is constant.
    """
    product = unit_columns(first).transpose(-2, -1) @ unit_columns(second)
    return product.clamp(-1, 1)


def columnwise_pearson(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Pearson correlation of each column of `first` with the same column of `second`.

    :param first: (…, n, k).
    :param second: (…, n, k).
    :returns: (…, k) in −1…1; NaN where a column is constant.
    """
    return (unit_columns(first) * unit_columns(second)).sum(-2).clamp(-1, 1)


def average_ranks(values: torch.Tensor) -> torch.Tensor:
    """Rank each column from 1; ties share the mean of their ranks.

    :param values: (…, n, k).
    :returns: (…, n, k) ranks, float64 (float32 on MPS).
    """
    return ranks_and_order(values)[0]


def ranks_and_order(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ranks as of `average_ranks`, and the places of each column's values from the smallest on.

    :param values: (…, n, k).
    :returns: (…, n, k) ranks, (…, n, k) int64 places.
    """
    rows = values.transpose(-2, -1).contiguous()
    ordered, order = rows.sort(dim=-1)
    count = rows.shape[-1]
    positions = torch.arange(count, device=rows.device).expand_as(order)
    starts = torch.ones_like(ordered, dtype=torch.bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    ends = starts.roll(-1, dims=-1)
    ends[..., -1] = True
    first = positions.where(starts, torch.zeros_like(positions)).cummax(-1).values
    last = positions.where(ends, torch.full_like(positions, count - 1))
    last = last.flip(-1).cummin(-1).values.flip(-1)
    ranks = widened((first + last).to(torch.float32)) / 2 + 1
    ranks = torch.empty_like(ranks).scatter_(-1, order, ranks)
    return ranks.transpose(-2, -1), order.transpose(-2, -1)


def spearman(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Spearman correlation of every column of `first` with every column of `second`.

    Exact with ties (average ranks). Shapes as in `pearson`.
    """
    return pearson(average_ranks(first), average_ranks(second))


def columnwise_spearman(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Spearman correlation of each column of `first` with the same column of `second`."""
    return columnwise_pearson(average_ranks(first), average_ranks(second))
