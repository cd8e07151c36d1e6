"""Dissection against the plain NetDissect way, and how its time and memory grow.

    python tests/benchmarks/benchmark_dissection.py [--threads 2] [--device cpu] [--quick]

The plain way is a loop over units and concepts in NumPy on the same activations and label planes;
its masks of units and labels are made beforehand and not timed. Growth is measured in a process
of its own for each size: time of thresholds, of the tally alone and with the null of 50 shuffles,
and the most memory beyond the activations and planes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.dissection.maps import MapSource
from analysis.dissection.tally import iou, tally
from analysis.dissection.thresholds import UnitThresholds, find_thresholds
from tests.dissection.held_maps import map_source

RESOLUTION, SIDE, QUANTILE, SHUFFLES = 56, 7, 0.01, 50
# How many regions each plane of an image has: a scene, objects, parts, materials and colours.
REGIONS = (1, 6, 8, 5, 8, 3)


def make_maps(images: int, units: int) -> torch.Tensor:
    """Sparse rectified maps, as float16."""
    maps = torch.empty(images, units, SIDE, SIDE, dtype=torch.float16)
    generator = torch.Generator().manual_seed(0)
    for image in range(images):
        maps[image] = torch.randn(maps.shape[1:], generator=generator).pow(3).clamp(min=0)
    return maps


def make_planes(images: int, concepts: int) -> np.ndarray:
    """Overlapping planes with about thirty concepts an image."""
    random = np.random.default_rng(0)
    share = concepts // len(REGIONS)
    planes = np.zeros((images, len(REGIONS), RESOLUTION, RESOLUTION), dtype=np.uint16)
    for image in range(images):
        for plane, regions in enumerate(REGIONS):
            codes = 1 + plane * share + random.choice(share, regions, replace=False)
            coarse = codes[random.integers(0, regions, (8, 8))]
            planes[image, plane] = np.kron(coarse, np.ones((7, 7), dtype=np.int64))
    return planes


def plain_way(active: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """IoU by a loop over units and concepts of masks (…, images, R, R)."""
    result = np.zeros((len(active), len(labels)))
    for unit, mask in enumerate(active):
        for concept, label in enumerate(labels):
            intersection = np.count_nonzero(mask & label)
            union = np.count_nonzero(mask | label)
            result[unit, concept] = intersection / union if union else np.nan
    return result


def thresholds_of(maps: torch.Tensor, source: MapSource) -> UnitThresholds:
    found = find_thresholds(source, maps.shape[0], maps.shape[1], [QUANTILE], RESOLUTION)
    return found.at(QUANTILE)


def compare(images: int, units: int, concepts: int, device: str) -> None:
    maps, planes = make_maps(images, units).to(device), make_planes(images, concepts)
    thresholds = thresholds_of(maps, map_source(maps))
    ours, seconds = None, []
    for _ in range(3):
        start = time.perf_counter()
        ours = iou(tally(map_source(maps), planes, thresholds, concepts, permutations=0))
        seconds.append(time.perf_counter() - start)
    upsampled = torch.nn.functional.interpolate(
        maps.float(), size=(RESOLUTION, RESOLUTION), mode="bilinear", align_corners=False
    )
    rounded = upsampled.half().cpu().transpose(0, 1).numpy()
    active = rounded > thresholds.value[:, None, None, None]
    labels = np.stack([(planes == code).any(axis=1) for code in range(1, concepts + 1)])
    start = time.perf_counter()
    plain = plain_way(active, labels)
    plain_seconds = time.perf_counter() - start
    assert ours is not None
    print(
        f"{images} images, {units} units, {concepts} concepts: loop {plain_seconds:.2f} s,"
        f" tally {min(seconds):.3f} s, ratio {plain_seconds / min(seconds):.0f};"
        f" largest difference of IoU {np.nanmax(np.abs(plain - ours)):.1e}",
        flush=True,
    )


class PeakMemory:
    """The most memory this process takes beyond what it has now, looked at every 2 ms."""

    def __init__(self) -> None:
        self._before = self._most = psutil.Process().memory_info().rss
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._ended.wait(0.002):
            self._most = max(self._most, process.memory_info().rss)

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._most - self._before


def grow(images: int, units: int, concepts: int, device: str) -> None:
    maps, planes = make_maps(images, units), make_planes(images, concepts)
    source = map_source(maps.to(device))
    memory = PeakMemory()
    start = time.perf_counter()
    thresholds = thresholds_of(maps, source)
    times = [time.perf_counter() - start]
    for shuffles in (0, SHUFFLES):
        start = time.perf_counter()
        tally(source, planes, thresholds, concepts, shuffles)
        times.append(time.perf_counter() - start)
    peak = memory.stop()
    print(
        f"{images:4} images, {units:5} units: thresholds {times[0]:.2f} s, tally {times[1]:.2f} s,"
        f" with {SHUFFLES} shuffles {times[2]:.2f} s; {peak / 1e6:.0f} MB"
        f" beyond {(maps.nbytes + planes.nbytes) / 1e6:.0f} MB of input",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--grow", type=int, nargs=2, metavar=("IMAGES", "UNITS"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    concepts = 600
    if arguments.grow:
        grow(*arguments.grow, concepts, arguments.device)
        return
    for images, units in [(40, 16)] if arguments.quick else [(100, 64), (100, 1024)]:
        compare(images, units, concepts, arguments.device)
    sizes = [(100, 1024), (200, 1024), (400, 1024), (400, 256), (400, 4096)]
    for size in sizes[:1] if arguments.quick else sizes:
        options = [f"--threads={arguments.threads}", f"--device={arguments.device}"]
        command = [sys.executable, __file__, *options, "--grow", *map(str, size)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
