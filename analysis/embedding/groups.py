"""Groups of models: k-means, how many groups, and whether two groupings agree (appendix D).

k-means here works on the distances between models alone: there are few models and many concepts,
and a bootstrap needs thousands of groupings at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError

LARGEST_CHOICE = 8  # numbers of groups tried
FEWEST_MODELS = 4  # with fewer, no number of groups can be preferred to another
_STARTS = 100
_ITERATIONS = 100
_ROUNDING = 1e-12  # squared distances below this share of the largest square are rounding


@dataclass(frozen=True)
class GroupChoice:
    """k-means for each number of groups."""

    k: np.ndarray  # (choices,) 1, 2, …
    inertia: np.ndarray  # (choices,) sum of squared distances to the groups' centres
    silhouette: np.ndarray  # (choices,) NaN for one group
    labels: np.ndarray  # (choices, models) group of each model, from 0
    chosen: int  # one of k

    @property
    def chosen_labels(self) -> np.ndarray:
        """(models,) the grouping into as many groups as were chosen."""
        return self.labels[int(np.flatnonzero(self.k == self.chosen)[0])]


def squared_distances(values: np.ndarray) -> np.ndarray:
    """Squared distances between rows, (…, n, d) to (…, n, n); exactly 0 between equal rows."""
    shifted = np.asarray(values, dtype=np.float64)
    shifted = shifted - shifted[..., :1, :]
    products = shifted @ np.swapaxes(shifted, -1, -2)
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    distances = squares[..., :, None] + squares[..., None, :] - 2 * products
    smallest = _ROUNDING * squares.max(-1, initial=0.0)[..., None, None]
    distances[np.broadcast_to(distances <= smallest, distances.shape)] = 0.0
    return distances


def k_means_of_distances(
    distances: np.ndarray,
    k: int,
    starts: int = _STARTS,
    seed: int = 0,
    known: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """k-means of many small sets of points at once, from squared distances.

    The distance of a point to a centre follows from those to the members of the group, so that
    coordinates are never needed.

    :param distances: (sets, n, n) squared distances.
    :param starts: k-means++ starts for each set (Arthur and Vassilvitskii 2007).
    :param known: (n,) a grouping to start from as well, labels below k.
    :returns: labels (sets, n), numbered in the order of the points, and inertia (sets,).
    :raises AuditError: no group, or more groups than points.
    """
    sets, n, _ = distances.shape
    if not 1 <= k <= n:
        raise AuditError(f"{n} models cannot be put into {k} groups.", f"Choose 1 to {n} groups.")
    centres = _spread_starts(distances, k, starts, np.random.default_rng(seed))
    to_centres = distances[np.arange(sets)[:, None, None], centres]  # (sets, starts, k, n)
    labels = to_centres.argmin(2)
    if known is not None:
        labels = np.concatenate([labels, np.broadcast_to(known, (sets, 1, n))], axis=1)
    for _ in range(_ITERATIONS):
        nearest, _ = _reassign(distances, labels, k)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
    _, inertia = _reassign(distances, labels, k)
    best = inertia.argmin(1)
    chosen = labels[np.arange(sets), best]
    return _renumbered(chosen), inertia[np.arange(sets), best]


def silhouette(values: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette (Rousseeuw 1987); a model alone in its group counts 0.

    :param values: (n, d). :param labels: (n,) groups.
    :returns: −1…1; NaN for a single group, or where every model is a group.
    """
    return _silhouette_of(np.sqrt(squared_distances(values)), labels)


def choose_groups(
    values: np.ndarray, wanted: int | None = None, largest: int = LARGEST_CHOICE, seed: int = 0
) -> GroupChoice:
    """Try 1, 2, … groups and choose the number with the highest mean silhouette.

    One group is chosen where there are fewer than four models (a pair and a single model always
    look like groups) or no silhouette is above 0. No more groups are tried than there are
    different models, less one.

    :param values: (models, d) rows of the fitted models.
    :param wanted: a number of groups chosen beforehand; the nearest that was tried is taken.
    """
    distances = squared_distances(values)
    models = len(distances)
    different = int((~np.tril(distances == 0, -1).any(1)).sum())
    choices = np.arange(1, max(1, min(largest, models - 1, different)) + 1)
    found = [k_means_of_distances(distances[None], int(k), seed=seed) for k in choices]
    labels = np.stack([grouping[0] for grouping, _ in found])
    scores = np.array([_silhouette_of(np.sqrt(distances), grouping) for grouping in labels])
    chosen = 1
    if wanted is not None:
        chosen = int(np.clip(wanted, 1, choices[-1]))
    elif models >= FEWEST_MODELS and np.nanmax(scores, initial=0.0) > 0:
        chosen = int(choices[np.nanargmax(scores)])
    inertia = np.array([float(value[0]) for _, value in found])
    return GroupChoice(choices, inertia, scores, labels, chosen)


def letter_groups(
    labels: np.ndarray, models: Sequence[str], heights: np.ndarray | None = None
) -> tuple[str, ...]:
    """A, B, … for each model, in the order of the groups' alphabetically first models.

    :param heights: (models,) order the groups from the lowest mean height to the highest instead.
    """
    names = np.array(models)
    found = [int(label) for label in np.unique(labels)]
    if heights is None:
        found.sort(key=lambda label: min(names[labels == label]))
    else:
        found.sort(key=lambda label: float(heights[labels == label].mean()))
    return tuple(chr(ord("A") + found.index(int(label))) for label in labels)


def adjusted_rand_index(first: np.ndarray, second: np.ndarray) -> float:
    """Agreement of two groupings: 1 if equal, 0 on average by chance (Hubert and Arabie 1985).

    :param first: (n,) labels. :param second: (n,) labels of the same models.
    :returns: at most 1; 1 where both groupings are trivial in the same way.
    """
    _, rows = np.unique(first, return_inverse=True)
    _, columns = np.unique(second, return_inverse=True)
    table = np.zeros((rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    np.add.at(table, (rows, columns), 1)
    together, in_first, in_second = (
        float(_pairs(counts).sum()) for counts in (table, table.sum(1), table.sum(0))
    )
    every = float(_pairs(np.array(float(len(rows)))))
    expected = in_first * in_second / every if every else 0.0
    highest = (in_first + in_second) / 2
    return 1.0 if highest == expected else (together - expected) / (highest - expected)


def _pairs(counts: np.ndarray) -> np.ndarray:
    return counts * (counts - 1) / 2


def _spread_starts(
    distances: np.ndarray, k: int, starts: int, generator: np.random.Generator
) -> np.ndarray:
    """(sets, starts, k) points drawn with chances proportional to the nearest squared distance."""
    sets, n, _ = distances.shape
    centres = np.zeros((sets, starts, k), dtype=np.int64)
    centres[..., 0] = generator.integers(n, size=(sets, starts))
    every = np.arange(sets)[:, None]
    nearest = distances[every, centres[..., 0]]
    for position in range(1, k):
        cumulative = nearest.cumsum(-1)
        drawn = generator.random((sets, starts, 1)) * cumulative[..., -1:]
        centres[..., position] = np.minimum((cumulative <= drawn).sum(-1), n - 1)
        nearest = np.minimum(nearest, distances[every, centres[..., position]])
    return centres


def _reassign(distances: np.ndarray, labels: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each point, (sets, starts, n), and the inertia, (sets, starts)."""
    member = (labels[..., None] == np.arange(k)).astype(np.float64)  # (sets, starts, n, k)
    size = member.sum(2)
    to_members = distances[:, None] @ member
    # Half the mean square distance of two members of a group: its spread around its centre.
    inside = (member * to_members).sum(2)
    with np.errstate(invalid="ignore", divide="ignore"):
        to_centre = to_members / size[:, :, None] - (inside / (2 * size**2))[:, :, None]
        inertia = np.where(size > 0, inside / (2 * size), 0.0).sum(-1)
    to_centre[np.broadcast_to((size == 0)[:, :, None], to_centre.shape)] = np.inf
    return to_centre.argmin(-1), inertia


def _renumbered(labels: np.ndarray) -> np.ndarray:
    """Labels numbered by their first appearance in each row: equal groupings get equal labels."""
    same = labels[:, :, None] == labels[:, None, :]
    first = same.argmax(-1)  # the first point of each point's group
    starts_group = first == np.arange(labels.shape[1])
    return np.take_along_axis(starts_group.cumsum(1) - 1, first, axis=1)


def _silhouette_of(distances: np.ndarray, labels: np.ndarray) -> float:
    groups = np.unique(labels)
    if not 1 < len(groups) < len(labels):
        return float("nan")
    member = (labels[:, None] == groups).astype(np.float64)
    size, sums = member.sum(0), distances @ member
    own = member.astype(bool)
    inside = (sums / np.maximum(size - 1, 1))[own]
    outside = np.where(own, np.inf, sums / size).min(1)
    largest = np.maximum(inside, outside)
    score = np.where(largest > 0, (outside - inside) / np.where(largest > 0, largest, 1), 0.0)
    score[(size == 1)[member.argmax(1)]] = 0.0
    return float(score.mean())
