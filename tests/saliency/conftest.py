"""Models that several tests look into."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from analysis.models.loading import LoadedModel, load_model
from tests.saliency.small_models import SMALL_VIT, enliven


@pytest.fixture(autouse=True)
def single_thread() -> Any:
    """Tests of several workers share the machine's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def vit() -> LoadedModel:
    """A small vision transformer of timm: 4 blocks, 4 × 4 patches, 7 classes."""
    return enliven(load_model(SMALL_VIT))


@pytest.fixture
def network() -> LoadedModel:
    """The sample's convolutional network: blocks, global average pooling, linear head."""
    return load_model("sample:pink-sensitive")
