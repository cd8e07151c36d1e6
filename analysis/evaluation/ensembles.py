"""Weighted soft votes of two models: do they know different things?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.evaluation.checks import checked_labels, require_classes
from analysis.evaluation.intervals import bootstrap_counts


@dataclass(frozen=True)
class Ensembles:
    """Every pair of models as an ensemble.

    `performance`: (models,) accuracy of each alone. (models, models) each: `combined` accuracy,
    with `performance` on the diagonal; `gain` over the better one and its 95 % interval
    `ci_low`, `ci_high`, NaN on the diagonal. `n`: number of images.
    """

    performance: np.ndarray
    combined: np.ndarray
    gain: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    n: int


def soft_vote(
    probabilities_a: np.ndarray,
    probabilities_b: np.ndarray,
    performance_a: np.ndarray | float,
    performance_b: np.ndarray | float,
) -> np.ndarray:
    """Mean of two models' probabilities, weighted by how they perform (LCE paper, section 5).

    The better one weighs 0.5 + |a − b|, the other 0.5 − |a − b|, kept within 0…1. Equal
    performances weigh the same.

    :param probabilities_a: (…, classes).
    :param probabilities_b: (…, classes).
    :param performance_a: accuracy 0…1; arrays must broadcast with the probabilities.
    :returns: (…, classes).
    :raises AuditError: a performance outside 0…1.
    """
    a, b = np.asarray(performance_a, np.float64), np.asarray(performance_b, np.float64)
    if not bool(((a >= 0) & (a <= 1)).all() and ((b >= 0) & (b <= 1)).all()):
        raise AuditError(
            "The weights of an ensemble need performances between 0 and 1.",
            "Divide accuracies in per cent by 100.",
        )
    weight = np.clip(0.5 + (a - b), 0, 1)
    return weight * np.asarray(probabilities_a) + (1 - weight) * np.asarray(probabilities_b)


def ensembles(
    probabilities: np.ndarray | Sequence[np.ndarray],
    labels: np.ndarray,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    images: Sequence[np.ndarray] | None = None,
) -> Ensembles:
    """Soft-vote ensembles of every pair, with paired bootstrap intervals of their gains.

    gain = accuracy of the ensemble − accuracy of the better model (LCE paper, Fig. 8). Each
    bootstrap sample draws images; all three accuracies are taken from the same images, and which
    model is the better one is asked anew. The weights stay those of all images.

    :param probabilities: one (n, classes) array a model.
    :param labels: (n,) true class of each image.
    :param images: identity of the images behind each model's rows, checked where given.
    :raises AuditError: fewer than two models, models that were not tested on the same images, or
        probabilities that are not finite.
    """
    stack = _checked(probabilities, images)
    models, n, classes = stack.shape
    truth = checked_labels(labels, n)
    require_classes(truth, "The tested images")
    if truth.min() < 0 or truth.max() >= classes:
        raise AuditError(f"Labels must lie between 0 and {classes - 1}.")
    alone = (stack.argmax(2) == truth).astype(np.float64)
    performance = alone.mean(1)
    counts = bootstrap_counts(n, replicates, seed)
    # Whole numbers until the end, so that equal answers make differences of exactly 0.
    alone_drawn = counts @ alone.T
    combined = np.diag(performance)
    gain, low, high = (np.full((models, models), np.nan) for _ in range(3))
    tail = (1 - level) / 2
    for a in range(models - 1):
        others = slice(a + 1, models)
        voted = soft_vote(stack[a], stack[others], performance[a], performance[others, None, None])
        right = (voted.argmax(2) == truth).astype(np.float64)
        better = np.maximum(performance[a], performance[others])
        drawn = counts @ right.T - np.maximum(alone_drawn[:, [a]], alone_drawn[:, others])
        combined[a, others] = combined[others, a] = right.mean(1)
        gain[a, others] = gain[others, a] = right.mean(1) - better
        bounds = np.quantile(drawn / n, [tail, 1 - tail], axis=0)
        low[a, others] = low[others, a] = bounds[0]
        high[a, others] = high[others, a] = bounds[1]
    return Ensembles(performance, combined, gain, low, high, n)


def _checked(
    probabilities: np.ndarray | Sequence[np.ndarray], images: Sequence[np.ndarray] | None
) -> np.ndarray:
    arrays = [np.asarray(array, np.float64) for array in probabilities]
    if len(arrays) < 2:
        raise AuditError(
            "An ensemble needs at least two models.", "Evaluate another model on the same images."
        )
    same = len({array.shape for array in arrays}) == 1 and arrays[0].ndim == 2
    if same and images is not None:
        first = np.asarray(images[0])
        same = len(images) == len(arrays) and all(np.array_equal(first, i) for i in images)
    if not same:
        raise AuditError(
            "The models were not tested on the same images and classes.",
            "Evaluate them in one run.",
        )
    stack = np.stack(arrays)
    if stack.size == 0 or not bool(np.isfinite(stack).all()):
        raise AuditError("The predictions of the models hold values that are not finite numbers.")
    return stack
