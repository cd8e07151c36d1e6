"""The toy experiment (A.2) in small: a pink square that only one model has a feature for."""

from __future__ import annotations

import torch

from analysis.concepts.extraction import factorize, fit_coefficients
from analysis.concepts.matching import concept_correlation
from analysis.concepts.regression import fit_lasso_folds, predict
from analysis.concepts.similarity import concept_similarity

IMAGES, PATCHES, CONCEPTS = 40, 8, 5


def _scenes(seed: int) -> torch.Tensor:
    """How strongly each patch shows five things; the last is the pink square."""
    generator = torch.Generator().manual_seed(seed)
    shown = torch.rand(IMAGES * PATCHES, CONCEPTS, generator=generator)
    return shown * (torch.rand(IMAGES * PATCHES, CONCEPTS, generator=generator) < 0.35)


def _network(seed: int, sees_square: bool) -> torch.Tensor:
    """First layer of a network: its features of each of the five things, (5, 64)."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.rand(CONCEPTS, 64, generator=generator)
    features = features * (torch.rand(CONCEPTS, 64, generator=generator) < 0.3)
    if not sees_square:
        features[-1] = 0
    return features


def _activations(scenes: torch.Tensor, features: torch.Tensor, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    noise = 0.05 * torch.randn(scenes.shape[0], 64, generator=generator)
    return (scenes @ features + noise).clamp(min=0)


def test_the_pink_square_is_the_concept_that_the_blind_model_lacks() -> None:
    seeing, blind = _network(1, True), _network(2, False)
    train, held_out = _scenes(3), _scenes(4)
    target = _activations(train, seeing, 5)
    found = factorize(target[None], CONCEPTS)
    square = int(concept_correlation(found.coefficients[0], train)[:, -1].argmax())
    images = torch.arange(IMAGES).repeat_interleave(PATCHES)
    real = fit_coefficients(_activations(held_out, seeing, 6)[None], found.basis)[0]

    def similarity(features: torch.Tensor) -> torch.Tensor:
        predictor = _activations(train, features, 7)
        folds = fit_lasso_folds(predictor, found.coefficients[0], images)
        predicted = predict(_activations(held_out, features, 8), folds)
        blocks = (part.reshape(IMAGES, PATCHES, -1) for part in (predicted, real))
        return concept_similarity(*blocks).pearson

    cross, same = similarity(blind), similarity(seeing)
    others = [concept for concept in range(CONCEPTS) if concept != square]
    # A prediction without any predictor is constant: no similarity at all.
    assert abs(cross[square].nan_to_num(0.0).item()) < 0.25
    assert (cross[others] > 0.8).all()
    assert (same > 0.8).all()
    assert same.mean() > cross.nan_to_num(0.0).mean()
