"""Figure data seen from the other side: what a run of (X, Y) says when X is shown as B. No Qt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.figures.data import (
    ConceptDetail,
    ConceptPoints,
    LayerSimilarity,
    ReplacementPoints,
)

_OTHER_SIDE = {"a": "b", "b": "a"}


def mirror_layers(data: LayerSimilarity) -> LayerSimilarity:
    """The same matrix with A and B exchanged: transposed."""
    return replace(
        data,
        model_a=data.model_b,
        model_b=data.model_a,
        layers_a=data.layers_b,
        layers_b=data.layers_a,
        depths_a=data.depths_b,
        depths_b=data.depths_a,
        values=data.values.T,
        ci_low=data.ci_low.T,
        ci_high=data.ci_high.T,
        null_95=data.null_95.T,
        classes=data.classes.T,
    )


def mirror_points(data: ConceptPoints) -> ConceptPoints:
    """The same concepts with A and B exchanged."""
    return replace(
        data,
        model_a=data.model_b,
        model_b=data.model_a,
        layer_a=data.layer_b,
        layer_b=data.layer_a,
        side=_other_sides(data.side),
    )


def mirror_replacement(data: ReplacementPoints) -> ReplacementPoints:
    """The same replacement test with A and B exchanged."""
    return replace(data, model_a=data.model_b, model_b=data.model_a, side=_other_sides(data.side))


def mirror_detail(data: ConceptDetail) -> ConceptDetail:
    """The same concept with A and B exchanged."""
    return replace(data, side=_OTHER_SIDE[data.side])


def _other_sides(side: np.ndarray) -> np.ndarray:
    other = np.where(side == "a", "b", "a")
    other.setflags(write=False)
    return other
