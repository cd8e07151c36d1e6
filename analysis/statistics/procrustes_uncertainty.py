"""Procrustes similarity with its doubt: what other images, and images shuffled, would give."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.statistics.image_jackknife import Measured, influence_variance, thinned
from analysis.statistics.numerics import accumulation_dtype, common_observations
from analysis.statistics.permutation import random_permutations
from analysis.statistics.representations import aligned_factor, procrustes_matrix

# Singular values below this share of the greatest are taken for rounding: directions of nothing.
_SMALLEST = 1e-6


def measured_procrustes(
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    images: int,
    permutations: int = 0,
    seed: int = 0,
) -> Measured:
    """`procrustes_matrix` with its variance over images and its permutation replicates.

    The variance is the infinitesimal jackknife's. The derivative of the nuclear norm of M = UΣVᵀ
    is ⟨UVᵀ, dM⟩ (Watson 1992), so that an image's influence is the sum over its patches of xᵀUVᵀy,
    less its share in the lengths of both representations. The replicates need the singular values
    of every pair of layers anew: ask for few, and see `permuted_quantile`.
    Of more than `UNCERTAINTY_OBSERVATIONS` observations whole images, evenly spaced, stand for all:
    the variance is scaled to all images; the replicates are those of fewer images, and lie higher.

    :param first: La tensors (images·patches, d), rows image after image.
    :param second: Lb tensors, the same rows.
    :raises AuditError: as `procrustes_matrix`, or rows that do not divide evenly among the images.
    """
    common_observations([*first, *second], "Procrustes similarity")
    layers, kept = thinned([*first, *second], images)
    count = len(layers[0])
    factors = [aligned_factor(layer, count) for layer in layers]
    dtype, device = accumulation_dtype(layers[0].device), layers[0].device
    orders = random_permutations(kept, permutations, seed)
    shape = (len(first), len(second))
    value = torch.full(shape, torch.nan, dtype=dtype)
    variance = value.clone()
    permuted = torch.full((permutations, *shape), torch.nan, dtype=dtype)
    for i in range(len(first)):
        for j in range(len(second)):
            one, other = factors[i], factors[len(first) + j]
            if one is None or other is None:
                continue
            norm, influence = _norm_and_influence(one, other, kept)
            value[i, j] = norm.clamp(0, 1).to(dtype)
            variance[i, j] = influence_variance(influence).to(dtype) * kept / images
            permuted[:, i, j] = _shuffled_norms(one.float(), other.float(), orders).to(dtype)
    whole = value.to(device) if kept == images else procrustes_matrix(first, second)
    return Measured(whole, variance.to(device), permuted.to(device))


def _norm_and_influence(
    one: torch.Tensor, other: torch.Tensor, images: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """‖oneᵀ·other‖∗ and its derivatives with respect to the weight of each image, (images,)."""
    if one.shape[1] > other.shape[1]:
        one, other = other, one
    product = one.T @ other
    squares, vectors = torch.linalg.eigh(product @ product.T)
    values = squares.clamp(min=0).sqrt()
    norm = values.sum()
    kept = values > values[-1] * _SMALLEST
    left = vectors[:, kept].float()
    # V = MᵀU/σ: the other side's vectors without a decomposition of their own.
    right = (product.T.float() @ left) / values[kept].float()
    agreeing = (one.float() @ left * (other.float() @ right)).sum(1).double()
    lengths = (one.square().sum(1) + other.square().sum(1)) / 2
    by_patch = agreeing - norm * lengths
    return norm, by_patch.reshape(images, -1).sum(1)


def _shuffled_norms(one: torch.Tensor, other: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """(permutations,) nuclear norms with the images of `other` shuffled, in float32."""
    images = orders.shape[1]
    blocks = other.reshape(images, -1, other.shape[1])
    norms = one.new_empty(len(orders))
    for number, order in enumerate(orders.to(one.device)):
        product = one.T @ blocks[order].flatten(0, 1)
        small = product if product.shape[0] <= product.shape[1] else product.T
        norms[number] = torch.linalg.eigvalsh(small @ small.T).clamp(min=0).sqrt().sum()
    return norms.clamp(0, 1)
