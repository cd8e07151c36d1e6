"""Insertion and deletion against a literal reading of RISE, ROAD against the package grad-cam.

    python tests/benchmarks/benchmark_faithfulness.py [--models lite0 vit] [--images 2]
        [--steps 224] [--threads 2] [--device cpu] [--compile] [--shared DIR]

The literal reading scores one image after the other with the library's plain network, and changes
a step's pixels in place, as RISE's code does; ours gets the same weights, prepared by `load_model`.
A model's name with a colon is its specification. Both see the same photographs, the same map (a
random 7 × 7 one) and the same class. ROAD is timed without the network, on the same masks, all nine
percentages from both ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.faithfulness.imputation import impute
from analysis.faithfulness.measure import measure
from analysis.faithfulness.metrics import MeasureSettings
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.ranking import enlarge
from analysis.faithfulness.scoring import MeasuredImages
from analysis.faithfulness.steps import area_under_curve
from analysis.models.loading import LoadedModel, load_model
from analysis.models.optimize import InferenceOptions
from tests.benchmarks.benchmark_saliency import build, model_inputs, photographs
from tests.faithfulness.whole_curves import insertion_deletion

PERCENTAGES = (10, 20, 30, 40, 50, 60, 70, 80, 90)


def literal_curve(
    model: LoadedModel, start: torch.Tensor, finish: torch.Tensor, saliency: torch.Tensor,
    label: int, steps: int,
) -> np.ndarray:  # fmt: skip
    """RISE's `CausalMetric.single_run` of one image; sorted stably, so that ties are in order."""
    pixels = saliency.numel()
    order = torch.sort(-saliency.flatten(), stable=True).indices.cpu().numpy()
    start, scores = start.clone(), np.empty(steps + 1)
    for step in range(steps + 1):
        with torch.no_grad():
            scores[step] = torch.softmax(model.module(start), 1)[0, label].item()
        own = order[step * pixels // steps : (step + 1) * pixels // steps] if step < steps else []
        start.view(1, 3, -1)[0, :, own] = finish.reshape(1, 3, -1)[0, :, own]
    return scores


def compare_curves(name: str, arguments: argparse.Namespace) -> None:
    shared = Path(arguments.shared)
    options = InferenceOptions(compile=arguments.compile)
    if ":" in name:
        plain, fast = load_model(name, optimize=False), load_model(name, optimize=options)
    else:
        plain, fast = build(name, shared, False), build(name, shared, options)
    for model in (plain, fast):
        model.module.to(arguments.device)
    images, _ = photographs(shared, arguments.images)
    batch = model_inputs(fast, images)
    classes = fast.run(batch).argmax(1)
    maps = torch.rand(len(batch), 7, 7, generator=torch.Generator().manual_seed(0)).to(batch.device)
    pixels = Pixels.of(fast.preprocessing)
    scores = lambda inputs: fast.run(inputs).softmax(1)  # noqa: E731
    insertion_deletion(MeasuredImages(scores, batch, pixels), [maps], classes, 20)  # warm
    synchronise(arguments.device)
    begin = time.perf_counter()
    found = insertion_deletion(MeasuredImages(scores, batch, pixels), [maps], classes,
                               arguments.steps)  # fmt: skip
    areas = {kind: area_under_curve(one[0].cpu().numpy()) for kind, one in found.scores.items()}
    ours = time.perf_counter() - begin
    saliency = enlarge(maps, *batch.shape[-2:])
    literal_curve(plain, batch[:1].contiguous(), batch[:1], saliency[0], 0, 4)
    begin, largest = time.perf_counter(), 0.0
    for image in range(len(batch)):
        one = batch[image : image + 1].contiguous()
        label = int(classes[image])
        blurred, grey = (pixels.baseline(one, kind) for kind in ("blurred", "grey"))  # type: ignore[arg-type]
        for kind, start, finish in (("insertion", blurred, one), ("deletion", one, grey)):
            curve = literal_curve(plain, start, finish, saliency[image], label, arguments.steps)
            largest = max(largest, abs(float(area_under_curve(curve)) - areas[kind][image]))  # type: ignore[index]
    literal = time.perf_counter() - begin
    print(
        f"{name}: insertion and deletion in {arguments.steps} steps, literal"
        f" {literal / len(batch):.2f} s an image, ours {ours / len(batch):.2f} s, ratio"
        f" {literal / ours:.1f}; largest difference of area {largest:.1e}",
        flush=True,
    )
    all_metrics(name, fast, batch, maps)


def all_metrics(name: str, model: LoadedModel, batch: torch.Tensor, maps: torch.Tensor) -> None:
    """Time by metric, an image and a method."""
    masks = torch.zeros(len(batch), 224, 224, dtype=torch.bool)
    masks[:, 60:160, 60:160] = True
    parts = []
    for keys in (
        ("average-drop", "average-increase"), ("insertion", "deletion"),
        ("road-morf", "road-lerf"), ("pointing-game", "energy-inside"),
        ("sparseness", "complexity"),
    ):  # fmt: skip
        begin = time.perf_counter()
        measure(model, batch, {"one": maps}, keys, MeasureSettings(), masks=masks)
        parts.append(f"{keys[0]} {(time.perf_counter() - begin) / len(batch):.3f} s")
    print(f"{name}: an image and method: {', '.join(parts)}", flush=True)


def compare_road(arguments: argparse.Namespace) -> None:
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer

    images, _ = photographs(Path(arguments.shared), 1)
    picture = np.asarray(images[0].resize((224, 224)), dtype=np.float32) / 255
    image = torch.from_numpy(picture).permute(2, 0, 1)[None]
    rank = enlarge(torch.rand(1, 7, 7, generator=torch.Generator().manual_seed(0)), 224, 224)
    rank = rank.flatten().argsort(descending=True).argsort().view(224, 224)
    counts = [share * 224 * 224 // 100 for share in PERCENTAGES]
    holes = torch.stack([rank < c for c in counts] + [rank >= 224 * 224 - c for c in counts])
    begin = time.perf_counter()
    theirs = [NoisyLinearImputer(noise=0)(image[0], (~hole).float()) for hole in holes]
    literal = time.perf_counter() - begin
    batch, masks = image.to(arguments.device), holes.to(arguments.device)
    size = 4 if arguments.device == "cpu" else len(holes)

    def imputed() -> torch.Tensor:
        parts = [impute(batch.expand(len(m), -1, -1, -1), m) for m in masks.split(size)]
        return torch.cat(parts).cpu()

    imputed()
    begin = time.perf_counter()
    ours = imputed()
    seconds = time.perf_counter() - begin
    largest = float((ours - torch.stack(theirs)).abs().max())
    print(
        f"ROAD's imputation of {len(holes)} masks: grad-cam {literal:.2f} s, ours {seconds:.3f} s,"
        f" ratio {literal / seconds:.1f}; largest difference {largest:.1e} of 0…1",
        flush=True,
    )


def synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=["sample:pink-sensitive", "lite0", "vit"])
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--steps", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    default = Path(__file__).parents[3] / "shared"
    parser.add_argument("--shared", default=os.environ.get("PARALLAX_SHARED", str(default)))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    compare_road(arguments)
    for name in arguments.models:
        compare_curves(name, arguments)


if __name__ == "__main__":
    main()
