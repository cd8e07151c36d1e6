"""The figures of the Learned Concepts Embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.definition import FigureDefinition, NoParameters, no_results
from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    GroupChoice,
    PerformanceSurface,
    Stability,
)
from analysis.figures.embedding_readers import (
    concept_counts,
    correlation_matrix,
    embedding_loadings,
    embedding_points,
    group_choice,
    performance_surface,
    performance_table,
    stability,
)
from analysis.figures.embedding_tables import (
    correlations_table,
    counts_table,
    groups_table,
    loadings_table,
    points_table,
    stability_table,
    surface_table,
    variance_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project


@dataclass(frozen=True, kw_only=True)
class EmbeddingFigureParameters:
    """What the scatter plot of models shows."""

    component_x: int = parameter(1, "Component along the horizontal axis", minimum=1, maximum=3)
    component_y: int = parameter(2, "Component along the vertical axis", minimum=1, maximum=3)
    ellipses: bool = parameter(True, "Where 95 % of draws of a model's units put it")
    task: str = parameter("", "Show performance in this task behind the models; empty means none")


@dataclass(frozen=True, kw_only=True)
class LoadingsFigureParameters:
    """How many concepts are shown."""

    concepts: int = parameter(12, "Concepts shown of each component", minimum=1, maximum=60)


@dataclass(frozen=True, kw_only=True)
class CorrelationFigureParameters:
    """Which correlations count."""

    level: float = parameter(
        0.05, "Adjusted p below which a correlation survives", minimum=0, maximum=1
    )


@dataclass(frozen=True, kw_only=True)
class ConceptCountsFigureParameters:
    """Which concept is shown, against which component."""

    concept: str = parameter(
        "", "The concept; empty means the one that counts most in the component"
    )
    category: str = parameter(
        "", "Its category; empty means the one of that concept that counts most"
    )
    component: int = parameter(1, "Component of the embedding", minimum=1, maximum=3)


@dataclass(frozen=True, kw_only=True)
class PerformanceMapFigureParameters:
    """Which performance is shown, over which components."""

    task: str = parameter("", "The task; empty means the first one of these models")
    component_x: int = parameter(1, "Component along the horizontal axis", minimum=1, maximum=3)
    component_y: int = parameter(2, "Component along the vertical axis", minimum=1, maximum=3)


@dataclass(frozen=True)
class EmbeddingMap:
    """Models of an embedding, and performance over two of its components."""

    points: EmbeddingPoints
    surface: PerformanceSurface | None


def _points(project: Project, run: int) -> EmbeddingPoints:
    data = embedding_points(project, run)
    if not data.models:
        raise no_results(run, "embedding")
    return data


def _read_embedding(project: Project, run: int, chosen: EmbeddingFigureParameters) -> EmbeddingMap:
    data = _points(project, run)
    # The second of a single one is an empty axis: what is asked for unless anything else is.
    _check_components(data, *(c for c in (chosen.component_x, chosen.component_y) if c > 2))
    if not chosen.task:
        return EmbeddingMap(data, None)
    surface = performance_surface(project, run, chosen.task, chosen.component_x, chosen.component_y)
    return EmbeddingMap(data, surface)


def _check_components(data: EmbeddingPoints, *components: int) -> None:
    available = data.points.shape[1]
    if max(components, default=0) > available:
        raise AuditError(
            f"Run {data.run} has no component {max(components)}.",
            f"It has {available}: two models span one component, three models two.",
        )


def _read_map(project: Project, run: int, chosen: PerformanceMapFigureParameters) -> EmbeddingMap:
    data = _points(project, run)
    task = chosen.task or _first_task(project, data)
    surface = performance_surface(project, run, task, chosen.component_x, chosen.component_y)
    return EmbeddingMap(data, surface)


def _first_task(project: Project, data: EmbeddingPoints) -> str:
    table = performance_table(project)
    rows = [index for index, model in enumerate(table.models) if model in data.models]
    valued = np.isfinite(table.value[rows]).any(axis=0)
    if not valued.any():
        raise AuditError(
            f"There is no performance of the models of run {data.run} yet.",
            "Run `parallax run FILE evaluation`, or import a table of performance.",
        )
    return table.tasks[int(np.argmax(valued))]


def _read_loadings(
    project: Project, run: int, chosen: LoadingsFigureParameters
) -> EmbeddingLoadings:
    data = embedding_loadings(project, run)
    if len(data.loadings) == 0:
        raise no_results(run, "embedding")
    return data


def _read_groups(project: Project, run: int, chosen: NoParameters) -> GroupChoice:
    data = group_choice(project, run)
    if len(data.k) == 0:
        raise no_results(run, "embedding")
    return data


def _read_variance(project: Project, run: int, chosen: NoParameters) -> EmbeddingPoints:
    data = _points(project, run)
    if not np.isfinite(data.explained_variance).any():
        raise no_results(run, "embedding")
    return data


def _read_profile_correlation(
    project: Project, run: int, chosen: CorrelationFigureParameters
) -> CorrelationMatrix:
    data = correlation_matrix(project, run, "profile")
    if not data.rows:
        raise no_results(run, "embedding")
    return data


def _read_performance_correlation(
    project: Project, run: int, chosen: CorrelationFigureParameters
) -> CorrelationMatrix:
    data = correlation_matrix(project, run, "performance")
    if data.rows:
        return data
    if embedding_points(project, run).models:
        raise AuditError(
            f"Run {run} has no results of correlations with performance.",
            "Evaluate the models or import their performance, then make the embedding again:"
            " `parallax run FILE embedding`.",
        )
    raise no_results(run, "embedding")


def _read_counts(
    project: Project, run: int, chosen: ConceptCountsFigureParameters
) -> ConceptCounts:
    loadings = embedding_loadings(project, run)
    if len(loadings.loadings) == 0:
        raise no_results(run, "embedding")
    if chosen.component > len(loadings.loadings):
        _check_components(_points(project, run), chosen.component)
    concept, category = _strongest(loadings, chosen)
    return concept_counts(project, run, concept, category, chosen.component)


def _strongest(data: EmbeddingLoadings, chosen: ConceptCountsFigureParameters) -> tuple[str, str]:
    """The concept with the strongest loading among those that fit a choice."""
    keys = list(zip(data.concepts, data.categories, strict=True))
    fitting = [
        index
        for index, (concept, category) in enumerate(keys)
        if chosen.concept in ("", concept) and chosen.category in ("", category)
    ]
    if not fitting:
        wanted = " ".join(part for part in (chosen.concept, chosen.category) if part)
        raise AuditError(
            f"Run {data.run} has no concept “{wanted}”.",
            "The table `loading` lists the concepts of the embedding.",
        )
    strength = np.nan_to_num(np.abs(data.loadings[chosen.component - 1][fitting]))
    return keys[fitting[int(np.argmax(strength))]]


def _read_stability(project: Project, run: int, chosen: NoParameters) -> Stability:
    data = stability(project, run)
    if len(data.kind) == 0:
        raise no_results(run, "embedding")
    return data


def _render_embedding(
    project: Project, data: EmbeddingMap, chosen: EmbeddingFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_embedding import render_embedding

    return render_embedding(
        data.points,
        width_mm,
        chosen.component_x,
        chosen.component_y,
        chosen.ellipses,
        data.surface,
    )


def _render_map(
    project: Project, data: EmbeddingMap, chosen: PerformanceMapFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_embedding import render_performance_map

    assert data.surface is not None
    return render_performance_map(data.points, data.surface, width_mm)


def _render_loadings(
    project: Project, data: EmbeddingLoadings, chosen: LoadingsFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_components import render_loadings

    return render_loadings(data, width_mm, chosen.concepts)


def _render_groups(
    project: Project, data: GroupChoice, chosen: NoParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_components import render_groups

    return render_groups(data, width_mm)


def _render_variance(
    project: Project, data: EmbeddingPoints, chosen: NoParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_components import render_explained_variance

    return render_explained_variance(data, width_mm)


def _render_correlations(
    project: Project, data: CorrelationMatrix, chosen: CorrelationFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_correlations import render_correlations

    return render_correlations(data, width_mm, chosen.level)


def _render_counts(
    project: Project, data: ConceptCounts, chosen: ConceptCountsFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_correlations import render_concept_counts

    return render_concept_counts(data, width_mm)


def _render_stability(
    project: Project, data: Stability, chosen: NoParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_stability import render_stability

    return render_stability(data, width_mm)


def _embedding_table(data: EmbeddingMap) -> Any:
    return points_table(data.points)


def _map_table(data: EmbeddingMap) -> Any:
    assert data.surface is not None
    return surface_table(data.surface)


EMBEDDING_FIGURES = (
    FigureDefinition(
        "embedding",
        "Learned Concepts Embedding",
        "Where models lie relative to one another, by the concepts they have learned",
        "embedding",
        EmbeddingFigureParameters,
        _read_embedding,
        _render_embedding,
        _embedding_table,
    ),
    FigureDefinition(
        "explained-variance",
        "Explained variance of the embedding",
        "How much of the models' differences each component holds, and what chance would hold",
        "embedding",
        NoParameters,
        _read_variance,
        _render_variance,
        variance_table,
        table="component",
    ),
    FigureDefinition(
        "loadings",
        "Loadings of the embedding",
        "The concepts that count most in each component",
        "embedding",
        LoadingsFigureParameters,
        _read_loadings,
        _render_loadings,
        loadings_table,
        table="loading",
    ),
    FigureDefinition(
        "groups",
        "Number of groups",
        "Elbow and silhouette of k-means for each number of groups of models",
        "embedding",
        NoParameters,
        _read_groups,
        _render_groups,
        groups_table,
        table="group_choice",
    ),
    FigureDefinition(
        "profile-correlation",
        "Components and profiles",
        "Correlation of each component with the units and concepts of each category",
        "embedding",
        CorrelationFigureParameters,
        _read_profile_correlation,
        _render_correlations,
        correlations_table,
        table="profile_correlation",
    ),
    FigureDefinition(
        "performance-correlation",
        "Components and performance",
        "Correlation of each component with performance in each task",
        "embedding",
        CorrelationFigureParameters,
        _read_performance_correlation,
        _render_correlations,
        correlations_table,
        table="performance_correlation",
    ),
    FigureDefinition(
        "concept-counts",
        "One concept along the embedding",
        "How many units of each model know a concept, against a component",
        "embedding",
        ConceptCountsFigureParameters,
        _read_counts,
        _render_counts,
        counts_table,
        table="loading",
    ),
    FigureDefinition(
        "performance-map",
        "Performance over the embedding",
        "Performance in a task as a surface over two components",
        "embedding",
        PerformanceMapFigureParameters,
        _read_map,
        _render_map,
        _map_table,
    ),
    FigureDefinition(
        "stability",
        "Stability of the embedding",
        "How far groups and models move when units, models or thresholds change",
        "embedding",
        NoParameters,
        _read_stability,
        _render_stability,
        stability_table,
        table="stability",
    ),
)
