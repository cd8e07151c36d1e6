"""Weighted k-nearest neighbours: classes told apart by features as they are, without training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.evaluation.checks import checked_features, checked_labels, require_classes
from analysis.evaluation.splits import Split
from analysis.evaluation.task_names import knn_task

_BLOCK_VALUES = 1 << 24  # similarities held at once


@dataclass(frozen=True)
class NeighbourPredictions:
    """`probabilities`: (len(ks), images, classes); NaN for images that are not tested."""

    ks: tuple[int, ...]
    probabilities: np.ndarray
    left_out: tuple[tuple[str, str], ...]  # task, reason


def weighted_knn(
    train_features: np.ndarray,
    train_labels: np.ndarray,
    test_features: np.ndarray,
    ks: Sequence[int],
    temperature: float = 0.07,
    classes: int | None = None,
) -> np.ndarray:
    """Share of the votes of the k most similar training images that each class gets.

    A neighbour of cosine similarity s votes with weight exp(s/T): Wu et al. 2018 (3.4), as used
    for DINO (Caron et al. 2021). A vector of zeros has similarity 0 with everything.

    :param train_features: (n, d).
    :param train_labels: (n,) class numbers.
    :param test_features: (m, d).
    :param ks: numbers of neighbours, each at most n.
    :param temperature: T, above 0.
    :param classes: number of classes; the largest label plus one where it is not given.
    :returns: (len(ks), m, classes) float64; each row sums to 1.
    :raises AuditError: features that are not finite, labels that do not fit, a single class,
        or more neighbours than training images.
    """
    train, test = checked_features(train_features), checked_features(test_features)
    labels = checked_labels(train_labels, len(train))
    require_classes(labels, "The training images")
    if train.shape[1] != test.shape[1]:
        raise AuditError(
            f"Training images have {train.shape[1]} features and test images {test.shape[1]}.",
            "Take both from the same layer of the same model.",
        )
    if not ks or min(ks) < 1 or max(ks) > len(train):
        raise AuditError(
            f"k must be between 1 and the {len(train)} training images.", "Choose a smaller k."
        )
    if not temperature > 0:
        raise AuditError("The temperature of the k-NN weights must be above 0.")
    count = int(labels.max()) + 1 if classes is None else classes
    if labels.min() < 0 or labels.max() >= count:
        raise AuditError(f"Labels must lie between 0 and {count - 1}.")
    train, test = _unit_rows(train), _unit_rows(test)
    found = np.empty((len(ks), len(test), count))
    block = max(1, _BLOCK_VALUES // max(len(train), count))
    for start in range(0, len(test), block):
        rows = slice(start, start + block)
        found[:, rows] = _votes(test[rows] @ train.T, labels, ks, temperature, count)
    return found


def cross_validated_knn(
    features: np.ndarray,
    split: Split,
    ks: Sequence[int] = (10, 20, 100, 200),
    temperature: float = 0.07,
    report: Callable[[float, float, str], None] | None = None,
) -> NeighbourPredictions:
    """`weighted_knn` for every fold of a split.

    A k above the number of training images of a fold is left out, since it would be another k.

    :param features: (images, d).
    :raises AuditError: as `weighted_knn`.
    """
    values = checked_features(features)
    labels = checked_labels(split.labels, len(values))
    smallest = min(len(fold.train) for fold in split.folds)
    used = tuple(k for k in ks if k <= smallest)
    left_out = tuple(
        (knn_task(k), f"there are only {smallest} images to train with") for k in ks if k > smallest
    )
    found = np.full((len(used), len(values), len(split.classes)), np.nan)
    for position, fold in enumerate(split.folds):
        if report:
            report(position, len(split.folds), "k-nearest neighbours")
        if used:
            found[:, fold.test] = weighted_knn(
                values[fold.train],
                labels[fold.train],
                values[fold.test],
                used,
                temperature,
                len(split.classes),
            )
    return NeighbourPredictions(used, found, left_out)


def _unit_rows(values: np.ndarray) -> np.ndarray:
    wide = values.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(length > 0, length, 1)).astype(np.float32)


def _votes(
    similarity: np.ndarray, labels: np.ndarray, ks: Sequence[int], temperature: float, classes: int
) -> np.ndarray:
    """(len(ks), rows, classes) shares of the votes from (rows, n) similarities."""
    largest = max(ks)
    nearest = np.argpartition(-similarity, largest - 1, axis=1)[:, :largest]
    near = np.take_along_axis(similarity, nearest, 1)
    order = np.argsort(-near, axis=1, kind="stable")
    near = np.take_along_axis(near, order, 1).astype(np.float64)
    label = labels[np.take_along_axis(nearest, order, 1)]
    # Only ratios of weights count, so the largest may be 1: no overflow at a low temperature.
    weight = np.exp((near - near[:, :1]) / temperature)
    cell = np.arange(len(label))[:, None] * classes + label
    found = np.empty((len(ks), len(label), classes))
    for position, k in enumerate(ks):
        votes = np.bincount(
            cell[:, :k].ravel(), weight[:, :k].ravel(), minlength=len(label) * classes
        )
        found[position] = votes.reshape(len(label), classes)
    return found / found.sum(2, keepdims=True)
