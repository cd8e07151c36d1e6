"""The columns of the tables of units, of their models and of the threshold sweep."""

from __future__ import annotations

import numpy as np

from analysis.figures.unit_data import ThresholdSweep
from app.views.unit_index import ModelCounts, UnitIndex
from app.views.unit_words import NO_NULL, NO_NUMBER, NOT_IN_TABLE
from app.widgets.category_marks import category_word
from app.widgets.table_model import Column

INTERPRETABLE = "interpretable"


def unit_columns(index: UnitIndex, interpretable: np.ndarray) -> tuple[Column, ...]:
    """One row a unit."""
    table = index.table
    categories = np.array([category_word(c) for c in index.categories], dtype=np.str_)
    scores = np.where(index.countable, table.iou, np.nan)
    shares = 100 * np.asarray(table.active_fraction, float)
    return (
        Column("concept", "Concept", table.concept, hint="The concept that overlaps best"),
        Column("category", "Category", categories[index.category_of]),
        Column("iou", "IoU", scores, "decimal", missing=NO_NUMBER, digits=3,
               hint="Intersection over union of the unit's activity and its concept"),
        Column("null_iou", "Chance", table.null_iou, "decimal", missing=NO_NULL, digits=3,
               hint="95 % of the best IoU with images shuffled stay below this"),
        Column("model", "Model", table.model),
        Column("unit", "Unit", np.asarray(table.unit, float), "whole", hint="Counted from 0"),
        Column("layer", "Layer", table.layer),
        Column("p", "p", table.p, "decimal", missing=NO_NULL, digits=3,
               hint="How often the best IoU was as high with images shuffled"),
        Column("threshold", "Threshold", table.threshold, "significant", missing=NOT_IN_TABLE,
               hint="Activation above which the unit counts as active"),
        Column("active_percent", "Active, %", shares, "significant", missing=NOT_IN_TABLE,
               hint="Share of the places at which the unit is active"),
        Column(INTERPRETABLE, "Interpretable", yes_or_no(interpretable),
               hint="IoU above the threshold set here, and above chance where it is known"),
    )  # fmt: skip


def yes_or_no(values: np.ndarray) -> np.ndarray:
    """A column's words for a truth."""
    return np.where(values, "yes", "no")


def model_columns(index: UnitIndex, counts: ModelCounts) -> tuple[Column, ...]:
    """One row a model."""
    return (
        Column("model", "Model", np.array(index.models, dtype=object)),
        Column("shown", "Shown", counts.shown.astype(float), "whole",
               hint="Units that the filters leave"),
        Column("interpretable", "Interpretable", counts.interpretable.astype(float), "whole",
               hint="Units above the threshold and above chance"),
        Column("concepts", "Concepts", counts.concepts.astype(float), "whole",
               hint="Different concepts of interpretable units"),
        Column("units", "Units", counts.units.astype(float), "whole"),
        Column("layer", "Layer", np.array(index.layers, dtype=object)),
    )  # fmt: skip


def sweep_columns(sweep: ThresholdSweep, kept: np.ndarray) -> tuple[Column, ...]:
    """One row a combination of thresholds; `kept` are the places of the rows to show."""
    return (
        Column("model", "Model", sweep.model[kept]),
        Column("layer", "Layer", sweep.layer[kept]),
        Column("quantile", "Quantile", sweep.quantile[kept].astype(float), "decimal",
               digits=3, hint="Share of activations above a unit's threshold"),
        Column("iou_threshold", "IoU above", sweep.iou_threshold[kept].astype(float), "decimal",
               digits=3),
        Column("units", "Units", sweep.units[kept].astype(float), "whole",
               hint="Interpretable units"),
        Column("concepts", "Concepts", sweep.concepts[kept].astype(float), "whole",
               hint="Different concepts of these units"),
    )  # fmt: skip
