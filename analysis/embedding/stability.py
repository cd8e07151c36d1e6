"""Would other units, other models or another threshold have given the same embedding?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.embedding.components import project
from analysis.embedding.embed import Embedding, embed
from analysis.embedding.groups import (
    adjusted_rand_index,
    k_means_of_distances,
    squared_distances,
)
from analysis.embedding.matrix import ConceptMatrix, without_model
from analysis.embedding.units import LabelledUnits, matrix_at
from analysis.errors import AuditError

IOU_THRESHOLDS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.10)
_STARTS = 20  # of k-means in each resample, beside the grouping itself
_BLOCK_VALUES = 1 << 21  # resampled matrix entries held at once


@dataclass(frozen=True)
class UnitBootstrap:
    """What moves when the units of every model are drawn anew."""

    covariance: np.ndarray  # (models, k, k) of the positions
    standard_error: np.ndarray  # (models, k)
    kept: float  # share of resamples in which the groups are the same
    agreement: float  # mean adjusted Rand index of the groups
    displacement: float  # mean distance of a model from its place


@dataclass(frozen=True)
class Changes:
    """What moves under each of several changes; arrays are (changes,), NaN where not possible."""

    settings: tuple[str, ...]  # what was changed
    agreement: np.ndarray  # adjusted Rand index of the groups
    displacement: np.ndarray  # mean distance of a model from its place, after alignment
    concepts: np.ndarray  # size of the super-set


def unit_bootstrap(
    embedding: Embedding, totals: np.ndarray, replicates: int = 1000, seed: int = 0
) -> UnitBootstrap:
    """Draw as many units as each model has, with replacement, and place the models anew.

    The units of a model are drawn from all of its units, with or without a concept, so that counts
    are multinomial. Positions are taken on the axes as they are, with their category sizes, so that
    they can be compared. Groups are found anew by the whole recipe: a concept that no drawn unit
    knows leaves the super-set, and its category becomes smaller.

    :param totals: (models,) units of each model.
    :raises AuditError: a model has fewer units than its profile counts, or no replicate.
    """
    matrix, profiles, fitted = embedding.matrix, embedding.profiles, embedding.fitted
    _check_totals(profiles, totals, replicates)
    dropped = len(profiles.concepts) - len(matrix.concepts)
    placed, same, agreements = [], 0, 0.0
    for step, counts in enumerate(_resampled(profiles, totals, replicates, seed)):
        placed.append(project(embedding.components, counts[:, :, dropped:] / matrix.category_sizes))
        values = _values_of_own_super_set(counts, profiles.categories, dropped)
        labels, _ = k_means_of_distances(
            squared_distances(values[:, fitted]),
            embedding.choice.chosen,
            _STARTS,
            seed + step,
            embedding.labels,
        )
        equal = (labels == embedding.labels).all(1)
        same += int(equal.sum())
        agreements += equal.sum() + sum(
            adjusted_rand_index(embedding.labels, other) for other in labels[~equal]
        )
    points = np.concatenate(placed)
    deviation = points - points.mean(0)
    covariance = np.einsum("rmi,rmj->mij", deviation, deviation) / max(replicates - 1, 1)
    moved = np.linalg.norm(points - embedding.components.points, axis=2)
    return UnitBootstrap(
        covariance=covariance,
        standard_error=np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)),
        kept=same / replicates,
        agreement=float(agreements / replicates),
        displacement=float(moved.mean()),
    )


def leave_one_model_out(embedding: Embedding) -> Changes:
    """Make the embedding again without each fitted model in turn.

    The super-set is that of the models that remain. The number of groups stays; the remaining
    models' points are aligned with their old ones before distances are taken.
    """
    settings, agreement, displacement, concepts = [], [], [], []
    for model in np.flatnonzero(embedding.fitted):
        settings.append(embedding.matrix.models[model])
        kept = np.arange(len(embedding.fitted)) != model
        fitted = embedding.fitted[kept]
        change = (np.nan, np.nan, 0)
        if fitted.sum() >= 2 and embedding.profiles.counts[kept].any():
            profiles = without_model(embedding.profiles, int(model))
            change = _compared(embedding, profiles, kept)
        agreement.append(change[0])
        displacement.append(change[1])
        concepts.append(change[2])
    return Changes(tuple(settings), np.array(agreement), np.array(displacement), np.array(concepts))


def threshold_sweep(
    embedding: Embedding, units: LabelledUnits, thresholds: Sequence[float] = IOU_THRESHOLDS
) -> Changes:
    """Make the embedding again with other IoU thresholds, each with its own super-set.

    :param units: all units of the same models, in the same order.
    :raises AuditError: the units belong to other models.
    """
    if units.models != embedding.matrix.models:
        raise AuditError("The units and the embedding do not have the same models.")
    agreement, displacement, concepts = [], [], []
    for threshold in thresholds:
        change = (np.nan, np.nan, 0)
        try:
            profiles = matrix_at(units, threshold)
        except AuditError:  # no unit of any model reaches this threshold
            profiles = None
        if profiles is not None:
            change = _compared(embedding, profiles, np.ones(len(embedding.fitted), dtype=bool))
        agreement.append(change[0])
        displacement.append(change[1])
        concepts.append(change[2])
    settings = tuple(f"{threshold:g}" for threshold in thresholds)
    return Changes(settings, np.array(agreement), np.array(displacement), np.array(concepts))


def aligned_distance(points: np.ndarray, reference: np.ndarray) -> float:
    """Mean distance of points (n, a) to `reference` (n, b) after the best rotation or reflection.

    Orthogonal Procrustes with translation, without scaling (Schönemann 1966). Missing components
    count as zeros.
    """
    width = max(points.shape[1], reference.shape[1])
    moved, fixed = (
        np.pad(part - part.mean(0), ((0, 0), (0, width - part.shape[1])))
        for part in (points, reference)
    )
    left, _, right = np.linalg.svd(moved.T @ fixed)
    return float(np.linalg.norm(moved @ left @ right - fixed, axis=1).mean())


def _compared(
    embedding: Embedding, profiles: ConceptMatrix, kept: np.ndarray
) -> tuple[float, float, int]:
    """Agreement, displacement and super-set of an embedding of the models that were kept."""
    fitted = embedding.fitted[kept]
    again = embed(profiles, embedding.preset, fitted, embedding.choice.chosen)
    labels = embedding.labels[kept[embedding.fitted]]
    before = embedding.components.points[kept][fitted]
    return (
        adjusted_rand_index(labels, again.labels),
        aligned_distance(again.components.points[fitted], before),
        len(profiles.concepts),
    )


def _resampled(
    matrix: ConceptMatrix, totals: np.ndarray, replicates: int, seed: int
) -> Iterator[np.ndarray]:
    """Blocks of resampled counts, (block, models, concepts)."""
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK_VALUES // matrix.counts.size)
    for start in range(0, replicates, block):
        copies = min(block, replicates - start)
        counts = np.zeros((copies, *matrix.counts.shape))
        for row, own in enumerate(matrix.counts):
            known = np.flatnonzero(own)
            total = int(totals[row])
            chances = np.append(own[known], total - own.sum()) / max(total, 1)
            if total:
                counts[:, row, known] = generator.multinomial(total, chances, copies)[:, :-1]
        yield counts


def _values_of_own_super_set(
    counts: np.ndarray, categories: tuple[str, ...], dropped: int
) -> np.ndarray:
    """Resampled counts (block, models, concepts) divided by the sizes of their own categories.

    The first `dropped` concepts of each own super-set are zeros, as are those it lacks.
    """
    known = counts.any(1)
    same = (np.array(categories)[:, None] == np.array(categories)).astype(np.float64)
    sizes = np.maximum(known @ same, 1)
    kept = known & (known.cumsum(1) > dropped)
    return counts * (kept / sizes)[:, None, :]


def _check_totals(profiles: ConceptMatrix, totals: np.ndarray, replicates: int) -> None:
    if replicates < 1:
        raise AuditError("A bootstrap needs at least one replicate.")
    if len(totals) != len(profiles.models):
        raise AuditError("Give the number of units of every model of the embedding.")
    for model, counted, total in zip(profiles.models, profiles.counts.sum(1), totals, strict=True):
        if counted > total:
            raise AuditError(
                f"“{model}” has {total} units, but its profile counts {counted}.",
                "The profile and the units must come from the same dissection.",
            )
