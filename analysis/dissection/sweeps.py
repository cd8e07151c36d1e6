"""How many units and concepts stay as the thresholds move; no model is run for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.dissection.labelling import UnitLabels

IOU_THRESHOLDS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2)


@dataclass(frozen=True)
class Sweep:
    """Interpretable `units` and distinct `concepts` they stand for: (quantiles, thresholds)."""

    quantiles: tuple[float, ...]
    iou_thresholds: tuple[float, ...]
    units: np.ndarray
    concepts: np.ndarray


def sweep(labels: Sequence[UnitLabels], iou_thresholds: Sequence[float] = IOU_THRESHOLDS) -> Sweep:
    """Count at every IoU threshold, for the labels of each quantile.

    A unit counts as in `label_units`: strictly above the threshold, and above its null where that
    is known.
    """
    units = np.zeros((len(labels), len(iou_thresholds)), dtype=np.int64)
    concepts = np.zeros_like(units)
    for row, each in enumerate(labels):
        beats_chance = np.isnan(each.null_iou) | (each.iou > each.null_iou)
        for column, threshold in enumerate(iou_thresholds):
            counted = beats_chance & (each.iou > threshold)
            units[row, column] = counted.sum()
            concepts[row, column] = len(np.unique(each.concept[counted]))
    return Sweep(
        quantiles=tuple(each.quantile for each in labels),
        iou_thresholds=tuple(float(threshold) for threshold in iou_thresholds),
        units=units,
        concepts=concepts,
    )
