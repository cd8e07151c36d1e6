"""Means over images with intervals, and paired tests between methods and between models.

Needs neither torch nor SciPy.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from analysis.errors import AuditError
from analysis.statistics.multiple_testing import benjamini_hochberg

Adjustment = Literal["holm", "benjamini-hochberg"]
_BLOCK_VALUES = 1 << 22  # signed differences held at once
_FLOAT32 = 1e-4  # relative: values nearer than this differ by rounding alone
_ROUNDING = 1e-9  # relative: two means nearer than this are equal


@dataclass(frozen=True)
class Summary:
    """A mean over `n` images with its percentile bootstrap interval; NaN without an image."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Comparison:
    """The mean of a − b over the `n` images that have both, its interval, and how likely so large a
    difference is if the two were exchangeable: `p`, and `p_adjusted` for the number of tests."""

    first: Hashable
    second: Hashable
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    n: int


def summarise(
    values: np.ndarray, replicates: int = 1000, seed: int = 0, level: float = 0.95
) -> Summary:
    """The mean of one metric over images, without those that have no value (NaN).

    :param values: (n,) one value an image.
    """
    return summarise_all({"": np.asarray(values)}, replicates, seed, level)[""]


def summarise_all(
    values: Mapping[Hashable, np.ndarray],
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    binary: bool = True,
) -> dict[Hashable, Summary]:
    """`summarise` of many metrics, methods and models; an interval is the same on its own.

    Where every image of a metric of 0 and 1 says the same, resampling shows no spread though there
    is doubt: the exact binomial bound (Clopper and Pearson 1934) takes its place.

    :param values: by any key, (n,) each.
    :param binary: whether the metric is one of 0 and 1.
    :raises AuditError: values are not one a image, or infinite.
    """
    result: dict[Hashable, Summary] = {}
    for keys, table in _tables(values):
        present = ~np.isnan(table)
        counts = present.sum(0)
        low, high = _intervals(table, replicates, seed, level)
        for place, key in enumerate(keys):
            own = table[present[:, place], place]
            n = int(counts[place])
            exact = _binomial_bounds(own, level) if binary else None
            ends = exact or (float(low[place]), float(high[place]))
            result[key] = Summary(float(own.mean()) if n else float("nan"), *ends, n)
    return {key: result[key] for key in values}


def compare(
    values: Mapping[Hashable, np.ndarray],
    pairs: Sequence[tuple[Hashable, Hashable]],
    permutations: int = 10_000,
    replicates: int = 1000,
    seed: int = 0,
    adjustment: Adjustment = "holm",
    level: float = 0.95,
) -> list[Comparison]:
    """Paired tests of differences between methods of a model, or models with one method.

    The sign of each image's difference is flipped at random: two-sided p = (1 + flips whose mean is
    at least as far from 0) / (1 + flips); with few images all 2ⁿ flips are taken and p is exact.
    All pairs given count as one family for `p_adjusted`. Differences of less than 1/10,000 of the
    values are rounding (float32 scores) and count as none: they would all have the same sign.

    :param values: by any key, (n,) one value an image, the same images in the same order; pairs
        with NaN are left out.
    :param pairs: which keys to compare, as (first, second).
    :param adjustment: “holm” (no false finding among all, with 1 − α) or “benjamini-hochberg”
        (the share of false findings).
    :raises AuditError: a key is missing, lengths differ, or no permutation.
    """
    if permutations < 1:
        raise AuditError("A permutation test needs at least one permutation.")
    columns: dict[Hashable, np.ndarray] = {}
    pair_of: dict[Hashable, tuple[Hashable, Hashable]] = dict(enumerate(pairs))
    for number, (first, second) in enumerate(pairs):
        for key in (first, second):
            if key not in values:
                raise AuditError(f"There are no values of {key} to compare.")
        a, b = _column(values[first]), _column(values[second])
        if len(a) != len(b):
            raise AuditError(
                f"{len(a)} images cannot be paired with {len(b)}.", "Measure the same images."
            )
        columns[number] = _difference(a, b)
    found: dict[Hashable, Comparison] = {}
    for places, table in _tables(columns):
        low, high = _intervals(table, replicates, seed, level)
        p = sign_flip_p(table, permutations, seed)
        for column, place in enumerate(places):
            own = table[~np.isnan(table[:, column]), column]
            mean = float(own.mean()) if len(own) else float("nan")
            low_end, high_end, own_p = float(low[column]), float(high[column]), float(p[column])
            found[place] = Comparison(
                *pair_of[place], mean, low_end, high_end, own_p, own_p, len(own)
            )
    ordered = [found[number] for number in range(len(pairs))]
    p_values = np.array([one.p for one in ordered])
    adjusted = holm(p_values) if adjustment == "holm" else benjamini_hochberg(p_values)
    return [replace(one, p_adjusted=float(p)) for one, p in zip(ordered, adjusted, strict=True)]


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    difference = a - b
    scale = np.maximum(np.abs(a), np.abs(b))
    return np.where(np.abs(difference) <= _FLOAT32 * scale, 0.0, difference)  # NaN stays


def sign_flip_p(differences: np.ndarray, permutations: int = 10_000, seed: int = 0) -> np.ndarray:
    """Two-sided p of means of paired differences under random signs; NaN without an image.

    The same signs serve all columns, and a column has the same p alone.

    :param differences: (n, k), NaN where an image has none.
    :returns: (k,).
    """
    n, columns = differences.shape
    values = np.where(np.isnan(differences), 0.0, differences)
    reached = np.abs(values.sum(0)) - _ROUNDING * np.abs(values).sum(0)
    exact = n < 60 and 2**n <= permutations
    count, drawn = np.zeros(columns), 0
    for signs in _signs(n, permutations, seed, exact, columns):
        count += (np.abs(signs @ values) >= reached).sum(0)
        drawn += len(signs)
    p = count / drawn if exact else (count + 1) / (drawn + 1)
    return np.where(np.isnan(differences).all(0), np.nan, p)


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p values by Holm 1979: rejecting those below α keeps any false finding below α.

    :param p: (k,) in 0…1 or NaN; NaN is no part of the family.
    """
    values = np.asarray(p, dtype=np.float64)
    made = ~np.isnan(values)
    tests = values[made]
    order = np.argsort(tests, kind="stable")
    factors = np.arange(tests.size, 0, -1)
    adjusted = np.empty_like(tests)
    adjusted[order] = np.maximum.accumulate(tests[order] * factors)
    result = np.full(values.shape, np.nan)
    result[made] = np.minimum(adjusted, 1.0)
    return result


def all_pairs(keys: Sequence[Hashable]) -> list[tuple[Hashable, Hashable]]:
    """Every two of the keys once, the earlier first."""
    return [(a, b) for place, a in enumerate(keys) for b in keys[place + 1 :]]


def _column(values: np.ndarray) -> np.ndarray:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or np.isinf(found).any():
        raise AuditError("A metric has one finite value an image, or none.", f"Got {found.shape}.")
    return found


def _tables(
    values: Mapping[Hashable, np.ndarray],
) -> Iterator[tuple[list[Hashable], np.ndarray]]:
    """Columns of equal length side by side, (n, k), with their keys."""
    by_length: dict[int, dict[Hashable, np.ndarray]] = {}
    for key, one in values.items():
        column = _column(one)
        by_length.setdefault(len(column), {})[key] = column
    for group in by_length.values():
        yield list(group), np.stack(list(group.values()), axis=1)


def _intervals(
    table: np.ndarray, replicates: int, seed: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile intervals of the columns' means, images resampled: low and high (k,)."""
    n, columns = table.shape
    present = ~np.isnan(table)
    values = np.where(present, table, 0.0)
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    usable = present.sum(0) > 1
    if not usable.any():
        return low, high
    generator = np.random.default_rng(seed)
    means = []
    for size in _blocks(replicates, n):
        counts = generator.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)
        drawn = counts @ present[:, usable]
        with np.errstate(invalid="ignore"):  # a sample may hold no image that has a value
            means.append(counts @ values[:, usable] / drawn)
    tail = (1 - level) / 2
    low[usable], high[usable] = np.nanquantile(np.concatenate(means), [tail, 1 - tail], axis=0)
    return low, high


def _binomial_bounds(values: np.ndarray, level: float) -> tuple[float, float] | None:
    """The exact interval where all values are 0, or all are 1."""
    if len(values) < 2 or values[0] not in (0.0, 1.0) or not (values == values[0]).all():
        return None
    bound = ((1 - level) / 2) ** (1 / len(values))
    return (bound, 1.0) if values[0] else (0.0, 1 - bound)


def _signs(n: int, permutations: int, seed: int, exact: bool, columns: int) -> Iterator[np.ndarray]:
    """Blocks of signs (flips, n), +1 and −1: all of them, or drawn at random."""
    if exact:
        every = np.arange(2**n)[:, None] >> np.arange(n) & 1
        yield 1.0 - 2.0 * every
        return
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, 2, (permutations, n), dtype=np.int8)
    start = 0
    for size in _blocks(permutations, max(n, columns)):
        yield 1.0 - 2.0 * drawn[start : start + size]
        start += size


def _blocks(rows: int, columns: int) -> Iterator[int]:
    size = max(1, _BLOCK_VALUES // max(columns, 1))
    for start in range(0, rows, size):
        yield min(size, rows - start)
