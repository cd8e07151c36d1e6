"""Units with their labels and scores, from which profiles follow at any IoU threshold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.embedding.matrix import Concept, ConceptMatrix, matrix_of_counts
from analysis.errors import AuditError

# model, concept, category, IoU, IoU by chance; None for what is unknown
UnitRow = tuple[str, str | None, str | None, float | None, float | None]


@dataclass(frozen=True)
class LabelledUnits:
    """All units of all models, one entry each; those without a concept as well."""

    models: tuple[str, ...]
    concepts: tuple[Concept, ...]
    model: np.ndarray  # (units,) index into models
    concept: np.ndarray  # (units,) index into concepts; −1 for a unit without one
    iou: np.ndarray  # (units,) NaN where there is none
    null_iou: np.ndarray  # (units,) NaN where chance is unknown


def labelled_units(models: Sequence[str], rows: Iterable[UnitRow]) -> LabelledUnits:
    """Gather the rows of the units of `models`.

    :param rows: (model, concept, category, IoU, IoU by chance); a unit without a concept (dead,
        failed threshold, not a number) has concept None.
    :raises AuditError: two models of one name, or a row of a model that is not among `models`.
    """
    if len(set(models)) != len(models):
        raise AuditError("Two models have the same name.", "Give every model a name of its own.")
    position = {model: index for index, model in enumerate(models)}
    seen: dict[Concept, int] = {}
    model, concept, iou, null_iou = [], [], [], []
    for name, label, category, score, chance in rows:
        if name not in position:
            raise AuditError(f"There are units of an unknown model, “{name}”.")
        model.append(position[name])
        known = label is not None and category is not None
        key = (label or "", category or "")
        concept.append(seen.setdefault(key, len(seen)) if known else -1)
        iou.append(np.nan if score is None else score)
        null_iou.append(np.nan if chance is None else chance)
    return LabelledUnits(
        models=tuple(models),
        concepts=tuple(seen),
        model=np.array(model, dtype=np.int64),
        concept=np.array(concept, dtype=np.int64),
        iou=np.array(iou, dtype=np.float64),
        null_iou=np.array(null_iou, dtype=np.float64),
    )


def interpretable(units: LabelledUnits, iou_threshold: float) -> np.ndarray:
    """(units,) True where IoU is strictly above the threshold, and above chance where known."""
    above_chance = np.isnan(units.null_iou) | (units.iou > units.null_iou)
    return (units.concept >= 0) & (units.iou > iou_threshold) & above_chance


def unit_totals(units: LabelledUnits) -> np.ndarray:
    """(models,) how many units each model has, with or without a concept."""
    return np.bincount(units.model, minlength=len(units.models))


def matrix_at(units: LabelledUnits, iou_threshold: float = 0.04) -> ConceptMatrix:
    """The matrix of learned concepts when IoU must be strictly above `iou_threshold`.

    :raises AuditError: no unit of any model is interpretable.
    """
    counted = interpretable(units, iou_threshold)
    width = len(units.concepts)
    cells = units.model[counted] * width + units.concept[counted]
    counts = np.bincount(cells, minlength=len(units.models) * width)
    return matrix_of_counts(units.models, units.concepts, counts.reshape(len(units.models), width))
