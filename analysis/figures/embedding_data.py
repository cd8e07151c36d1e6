"""What the figures of the Learned Concepts Embedding (LCE) show, as plain arrays.

As in `data`: read-only arrays, missing numbers NaN, ids those of the project file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class EmbeddingPoints:
    """Models in the LCE (paper, Fig. 1).

    `points`: (models, components); `covariance`: (models, components, components) of each point
    when its units are drawn anew; `fitted`: False for a model that was only projected.
    """

    run: int
    preset: str  # paper or default
    models: tuple[str, ...]
    points: np.ndarray
    covariance: np.ndarray
    group: tuple[str, ...]  # A, B, …; empty for a model without one
    fitted: np.ndarray
    explained_variance: np.ndarray  # (components,) shares of the whole, 0…1
    null_95: np.ndarray  # (components,) what parallel analysis gives by chance


def shown_components(wanted: tuple[int, int], available: int) -> tuple[int, int]:
    """Two different components for two axes, counted from 1: those wanted where there are so many,
    else the first that the other axis does not show.

    Of a single component the answer is 1 and 2: the second axis has nothing to show.
    """
    known = range(1, max(available, 2) + 1)
    across, up = (one if one in known else 0 for one in wanted)
    if across == up:
        up = 0
    across = across or next(one for one in known if one != up)
    return across, up or next(one for one in known if one != across)


def with_two_components(data: EmbeddingPoints) -> EmbeddingPoints:
    """The same points; those of a single component at 0 along a second one."""
    if data.points.shape[1] != 1:
        return data
    models = len(data.models)
    covariance = np.zeros((models, 2, 2))
    covariance[:, 0, 0] = data.covariance[:, 0, 0]
    return replace(
        data,
        points=np.hstack([data.points, np.zeros((models, 1))]),
        covariance=covariance,
        explained_variance=np.append(data.explained_variance, np.nan),
        null_95=np.append(data.null_95, np.nan),
    )


@dataclass(frozen=True)
class EmbeddingLoadings:
    """How much each concept counts in each component (paper, appendix C)."""

    run: int
    concepts: tuple[str, ...]
    categories: tuple[str, ...]  # of each concept
    loadings: np.ndarray  # (components, concepts)


@dataclass(frozen=True)
class GroupChoice:
    """Elbow and silhouette of k-means for each number of groups (paper, appendix D)."""

    run: int
    k: np.ndarray
    inertia: np.ndarray
    silhouette: np.ndarray
    chosen: int


@dataclass(frozen=True)
class CorrelationMatrix:
    """Correlations with the components (paper, Figs. 5 and 7).

    Rows are tasks, or categories counted in all or unique concepts; all arrays are
    (rows, components).
    """

    run: int
    kind: str  # profile or performance
    rows: tuple[str, ...]
    r: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray  # Benjamini-Hochberg over the whole matrix
    n: np.ndarray


@dataclass(frozen=True)
class PerformanceTable:
    """Performance of models in tasks: (models, tasks) each."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    value: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class PerformanceSurface:
    """Performance over two components of the embedding, by k-NN regression (appendix E)."""

    run: int
    task: str
    component_x: int  # 1-based
    component_y: int
    x: np.ndarray  # (columns,)
    y: np.ndarray  # (rows,)
    value: np.ndarray  # (rows, columns)
    models: tuple[str, ...]
    performance: np.ndarray  # (models,)
    neighbours: int


@dataclass(frozen=True)
class ConceptCounts:
    """How many units of each model know one concept, against a component (paper, Fig. 6)."""

    run: int
    concept: str
    category: str
    component: int  # 1-based
    models: tuple[str, ...]
    units: np.ndarray
    position: np.ndarray  # (models,)
    r: float


@dataclass(frozen=True)
class EnsembleGains:
    """Gain of every pair's weighted soft vote over its better member (paper, Fig. 8).

    `gain`, `ci_low`, `ci_high`: (models, models), NaN on the diagonal; `performance`: (models,).
    """

    run: int
    task: str
    models: tuple[str, ...]
    performance: np.ndarray
    gain: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray


@dataclass(frozen=True)
class Stability:
    """How far groups and points move when units, models or the threshold change; one entry each."""

    run: int
    kind: np.ndarray  # unit bootstrap, leave one out, iou threshold
    setting: np.ndarray  # str: what was changed
    agreement: np.ndarray  # adjusted Rand index of the groups; a share for the unit bootstrap
    displacement: np.ndarray  # mean distance of the points, in units of the embedding
