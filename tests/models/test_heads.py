from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from analysis.models.heads import find_head
from analysis.models.layers import PENULTIMATE, find_layers
from analysis.models.loading import LoadedModel, LoadReport
from analysis.models.preprocessing import Preprocessing
from analysis.models.specification import ModelSpecification
from analysis.models.taps import LayerTaps

LINEAR = [
    "timm:test_resnet", "timm:test_vit", "timm:test_convnext", "timm:test_efficientnet",
    "timm:tf_efficientnet_lite0?input=96", "timm:mobilenetv3_small_050?input=96",
    "timm:deit_tiny_distilled_patch16_224", "timm:efficientformer_l1",
    "torchvision:resnet18?input=64", "torchvision:mobilenet_v2?input=64",
    "torchvision:densenet121?input=64", "timm:resnetv2_50?input=64&width_factor=0.25",
    pytest.param("torchvision:swin_t?input=64", marks=pytest.mark.slow),
]  # fmt: skip


def penultimate(model: LoadedModel, batch: torch.Tensor, reduction: str = "auto"):
    with LayerTaps(model, [PENULTIMATE], reduction) as taps:
        result = taps.forward(batch)
    return result.features[PENULTIMATE], result.output


@pytest.mark.parametrize("architecture", LINEAR)
def test_the_head_on_penultimate_features_is_the_models_output(
    architecture: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    model = scrambled(architecture)
    head = find_head(model)
    features, output = penultimate(model, make_inputs(model, 2))
    assert head is not None
    assert head.is_linear
    assert head.exact
    assert head.weight.shape == (model.num_classes, features.shape[1])
    assert output.std() > 0
    torch.testing.assert_close(head.logits(features), output, rtol=1e-4, atol=1e-4)


def test_a_convolutional_head_is_exact_on_maps(scrambled: Callable[..., LoadedModel], make_inputs):
    model = scrambled("torchvision:squeezenet1_1?input=96")
    head = find_head(model)
    assert head is not None
    assert not head.is_linear
    assert not head.exact
    maps, output = penultimate(model, make_inputs(model), "map")
    assert maps.shape[1] == 512
    torch.testing.assert_close(head.logits(maps), output)
    # Pooled features are those of an image that looks the same everywhere.
    pooled, _ = penultimate(model, make_inputs(model))
    assert pooled.shape == (3, 512)
    torch.testing.assert_close(pooled, maps.mean((2, 3)))
    flat = pooled[:, :, None, None].expand_as(maps)
    torch.testing.assert_close(head.logits(pooled), head.logits(flat))


@pytest.mark.parametrize("architecture", ["timm:test_resnet", "torchvision:squeezenet1_1?input=96"])
def test_heads_are_differentiable(
    architecture: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    model = scrambled(architecture)
    head = find_head(model)
    features, _ = penultimate(model, make_inputs(model))
    features = features.double().float().requires_grad_(True)
    (gradient,) = torch.autograd.grad(head.logits(features)[:, 3].sum(), features)
    assert gradient.abs().max() > 0
    if head.is_linear:
        torch.testing.assert_close(gradient, head.weight[3].expand_as(gradient))


@pytest.mark.parametrize(
    "architecture",
    [
        "timm:test_vit?num_classes=0", "timm:test_resnet?num_classes=0",
        "timm:test_convnext?num_classes=0", "torchvision:resnet18?num_classes=0&input=64",
    ],
)  # fmt: skip
def test_a_headless_model_has_no_head_and_gives_its_features(
    architecture: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    model = scrambled(architecture)
    assert find_head(model) is None
    features, output = penultimate(model, make_inputs(model))
    assert torch.equal(features, output)
    assert find_layers(model)[-1].shape == (features.shape[1],)


class Scaled(nn.Module):
    """Scores that no module gives: they are scaled after the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.conv(x).mean((2, 3))) * 7


def test_a_classifier_that_is_no_module_is_not_invented():
    model = LoadedModel(
        ModelSpecification("sample", "own"), Scaled().eval(), Preprocessing(16, 16, 16), "",
        LoadReport(), None, 4,
    )  # fmt: skip
    assert find_head(model) is None
    batch = torch.randn(2, 3, 16, 16)
    features, _ = penultimate(model, batch)
    torch.testing.assert_close(features, model.module.conv(batch).mean((2, 3)))
