"""The images that activate each unit most, and where in them it is active."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from analysis.devices import algebra_threads
from analysis.dissection.active_runs import active_pixels
from analysis.dissection.maps import MapSource, read_chunks
from analysis.dissection.thresholds import UnitThresholds
from analysis.errors import AuditError
from analysis.progress import Progress


@dataclass(frozen=True)
class TopImages:
    """For each unit its top images, best first; -1 and empty where it is active in fewer.

    `image`: int64 (units, k); `activation`: float64 (units, k), the largest value of the raw map,
    NaN where there is no image; `masks`: uint8 (units, k, ⌈R²/8⌉), `numpy.packbits` of the
    boolean R × R mask, row by row; `boxes`: int64 (units, k, 4) x, y, width, height around the
    mask, in pixels of the R × R grid.
    """

    image: np.ndarray
    activation: np.ndarray
    masks: np.ndarray
    boxes: np.ndarray
    resolution: int


def top_images(
    maps: MapSource,
    images: int,
    thresholds: UnitThresholds,
    resolution: int = 56,
    count: int = 9,
    progress: Progress | None = None,
) -> TopImages:
    """The `count` images with the largest activation of each unit, of those where it is active.

    Of equal activations the earlier image is first. Units without a concept for a reason of their
    own (dead, failed threshold, not a number) have none.

    :param maps: raw maps; read twice.
    :raises AuditError: no image, or maps of another shape.
    :raises Cancelled: when `progress` is cancelled.
    """
    if images < 1 or count < 1:
        raise AuditError("There are no top images to find.", "Choose at least one image.")
    with algebra_threads(0):
        image, activation = _peaks(maps, images, thresholds, min(count, images), progress)
        masks = _masks(maps, images, thresholds, resolution, image, progress)
    return _in_order(image, activation, masks, count, resolution)


def _peaks(
    maps: MapSource,
    images: int,
    thresholds: UnitThresholds,
    count: int,
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(units, count) images and peaks, largest first; -1 where the peak is not above threshold."""
    units = len(thresholds.value)
    peaks: np.ndarray = np.zeros((units, 0), dtype=np.float32)
    index: np.ndarray = np.zeros((units, 0), dtype=np.int64)
    for start, chunk in read_chunks(
        maps, images, units, progress=progress, text="Top images", span=(0.0, 0.5)
    ):
        new = chunk.amax((2, 3)).T.cpu().numpy()
        numbers = np.broadcast_to(np.arange(start, start + len(chunk)), new.shape)
        peaks, index = np.hstack([peaks, new]), np.hstack([index, numbers])
        order = np.argsort(-peaks, axis=1, kind="stable")[:, :count]
        peaks, index = (np.take_along_axis(each, order, axis=1) for each in (peaks, index))
    counted = (thresholds.not_counted() == "")[:, None]
    active = counted & (peaks > thresholds.cutoff[:, None])
    return np.where(active, index, -1), np.where(active, peaks, np.nan).astype(np.float64)


def _masks(
    maps: MapSource,
    images: int,
    thresholds: UnitThresholds,
    resolution: int,
    image: np.ndarray,
    progress: Progress | None,
) -> np.ndarray:
    """bool (units, count, R²): where each unit is active in its images."""
    units, count = image.shape
    masks = np.zeros((units, count, -(-(resolution**2) // 8)), dtype=np.uint8)
    cutoffs = torch.from_numpy(thresholds.cutoff)
    for start, chunk in read_chunks(
        maps, images, units, progress=progress, text="Masks of top images", span=(0.5, 1.0)
    ):
        unit, rank = np.nonzero((image >= start) & (image < start + len(chunk)))
        if not len(unit):
            continue
        masks[unit, rank] = _packed(
            chunk, cutoffs, torch.from_numpy(image[unit, rank] - start), unit, resolution
        )
    return masks


def _packed(
    chunk: torch.Tensor,
    cutoffs: torch.Tensor,
    local: torch.Tensor,
    unit: np.ndarray,
    resolution: int,
) -> np.ndarray:
    """(maps, bytes): the packed masks of chosen maps of a chunk."""
    which = torch.from_numpy(unit)
    chosen = chunk[local.to(chunk.device), which.to(chunk.device)][None]
    row, pixel = active_pixels(chosen, cutoffs[which].to(chunk.device), resolution)
    mask = np.zeros((len(unit), resolution**2), dtype=bool)
    mask[row.cpu().numpy(), pixel.cpu().numpy()] = True
    return np.packbits(mask, axis=1)


def _in_order(
    image: np.ndarray, activation: np.ndarray, masks: np.ndarray, count: int, resolution: int
) -> TopImages:
    """Drop images whose peak vanished in upsampling, and bring the rest to the front."""
    image = np.where(masks.any(axis=2), image, -1)
    order = np.argsort(image < 0, axis=1, kind="stable")
    image, activation = (np.take_along_axis(each, order, axis=1) for each in (image, activation))
    masks = np.take_along_axis(masks, order[:, :, None], axis=1)
    absent = ((0, 0), (0, count - image.shape[1]))
    image = np.pad(image, absent, constant_values=-1)
    activation = np.where(image < 0, np.nan, np.pad(activation, absent, constant_values=np.nan))
    masks = np.pad(masks, (*absent, (0, 0)))
    return TopImages(image, activation, masks, _boxes(masks, resolution), resolution)


def unpack_masks(masks: np.ndarray, resolution: int) -> np.ndarray:
    """bool (…, resolution, resolution) of packed masks (…, ⌈resolution²/8⌉)."""
    bits = np.unpackbits(masks, axis=-1, count=resolution**2)
    return bits.reshape(*masks.shape[:-1], resolution, resolution).astype(bool)


def _boxes(masks: np.ndarray, resolution: int) -> np.ndarray:
    boxes = np.zeros((*masks.shape[:2], 4), dtype=np.int64)
    for rank in range(masks.shape[1]):
        mask = unpack_masks(masks[:, rank], resolution)
        x, width = _extent(np.any(mask, axis=1))
        y, height = _extent(np.any(mask, axis=2))
        boxes[:, rank] = np.stack([x, y, width, height], axis=1)
    return boxes


def _extent(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(units,) first place and length of what is occupied along the last axis; 0 if nothing."""
    first = occupied.argmax(axis=1)
    stop = occupied.shape[1] - occupied[:, ::-1].argmax(axis=1)
    return first, np.where(occupied.any(axis=1), stop - first, 0)
