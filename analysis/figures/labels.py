"""Where the names of points go so that they cover neither one another nor the points."""

from __future__ import annotations

import numpy as np

_DIRECTIONS = 16
_DISTANCES = (1.5, 5.0, 11.0, 19.0, 30.0, 44.0)
_STARTS = 40
_ROUNDS = 20
_OVERLAP, _OUTSIDE, _LINE = 40.0, 80.0, 14.0
_FAR = 6.0


def place_labels(
    anchors: np.ndarray,
    sizes: np.ndarray,
    bounds: tuple[float, float, float, float],
    radius: float = 3.0,
) -> np.ndarray:
    """Centres of labels beside their points: (n, 2), in the units of `anchors`.

    Each label takes the cheapest of rings of places around its point, in turn and again until none
    moves: near its point, within the bounds, over no other label, point or leading line. The best
    of several such arrangements is taken; the same points always give the same one. Memory and
    time grow with n²; 40 labels take about a second.

    :param anchors: (n, 2) the points, in typographic points or pixels of the figure.
    :param sizes: (n, 2) width and height of each label.
    :param bounds: left, bottom, right, top of the room for labels.
    :param radius: of the markers of the points.
    """
    count = len(anchors)
    if count == 0:
        return np.zeros((0, 2))
    places = np.stack([_around(anchors[i], sizes[i], radius) for i in range(count)])
    alone = _lone_costs(anchors, places, sizes, bounds, radius)
    together = _joint_costs(anchors, places, sizes, radius)
    generator = np.random.default_rng(0)
    best, lowest = np.zeros(count, dtype=np.int64), np.inf
    for _ in range(_STARTS):
        chosen, cost = _settled(alone, together, generator)
        if cost < lowest - 1e-9:
            best, lowest = chosen, cost
    return places[np.arange(count), best]


def needs_line(
    anchors: np.ndarray, centres: np.ndarray, sizes: np.ndarray, radius: float
) -> np.ndarray:
    """Whether labels are so far from their points that a line must lead to them.

    All arrays end in two coordinates; those before are broadcast.
    """
    gap = np.maximum(np.abs(centres - anchors) - sizes / 2, 0)
    return np.hypot(gap[..., 0], gap[..., 1]) > radius + _FAR


def _settled(
    alone: np.ndarray, together: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The place of each label once none wants another, and what all cost."""
    labels = np.arange(len(alone))
    order = generator.permutation(labels)
    chosen = np.full(len(alone), -1)
    for _ in range(_ROUNDS):
        before = chosen.copy()
        for i in order:
            others = np.flatnonzero(chosen >= 0)
            cost = alone[i] + together[i][:, others, chosen[others]].sum(axis=1)
            chosen[i] = int(np.argmin(cost))
        if (chosen == before).all():
            break
    pairs = together[labels[:, None], chosen[:, None], labels[None], chosen[None]]
    return chosen, float(alone[labels, chosen].sum() + pairs.sum() / 2)


def _around(anchor: np.ndarray, size: np.ndarray, radius: float) -> np.ndarray:
    """Places of a label beside its point at several distances; the first is at the right."""
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    direction = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # A label's nearest edge keeps that clear of its point, sideways or above and below.
    clear = size / 2 + radius + np.array(_DISTANCES)[:, None, None]
    distance = np.min(clear / np.maximum(np.abs(direction), 1e-9), axis=2)
    return (anchor + distance[..., None] * direction).reshape(-1, 2)


def _lone_costs(
    anchors: np.ndarray,
    places: np.ndarray,
    sizes: np.ndarray,
    bounds: tuple[float, float, float, float],
    radius: float,
) -> np.ndarray:
    """(n, places): what a place costs whatever the other labels do."""
    steps = np.repeat(np.arange(len(_DISTANCES)), _DIRECTIONS)
    turn = np.tile(np.arange(_DIRECTIONS), len(_DISTANCES))
    costs = np.tile(np.array(_DISTANCES)[steps] / 3 + 0.02 * turn, (len(anchors), 1))
    half = sizes[:, None] / 2
    left, bottom, right, top = bounds
    beyond = np.maximum(0, [left, bottom] - places + half)
    beyond += np.maximum(0, places + half - [right, top])
    costs += _OUTSIDE * (beyond.sum(axis=2) > 0) + beyond.sum(axis=2)
    marker = np.full(2, 2 * radius)
    covered = _overlap(places[:, :, None], sizes[:, None, None], anchors[None, None], marker)
    lines = needs_line(anchors[:, None], places, sizes[:, None], radius)
    hit = _hits(anchors[:, None, None], places[:, :, None], anchors[None, None], marker)
    own = np.eye(len(anchors), dtype=bool)[:, None]
    near = np.abs(anchors[:, None] - anchors[None]).max(axis=2) < 2 * radius
    covered = np.where(own, 0, covered)
    hit = np.where(near[:, None], False, hit & lines[:, :, None])  # a line may start on a neighbour
    return costs + _OVERLAP * covered.sum(axis=2) + _LINE * hit.sum(axis=2)


def _joint_costs(
    anchors: np.ndarray, places: np.ndarray, sizes: np.ndarray, radius: float
) -> np.ndarray:
    """(n, places, n, places): what two labels' places cost together, once for both."""
    count, amount = places.shape[:2]
    costs = np.zeros((count, amount, count, amount), dtype=np.float32)
    lines = needs_line(anchors[:, None], places, sizes[:, None], radius)
    for i in range(count):
        for j in range(i):
            one, other = places[i][:, None], places[j][None]
            cost = _OVERLAP * _overlap(one, sizes[i], other, sizes[j])
            first, second = lines[i][:, None], lines[j][None]
            cost += _LINE * (first & _hits(anchors[i], one, other, sizes[j]))
            cost += _LINE * (second & _hits(anchors[j], other, one, sizes[i]))
            cost += _LINE * (first & second & _cross(anchors[i], one, anchors[j], other))
            costs[i, :, j], costs[j, :, i] = cost, cost.T
    return costs


def _overlap(
    one: np.ndarray, size: np.ndarray, other: np.ndarray, other_size: np.ndarray
) -> np.ndarray:
    """How much of the smaller of two rectangles is covered, 0…1, and 0.5 more if any is."""
    gap = np.abs(one - other) - (size + other_size) / 2
    share = np.clip(-gap / np.minimum(size, other_size), 0, 1).prod(axis=-1)
    return np.where(share > 0, 0.5 + share, 0.0)


def _hits(start: np.ndarray, end: np.ndarray, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether the line from `start` to `end` meets a rectangle."""
    along = end - start
    along = np.where(np.abs(along) < 1e-9, 1e-9, along)
    one = (centre - size / 2 - start) / along
    other = (centre + size / 2 - start) / along
    enter = np.minimum(one, other).max(axis=-1)
    leave = np.maximum(one, other).min(axis=-1)
    return (leave >= np.maximum(enter, 0)) & (enter <= 1)


def _cross(
    start: np.ndarray, end: np.ndarray, other_start: np.ndarray, other_end: np.ndarray
) -> np.ndarray:
    """Whether two lines cross."""

    def side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        first, second = b - a, c - a
        return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]

    apart = side(start, end, other_start) * side(start, end, other_end) < 0
    return apart & (side(other_start, other_end, start) * side(other_start, other_end, end) < 0)
