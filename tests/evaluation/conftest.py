"""Features in which classes differ, and how a split of them looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Labelled:
    features: np.ndarray
    labels: np.ndarray

    @property
    def names(self) -> list[str]:
        return [f"class {number}" for number in self.labels]


def make_labelled(
    images: int = 120, width: int = 30, classes: int = 4, spread: float = 1.5, seed: int = 0
) -> Labelled:
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(images) % classes)
    centres = generator.normal(size=(classes, width))
    noise = generator.normal(size=(images, width))
    scale = np.geomspace(0.1, 100, width)
    return Labelled((centres[labels] + spread * noise) * scale + 3, labels)


@pytest.fixture
def labelled() -> Labelled:
    return make_labelled()


@pytest.fixture
def make():
    return make_labelled
