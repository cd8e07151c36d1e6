"""Planted concepts on small arrays, and small networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from analysis.models.loading import LoadedModel, load_model
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.vectors import VectorSettings

Features = Callable[..., torch.Tensor]

QUICK = VectorSettings(sets=12, permutations=39, null_sets=3, replicates=200)
POSITIVES, POOL = 24, 120


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def quick() -> VectorSettings:
    return QUICK


@pytest.fixture
def concept() -> ConceptExamples:
    """The first rows against the rest."""
    return ConceptExamples("planted", np.arange(POSITIVES), np.arange(POSITIVES, POSITIVES + POOL))


@pytest.fixture
def features() -> Features:
    """Rectified features of which the first `POSITIVES` rows are moved along one direction."""

    def make(strength: float = 2.0, channels: int = 40, seed: int = 0) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        values = torch.randn(POSITIVES + POOL, channels, generator=generator)
        values[:POSITIVES, :3] += strength
        return values.clamp(min=0)

    return make


@pytest.fixture
def network() -> LoadedModel:
    """The sample's convolutional network: blocks, global average pooling, linear head."""
    return load_model("sample:pink-sensitive")
