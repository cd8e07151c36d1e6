"""Which pixels are in at a step of insertion and deletion, and how the image then looks.

NumPy alone: the window draws the same images that were measured. `ranking.py` does the same on the
model's device; both take the interpolation's weights from here and round alike, so the orders are
the same to the last pixel.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from analysis.errors import AuditError
from analysis.faithfulness.metrics import BLUR_SIDE, BLUR_SIGMA, GREY, Baseline, check_baseline

Kind = Literal["insertion", "deletion"]
KINDS: tuple[Kind, ...] = ("insertion", "deletion")


def pixels_at_step(steps: int, pixels: int) -> np.ndarray:
    """How many pixels are in at each step 0…steps: ⌊step · pixels / steps⌋, (steps + 1,) int64.

    Where the steps do not divide the pixels, the steps differ by one pixel at most.
    """
    return np.arange(steps + 1, dtype=np.int64) * pixels // steps


def interpolation(length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bilinear interpolation along one axis, half-pixel centres: which two places, what weight.

    :returns: `low`, `high` (size,) int64 and `weight` (size,) float32 of `high`; beyond the centres
        of the first and last place their values go on.
    """
    position = (np.arange(size, dtype=np.float64) + 0.5) * (length / size) - 0.5
    position = position.clip(0, length - 1)
    low = np.floor(position).astype(np.int64)
    return low, np.minimum(low + 1, length - 1), (position - low).astype(np.float32)


def enlarge(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map (rows, columns) at the image's size, (height, width) float32, bilinear.

    Written as low + (high − low) · weight, which leaves places of equal value exactly equal.
    """
    maps = np.asarray(values, dtype=np.float32) + np.float32(0)  # −0 becomes 0
    low, high, weight = interpolation(maps.shape[0], height)
    maps = maps[low] + (maps[high] - maps[low]) * weight[:, None]
    low, high, weight = interpolation(maps.shape[1], width)
    return maps[:, low] + (maps[:, high] - maps[:, low]) * weight


def rank_pixels(enlarged: np.ndarray) -> np.ndarray:
    """The rank of each pixel, 0 for the most important; equal pixels in raster order.

    :param enlarged: (height, width).
    :returns: (height, width) int32.
    """
    order = np.argsort(-enlarged.ravel(), kind="stable")
    rank = np.empty(order.size, dtype=np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    return rank.reshape(enlarged.shape)


def area_under_curve(scores: np.ndarray) -> np.ndarray:
    """(Σ − first/2 − last/2) / (n − 1) along the last axis: the trapezoids' area, 0…1.

    :param scores: (…, n) the probability at each of n = steps + 1 steps.
    """
    wide = np.asarray(scores, dtype=np.float64)
    return (wide.sum(-1) - (wide[..., 0] + wide[..., -1]) / 2) / (wide.shape[-1] - 1)


def blur_kernel(side: int = BLUR_SIDE, sigma: float = BLUR_SIGMA) -> np.ndarray:
    """One axis of RISE's blur, (side,) float64 with sum 1; the kernel is its outer product.

    RISE's code filters a single one by a Gaussian of `sigma` within the kernel's square, where what
    leaves is reflected: with σ = 5 on 11 pixels that is nearly a box.
    """
    reach = int(4 * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    gaussian = np.exp(-(offsets**2) / (2 * sigma**2))
    places = (side // 2 + offsets) % (2 * side)
    reflected = np.where(places < side, places, 2 * side - 1 - places)
    return np.bincount(reflected, gaussian / gaussian.sum(), minlength=side)


def grey_of(channels: int) -> np.ndarray:
    """Mean grey of an image with so many channels, (channels,) in 0…1."""
    if channels == len(GREY):
        return np.array(GREY)
    return np.full(channels, np.mean(GREY))


def baseline_picture(picture: np.ndarray, baseline: Baseline) -> np.ndarray:
    """What stands for missing pixels: (height, width, channels) float32 in 0…1.

    Blurred: RISE's kernel; beyond the image's edge lies mean grey, as in RISE's code.

    :param picture: (height, width, channels) float32 in 0…1.
    """
    check_baseline(baseline)
    grey = grey_of(picture.shape[2]).astype(np.float32)
    if baseline == "black":
        return np.zeros_like(picture, dtype=np.float32)
    if baseline == "grey":
        return np.broadcast_to(grey, picture.shape).astype(np.float32)
    kernel = blur_kernel().astype(np.float32)
    blurred = picture.astype(np.float32) - grey
    for axis in (0, 1):
        blurred = _filtered(blurred, kernel, axis)
    return blurred + grey


class StepPictures:
    """An image at any step of a curve; the order is found once.

    :param picture: (height, width, 3) uint8.
    :param values: the map, (rows, columns) finite.
    :raises AuditError: a shape, the kind or the baseline is not usable.
    """

    def __init__(
        self,
        picture: np.ndarray,
        values: np.ndarray,
        kind: Kind,
        steps: int,
        baseline: Baseline | None = None,
    ) -> None:
        if kind not in KINDS:
            raise AuditError(f"Unknown curve “{kind}”.", f"Choose {' or '.join(KINDS)}.")
        if picture.ndim != 3 or np.ndim(values) != 2 or steps < 1:
            raise AuditError(
                "A step needs an image (height, width, 3), a map (rows, columns) and steps.",
                f"Got {picture.shape}, {np.shape(values)} and {steps}.",
            )
        height, width = picture.shape[:2]
        self.steps, self.kind = steps, kind
        self.rank = rank_pixels(enlarge(values, height, width))
        self._counts = pixels_at_step(steps, height * width)
        missing = baseline or ("blurred" if kind == "insertion" else "grey")
        self._picture = picture
        self._missing = _to_bytes(baseline_picture(picture.astype(np.float32) / 255, missing))

    def at(self, step: int) -> np.ndarray:
        """The image at this step, 0…steps: (height, width, 3) uint8."""
        chosen = self.rank < self._counts[min(max(step, 0), self.steps)]
        first, second = self._picture, self._missing
        if self.kind == "deletion":
            first, second = second, first
        return np.where(chosen[:, :, None], first, second)


def _filtered(values: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    """Weighted sum of shifted values along an axis; zero beyond the edge."""
    reach = len(kernel) // 2
    padding = [(reach, reach) if own == axis else (0, 0) for own in range(values.ndim)]
    padded = np.pad(values, padding)
    length = values.shape[axis]
    result = np.zeros_like(values)
    for place, weight in enumerate(kernel):
        result += weight * np.take(padded, range(place, place + length), axis=axis)
    return result


def _to_bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture * 255).clip(0, 255).astype(np.uint8)
