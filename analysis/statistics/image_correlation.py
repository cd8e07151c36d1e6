"""Pearson and Spearman over the patches of some images, with intervals over images. Needs numpy
alone, as what reads results does.

`analysis.statistics.bootstrap` does the same with torch where every image has as many patches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError

_AT_ONCE = 1 << 22  # drawn images held at a time


@dataclass(frozen=True)
class ImageCorrelation:
    """Of each of k columns, (k,) float64; NaN where a column has no spread.

    `low`, `high`: the percentile interval of `pearson`, images resampled, NaN with one image.
    `images`, `patches`: how many there are.
    """

    pearson: np.ndarray
    spearman: np.ndarray
    low: np.ndarray
    high: np.ndarray
    images: int
    patches: int


def correlation_over_images(
    first: np.ndarray,
    second: np.ndarray,
    image: np.ndarray,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> ImageCorrelation:
    """Correlation of each column of `first` with the same column of `second`.

    Images are resampled, never patches: patches of one image are not independent.

    :param first: (patches, k).
    :param second: (patches, k).
    :param image: (patches,) the image of each patch; images may have different numbers of them.
    :raises AuditError: shapes that do not fit together, or values that are not finite.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if x.ndim != 2 or x.shape != y.shape or image.shape != x.shape[:1]:
        raise AuditError(f"Coefficients of {x.shape} and {y.shape} do not fit together.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise AuditError("Concept coefficients hold values that are not finite numbers.")
    ids, place = np.unique(image, return_inverse=True)
    if not len(ids):
        none = np.full(x.shape[1], np.nan)
        return ImageCorrelation(none, none, none, none, 0, 0)
    u, v = _standardised(x), _standardised(y)
    low, high = _interval(u, v, place, len(ids), replicates, seed, level)
    ranked = (_standardised(_average_ranks(values)) for values in (x, y))
    return ImageCorrelation(
        pearson=np.clip((u * v).sum(0), -1, 1),
        spearman=np.clip(np.multiply(*ranked).sum(0), -1, 1),
        low=low,
        high=high,
        images=len(ids),
        patches=len(x),
    )


def _standardised(values: np.ndarray) -> np.ndarray:
    """Columns centred and of unit length; a constant column is NaN throughout."""
    constant = (values == values[:1]).all(0)
    centred = values - values.mean(0)
    largest = np.abs(centred).max(0)
    scaled = centred / np.where(constant | (largest == 0), np.nan, largest)
    unit: np.ndarray = scaled / np.sqrt((scaled * scaled).sum(0))
    return unit


def _average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of each column from 1; ties share the mean of their ranks."""
    ranks = np.empty_like(values)
    for column in range(values.shape[1]):
        _, place, amount = np.unique(values[:, column], return_inverse=True, return_counts=True)
        last = np.cumsum(amount)
        ranks[:, column] = (last - (amount - 1) / 2)[place]
    return ranks


def _interval(
    u: np.ndarray,
    v: np.ndarray,
    place: np.ndarray,
    images: int,
    replicates: int,
    seed: int,
    level: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Low and high (k,): sums per image, so that a replicate costs one row of a matrix product."""
    columns = u.shape[1]
    if images < 2:
        return np.full(columns, np.nan), np.full(columns, np.nan)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(images))
    of_image = [np.add.reduceat(term[order], starts) for term in (u, v, u * u, v * v, u * v)]
    amounts = np.bincount(place, minlength=images).astype(np.float64)
    generator = np.random.default_rng(seed)
    found = []
    step = max(1, _AT_ONCE // images)
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        drawn = generator.multinomial(images, np.full(images, 1 / images), size=size)
        counts = drawn.astype(np.float64)
        n = (counts @ amounts)[:, None]
        found.append(_from_sums(n, *(counts @ sums for sums in of_image)))
    tail = (1 - level) / 2
    values = np.concatenate(found)
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    usable = ~np.isnan(values).all(0)
    if usable.any():
        low[usable], high[usable] = np.nanquantile(values[:, usable], [tail, 1 - tail], axis=0)
    return low, high


def _from_sums(
    n: np.ndarray, x: np.ndarray, y: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray
) -> np.ndarray:
    spread_x, spread_y = xx - x * x / n, yy - y * y / n
    # Rounding leaves a remainder of this size where the spread is truly zero.
    smallest = 64 * np.finfo(np.float64).eps
    defined = (spread_x > smallest * xx) & (spread_y > smallest * yy)
    product = np.where(defined, spread_x * spread_y, np.nan)
    value: np.ndarray = np.clip((xy - x * y / n) / np.sqrt(product), -1, 1)
    return value
