"""The columns of the table twins of the embedding's figures."""

from __future__ import annotations

import numpy as np

from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    EnsembleGains,
    GroupChoice,
    Stability,
)
from analysis.figures.unit_data import Profiles
from app.views.embedding_words import component_name, concept_shares, survives
from app.widgets.category_marks import category_word
from app.widgets.table_model import Column


def texts(values: object) -> np.ndarray:
    """Text of a column, one entry a row."""
    return np.array(list(values), dtype=object)  # type: ignore[call-overload]


def point_columns(data: EmbeddingPoints) -> tuple[Column, ...]:
    """One row a model."""
    columns = [
        Column("model", "Model", texts(data.models)),
        Column("group", "Group", texts(data.group)),
        Column(
            "fitted", "Fitted", texts("fitted" if f else "projected" for f in data.fitted.tolist())
        ),
    ]
    for place in range(data.points.shape[1]):
        values = data.points[:, place]
        error = 1.96 * np.sqrt(data.covariance[:, place, place])
        error = np.where(error > 0, error, np.nan)
        name = component_name(place + 1)
        columns.append(
            Column(
                name.casefold(),
                name,
                values,
                "decimal",
                values - error,
                values + error,
                hint="With the 95 % interval when the model's units are drawn anew",
            )
        )
    return tuple(columns)


def loading_columns(data: EmbeddingLoadings) -> tuple[Column, ...]:
    """One row a concept."""
    shares = concept_shares(data)
    columns = [
        Column("concept", "Concept", texts(data.concepts)),
        Column("category", "Category", texts(category_word(c) for c in data.categories)),
    ]
    for place in range(len(data.loadings)):
        name = component_name(place + 1)
        columns.append(Column(name.casefold(), name, data.loadings[place], "decimal"))
        columns.append(
            Column(
                f"{name.casefold()}_share",
                f"{name} %",
                100 * shares[place],
                "decimal",
                hint="Part of the component that the concept carries, in per cent",
            )
        )
    return tuple(columns)


def count_columns(data: ConceptCounts) -> tuple[Column, ...]:
    """One row a model."""
    return (
        Column("model", "Model", texts(data.models)),
        Column("units", "Units", data.units.astype(float), "whole"),
        Column("position", component_name(data.component), data.position, "decimal"),
    )


def profile_columns(data: Profiles) -> tuple[Column, ...]:
    """One row a model; counts of every category, all units and different concepts."""
    columns = [
        Column("model", "Model", texts(data.models)),
        Column("layer", "Layer", texts(data.layers)),
    ]
    for place, category in enumerate(data.categories):
        word = category_word(category)
        for key, title, counts in (
            ("units", "units", data.all_units),
            ("concepts", "concepts", data.unique_concepts),
        ):
            values = counts[:, place].astype(float)
            columns.append(
                Column(f"{category}_{key}", f"{word.capitalize()} {title}", values, "whole")
            )
    return (
        *columns,
        Column("units_total", "Units", data.units_total.astype(float), "whole"),
        Column(
            "not_counted",
            "Not counted",
            data.not_counted.astype(float),
            "whole",
            hint="Units that are dead, whose threshold failed, or that are not a number",
        ),
    )


def correlation_rows(data: CorrelationMatrix) -> list[tuple[str, int]]:
    """Ids of the rows: what is correlated, and the component."""
    return [(row, c + 1) for row in data.rows for c in range(data.r.shape[1])]


def correlation_columns(data: CorrelationMatrix) -> tuple[Column, ...]:
    """One row a correlation."""
    components = data.r.shape[1]
    names = [component_name(c + 1) for c in range(components)]
    what = "Task" if data.kind == "performance" else "Category"
    missing = "too few models have both"
    verdicts = ["survives" if s else "" for s in survives(data).ravel().tolist()]
    return (
        Column("row", what, texts(np.repeat(texts(data.rows), components))),
        Column("component", "Component", texts(names * len(data.rows))),
        Column("r", "r", data.r.ravel(), "decimal", missing=missing),
        Column("p", "p", data.p.ravel(), "significant", missing=missing),
        Column("p_adjusted", "p adjusted", data.p_adjusted.ravel(), "significant", missing=missing),
        Column("survives", "Correction", texts(verdicts)),
        Column("n", "Models", data.n.ravel().astype(float), "whole"),
    )


def choice_columns(data: GroupChoice) -> tuple[Column, ...]:
    """One row a number of groups."""
    return (
        Column("k", "Groups", data.k.astype(float), "whole"),
        Column("inertia", "Inertia", data.inertia, "significant"),
        Column("silhouette", "Silhouette", data.silhouette, "decimal", missing="needs two groups"),
    )


def variance_columns(data: EmbeddingPoints) -> tuple[Column, ...]:
    """One row a component."""
    names = [component_name(c + 1) for c in range(len(data.explained_variance))]
    return (
        Column("component", "Component", texts(names)),
        Column("explained", "Explained %", 100 * data.explained_variance, "decimal"),
        Column("chance", "Chance %", 100 * data.null_95, "decimal", missing="no null was drawn"),
    )


def stability_columns(data: Stability) -> tuple[Column, ...]:
    """One row a change."""
    return (
        Column("kind", "What changes", texts(data.kind)),
        Column("setting", "Setting", texts(data.setting)),
        Column("agreement", "Agreement", data.agreement, "decimal"),
        Column("displacement", "Displacement", data.displacement, "decimal"),
    )


def gain_pairs(data: EnsembleGains) -> list[tuple[int, int]]:
    """Places of the pairs, each once."""
    n = len(data.models)
    return [(i, j) for i in range(n) for j in range(i + 1, n)]


def gain_columns(data: EnsembleGains) -> tuple[Column, ...]:
    """One row a pair of models; everything in per cent."""
    pairs = gain_pairs(data)
    first, second = [i for i, _ in pairs], [j for _, j in pairs]

    def of(values: np.ndarray) -> np.ndarray:
        return 100 * values[first, second]

    own = 100 * data.performance
    return (
        Column("model", "Model", texts(data.models[i] for i in first)),
        Column("other", "Other model", texts(data.models[j] for j in second)),
        Column("performance", "Alone %", own[first], "decimal"),
        Column("other_performance", "Other alone %", own[second], "decimal"),
        Column(
            "gain",
            "Gain",
            of(data.gain),
            "decimal",
            of(data.ci_low),
            of(data.ci_high),
            hint="Percentage points over the better one, with the 95 % interval",
        ),
    )
