"""Representational similarity with its doubt: other images, and images shuffled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.statistics.correlation import ranks_and_order, unit_columns
from analysis.statistics.image_jackknife import Measured, influence_variance, thinned
from analysis.statistics.numerics import common_observations, widened
from analysis.statistics.permutation import random_permutations
from analysis.statistics.permuted_products import permuted_products
from analysis.statistics.representations import rsa_matrix


def measured_rsa(
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    images: int,
    permutations: int = 0,
    seed: int = 0,
) -> Measured:
    """`rsa_matrix` with its variance over images and its permutation replicates.

    The variance is the infinitesimal jackknife's: an image's influence is the sum of those of all
    pairs of patches it has a part in, of Spearman's coefficient with the ranks' own share in it
    (Croux & Dehon 2010, eq. 8). Shuffling images shuffles ranks, which are therefore taken once.
    Of more than `UNCERTAINTY_OBSERVATIONS` observations whole images, evenly spaced, stand for all.
    Pairs without a dissimilarity in a layer have the rank of the middle there.

    :param first: La tensors (images·patches, d), rows image after image.
    :param second: Lb tensors, the same rows.
    :raises AuditError: as `rsa_matrix`, or rows that do not divide evenly among the images.
    """
    common_observations([*first, *second], "RSA")
    layers, kept = thinned([*first, *second], images)
    count = len(layers[0])
    pairs = torch.triu_indices(count, count, 1, device=layers[0].device)
    ranked = [_ranked(layer, pairs) for layer in layers]
    a, b = (_Ranks.stacked(part) for part in (ranked[: len(first)], ranked[len(first) :]))
    complete = kept == images and all(one.complete for one in ranked)
    value = (
        (widened(a.ranks) @ widened(b.ranks).T).clamp(-1, 1)
        if complete
        else rsa_matrix(first, second)
    )
    flat = pairs[0] * count + pairs[1]
    variance = torch.stack([
        influence_variance(_influence(a.one(layer), b, flat, kept, count))
        for layer in range(len(first))
    ])  # fmt: skip
    orders = random_permutations(kept, permutations, seed)
    permuted = permuted_products(
        _full(a.ranks, flat, count), _full(b.ranks, flat, count), kept, orders
    )
    undefined = value.isnan()
    return Measured(
        value,
        variance.masked_fill(undefined, torch.nan),
        (permuted / 2).masked_fill(undefined, torch.nan),
    )


@dataclass(frozen=True)
class _Ranks:
    """Dissimilarities of M pairs of observations in one layer (M,) or several (L, M).

    `ranks`: centred and of unit length, 0 where there is none; `order`: places from the smallest
    dissimilarity on; `known`: 1 where there is one. `complete`: there is one everywhere.
    """

    ranks: torch.Tensor
    order: torch.Tensor
    known: torch.Tensor
    complete: bool

    @classmethod
    def stacked(cls, layers: Sequence[_Ranks]) -> _Ranks:
        ranks, order, known = (
            torch.stack([getattr(one, name) for one in layers])
            for name in ("ranks", "order", "known")
        )
        return cls(ranks, order, known, all(one.complete for one in layers))

    def one(self, layer: int) -> _Ranks:
        return _Ranks(self.ranks[layer], self.order[layer], self.known[layer], self.complete)


def _ranked(layer: torch.Tensor, pairs: torch.Tensor) -> _Ranks:
    unit = unit_columns(layer.T)
    varying = ~unit.isnan().any(0)
    unlike = 1 - (unit.T @ unit)[pairs[0], pairs[1]]
    known = varying[pairs[0]] & varying[pairs[1]]
    complete = bool(known.all())
    chosen = unlike if complete else unlike[known]
    if len(chosen) < 2:
        nothing = torch.zeros(len(unlike), device=unlike.device)
        return _Ranks(nothing, nothing.argsort(), known.float(), complete)
    ranks, order = (values[:, 0] for values in ranks_and_order(chosen[:, None]))
    ranks = unit_columns(ranks[:, None])[:, 0].float().nan_to_num(0.0)
    if not complete:
        places = known.nonzero()[:, 0]
        order = torch.cat([places[order], (~known).nonzero()[:, 0]])
        ranks = torch.zeros(len(unlike), device=unlike.device).index_copy_(0, places, ranks)
    return _Ranks(ranks, order, known.float(), complete)


def _influence(
    one: _Ranks, others: _Ranks, flat: torch.Tensor, images: int, count: int
) -> torch.Tensor:
    """(images, Lb) derivatives of the correlation with respect to the weight of each image."""
    both = one.known * others.known
    pairs = both.sum(1, keepdim=True).clamp(min=1)
    # The pair itself, then its part in the ranks of the pairs above it, in either layer.
    ranks_of_one = _tail(others.ranks, one.order.expand_as(others.order))
    ranks_of_others = _tail(one.ranks.expand_as(others.ranks), others.order)
    value = (one.ranks * others.ranks).sum(1, keepdim=True)
    influence = one.ranks * others.ranks
    influence += (ranks_of_one + ranks_of_others) * (math.sqrt(12) / pairs**1.5)
    influence -= 3 * value / pairs
    by_pair = _full(influence * both, flat, count, twice=False)
    patches = count // images
    split = widened(by_pair).reshape(len(by_pair), images, patches, images, patches).sum((2, 4))
    touching = split.sum(1) + split.sum(2) - split.diagonal(dim1=1, dim2=2)
    return touching.T


def _tail(values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """The sum of `values` (L, M) after each place in an order, and half of that at the place."""
    sorted_values = values.gather(1, order)
    before = sorted_values.cumsum(1) - sorted_values / 2
    return torch.empty_like(values).scatter_(1, order, before).neg_()


def _full(values: torch.Tensor, flat: torch.Tensor, count: int, twice: bool = True) -> torch.Tensor:
    """(L, M) of pairs as (L, n, n) matrices: above the diagonal, or symmetric if `twice`."""
    matrix = values.new_zeros(len(values), count * count).index_copy_(1, flat, values)
    matrix = matrix.reshape(len(values), count, count)
    return matrix + matrix.transpose(1, 2) if twice else matrix
