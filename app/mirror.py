"""Figure data seen from the other side: what a run of (X, Y) says when X is shown as B. No Qt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

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

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Data = TypeVar("Data", bound=DataclassInstance)

_OTHER_SIDE = {"a": "b", "b": "a"}


def mirror_layers(data: LayerSimilarity) -> LayerSimilarity:
    """The same matrix with A and B exchanged: transposed."""
    matrices = ("values", "ci_low", "ci_high", "null_95", "classes")
    return _transposed(_exchanged(data, "model", "layers", "depths"), matrices)


def mirror_points(data: ConceptPoints) -> ConceptPoints:
    """The same concepts with A and B exchanged."""
    return replace(_exchanged(data, "model", "layer"), side=_other_sides(data.side))


def mirror_replacement(data: ReplacementPoints) -> ReplacementPoints:
    """The same replacement test with A and B exchanged."""
    return replace(_exchanged(data, "model"), side=_other_sides(data.side))


def mirror_detail(data: ConceptDetail) -> ConceptDetail:
    """The same concept with A and B exchanged."""
    return replace(data, side=_OTHER_SIDE[data.side])


def mirror_semantics(data: SemanticsIndex) -> SemanticsIndex:
    """The same run with A and B exchanged."""
    pairs = ("models", "layers", "mask_layers", "trained")
    return replace(data, **{name: getattr(data, name)[::-1] for name in pairs})


def mirror_space(data: SpaceSimilarityMatrix) -> SpaceSimilarityMatrix:
    """The same feature spaces with A and B exchanged: transposed."""
    matrices = ("pearson", "spearman", "ci_low", "ci_high", "null_95", "p_adjusted", "fisher")
    return _transposed(_exchanged(data, "layers"), matrices)


def mirror_masks(data: MaskSimilarityMatrix) -> MaskSimilarityMatrix:
    """The same found concepts with A and B exchanged: transposed at each threshold."""
    matrices = ("ucs", "ci_low", "ci_high", "null_95", "matched", "p_adjusted")
    return _transposed(_exchanged(data, "layer", "concepts"), matrices)


def mirror_projected(data: ProjectedMasks) -> ProjectedMasks:
    """The same masks with A and B exchanged."""
    return _exchanged(data, "layer", "concept", "values")


def _exchanged(data: Data, *names: str) -> Data:
    """What was said of A said of B, and the other way round: fields `name_a` and `name_b`."""
    changes: dict[str, Any] = {}
    for name in names:
        first, second = f"{name}_a", f"{name}_b"
        changes |= {first: getattr(data, second), second: getattr(data, first)}
    return replace(data, **changes)


def _transposed(data: Data, names: tuple[str, ...]) -> Data:
    """Matrices (…, of A, of B) as (…, of B, of A)."""
    return replace(data, **{name: getattr(data, name).swapaxes(-1, -2) for name in names})


def _other_sides(side: np.ndarray) -> np.ndarray:
    other = np.where(side == "a", "b", "a")
    other.setflags(write=False)
    return other
