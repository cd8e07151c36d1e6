from __future__ import annotations

import pytest
import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, Layer, default_layers, find_layers
from analysis.models.loading import LoadedModel, LoadReport, load_model
from analysis.models.preprocessing import Preprocessing
from analysis.models.specification import ModelSpecification


def untrained(architecture: str) -> LoadedModel:
    separator = "&" if "?" in architecture else "?"
    return load_model(f"{architecture}{separator}pretrained=false")


def of_kind(layers: tuple[Layer, ...], kind: str) -> list[str]:
    return [layer.name for layer in layers if layer.kind == kind]


def wrapped(module: nn.Module, side: int = 32, classes: int = 5) -> LoadedModel:
    """A network of a test's own, as if it had been loaded."""
    return LoadedModel(
        ModelSpecification("sample", "own"), module.eval(),
        Preprocessing(height=side, width=side, resize=side), "", LoadReport(), None, classes,
    )  # fmt: skip


def test_residual_network_in_execution_order():
    layers = find_layers(untrained("torchvision:resnet18"))
    assert len(of_kind(layers, "activation")) == 17  # as the concept comparison counts them
    assert of_kind(layers, "block") == [f"layer{s}.{b}" for s in range(1, 5) for b in range(2)]
    assert of_kind(layers, "stage") == [f"layer{s}" for s in range(1, 5)]
    names = [layer.name for layer in layers]
    inside = [name for name in names if name.startswith("layer2.0")]
    assert inside == [
        "layer2.0.conv1", "layer2.0.bn1", "layer2.0.relu", "layer2.0.conv2", "layer2.0.bn2",
        "layer2.0.downsample.0", "layer2.0.downsample.1", "layer2.0.relu#2", "layer2.0",
    ]  # fmt: skip
    assert [layer.position for layer in layers] == list(range(len(layers)))
    assert layers[0].depth == 0
    assert layers[-1] == Layer(
        PENULTIMATE, len(layers) - 1, "penultimate", (512,), 512, 1.0, False, None
    )
    assert [layer.depth for layer in layers] == sorted(layer.depth for layer in layers)


def test_resnet50_has_49_activations():
    assert len(of_kind(find_layers(untrained("timm:resnet50")), "activation")) == 49


def test_vision_transformer():
    layers = find_layers(untrained("timm:deit_tiny_distilled_patch16_224?input=224"))
    by_name = {layer.name: layer for layer in layers}
    assert len(of_kind(layers, "block")) == 12
    assert len(of_kind(layers, "attention")) == len(of_kind(layers, "mlp")) == 12
    assert by_name["patch_embed"].kind == "embedding"
    block = by_name["blocks.3"]
    assert block.token
    assert (block.shape, block.channels) == ((198, 192), 192)
    assert (block.grid, block.prefix_tokens, block.class_token) == ((14, 14), 2, True)
    assert layers[-1].shape == (384,)  # class and distillation token


def test_registers_are_no_class_token():
    layers = find_layers(untrained("timm:vit_wee_patch16_reg1_gap_256"))
    block = next(layer for layer in layers if layer.kind == "block")
    assert (block.prefix_tokens, block.class_token, block.grid) == (1, False, (16, 16))


def test_torchvision_transformer_is_seen_alike():
    layers = find_layers(untrained("torchvision:vit_b_32"))
    assert len(of_kind(layers, "block")) == len(of_kind(layers, "attention")) == 12
    block = next(layer for layer in layers if layer.kind == "block")
    assert (block.grid, block.prefix_tokens) == ((7, 7), 1)


def test_channels_last_maps_and_window_attention():
    layers = find_layers(untrained("timm:swin_tiny_patch4_window7_224?embed_dim=24"))
    blocks = [layer for layer in layers if layer.kind == "block"]
    assert len(blocks) == 12
    assert blocks[0].channels_last
    assert (blocks[0].channels, blocks[0].grid) == (24, (56, 56))
    # Windows of several images in one batch are no image's own features.
    assert not any(layer.name == "layers.0.blocks.0.attn" for layer in layers)


def test_gates_are_marked_and_never_chosen():
    layers = find_layers(untrained("timm:mobilenetv3_small_050"))
    gates = {layer.name for layer in layers if layer.gate}
    assert any("se" in name for name in gates)
    assert not gates & set(default_layers(layers, 30))


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("timm:resnet18", "activation"), ("timm:test_efficientnet", "activation"),
        ("timm:tf_efficientnet_lite0", "activation"), ("torchvision:squeezenet1_1", "activation"),
        ("timm:test_vit", "block"), ("timm:convnext_atto", "block"),
        ("torchvision:swin_t?input=64", "block"), ("timm:mixer_s32_224", "block"),
        ("torchvision:googlenet?init_weights=false", "activation"),
    ],
)  # fmt: skip
def test_default_layers(architecture: str, kind: str):
    layers = find_layers(untrained(architecture))
    kinds = {layer.name: layer.kind for layer in layers}
    for count in (1, 2, 5, 10):
        chosen = default_layers(layers, count)
        assert chosen[-1] == PENULTIMATE
        assert (
            len(chosen) == len(set(chosen)) == min(count, sum(kinds[n] == kind for n in kinds) + 1)
        )
        assert all(kinds[name] == kind for name in chosen[:-1])
        positions = [next(x.position for x in layers if x.name == name) for name in chosen]
        assert positions == sorted(positions)


def test_folding_changes_no_layer():
    plain = load_model("timm:efficientformer_l1?pretrained=false", optimize=False)
    assert find_layers(plain) == find_layers(untrained("timm:efficientformer_l1"))


class Odd(nn.Module):
    """Names that say nothing, an activation used three times, and dropout in between."""

    def __init__(self) -> None:
        super().__init__()
        self.relu, self.blocks = nn.Conv2d(3, 8, 3, 2, 1), nn.SiLU()
        self.conv, self.norm = nn.Dropout(0.5), nn.MaxPool2d(2)
        self.attn = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.relu(x))
        x = self.blocks(self.conv(x))
        return self.attn(self.blocks(self.norm(x)).mean((2, 3)))


def test_kinds_come_from_what_modules_do():
    layers = find_layers(wrapped(Odd()))
    assert [(layer.name, layer.kind) for layer in layers] == [
        ("relu", "convolution"), ("blocks", "activation"), ("blocks#2", "activation"),
        ("norm", "pooling"), ("blocks#3", "activation"), (PENULTIMATE, "penultimate"),
    ]  # fmt: skip


def test_a_wrong_input_size_is_told():
    with pytest.raises(AuditError) as caught:
        load_model("timm:test_vit?pretrained=false&img_size=160&input=96&dynamic_img_size=false")
    assert "96" in caught.value.summary


def test_the_positions_of_a_transformer_follow_the_asked_input():
    layers = find_layers(untrained("timm:test_vit?input=96"))
    assert next(layer for layer in layers if layer.kind == "block").grid == (6, 6)
