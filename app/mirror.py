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
from analysis.figures.semantics_data import (
    MaskSimilarityMatrix,
    ProjectedMasks,
    SemanticsIndex,
    SpaceSimilarityMatrix,
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


def mirror_semantics(data: SemanticsIndex) -> SemanticsIndex:
    """The same run with A and B exchanged."""
    return replace(
        data,
        models=data.models[::-1],
        layers=data.layers[::-1],
        mask_layers=data.mask_layers[::-1],
        trained=data.trained[::-1],
    )


def mirror_space(data: SpaceSimilarityMatrix) -> SpaceSimilarityMatrix:
    """The same feature spaces with A and B exchanged: transposed."""
    return replace(
        data,
        layers_a=data.layers_b,
        layers_b=data.layers_a,
        pearson=data.pearson.T,
        spearman=data.spearman.T,
        ci_low=data.ci_low.T,
        ci_high=data.ci_high.T,
        null_95=data.null_95.T,
        p_adjusted=data.p_adjusted.T,
        fisher=data.fisher.T,
    )


def mirror_masks(data: MaskSimilarityMatrix) -> MaskSimilarityMatrix:
    """The same found concepts with A and B exchanged: transposed at each threshold."""
    return replace(
        data,
        layer_a=data.layer_b,
        layer_b=data.layer_a,
        concepts_a=data.concepts_b,
        concepts_b=data.concepts_a,
        ucs=data.ucs.swapaxes(1, 2),
        ci_low=data.ci_low.swapaxes(1, 2),
        ci_high=data.ci_high.swapaxes(1, 2),
        null_95=data.null_95.swapaxes(1, 2),
        matched=data.matched.swapaxes(1, 2),
        p_adjusted=data.p_adjusted.swapaxes(1, 2),
    )


def mirror_projected(data: ProjectedMasks) -> ProjectedMasks:
    """The same masks with A and B exchanged."""
    return replace(
        data,
        layer_a=data.layer_b,
        concept_a=data.concept_b,
        layer_b=data.layer_a,
        concept_b=data.concept_a,
        values_a=data.values_b,
        values_b=data.values_a,
    )


def _other_sides(side: np.ndarray) -> np.ndarray:
    other = np.where(side == "a", "b", "a")
    other.setflags(write=False)
    return other
