"""Score-CAM: each channel weighed by the score of the image seen through it.

The cost is one forward a channel. They are packed: images and channels share batches, masks are
built on the device as they are needed, and all channels that are the same everywhere share the one
forward of the empty image, which is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from analysis.saliency.cams import weighted_maps
from analysis.saliency.chunks import images_at_once

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_MOST = {"cpu": 16}
_MOST_ON_A_DEVICE = 128


@dataclass(frozen=True)
class ScoreMaps:
    """`maps` (n, rows, columns). `forwards`: masked images that were run. `constant`: channels
    that were the same everywhere, (n,). `scores`: logits or probabilities (n, channels).
    """

    maps: torch.Tensor
    scores: torch.Tensor
    forwards: int
    constant: torch.Tensor


def scorecam(
    model: LoadedModel,
    batch: torch.Tensor,
    activations: torch.Tensor,
    classes: torch.Tensor,
    score: str = "logit",
    corners: bool = False,
    channels: int | None = None,
    chunk: int | None = None,
    check: Callable[[int, int], None] | None = None,
) -> ScoreMaps:
    """ReLU(Σ softmax(u) A), u the class's score of the image times the enlarged map in 0…1.

    Wang et al. 2020; thesis Eq. 2.28 to 2.30. The baseline f(I) of Eq. 2.29 is the same for all
    channels and cancels in the softmax. Masks multiply the normalised input, as in the published
    code: where a mask is 0 the model sees its mean colour.

    :param activations: (n, channels, rows, columns) at the target layer.
    :param classes: (n,) int64.
    :param score: “logit”, or “probability” as the thesis has it.
    :param corners: enlarge with corners aligned (the package grad-cam) or with half-pixel centres.
    :param channels: the most varied channels alone, an approximation.
    :param check: called with (done, total) forwards; may raise to stop.
    """
    images, count = activations.shape[:2]
    spread = activations.amax((2, 3)) - activations.amin((2, 3))
    varied = spread > 0
    constant = count - varied.sum(1)
    chosen = torch.ones_like(varied)
    if channels is not None and channels < count:
        chosen = torch.zeros_like(varied).scatter_(1, spread.topk(channels, 1).indices, True)
    pairs = (varied & chosen).nonzero()
    runner = _MaskedForwards(model, batch, activations, classes, score, corners, chunk)
    scores = activations.new_full((images, count), float("-inf"))
    scores[chosen & ~varied] = 0.0
    if bool((chosen & ~varied).any()):
        empty = runner.empty()
        scores = torch.where(chosen & ~varied, empty[:, None], scores)
    for done, rows in runner.chunks(pairs):
        if check is not None:
            check(done, len(pairs))
        scores[rows[:, 0], rows[:, 1]] = runner.scores(rows)
    if check is not None:
        check(len(pairs), len(pairs))
    maps = weighted_maps(activations, scores.softmax(1))
    return ScoreMaps(maps, scores, len(pairs), constant)


class _MaskedForwards:
    """Masked images of (image, channel) pairs through the model, a chunk at a time."""

    def __init__(
        self,
        model: LoadedModel,
        batch: torch.Tensor,
        activations: torch.Tensor,
        classes: torch.Tensor,
        score: str,
        corners: bool,
        chunk: int | None,
    ) -> None:
        self._model, self._batch, self._classes = model, batch, classes
        self._activations, self._score, self._corners = activations, score, corners
        most = _MOST.get(batch.device.type, _MOST_ON_A_DEVICE)
        self._chunk = chunk or images_at_once(model, most)
        channels_last = model.options.channels_last and batch.device.type in ("cpu", "cuda")
        self._buffer = torch.empty(
            (self._chunk, *batch.shape[1:]),
            device=batch.device,
            memory_format=torch.channels_last if channels_last else torch.contiguous_format,
        )

    def chunks(self, pairs: torch.Tensor) -> list[tuple[int, torch.Tensor]]:
        return [(k, pairs[k : k + self._chunk]) for k in range(0, len(pairs), self._chunk)]

    def scores(self, pairs: torch.Tensor) -> torch.Tensor:
        """The score of each pair's masked image: (m,)."""
        image, channel = pairs[:, 0], pairs[:, 1]
        masks = functional.interpolate(
            self._activations[image, channel][:, None],
            size=self._batch.shape[-2:],
            mode="bilinear",
            align_corners=self._corners,
        )
        low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
        masks = (masks - low) / (high - low + 1e-8)
        masked = self._buffer[: len(pairs)]
        torch.mul(self._images(image), masks, out=masked)
        if self._model.options.compile and len(pairs) < self._chunk:
            masked = self._buffer  # one shape alone: another would be compiled anew
        return self._read(self._model.run(masked)[: len(pairs)], self._classes[image])

    def _images(self, image: torch.Tensor) -> torch.Tensor:
        """The images of these numbers, which never fall; a view where they are all the same."""
        if len(self._batch) == 1:
            return self._batch
        if self._batch.device.type == "cpu" and image[0] == image[-1]:
            return self._batch[int(image[0])][None]
        return self._batch[image]

    def empty(self) -> torch.Tensor:
        """The score of the empty image for each image's class: (n,)."""
        output = self._model.run(torch.zeros_like(self._batch[:1]))
        return self._read(output.expand(len(self._classes), -1), self._classes)

    def _read(self, output: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        values = output.softmax(1) if self._score == "probability" else output
        return values.gather(1, classes[:, None])[:, 0]
