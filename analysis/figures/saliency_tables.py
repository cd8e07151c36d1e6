"""The numbers behind the figures of saliency and faithfulness as tables."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.saliency_data import AttentionDepth, FaithfulnessSummary, MeanCurve
from analysis.figures.saliency_grid import MapGrid
from analysis.figures.tables import Table, plain_rows


def maps_table(data: MapGrid) -> Table:
    """One row a map."""
    columns = (
        *("image", "path", "label", "model", "method", "layer", "class", "score"),
        *("rows", "columns", "lowest", "highest", "tied", "x", "y", "width", "height", "note"),
    )
    place = {image: at for at, image in enumerate(data.index.images.tolist())}
    rows = [
        (
            *(cell.image, data.index.image_names[place[cell.image]]),
            *(data.index.image_labels[place[cell.image]], cell.model, cell.method),
            *(shown.layer, shown.class_name, shown.score, *shown.values.shape),
            *(float(shown.values.min()), float(shown.values.max()), shown.tied),
            *(*shown.region, shown.note),
        )
        for cell, shown in data.maps.items()
    ]
    return columns, plain_rows(rows)


def faithfulness_table(data: FaithfulnessSummary) -> Table:
    """One row a metric, model and method that was measured."""
    columns = (
        *("metric", "better", "model", "method", "null_map", "mean", "ci_low", "ci_high", "n"),
        *("best", "level_with_best", "tied_pixels"),
    )
    rows = [
        (
            *(metric.key, metric.better, model, method.label, method.kind == "null"),
            *(data.mean[i, j, k], data.ci_low[i, j, k], data.ci_high[i, j, k], data.n[i, j, k]),
            *(data.best[i, j, k], data.level[i, j, k], data.tied[j, k]),
        )
        for i, metric in enumerate(data.metrics)
        for j, model in enumerate(data.models)
        for k, method in enumerate(data.methods)
        if data.n[i, j, k] or data.mean[i, j, k] == data.mean[i, j, k]
    ]
    return columns, plain_rows(rows)


def curves_table(data: Sequence[MeanCurve]) -> Table:
    """One row a model, method, kind of curve and point."""
    columns = ("model", "method", "kind", "fraction", "mean", "ci_low", "ci_high", "n", "auc")
    rows = [
        (curve.model, curve.method, curve.kind, *numbers, curve.n, curve.auc)
        for curve in data
        for numbers in zip(curve.fraction, curve.mean, curve.low, curve.high, strict=True)
    ]
    return columns, plain_rows(rows)


def depth_table(data: AttentionDepth) -> Table:
    """One row a layer, head and place; heads, rows and columns are counted from 1."""
    columns = ("image", "model", "layer", "head", "row", "column", "attention")
    rows = [
        (data.image, data.model, layer, head + 1, row + 1, column + 1, value)
        for of_layer, layer in zip(data.values, data.layers, strict=True)
        for head, of_head in enumerate(of_layer)
        for row, of_row in enumerate(of_head)
        for column, value in enumerate(of_row)
    ]
    return columns, plain_rows(rows)
