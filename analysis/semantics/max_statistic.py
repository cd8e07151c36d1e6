"""Permutation tests of many statistics at once: alone, and corrected by their greatest."""

from __future__ import annotations

import torch

_ROUNDING = 1e-9  # statistics nearer than this are equal


def permutation_p(observed: torch.Tensor, null: torch.Tensor) -> torch.Tensor:
    """One-sided p of each statistic alone: how often chance reaches it.

    p = (1 + permutations that reach it) / (1 + permutations) (Phipson and Smyth 2010).

    :param observed: (…).
    :param null: (Q, …) the same under Q permutations; permutations without a value are left out.
    :returns: (…) float64; NaN where there is no observed value or no permutation has one.
    """
    have = ~null.isnan()
    reached = ((null >= observed - _ROUNDING) & have).sum(0)
    count = have.sum(0)
    p = (1 + reached).double() / (1 + count)
    return p.masked_fill(observed.isnan() | (count == 0), torch.nan)


def max_statistic_p(
    observed: torch.Tensor, null: torch.Tensor, standardise: bool = False
) -> torch.Tensor:
    """p of each statistic corrected for having looked at them all (Westfall and Young 1993).

    Each is compared with the greatest of all statistics in each permutation, which keeps how they
    hang together: the chance that any of those without an effect is called significant stays
    below the level.

    :param observed: (…).
    :param null: (Q, …), made with the same Q permutations for all statistics.
    :param standardise: subtract each statistic's mean under the null and divide by its spread
        first, for statistics that are not on one scale.
    :returns: (…) float64; NaN where there is no observed value.
    """
    flat, chance = observed.reshape(-1), null.reshape(len(null), -1)
    if standardise:
        centre, spread = null_moments(chance)
        flat, chance = (flat - centre) / spread, (chance - centre) / spread
    greatest = maximum_over(chance)
    return permutation_p(flat, greatest[:, None].expand(-1, len(flat))).reshape(observed.shape)


def null_moments(null: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation over permutations (Q, …); spread 1 where there is none."""
    centre = null.nanmean(0)
    spread = (null - centre).square().nanmean(0).sqrt()
    return centre, torch.where(spread > _ROUNDING, spread, torch.ones_like(spread))


def maximum_over(null: torch.Tensor) -> torch.Tensor:
    """The greatest statistic of each permutation (Q, k): (Q,); NaN where there is none."""
    lowest = null.masked_fill(null.isnan(), -torch.inf)
    if not null.shape[1]:
        return torch.full((len(null),), torch.nan, dtype=null.dtype, device=null.device)
    greatest = lowest.amax(1)
    return greatest.masked_fill(greatest.isneginf(), torch.nan)
