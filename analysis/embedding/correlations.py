"""Do the components go with anything? Correlations with profiles (Fig. 5) and tasks (Fig. 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.statistics.correlation_tests import pearson_permutation_test
from analysis.statistics.multiple_testing import benjamini_hochberg

PERMUTATIONS = 100_000


@dataclass(frozen=True)
class Correlations:
    """Correlations of rows with components; all arrays are (rows, components)."""

    r: np.ndarray
    p: np.ndarray  # two-sided, by permutation of the models
    p_adjusted: np.ndarray  # Benjamini-Hochberg over the whole table
    n: np.ndarray  # models that have both


def correlate(
    points: np.ndarray, table: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0
) -> Correlations:
    """Pearson correlation of every column of `table` with every component.

    :param points: (models, components).
    :param table: (models, rows) what to correlate, one column a row of the result; NaN for a model
        without a value, which is left out of that row alone.
    :param permutations: orders drawn; where the models have no more orders, p is exact.
    :raises AuditError: the two do not have the same models, or a value is infinite.
    """
    points, table = np.asarray(points, dtype=np.float64), np.asarray(table, dtype=np.float64)
    if len(points) != len(table):
        raise AuditError(
            f"{len(points)} models in the embedding, {len(table)} in the table.",
            "Give one row of the table for each model of the embedding.",
        )
    present = ~np.isnan(table) & ~np.isnan(points).any(1)[:, None]
    shape = (table.shape[1], points.shape[1])
    r, p = np.full(shape, np.nan), np.full(shape, np.nan)
    # Rows that the same models have are tested together.
    for pattern in np.unique(present, axis=1).T:
        rows = (present == pattern[:, None]).all(0)
        r[rows], p[rows] = pearson_permutation_test(
            table[pattern][:, rows], points[pattern], permutations, seed
        )
    n = np.broadcast_to(present.sum(0)[:, None], shape).copy()
    return Correlations(r, p, benjamini_hochberg(p), n)
