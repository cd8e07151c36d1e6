"""Activations with planted concepts, as a layer after ReLU gives them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

Make = Callable[..., torch.Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def planted() -> Make:
    """Sparse non-negative activations (images·patches, channels) from a few sparse concepts."""

    def make(
        seed: int = 0, images: int = 20, patches: int = 8, channels: int = 60, concepts: int = 12
    ) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        shown = torch.rand(images, 1, concepts, generator=generator) ** 2
        strength = torch.rand(images, patches, concepts, generator=generator)
        on = torch.rand(images, patches, concepts, generator=generator) < 0.4
        basis = torch.rand(concepts, channels, generator=generator) ** 3
        basis = basis * (torch.rand(concepts, channels, generator=generator) < 0.3)
        clean = (shown * strength * on).reshape(-1, concepts) @ basis
        noise = 0.05 * torch.randn(clean.shape, generator=generator)
        return (clean * 4 + noise).clamp(min=0)

    return make
