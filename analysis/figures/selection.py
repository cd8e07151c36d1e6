"""Which concepts of a run tell most about how two models differ."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from analysis.figures.data import ConceptPoints, ReplacementPoints


def telling_concepts(data: ConceptPoints, count: int, side: str | None = None) -> list[int]:
    """Ids of the concepts that matter most to their model and are least known to the other.

    Ordered by importance × (1 − CMCS), CMCS not below 0. Concepts of a model without a
    classification head have no importance and are ordered by CMCS alone, after the others.

    :param side: of the concepts' own model, or None for both.
    """
    unlike = 1 - np.clip(data.cmcs_pearson, 0, 1)
    weight = np.where(np.isfinite(data.importance), 1 + data.importance * unlike, 0.5 * unlike)
    possible = np.isfinite(data.cmcs_pearson)
    if side is not None:
        possible = possible & (data.side == side)
    ids = np.flatnonzero(possible)
    best = ids[np.argsort(-weight[ids], kind="stable")][:count]
    return [int(concept) for concept in data.concept_id[best]]


def of_class(
    data: ConceptPoints | ReplacementPoints, class_name: str
) -> ConceptPoints | ReplacementPoints:
    """The concepts of one class alone."""
    kept = data.class_name == class_name
    arrays = {
        field.name: getattr(data, field.name)[kept]
        for field in fields(data)
        if isinstance(getattr(data, field.name), np.ndarray)
    }
    return replace(data, **arrays)
