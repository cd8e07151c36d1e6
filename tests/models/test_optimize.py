from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from analysis.models.loading import LoadedModel
from analysis.models.optimize import FoldedNormalisation, InferenceOptions, prepare_for_inference


def prepared(module: nn.Module, **options: bool):
    module.eval()
    images = torch.randn(2, 3, 24, 24)
    with torch.no_grad():
        expected = module(images)
    fast = copy.deepcopy(module)
    folding = prepare_for_inference(fast, images, InferenceOptions(**options))
    with torch.no_grad():
        torch.testing.assert_close(fast(images), expected, rtol=1e-4, atol=1e-4)
    return fast, folding


class Network(nn.Module):
    """Two convolutions and normalisations, joined as `way` says."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        if way == "shared weights":
            self.conv3 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.conv3.weight = self.conv2.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.bn1(self.conv1(x))
        second = self.conv2(torch.relu(first))
        if self.way == "used twice":
            return self.bn2(second) + second
        if self.way == "called twice":
            return self.bn2(self.conv2(self.bn2(second)))
        if self.way == "in between":
            return self.bn2(torch.relu(second))
        if self.way == "shared weights":
            return self.bn2(second) + self.conv3(first)
        return torch.relu(self.bn2(second))


@pytest.mark.parametrize(
    ("way", "folded"),
    [
        ("one after another", {"conv1", "conv2"}), ("used twice", {"conv1"}),
        ("called twice", {"conv1"}), ("in between", {"conv1"}), ("shared weights", {"conv1"}),
    ],
)  # fmt: skip
def test_only_pairs_that_belong_together_are_folded(way: str, folded: set[str], scramble_module):
    _, folding = prepared(scramble_module(Network(way)))
    assert set(folding.pairs) == folded


def test_timms_normalisation_keeps_its_activation(scramble_module):
    from timm.layers import BatchNormAct2d

    module = nn.Sequential(nn.Conv2d(3, 8, 3), BatchNormAct2d(8, act_layer=nn.ReLU6), nn.Flatten())
    fast, folding = prepared(scramble_module(module))
    assert set(folding.pairs) == {"0"}
    assert isinstance(fast[1], FoldedNormalisation)
    assert isinstance(fast.get_submodule("1.act"), nn.ReLU6)


def test_normalisations_without_weights_fold_too():
    module = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8, affine=False))
    scramble_free = module.eval()
    scramble_free[1].running_var.uniform_(0.5, 2)
    scramble_free[1].running_mean.normal_()
    images = torch.randn(2, 3, 9, 9)
    expected = module(images).detach()
    folding = prepare_for_inference(module, images, InferenceOptions())
    assert len(folding.pairs) == 1
    torch.testing.assert_close(module(images), expected)


def test_a_fold_that_changes_the_output_is_taken_back():

    class Sly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.bn(self.conv(x)) + self.conv.weight.sum()  # reads the weights themselves

    module = Sly().eval()
    module.bn.running_var.fill_(4.0)
    images = torch.randn(2, 3, 8, 8)
    expected = module(images).detach()
    folding = prepare_for_inference(module, images, InferenceOptions())
    assert not folding.pairs
    assert isinstance(module.bn, nn.BatchNorm2d)
    torch.testing.assert_close(module(images), expected)


@pytest.mark.parametrize(
    "architecture", ["timm:tf_efficientnet_lite0?input=96", "timm:test_resnet"]
)
def test_every_normalisation_after_a_convolution_is_folded(
    architecture: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    plain, fast = scrambled(architecture, False), scrambled(architecture)
    normalisations = sum(isinstance(part, nn.BatchNorm2d) for part in plain.module.modules())
    assert fast.folding is not None
    assert len(fast.folding.pairs) == normalisations > 10
    batch = make_inputs(plain)
    expected = plain.run(batch)
    difference = (fast.run(batch) - expected).abs().max()
    assert difference < 1e-4 * expected.abs().max()


def test_the_hash_is_of_the_weights_as_they_were_given(scrambled: Callable[..., LoadedModel]):
    architecture = "timm:test_resnet?pretrained=false"
    from analysis.models.loading import load_model

    first, second = load_model(architecture), load_model(architecture, optimize=False)
    assert first.weights_sha256 == second.weights_sha256
    assert load_model(f"{architecture}&seed=1").weights_sha256 != first.weights_sha256
