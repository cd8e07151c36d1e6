"""The image that stands for very many points: computed when data arrive, never while painting."""

from __future__ import annotations

import numpy as np


def density_image(
    x: np.ndarray,
    y: np.ndarray,
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int] = (320, 320),
) -> np.ndarray:
    """Logarithm of 1 + the number of points in each pixel of a grid over the bounds.

    :param bounds: left, right, bottom, top in the plot's units; points outside are not counted
    :param shape: rows, columns; row 0 is the lowest
    :return: (rows, columns) float64
    """
    left, right, bottom, top = bounds
    there = np.isfinite(x) & np.isfinite(y)
    counts, _, _ = np.histogram2d(
        y[there], x[there], bins=shape, range=((bottom, top), (left, right))
    )
    return np.log1p(counts)
