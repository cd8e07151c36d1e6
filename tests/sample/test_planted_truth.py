"""The sample's planted truth, measured with other libraries than the product's engines."""

from __future__ import annotations

import importlib
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def check(make_images: ModuleType) -> ModuleType:
    return importlib.import_module("check_planted_truth")


@pytest.fixture(scope="module")
def planted(check: ModuleType, make_images: ModuleType) -> tuple:
    """Patches of the planted class, their pink fractions, and pink-sensitive's concepts."""
    patches, pink = check.patches_of(make_images.PLANTED_CLASS)
    U = check.concepts_of(check.features_of("pink-sensitive", patches), 10)
    return patches, pink, U


def pink_concept(pink: np.ndarray, U: np.ndarray) -> int:
    return int(np.argmax([np.corrcoef(column, pink)[0, 1] for column in U.T]))


def test_one_concept_of_the_sensitive_network_is_the_pink_square(planted: tuple) -> None:
    _, pink, U = planted
    concept = pink_concept(pink, U)
    assert np.corrcoef(U[:, concept], pink)[0, 1] > 0.9
    assert (pink[np.argsort(U[:, concept])[::-1][:10]] > 0).all()


def test_the_invariant_network_cannot_predict_pink_and_predicts_the_rest(
    check: ModuleType, planted: tuple
) -> None:
    patches, pink, U = planted
    concept = pink_concept(pink, U)
    cmcs = check.cross_model_similarity(check.features_of("pink-invariant", patches), U)
    others = np.delete(cmcs, concept)
    assert abs(cmcs[concept]) < 0.2
    assert others.mean() > 0.6
    assert others.min() > cmcs[concept] + 0.2
