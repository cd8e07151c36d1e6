"""Prototypical few-shot classification: how few images of a class are enough?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.evaluation.checks import checked_features, checked_labels
from analysis.evaluation.threads import one_blas_thread

_BLOCK_VALUES = 1 << 22  # features gathered at once


@dataclass(frozen=True)
class PrototypeEpisodes:
    """`accuracies`: (episodes,) shares of right answers.

    (images,) each: how often an image was `asked` for, and how often the answer was `right`.
    `classes`: numbers of the classes that were told apart; `queries`: images asked for of each
    class in an episode. `left_out`: classes with too few images, and how many they have.
    """

    accuracies: np.ndarray
    right: np.ndarray
    asked: np.ndarray
    classes: np.ndarray
    queries: int
    left_out: tuple[tuple[int, str], ...]


def prototypical(
    features: np.ndarray,
    labels: np.ndarray,
    shots: int,
    episodes: int = 200,
    queries: int = 15,
    seed: int = 0,
    ways: int | None = None,
    training: np.ndarray | None = None,
    report: Callable[[float, float, str], None] | None = None,
) -> PrototypeEpisodes:
    """Each query goes to the class whose mean of `shots` images is nearest (Euclidean).

    Snell et al. 2017 (eq. 1–2) on features as they are. An episode draws, of every class, images
    to average and other images to ask for. The draws depend on the labels and the seed alone, so
    that models are asked the same. Where the smallest class has fewer than `shots + queries`
    images, all classes are asked for as many queries as it has left.

    :param features: (images, d).
    :param labels: (images,) class numbers; -1 for images without a class.
    :param ways: classes told apart in an episode, drawn anew each time; all where not given.
    :param training: (images,) bool: prototypes come from these images and queries from the
        others; any image may be either where it is not given.
    :param report: called with (done, total, text).
    :raises AuditError: features that are not finite, or fewer than two classes with enough images.
    """
    values = checked_features(features)
    numbers = checked_labels(labels, len(values))
    if shots < 1 or episodes < 1 or queries < 1 or (ways is not None and ways < 2):
        raise AuditError(
            "Prototypes need at least one shot, one query, one episode, and two classes."
        )
    if training is not None and np.shape(training) != numbers.shape:
        raise AuditError(f"There are {np.size(training)} roles for {len(numbers)} images.")
    pools, left_out = _pools(numbers, training, shots)
    if len(pools) < 2:
        raise AuditError(
            f"Fewer than two classes have the images that {shots} shots need.",
            "Use fewer shots, or an image set with more images of each class.",
        )
    queries = min(queries, *(pool.queries_left(shots) for pool in pools))
    generator = np.random.default_rng(seed)
    support, query = _draw(pools, shots, queries, episodes, generator)
    taken = _drawn_classes(len(pools), episodes, ways, generator)
    with one_blas_thread():
        right = _answers(_isometric(values), support, query, taken, report)
    return _tally(right, query, taken, pools, len(values), queries, left_out)


@dataclass(frozen=True)
class _Pool:
    """Images of one class: those for prototypes and those for queries, perhaps the same."""

    number: int
    support: np.ndarray
    query: np.ndarray | None  # None: what the prototype leaves of `support`

    def queries_left(self, shots: int) -> int:
        return len(self.support) - shots if self.query is None else len(self.query)


def _pools(
    labels: np.ndarray, training: np.ndarray | None, shots: int
) -> tuple[list[_Pool], tuple[tuple[int, str], ...]]:
    pools, left_out = [], []
    for number in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == number)
        role = None if training is None else np.asarray(training, bool)[members]
        pool = (
            _Pool(int(number), members, None)
            if role is None
            else _Pool(int(number), members[role], members[~role])
        )
        if len(pool.support) < shots or pool.queries_left(shots) < 1:
            count = len(pool.support)
            reason = f"{count} {'image' if count == 1 else 'images'}, too few for {shots} shots"
            if len(pool.support) >= shots:
                reason += " and a query"
            left_out.append((int(number), reason))
        else:
            pools.append(pool)
    return pools, tuple(left_out)


def _draw(
    pools: list[_Pool], shots: int, queries: int, episodes: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(episodes, classes, shots) and (episodes, classes, queries) positions of images."""
    support, query = [], []
    for pool in pools:
        order = generator.random((episodes, len(pool.support))).argsort(1)
        support.append(pool.support[order[:, :shots]])
        if pool.query is None:
            query.append(pool.support[order[:, shots : shots + queries]])
        else:
            order = generator.random((episodes, len(pool.query))).argsort(1)
            query.append(pool.query[order[:, :queries]])
    return np.stack(support, 1), np.stack(query, 1)


def _drawn_classes(
    classes: int, episodes: int, ways: int | None, generator: np.random.Generator
) -> np.ndarray:
    """(episodes, ways) positions of the classes of each episode."""
    if ways is None or ways >= classes:
        return np.broadcast_to(np.arange(classes), (episodes, classes))
    return generator.random((episodes, classes)).argsort(1)[:, :ways]


def _isometric(values: np.ndarray) -> np.ndarray:
    """The same distances in no more coordinates than there are images, about their mean."""
    centred = values - values.mean(0, dtype=np.float64)
    if len(values) < 0.75 * values.shape[1]:
        centred = np.linalg.qr(centred.T)[1].T
    return np.ascontiguousarray(centred, np.float32)


def _answers(
    values: np.ndarray,
    support: np.ndarray,
    query: np.ndarray,
    taken: np.ndarray,
    report: Callable[[float, float, str], None] | None,
) -> np.ndarray:
    """(episodes, ways, queries) whether each answer is right."""
    episodes, ways = taken.shape
    shots, queries = support.shape[2], query.shape[2]
    right = np.empty((episodes, ways, queries), bool)
    block = max(1, _BLOCK_VALUES // (ways * (shots + queries) * values.shape[1]))
    for start in range(0, episodes, block):
        if report:
            report(start, episodes, f"prototypes ({shots} shots)")
        rows = np.arange(start, min(start + block, episodes))
        chosen = taken[rows]
        prototypes = values[support[rows[:, None], chosen]].mean(2)
        asked = values[query[rows[:, None], chosen]].reshape(len(rows), ways * queries, -1)
        # ‖q − p‖² without ‖q‖², which is the same for all prototypes.
        distance = np.square(prototypes).sum(2)[:, None]
        distance = distance - 2 * asked @ prototypes.transpose(0, 2, 1)
        answer = distance.argmin(2).reshape(len(rows), ways, queries)
        right[rows] = answer == np.arange(ways)[None, :, None]
    return right


def _tally(
    right: np.ndarray,
    query: np.ndarray,
    taken: np.ndarray,
    pools: list[_Pool],
    images: int,
    queries: int,
    left_out: tuple[tuple[int, str], ...],
) -> PrototypeEpisodes:
    asked_for = np.take_along_axis(query, taken[:, :, None], 1)
    return PrototypeEpisodes(
        accuracies=right.mean((1, 2)),
        right=np.bincount(asked_for[right], minlength=images),
        asked=np.bincount(asked_for.ravel(), minlength=images),
        classes=np.array([pool.number for pool in pools]),
        queries=queries,
        left_out=left_out,
    )
