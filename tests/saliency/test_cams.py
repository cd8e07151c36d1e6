"""CAMs against the package grad-cam, against their definitions, and what must be equal."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from analysis.models.loading import LoadedModel, load_model
from analysis.saliency.cams import gradcam_plus_plus, xgradcam
from analysis.saliency.explanation import explain
from analysis.saliency.maps import min_max, upsample
from analysis.saliency.plan import Notes
from analysis.saliency.scorecam import scorecam
from analysis.saliency.targets import cam_layer, cam_layers
from tests.saliency.package_cams import package_maps
from tests.saliency.small_models import SMALL_VIT, as_loaded, enliven, images

PACKAGE = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "xgradcam(guard=false)": "XGradCAM",
    "scorecam(corners=true)": "ScoreCAM",
}


@pytest.mark.parametrize("method", PACKAGE)
@pytest.mark.parametrize(
    "line",
    [
        "sample:pink-sensitive",
        "sample:vit",
        pytest.param("sample:cnn-seed-1", marks=pytest.mark.slow),
    ],
)
def test_against_the_package(method: str, line: str):
    plain, fast = load_model(line, optimize=False), load_model(line)
    batch = images(plain, 4)
    classes = [0, 1, 0, 1]
    layer = cam_layer(fast).name
    ours = explain(fast, batch, [method], classes)[method]
    theirs = package_maps(PACKAGE[method], plain, layer, batch, classes)
    large = upsample(ours.values, batch.shape[-1])
    for one, other in zip(large.numpy(), theirs, strict=True):
        if other.std() == 0:
            assert one.std() == 0
        else:
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.999


def test_before_pooling_and_a_linear_head_all_are_cam(network):
    """XGradCAM = GradCAM = CAM there (Zhou et al. 2016), up to the number of places."""
    batch = images(network)
    layer = cam_layer(network)
    assert layer.name == "blocks.3"
    features = []
    handle = network.module.blocks[3].register_forward_hook(lambda _, __, out: features.append(out))
    classes = network.run(batch).argmax(1)
    handle.remove()
    weight = network.module.head.weight[classes]
    cam = torch.einsum("nc,nchw->nhw", weight, features[0]).relu()
    places = features[0].shape[-1] * features[0].shape[-2]
    maps = explain(network, batch, ["gradcam", "xgradcam"])
    for found in maps.values():
        assert torch.equal(found.classes, classes)
        torch.testing.assert_close(found.values * places, cam, rtol=1e-4, atol=1e-5)


def test_gradcam_plus_plus_place_by_place():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(1, 3, 2, 2, generator=generator, dtype=torch.float64)
    g = torch.randn(1, 3, 2, 2, generator=generator, dtype=torch.float64)
    g[0, 1, 0, 0] = 0
    expected = np.zeros((2, 2))
    for k in range(3):
        weight, total = 0.0, float(a[0, k].sum())
        for place in g[0, k].flatten().tolist():
            alpha = place**2 / (2 * place**2 + total * place**3 + 1e-6) if place else 0.0
            weight += max(place, 0) * alpha
        expected += weight * a[0, k].numpy()
    np.testing.assert_allclose(gradcam_plus_plus(a, g)[0].numpy(), expected.clip(min=0), rtol=1e-9)


def test_xgradcam_leaves_out_what_cancels():
    a = torch.ones(1, 2, 2, 2)
    a[0, 1] = torch.tensor([[1.0, -1.0], [1.0, -1.0 + 1e-5]])
    g = torch.zeros(1, 2, 2, 2)
    g[0, :, 0, 0] = 1
    wild, calm = xgradcam(a, g, guard=False), xgradcam(a, g)
    assert wild.maps.max() > 1e3
    torch.testing.assert_close(calm.maps, torch.full((1, 2, 2), 0.25))
    assert calm.left_out.tolist() == [0.5]


def test_all_together_are_each_alone(vit):
    """One forward and one backward for all: nothing of one method touches another."""
    batch = images(vit)
    methods = ["gradcam", "gradcam++", "xgradcam", "scorecam", "tibav", "gradient-rollout",
               "rollout", "attention", "random", "sobel"]  # fmt: skip
    together = explain(vit, batch, methods)
    assert list(together) == methods
    for method in methods:
        alone = explain(vit, batch, [method])[method]
        torch.testing.assert_close(
            together[method].values, alone.values, rtol=1e-4, atol=1e-6, msg=method
        )


@pytest.mark.parametrize("line", ["sample:pink-sensitive", SMALL_VIT])
def test_batched_is_one_by_one(line: str):
    model = load_model(line)
    if line == SMALL_VIT:
        enliven(model)
    batch = images(model, 3)
    methods = ["gradcam", "gradcam++", "xgradcam", "scorecam", "random"]
    together = explain(model, batch, methods)
    apart = [explain(model, image[None], methods) for image in batch]
    chunked = explain(model, batch, methods, chunk=2, score_chunk=7)
    for method in methods:
        values = torch.cat([maps[method].values for maps in apart])
        torch.testing.assert_close(together[method].values, values, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(chunked[method].values, values, rtol=1e-3, atol=1e-5)


def test_one_forward_for_all(network, vit):
    """However many methods are asked for, the network runs once, and once backwards."""
    for model, methods in (
        (network, ["gradcam", "gradcam++", "xgradcam", "random"]),
        (vit, ["gradcam", "gradcam++", "xgradcam", "tibav", "gradient-rollout", "rollout",
               "attention(1)", "attention(2)", "keys-norm"]),
    ):  # fmt: skip
        explain(model, images(model), methods)
        calls = []
        handle = model.module.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        explain(model, images(model), methods)
        handle.remove()
        assert len(calls) == 1


def literal_scorecam(
    model: LoadedModel,
    image: torch.Tensor,
    activations: torch.Tensor,
    index: int,
    probability: bool,
) -> tuple[np.ndarray, list[float]]:
    """Channel by channel, one forward each, with the baseline of Eq. 2.29."""

    def score(x: torch.Tensor) -> float:
        output = model.run(x[None])[0]
        return float(output.softmax(0)[index] if probability else output[index])

    baseline = score(image)
    scores = []
    for channel in activations:
        mask = nn.functional.interpolate(
            channel[None, None], size=image.shape[-2:], mode="bilinear", align_corners=False
        )[0, 0]
        mask = (mask - mask.min()) / (mask.max() - mask.min() + 1e-8)
        scores.append(score(image * mask) - baseline)
    weights = np.exp(np.array(scores) - max(scores))
    weights /= weights.sum()
    return np.maximum(np.tensordot(weights, activations.numpy(), 1), 0), scores


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_scorecam_channel_by_channel(network, score: str):
    """The baseline cancels, and channels without contrast share one forward, exactly."""
    batch = images(network, 2)
    generator = torch.Generator().manual_seed(1)
    activations = torch.randn(2, 9, 6, 6, generator=generator)
    activations[0, 2], activations[0, 5], activations[1, 0] = 0.0, 3.5, -1.0
    classes = torch.tensor([1, 0])
    runs: list[int] = []
    handle = network.module.register_forward_hook(lambda _, x, __: runs.append(len(x[0])))
    found = scorecam(network, batch, activations, classes, score, chunk=4)
    handle.remove()
    assert found.constant.tolist() == [2, 1]
    assert found.forwards == 15
    assert sum(runs) == 16  # and the empty image
    for image in range(2):
        expected, _ = literal_scorecam(
            network, batch[image], activations[image], int(classes[image]), score == "probability"
        )
        np.testing.assert_allclose(found.maps[image].numpy(), expected, rtol=1e-3, atol=1e-4)


def test_scorecam_of_fewer_channels_says_so(network):
    maps = explain(network, images(network), ["scorecam(channels=8)", "scorecam"])
    text = "An approximation: the 8 most varied of 64 channels"
    assert maps["scorecam(channels=8)"].notes == (text, text, text)
    assert maps["scorecam"].notes == ("", "", "")
    every = explain(network, images(network), ["scorecam(channels=64)"])["scorecam(channels=64)"]
    assert torch.equal(every.values, maps["scorecam"].values)


def test_scorecam_can_be_stopped(network):
    class StopError(Exception):
        pass

    seen: list[tuple[int, int]] = []

    def check(done: int, total: int) -> None:
        seen.append((done, total))
        if done >= 32:
            raise StopError

    with pytest.raises(StopError):
        explain(network, images(network, 2), ["scorecam"], check=check, score_chunk=16)
    assert seen[:3] == [(0, seen[0][1]), (16, seen[0][1]), (32, seen[0][1])]


class _Gate(nn.Module):
    """Dark images reach no score: their gradient is zero everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.act, self.head = nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.act(self.body(x)).mean((2, 3)))


def test_notes_are_of_each_image():
    model = as_loaded(_Gate(), 20, 2)
    with torch.no_grad():
        model.module.body.weight.abs_()
        model.module.body.bias.zero_()
    batch = images(model, 5).abs()
    batch[[1, 4]] *= -1
    for chunk in (1, 2, 5):
        for method in ("gradcam", "gradcam++", "xgradcam"):
            notes = explain(model, batch, [method], layer="body", chunk=chunk)[method].notes
            assert [note != "" for note in notes] == [False, True, False, False, True]
            assert all("no gradient" in notes[image] for image in (1, 4))
    notes = Notes(4)
    notes.add("a", "one thing", torch.tensor([True, False]), 2)
    notes.add("a", "another")
    assert notes.about("a") == ("another", "another", "one thing; another", "another")
    assert notes.about("b") == ("", "", "", "")


def test_where_a_class_token_hides_the_patches(vit):
    """After the last attention no gradient reaches the patches: said, and not silently black."""
    batch = images(vit)
    found = explain(vit, batch, ["gradcam"], layer="blocks.3")["gradcam"]
    assert found.values.abs().max() == 0
    assert all("no gradient" in note for note in found.notes)
    assert explain(vit, batch, ["gradcam"])["gradcam"].notes == ("", "", "")


@pytest.mark.parametrize(
    ("line", "layer"),
    [
        ("timm:resnet18", "layer4.1"),
        ("timm:tf_efficientnet_lite0", "blocks.6.0"),
        ("timm:vgg11?mlp_ratio=0.02", "features.20"),
        ("timm:convnext_atto", "stages.3.blocks.1"),
        ("torchvision:squeezenet1_1", "features.12"),
        ("timm:swin_tiny_patch4_window7_224?embed_dim=24", "layers.3.blocks.1.norm1"),
        ("timm:vit_tiny_patch16_224", "blocks.11.norm1"),
    ],
)
def test_the_layer_is_found(line: str, layer: str):
    separator = "&" if "?" in line else "?"
    model = load_model(f"{line}{separator}pretrained=false")
    found = cam_layer(model)
    assert found.name == layer
    assert found.name in {one.name for one in cam_layers(model)}


def test_every_layer_can_be_chosen(network, vit):
    for model in (network, vit):
        batch = images(model, 1)
        for layer in cam_layers(model):
            found = explain(model, batch, ["gradcam"], layer=layer.name)["gradcam"]
            assert found.layer == layer.name
            assert found.values.shape[1:] == layer.grid


class _Twice(nn.Module):
    """One activation called twice, in place, and a channels-last map."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 8, 3, 2, 1)
        self.act = nn.ReLU(inplace=True)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.second(self.act(self.first(x)))).permute(0, 2, 3, 1)
        return self.head(self.norm(x).mean((1, 2)))


def test_repeated_in_place_and_channels_last_layers():
    torch.manual_seed(0)
    model = as_loaded(_Twice(), 20, 3)
    batch = images(model)
    classes = [0, 1, 2]
    for layer in ("first", "act", "second", "act#2", "norm"):
        found = explain(model, batch, ["gradcam"], classes, layer)["gradcam"]
        x = batch.clone()
        parts = {"first": model.module.first(x)}
        parts["act"] = parts["first"].relu()
        parts["second"] = model.module.second(parts["act"])
        parts["act#2"] = parts["second"].relu()
        parts["norm"] = model.module.norm(parts["act#2"].permute(0, 2, 3, 1))

        leaf = parts[layer].detach().requires_grad_(True)
        rest = {
            "first": lambda t: model.module.second(t.relu()).relu(),
            "act": lambda t: model.module.second(t).relu(),
            "second": lambda t: t.relu(),
            "act#2": lambda t: t,
        }
        if layer == "norm":
            output = model.module.head(leaf.mean((1, 2)))
        else:
            tokens = rest[layer](leaf).permute(0, 2, 3, 1)
            output = model.module.head(model.module.norm(tokens).mean((1, 2)))
        output[range(3), classes].sum().backward()
        a, g = leaf.detach(), leaf.grad
        if layer == "norm":
            a, g = a.permute(0, 3, 1, 2), g.permute(0, 3, 1, 2)
        expected = (a * g.mean((2, 3), keepdim=True)).sum(1).relu()
        torch.testing.assert_close(found.values, expected, rtol=1e-4, atol=1e-7)


def test_folded_layers_are_themselves():
    """A convolution whose normalisation was folded in gives its own output, not the normalised."""
    line = "timm:tf_efficientnet_lite0?pretrained=false&input=64&num_classes=5&seed=3"
    plain, fast = enliven(load_model(line, optimize=False)), enliven(load_model(line))
    assert fast.folding is not None
    assert "conv_head" in fast.folding.pairs
    batch = images(plain, 2)
    for method in ("gradcam", "gradcam++"):
        expected = explain(plain, batch, [method], [1, 2], "conv_head")[method].values
        found = explain(fast, batch, [method], [1, 2], "conv_head")[method].values
        torch.testing.assert_close(min_max(found), min_max(expected), rtol=1e-3, atol=1e-3)
        assert expected.std() > 0


def test_score_of_a_folded_network_warns_of_nothing(network):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explain(network, images(network), ["gradcam", "scorecam", "xgradcam"])
