"""Debiased linear CKA: similarity of representations that does not grow with the features."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.statistics.numerics import (
    accumulation_dtype,
    centred_columns,
    common_observations,
    widened,
)

_BLOCK_VALUES = 1 << 24  # kernel values held at once, over all layers


def cka_matrix(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]) -> torch.Tensor:
    """Debiased linear CKA of every layer of one model with every layer of another.

    Kornblith et al. 2019 (eq. 3–4) with HSIC₁ of Song et al. 2012 (eq. 5), as Nguyen et al. 2021.

    The kernel of each layer is formed once, a block of rows at a time, and all pairs of layers
    are one product of the blocks.

    :param first: La tensors (n, d), one a layer.
    :param second: Lb tensors (n, d).
    :returns: (La, Lb), at most 1 (may be slightly negative); NaN where a layer is constant.
    :raises AuditError: fewer than four observations, a value that is not finite, or layers with
        different numbers of observations.
    """
    layers = [*first, *second]
    count = common_observations(layers, "CKA")
    centred = [centred_columns(layer) for layer in layers]
    dtype = accumulation_dtype(layers[0].device)
    diagonals = torch.stack([widened(layer).square().sum(1) for layer in centred])
    inner = torch.zeros(len(first), len(second), dtype=dtype, device=layers[0].device)
    own = torch.zeros(len(layers), dtype=dtype, device=layers[0].device)
    block = max(1, min(count, _BLOCK_VALUES // (count * len(layers))))
    for start in range(0, count, block):
        kernels = torch.stack(
            [widened(layer[start : start + block] @ layer.T).flatten() for layer in centred]
        )
        inner += kernels[: len(first)] @ kernels[len(first) :].T
        own += kernels.square().sum(1)
    a, b = diagonals[: len(first)], diagonals[len(first) :]
    cross = _debias(inner, a @ b.T, a.sum(1)[:, None] * b.sum(1)[None], count)
    itself = _debias(own, diagonals.square().sum(1), diagonals.sum(1).square(), count)
    # A constant layer has a kernel of zeros: no similarity is defined.
    itself = itself.where((itself > 0) & (diagonals.sum(1) > 0), torch.full_like(itself, torch.nan))
    scale = itself[: len(first), None].sqrt() * itself[None, len(first) :].sqrt()
    return (cross / scale).clamp(max=1)


def _debias(
    inner: torch.Tensor, diagonal_inner: torch.Tensor, traces: torch.Tensor, count: int
) -> torch.Tensor:
    """n(n−3)·HSIC₁ from ⟨K, L⟩, ⟨diag K, diag L⟩ and tr K·tr L of kernels of centred features.

    Centred features have kernels with rows that sum to zero; with the diagonal taken out, row i
    sums to −K_ii, which turns the sums over rows of HSIC₁ into sums over diagonals.
    """
    off_diagonal = inner - diagonal_inner
    return off_diagonal + traces / ((count - 1) * (count - 2)) - 2 / (count - 2) * diagonal_inner
