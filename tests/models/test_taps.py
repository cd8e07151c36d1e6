"""Taps against the network's own outputs, taken with plain hooks before any optimisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, find_layers
from analysis.models.loading import LoadedModel
from analysis.models.taps import LayerTaps

ARCHITECTURES = [
    "timm:test_resnet", "timm:test_efficientnet", "timm:test_vit", "timm:test_convnext",
    "timm:tf_efficientnet_lite0?input=96", "torchvision:resnet18?input=96",
    "torchvision:squeezenet1_1?input=96", "torchvision:mobilenet_v2?input=96",
    "timm:densenet121?input=64&growth_rate=8", "torchvision:swin_t?input=64",
    "timm:vit_tiny_patch16_224?num_classes=0&dynamic_img_size=true&input=64",
]  # fmt: skip


def reference(model: LoadedModel, batch: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every module's output, cloned at once."""
    outputs: dict[str, torch.Tensor] = {}
    calls: Counter[str] = Counter()

    def hook(name: str) -> Callable[..., None]:
        def keep(_, __, output) -> None:
            calls[name] += 1
            key = name if calls[name] == 1 else f"{name}#{calls[name]}"
            tensor = output[0] if isinstance(output, tuple) else output
            if isinstance(tensor, torch.Tensor):
                outputs[key] = tensor.clone()

        return keep

    handles = [
        part.register_forward_hook(hook(name))
        for name, part in model.module.named_modules()
        if name
    ]
    with torch.no_grad():
        outputs[""] = model.module(batch)
    for handle in handles:
        handle.remove()
    return outputs


def close(got: torch.Tensor, expected: torch.Tensor) -> None:
    assert got.shape == expected.shape
    torch.testing.assert_close(
        got, expected, rtol=1e-4, atol=2e-5 * float(expected.abs().max().clamp_min(1e-3))
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_layer_gives_what_the_original_network_gives(
    architecture: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    plain, model = scrambled(architecture, False), scrambled(architecture, True)
    batch = make_inputs(plain, 2)
    raw = reference(plain, batch)
    layers = find_layers(model)
    names = [layer.name for layer in layers]
    with LayerTaps(model, names, "map" if not any(x.token for x in layers) else "tokens") as taps:
        whole = taps.forward(batch)
    with LayerTaps(model, names) as taps:
        reduced = taps.forward(batch)
    close(whole.output, raw[""])
    close(reduced.output, raw[""])
    for layer in layers[:-1]:
        expected = raw[layer.name]
        if expected.ndim == 4 and layer.channels_last:
            expected = expected.permute(0, 3, 1, 2)
        if expected.ndim == 4:
            close(reduced.features[layer.name], expected.mean((2, 3)))
            got = whole.features[layer.name]
            if got.ndim == 3:
                got = got.transpose(1, 2).unflatten(2, expected.shape[2:])
            close(got, expected)
        elif expected.ndim == 3:
            patches = expected[:, layer.prefix_tokens :].mean(1)
            close(reduced.features[layer.name], expected[:, 0] if layer.class_token else patches)
            close(whole.features[layer.name], expected)
    assert reduced.features[PENULTIMATE].shape == (2, layers[-1].channels)


@pytest.mark.parametrize("architecture", ["timm:test_resnet", "torchvision:resnet18?input=64"])
def test_one_layer_gives_the_same_alone_and_among_all(
    architecture: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    model = scrambled(architecture)
    batch = make_inputs(model)
    names = [layer.name for layer in find_layers(model)]
    with LayerTaps(model, names) as taps:
        together = taps.forward(batch).features
    for name in names[::5]:
        with LayerTaps(model, [name]) as taps:
            close(taps.forward(batch).features[name], together[name])


def test_reductions_of_tokens(scrambled: Callable[..., LoadedModel], make_inputs):
    model = scrambled("timm:test_vit")
    batch = make_inputs(model)
    found = {}
    for reduction in ("auto", "pooled", "class token", "map", "tokens"):
        with LayerTaps(model, ["blocks.2"], reduction) as taps:
            found[reduction] = taps.forward(batch).features["blocks.2"]
    tokens = found["tokens"]
    assert tokens.shape == (3, 101, 64)
    close(found["class token"], tokens[:, 0])
    close(found["auto"], tokens[:, 0])
    close(found["pooled"], tokens[:, 1:].mean(1))
    close(found["map"].flatten(2).transpose(1, 2), tokens[:, 1:])
    assert found["map"].shape == (3, 64, 10, 10)


def test_another_input_size_has_another_grid(scrambled: Callable[..., LoadedModel]):
    model = scrambled("timm:test_vit?dynamic_img_size=true")
    with LayerTaps(model, ["blocks.2"], "map") as taps:
        features = taps.forward(torch.randn(1, 3, 96, 64)).features["blocks.2"]
    assert features.shape == (1, 64, 6, 4)


def test_hooks_go_and_convolutions_are_folded_again(
    scrambled: Callable[..., LoadedModel], make_inputs
):
    model = scrambled("timm:test_resnet")
    batch = make_inputs(model)
    before = model.run(batch)
    assert model.folding is not None
    name = next(iter(model.folding.pairs))
    pair = model.folding.pairs[name]
    with LayerTaps(model, [name]), LayerTaps(model, [name]) as inner:
        inner.forward(batch)
        assert not pair.normalisation.folded
    assert pair.normalisation.folded
    assert not any(
        part._forward_hooks or part._forward_pre_hooks for part in model.module.modules()
    )
    assert torch.equal(model.run(batch), before)


def test_an_error_within_leaves_no_hook(scrambled: Callable[..., LoadedModel]):
    model = scrambled("timm:test_resnet")
    with pytest.raises(RuntimeError), LayerTaps(model, [PENULTIMATE, "conv1.0"]) as taps:
        taps.forward(torch.randn(1, 7, 9, 9))
    assert not any(
        part._forward_hooks or part._forward_pre_hooks for part in model.module.modules()
    )


def test_features_are_ordinary_float32_tensors_on_their_own_memory(
    scrambled: Callable[..., LoadedModel], make_inputs
):
    model = scrambled("timm:test_resnet")
    with LayerTaps(model, [PENULTIMATE, "layer1", "layer2.0.bn1"], "map") as taps:
        result = taps.forward(make_inputs(model))
    for features in result.features.values():
        assert features.dtype == torch.float32
        assert not features.is_inference()
        assert features.is_contiguous()
        assert features.untyped_storage().nbytes() == features.nbytes
        features.requires_grad_(True).sum().backward()


def test_taps_hold_no_more_than_what_they_return(
    scrambled: Callable[..., LoadedModel], make_inputs
):
    """Pooled features of all layers weigh a small part of one layer's map."""
    model = scrambled("timm:test_resnet")
    names = [layer.name for layer in find_layers(model)]
    with LayerTaps(model, names) as taps:
        result = taps.forward(make_inputs(model, 8))
        held = sum(tensor.untyped_storage().nbytes() for tensor in result.features.values())
        largest = max(torch.Size(layer.shape).numel() for layer in find_layers(model)) * 8 * 4
        assert held < largest
        assert not taps._features
        assert not taps._parts


@pytest.mark.parametrize(
    ("layers", "reduction"),
    [
        (["nothing"], "auto"),
        (["layer1"], "class token"),
        (["layer1"], "mean"),
        (["act1#9"], "auto"),
    ],
)
def test_impossible_taps_are_told(layers, reduction, scrambled: Callable[..., LoadedModel]):
    with pytest.raises(AuditError):
        LayerTaps(scrambled("timm:test_resnet"), layers, reduction)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_gives_float32_features_nearby(
    precision: str, scrambled: Callable[..., LoadedModel], make_inputs
):
    from analysis.models.optimize import InferenceOptions

    plain = scrambled("timm:test_resnet", False)
    model = scrambled("timm:test_resnet", InferenceOptions(precision=precision))
    batch = make_inputs(plain)
    with LayerTaps(model, [PENULTIMATE]) as taps:
        result = taps.forward(batch)
    assert result.features[PENULTIMATE].dtype == result.output.dtype == torch.float32
    expected = plain.run(batch)
    assert not torch.equal(result.output, expected)
    assert (result.output - expected).abs().max() < 0.05 * expected.abs().max()
