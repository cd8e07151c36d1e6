"""How well predicted concept coefficients follow the real ones, with interval and null."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.statistics.bootstrap import pearson_bootstrap
from analysis.statistics.correlation import columnwise_pearson, columnwise_spearman
from analysis.statistics.numerics import require_finite
from analysis.statistics.permutation import pearson_permutation_null


@dataclass(frozen=True)
class ConceptSimilarity:
    """CMCS, or SMCS where a model predicts its own concepts (paper, 3.2.2); each tensor is (k,).

    Undefined values (a constant column, a single image) are NaN.
    """

    pearson: torch.Tensor
    spearman: torch.Tensor
    ci_low: torch.Tensor
    ci_high: torch.Tensor
    null_95: torch.Tensor
    n_images: int


def concept_similarity(
    predicted: torch.Tensor,
    real: torch.Tensor,
    replicates: int = 1000,
    permutations: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> ConceptSimilarity:
    """Correlate predicted with real coefficients on held-out images.

    :param predicted: (images, patches, k).
    :param real: (images, patches, k).
    :param replicates: bootstrap resamples of images for the interval.
    :param permutations: of image blocks for the null.
    :raises AuditError: a value is not finite.
    """
    require_finite(predicted, "Predicted concept coefficients")
    require_finite(real, "Concept coefficients")
    interval = pearson_bootstrap(predicted, real, replicates, seed, level)
    rows = predicted.flatten(0, 1), real.flatten(0, 1)
    return ConceptSimilarity(
        pearson=columnwise_pearson(*rows),
        spearman=columnwise_spearman(*rows),
        ci_low=interval.low,
        ci_high=interval.high,
        null_95=pearson_permutation_null(predicted, real, permutations, seed),
        n_images=real.shape[0],
    )
