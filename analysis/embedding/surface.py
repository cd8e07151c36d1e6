"""Performance as a surface over the embedding (paper, appendix E). Needs numpy alone."""

from __future__ import annotations

import numpy as np

from analysis.errors import AuditError

NEIGHBOURS = 5


def surface_grid(
    points: np.ndarray, steps: int = 100, margin: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of a grid around the models.

    :param points: (models, 2).
    :param steps: cells in each direction.
    :param margin: space around the outermost models, as a share of their extent.
    :returns: x (steps,) and y (steps,), ascending.
    """
    low, high = points.min(0), points.max(0)
    extent = high - low
    space = margin * np.where(extent > 0, extent, max(float(extent.max()), 1.0))
    x, y = (np.linspace(low[i] - space[i], high[i] + space[i], steps) for i in (0, 1))
    return x, y


def performance_surface(
    points: np.ndarray,
    performance: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    neighbours: int = NEIGHBOURS,
) -> np.ndarray:
    """k-nearest-neighbour regression: the mean performance of the nearest models.

    :param points: (models, 2) positions in two components.
    :param performance: (models,) NaN for a model without a value, which is left out.
    :param x: (columns,) and `y`: (rows,) coordinates of the grid.
    :param neighbours: how many models count; all where there are fewer.
    :returns: (rows, columns).
    :raises AuditError: no model has a value, or no neighbour is asked for.
    """
    points, performance = np.asarray(points, dtype=np.float64), np.asarray(performance)
    if neighbours < 1:
        raise AuditError("The surface needs at least one neighbour.")
    valued = np.isfinite(performance) & np.isfinite(points).all(1)
    if not valued.any():
        raise AuditError(
            "No model of this embedding has a performance in this task.",
            "Choose another task, or evaluate the models first.",
        )
    points, performance = points[valued], performance[valued].astype(np.float64)
    across = (np.asarray(x)[None, :, None] - points[:, 0]) ** 2
    upwards = (np.asarray(y)[:, None, None] - points[:, 1]) ** 2
    nearest = np.argsort(across + upwards, axis=-1, kind="stable")[..., :neighbours]
    return performance[nearest].mean(-1)
