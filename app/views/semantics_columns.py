"""The table twins of similarity by meaning: the same rows as columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.semantics_data import (
    DepthLayer,
    MaskSimilarityMatrix,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from app.views.semantics_words import (
    NOT_APART,
    found_name,
    mask_counts,
    space_counts,
    tcav_counts,
)
from app.widgets.table_model import Column

_NO_CONCEPT = "no concept is told apart in both layers"
_NO_MASK = "no image has a mask of either concept"


def words(values: Sequence[object]) -> np.ndarray:
    """(n,) of str."""
    return np.array([str(value) for value in values], dtype=object)


def yes(values: np.ndarray) -> np.ndarray:
    """(n,) "yes" or empty."""
    return words(["yes" if value else "" for value in np.asarray(values).ravel().tolist()])


def space_pairs(data: SpaceSimilarityMatrix) -> list[tuple[str, str]]:
    """Ids of the rows: layer of A, layer of B."""
    return [(a.name, b.name) for a in data.layers_a for b in data.layers_b]


def space_columns(data: SpaceSimilarityMatrix) -> tuple[Column, ...]:
    """One row a pair of layers."""

    def flat(values: np.ndarray) -> np.ndarray:
        return np.asarray(values, float).ravel()

    a, b = len(data.layers_a), len(data.layers_b)
    names_a, depths_a = _layers(data.layers_a)
    names_b, depths_b = _layers(data.layers_b)
    fisher = (
        Column("fisher", "By Fisher's z", flat(data.fisher), "decimal", missing=_NO_CONCEPT,
               hint="The mean over concepts by way of Fisher's z"),
    ) if np.isfinite(data.fisher).any() else ()  # fmt: skip
    return (
        Column("layer_a", "Layer of A", np.repeat(names_a, b)),
        Column("depth_a", "Depth", np.repeat(depths_a, b), "decimal"),
        Column("layer_b", "Layer of B", np.tile(names_b, a)),
        Column("depth_b", "Depth", np.tile(depths_b, a), "decimal"),
        Column("sfss_pearson", "SFSS", flat(data.pearson), "decimal", flat(data.ci_low),
               flat(data.ci_high), _NO_CONCEPT, "Semantic feature space similarity (Pearson)"),
        Column("sfss_spearman", "By rank", flat(data.spearman), "decimal", missing=_NO_CONCEPT,
               hint="The same by Spearman's rank correlation"),
        *fisher,
        Column("null_95", "Chance", flat(data.null_95), "decimal", missing="no null was drawn",
               hint="95 % of shuffled images stay below"),
        Column("p_adjusted", "p", flat(data.p_adjusted), "decimal", digits=4,
               missing="not tested", hint="Corrected over all pairs of layers"),
        Column("counts", "Above chance", yes(space_counts(data))),
    )  # fmt: skip


def separability_ids(models: Sequence[Separability]) -> list[tuple[str, str, str]]:
    """Ids of the rows: model, concept, layer."""
    return [
        (data.model, concept, layer.name)
        for data in models
        for concept in data.concepts
        for layer in data.layers
    ]


def separability_columns(models: Sequence[Separability]) -> tuple[Column, ...]:
    """One row a concept in a layer of a model."""

    def flat(name: str) -> np.ndarray:
        parts = [np.asarray(getattr(data, name), float).ravel() for data in models]
        return np.concatenate(parts) if parts else np.zeros(0)

    ids = separability_ids(models)
    measured = bool(np.isfinite(flat("auc")).any())
    auc = (
        Column("auc", "AUC", flat("auc"), "decimal", hint="Area under the ROC curve, held out"),
    ) if measured else ()  # fmt: skip
    depth = [layer.depth for data in models for _concept in data.concepts for layer in data.layers]
    return (
        Column("model", "Model", words([row[0] for row in ids])),
        Column("concept", "Concept", words([row[1] for row in ids])),
        Column("layer", "Layer", words([row[2] for row in ids])),
        Column("depth", "Depth", np.array(depth, float), "decimal"),
        Column("accuracy", "Told apart", flat("accuracy"), "decimal", flat("ci_low"),
               flat("ci_high"), hint="Share of held-out examples on the right side"),
        Column("null_95", "Chance", flat("null_95"), "decimal", missing="no null was drawn",
               hint="95 % of permuted labels stay below"),
        Column("separates", "Used", yes(flat("separates")),
               hint="Whether the concept's vector is used in this layer"),
        *auc,
        Column("stability", "Stability", flat("stability"), "decimal",
               hint="Mean cosine between the vectors of resampled negatives"),
        Column("n_positive", "Positive", flat("n_positive"), "whole"),
        Column("n_negative", "Negative", flat("n_negative"), "whole"),
    )  # fmt: skip


def mask_pairs(data: MaskSimilarityMatrix) -> list[tuple[int, int]]:
    """Ids of the rows: places of the concepts of A and B."""
    return [(a, b) for a in range(len(data.concepts_a)) for b in range(len(data.concepts_b))]


def mask_columns(data: MaskSimilarityMatrix, step: int) -> tuple[Column, ...]:
    """One row a pair of found concepts, at one threshold."""

    def flat(values: np.ndarray) -> np.ndarray:
        return np.asarray(values[step], float).ravel()

    pairs = mask_pairs(data)
    first = [data.concepts_a[a] for a, _ in pairs]
    second = [data.concepts_b[b] for _, b in pairs]

    def numbers(values: list[float]) -> np.ndarray:
        return np.array(values, float)

    return (
        Column("concept_a", "A", numbers([float(found_name(c)) for c in first]), "whole",
               hint="Concept of A"),
        Column("concept_b", "B", numbers([float(found_name(c)) for c in second]), "whole",
               hint="Concept of B"),
        Column("ucs", "UCS", flat(data.ucs), "decimal", flat(data.ci_low), flat(data.ci_high),
               _NO_MASK, "Mean overlap of both masks over the images"),
        Column("null_95", "Chance", flat(data.null_95), "decimal", missing="no null was drawn",
               hint="95 % of shuffled images stay below"),
        Column("counts", "Above chance", yes(mask_counts(data)[step])),
        Column("matched", "Best match", yes(data.matched[step])),
        Column("importance_a", "Importance A", numbers([c.importance for c in first]), "decimal",
               missing="the model has no classifier"),
        Column("importance_b", "Importance B", numbers([c.importance for c in second]), "decimal",
               missing="the model has no classifier"),
        Column("presence_a", "Presence A", numbers([c.presence for c in first]), "decimal",
               hint="Share of images that show it"),
        Column("presence_b", "Presence B", numbers([c.presence for c in second]), "decimal",
               hint="Share of images that show it"),
    )  # fmt: skip


def robustness_columns(data: MaskSimilarityMatrix, row: int, column: int) -> tuple[Column, ...]:
    """One row a threshold, of one pair of found concepts."""

    def at(values: np.ndarray) -> np.ndarray:
        return np.asarray(values[:, row, column], float)

    return (
        Column("threshold", "Threshold", np.asarray(data.thresholds, float), "decimal"),
        Column("ucs", "UCS", at(data.ucs), "decimal", at(data.ci_low), at(data.ci_high), _NO_MASK),
        Column("null_95", "Chance", at(data.null_95), "decimal", missing="no null was drawn"),
        Column("counts", "Above chance", yes(mask_counts(data)[:, row, column])),
        Column("matched", "Best match", yes(data.matched[:, row, column])),
    )


def tcav_ids(data: TcavScores) -> list[tuple[str, str]]:
    """Ids of the rows: concept, class."""
    return [(concept, name) for concept in data.concepts for name in data.classes]


def tcav_columns(data: TcavScores) -> tuple[Column, ...]:
    """One row a concept and a class."""

    def flat(values: np.ndarray) -> np.ndarray:
        return np.asarray(values, float).ravel()

    ids = tcav_ids(data)
    usable = np.repeat(np.asarray(data.separates, bool), len(data.classes)).tolist()
    return (
        Column("concept", "Concept", words([row[0] for row in ids])),
        Column("class", "Class", words([row[1] for row in ids])),
        Column("score", "TCAV", flat(data.score), "decimal", flat(data.ci_low),
               flat(data.ci_high), hint="Share of the class's images that more of it would raise"),
        Column("null_low", "Random from", flat(data.null_low), "decimal",
               missing="no random concepts were drawn"),
        Column("null_high", "Random to", flat(data.null_high), "decimal",
               missing="no random concepts were drawn"),
        Column("p_adjusted", "p", flat(data.p_adjusted), "decimal", digits=4,
               missing="not tested", hint="Corrected over all concepts and classes"),
        Column("counts", "Beyond random", yes(tcav_counts(data))),
        Column("reason", "Why not used", words(["" if one else NOT_APART for one in usable])),
    )  # fmt: skip


def _layers(layers: Sequence[DepthLayer]) -> tuple[np.ndarray, np.ndarray]:
    depths = np.array([layer.depth for layer in layers], float)
    return words([layer.name for layer in layers]), depths
