"""Accuracies with intervals: images are resampled, and paired comparisons keep their pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError


@dataclass(frozen=True)
class Accuracy:
    """A share of right answers, its 95 % interval, and the number of images it rests on."""

    value: float
    low: float
    high: float
    n: int


def bootstrap_counts(images: int, replicates: int, seed: int) -> np.ndarray:
    """How often each image appears in each bootstrap sample: (replicates, images) float64."""
    # Resampling is written in torch, which is slow to import.
    from analysis.statistics.bootstrap import resample_counts

    return resample_counts(images, replicates, seed).double().numpy()


def accuracy_with_interval(
    correct: np.ndarray,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    asked: np.ndarray | None = None,
) -> Accuracy:
    """Share of right answers with a percentile bootstrap interval over images.

    Where all answers are right, or none, resampling shows no spread though there is doubt: the
    exact binomial bound (Clopper and Pearson 1934) takes its place.

    :param correct: (n,) number of right answers about each image; True and False for one answer.
    :param asked: (n,) how often each image was asked for; once where it is not given.
    :returns: interval NaN with fewer than two images.
    :raises AuditError: no image, or values that are not between 0 and `asked`.
    """
    right = np.asarray(correct, np.float64)
    times = np.ones_like(right) if asked is None else np.asarray(asked, np.float64)
    if right.ndim != 1 or right.shape != times.shape or not times.sum() > 0:
        raise AuditError("An accuracy needs at least one tested image.")
    if not bool(((right >= 0) & (right <= times)).all()):
        raise AuditError("An image cannot be right more often than it was tested.")
    right, times = right[times > 0], times[times > 0]
    value, n = float(right.sum() / times.sum()), len(right)
    if n < 2:
        return Accuracy(value, float("nan"), float("nan"), n)
    tail = (1 - level) / 2
    if value in (0.0, 1.0):
        bound = tail ** (1 / n)
        return Accuracy(value, bound if value else 0.0, 1.0 if value else 1 - bound, n)
    counts = bootstrap_counts(n, replicates, seed)
    drawn = (counts @ right) / (counts @ times)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Accuracy(value, float(low), float(high), n)
