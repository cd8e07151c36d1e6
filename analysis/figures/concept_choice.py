"""Which concept, and which unit, says most about how two models differ."""

from __future__ import annotations

import numpy as np

from analysis.figures.data import ConceptPoints
from analysis.figures.unit_data import UnitTable


def most_telling(points: ConceptPoints, class_name: str | None = None) -> int | None:
    """The concept that matters most to its model and that the other one predicts least.

    :param points: the concepts of both models of a run.
    :param class_name: only concepts of this class, if it is not None.
    :return: the id of the concept of largest importance × (1 − CMCS), a CMCS below 0 counting as
        0; None where no concept has both numbers.
    """
    importance = np.asarray(points.importance, float)
    similarity = np.asarray(points.cmcs_pearson, float)
    known = np.isfinite(importance) & np.isfinite(similarity)
    if class_name is not None:
        known &= np.asarray(points.class_name) == class_name
    if not known.any():
        return None
    telling = np.where(known, importance * (1.0 - np.clip(similarity, 0.0, 1.0)), -np.inf)
    return int(points.concept_id[int(np.argmax(telling))])


def most_telling_unit(table: UnitTable, model_a: str | None, model_b: str | None) -> int | None:
    """The interpretable unit of highest IoU whose concept no unit of the other model stands for.

    :param table: all units of a dissection run.
    :return: the unit's id; where both models know the same concepts that of their interpretable
        unit of highest IoU, where neither is in the table that of any; None where no unit is
        interpretable.
    """
    good = np.asarray(table.interpretable, bool) & np.isfinite(np.asarray(table.iou, float))
    if not good.any():
        return None
    keys = np.array([f"{c}\x00{k}" for c, k in zip(table.concept, table.category, strict=True)])
    of_a, of_b = (good & (table.model == model) for model in (model_a, model_b))
    alone = np.zeros(len(good), bool)
    if of_a.any() and of_b.any():
        alone = (of_a & ~np.isin(keys, keys[of_b])) | (of_b & ~np.isin(keys, keys[of_a]))
    chosen = next(one for one in (alone, of_a | of_b, good) if one.any())
    return int(table.unit_id[int(np.argmax(np.where(chosen, table.iou, -np.inf)))])
