"""The columns of the table of curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.saliency_data import Curve, MeanCurve
from app.views.saliency_layout import Places
from app.widgets.table_model import Column

_NO_MEAN = "the run has no mean of this model and method"


def curve_columns(
    places: Places, curves: Sequence[Curve], means: Sequence[MeanCurve]
) -> tuple[Column, ...]:
    """One row a curve, with the mean over all images beside it."""
    known = {(mean.model, mean.method, mean.kind): mean for mean in means}
    found = [known.get((c.cell.model, c.cell.method, c.kind)) for c in curves]

    def words(values: list[str]) -> np.ndarray:
        return np.array(values, dtype=object)

    return (
        Column("model", "Model", words([c.cell.model for c in curves])),
        Column("method", "Method", words([places.title(c.cell.method) for c in curves])),
        Column("image", "Image", words([places.image_name(c.cell.image) for c in curves])),
        Column("kind", "Curve", words([c.kind for c in curves])),
        Column("auc", "Area", np.array([c.auc for c in curves], float), "decimal", digits=3,
               hint="Area under the curve"),
        Column("first", "At the start", np.array([c.scores[0] for c in curves], float), "decimal",
               digits=3),
        Column("last", "At the end", np.array([c.scores[-1] for c in curves], float), "decimal",
               digits=3),
        Column("mean", "Mean area", np.array([np.nan if m is None else m.auc for m in found]),
               "decimal", digits=3, missing=_NO_MEAN,
               hint="Area under the mean curve of all images of the run"),
        Column("n", "Images", np.array([np.nan if m is None else m.n for m in found], float),
               "whole", missing=_NO_MEAN, hint="Images of the mean"),
    )  # fmt: skip
