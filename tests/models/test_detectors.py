"""Detection models as backbones, against torchvision's own detectors with the same weights."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from analysis.errors import AuditError
from analysis.models import detectors
from analysis.models.catalogue import torchvision_entries
from analysis.models.heads import find_head
from analysis.models.layers import PENULTIMATE, default_layers, find_layers
from analysis.models.loading import LoadedModel, load_model
from analysis.models.preprocessing import to_model_input
from analysis.models.taps import LayerTaps
from analysis.saliency.applicability import reason_against
from analysis.saliency.explanation import explain
from analysis.saliency.linear_head import attach_linear_head
from analysis.saliency.methods import METHODS, MethodSettings

LITE = "torchvision:ssdlite320_mobilenet_v3_large"
RCNN = "torchvision:fasterrcnn_mobilenet_v3_large_320_fpn"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Weights can be neither found nor downloaded."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def rcnn() -> LoadedModel:
    return load_model(f"{RCNN}?pretrained=false", optimize=False)


def whole_detector(name: str, backbone: dict[str, torch.Tensor], **options: int) -> nn.Module:
    """torchvision's detector, heads and all, with these weights in its backbone."""
    build = models.get_model_builder(name)
    detector = build(weights=None, weights_backbone=None, **options).eval()
    rest = detector.load_state_dict(backbone, strict=False)
    assert not rest.unexpected_keys
    assert not any(key.startswith("backbone.") for key in rest.missing_keys)
    return detector


def photographs(count: int = 2, height: int = 100, width: int = 100) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


def layers_of_detector(
    detector: nn.Module, names: list[str], pixels: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Outputs of layers while the whole detector looks for boxes; each copied in its hook."""
    found: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: torch.Tensor) -> None:
            found.setdefault(name, output.detach().clone())

        return hook

    handles = [detector.get_submodule(n).register_forward_hook(keep(n)) for n in names]
    with torch.no_grad():
        detector([image.float() / 255 for image in pixels])
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("fasterrcnn_mobilenet_v3_large_320_fpn", 320),
        ("ssdlite320_mobilenet_v3_large", 320),
        pytest.param("ssd300_vgg16", 300, marks=pytest.mark.slow),
        pytest.param("retinanet_resnet50_fpn_v2", 160, marks=pytest.mark.slow),
        pytest.param("fcos_resnet50_fpn", 160, marks=pytest.mark.slow),
        pytest.param("maskrcnn_resnet50_fpn", 160, marks=pytest.mark.slow),
    ],
)
def test_layers_are_the_detectors_own(name: str, side: int):
    """Through the detector's own resizing, normalising and padding, and before in-place steps."""
    options = {} if side >= 300 else {"min_size": side}
    line = f"torchvision:{name}?pretrained=false" + ("&min_size=160" if options else "")
    plain, model = load_model(line, optimize=False), load_model(line)
    assert model.preprocessing.height == model.preprocessing.width == side
    detector = whole_detector(name, plain.module.state_dict(), **options)
    layers = find_layers(model)
    once = [one for one in layers if one.name != PENULTIMATE and "#" not in one.name]
    names = [one.name for one in once if one.kind in ("convolution", "activation", "block")][::7]
    pixels = photographs()
    expected = layers_of_detector(detector, names, pixels)
    with LayerTaps(model, [*names, PENULTIMATE], "map") as taps:
        result = taps.forward(to_model_input(pixels, model.preprocessing, "cpu"))
    for layer in names:
        scale = float(expected[layer].abs().max())
        assert scale > 1e-6
        torch.testing.assert_close(
            result.features[layer], expected[layer], rtol=1e-3, atol=2e-3 * scale
        )
    assert result.output.shape == result.features[PENULTIMATE].shape[:2]


def test_penultimate_is_what_the_heads_read_averaged(rcnn: LoadedModel):
    detector = whole_detector(rcnn.specification.architecture, rcnn.module.state_dict())
    pixels = photographs()
    images, _ = detector.transform([image.float() / 255 for image in pixels])
    with torch.no_grad():
        levels = detector.backbone(images.tensors)
    expected = torch.cat([level.flatten(2).mean(2) for level in levels.values()], 1)
    found = rcnn.run(to_model_input(pixels, rcnn.preprocessing, "cpu"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_layers_have_depth_and_the_detectors_names(rcnn: LoadedModel):
    layers = find_layers(rcnn)
    names = [layer.name for layer in layers]
    assert {"backbone.body.0", "backbone.body.1", "backbone.body.16"} & set(names)
    assert any(name.startswith("backbone.fpn.") for name in names)
    assert not any(part in name for name in names for part in ("rpn.", "roi_heads"))
    depths = [layer.depth for layer in layers]
    assert depths[0] == 0
    assert depths[-1] == 1
    assert depths == sorted(depths)
    assert {"convolution", "activation", "block"} <= {layer.kind for layer in layers}
    picked = default_layers(layers)
    assert len(picked) == 10
    assert picked[-1] == PENULTIMATE
    assert rcnn.num_classes == 0
    assert find_head(rcnn) is None


@pytest.mark.parametrize("line", [LITE, pytest.param(RCNN, marks=pytest.mark.slow)])
def test_untrained_without_network_and_says_so(line: str):
    found = load_model(line)
    asked = load_model(f"{line}?pretrained=false")
    assert found.report.untrained
    assert "Untrained" in found.report.note
    assert "not on this machine" in found.report.note
    assert json.loads(found.report.to_json())["untrained"] is True
    assert found.specification.text == asked.specification.text == f"{line}?pretrained=false"
    assert found.weights_sha256 == asked.weights_sha256
    assert "not on this machine" not in asked.report.note
    other = load_model(f"{line}?pretrained=false&seed=1")
    assert other.weights_sha256 != asked.weights_sha256


def test_a_classifier_without_its_weights_is_still_refused():
    with pytest.raises(AuditError, match="not on this machine"):
        load_model("torchvision:resnet18")


def test_untrained_values_do_not_fade(rcnn: LoadedModel):
    """Half precision, in which maps are kept, ends near 6e-8."""
    lite = load_model(f"{LITE}?pretrained=false")
    for model in (rcnn, lite):
        names = default_layers(find_layers(model))
        batch = to_model_input(photographs(), model.preprocessing, "cpu")
        with LayerTaps(model, names, "map") as taps:
            features = taps.forward(batch).features
        for values in features.values():
            assert 1e-2 < float(values.std()) < 1e3
    # The hash speaks of the weights before: no digit of a forward is in it.
    state = dict(lite.module.state_dict())
    assert not any(part.training for part in lite.module.modules())
    assert torch.isfinite(torch.cat([t.flatten().float() for t in state.values()])).all()


def test_normalisations_settle_to_unit_variance(rcnn: LoadedModel):
    """The first one, whose input does not depend on any other."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (8, 3, 24, 24), generator=generator, dtype=torch.uint8)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in
                 (rcnn.preprocessing.mean, rcnn.preprocessing.std))  # fmt: skip
    images = (pixels / 255 - mean) / std
    images = nn.functional.interpolate(images, size=(192, 192), mode="bilinear")
    body = rcnn.module.get_submodule("backbone.body.0")
    with torch.no_grad():
        values = body[1](body[0](images))
    assert values.mean((0, 2, 3)).abs().max() < 1e-3
    variance = values.var((0, 2, 3))
    raw = body[0](images).var((0, 2, 3))
    torch.testing.assert_close(variance, raw / (raw + body[1].eps), rtol=1e-3, atol=1e-3)


def test_nothing_works_in_place_so_gradients_reach_every_layer(rcnn: LoadedModel):
    assert not any(getattr(part, "inplace", False) for part in rcnn.module.modules())
    names = [layer.name for layer in find_layers(rcnn) if layer.kind == "convolution"][:20:4]
    kept: dict[str, torch.Tensor] = {}
    handles = [
        rcnn.module.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: kept.__setitem__(name, out)
        )
        for name in names
    ]
    images = to_model_input(photographs(1), rcnn.preprocessing, "cpu").requires_grad_(True)
    output = rcnn.module(images)
    gradients = torch.autograd.grad(output.square().sum(), [kept[name] for name in names])
    for handle in handles:
        handle.remove()
    assert all(float(gradient.abs().sum()) > 0 for gradient in gradients)
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_a_detectors_own_weights_file(tmp_path: Path, make_scrambled_detector: Any, ending: str):
    """Names of the whole detector; its heads, of any number of classes, are left out."""
    detector = make_scrambled_detector("ssdlite320_mobilenet_v3_large", num_classes=4)
    path = tmp_path / f"mine{ending}"
    if ending == ".pth":
        torch.save({"model": detector.state_dict(), "epoch": 3}, path)
    else:
        save_file(detector.state_dict(), path)
    model = load_model(f"{LITE}@{path}", optimize=False)
    own = model.module.state_dict()
    for name, tensor in detector.state_dict().items():
        if name.startswith("backbone."):
            assert torch.equal(own[name], tensor)
        else:
            assert name in model.report.left_out
    assert not model.report.missing
    assert not model.report.untrained
    assert "ntrained" not in model.report.note
    pixels = photographs(1)
    expected = layers_of_detector(detector, ["backbone.extra.0.0.0"], pixels)
    with LayerTaps(model, ["backbone.extra.0.0.0"], "map") as taps:
        found = taps.forward(to_model_input(pixels, model.preprocessing, "cpu")).features
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.fixture
def make_scrambled_detector(scramble_module: Any) -> Any:
    def build(name: str, **options: Any) -> nn.Module:
        builder = models.get_model_builder(name)
        return scramble_module(builder(weights=None, weights_backbone=None, **options)).eval()

    return build


def test_a_file_of_another_detector(tmp_path: Path, make_scrambled_detector: Any):
    detector = make_scrambled_detector("ssdlite320_mobilenet_v3_large")
    save_file(detector.state_dict(), tmp_path / "lite.safetensors")
    with pytest.raises(AuditError, match="does not fit torchvision:fasterrcnn"):
        load_model(f"{RCNN}@{tmp_path / 'lite.safetensors'}")


def test_a_weights_file_that_would_run_code(tmp_path: Path):
    class Hostile:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"model": Hostile()}, tmp_path / "hostile.pth")
    with pytest.raises(AuditError, match="was not opened"):
        load_model(f"{RCNN}@{tmp_path / 'hostile.pth'}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_published_weights_are_run_as_they_were_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_scrambled_detector: Any
):
    """Frozen normalisations that add nothing to a variance, however small it is."""
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops.misc import FrozenBatchNorm2d

    name = "retinanet_resnet50_fpn"
    state = make_scrambled_detector(name).state_dict()
    state = {key: t for key, t in state.items() if not key.endswith("num_batches_tracked")}
    state["backbone.body.bn1.running_var"][:8] = 1e-6
    torch.save(state, tmp_path / "weights.pth")
    monkeypatch.setattr(
        "analysis.models.hub.cached_download", lambda address, name: tmp_path / "weights.pth"
    )
    model = load_model(f"torchvision:{name}?input=96")
    assert not model.report.untrained
    detector = models.get_model_builder(name)(weights=None, weights_backbone=None)
    oracle = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d,
        returned_layers=[2, 3, 4], extra_blocks=detector.backbone.fpn.extra_blocks,
    )  # fmt: skip
    oracle.load_state_dict(
        {key.removeprefix("backbone."): t for key, t in state.items() if key.startswith("backbone")}
    )
    for part in oracle.modules():
        if isinstance(part, FrozenBatchNorm2d):
            part.eps = 0.0
    images = to_model_input(photographs(), model.preprocessing, "cpu")
    with torch.no_grad():
        levels = oracle.eval()(images)
    expected = torch.cat([level.mean((2, 3)) for level in levels.values()], 1)
    found = model.run(images)
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()


@pytest.mark.parametrize("option", ["weights_backbone=DEFAULT", "weights=DEFAULT"])
def test_options_that_would_download_are_refused(option: str):
    with pytest.raises(AuditError, match="cannot be set here"):
        load_model(f"{RCNN}?{option}")


def test_unknown_names_and_options():
    with pytest.raises(AuditError, match="Did you mean ssd300_vgg16"):
        load_model("torchvision:ssd300_vgg17")
    for option in ("min_size=small", "image_mean=1", "min_size=99999", "image_std=1,1"):
        with pytest.raises(AuditError, match=r"cannot be built|cannot be 99999|not usable"):
            load_model(f"{RCNN}?pretrained=false&{option}")


def test_listed_with_their_input_size_without_being_built(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a network was built")

    torchvision_entries.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(nn.Module, "__init__", refuse)
        entries = {entry.architecture: entry for entry in torchvision_entries()}
    assert set(detectors.detector_names()) <= set(entries)
    assert entries["ssd300_vgg16"].input_size == 300
    assert entries["fasterrcnn_mobilenet_v3_large_320_fpn"].input_size == 320
    assert entries["fasterrcnn_resnet50_fpn"].input_size == 800
    assert entries["ssd300_vgg16"].num_classes == 0
    assert entries["ssd300_vgg16"].text == "torchvision:ssd300_vgg16"


def test_listed_sizes_are_the_built_ones(rcnn: LoadedModel):
    for name in ("ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_fpn"):
        _, preprocessing, _ = detectors.build_detector(name, {})
        assert preprocessing.height == preprocessing.width == detectors.input_side(name)
    assert rcnn.preprocessing.height == 320


def test_class_free_saliency_and_a_probe_as_head(rcnn: LoadedModel):
    """No method is told that the model is a detector."""
    reasons = {name: reason_against(rcnn, MethodSettings(name)) for name in METHODS}
    assert "no classifier head" in reasons["gradcam"]
    possible = [name for name, reason in reasons.items() if not reason]
    assert {"random", "gaussian", "sobel"} <= set(possible)
    batch = to_model_input(photographs(), rcnn.preprocessing, "cpu")
    for found in explain(rcnn, batch, possible).values():
        assert len(found.values) == 2
        assert float(found.values.std()) > 0
    channels = find_layers(rcnn)[-1].channels
    weight = torch.randn(3, channels, generator=torch.Generator().manual_seed(1))
    headed = attach_linear_head(rcnn, weight, class_names=["a", "b", "c"])
    torch.testing.assert_close(headed.run(batch), rcnn.run(batch) @ weight.T, rtol=1e-4, atol=1e-4)
    found = explain(headed, batch, ["gradcam"], [0, 2])["gradcam"].values
    assert float(found.std()) > 0
