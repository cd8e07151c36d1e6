"""What chance would give: image blocks permuted against one another."""

from __future__ import annotations

import torch

from analysis.statistics.bootstrap import centred_to_unit
from analysis.statistics.correlation import unit_columns
from analysis.statistics.numerics import require_finite, seeded_generator


def random_permutations(images: int, permutations: int, seed: int) -> torch.Tensor:
    """(permutations, images) uniformly drawn orders, on the CPU."""
    draws = torch.rand(permutations, images, generator=seeded_generator(seed), dtype=torch.float64)
    return draws.argsort(1)


def pearson_permutation_replicates(
    predicted: torch.Tensor, real: torch.Tensor, permutations: int = 1000, seed: int = 0
) -> torch.Tensor:
    """Columnwise Pearson correlations after permuting whole images of `predicted`.

    Patches keep their position within the image, so that what is common to a position (sky above,
    ground below) stays in the null.

    :param predicted: (images, patches, k).
    :param real: (images, patches, k).
    :returns: (permutations, k); NaN where a column is constant or there is a single image.
    :raises AuditError: a value is not finite.
    """
    require_finite(predicted, "Predicted concept coefficients")
    require_finite(real, "Concept coefficients")
    images, _, concepts = real.shape
    x = _unit_blocks(predicted)
    y = _unit_blocks(real)
    if images < 2:
        return torch.full((permutations, concepts), torch.nan, dtype=x.dtype, device=x.device)
    # Every pairing of two images is needed again and again: all of them once, then look-ups.
    pairings = torch.einsum("apk,bpk->abk", x, y)
    orders = random_permutations(images, permutations, seed).to(real.device)
    places = torch.arange(images, device=real.device)
    total = torch.zeros(permutations, concepts, dtype=x.dtype, device=x.device)
    for place in places:
        total += pairings[orders[:, place], place]
    return total.clamp(-1, 1)


def pearson_permutation_null(
    predicted: torch.Tensor, real: torch.Tensor, permutations: int = 1000, seed: int = 0
) -> torch.Tensor:
    """The 95th percentile of `pearson_permutation_replicates` (one-sided), (k,)."""
    replicates = pearson_permutation_replicates(predicted, real, permutations, seed)
    return torch.nanquantile(replicates, 0.95, dim=0)


def _unit_blocks(values: torch.Tensor) -> torch.Tensor:
    """(images, patches, k) with each column centred and of unit length over all patches."""
    rows = values.reshape(-1, values.shape[-1])
    constant = (rows == rows[:1]).all(0)
    unit = unit_columns(centred_to_unit(values).reshape(rows.shape))
    return unit.masked_fill(constant, torch.nan).reshape(values.shape)
