"""The columns of each figure's table twin."""

from __future__ import annotations

import numpy as np

from analysis.figures.data import ConceptDetail, ConceptPoints, LayerSimilarity, ReplacementPoints
from app.widgets.table_model import Column

NO_HEAD = "the model has no classification head"
_ONE_START = "the factorisation was started only once"
_CONSTANT = "the concept or its prediction is the same for every image"


def layer_pairs(data: LayerSimilarity) -> list[tuple[str, str]]:
    """Ids of the rows: layer of A, layer of B."""
    return [(a, b) for a in data.layers_a for b in data.layers_b]


def layer_columns(data: LayerSimilarity, measure: str) -> tuple[Column, ...]:
    """One row a pair of layers."""
    first, second = len(data.layers_a), len(data.layers_b)
    layers_a = np.repeat(np.array(data.layers_a, dtype=object), second)
    layers_b = np.tile(np.array(data.layers_b, dtype=object), first)
    missing = "this pair of layers is not computed yet"
    return (
        Column("layer_a", f"Layer of {data.model_a}", layers_a, sides=_side("a", first * second)),
        Column("layer_b", f"Layer of {data.model_b}", layers_b, sides=_side("b", first * second)),
        Column(
            data.measure,
            measure,
            data.values.ravel(),
            "decimal",
            data.ci_low.ravel(),
            data.ci_high.ravel(),
            missing,
            "The mean over classes, with its 95 % interval over images",
        ),
        Column(
            "null_95",
            "Chance",
            data.null_95.ravel(),
            "decimal",
            missing="no null was drawn",
            hint="What 95 % of shufflings of the images stay below",
        ),
        Column("classes", "Classes", data.classes.ravel().astype(float), "whole", missing=missing),
        Column("depth_a", "Depth A", np.repeat(data.depths_a, second), "decimal"),
        Column("depth_b", "Depth B", np.tile(data.depths_b, first), "decimal"),
    )


def concept_columns(data: ConceptPoints, kept: np.ndarray) -> tuple[Column, ...]:
    """One row a concept; `kept` are the places of the rows to show."""

    def numbers(key: str, title: str, style: str, missing: str, hint: str = "") -> Column:
        return Column(key, title, getattr(data, key)[kept], style, missing=missing, hint=hint)

    return (
        *_who(data, kept),
        Column(
            "cmcs_pearson",
            "CMCS",
            data.cmcs_pearson[kept],
            "decimal",
            data.ci_low[kept],
            data.ci_high[kept],
            _CONSTANT,
            "How well the other model's activations predict the concept, with its 95 % interval",
        ),
        numbers("null_95", "Chance", "decimal", "no null was drawn", "95 % of random pairings"),
        numbers("importance", "Importance", "decimal", NO_HEAD, "Share of the most important"),
        numbers("smcs_pearson", "SMCS", "decimal", _CONSTANT, "Predicted by the model itself"),
        numbers("mcs_pearson", "MCS", "decimal", _CONSTANT, "Best match with one other concept"),
        numbers("stability", "Stability", "decimal", _ONE_START, "Comes back from other starts"),
        numbers("reconstruction_error", "Error", "decimal", "not measured", "Left unexplained"),
        numbers("nonzero_weights", "Weights", "whole", "not measured", "Used by the prediction"),
        numbers("n_images", "Images", "whole", "not measured"),
    )


def replacement_columns(data: ReplacementPoints, kept: np.ndarray) -> tuple[Column, ...]:
    """One row a concept."""
    return (
        *_who(data, kept),
        Column(
            "delta_pearson", "Δ Pearson", data.delta_pearson[kept], "decimal", missing=_CONSTANT
        ),
        Column("l2", "l₂ distance", data.l2[kept], "significant"),
        Column("kl", "KL (nats)", data.kl[kept], "significant", missing=NO_HEAD),
        Column("match_accuracy", "Match", data.match_accuracy[kept], "decimal", missing=NO_HEAD),
        Column("importance", "Importance", data.importance[kept], "decimal", missing=NO_HEAD),
    )


def detail_columns(data: ConceptDetail, kinds: np.ndarray) -> tuple[Column, ...]:
    """One row a held-out patch; `kinds` are the words of its patch set."""
    return (
        Column("image", "Image", data.image.astype(float), "whole"),
        Column("kind", "Set", kinds),
        Column("real", "Real", data.real.astype(float), "significant"),
        Column("predicted", "Predicted", data.predicted.astype(float), "significant"),
        *(
            Column(name, name, data.box[:, i].astype(float), "whole")
            for i, name in enumerate(("x", "y", "width", "height"))
        ),
    )


def _who(data: ConceptPoints | ReplacementPoints, kept: np.ndarray) -> tuple[Column, ...]:
    sides = data.side[kept]
    names = np.where(sides == "a", data.model_a, data.model_b).astype(object)
    return (
        Column("class", "Class", data.class_name[kept].astype(object)),
        Column("concept", "Concept", data.concept[kept].astype(float) + 1, "whole"),
        Column("model", "Of model", names, sides=sides),
    )


def _side(side: str, count: int) -> np.ndarray:
    return np.full(count, side)
