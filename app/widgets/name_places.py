"""Where names go beside the points of a plot, so that none lies on another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

FARTHEST = 84.0
_DISTANCES = (3.0, 12.0, 24.0, 40.0, 60.0, 84.0)
_DIRECTIONS = 12  # around the point, beginning at the right
_CROSSING = 30.0  # pixels of distance that are better than a leader line through another name


def place_names(
    x: np.ndarray,
    y: np.ndarray,
    sizes: np.ndarray,
    bounds: tuple[float, float, float, float],
    radius: float,
    first: Sequence[int] = (),
    taken: Sequence[tuple[float, float, float, float]] = (),
    farthest: float = FARTHEST,
) -> np.ndarray:
    """Boxes of names, placed one by one at the nearest free place around their points.

    :param x: (n,) places of the points in pixels, y downwards
    :param sizes: (n, 2) width and height of the names
    :param bounds: left, top, right, bottom within which names must lie
    :param radius: of the points' marks, which names keep clear of
    :param first: indices to place before all others
    :param taken: further boxes to keep clear of, as left, top, right, bottom
    :param farthest: a name further from its point than this is rather not placed
    :return: (n, 4) left, top, right, bottom; NaN where no place was free
    """
    places = np.full((len(x), 4), np.nan)
    marks = np.column_stack([x - radius, y - radius, x + radius, y + radius])
    filled = np.array([*taken], float).reshape(-1, 4)
    for index in _order(x, y, first):
        boxes, cost, near = _candidates(farthest, x[index], y[index], sizes[index], radius)
        others = np.concatenate([np.delete(marks, index, axis=0), filled])
        free = _inside(boxes, bounds) & ~_overlaps(boxes, others).any(axis=1) & near
        if free.any():
            crossing = _leaders_cross(x[index], y[index], boxes, filled)
            best = int(np.argmin(np.where(free, cost + _CROSSING * crossing, np.inf)))
            places[index] = boxes[best]
            filled = np.concatenate([filled, boxes[best : best + 1]])
    return places


def _order(x: np.ndarray, y: np.ndarray, first: Sequence[int]) -> list[int]:
    """Points without close neighbours last: they find room anywhere."""
    if not len(x):
        return []
    apart = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    np.fill_diagonal(apart, np.inf)
    crowded = np.argsort(apart.min(axis=1), kind="stable").tolist()
    chosen = [i for i in first if 0 <= i < len(x)]
    return chosen + [i for i in crowded if i not in set(chosen)]


def _candidates(
    farthest: float, x: float, y: float, size: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes around a point (c, 4), what each costs (near is cheap, right before left), and whether
    it is near enough."""
    width, height = float(size[0]), float(size[1])
    boxes, costs, near = [], [], []
    for distance in _DISTANCES:
        for step in range(_DIRECTIONS):
            angle = 2 * math.pi * step / _DIRECTIONS
            along, up = math.cos(angle), math.sin(angle)
            # The box touches the circle with its nearest side or corner.
            middle_x = x + along * (radius + distance) + _toward(along) * width / 2
            middle_y = y - up * (radius + distance) - _toward(up) * height / 2
            boxes.append(
                (
                    middle_x - width / 2,
                    middle_y - height / 2,
                    middle_x + width / 2,
                    middle_y + height / 2,
                )
            )
            near.append(distance <= farthest)
            costs.append(distance + 2.0 * (1 - along) + 1.0 * abs(up))
    return np.array(boxes), np.array(costs), np.array(near)


def _leaders_cross(x: float, y: float, boxes: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(boxes,) bool: whether the line from the point to the box would run through a name."""
    ends = np.column_stack(
        [np.clip(x, boxes[:, 0], boxes[:, 2]), np.clip(y, boxes[:, 1], boxes[:, 3])]
    )
    shares = np.linspace(0.1, 0.95, 12)[:, None, None]
    along = np.array([x, y]) + shares * (ends - np.array([x, y]))
    spots = np.concatenate([along, along], axis=2).reshape(-1, 4)
    crossed = _overlaps(spots, names).any(axis=1).reshape(len(shares), -1)
    return np.asarray(crossed.any(axis=0))


def _toward(share: float) -> float:
    return 0.0 if abs(share) < 0.26 else math.copysign(1.0, share)


def _inside(boxes: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    left, top, right, bottom = bounds
    corners = np.array([boxes[:, 0] >= left, boxes[:, 1] >= top])
    others = np.array([boxes[:, 2] <= right, boxes[:, 3] <= bottom])
    return np.asarray(np.concatenate([corners, others]).all(axis=0))


def _overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(boxes, others) bool."""
    return (
        (boxes[:, None, 0] < others[None, :, 2])
        & (boxes[:, None, 2] > others[None, :, 0])
        & (boxes[:, None, 1] < others[None, :, 3])
        & (boxes[:, None, 3] > others[None, :, 1])
    )
