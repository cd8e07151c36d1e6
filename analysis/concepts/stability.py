"""Would another seed have found the same concepts?"""

from __future__ import annotations

from collections.abc import Sequence

import scipy.optimize
import torch

from analysis.errors import AuditError
from analysis.statistics.correlation import pearson
from analysis.statistics.numerics import require_finite


def matched_stability(first: torch.Tensor, others: Sequence[torch.Tensor]) -> torch.Tensor:
    """Mean correlation of each concept of the first run with its match in every other run.

    Concepts of two runs are matched one to one so that their correlations sum to the most
    (Hungarian algorithm), so that one concept cannot serve as the match of several.

    :param first: (n, k) coefficients, whose concepts are judged; for a basis its transpose (d, k).
    :param others: those of other seeds over the same patches.
    :returns: (k,) in −1…1; NaN for a concept of the first run that does not vary. A match that
        does not vary, or is missing, counts as 0.
    :raises AuditError: no other run, or a value that is not finite.
    """
    if not others:
        raise AuditError("Stability needs the concepts of at least two seeds.")
    for run in (first, *others):
        require_finite(run, "Concept coefficients")
    matches = [_matched(pearson(first, other)) for other in others]
    constant = (first == first[:1]).all(0)
    return torch.stack(matches).mean(0).masked_fill(constant, torch.nan)


def _matched(correlation: torch.Tensor) -> torch.Tensor:
    usable = correlation.nan_to_num(0.0).cpu()
    rows, columns = scipy.optimize.linear_sum_assignment(usable.numpy(), maximize=True)
    result = torch.zeros(correlation.shape[0], dtype=usable.dtype)
    result[torch.as_tensor(rows)] = usable[torch.as_tensor(rows), torch.as_tensor(columns)]
    return result.to(correlation.device)
