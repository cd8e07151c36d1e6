"""A model's probabilities for many changed images: mixed batches, results left on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from analysis.errors import AuditError
from analysis.faithfulness.metrics import Baseline
from analysis.faithfulness.pixels import Pixels

Scores = Callable[[torch.Tensor], torch.Tensor]
"""Probabilities (n, classes) of model inputs (n, channels, height, width)."""
Check = Callable[[int], None]
"""Told how many forwards were done since it was last called; may raise to stop."""

_LARGEST_CHUNK = 256
_DEVICE_PIXELS = 128 * 224 * 224
_THREAD_PIXELS = 2 * 224 * 224
"""Pixels a forward; on a processor so few a thread that activations stay in its cache."""


@dataclass
class MeasuredImages:
    """A batch of images, and the scores that all metrics share.

    `scores`: see `Scores`. `batch`: model inputs (n, channels, height, width). `chunk`: images a
    call of `scores`; None for what suits the device. `check`: see `Check`.

    Gradients are off while scoring. Inference mode is not used: some networks keep tensors from one
    forward to the next, and those made in inference mode cannot be used when a map needs gradients.
    """

    scores: Scores
    batch: torch.Tensor
    pixels: Pixels = field(default_factory=Pixels)
    chunk: int | None = None
    check: Check | None = None
    forwards: int = 0
    _kept: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        channels = len(self.pixels.mean)
        if self.batch.ndim != 4 or not len(self.batch) or self.batch.shape[1] != channels:
            raise AuditError(
                f"Images to measure are a batch (n, {channels}, height, width) of at least one.",
                f"Got {tuple(self.batch.shape)}.",
            )
        if self.chunk is not None and self.chunk < 1:
            raise AuditError("At least one image is scored at a time.", f"Got {self.chunk}.")
        self.batch = self.batch.detach().to(torch.float32)

    @property
    def chunk_size(self) -> int:
        """Images a call of `scores`."""
        if self.chunk is not None:
            return self.chunk
        on_cpu = self.batch.device.type == "cpu"
        pixels = _THREAD_PIXELS * torch.get_num_threads() if on_cpu else _DEVICE_PIXELS
        size = pixels // (self.batch.shape[-2] * self.batch.shape[-1])
        return min(max(size, 2), _LARGEST_CHUNK)

    def original(self) -> torch.Tensor:
        """Probabilities of the images as they are, (n, classes)."""
        return self._once("original", lambda: self.batch)

    def baseline(self, name: Baseline) -> torch.Tensor:
        """What stands for missing pixels: (n, channels, height, width), 1 for n where constant."""
        if f"pixels {name}" not in self._kept:
            self._kept[f"pixels {name}"] = self.pixels.baseline(self.batch, name)
        return self._kept[f"pixels {name}"]

    def baseline_scores(self, name: Baseline) -> torch.Tensor:
        """Probabilities of the images with all pixels missing, (n, classes)."""
        found = self._once(f"scores {name}", lambda: self.baseline(name))
        return found.expand(len(self.batch), -1)

    def of_class(self, probabilities: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """The probability of each image's class, (n,); NaN for a class below 0."""
        found = probabilities.gather(1, classes.clamp_min(0)[:, None])[:, 0]
        return torch.where(classes >= 0, found, torch.nan)

    def score(
        self, count: int, build: Callable[[int, int], torch.Tensor], classes: torch.Tensor
    ) -> torch.Tensor:
        """The probability of a class for each of `count` changed images, (count,) float32.

        :param build: model inputs of the changed images from start to stop.
        :param classes: (count,) int64; NaN comes out for a class below 0.
        """
        found = torch.empty(count, dtype=torch.float32, device=self.batch.device)
        size = self.chunk_size
        with torch.no_grad():
            for start in range(0, count, size):
                stop = min(start + size, count)
                wanted = classes[start:stop]
                found[start:stop] = self.of_class(self._forward(build(start, stop)), wanted)
        return found

    def _once(self, name: str, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        if name not in self._kept:
            with torch.no_grad():
                parts = [self._forward(part) for part in make().split(self.chunk_size)]
            self._kept[name] = torch.cat(parts)
        return self._kept[name]

    def _forward(self, images: torch.Tensor) -> torch.Tensor:
        found = self.scores(images)
        if found.ndim != 2 or len(found) != len(images):
            raise AuditError(
                "A classifier gives one row of probabilities for each image.",
                f"This one gave {tuple(found.shape)} for {len(images)} images.",
            )
        self.forwards += len(images)
        if self.check is not None:
            self.check(len(images))
        return found.float()
