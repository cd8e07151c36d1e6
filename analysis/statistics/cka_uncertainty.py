"""Debiased linear CKA with its doubt: what other images, and images shuffled, would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.statistics.cka import cka_matrix
from analysis.statistics.image_jackknife import (
    Measured,
    group_of_images,
    jackknife_variance,
    thinned,
)
from analysis.statistics.numerics import centred_columns, widened
from analysis.statistics.permutation import random_permutations
from analysis.statistics.permuted_products import permuted_products


def measured_cka(
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    images: int,
    permutations: int = 0,
    seed: int = 0,
) -> Measured:
    """`cka_matrix` with its variance over images and its permutation replicates.

    The variance is the jackknife's. Nothing is approximated: HSIC₁ (Song et al. 2012, eq. 5) is
    made of sums over pairs, from which those of the images left out are taken away. Of more than
    `UNCERTAINTY_OBSERVATIONS` observations whole images, evenly spaced, stand for all: the
    variance is scaled to all images; the replicates are those of fewer images, and lie higher.

    :param first: La tensors (images·patches, d), rows image after image.
    :param second: Lb tensors, the same rows.
    :raises AuditError: as `cka_matrix`, or rows that do not divide evenly among the images.
    """
    value = cka_matrix(first, second)
    layers, kept = thinned([*first, *second], images)
    kernels = torch.stack([_kernel(layer) for layer in layers])
    sums = _sums(kernels, len(first), group_of_images(kept).to(kernels.device))
    variance = jackknife_variance(_whole(sums), _left_out(sums), sums.sizes)
    orders = random_permutations(kept, permutations, seed)
    return Measured(value, variance * kept / images, _permuted(kernels, sums, orders))


def _kernel(layer: torch.Tensor) -> torch.Tensor:
    """(n, n) inner products of centred features, with zeros on the diagonal."""
    features = centred_columns(layer)
    return (features @ features.T).fill_diagonal_(0)


@dataclass(frozen=True)
class _Sums:
    """Sums over pairs of observations, of which HSIC₁ with and without each group is made.

    `across` (G, La, Lb) and `own` (G, L): products of kernels over the rows of a group;
    `across_inside`, `own_inside`: over its own pairs alone. `rows` (L, n): sums of a kernel's
    rows; `by_group` (G, L, n): these over the columns of a group. `outside` (G, n): 1 for rows that
    are not in the group. `sizes` (G,): images.
    """

    first: int
    sizes: torch.Tensor
    outside: torch.Tensor
    rows: torch.Tensor
    by_group: torch.Tensor
    across: torch.Tensor
    across_inside: torch.Tensor
    own: torch.Tensor
    own_inside: torch.Tensor


def _sums(kernels: torch.Tensor, first: int, groups: torch.Tensor) -> _Sums:
    """:param kernels: (L, n, n), those of A first. :param groups: (images,), ascending."""
    sizes = groups.bincount()
    patches = kernels.shape[1] // len(groups)
    of_rows = groups.repeat_interleave(patches)
    member = torch.nn.functional.one_hot(of_rows, len(sizes)).to(kernels.dtype)
    by_group = widened(kernels @ member).permute(2, 0, 1)
    products = []
    ends = (sizes.cumsum(0) * patches).tolist()
    for start, end in zip([0, *ends], ends, strict=False):
        block = kernels[:, start:end]
        products.append((*_inner(block, first), *_inner(block[:, :, start:end], first)))
    across, own, across_inside, own_inside = (
        torch.stack(each) for each in zip(*products, strict=True)
    )
    return _Sums(
        first=first,
        sizes=sizes,
        outside=widened(1 - member.T),
        rows=by_group.sum(0),
        by_group=by_group,
        across=across,
        across_inside=across_inside,
        own=own,
        own_inside=own_inside,
    )


def _inner(block: torch.Tensor, first: int) -> tuple[torch.Tensor, torch.Tensor]:
    flat = block.flatten(1)
    return widened(flat[:first] @ flat[first:].T), widened(flat.square().sum(1))


def _whole(sums: _Sums) -> torch.Tensor:
    return _cka(sums.first, sums.across.sum(0), sums.own.sum(0), sums.rows, sums.rows.shape[1])


def _left_out(sums: _Sums) -> torch.Tensor:
    """(G, La, Lb): CKA without each group."""
    # A pair within the group was taken away with both of its rows.
    across = sums.across.sum(0) - 2 * sums.across + sums.across_inside
    own = sums.own.sum(0) - 2 * sums.own + sums.own_inside
    left = [
        _cka(sums.first, across[group], own[group], rows, int(sums.outside[group].sum()))
        for group in range(len(sums.sizes))
        for rows in [(sums.rows - sums.by_group[group]) * sums.outside[group]]
    ]
    return torch.stack(left)


def _cka(
    first: int, across: torch.Tensor, own: torch.Tensor, rows: torch.Tensor, count: int
) -> torch.Tensor:
    """CKA from products of kernels without diagonals, and the sums of their rows (L, n)."""
    totals = rows.sum(1)
    a, b = rows[:first], rows[first:]
    cross = _hsic(across, totals[:first, None] * totals[None, first:], a @ b.T, count)
    return cross / _scale(first, own, rows, count)


def _scale(first: int, own: torch.Tensor, rows: torch.Tensor, count: int) -> torch.Tensor:
    """√(HSIC₁ of A with itself · HSIC₁ of B with itself); NaN where a layer has none."""
    itself = _hsic(own, rows.sum(1).square(), rows.square().sum(1), count)
    itself = itself.where(itself > 0, torch.nan)
    return itself[:first, None].sqrt() * itself[None, first:].sqrt()


def _hsic(
    products: torch.Tensor, totals: torch.Tensor, row_products: torch.Tensor, count: int
) -> torch.Tensor:
    """n(n−3)·HSIC₁ (Song et al. 2012, eq. 5)."""
    return products + totals / ((count - 1) * (count - 2)) - 2 / (count - 2) * row_products


def _permuted(kernels: torch.Tensor, sums: _Sums, orders: torch.Tensor) -> torch.Tensor:
    first, rows = sums.first, sums.rows
    count = rows.shape[1]
    images = orders.shape[1]
    products = permuted_products(kernels[:first], kernels[first:], images, orders)
    blocks = rows[first:].reshape(len(rows) - first, images, -1)
    moved = blocks[:, orders.to(rows.device)].flatten(2)  # (Lb, permutations, n)
    row_products = torch.einsum("an,bpn->pab", rows[:first], moved)
    totals = rows.sum(1)
    cross = _hsic(products, totals[:first, None] * totals[None, first:], row_products, count)
    return cross / _scale(first, sums.own.sum(0), rows, count)
