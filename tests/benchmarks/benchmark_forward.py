"""How fast a forward is: the library's plain network, ours, and ours with other options.

    python tests/benchmarks/benchmark_forward.py [--model SPEC] [--images 32] [--threads 2]
        [--device cpu] [--repeats 7] [--compile] [--layers 10]

Every variant sees the same images in the same process; rounds go through all variants in turn, so
that a busy machine slows all alike. The ratio is of the best times; the differences are of the
outputs, relative to the plain network's largest.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from analysis.models.layers import default_layers, find_layers
from analysis.models.loading import LoadedModel, load_model
from analysis.models.optimize import InferenceOptions
from analysis.models.taps import LayerTaps


def variants(arguments: argparse.Namespace) -> dict[str, LoadedModel]:
    """The same weights, run in each way."""
    options: dict[str, bool | InferenceOptions] = {
        "plain eager": False,
        "channels last": InferenceOptions(fold=False),
        "ours": True,
        "ours, bfloat16": InferenceOptions(precision="bfloat16"),
    }
    if arguments.device == "cuda":
        options["ours, float16"] = InferenceOptions(precision="float16")
    if arguments.compile:
        options["ours, compiled"] = InferenceOptions(compile=True)
    return {
        name: load_model(arguments.model, arguments.device, choice)
        for name, choice in options.items()
    }


def seconds(run: Callable[[], object], device: str) -> float:
    """Wall-clock seconds of one call, the device's work included."""
    start = time.perf_counter()
    run()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="timm:tf_efficientnet_lite0?pretrained=false")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    models = variants(arguments)
    plain = models["plain eager"]
    size = (arguments.images, 3, plain.preprocessing.height, plain.preprocessing.width)
    batch = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(plain.device)
    runs: dict[str, Callable[[], object]] = {
        name: lambda model=model: model.run(batch)  # type: ignore[misc]
        for name, model in models.items()
    }
    outputs = {name: model.run(batch) for name, model in models.items()}  # also warms up
    ours = models["ours"]
    names = default_layers(find_layers(ours), arguments.layers)
    label = f"ours, {len(names)} layers tapped"
    with LayerTaps(ours, names) as taps:
        outputs[label] = taps.forward(batch).output

    def tapped() -> object:
        with LayerTaps(ours, names) as taps:
            return taps.forward(batch)

    runs[label] = tapped
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(arguments.repeats):
        for name, run in runs.items():
            times[name].append(seconds(run, arguments.device))
    print(
        f"{arguments.model}, {tuple(batch.shape)}, {arguments.device}, {arguments.threads} threads"
    )
    print(f"{'':28}{'best s':>9}{'median s':>10}{'ratio':>8}{'largest difference':>20}")
    scale = outputs["plain eager"].abs().max()
    for name, measured in times.items():
        ratio = min(times["plain eager"]) / min(measured)
        difference = float((outputs[name] - outputs["plain eager"]).abs().max() / scale)
        print(
            f"{name:28}{min(measured):9.3f}{statistics.median(measured):10.3f}{ratio:8.2f}"
            f"{difference:20.1e}"
        )


if __name__ == "__main__":
    main()
