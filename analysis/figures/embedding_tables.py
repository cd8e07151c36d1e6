"""The numbers behind the figures of the embedding and of performance as tables."""

from __future__ import annotations

from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    EnsembleGains,
    GroupChoice,
    PerformanceSurface,
    Stability,
)
from analysis.figures.tables import Table, plain_rows


def points_table(data: EmbeddingPoints) -> Table:
    """One row a model: place, standard errors and covariances, group."""
    axes = range(data.points.shape[1])
    pairs = [(i, j) for i in axes for j in axes if i < j]
    columns = (
        *("model", "group", "fitted"),
        *(f"pc{i + 1}" for i in axes),
        *(f"se{i + 1}" for i in axes),
        *(f"covariance{i + 1}{j + 1}" for i, j in pairs),
    )
    rows = [
        (
            *(model, data.group[m], data.fitted[m]),
            *data.points[m],
            *(data.covariance[m, i, i] ** 0.5 for i in axes),
            *(data.covariance[m, i, j] for i, j in pairs),
        )
        for m, model in enumerate(data.models)
    ]
    return columns, plain_rows(rows)


def variance_table(data: EmbeddingPoints) -> Table:
    """One row a component."""
    rows = enumerate(zip(data.explained_variance, data.null_95, strict=True), start=1)
    return (
        ("component", "explained_variance", "null_95"),
        plain_rows((component, *values) for component, values in rows),
    )


def loadings_table(data: EmbeddingLoadings) -> Table:
    """One row a component and concept."""
    rows = [
        (component, concept, category, data.loadings[component - 1, c])
        for component in range(1, len(data.loadings) + 1)
        for c, (concept, category) in enumerate(zip(data.concepts, data.categories, strict=True))
    ]
    return ("component", "concept", "category", "loading"), plain_rows(rows)


def groups_table(data: GroupChoice) -> Table:
    """One row a number of groups."""
    rows = zip(data.k, data.inertia, data.silhouette, data.k == data.chosen, strict=True)
    return ("k", "inertia", "silhouette", "chosen"), plain_rows(rows)


def correlations_table(data: CorrelationMatrix) -> Table:
    """One row a task or category and component."""
    rows = [
        (
            *(name, component + 1, data.r[row, component], data.p[row, component]),
            *(data.p_adjusted[row, component], data.n[row, component]),
        )
        for row, name in enumerate(data.rows)
        for component in range(data.r.shape[1])
    ]
    first = "task" if data.kind == "performance" else "category"
    return (first, "component", "r", "p", "p_adjusted", "n"), plain_rows(rows)


def counts_table(data: ConceptCounts) -> Table:
    """One row a model."""
    rows = [
        (model, data.concept, data.category, data.units[m], data.component, data.position[m])
        for m, model in enumerate(data.models)
    ]
    columns = ("model", "concept", "category", "units", "component", "position")
    return columns, plain_rows(rows)


def surface_table(data: PerformanceSurface) -> Table:
    """One row a cell of the map."""
    rows = [
        (data.task, x, y, data.value[row, column])
        for row, y in enumerate(data.y)
        for column, x in enumerate(data.x)
    ]
    columns = ("task", f"pc{data.component_x}", f"pc{data.component_y}", "performance")
    return columns, plain_rows(rows)


def ensembles_table(data: EnsembleGains) -> Table:
    """One row a pair of models."""
    rows = [
        (
            *(data.task, data.models[i], data.models[j]),
            *(data.performance[i], data.performance[j]),
            *(data.gain[i, j], data.ci_low[i, j], data.ci_high[i, j]),
        )
        for i in range(len(data.models))
        for j in range(i + 1, len(data.models))
    ]
    columns = (
        *("task", "model_a", "model_b", "performance_a", "performance_b"),
        *("gain", "ci_low", "ci_high"),
    )
    return columns, plain_rows(rows)


def stability_table(data: Stability) -> Table:
    """One row a change."""
    rows = zip(data.kind, data.setting, data.agreement, data.displacement, strict=True)
    return ("kind", "setting", "agreement", "displacement"), plain_rows(rows)
