"""What chance would give the overlap of masks on some images: the images of one side shuffled.

In numpy alone, so that it can be had where results are read.
"""

from __future__ import annotations

import numpy as np


def paired_overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU of every pair of masks on each image, (n, ka, kb); NaN where both are empty.

    :param first: (n, ka, side, side) bool; `second`: (n, kb, side, side) bool.
    """
    a, b = (_flat(masks) for masks in (first, second))
    return _iou(a @ b.transpose(0, 2, 1), a.sum(2)[:, :, None], b.sum(2)[:, None, :])


def shuffled_overlap(first: np.ndarray, second: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Mean IoU over images of every pair of masks, with the images of `second` shuffled.

    An image pair in which both masks are empty does not count, as in the measure itself. Each pair
    of images that some order needs is looked at once.

    :param orders: (permutations, n): which image of `second` takes each place.
    :returns: (permutations, ka, kb); NaN where no pair of images counts.
    """
    a, b = (_flat(masks) for masks in (first, second))
    images, concepts, _ = b.shape
    sizes_a, sizes_b = a.sum(2), b.sum(2)
    shape = (len(orders), a.shape[1], concepts)
    total, counted = np.zeros(shape), np.zeros(shape)
    for image in range(images if len(orders) else 0):
        partners, place = np.unique(orders[:, image], return_inverse=True)
        # (ka, partners·kb) products of one image's masks with those of all its partners
        both = a[image] @ b[partners].reshape(len(partners) * concepts, -1).T
        both = both.reshape(-1, len(partners), concepts).transpose(1, 0, 2)
        found = _iou(both, sizes_a[image][:, None], sizes_b[partners][:, None, :])[place]
        there = np.isfinite(found)
        total += np.where(there, found, 0.0)
        counted += there
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = total / np.where(counted > 0, counted, np.nan)
    return mean


def chance_level(null: np.ndarray, level: float = 0.95) -> np.ndarray:
    """What a share of the permutations stays below, (…) of (permutations, …); NaN without any."""
    found = np.full(null.shape[1:], np.nan)
    known = np.isfinite(null).any(0)
    if known.any():
        found[known] = np.nanquantile(null[:, known], level, axis=0)
    return found


def greatest_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """p of each value, corrected for having looked at all: against the greatest of each shuffle.

    Westfall and Young 1993; p = (1 + shuffles that reach it) / (1 + shuffles), Phipson and Smyth
    2010.

    :param observed: (…). :param null: (permutations, …).
    :returns: (…); NaN where there is no value, or no shuffle has one.
    """
    flat = null.reshape(len(null), int(np.prod(null.shape[1:])))
    greatest = np.where(np.isfinite(flat), flat, -np.inf).max(1, initial=-np.inf)
    greatest = greatest[np.isfinite(greatest)]
    if not len(greatest):
        return np.full(observed.shape, np.nan)
    reached = (greatest >= observed[..., None] - 1e-9).sum(-1)
    return np.where(np.isfinite(observed), (1 + reached) / (1 + len(greatest)), np.nan)


def _flat(masks: np.ndarray) -> np.ndarray:
    return masks.reshape(*masks.shape[:2], -1).astype(np.float32)


def _iou(both: np.ndarray, size_a: np.ndarray, size_b: np.ndarray) -> np.ndarray:
    union = size_a + size_b - both
    found: np.ndarray = both / np.where(union > 0, union, np.nan)
    return found.astype(np.float64)
