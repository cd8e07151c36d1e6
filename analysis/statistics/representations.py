"""RSA and Procrustes: how alike two representations of the same observations are, beside CKA.

None of them looks at single features: a rotation of a representation changes no value of
Procrustes or CKA, and RSA compares only which observations a layer takes to be alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.statistics.correlation import average_ranks, unit_columns
from analysis.statistics.numerics import (
    accumulation_dtype,
    centred_columns,
    common_observations,
    widened,
)

RSA_OBSERVATIONS = 2048  # at most, evenly taken: all pairs of them are ranked


def rsa_matrix(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]) -> torch.Tensor:
    """Representational similarity analysis of every layer of one model with those of another.

    Kriegeskorte et al. 2008: the dissimilarity of two observations in a layer is 1 − the Pearson
    correlation of their features; two layers are as alike as the Spearman correlation of the upper
    triangles of their dissimilarities. An observation whose features all have one value has no
    dissimilarity and is left out of the pairs of layers in which that happens. Of more than
    `RSA_OBSERVATIONS` observations so many, evenly spaced, are compared.

    :param first: La tensors (n, d), one a layer.
    :param second: Lb tensors (n, d), the same observations.
    :returns: (La, Lb) in −1…1; NaN where fewer than four observations are left, or a layer takes
        all of them to be equally alike.
    :raises AuditError: fewer than four observations, different numbers of them, or a value that
        is not finite.
    """
    layers = [*first, *second]
    count = common_observations(layers, "RSA")
    if count > RSA_OBSERVATIONS:
        kept = torch.linspace(0, count - 1, RSA_OBSERVATIONS, dtype=torch.float64).round().long()
        layers = [layer[kept.to(layer.device)] for layer in layers]
    unit = [unit_columns(layer.T) for layer in layers]
    varying = [~columns.isnan().any(0) for columns in unit]
    ranked: dict[tuple[int, bytes], torch.Tensor] = {}

    def ranks(layer: int, kept: torch.Tensor) -> torch.Tensor:
        key = (layer, kept.cpu().numpy().tobytes())
        if key not in ranked:
            ranked[key] = _unit_ranks(unit[layer][:, kept])
        return ranked[key]

    result = unit[0].new_full((len(first), len(second)), torch.nan)
    for i in range(len(first)):
        for j in range(len(second)):
            other = len(first) + j
            kept = varying[i] & varying[other]
            if int(kept.sum()) >= 4:
                product = widened(ranks(i, kept)) @ widened(ranks(other, kept))
                result[i, j] = product.clamp(-1, 1)
    return result


def _unit_ranks(unit: torch.Tensor) -> torch.Tensor:
    """Centred ranks of unit length, float32, of the dissimilarities of the columns of `unit`."""
    count = unit.shape[1]
    alike = unit.T @ unit
    rows, columns = torch.triu_indices(count, count, 1, device=unit.device)
    return unit_columns(average_ranks(1 - alike[rows, columns][:, None]))[:, 0].float()


def procrustes_matrix(
    first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Procrustes similarity of every layer of one model with every layer of another.

    ‖XᵀY‖∗ / (‖X‖·‖Y‖) of centred features, ‖·‖∗ the nuclear norm: the greatest cosine that a
    rotation or reflection of one representation can have with the other, which is the cosine of
    the angular Procrustes distance (Williams et al. 2021, eq. 4 and 5). With many more features
    than observations any two representations can be turned to fit, and values are high by chance.

    :param first: La tensors (n, d), one a layer.
    :param second: Lb tensors (n, d), the same observations; d may differ.
    :returns: (La, Lb) in 0…1; NaN where a layer is constant.
    :raises AuditError: as `rsa_matrix`.
    """
    layers = [*first, *second]
    count = common_observations(layers, "Procrustes similarity")
    factors = [aligned_factor(layer, count) for layer in layers]
    dtype = accumulation_dtype(layers[0].device)
    result = torch.full((len(first), len(second)), torch.nan, dtype=dtype)
    for i, one in enumerate(factors[: len(first)]):
        for j, other in enumerate(factors[len(first) :]):
            if one is not None and other is not None:
                result[i, j] = _nuclear_norm(one.T @ other).clamp(0, 1).to(dtype)
    return result.to(layers[0].device)


def aligned_factor(layer: torch.Tensor, count: int) -> torch.Tensor | None:
    """(n, r) of Frobenius norm 1, r ≤ n, with the layer's inner products: the same to rotations.

    Float64, on the processor where the device has none: small eigenvalues count here.
    """
    device = layer.device if accumulation_dtype(layer.device) == torch.float64 else "cpu"
    features = centred_columns(layer.to(device).double())
    length = torch.linalg.matrix_norm(features)
    if not bool(length > 0):
        return None
    features = features / length
    if features.shape[1] <= count:
        return features
    values, vectors = torch.linalg.eigh(features @ features.T)
    kept = values > values[-1] * 1e-13
    return vectors[:, kept] * values[kept].sqrt()


def _nuclear_norm(matrix: torch.Tensor) -> torch.Tensor:
    """The sum of the singular values, from the smaller of both Gram matrices."""
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    return torch.linalg.eigvalsh(small @ small.T).clamp(min=0).sqrt().sum()
