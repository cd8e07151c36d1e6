"""The one unit of the audit `embedding`: components, groups, correlations and their doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.audits.context import RunContext
from analysis.audits.embedding import UnitSource, checked_sources
from analysis.audits.plan import Results, number_or_none
from analysis.embedding.components import parallel_analysis, project
from analysis.embedding.correlations import Correlations, correlate
from analysis.embedding.embed import Embedding, embed
from analysis.embedding.matrix import category_totals, profile_values
from analysis.embedding.presets import fitted_models
from analysis.embedding.stability import leave_one_model_out, threshold_sweep, unit_bootstrap
from analysis.embedding.units import (
    LabelledUnits,
    UnitRow,
    interpretable,
    labelled_units,
    matrix_at,
    unit_totals,
)
from analysis.seeds import derive_seed

if TYPE_CHECKING:
    from analysis.audits.embedding import EmbeddingParameters
    from analysis.project import Project

_COMPONENTS = 3  # columns of the table


def run_embedding(context: RunContext) -> Results:
    """Everything the audit finds, as rows; the matrix behind it as arrays."""
    parameters: EmbeddingParameters = context.parameters
    project_file = context.project
    sources = checked_sources(project_file, context.run.models, parameters)
    # As published, the super-set is that of all models in the tables, fitted or not.
    paper = parameters.preset == "paper"
    named = _of_same_runs(sources, context.run.models) if paper else context.run.models
    units = _read_units(project_file, [sources[name] for name in named])
    context.step(0.1, "Finding components and groups")
    embedding = embed(
        matrix_at(units, parameters.iou_threshold),
        parameters.preset,
        _fitted(named, context.run.models, parameters),
        parameters.groups or None,
        parameters.components,
        derive_seed(parameters.seed, "groups"),
    )
    context.step(0.3, "Drawing units anew")
    rows: dict[str, list[dict[str, Any]]] = {}
    rows["component"] = _component_rows(embedding, parameters)
    rows["loading"] = _loading_rows(embedding)
    rows["group_choice"] = _group_rows(embedding)
    bootstrap = unit_bootstrap(
        embedding,
        unit_totals(units),
        parameters.replicates,
        derive_seed(parameters.seed, "units"),
    )
    projected, problems = _projected_rows(context, embedding, sources)
    shown = [index for index, name in enumerate(named) if name in context.run.models]
    rows["embedding"] = [
        _point_row(embedding, bootstrap.covariance, index) for index in shown
    ] + projected
    context.step(0.5, "Leaving out models and moving the threshold")
    rows["stability"] = _stability_rows(embedding, units, bootstrap)
    context.step(0.7, "Correlating components with profiles and performance")
    rows["profile_correlation"] = _profile_rows(embedding, parameters)
    rows["performance_correlation"] = _performance_rows(project_file, embedding, parameters)
    arrays = {
        "embedding/values": embedding.matrix.values,
        "embedding/mean": embedding.components.mean,
        "embedding/sources": _source_runs(project_file, rows["embedding"], sources),
        "embedding/evaluations": _evaluation_runs(project_file, rows["embedding"]),
    }
    return Results(rows, arrays, problems)


def _source_runs(
    project_file: Project, points: Sequence[Mapping[str, Any]], sources: Mapping[str, UnitSource]
) -> np.ndarray:
    """int64 (models, 2): the id of each model, and the dissection run its units come from."""
    ids = {row["name"]: row["id"] for row in project_file.rows("SELECT id, name FROM model")}
    return np.array(
        [(ids[row["model"]], sources[row["model"]].run) for row in points], dtype=np.int64
    )


def _evaluation_runs(project_file: Project, points: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """int64 (runs,): where the performance of the models comes from, ascending."""
    names = {row["model"] for row in points}
    newest = project_file.rows(
        "SELECT model, max(run) AS run FROM performance WHERE value IS NOT NULL"
        " GROUP BY model, task"
    )
    return np.array(sorted({row["run"] for row in newest if row["model"] in names}), dtype=np.int64)


def _of_same_runs(sources: Mapping[str, UnitSource], models: Sequence[str]) -> tuple[str, ...]:
    """The models of the same tables as those named: the super-set as published is theirs."""
    runs = {sources[name].run for name in models}
    return tuple(name for name, source in sources.items() if source.run in runs)


def _fitted(
    named: Sequence[str], models: Sequence[str], parameters: EmbeddingParameters
) -> np.ndarray:
    return np.isin(named, models) & fitted_models(tuple(named), parameters.preset)


def _read_units(project_file: Project, sources: Sequence[UnitSource]) -> LabelledUnits:
    rows: list[UnitRow] = []
    for source in sources:
        rows += (
            (row["model"], row["concept"], row["category"], row["iou"], row["null_iou"])
            for row in project_file.rows(
                "SELECT model, concept, category, iou, null_iou FROM unit"
                " WHERE run = ? AND model = ? AND layer = ? ORDER BY unit",
                (source.run, source.model, source.layer),
            )
        )
    return labelled_units([source.model for source in sources], rows)


def _component_rows(embedding: Embedding, parameters: EmbeddingParameters) -> list[dict[str, Any]]:
    variance = embedding.components.explained_variance
    chance = parallel_analysis(
        embedding.matrix,
        embedding.fitted,
        len(variance),
        parameters.parallel_permutations,
        derive_seed(parameters.seed, "parallel analysis"),
    )
    return [
        {
            "component": index + 1,
            "explained_variance": number_or_none(share),
            "null_95": number_or_none(chance[index]),
        }
        for index, share in enumerate(variance)
    ]


def _loading_rows(embedding: Embedding) -> list[dict[str, Any]]:
    matrix = embedding.matrix
    return [
        {"component": number, "concept": concept, "category": category, "loading": float(value)}
        for number, loadings in enumerate(embedding.components.loadings, start=1)
        for concept, category, value in zip(
            matrix.concepts, matrix.categories, loadings, strict=True
        )
    ]


def _group_rows(embedding: Embedding) -> list[dict[str, Any]]:
    choice = embedding.choice
    return [
        {"k": int(k), "inertia": number_or_none(inertia), "silhouette": number_or_none(silhouette)}
        for k, inertia, silhouette in zip(choice.k, choice.inertia, choice.silhouette, strict=True)
    ]


def _point_row(embedding: Embedding, covariance: np.ndarray, index: int) -> dict[str, Any]:
    place = embedding.components.points[index]
    row = {
        "model": embedding.matrix.models[index],
        "group": embedding.groups[index] or None,
        "fitted": int(embedding.fitted[index]),
    }
    return row | _coordinates(place) | _doubts(covariance[index])


def _coordinates(place: np.ndarray) -> dict[str, float | None]:
    padded = np.pad(place, (0, _COMPONENTS - len(place)), constant_values=np.nan)
    return {f"pc{number}": number_or_none(value) for number, value in enumerate(padded, start=1)}


def _doubts(covariance: np.ndarray) -> dict[str, float | None]:
    lacking = _COMPONENTS - len(covariance)
    padded = np.pad(covariance, (0, lacking), constant_values=np.nan)
    doubts = {
        f"se{number + 1}": number_or_none(padded[number, number] ** 0.5) for number in range(3)
    }
    pairs = ((0, 1), (0, 2), (1, 2))
    return doubts | {f"covariance{a + 1}{b + 1}": number_or_none(padded[a, b]) for a, b in pairs}


def _projected_rows(
    context: RunContext, embedding: Embedding, sources: Mapping[str, UnitSource]
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Further models, placed by their own units alone, with the spread of their units."""
    parameters: EmbeddingParameters = context.parameters
    rows: list[dict[str, Any]] = []
    problems = []
    for name in parameters.further_models():
        units = _read_units(context.project, [sources[name]])
        values, lacking = profile_values(
            embedding.matrix, _profile(units, parameters.iou_threshold)
        )
        place = project(embedding.components, values)[0]
        covariance = _drawn_covariance(embedding, values, len(units.concept), parameters, name)
        rows.append(
            {"model": name, "group": None, "fitted": 0} | _coordinates(place) | _doubts(covariance)
        )
        if lacking:
            reason = f"Concepts that the embedding lacks are not counted: {len(lacking)}."
            problems.append((name, reason))
    return rows, problems


def _profile(units: LabelledUnits, threshold: float) -> Counter[tuple[str, str]]:
    counted = units.concept[interpretable(units, threshold)]
    return Counter(units.concepts[index] for index in counted.tolist())


def _drawn_covariance(
    embedding: Embedding,
    values: np.ndarray,
    total: int,
    parameters: EmbeddingParameters,
    name: str,
) -> np.ndarray:
    counts = values * embedding.matrix.category_sizes
    shares = np.append(counts, max(0.0, total - counts.sum())) / max(total, 1)
    generator = np.random.default_rng(derive_seed(parameters.seed, "projected", name))
    drawn = generator.multinomial(total, shares / shares.sum(), parameters.replicates)[:, :-1]
    places = project(embedding.components, drawn / embedding.matrix.category_sizes)
    return np.atleast_2d(np.cov(places.T))


def _stability_rows(
    embedding: Embedding, units: LabelledUnits, bootstrap: Any
) -> list[dict[str, Any]]:
    rows = [
        {
            "kind": "unit bootstrap",
            "setting": "groups kept",
            "agreement": number_or_none(bootstrap.kept),
            "displacement": number_or_none(bootstrap.displacement),
        },
        {
            "kind": "unit bootstrap",
            "setting": "adjusted Rand index",
            "agreement": number_or_none(bootstrap.agreement),
            "displacement": None,
        },
    ]
    for kind, changes in (
        ("leave one out", leave_one_model_out(embedding)),
        ("iou threshold", threshold_sweep(embedding, units)),
    ):
        rows += [
            {
                "kind": kind,
                "setting": setting,
                "agreement": number_or_none(agreement),
                "displacement": number_or_none(displacement),
            }
            for setting, agreement, displacement in zip(
                changes.settings, changes.agreement, changes.displacement, strict=True
            )
        ]
    return rows


def _profile_rows(embedding: Embedding, parameters: EmbeddingParameters) -> list[dict[str, Any]]:
    totals = category_totals(embedding.profiles)
    fitted = embedding.fitted
    named = [
        (category, counting)
        for counting in ("all", "unique")
        for category in (*totals.categories, "total")
    ]
    table = np.hstack(
        [_with_total(counts[fitted]) for counts in (totals.all, totals.unique)]
    ).astype(np.float64)
    found = correlate(
        embedding.components.points[fitted],
        table,
        parameters.permutations,
        derive_seed(parameters.seed, "profile correlation"),
    )
    keys = [{"category": category, "counting": counting} for category, counting in named]
    return _correlation_rows(found, keys)


def _with_total(counts: np.ndarray) -> np.ndarray:
    return np.hstack([counts, counts.sum(1, keepdims=True)])


def _performance_rows(
    project_file: Project, embedding: Embedding, parameters: EmbeddingParameters
) -> list[dict[str, Any]]:
    models = [
        name
        for name, fitted in zip(embedding.matrix.models, embedding.fitted, strict=True)
        if fitted
    ]
    tasks, table = read_performance(project_file, models)
    if not tasks:
        return []
    found = correlate(
        embedding.components.points[embedding.fitted],
        table,
        parameters.permutations,
        derive_seed(parameters.seed, "performance correlation"),
    )
    return _correlation_rows(found, [{"task": task} for task in tasks])


def read_performance(
    project_file: Project, models: Sequence[str]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Tasks in the order they came, and performance (models, tasks): each from its newest run."""
    rows = project_file.rows("SELECT model, task, value FROM performance ORDER BY run, id")
    position = {name: index for index, name in enumerate(models)}
    tasks: dict[str, int] = {}
    cells: dict[tuple[int, int], float] = {}
    for row in rows:
        if row["model"] in position and row["value"] is not None:
            column = tasks.setdefault(row["task"], len(tasks))
            cells[position[row["model"]], column] = row["value"]
    table = np.full((len(models), len(tasks)), np.nan)
    for cell, value in cells.items():
        table[cell] = value
    return tuple(tasks), table


def _correlation_rows(
    found: Correlations, keys: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    return [
        {
            **key,
            "component": component + 1,
            "r": number_or_none(found.r[row, component]),
            "p": number_or_none(found.p[row, component]),
            "p_adjusted": number_or_none(found.p_adjusted[row, component]),
            "n": int(found.n[row, component]),
        }
        for row, key in enumerate(keys)
        for component in range(found.r.shape[1])
    ]
