"""What an audit does in several steps, in one: vectors, masks, and importance by difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from analysis.semantics.concept_effects import Scores
from analysis.semantics.concept_masks import IceConcepts, Normalisation, enlarged, normalised
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.vectors import ConceptVectors, VectorSettings, fit_vectors, plan_vectors


def concept_vectors(
    features: torch.Tensor,
    concepts: Sequence[ConceptExamples],
    settings: VectorSettings | None = None,
    images: np.ndarray | None = None,
) -> ConceptVectors:
    """Concept vectors of one layer, planned and fitted."""
    return fit_vectors(features, plan_vectors(concepts, len(features), settings, images))


def concept_masks(
    concepts: IceConcepts,
    coefficients: torch.Tensor,
    side: int = 56,
    thresholds: tuple[float, ...] = (0.5, 0.75),
    by: Normalisation = "image",
    gate: float = 0.0,
) -> torch.Tensor:
    """Masks (thresholds, n, k, side, side): normalised, enlarged, and only then cut."""
    values = enlarged(normalised(coefficients, concepts.peak, by, gate), side)
    return torch.stack([values > threshold for threshold in thresholds])


def importance_by_difference(
    scores: Scores, maps: torch.Tensor, directions: torch.Tensor, epsilon: float = 1e-4
) -> torch.Tensor:
    """(f(A + ε·v) − f(A − ε·v)) / 2ε, mean over images, as published: (k, classes) float64."""
    found = []
    for direction in directions.to(maps):
        step = epsilon * direction[None, :, None, None]
        difference = scores(maps + step).double() - scores(maps - step).double()
        found.append(difference.mean(0).cpu() / (2 * epsilon))
    return torch.stack(found)
