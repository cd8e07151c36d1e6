"""Bad input, models that lack something, null maps, and heads put on afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, find_layers
from analysis.models.loading import load_model
from analysis.models.preprocessing import Preprocessing, to_model_input, transform_image
from analysis.models.taps import LayerTaps
from analysis.saliency.applicability import reason_against
from analysis.saliency.explanation import explain
from analysis.saliency.linear_head import attach_linear_head
from analysis.saliency.methods import METHODS, MethodSettings
from analysis.saliency.null_maps import centre_maps, edge_maps, random_maps
from analysis.saliency.storage import to_uint8
from analysis.saliency.targets import attention_layer, cam_layer
from tests.saliency.small_models import SMALL_SWIN, SMALL_VIT, as_loaded, enliven, images

ATTENTION = {name for name, method in METHODS.items() if "attention" in method.needs}
HEAD = {name for name, method in METHODS.items() if "head" in method.needs}
NULL = {"random", "gaussian", "sobel"}


def usable(model) -> set[str]:
    return {name for name in METHODS if not reason_against(model, MethodSettings(name))}


def test_what_each_model_can_be_explained_by(network, vit):
    assert usable(network) == set(METHODS) - ATTENTION
    assert usable(vit) == set(METHODS)
    assert usable(load_model("sample:self-supervised")) == NULL
    headless = load_model(SMALL_VIT.replace("num_classes=7", "num_classes=0"))
    assert usable(headless) == set(METHODS) - HEAD
    no_token = load_model(f"{SMALL_VIT}&class_token=false&global_pool=avg")
    assert usable(no_token) == (set(METHODS) - ATTENTION) | {"keys-norm"}
    windows = load_model(SMALL_SWIN)
    assert usable(windows) == (set(METHODS) - ATTENTION) | {"keys-norm"}


@pytest.mark.parametrize(
    ("line", "method", "words"),
    [
        ("sample:pink-sensitive", "rollout", "no attention"),
        ("sample:pink-sensitive", "attention(3)", "no attention"),
        ("sample:self-supervised", "gradcam", "no classifier head"),
        ("sample:self-supervised", "scorecam", "no classifier head"),
        (f"{SMALL_VIT}&class_token=false&global_pool=avg", "rollout", "no class token"),
        (f"{SMALL_VIT}&class_token=false&global_pool=avg", "attention", "no class token"),
        ("sample:vit", "attention(layer=5)", "no number 5"),
        ("sample:vit", "attention(head=5)", "4 heads"),
        ("sample:vit", "rollout(3-9)", "no number 9"),
        ("torchvision:swin_t?pretrained=false&input=64", "rollout", "within windows"),
    ],
)
def test_what_is_lacking_is_said(line: str, method: str, words: str):
    model = load_model(line if "?" in line or "sample" in line else
                       f"{line}?pretrained=false")  # fmt: skip
    with pytest.raises(AuditError, match=words) as caught:
        explain(model, images(model, 1), [method])
    assert "cannot explain this model" in caught.value.summary
    assert caught.value.hint


def test_untrained_head_of_zeros():
    """torchvision's transformers start with a head of zeros: no class depends on any place."""
    from torchvision.models import VisionTransformer

    model = as_loaded(VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=5), 64, 5)
    assert "gradient-rollout" in usable(model)
    found = explain(model, images(model), ["gradcam", "xgradcam", "gradient-rollout"])
    for one in found.values():
        assert torch.isfinite(one.values).all()
    assert all("no gradient" in found[name].notes[2] for name in ("gradcam", "xgradcam"))


def test_pooled_classifier_is_noted():
    model = enliven(load_model(f"{SMALL_VIT}&global_pool=avg"))
    found = explain(model, images(model), ["attention", "keys-norm", "gradcam"])
    text = "The classifier reads the patches, not this class token"
    assert found["attention"].notes == (text, text, text)
    assert found["keys-norm"].notes == found["gradcam"].notes == ("", "", "")


@pytest.mark.parametrize("batch", [
    torch.zeros(3, 48, 48), torch.zeros(1, 1, 48, 48), torch.zeros(0, 3, 48, 48),
])  # fmt: skip
def test_not_a_batch(network, batch: torch.Tensor):
    with pytest.raises(AuditError, match="batch"):
        explain(network, batch, ["gradcam"])


def test_values_that_are_not_finite(network):
    batch = images(network)
    batch[1, 0, 3, 3] = float("nan")
    with pytest.raises(AuditError, match="not finite"):
        explain(network, batch, ["gradcam"])


@pytest.mark.parametrize("classes", [[0], [0, 1, -1], [0, 1, 99], [[0, 1, 1]]])
def test_wrong_classes(network, classes):
    with pytest.raises(AuditError, match="class"):
        explain(network, images(network), ["gradcam"], classes)


@pytest.mark.parametrize("layer", ["nowhere", PENULTIMATE, "pool", "head"])
def test_wrong_layers(network, layer: str):
    with pytest.raises(AuditError, match="layer"):
        explain(network, images(network), ["gradcam"], layer=layer)


def test_twice_the_same_and_unknown(network):
    with pytest.raises(AuditError, match="twice"):
        explain(network, images(network), ["gradcam", "GradCAM"])
    with pytest.raises(AuditError, match="Unknown saliency method"):
        explain(network, images(network), ["lime"])
    assert explain(network, images(network), []) == {}


def _sizes_and_modes() -> list[Any]:
    """Each size with each mode; quick are those in which every one of both is once."""
    sizes, modes = [(1, 1), (300, 2), (48, 48)], ["L", "LA", "P", "RGB"]
    return [
        pytest.param(size, mode, marks=() if at == place % 3 else pytest.mark.slow)
        for place, mode in enumerate(modes)
        for at, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(("size", "mode"), _sizes_and_modes())
def test_odd_photographs(network, vit, size: tuple[int, int], mode: str):
    """A grey photograph, one of a single pixel: right answers, all finite and storable."""
    picture = Image.new(mode, size, 120 if mode in ("L", "P") else None)
    for model in (network, vit):
        pixels = torch.from_numpy(transform_image(picture, model.preprocessing).copy())
        batch = to_model_input(pixels.permute(2, 0, 1)[None], model.preprocessing, model.device)
        for found in explain(model, batch, sorted(usable(model))).values():
            assert torch.isfinite(found.values).all()
            assert to_uint8(found.values).codes.shape == found.values.shape
        assert explain(model, batch, ["sobel"])["sobel"].values.abs().max() < 1e-5


def test_larger_images_have_finer_maps(network):
    """A convolutional network takes any size; its layers' grids follow."""
    batch = torch.nn.functional.interpolate(images(network), size=(96, 72))
    found = explain(network, batch, ["gradcam", "random", "gaussian"])
    assert {one.values.shape for one in found.values()} == {(3, 12, 9)}
    model = enliven(load_model(f"{SMALL_VIT}&dynamic_img_size=true"))
    batch = torch.nn.functional.interpolate(images(model), size=(96, 80))
    methods = ["gradcam", "rollout", "attention", "tibav", "keys-norm"]
    assert {one.values.shape for one in explain(model, batch, methods).values()} == {(3, 6, 5)}


def test_layers_are_told(network, vit):
    assert attention_layer(vit, None).name == "blocks.3.attn"
    assert attention_layer(vit, 2).name == "blocks.1.attn"
    assert cam_layer(vit).name == "blocks.3.norm1"
    assert cam_layer(network).grid == (6, 6)
    with pytest.raises(AuditError, match="no attention"):
        attention_layer(network, None)
    assert reason_against(network, MethodSettings("gradcam"), "head")
    assert not reason_against(network, MethodSettings("gradcam"), "blocks.1")


def test_classes_are_those_explained(network):
    batch = images(network)
    found = explain(network, batch, ["gradcam", "sobel"], [1, 0, 1])
    assert found["gradcam"].classes.tolist() == [1, 0, 1]
    assert found["sobel"].classes is None
    predicted = explain(network, batch, ["gradcam"], chunk=1)["gradcam"].classes
    assert torch.equal(predicted, network.run(batch).argmax(1))


def test_where_gradients_are_off(network):
    with torch.no_grad():
        inside = explain(network, images(network), ["gradcam"])["gradcam"].values
    assert torch.equal(inside, explain(network, images(network), ["gradcam"])["gradcam"].values)
    assert not inside.requires_grad


# Null maps -------------------------------------------------------------------------------------


def test_random_maps_belong_to_the_image_and_the_seed(network):
    batch = images(network)
    methods = ["random", "random(seed=1)"]
    maps = explain(network, batch, methods)
    turned = explain(network, batch.flip(0), methods)
    for method in methods:
        assert torch.equal(maps[method].values.flip(0), turned[method].values)
    assert not torch.equal(maps["random"].values, maps["random(seed=1)"].values)
    named = explain(network, batch, ["random"], image_keys=["a", "b", "a"])["random"].values
    assert torch.equal(named[0], named[2])
    assert not torch.equal(named[0], named[1])
    values = random_maps([str(i) for i in range(200)], (7, 7))
    assert 0 <= float(values.min()) < 0.01 < 0.99 < float(values.max()) <= 1
    assert abs(float(values.mean()) - 0.5) < 0.01


def test_centre():
    found = centre_maps(2, (7, 5))
    assert found.shape == (2, 7, 5)
    assert int(found[0].argmax()) == 3 * 5 + 2
    torch.testing.assert_close(found, found.flip(1, 2))
    assert abs(float(found[0, 3, 4]) - np.exp(-((0.4 / 0.25) ** 2) / 2)) < 1e-6


def test_edges_of_the_photograph():
    """scipy's Sobel on the pixels themselves, whatever the model's preprocessing."""
    from scipy import ndimage

    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 40, 40), np.uint8))
    luminance = (pixels.double() / 255 * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)
    expected = np.stack([
        np.hypot(ndimage.sobel(one, 0, mode="nearest"), ndimage.sobel(one, 1, mode="nearest"))
        for one in luminance.numpy()
    ])  # fmt: skip
    for preprocessing in (
        Preprocessing(40, 40, 40),
        Preprocessing(40, 40, 40, mean=(104.0, 117.0, 123.0), std=(1.0, 1.0, 1.0),
                      channel_order="BGR", scale=1.0),
    ):  # fmt: skip
        batch = to_model_input(pixels, preprocessing, "cpu")
        np.testing.assert_allclose(edge_maps(batch, preprocessing).numpy(), expected, atol=1e-4)
    large = to_model_input(pixels, Preprocessing(112, 112, 112), "cpu")
    assert edge_maps(large, Preprocessing(112, 112, 112)).shape == (2, 56, 56)


# A linear probe as the head --------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["sample:self-supervised", SMALL_VIT.replace("num_classes=7", "num_classes=0")]
)
def test_probe_as_head(line: str):
    model = load_model(line)
    features = find_layers(model)[-1].channels
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(3, features, generator=generator), torch.tensor([0.5, -1, 2.0])
    headed = attach_linear_head(model, weight, bias, ("a", "b", "c"))
    batch = images(model)
    with LayerTaps(model, [PENULTIMATE]) as taps:
        expected = taps.forward(batch).features[PENULTIMATE] @ weight.T + bias
    torch.testing.assert_close(headed.run(batch), expected, rtol=1e-4, atol=1e-4)
    assert headed.class_names == ("a", "b", "c")
    assert headed.weights_sha256 != model.weights_sha256
    assert model.num_classes == 0
    torch.testing.assert_close(model.run(batch), expected.new_tensor(model.run(batch).numpy()))
    assert [one.name for one in find_layers(headed)] == [one.name for one in find_layers(model)]
    found = explain(headed, batch, sorted(usable(headed)))
    assert found["gradcam"].values.std() > 0
    assert usable(headed) == set(METHODS) - (set() if "vit" in line else ATTENTION)


class _Bare(torch.nn.Module):
    """Features without a place for a head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2), torch.nn.ReLU(),
                                        torch.nn.Conv2d(4, 6, 3, 2))  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x).mean((2, 3))


def test_probe_on_a_network_without_a_place_for_it():
    model = as_loaded(_Bare(), 32, 0)
    headed = attach_linear_head(model, torch.randn(2, 6))
    found = explain(headed, images(headed), ["gradcam"])["gradcam"]
    assert found.layer == "backbone.body.2"


def test_probes_that_do_not_fit(network):
    with pytest.raises(AuditError, match="already"):
        attach_linear_head(network, torch.zeros(3, 64))
    model = load_model("sample:self-supervised")
    with pytest.raises(AuditError, match="does not fit"):
        attach_linear_head(model, torch.zeros(3, 5))
    with pytest.raises(AuditError, match="names"):
        attach_linear_head(model, torch.zeros(3, 64), class_names=["one"])
