"""The numbers behind a figure as a table, for a CSV or JSON file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analysis.figures.data import ConceptDetail, ConceptPoints, LayerSimilarity, ReplacementPoints

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def layers_table(data: LayerSimilarity) -> Table:
    """One row a pair of layers."""
    columns = (
        *("model_a", "layer_a", "depth_a", "model_b", "layer_b", "depth_b"),
        *(data.measure, "ci_low", "ci_high", "null_95", "classes"),
    )
    rows = [
        (
            *(data.model_a, layer_a, data.depths_a[i]),
            *(data.model_b, layer_b, data.depths_b[j]),
            *(data.values[i, j], data.ci_low[i, j], data.ci_high[i, j]),
            *(data.null_95[i, j], data.classes[i, j]),
        )
        for i, layer_a in enumerate(data.layers_a)
        for j, layer_b in enumerate(data.layers_b)
    ]
    return columns, plain_rows(rows)


_POINT_COLUMNS = (
    "cmcs_pearson",
    "cmcs_spearman",
    "ci_low",
    "ci_high",
    "null_95",
    "smcs_pearson",
    "mcs_pearson",
    "importance",
    "stability",
    "reconstruction_error",
    "nonzero_weights",
    "n_images",
)
_REPLACEMENT_COLUMNS = ("importance", "delta_pearson", "l2", "kl", "match_accuracy")


def concepts_table(data: ConceptPoints) -> Table:
    """One row a concept."""
    return _points_table(data, _POINT_COLUMNS)


def replacement_table(data: ReplacementPoints) -> Table:
    """One row a concept."""
    return _points_table(data, _REPLACEMENT_COLUMNS)


def _points_table(data: ConceptPoints | ReplacementPoints, numbers: Sequence[str]) -> Table:
    model = {"a": data.model_a, "b": data.model_b}
    rows = zip(
        data.concept_id,
        data.side,
        [model[side] for side in data.side],
        data.class_name,
        data.concept,
        *(getattr(data, name) for name in numbers),
        strict=True,
    )
    return ("concept_id", "side", "model", "class", "concept", *numbers), plain_rows(rows)


def concept_table(data: ConceptDetail) -> Table:
    """One row a held-out patch; `kind` and `rank` where the patch stands in a grid."""
    chosen = {
        (patch.image, patch.x, patch.y): (patch.kind, patch.rank)
        for kind in (data.under, data.over, data.top)
        for patch in kind
    }
    rows = []
    for image, box, real, predicted in zip(
        data.image, data.box, data.real, data.predicted, strict=True
    ):
        kind, rank = chosen.get((int(image), int(box[0]), int(box[1])), (None, None))
        rows.append((image, *box, real, predicted, kind, rank))
    columns = ("image", "x", "y", "width", "height", "real", "predicted", "kind", "rank")
    return columns, plain_rows(rows)


def plain_rows(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows of Python values; a missing number (NaN) is None."""
    return [tuple(_plain_value(value) for value in row) for row in rows]


def _plain_value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def csv_bytes(table: Table) -> bytes:
    """The table as CSV (UTF-8); a missing value is an empty field."""
    columns, rows = table
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def json_bytes(table: Table, provenance: Mapping[str, Any]) -> bytes:
    """The table and where it comes from as JSON; a missing value is null."""
    columns, rows = table
    whole = {
        "provenance": provenance,
        "rows": [dict(zip(columns, row, strict=True)) for row in rows],
    }
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()
