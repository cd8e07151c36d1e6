"""Intervals by resampling images; never patches, since patches of one image are not independent."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.statistics.numerics import require_finite, seeded_generator, widened


@dataclass(frozen=True)
class Interval:
    """A percentile interval: `low`, `high` (k,), and the `replicates` (replicates, k) behind it."""

    low: torch.Tensor
    high: torch.Tensor
    level: float
    replicates: torch.Tensor


def resample_counts(
    images: int, replicates: int, seed: int, device: torch.device | None = None
) -> torch.Tensor:
    """How often each image appears in each bootstrap sample: (replicates, images), float."""
    drawn = torch.randint(images, (replicates, images), generator=seeded_generator(seed))
    counts = torch.zeros(replicates, images).scatter_add_(1, drawn, torch.ones(1).expand_as(drawn))
    return widened(counts if device is None else counts.to(device))


def quantile_interval(replicates: torch.Tensor, level: float = 0.95) -> Interval:
    """The percentile interval over the first dimension, leaving out undefined replicates."""
    tail = (1 - level) / 2
    return Interval(
        low=torch.nanquantile(replicates, tail, dim=0),
        high=torch.nanquantile(replicates, 1 - tail, dim=0),
        level=level,
        replicates=replicates,
    )


def correlation_from_sums(
    count: torch.Tensor | float,
    x: torch.Tensor,
    y: torch.Tensor,
    xx: torch.Tensor,
    yy: torch.Tensor,
    xy: torch.Tensor,
) -> torch.Tensor:
    """Pearson from sums over observations; NaN where either variable has no spread."""
    spread_x, spread_y = xx - x * x / count, yy - y * y / count
    # Rounding leaves a remainder of this size where the spread is truly zero.
    smallest = 64 * torch.finfo(xx.dtype).eps
    defined = (spread_x > smallest * xx) & (spread_y > smallest * yy)
    value = (xy - x * y / count) / (spread_x.clamp(min=0) * spread_y.clamp(min=0)).sqrt()
    return value.clamp(-1, 1).masked_fill(~defined, torch.nan)


def centred_to_unit(values: torch.Tensor) -> torch.Tensor:
    """Columns over (images, patches) centred and scaled to at most 1, so that sums keep digits."""
    wide = widened(values)
    centred = wide - wide.mean((0, 1), keepdim=True)
    largest = centred.abs().amax((0, 1), keepdim=True)
    return centred / largest.where(largest > 0, torch.ones_like(largest))


def pearson_bootstrap(
    predicted: torch.Tensor,
    real: torch.Tensor,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of the columnwise Pearson correlation, images resampled with replacement.

    Works on sums per image, so a replicate costs one row of a matrix product.

    :param predicted: (images, patches, k).
    :param real: (images, patches, k).
    :returns: interval with (k,) bounds; NaN with fewer than two images or a constant column.
    :raises AuditError: a value is not finite.
    """
    require_finite(predicted, "Predicted concept coefficients")
    require_finite(real, "Concept coefficients")
    images, patches, _ = real.shape
    x, y = centred_to_unit(predicted), centred_to_unit(real)
    counts = resample_counts(images, replicates, seed, real.device)
    sums = [counts @ term.sum(1) for term in (x, y, x * x, y * y, x * y)]
    values = correlation_from_sums(float(images * patches), *sums)
    if images < 2:
        values = torch.full_like(values, torch.nan)
    return quantile_interval(values, level)
