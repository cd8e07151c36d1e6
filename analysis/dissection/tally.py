"""How often each unit is active where each concept is labelled, and how often by chance.

The intersection-over-union of unit and concept over all pixels of all images (Network Dissection,
Bau et al. 2017, Eq. 1) needs three counts: active pixels, labelled pixels, and both. A unit is
active on about one pixel in a hundred, in a few runs along the rows; the pixels of every label
within a run are the difference of two entries of a running count. So an image costs two rows of
additions a run, whatever the number of concepts, and counting it again against the labels of
another image costs no more: that gives the null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from analysis.devices import algebra_threads
from analysis.dissection.active_runs import ActiveRuns, active_pixels, active_runs
from analysis.dissection.label_tables import LabelTables
from analysis.dissection.maps import MapSource, read_chunks
from analysis.dissection.thresholds import UnitThresholds
from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.statistics.permutation import random_permutations

_COUNTERS = 1 << 26  # (orders, concepts, units) held at once; more units are taken block by block
_EXACT = 1 << 24  # the largest count that float32 holds exactly


@dataclass(frozen=True)
class Tally:
    """Counts of pixels over all images.

    `intersection`: int64 (units, concepts); `activation`: int64 (units,) active pixels; `truth`:
    int64 (concepts,) labelled pixels; `pixels`: all; `null_best_iou`: float64
    (permutations, units), the best IoU of a unit when every image gets the labels of another.
    """

    intersection: np.ndarray
    activation: np.ndarray
    truth: np.ndarray
    pixels: int
    null_best_iou: np.ndarray


def tally(
    maps: MapSource,
    planes: np.ndarray,
    thresholds: UnitThresholds,
    concepts: int,
    permutations: int = 50,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tally:
    """Count active pixels, labelled pixels and both; and the best IoU with images shuffled.

    A pixel is active where the activation, upsampled bilinearly to the planes' resolution and
    rounded to float16, is strictly above the unit's threshold. Units without a threshold (NaN)
    are nowhere active. In each shuffle all units see the same order of images, so that what is
    common to a place in the image (sky above, ground below) stays in the null.

    Time grows with active pixels; memory with units · concepts · permutations up to 256 MB (more
    units are taken block by block, each reading its maps once), not with images.

    :param maps: raw maps of all images, on the device that is to count.
    :param planes: (images, planes, R, R) integer codes, 0 none, k the concept k - 1.
    :raises AuditError: a code without a concept, planes that are not square, no image, or maps of
        another shape.
    :raises Cancelled: when `progress` is cancelled.
    """
    images, units = len(planes), len(thresholds.cutoff)
    if images < 1 or units < 1:
        raise AuditError("There is nothing to count.", "Choose images and a layer with units.")
    device = maps(0, 1).device
    # Active pixels are few: a device that cannot sum bags leaves the counting to the CPU.
    labels = LabelTables(planes, concepts, device if device.type == "cuda" else torch.device("cpu"))
    shuffled = random_permutations(images, permutations, seed)
    orders = torch.cat([torch.arange(images)[None], shuffled]).T.tolist()
    counting = _Counting(labels, labels.truth(), orders)
    blocks = _blocks(units, (permutations + 1) * max(1, concepts))
    parts = []
    with algebra_threads(0):
        for index, block in enumerate(blocks):
            span = (index / len(blocks), (index + 1) / len(blocks))
            chunks = read_chunks(maps, images, units, block, progress, "Active pixels", span)
            parts.append(counting.run(chunks, torch.from_numpy(thresholds.cutoff[block])))
    return Tally(
        intersection=np.concatenate([part.intersection for part in parts]),
        activation=np.concatenate([part.activation for part in parts]),
        truth=counting.truth,
        pixels=images * labels.resolution**2,
        null_best_iou=np.concatenate([part.null_best_iou for part in parts], axis=1),
    )


def iou(counts: Tally) -> np.ndarray:
    """Intersection over union, float64 (units, concepts); NaN where neither is anywhere."""
    union = counts.activation[:, None] + counts.truth - counts.intersection
    with np.errstate(invalid="ignore"):
        return counts.intersection / union


@dataclass(frozen=True)
class _Part:
    intersection: np.ndarray
    activation: np.ndarray
    null_best_iou: np.ndarray


@dataclass(frozen=True)
class _Counting:
    """`orders`: for each image, the image whose labels it gets in the truth and each shuffle."""

    labels: LabelTables
    truth: np.ndarray
    orders: list[list[int]]

    def run(self, chunks: Iterator[tuple[int, torch.Tensor]], cutoffs: torch.Tensor) -> _Part:
        """The counts of some units over all images."""
        units, side = len(cutoffs), self.labels.resolution
        device = self.labels.device
        most = len(self.labels) * side**2
        dtype = torch.float32 if most <= _EXACT else torch.float64
        shape = (len(self.orders[0]), self.labels.concepts, units)
        counts = torch.zeros(shape, dtype=dtype, device=device)
        activation = torch.zeros(units, dtype=torch.int64, device=device)
        for start, chunk in chunks:
            row, pixel = active_pixels(chunk, cutoffs.to(chunk.device), side)
            runs = active_runs(row, pixel, len(chunk) * units, side**2, device)
            activation += runs.active.view(len(chunk), units).sum(0)
            for image in range(len(chunk)):
                self._add(counts, _of_image(runs, image, units), self.orders[start + image])
        return self._finished(counts, activation.cpu().numpy())

    def _add(self, counts: torch.Tensor, runs: _ImageRuns, order: list[int]) -> None:
        """Add one image's active pixels of each label, for each order of the labels."""
        for position, other in enumerate(order):
            concepts, table = self.labels.table(other)
            if not len(concepts):
                continue
            found = torch.nn.functional.embedding_bag(
                runs.edges, table, runs.offsets, mode="sum", per_sample_weights=runs.signs
            )
            counts[position].index_add_(0, concepts, found.T.contiguous().to(counts.dtype))

    def _finished(self, counts: torch.Tensor, activation: np.ndarray) -> _Part:
        null = [self._best_iou(each, activation) for each in counts[1:]]
        return _Part(
            intersection=counts[0].T.cpu().numpy().astype(np.int64),
            activation=activation,
            null_best_iou=np.stack(null) if null else np.zeros((0, len(activation))),
        )

    def _best_iou(self, intersection: torch.Tensor, activation: np.ndarray) -> np.ndarray:
        """(units,) float64; 0 for a unit that meets no label."""
        if not len(intersection):
            return np.zeros(len(activation))
        both = intersection.to("cpu", torch.float64).numpy()
        union = activation + self.truth[:, None] - both
        return (both / np.maximum(union, 1)).max(axis=0)


@dataclass(frozen=True)
class _ImageRuns:
    edges: torch.Tensor
    signs: torch.Tensor
    offsets: torch.Tensor


def _of_image(runs: ActiveRuns, image: int, units: int) -> _ImageRuns:
    offsets = runs.offsets[image * units : (image + 1) * units + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    return _ImageRuns(
        edges=runs.edges[first:last],
        signs=runs.signs[first:last],
        offsets=(offsets[:-1] - first).to(torch.int32),
    )


def _blocks(units: int, counters: int) -> list[slice]:
    """The units in blocks that need a bounded number of counters each."""
    size = max(1, _COUNTERS // counters)
    return [slice(start, min(units, start + size)) for start in range(0, units, size)]
