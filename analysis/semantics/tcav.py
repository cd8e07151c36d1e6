"""TCAV: does moving the features towards a concept raise the score of a class? (Kim et al. 2018)

The usual test compares the scores of many negative sets with those of random concepts by a t-test,
as if the sets were independent; they share the concept's examples and one pool. Here the mean
over sets is compared with the same mean of pseudo-concepts, whose sets share their members in the
same way, and looking at many concepts, layers and classes is corrected for by the greatest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from analysis.errors import AuditError
from analysis.seeds import derive_seed
from analysis.semantics.linear_solver import centred, spread_weights
from analysis.semantics.max_statistic import max_statistic_p, null_moments, permutation_p
from analysis.semantics.vectors import ConceptVectors, VectorFits
from analysis.statistics.bootstrap import quantile_interval, resample_counts
from analysis.statistics.numerics import require_finite

_SPREAD_VALUES = 1 << 22  # weights laid out over examples at once


@dataclass(frozen=True)
class TcavScores:
    """TCAV of C concepts for one class in one layer; (C,) float64 on the CPU each.

    `score`: share of the class's images whose score rises towards the concept, mean over negative
    sets; `ci_low`, `ci_high`: over images. `set_spread`: standard deviation between sets.
    `set_scores`: (C, sets). `tested`: score over the first sets, as many as pseudo-concepts have.
    `null_low`, `null_high`: the middle 95 % of pseudo-concepts. `p`: two-sided, how often a
    pseudo-concept lies as far from the pseudo-concepts' mean as `tested`; `p_adjusted`:
    for all C. `null`: (permutations, C). `usable`: the concept's vectors separate; without that
    there is no score (NaN). `n`: images.
    """

    names: tuple[str, ...]
    score: torch.Tensor
    ci_low: torch.Tensor
    ci_high: torch.Tensor
    set_spread: torch.Tensor
    set_scores: torch.Tensor
    tested: torch.Tensor
    null_low: torch.Tensor
    null_high: torch.Tensor
    p: torch.Tensor
    p_adjusted: torch.Tensor
    null: torch.Tensor
    usable: torch.Tensor
    n: int


def tcav(
    gradients: torch.Tensor,
    features: torch.Tensor,
    vectors: ConceptVectors,
    only_separating: bool = True,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> TcavScores:
    """TCAV scores of all concepts from the gradients of one class's score in one layer.

    :param gradients: (n, d) of the class score for the features of n images of the class, pooled
        by sum where the features were pooled by mean (`layer_gradients.class_gradients`), or
        (n, channels, rows, columns) for spatial vectors.
    :param features: those that the vectors were trained on, (N, …).
    :param only_separating: leave out concepts whose vectors do not separate, as NaN.
    :raises AuditError: shapes that do not fit, or values that are not finite.
    """
    require_finite(gradients, "Gradients")
    rows = gradients.reshape(len(gradients), -1).float()
    examples = centred(features.reshape(len(features), -1))
    if not len(rows) or rows.shape[1] != examples.shape[1]:
        raise AuditError(
            f"Gradients of shape {tuple(gradients.shape)} do not fit features of shape"
            f" {tuple(features.shape)}.",
            "Take both from the same layer, with the same pooling.",
        )
    # Derivatives towards any vector are combinations of those towards the examples. Lengths play
    # no part: only signs count.
    largest = rows.abs().amax(1, keepdim=True)
    rows = rows / torch.where(largest > 0, largest, 1.0)
    towards = rows.to(examples.device) @ examples.T
    weights = resample_counts(
        len(rows), replicates, derive_seed(seed, "images of the class")
    ).double()
    scores, rising, chance = [], [], []
    permutations = len(vectors.null_accuracy)
    for fits in vectors.fits:
        positive = (towards @ fits.observed.T > 0).double()  # (n, sets)
        scores.append(positive.mean(0).cpu())
        rising.append(positive.mean(1).cpu())
        chance.append(_null_scores(towards, fits, permutations))
    set_scores, share = torch.stack(scores), torch.stack(rising)
    null = torch.stack(chance, 1)
    score = share.mean(1)
    interval = quantile_interval((weights @ share.T) / len(rows), level)
    usable = vectors.separates if only_separating else torch.ones_like(vectors.separates)
    blank = ~usable
    centre = null.mean(0)
    null_sets = len(vectors.fits[0].null_problems) // permutations
    tested = set_scores[:, :null_sets].mean(1).masked_fill(blank, torch.nan)
    distance = (tested - centre).abs()
    result = TcavScores(
        names=vectors.names,
        score=score.masked_fill(blank, torch.nan),
        ci_low=interval.low.masked_fill(blank, torch.nan),
        ci_high=interval.high.masked_fill(blank, torch.nan),
        set_spread=set_scores.std(1).masked_fill(blank, torch.nan),
        set_scores=set_scores,
        tested=tested,
        null_low=torch.quantile(null, 0.025, dim=0),
        null_high=torch.quantile(null, 0.975, dim=0),
        p=permutation_p(distance, (null - centre).abs()),
        p_adjusted=torch.empty(0),
        null=null,
        usable=usable,
        n=len(rows),
    )
    return adjust_together([result])[0]


def _null_scores(towards: torch.Tensor, fits: VectorFits, permutations: int) -> torch.Tensor:
    """The score of each pseudo-concept, mean over sets: (permutations,) float64."""
    examples = towards.shape[1]
    step = max(1, _SPREAD_VALUES // (examples + len(towards)))
    scores = []
    for start in range(0, len(fits.null_problems), step):
        part = fits.null_problems.part(start, start + step)
        spread = spread_weights(part, fits.null.part(start, start + step), examples)
        scores.append((towards @ spread.T > 0).double().mean(0).cpu())
    return torch.cat(scores).reshape(permutations, -1).mean(1)


def adjust_together(results: Sequence[TcavScores]) -> list[TcavScores]:
    """The same scores with `p_adjusted` for all of these together: layers, or classes, or both.

    Distances from the pseudo-concepts' mean, in units of their spread, are compared with the
    greatest of each permutation. The results must come from one `VectorPlan`.

    :raises AuditError: they do not have the same number of permutations.
    """
    if len({len(result.null) for result in results}) > 1:
        raise AuditError(
            "The TCAV scores were not made with the same permutations.", "Run them together."
        )
    distances, chances = [], []
    for result in results:
        centre, spread = null_moments(result.null)
        blank = ~result.usable
        distances.append(((result.tested - centre) / spread).abs())
        chances.append(((result.null - centre) / spread).abs().masked_fill(blank, torch.nan))
    adjusted = max_statistic_p(torch.cat(distances), torch.cat(chances, 1))
    parts = adjusted.split([len(result.score) for result in results])
    return [replace(result, p_adjusted=part) for result, part in zip(results, parts, strict=True)]
