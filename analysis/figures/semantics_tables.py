"""The numbers behind the figures of semantic similarity as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.semantics_choice import MaskPairs, MaskPictures
from analysis.figures.semantics_data import Separability, SpaceSimilarityMatrix, TcavScores
from analysis.figures.semantics_readers import above_chance
from analysis.figures.tables import Table, plain_rows


def space_table(models: tuple[str, str], data: SpaceSimilarityMatrix) -> Table:
    """One row a pair of layers; an empty concept is the mean of all."""
    columns = (
        *("model_a", "layer_a", "depth_a", "model_b", "layer_b", "depth_b", "concept"),
        *(
            "sfss_pearson",
            "sfss_spearman",
            "sfss_fisher",
            "ci_low",
            "ci_high",
            "null_95",
            "p_adjusted",
        ),
        *("above_chance", "n"),
    )
    above = above_chance(data.pearson, data.null_95, data.p_adjusted)
    rows = [
        (
            *(models[0], a.name, a.depth, models[1], b.name, b.depth, data.concept),
            *(data.pearson[i, j], data.spearman[i, j], data.fisher[i, j]),
            *(data.ci_low[i, j], data.ci_high[i, j]),
            *(data.null_95[i, j], data.p_adjusted[i, j], above[i, j], data.n),
        )
        for i, a in enumerate(data.layers_a)
        for j, b in enumerate(data.layers_b)
    ]
    return columns, plain_rows(rows)


def separability_table(data: Sequence[Separability]) -> Table:
    """One row a model, concept and layer that was tried."""
    columns = (
        *("model", "concept", "layer", "depth", "accuracy", "ci_low", "ci_high", "null_95"),
        *("separates", "auc", "stability", "n_positive", "n_negative"),
    )
    rows = [
        (
            *(one.model, concept, layer.name, layer.depth, one.accuracy[i, j], one.ci_low[i, j]),
            *(
                one.ci_high[i, j],
                one.null_95[i, j],
                one.separates[i, j],
                one.auc[i, j],
                one.stability[i, j],
            ),
            *(one.n_positive[i, j], one.n_negative[i, j]),
        )
        for one in data
        for i, concept in enumerate(one.concepts)
        for j, layer in enumerate(one.layers)
        if one.n_positive[i, j] or np.isfinite(one.accuracy[i, j])
    ]
    return columns, plain_rows(rows)


def tcav_table(data: TcavScores) -> Table:
    """One row a concept and class; without a score where the concept does not separate."""
    columns = (
        *("model", "layer", "concept", "class", "separates", "score", "ci_low", "ci_high"),
        *("null_low", "null_high", "p_adjusted"),
    )
    rows = [
        (
            *(data.model, data.layer, concept, name, data.separates[i], data.score[i, j]),
            *(data.ci_low[i, j], data.ci_high[i, j], data.null_low[i, j], data.null_high[i, j]),
            data.p_adjusted[i, j],
        )
        for i, concept in enumerate(data.concepts)
        for j, name in enumerate(data.classes)
    ]
    return columns, plain_rows(rows)


def masks_table(data: MaskPairs) -> Table:
    """One row a pair of concepts at the threshold that is shown."""
    pairs = np.ndindex(data.matrix.ucs.shape[1:])
    return _pair_rows(data, [(data.threshold, a, b) for a, b in pairs])


def robustness_table(data: MaskPairs) -> Table:
    """One row a shown pair of concepts and threshold."""
    thresholds = range(len(data.matrix.thresholds))
    return _pair_rows(data, [(t, a, b) for a, b in data.pairs for t in thresholds])


def _pair_rows(data: MaskPairs, places: Sequence[tuple[int, int, int]]) -> Table:
    columns = (
        *("model_a", "layer_a", "concept_a", "importance_a", "presence_a"),
        *("model_b", "layer_b", "concept_b", "importance_b", "presence_b"),
        *("threshold", "ucs", "ci_low", "ci_high", "null_95", "p_adjusted"),
        *("above_chance", "matched", "n"),
    )
    matrix = data.matrix
    above = above_chance(matrix.ucs, matrix.null_95, matrix.p_adjusted)
    rows = []
    for at in places:
        a, b = matrix.concepts_a[at[1]], matrix.concepts_b[at[2]]
        rows.append(
            (
                *(data.index.models[0], matrix.layer_a, a.number, a.importance, a.presence),
                *(data.index.models[1], matrix.layer_b, b.number, b.importance, b.presence),
                *(matrix.thresholds[at[0]], matrix.ucs[at], matrix.ci_low[at], matrix.ci_high[at]),
                *(
                    matrix.null_95[at],
                    matrix.p_adjusted[at],
                    above[at],
                    matrix.matched[at],
                    matrix.n,
                ),
            )
        )
    return columns, plain_rows(rows)


def pictures_table(data: MaskPictures) -> Table:
    """One row an image that is shown; areas before masks are enlarged."""
    columns = (
        *("image", "path", "model_a", "layer_a", "concept_a", "model_b", "layer_b", "concept_b"),
        *("threshold", "area_a", "area_b", "iou", "x", "y", "width", "height"),
    )
    masks, models = data.masks, data.index.models
    rows = [
        (
            *(image, name, models[0], masks.layer_a, masks.concept_a),
            *(models[1], masks.layer_b, masks.concept_b, data.threshold),
            *(float((values > data.threshold).mean()) for values in pair),
            *(agreement, *region),
        )
        for image, name, *pair, agreement, region in zip(
            masks.images, data.names, masks.values_a, masks.values_b, data.agreement,
            masks.regions, strict=True,
        )
    ]  # fmt: skip
    return columns, plain_rows(rows)
