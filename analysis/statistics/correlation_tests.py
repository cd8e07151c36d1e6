"""Permutation tests of Pearson correlations over few observations. Needs numpy alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from analysis.errors import AuditError

_BLOCK_VALUES = 1 << 22  # permuted correlations held at once
_ROUNDING = 1e-10  # two correlations nearer than this are equal


def standardised_columns(values: np.ndarray) -> np.ndarray:
    """Each column of (n, k) centred and of unit length; a constant column is NaN throughout."""
    wide = np.asarray(values, dtype=np.float64)
    if not len(wide):
        return wide.copy()
    centred = wide - wide.mean(0)
    largest = np.abs(centred).max(0)
    # The mean of equal numbers may be off in its last digits.
    constant = (wide == wide[:1]).all(0) | (largest <= 1e-14 * np.abs(wide).max(0))
    scaled = centred / np.where(constant, np.nan, largest)
    return scaled / np.sqrt((scaled * scaled).sum(0))


def pearson_table(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pearson correlation of every column of `first` (n, a) with every column of `second` (n, b).

    :returns: (a, b) in −1…1; NaN where a column is constant or n < 2.
    """
    if len(first) < 2:
        return np.full((first.shape[1], second.shape[1]), np.nan)
    return np.clip(standardised_columns(first).T @ standardised_columns(second), -1, 1)


def pearson_permutation_test(
    first: np.ndarray, second: np.ndarray, permutations: int = 100_000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Pearson correlations with their two-sided permutation p values.

    Observations of `second` are permuted against those of `first`, the same orders for all columns.
    If there are at most `permutations` orders in all, every one is taken and p is exact; otherwise
    p = (1 + orders with |r| at least as large) / (1 + orders drawn) (Phipson and Smyth 2010).

    :param first: (n, a) finite values.
    :param second: (n, b), the same n observations.
    :param permutations: how many orders are drawn at most.
    :returns: r (a, b) and p (a, b); both NaN where a column is constant or n < 2.
    :raises AuditError: a value that is not finite, different n, or no permutation.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    _check(first, second, permutations)
    r = pearson_table(first, second)
    if len(first) < 2 or not r.size:
        return r, np.full(r.shape, np.nan)
    x, y = standardised_columns(first), standardised_columns(second)
    reached = np.abs(r)[:, None, :] - _ROUNDING
    count, drawn = np.zeros(r.shape), 0
    for orders in _orders(len(x), permutations, seed, r.size):
        # (n, orders, b), so that one product gives all permuted correlations of the block.
        permuted = y[orders.T].reshape(len(y), -1)
        null = np.abs(x.T @ permuted).reshape(x.shape[1], len(orders), y.shape[1])
        count += (null >= reached).sum(1)
        drawn += len(orders)
    exact = drawn == math.factorial(len(x)) and drawn <= permutations
    p = count / drawn if exact else (count + 1) / (drawn + 1)
    return r, np.where(np.isnan(r), np.nan, p)


def _orders(n: int, permutations: int, seed: int, columns: int) -> Iterator[np.ndarray]:
    """Blocks of orders of n observations: all of them if they are few, else drawn at random."""
    if n <= 12 and math.factorial(n) <= permutations:
        every = itertools.permutations(range(n))
        block = max(1, _BLOCK_VALUES // columns)
        while taken := list(itertools.islice(every, block)):
            yield np.array(taken)
        return
    generator = np.random.default_rng(seed)
    # Independent of the number of columns, so that a row of a table has the same p on its own.
    drawn = generator.permuted(np.tile(np.arange(n, dtype=np.int32), (permutations, 1)), axis=1)
    block = max(1, _BLOCK_VALUES // columns)
    for start in range(0, permutations, block):
        yield drawn[start : start + block]


def _check(first: np.ndarray, second: np.ndarray, permutations: int) -> None:
    if len(first) != len(second):
        raise AuditError(
            f"{len(first)} observations cannot be correlated with {len(second)}.",
            "Both tables must have the same rows.",
        )
    if permutations < 1:
        raise AuditError("A permutation test needs at least one permutation.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise AuditError(
            "Correlations need finite numbers.", "Leave out rows without a value first."
        )
