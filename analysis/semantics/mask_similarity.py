"""UCS: do concepts found without labels in two layers lie in the same places?

From the published formula (Mikriukov et al. 2023): the mean over images of the intersection over
union of two concepts' masks. An image in which neither concept has a mask says nothing about
whether they agree and is left out of that pair's mean; if only one has, its IoU is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import torch

from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.seeds import derive_seed
from analysis.semantics.mask_overlap import MaskSet, pack_masks, paired_iou
from analysis.semantics.max_statistic import max_statistic_p, maximum_over, permutation_p
from analysis.statistics.bootstrap import quantile_interval, resample_counts
from analysis.statistics.permutation import random_permutations

THRESHOLDS = (0.5, 0.75)


@dataclass(frozen=True)
class MaskSimilarity:
    """UCS of ka concepts of one layer with kb of another at T thresholds, on the CPU in float64.

    `ucs`: (T, ka, kb), the curve over thresholds being a pair's robustness; NaN where no image has
    a mask of either. `images`: (T, ka, kb) images that count. `ci_low`, `ci_high`: over images.
    `null_mean`, `null_95`: (T, ka, kb) when the second layer's masks belong to other images; not
    zero, since masks have sizes and like the middle. `p`: one-sided; `p_adjusted`: for having
    looked at all pairs of a threshold. `matched_mean`: (T,) mean UCS of the best one-to-one
    matches; `matched_null_95`: the same matched anew under the null.
    """

    thresholds: tuple[float, ...]
    ucs: torch.Tensor
    images: torch.Tensor
    ci_low: torch.Tensor
    ci_high: torch.Tensor
    null_mean: torch.Tensor
    null_95: torch.Tensor
    max_null_95: torch.Tensor
    p: torch.Tensor
    p_adjusted: torch.Tensor
    matched_mean: torch.Tensor
    matched_null_95: torch.Tensor

    def matches(self, threshold: int = 0) -> tuple[tuple[int, int, float], ...]:
        """Best matches at the threshold of this number: (concept a, concept b, UCS), best first."""
        return best_matches(self.ucs[threshold])


def mask_similarity(
    first: torch.Tensor,
    second: torch.Tensor,
    thresholds: Sequence[float] = THRESHOLDS,
    replicates: int = 1000,
    permutations: int = 200,
    seed: int = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> MaskSimilarity:
    """UCS between every pair of concepts of two layers, at all thresholds.

    :param first: (n, ka, side, side) normalised and enlarged coefficients
        (`concept_masks.enlarged`), or (T, n, ka, side, side) bool masks, one block a threshold.
    :param second: (n, kb, side, side) or (T, n, kb, side, side), the same images.
    :param permutations: shuffles of the second layer's images, the same for all pairs and
        thresholds; 0 leaves the null out (NaN).
    :raises AuditError: different images, sizes or thresholds, or values that are not finite.
    """
    levels = tuple(float(threshold) for threshold in thresholds)
    _check(first, second, levels)
    n = first.shape[-4]
    counts = resample_counts(n, replicates, derive_seed(seed, "bootstrap of images")).double()
    orders = random_permutations(n, permutations, derive_seed(seed, "shuffled images"))
    parts = []
    for number, threshold in enumerate(levels):
        if progress is not None:
            progress.report(number, len(levels), f"masks above {threshold:g}")
        a, b = (_masks(one, number, threshold) for one in (first, second))
        parts.append(
            (*_over_images(paired_iou(a, b), counts, level), _null(a, b, orders, progress))
        )
    ucs, images, low, high, null = (torch.stack(each) for each in zip(*parts, strict=True))
    return _finish(levels, ucs, images, low, high, null)


def best_matches(ucs: torch.Tensor) -> tuple[tuple[int, int, float], ...]:
    """One-to-one matches with the greatest sum (Hungarian method), best first.

    :param ucs: (ka, kb); a pair without a value is never a match.
    """
    values = ucs.cpu().double()
    rows, columns = _assigned(values)
    found = [
        (row, column, float(values[row, column]))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if not values[row, column].isnan()
    ]
    return tuple(sorted(found, key=lambda match: -match[2]))


def _check(first: torch.Tensor, second: torch.Tensor, levels: tuple[float, ...]) -> None:
    if first.ndim != second.ndim or first.ndim not in (4, 5) or not levels:
        raise AuditError("Masks need images × concepts × rows × columns, and a threshold.")
    same = first.shape[-4] == second.shape[-4] and first.shape[-2:] == second.shape[-2:]
    if not same or not first.numel() or not second.numel():
        raise AuditError(
            f"Masks of shapes {tuple(first.shape)} and {tuple(second.shape)} cannot be compared.",
            "Both need the same images and the same size.",
        )
    for values in (first, second):
        if values.ndim == 5 and (len(values) != len(levels) or values.dtype != torch.bool):
            raise AuditError("Masks that are given need to be true or false for each threshold.")
        if values.ndim == 4 and not bool(torch.isfinite(values).all()):
            raise AuditError("Concept coefficients hold values that are not finite numbers.")


def _masks(values: torch.Tensor, number: int, threshold: float) -> MaskSet:
    return pack_masks(values[number] if values.ndim == 5 else values > threshold)


def _over_images(
    iou: torch.Tensor, counts: torch.Tensor, level: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, images that count, and the interval of both, (ka, kb) each."""
    shape = iou.shape[1:]
    flat = iou.double().flatten(1)
    valid = (~flat.isnan()).double()
    values = flat.nan_to_num(0.0)
    drawn = (counts @ values) / (counts @ valid)
    interval = quantile_interval(drawn, level)
    mean = values.sum(0) / valid.sum(0)
    return (
        mean.reshape(shape),
        valid.sum(0).long().reshape(shape),
        interval.low.reshape(shape),
        interval.high.reshape(shape),
    )


def _null(a: MaskSet, b: MaskSet, orders: torch.Tensor, progress: Progress | None) -> torch.Tensor:
    """(permutations, ka, kb) UCS with the images of `b` shuffled."""
    found = torch.empty(len(orders), a.concepts, b.concepts, dtype=torch.float64)
    for number, order in enumerate(orders):
        if progress is not None:
            progress.check_cancelled()
        found[number] = paired_iou(a, b, order).double().nanmean(0)
    return found


def _finish(
    levels: tuple[float, ...],
    ucs: torch.Tensor,
    images: torch.Tensor,
    low: torch.Tensor,
    high: torch.Tensor,
    null: torch.Tensor,
) -> MaskSimilarity:
    blank = torch.full_like(ucs, torch.nan)
    matched = torch.stack([_matched_mean(each) for each in ucs])
    if not null.shape[1]:
        none = torch.full_like(matched, torch.nan)
        return MaskSimilarity(
            levels, ucs, images, low, high, blank, blank, none, blank, blank, matched, none
        )
    chance = null.transpose(0, 1)  # (permutations, T, ka, kb)
    greatest = [torch.nanquantile(maximum_over(each.flatten(1)), 0.95) for each in null]
    matched_null = [
        torch.nanquantile(torch.stack([_matched_mean(one) for one in each]), 0.95) for each in null
    ]
    return MaskSimilarity(
        thresholds=levels,
        ucs=ucs,
        images=images,
        ci_low=low,
        ci_high=high,
        null_mean=chance.nanmean(0),
        null_95=torch.nanquantile(chance, 0.95, dim=0),
        max_null_95=torch.stack(greatest),
        p=permutation_p(ucs, chance),
        p_adjusted=torch.stack(
            [max_statistic_p(value, own) for value, own in zip(ucs, null, strict=True)]
        ),
        matched_mean=matched,
        matched_null_95=torch.stack(matched_null),
    )


def _matched_mean(ucs: torch.Tensor) -> torch.Tensor:
    """Mean UCS of the best matches; NaN where no pair has a value."""
    rows, columns = _assigned(ucs)
    return ucs[torch.as_tensor(rows), torch.as_tensor(columns)].nanmean()


def _assigned(ucs: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    # A pair without a value adds nothing, and comes after one whose masks never meet.
    usable = ucs.nan_to_num(-1e-9).numpy()
    return scipy.optimize.linear_sum_assignment(usable, maximize=True)
