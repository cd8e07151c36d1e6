"""How fast an image set is scanned and loaded, and whether memory stays flat.

    python tests/benchmarks/benchmark_images.py [--images 4000] [--side 224] [--workers 2]

Photographs are generated in a temporary folder (100 class folders). Scanning (hash, whole decode
at the JPEG's smallest scale) is compared with a plain loop over Pillow in one thread that opens,
decodes and hashes each file; resident memory is compared between a quarter of the set and all.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import psutil
from PIL import Image

from analysis.errors import Cancelled
from analysis.images.frames import Frame
from analysis.images.loading import load_frames
from analysis.images.scanning import RejectedImage, open_source, scan
from analysis.progress import Progress

CLASSES = 100
MEBIBYTE = 1024**2


def generate(root: Path, images: int, side: int) -> None:
    """Photograph-like JPEGs (a smooth ground and fine texture); each file differs."""
    random = np.random.default_rng(0)
    grounds = []
    for _ in range(16):
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float32)
        texture = random.normal(0, 12, (side, side, 1))
        grounds.append(np.clip(smooth + texture, 0, 255).astype(np.uint8))
    for number in range(images):
        folder = root / f"class_{number * CLASSES // images:03}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.roll(grounds[number % 16], number // 16, axis=1)
        Image.fromarray(pixels).save(folder / f"{number:06}.jpg", quality=90)


def plain_loop(root: Path) -> int:
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                hashlib.sha256(file.read()).hexdigest()
            with Image.open(path) as image:
                image.convert("RGB")
            count += 1
    return count


class PeakMemory:
    """The highest resident memory above that at the beginning, looked at every 5 ms."""

    def __enter__(self) -> PeakMemory:
        self._process = psutil.Process()
        self._base = self.highest = self._process.memory_info().rss
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.highest = max(self.highest, self._process.memory_info().rss)

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def growth(self) -> float:
        """In MiB."""
        return (self.highest - self._base) / MEBIBYTE


def scan_all(root: Path, workers: int) -> int:
    count = 0
    for result in scan(open_source(root), Progress(lambda *report: None), workers):
        assert not isinstance(result, RejectedImage), result
        count += 1
    return count


def load_all(root: Path, workers: int) -> int:
    paths = sorted(root.rglob("*.jpg"))
    return sum(
        frame.pixels is not None for frame in load_frames(paths, Frame().apply, Progress(), workers)
    )


def timed(name: str, task: Callable[[], int]) -> float:
    started = time.perf_counter()
    count = task()
    seconds = time.perf_counter() - started
    print(f"{name:<42}{count / seconds:>10,.0f} images/s  ({count:,} in {seconds:.2f} s)")
    return count / seconds


def seconds_to_cancel(root: Path, workers: int) -> float:
    progress = Progress()
    results = scan(open_source(root), progress, workers)
    next(results)
    started = time.perf_counter()
    progress.cancel()
    try:
        for _ in results:
            pass
    except Cancelled:
        return time.perf_counter() - started
    raise AssertionError("the scan did not stop")


def seconds_to_cancel_a_huge_image(folder: Path) -> tuple[float, float]:
    """Seconds from the wish to stop to freedom, while 144 million pixels are being decoded; and
    the seconds that the whole decode takes."""
    folder.mkdir()
    Image.new("RGB", (12_000, 12_000), (90, 120, 150)).save(folder / "huge.png", compress_level=1)
    started = time.perf_counter()
    list(scan(open_source(folder), Progress(), 1))
    whole = time.perf_counter() - started
    progress = Progress()
    wish: list[float] = []

    def stop() -> None:
        wish.append(time.perf_counter())
        progress.cancel()

    timer = threading.Timer(0.2 * whole, stop)
    timer.start()
    try:
        list(scan(open_source(folder), progress, 1))
    except Cancelled:
        return time.perf_counter() - wish[0], whole
    raise AssertionError("the scan did not stop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        few, many = Path(temporary) / "few", Path(temporary) / "many"
        generate(few, options.images // 4, options.side)
        generate(many, options.images, options.side)
        scan_all(few, options.workers)  # files and libraries are warm from here
        plain = timed("plain Pillow loop, one thread", lambda: plain_loop(many))
        growths = []
        for root in (few, many):
            with PeakMemory() as memory:
                rate = timed(
                    f"scan, {options.workers} threads",
                    lambda root=root: scan_all(root, options.workers),  # type: ignore[misc]
                )
            growths.append(memory.growth)
        print(f"{'scan beside the plain loop':<42}{rate / plain:>10.1f} ×")
        with PeakMemory() as memory:
            timed(
                f"frames of 224, {options.workers} threads",
                lambda: load_all(many, options.workers),
            )
        print(f"{'memory growth, scan of a quarter':<42}{growths[0]:>10.1f} MiB")
        print(f"{'memory growth, scan of all':<42}{growths[1]:>10.1f} MiB")
        print(f"{'memory growth, frames of all':<42}{memory.growth:>10.1f} MiB")
        print(f"{'seconds to cancel':<42}{seconds_to_cancel(many, options.workers):>10.3f} s")
        waited, whole = seconds_to_cancel_a_huge_image(Path(temporary) / "huge")
        print(f"{'seconds to cancel within a huge image':<42}{waited:>10.3f} s  (of {whole:.1f} s)")


if __name__ == "__main__":
    main()
