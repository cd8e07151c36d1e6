"""Which concept each unit stands for, its runners-up, and whether chance would do as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.dissection.tally import Tally, iou
from analysis.dissection.thresholds import UnitThresholds
from analysis.errors import AuditError


@dataclass(frozen=True)
class UnitLabels:
    """The concepts of a layer's units at one quantile. Missing numbers are NaN, concepts -1.

    `threshold`, `active_fraction`: (units,); `concept`: (units,) index of the concept with the
    best IoU, the first of equals; `category`: (units,) str, that concept's, or why there is none
    (`categories.NOT_COUNTED`), or empty where the unit meets no label at all; `iou`: (units,) of
    that concept; `null_iou`: (units,) 95 % quantile of the best IoU with images shuffled; `p`:
    (units,) share of shuffles, the real order among them, that do as well; `interpretable`:
    (units,) bool; `candidates`, `candidate_iou`: (units, k) the best concepts over all
    categories; `category_names`: of the columns of `best_in_category`, `best_iou_in_category`,
    (units, categories).
    """

    quantile: float
    iou_threshold: float
    threshold: np.ndarray
    active_fraction: np.ndarray
    concept: np.ndarray
    category: np.ndarray
    iou: np.ndarray
    null_iou: np.ndarray
    p: np.ndarray
    interpretable: np.ndarray
    candidates: np.ndarray
    candidate_iou: np.ndarray
    category_names: tuple[str, ...]
    best_in_category: np.ndarray
    best_iou_in_category: np.ndarray


def label_units(
    counts: Tally,
    thresholds: UnitThresholds,
    categories: Sequence[str],
    iou_threshold: float = 0.04,
    candidates: int = 5,
) -> UnitLabels:
    """Give every unit the concept of any category with which its IoU is best.

    Network Dissection (Bau et al. 2017) and the LCE paper label so. A unit is interpretable if
    its IoU is strictly above `iou_threshold` and, where shuffles were counted, above what 95 % of
    them reach. A unit that is dead, failed its threshold or is not a number has no concept and no
    IoU.

    :param categories: of every concept, in the order of the codes.
    :raises AuditError: the counts are of another number of units or concepts.
    """
    units, concepts = counts.intersection.shape
    if len(categories) != concepts or len(thresholds.value) != units:
        raise AuditError(
            f"{concepts} concepts of {units} units were counted, but there are {len(categories)}"
            f" names and {len(thresholds.value)} thresholds.",
            "Dissect the layer again with these label planes.",
        )
    reasons = thresholds.not_counted()
    values = np.where((reasons == "")[:, None], iou(counts), np.nan)
    values = np.where(values > 0, values, np.nan)
    ranked, ranked_iou = _best(values, max(1, candidates))
    names = tuple(dict.fromkeys(categories))
    by_category = [_best_of(values, categories, name) for name in names]
    best = np.where((reasons == "") & np.isnan(ranked_iou[:, 0]), 0.0, ranked_iou[:, 0])
    null, p = _null(counts.null_best_iou, best)
    beats_chance = np.isnan(null) | (best > null)
    named = np.array([*categories, ""], dtype=object)[ranked[:, 0]]
    return UnitLabels(
        quantile=thresholds.quantile,
        iou_threshold=iou_threshold,
        threshold=thresholds.value,
        active_fraction=thresholds.active,
        concept=ranked[:, 0],
        category=np.where(reasons == "", named, reasons).astype(str),
        iou=best,
        null_iou=null,
        p=p,
        interpretable=(best > iou_threshold) & beats_chance,
        candidates=ranked[:, :candidates],
        candidate_iou=ranked_iou[:, :candidates],
        category_names=names,
        best_in_category=_columns([concept for concept, _ in by_category], units, -1),
        best_iou_in_category=_columns([score for _, score in by_category], units, np.nan),
    )


def _best(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(units, count): the columns with the largest values and these, the first of equals first."""
    units, columns = values.shape
    index = np.full((units, count), -1, dtype=np.int64)
    score = np.full((units, count), np.nan)
    left = np.where(np.isnan(values), -1.0, values)
    rows = np.arange(units)
    for rank in range(min(count, columns)):
        place = left.argmax(axis=1)
        found = left[rows, place] > 0
        index[found, rank] = place[found]
        score[found, rank] = left[rows, place][found]
        left[rows, place] = -1.0
    return index, score


def _best_of(
    values: np.ndarray, categories: Sequence[str], name: str
) -> tuple[np.ndarray, np.ndarray]:
    members = np.flatnonzero(np.asarray(categories, dtype=object) == name)
    place, score = (each[:, 0] for each in _best(values[:, members], 1))
    return np.where(place < 0, -1, members[place]), score


def _columns(columns: list[np.ndarray], units: int, empty: float) -> np.ndarray:
    return np.stack(columns, axis=1) if columns else np.full((units, 0), empty)


def _null(shuffled: np.ndarray, best: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % quantile of the shuffles and the p-value of each unit; NaN without an IoU."""
    if not len(shuffled):
        return np.full(len(best), np.nan), np.full(len(best), np.nan)
    missing = np.isnan(best)
    null = np.quantile(shuffled, 0.95, axis=0)
    # The real order is one of the orders that could have been drawn, so p is never 0.
    p = (1 + (shuffled >= best).sum(axis=0)) / (1 + len(shuffled))
    return np.where(missing, np.nan, null), np.where(missing, np.nan, p)
