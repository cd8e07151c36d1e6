"""How concentrated a map is (sparseness, complexity), and whether on the object (localisation)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.errors import AuditError
from analysis.faithfulness.metrics import GRID
from analysis.faithfulness.ranking import checked_maps, enlarge
from analysis.saliency.maps import upsample
from analysis.statistics.numerics import widened


def sparseness(maps: torch.Tensor, grid: int = GRID) -> torch.Tensor:
    """Gini index of each map brought to 0…1 on grid × grid pixels, (n,).

    G = Σ (2i − N − 1) x₍ᵢ₎ / (N Σ x), values in ascending order (Hurley and Rickard 2009,
    Chalasani et al. 2020). NaN where the map is the same everywhere.
    """
    values = widened(upsample(checked_maps(maps), grid).flatten(1))
    ordered = values.sort(1).values
    count = values.shape[1]
    weights = 2 * torch.arange(1, count + 1, device=maps.device).to(values) - count - 1
    total = values.sum(1)
    return torch.where(total > 0, (ordered * weights).sum(1) / (count * total), torch.nan)


def complexity(maps: torch.Tensor, grid: int = GRID) -> torch.Tensor:
    """Entropy −Σ p ln p in nats of each map brought to 0…1 on grid × grid pixels, (n,).

    p is each pixel's share of the map's sum (Bhatt et al. 2020). NaN where the map is the same
    everywhere.
    """
    values = widened(upsample(checked_maps(maps), grid).flatten(1))
    total = values.sum(1, keepdim=True)
    shares = values / total
    entropy = -torch.special.xlogy(shares, shares).sum(1)
    return torch.where(total[:, 0] > 0, entropy, torch.nan)


@dataclass(frozen=True)
class Localisation:
    """`pointing` 0 or 1, `energy` 0…1; (n,) each, NaN where nothing can be said."""

    pointing: torch.Tensor
    energy: torch.Tensor


def localisation(maps: torch.Tensor, masks: torch.Tensor, tolerance: int = 0) -> Localisation:
    """Whether the most important pixel lies on the object, and the map's share there.

    Maps are brought to the masks' size. Pointing game (Zhang et al. 2018): the first of the
    greatest pixels in raster order lies on the mask, or at most `tolerance` pixels from it. Energy
    (Wang et al. 2020): of the map brought to 0…1; NaN where the map is the same everywhere. Both
    are NaN where the mask is empty.

    :param maps: (n, rows, columns).
    :param masks: (n, height, width) bool, over the same square.
    :raises AuditError: the masks do not fit.
    """
    maps = checked_maps(maps)
    if masks.ndim != 3 or len(masks) != len(maps):
        raise AuditError(
            "There is one mask (height, width) for each map.",
            f"Got {tuple(masks.shape)} for {len(maps)} maps.",
        )
    masks = masks.to(maps.device, torch.bool)
    height, width = masks.shape[-2:]
    exists = masks.flatten(1).any(1)
    values = enlarge(maps, height, width).flatten(1)
    places = torch.arange(height * width, device=maps.device)
    greatest = values == values.amax(1, keepdim=True)
    first = torch.where(greatest, places, height * width).amin(1).clamp_max(height * width - 1)
    rows, columns = places // width, places % width
    distance = (rows - (first // width)[:, None]) ** 2 + (columns - (first % width)[:, None]) ** 2
    hit = ((distance <= tolerance**2) & masks.flatten(1)).any(1).float()
    heights = widened(upsample(maps, (height, width)).flatten(1))
    total = heights.sum(1)
    energy = (heights * masks.flatten(1)).sum(1) / total
    return Localisation(
        torch.where(exists, hit, torch.nan),
        torch.where(exists & (total > 0), energy, torch.nan),
    )
