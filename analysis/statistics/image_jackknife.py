"""How much a measure would vary with other images, without drawing an image twice.

A bootstrap sample holds images more than once. A measure over *pairs* of observations (CKA, RSA)
then meets pairs of an observation with itself: both models call them alike, and the replicates lie
above the measure itself. Leaving images out makes no such pairs. Two ways, the same to first
order: the delete-a-group jackknife (Efron & Stein 1981; Busing et al. 1999 for unequal groups), and
the infinitesimal jackknife (Jaeckel 1972), which takes the derivative with respect to the weight
of each image instead of leaving it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.statistics.numerics import image_blocks

JACKKNIFE_GROUPS = 50  # at most: the standard error of 50 groups is known to a tenth
UNCERTAINTY_OBSERVATIONS = 2048  # at most, of whole images: matrices of all their pairs are held


@dataclass(frozen=True)
class Measured:
    """A measure of every layer of one model with every layer of another, and its doubt.

    `value`: (La, Lb). `variance`: (La, Lb) over samples of so many images; NaN where the measure
    is not defined. `permuted`: (permutations, La, Lb) with the images of the second model shuffled.
    """

    value: torch.Tensor
    variance: torch.Tensor
    permuted: torch.Tensor


def group_of_images(images: int, most: int = JACKKNIFE_GROUPS) -> torch.Tensor:
    """The jackknife group of each image, (images,): one each, or `most` as even as can be."""
    groups = min(images, most)
    return torch.arange(images) * groups // max(images, 1)


def jackknife_variance(
    value: torch.Tensor, left_out: torch.Tensor, sizes: torch.Tensor
) -> torch.Tensor:
    """Variance from the values with each group of images left out (Busing et al. 1999, eq. 2).

    With groups of one image: (n−1)/n · Σ (θ₍ᵢ₎ − mean)², the ordinary jackknife.

    :param value: (…) the measure over all images.
    :param left_out: (groups, …) the measure without each group.
    :param sizes: (groups,) images in each group.
    :returns: (…); NaN with fewer than two groups, or where a value is NaN.
    """
    groups = len(sizes)
    if groups < 2:
        return torch.full_like(value, torch.nan)
    shape = (groups, *[1] * value.ndim)
    times = (sizes.sum() / sizes).to(left_out).reshape(shape)
    pseudo = times * value - (times - 1) * left_out
    return ((pseudo - pseudo.mean(0)).square() / (times - 1)).mean(0)


def influence_variance(influence: torch.Tensor) -> torch.Tensor:
    """Variance from the derivative of a measure with respect to the weight of each image.

    :param influence: (images, …).
    :returns: (…); NaN with fewer than two images.
    """
    images = len(influence)
    if images < 2:
        return torch.full_like(influence[0], torch.nan)
    return (influence - influence.mean(0)).square().sum(0) * images / (images - 1)


def thinned(layers: Sequence[torch.Tensor], images: int) -> tuple[Sequence[torch.Tensor], int]:
    """Whole images, evenly spaced, so that there are at most `UNCERTAINTY_OBSERVATIONS` rows.

    :param layers: (images·patches, d) each, rows image after image.
    :returns: the layers of those images, and how many images they are.
    :raises AuditError: the rows do not divide evenly among the images.
    """
    patches = image_blocks(layers[0], images).shape[1]
    kept = max(4, UNCERTAINTY_OBSERVATIONS // patches)
    if images <= kept:
        return layers, images
    chosen = torch.linspace(0, images - 1, kept, dtype=torch.float64).round().long()
    return [
        image_blocks(layer, images)[chosen.to(layer.device)].flatten(0, 1) for layer in layers
    ], kept
