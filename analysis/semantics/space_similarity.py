"""SFSS: do two layers order the same images alike, seen from the same concepts?

From the published formulas (Mikriukov et al. 2023): of every concept the correlation over images
of its attributions, cosines of the concept's vector with the images' features, in the two layers;
then the mean over concepts. Called ranking-based, its formula is Pearson's; Spearman stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.errors import AuditError
from analysis.seeds import derive_seed
from analysis.semantics.max_statistic import max_statistic_p, maximum_over, permutation_p
from analysis.statistics.bootstrap import (
    centred_to_unit,
    correlation_from_sums,
    quantile_interval,
    resample_counts,
)
from analysis.statistics.correlation import average_ranks, unit_columns
from analysis.statistics.permutation import random_permutations

_LEAST_IMAGES = 4
_BLOCK_VALUES = 1 << 23  # resampled or permuted attributions held at once


@dataclass(frozen=True)
class ConceptSimilarity:
    """SFSS of one kind of summary: of each concept (La, Lb, C), or of their mean (La, Lb).

    `ci_low`, `ci_high`: over images, of Pearson. `null_95`: what one permutation of the images in
    twenty reaches; `p`: one-sided. `max_null_95`: the same for the greatest over all pairs of
    layers, (C,) or (); `p_adjusted`: for having looked at all pairs of layers.
    """

    pearson: torch.Tensor
    spearman: torch.Tensor
    ci_low: torch.Tensor
    ci_high: torch.Tensor
    null_95: torch.Tensor
    p: torch.Tensor
    max_null_95: torch.Tensor
    p_adjusted: torch.Tensor


@dataclass(frozen=True)
class SpaceSimilarity:
    """SFSS of every pair of layers of two models, on the CPU in float64.

    `concepts`: of each concept; `mean`: over concepts that are defined in both layers.
    `fisher_pearson`, `fisher_spearman`: (La, Lb) means by Fisher's z, which strong concepts do not
    pull down. `concepts_used`: (La, Lb). `n`: images.
    """

    concepts: ConceptSimilarity
    mean: ConceptSimilarity
    fisher_pearson: torch.Tensor
    fisher_spearman: torch.Tensor
    concepts_used: torch.Tensor
    n: int


def space_similarity(
    first: torch.Tensor,
    second: torch.Tensor,
    first_usable: torch.Tensor | None = None,
    second_usable: torch.Tensor | None = None,
    replicates: int = 1000,
    permutations: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> SpaceSimilarity:
    """SFSS of every layer of one model with every layer of another, all concepts at once.

    :param first: (La, C, n) attributions of n images (`vectors.cosines` of each layer).
    :param second: (Lb, C, n), the same concepts and images.
    :param first_usable: (La, C) bool, whether the concept's vector separates in that layer; a
        concept that does not in either layer of a pair is NaN there and no part of the mean.
    :returns: a concept whose attributions are the same for all images, or not a number for one of
        them, is NaN too.
    :raises AuditError: shapes that do not fit, fewer than four images, or no permutation.
    """
    _check(first, second, replicates, permutations)
    a = _blanked(first, first_usable)
    b = _blanked(second, second_usable)
    n = first.shape[2]
    unit_a, unit_b = _units(a), _units(b)
    pearson = _all_pairs(unit_a, unit_b)
    spearman = _all_pairs(_units(_ranks(a)), _units(_ranks(b)))
    spearman = spearman.masked_fill(pearson.isnan(), torch.nan)
    drawn = _bootstrap(a, b, replicates, derive_seed(seed, "bootstrap of images"))
    # Of a constant, rounding is all that is left to correlate.
    drawn = drawn.masked_fill(pearson.isnan(), torch.nan)
    null = _permutation(unit_a, unit_b, permutations, derive_seed(seed, "permuted images"))
    return SpaceSimilarity(
        concepts=_summary(pearson, spearman, drawn, null, level),
        mean=_summary(
            pearson.nanmean(2), spearman.nanmean(2), drawn.nanmean(3), null.nanmean(3), level
        ),
        fisher_pearson=fisher_mean(pearson),
        fisher_spearman=fisher_mean(spearman),
        concepts_used=(~pearson.isnan()).sum(2),
        n=n,
    )


def fisher_mean(correlations: torch.Tensor) -> torch.Tensor:
    """The mean over the last axis by Fisher's z, tanh(mean(artanh r)), without NaN.

    A correlation of 1 counts as one that rounding cannot tell from it.
    """
    limit = 1 - torch.finfo(correlations.dtype).eps
    return correlations.clamp(-limit, limit).atanh().nanmean(-1).tanh()


def _check(first: torch.Tensor, second: torch.Tensor, replicates: int, permutations: int) -> None:
    if first.ndim != 3 or second.ndim != 3 or first.shape[1:] != second.shape[1:]:
        raise AuditError(
            f"Attributions of shapes {tuple(first.shape)} and {tuple(second.shape)} cannot be"
            " compared.",
            "Both need layers × the same concepts × the same images.",
        )
    if 0 in first.shape or 0 in second.shape:
        raise AuditError("There is no layer or no concept to compare.")
    if first.shape[2] < _LEAST_IMAGES:
        raise AuditError(
            f"SFSS needs at least {_LEAST_IMAGES} images; there are {first.shape[2]}.",
            "Add more images.",
        )
    if replicates < 1 or permutations < 1:
        raise AuditError("SFSS needs at least one replicate and one permutation.")


def _blanked(values: torch.Tensor, usable: torch.Tensor | None) -> torch.Tensor:
    """(L, C, n) with NaN throughout for what cannot be used, on the CPU."""
    result = values.detach().cpu().float()
    bad = ~result.isfinite().all(2)
    if usable is not None:
        if usable.shape != values.shape[:2]:
            raise AuditError("Whether concepts are usable must be said for each layer and concept.")
        bad = bad | ~usable.cpu().bool()
    return result.masked_fill(bad[:, :, None], torch.nan)


def _units(values: torch.Tensor) -> torch.Tensor:
    return unit_columns(values[..., None])[..., 0]


def _ranks(values: torch.Tensor) -> torch.Tensor:
    ranks = average_ranks(values[..., None])[..., 0]
    return ranks.masked_fill(values.isnan(), torch.nan)


def _all_pairs(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(La, Lb, C) products of (La, C, n) and (Lb, C, n)."""
    product = a.transpose(0, 1) @ b.permute(1, 2, 0)
    return product.permute(1, 2, 0).clamp(-1, 1)


def _bootstrap(a: torch.Tensor, b: torch.Tensor, replicates: int, seed: int) -> torch.Tensor:
    """(replicates, La, Lb, C) Pearson over resampled images, from sums."""
    n = a.shape[2]
    counts = resample_counts(n, replicates, seed)
    x, y = (centred_to_unit(part.reshape(-1, n).T[:, None])[:, 0] for part in (a, b))
    sums = [counts @ term for term in (x, y, x * x, y * y)]
    shape_a, shape_b = (replicates, *a.shape[:2]), (replicates, *b.shape[:2])
    result = torch.empty(replicates, len(a), len(b), a.shape[1], dtype=x.dtype)
    step = max(1, _BLOCK_VALUES // (replicates * len(b) + n * len(b)))
    for concept in range(a.shape[1]):
        own_a = x.reshape(n, *a.shape[:2])[:, :, concept]
        own_b = y.reshape(n, *b.shape[:2])[:, :, concept]
        for start in range(0, len(a), step):
            span = slice(start, start + step)
            both = (own_a[:, span, None] * own_b[:, None, :]).reshape(n, -1)
            crossed = (counts @ both).reshape(replicates, -1, len(b))
            result[:, span, :, concept] = correlation_from_sums(
                float(n),
                sums[0].reshape(shape_a)[:, span, concept, None],
                sums[1].reshape(shape_b)[:, None, :, concept],
                sums[2].reshape(shape_a)[:, span, concept, None],
                sums[3].reshape(shape_b)[:, None, :, concept],
                crossed,
            )
    return result


def _permutation(a: torch.Tensor, b: torch.Tensor, permutations: int, seed: int) -> torch.Tensor:
    """(permutations, La, Lb, C): images of the second model shuffled, alike for all concepts."""
    n, concepts = a.shape[2], a.shape[1]
    orders = random_permutations(n, permutations, seed)
    result = torch.empty(permutations, len(a), len(b), concepts, dtype=a.dtype)
    step = max(1, _BLOCK_VALUES // (len(b) * n))
    for concept in range(concepts):
        for start in range(0, permutations, step):
            shuffled = b[:, concept][:, orders[start : start + step]]  # (Lb, step, n)
            product = shuffled.reshape(-1, n) @ a[:, concept].T
            blocks = product.reshape(len(b), -1, len(a)).permute(1, 2, 0)
            result[start : start + step, :, :, concept] = blocks
    return result.clamp(-1, 1)


def _summary(
    pearson: torch.Tensor,
    spearman: torch.Tensor,
    drawn: torch.Tensor,
    null: torch.Tensor,
    level: float,
) -> ConceptSimilarity:
    interval = quantile_interval(drawn, level)
    # Concepts side by side: the search was over pairs of layers, each concept on its own.
    flat, chance = pearson.reshape(*pearson.shape[:2], -1), null.reshape(*null.shape[:3], -1)
    greatest, adjusted = [], []
    for concept in range(flat.shape[2]):
        of_one = chance[..., concept].reshape(len(null), -1)
        greatest.append(torch.nanquantile(maximum_over(of_one), 0.95))
        adjusted.append(max_statistic_p(flat[..., concept], chance[..., concept]))
    return ConceptSimilarity(
        pearson=pearson,
        spearman=spearman,
        ci_low=interval.low,
        ci_high=interval.high,
        null_95=torch.nanquantile(null, 0.95, dim=0),
        p=permutation_p(pearson, null),
        max_null_95=torch.stack(greatest).reshape(pearson.shape[2:]),
        p_adjusted=torch.stack(adjusted, 2).reshape(pearson.shape),
    )
