"""Small classifiers and images that several tests measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from analysis.faithfulness.pixels import Pixels


@pytest.fixture(autouse=True)
def single_thread() -> Iterator[None]:
    """Tests of several workers share the machine's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_classifier(channels: int = 3, classes: int = 5) -> torch.nn.Module:
    """Random but fixed weights; takes images of any size."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(channels, 8, 3, padding=1, stride=2),
            torch.nn.Tanh(),
            torch.nn.Conv2d(8, 8, 3, padding=1),
            torch.nn.Tanh(),
            torch.nn.AdaptiveAvgPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(32, classes),
        )
    return network.eval().requires_grad_(False)


def scores_of(network: torch.nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda images: (network(images) * 4).softmax(1)


@pytest.fixture
def pixels() -> Pixels:
    return Pixels((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture
def batch(pixels: Pixels) -> torch.Tensor:
    """Three smooth images of 32 × 28 pixels as model inputs."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(3, 3, 5, 4, generator=generator)
    images = torch.nn.functional.interpolate(coarse, size=(32, 28), mode="bilinear")
    mean = torch.tensor(pixels.mean)[:, None, None]
    return (images - mean) / torch.tensor(pixels.std)[:, None, None]


@pytest.fixture
def maps() -> list[torch.Tensor]:
    """Of two methods, with grids of their own."""
    generator = torch.Generator().manual_seed(4)
    return [torch.rand(3, 4, 4, generator=generator), torch.rand(3, 7, 5, generator=generator)]
