"""Correcting p values of many tests made at once. Needs numpy alone."""

from __future__ import annotations

import numpy as np

from analysis.errors import AuditError


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p values: rejecting those below q keeps the false discovery rate at most q.

    Benjamini and Hochberg 1995; valid for independent or positively dependent tests. All entries
    count as one family; a test that could not be made (NaN) is no part of it.

    :param p: p values of any shape, 0…1 or NaN.
    :returns: adjusted p values of the same shape, NaN where `p` is.
    :raises AuditError: a value outside 0…1.
    """
    values = np.asarray(p, dtype=np.float64)
    made = ~np.isnan(values)
    tests = values[made]
    if tests.size and (tests.min() < 0 or tests.max() > 1):
        raise AuditError("P values must lie between 0 and 1.")
    order = np.argsort(-tests, kind="stable")
    ranks = np.arange(tests.size, 0, -1)
    adjusted = np.empty_like(tests)
    adjusted[order] = np.minimum.accumulate(tests[order] * (tests.size / ranks))
    result = np.full(values.shape, np.nan)
    result[made] = np.minimum(adjusted, 1.0)
    return result
