"""Maps as numbers: where each is highest, for the table twins of pictures of maps."""

from __future__ import annotations

import numpy as np

from analysis.figures.saliency_data import AttentionDepth
from analysis.figures.semantics_data import ProjectedMasks
from app.widgets.table_model import Column

_ACROSS = "Centre of the highest place, in % of the width from the left"
_DOWN = "Centre of the highest place, in % of the height from the top"


def peaks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Highest value of each map of (n, rows, columns), and its place in % across and down."""
    count, rows, columns = values.shape
    flat = np.nan_to_num(np.asarray(values, float), nan=-np.inf).reshape(count, rows * columns)
    best = flat.argmax(axis=1) if flat.size else np.zeros(count, int)
    highest = flat[np.arange(count), best] if flat.size else np.full(count, np.nan)
    down, across = np.divmod(best, max(columns, 1))
    return highest, 100 * (across + 0.5) / columns, 100 * (down + 0.5) / rows


def head_ids(depth: AttentionDepth) -> list[tuple[int, int]]:
    """Layer and head of each row, both counted from 0."""
    layers, heads = depth.values.shape[:2]
    return [(layer, head) for layer in range(layers) for head in range(heads)]


def head_columns(depth: AttentionDepth) -> tuple[Column, ...]:
    """One row a head of a layer."""
    layers, heads = depth.values.shape[:2]
    highest, across, down = peaks(depth.values.reshape(-1, *depth.values.shape[2:]))
    places = np.repeat(np.arange(layers), heads)
    return (
        Column("layer", "Layer", places + 1.0, "whole"),
        Column("name", "Name", np.array([depth.layers[place] for place in places], dtype=object)),
        Column("head", "Head", np.tile(np.arange(heads), layers) + 1.0, "whole"),
        *_peak_columns("", "", highest, across, down),
    )


def mask_columns(masks: ProjectedMasks, names: list[str]) -> tuple[Column, ...]:
    """One row an image with the maps of both concepts, before the threshold."""
    return (
        Column("image", "Image", np.array(names, dtype=object)),
        *_peak_columns("a_", "A: ", *peaks(masks.values_a)),
        *_peak_columns("b_", "B: ", *peaks(masks.values_b)),
    )


def _peak_columns(
    key: str, title: str, highest: np.ndarray, across: np.ndarray, down: np.ndarray
) -> tuple[Column, ...]:
    return (
        Column(f"{key}highest", f"{title}highest", highest, "significant"),
        Column(f"{key}across", f"{title}across, %", across, "whole", hint=_ACROSS),
        Column(f"{key}down", f"{title}down, %", down, "whole", hint=_DOWN),
    )
