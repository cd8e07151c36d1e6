"""The rows and columns of the tables of faithfulness."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.figures.saliency_data import (
    FaithfulnessComparisons,
    FaithfulnessSummary,
    MetricInfo,
)
from app.views.saliency_layout import NULL_KIND
from app.views.saliency_words import metric_hint, metric_title
from app.widgets.table_model import Column

Row = tuple[str, str]
"""Model and method: the id of a row."""


def rows_of_model(summary: FaithfulnessSummary, model: str) -> list[Row]:
    """The methods of a model that have any number, null maps last."""
    place = summary.models.index(model)
    there = np.isfinite(summary.mean[:, place, :]).any(axis=0)
    methods = [m for m, known in zip(summary.methods, there.tolist(), strict=True) if known]
    methods.sort(key=lambda method: method.kind == NULL_KIND)
    return [(model, method.label) for method in methods]


def rows_of_method(summary: FaithfulnessSummary, method: str) -> list[Row]:
    """The models for which a method has any number."""
    place = _method_place(summary, method)
    there = np.isfinite(summary.mean[:, :, place]).any(axis=0)
    return [(m, method) for m, known in zip(summary.models, there.tolist(), strict=True) if known]


def metric_columns(summary: FaithfulnessSummary, rows: list[Row]) -> tuple[Column, ...]:
    """A column a metric, and the share of tied pixels last."""
    models = np.array([summary.models.index(model) for model, _ in rows], dtype=np.int64)
    methods = np.array([_method_place(summary, label) for _, label in rows], dtype=np.int64)
    columns = [
        Column(
            metric.key,
            metric_title(metric),
            summary.mean[place, models, methods],
            "decimal",
            summary.ci_low[place, models, methods],
            summary.ci_high[place, models, methods],
            "this metric was not measured here",
            metric_hint(metric),
        )
        for place, metric in enumerate(summary.metrics)
    ]
    tied = 100 * summary.tied[models, methods]
    hint = (
        "Share of pixels with the value of another pixel: their order in insertion, deletion and "
        "ROAD is that of the image, line by line"
    )
    return (*columns, Column("tied", "Tied, %", tied, "decimal", hint=hint, digits=1))


def marks(summary: FaithfulnessSummary, row: Row, metric: str) -> tuple[bool, bool]:
    """Whether a number is the best of its model, told from all others; and whether it is not told
    from the best."""
    keys = [info.key for info in summary.metrics]
    if metric not in keys or row[0] not in summary.models:
        return False, False
    at = keys.index(metric), summary.models.index(row[0]), _method_place(summary, row[1])
    return bool(summary.best[at]), bool(summary.level[at])


def amount(summary: FaithfulnessSummary, row: Row, metric: str) -> int:
    """How many images a mean stands on."""
    keys = [info.key for info in summary.metrics]
    if metric not in keys:
        return 0
    at = keys.index(metric), summary.models.index(row[0]), _method_place(summary, row[1])
    return int(summary.n[at])


def comparison_columns(
    data: FaithfulnessComparisons,
    metrics: Mapping[str, MetricInfo],
    titles: Mapping[str, str],
) -> tuple[Column, ...]:
    """A row a paired difference."""
    names = [metric_title(metrics[k]) if k in metrics else k for k in data.metric.tolist()]
    sides = []
    for models, methods in ((data.model_a, data.method_a), (data.model_b, data.method_b)):
        pairs = zip(models.tolist(), methods.tolist(), strict=True)
        sides.append(np.array([f"{m} · {titles.get(k, k)}" for m, k in pairs], dtype=object))
    told = np.where(np.nan_to_num(data.p_adjusted, nan=1.0) < 0.05, "yes", "no")
    return (
        Column("metric", "Metric", np.array(names, dtype=object)),
        Column("a", "First", sides[0]),
        Column("b", "Second", sides[1]),
        Column("difference", "First − second", data.difference, "decimal", data.ci_low,
               data.ci_high, hint="Mean difference over the same images, with its 95 % interval"),
        Column("p_adjusted", "p adjusted", data.p_adjusted, "decimal", digits=4,
               hint="Paired sign-flip test, adjusted for the number of comparisons"),
        Column("told", "Told apart", told, hint="Whether p adjusted is below 0.05"),
        Column("p", "p", data.p, "decimal", digits=4, hint="Before the adjustment"),
        Column("n", "Images", data.n.astype(float), "whole"),
    )  # fmt: skip


def _method_place(summary: FaithfulnessSummary, label: str) -> int:
    return next(i for i, method in enumerate(summary.methods) if method.label == label)
