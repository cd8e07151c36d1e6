"""Small networks with weights that are not trivial, and weight files made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from analysis.models.loading import LoadedModel, load_model
from tests.models.exported_files import pyramid, save


@pytest.fixture(autouse=True)
def single_thread() -> Any:
    """Tests of several workers share the machine's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def scramble(module: nn.Module, seed: int = 0) -> None:
    """Give normalisations and zero-initialised heads values that a wrong computation would show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.running_mean.normal_(0, 0.2, generator=generator)
                part.running_var.uniform_(0.5, 1.5, generator=generator)
                part.weight.uniform_(0.5, 1.5, generator=generator)
                part.bias.normal_(0, 0.2, generator=generator)
            elif isinstance(part, nn.Linear):
                part.weight.normal_(0, 0.05, generator=generator)


def scrambled_state(specification: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """A full state dict for an architecture, with non-trivial values."""
    model = load_model(specification, optimize=False)
    scramble(model.module, seed)
    return {name: tensor.clone() for name, tensor in model.module.state_dict().items()}


@pytest.fixture
def scrambled(tmp_path: Path) -> Callable[[str, Any], LoadedModel]:
    """Load an untrained architecture with non-trivial weights, through a weights file.

    Not optimised it is the very network that the file was written from.
    """
    written: dict[str, LoadedModel] = {}

    def load(specification: str, optimize: Any = True) -> LoadedModel:
        separator = "&" if "?" in specification else "?"
        path = tmp_path / f"{abs(hash(specification))}.pth"
        if specification not in written:
            model = load_model(f"{specification}{separator}pretrained=false", optimize=False)
            scramble(model.module)
            torch.save(model.module.state_dict(), path)
            written[specification] = model
        if optimize is False:
            return written[specification]
        return load_model(f"{specification}@{path}", optimize=optimize)

    return load


def inputs(model: LoadedModel, count: int = 3, seed: int = 5) -> torch.Tensor:
    """Random model inputs: (count, 3, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    size = (count, 3, model.preprocessing.height, model.preprocessing.width)
    return torch.randn(size, generator=generator)


@pytest.fixture
def scramble_module() -> Callable[[nn.Module], nn.Module]:
    def apply(module: nn.Module) -> nn.Module:
        scramble(module)
        return module

    return apply


@pytest.fixture
def make_state() -> Callable[[str], dict[str, torch.Tensor]]:
    return scrambled_state


@pytest.fixture
def make_inputs() -> Callable[..., torch.Tensor]:
    return inputs


@pytest.fixture(scope="session")
def resnet_state() -> dict[str, torch.Tensor]:
    """The tensors of a ResNet-18 by timm's (and torchvision's) names."""
    return scrambled_state("timm:resnet18?pretrained=false")


@pytest.fixture(scope="session")
def transformer_state() -> dict[str, torch.Tensor]:
    """The tensors of a small vision transformer by timm's (and DINO's, MAE's) names."""
    return scrambled_state("timm:test_vit?pretrained=false")


@pytest.fixture(scope="session")
def exported_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pyramid for any number of images; tests read it alone."""
    dynamic = ({0: torch.export.Dim("n")},)
    return save(pyramid(), tmp_path_factory.mktemp("pt2") / "small.pt2", dynamic_shapes=dynamic)
