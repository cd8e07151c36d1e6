"""The numbers behind the figures of units and profiles as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.figures.tables import Table, plain_rows
from analysis.figures.unit_data import Profiles, ThresholdSweep, UnitDetail


def profiles_table(data: Profiles) -> Table:
    """One row a model, layer and category."""
    columns = (
        *("model", "layer", "category", "units", "unique_concepts"),
        *("layer_units", "layer_units_not_counted"),
    )
    rows = [
        (
            *(model, layer, category, data.all_units[i, j], data.unique_concepts[i, j]),
            *(data.units_total[i], data.not_counted[i]),
        )
        for i, (model, layer) in enumerate(zip(data.models, data.layers, strict=True))
        for j, category in enumerate(data.categories)
    ]
    return columns, plain_rows(rows)


def units_table(data: Sequence[UnitDetail]) -> Table:
    """One row a unit and image; a unit without images has one row."""
    columns = (
        *("unit_id", "model", "layer", "unit", "concept", "category", "iou", "null_iou", "p"),
        *("interpretable", "threshold", "active_fraction"),
        *("rank", "image", "x", "y", "width", "height", "activation"),
    )
    rows: list[tuple[Any, ...]] = []
    for unit in data:
        about = (
            *(unit.unit_id, unit.model, unit.layer, unit.unit, unit.concept, unit.category),
            *(unit.iou, unit.null_iou, unit.p, unit.interpretable, unit.threshold),
            unit.active_fraction,
        )
        rows += [
            (*about, p.rank, p.image, p.x, p.y, p.width, p.height, p.activation)
            for p in unit.patches
        ] or [(*about, *[None] * 7)]
    return columns, plain_rows(rows)


def sweep_table(data: ThresholdSweep) -> Table:
    """One row a model, layer, quantile and IoU threshold."""
    columns = ("model", "layer", "quantile", "iou_threshold", "units", "concepts")
    arrays: list[np.ndarray] = [getattr(data, name) for name in columns]
    return columns, plain_rows(zip(*arrays, strict=True))
