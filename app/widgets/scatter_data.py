"""What a scatter plot draws, and the geometry of picking in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class PointStyle:
    """Shape, colour (#RRGGBB or a theme token) and size of a group of points; hollow or filled."""

    symbol: str = "o"
    colour: str = "muted"
    size: float = 7.0
    hollow: bool = False


@dataclass(frozen=True)
class ScatterData:
    """Points with ids; each array has one entry a point. Points without both numbers are not drawn.

    `group` indexes `styles`; later groups lie on top, and those in `always` are drawn one by one
    even where the others are so many that only their density is. `level`, 0…1, where given, takes
    the place of the styles' colours through the colour map. `describe` gives a point's hover line
    from its id.
    """

    ids: np.ndarray
    x: np.ndarray
    y: np.ndarray
    x_title: str
    y_title: str
    group: np.ndarray | None = None
    styles: tuple[PointStyle, ...] = (PointStyle(),)
    level: np.ndarray | None = None
    always: tuple[int, ...] = ()
    describe: Callable[[int], str] | None = None
    x_bounds: tuple[float, float] | None = None
    y_bounds: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None  # beyond which the axis has no numbers


@dataclass
class Points:
    """The drawn points of a `ScatterData`, in drawing order, with the way from id to place."""

    ids: np.ndarray
    x: np.ndarray
    y: np.ndarray
    group: np.ndarray
    level: np.ndarray | None
    left_out: int
    place_of: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(data: ScatterData) -> Points:
        """Keep what can be drawn, later groups last."""
        there = np.isfinite(data.x) & np.isfinite(data.y)
        group = np.zeros(len(data.x), dtype=int) if data.group is None else data.group
        kept = np.flatnonzero(there)
        kept = kept[np.argsort(group[kept], kind="stable")]
        ids = np.asarray(data.ids)[kept]
        return Points(
            ids=ids,
            x=np.asarray(data.x, float)[kept],
            y=np.asarray(data.y, float)[kept],
            group=np.asarray(group)[kept],
            level=None if data.level is None else np.asarray(data.level, float)[kept],
            left_out=int((~there).sum()),
            place_of={int(identity): place for place, identity in enumerate(ids.tolist())},
        )

    def __len__(self) -> int:
        return len(self.ids)


def nearest(x: np.ndarray, y: np.ndarray, at: tuple[float, float], reach: float) -> int | None:
    """Index of the point nearest to a place, both in pixels, within `reach`; later points win."""
    if not len(x):
        return None
    distance = (x - at[0]) ** 2 + (y - at[1]) ** 2
    best = len(distance) - 1 - int(np.argmin(distance[::-1]))
    return best if distance[best] <= reach**2 else None


def neighbour(x: np.ndarray, y: np.ndarray, start: int, direction: tuple[int, int]) -> int | None:
    """The nearest point in a direction (right, up as ±1), for walking with the arrow keys.

    Points within 45° of the direction count; sideways distance counts double.
    """
    along = (x - x[start]) * direction[0] + (y - y[start]) * direction[1]
    across = np.abs((x - x[start]) * direction[1] + (y - y[start]) * direction[0])
    ahead = (along > 0) & (across <= along)
    if not ahead.any():
        ahead = along > 0
    if not ahead.any():
        return None
    cost = np.where(ahead, along + 2 * across, np.inf)
    return int(np.argmin(cost))


def inside_polygon(x: np.ndarray, y: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which points lie in a closed polygon (even–odd rule).

    :param polygon: (corners, 2) :return: (n,) bool
    """
    inside = np.zeros(len(x), dtype=bool)
    if len(polygon) < 3:
        return inside
    previous = polygon[-1]
    for corner in polygon:
        (x0, y0), (x1, y1) = previous, corner
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = (x1 - x0) * (y - y0) / (y1 - y0) + x0
        inside ^= crosses & (x < at)
        previous = corner
    return inside
