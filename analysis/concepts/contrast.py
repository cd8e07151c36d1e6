"""Patches that show what a concept is and where its prediction goes wrong (paper, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.concepts.presets import Preset, check_preset
from analysis.statistics.numerics import require_finite


@dataclass(frozen=True)
class PatchSelection:
    """Row numbers of patches, best first, one patch an image."""

    top: torch.Tensor
    under: torch.Tensor
    over: torch.Tensor


def select_patches(
    real: torch.Tensor,
    predicted: torch.Tensor,
    images: torch.Tensor,
    count: int = 10,
    preset: Preset = "paper",
) -> PatchSelection:
    """The patches with the largest real coefficient, and the most under- and over-predicted ones.

    `paper` keeps the images of the top patches out of both other lists, and lists only patches
    whose residual has the right sign; `reference` keeps them out of the under-predicted alone.
    Ties go to the earlier row.

    :param real: (n,) coefficients of one concept.
    :param predicted: (n,), on the same scale.
    :param images: (n,) the image of each patch.
    :returns: fewer than `count` rows where there are not enough images.
    :raises AuditError: a value is not finite.
    """
    check_preset(preset)
    require_finite(real, "Concept coefficients")
    require_finite(predicted, "Predicted concept coefficients")
    residual = real - predicted
    everything = torch.ones_like(images, dtype=torch.bool)
    top = _best(real, images, everything, count)
    outside_top = ~torch.isin(images, images[top])
    if preset == "paper":
        under = _best(residual, images, outside_top & (residual > 0), count)
        over = _best(-residual, images, outside_top & (residual < 0), count)
    else:
        under = _best(residual, images, outside_top, count)
        over = _best(-residual, images, everything, count)
    return PatchSelection(top, under, over)


def _best(
    values: torch.Tensor, images: torch.Tensor, allowed: torch.Tensor, count: int
) -> torch.Tensor:
    """Rows of the largest `values` among the allowed, at most one an image."""
    rows = allowed.nonzero()[:, 0]
    ranked = rows[values[rows].argsort(descending=True, stable=True)]
    _, image_index = torch.unique(images[ranked], return_inverse=True)
    places = torch.arange(ranked.numel(), device=values.device)
    first = torch.full_like(places, ranked.numel())
    first = first.scatter_reduce_(0, image_index, places, "amin")
    first = first[first < ranked.numel()].sort().values
    return ranked[first[:count]]
