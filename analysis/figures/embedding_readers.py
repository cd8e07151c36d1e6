"""The Learned Concepts Embedding and performance, read from a project file.

As in `readers`: results as they are now, a number that does not exist is NaN.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.embedding.surface import NEIGHBOURS, surface_grid
from analysis.embedding.surface import performance_surface as regress
from analysis.errors import AuditError
from analysis.figures.columns import (
    as_float,
    as_floats,
    as_integers,
    as_names,
    places,
    read_only,
    run_parameters,
    unzip,
)
from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    EnsembleGains,
    GroupChoice,
    PerformanceSurface,
    PerformanceTable,
    Stability,
)
from analysis.figures.readers import run_row
from analysis.figures.unit_readers import category_rank, model_order, profiles

if TYPE_CHECKING:
    from analysis.project import Project

CORRELATION_KINDS = ("profile", "performance")
_SURFACE_STEPS, _SURFACE_MARGIN, _SURFACE_SHAPE = 200, 0.2, 0.75
_COVARIANCES = {(0, 1): "covariance12", (0, 2): "covariance13", (1, 2): "covariance23"}


def embedding_points(project: Project, run: int) -> EmbeddingPoints:
    """Every model of an embedding, in the order of the run.

    There are as many components as the run has coordinates of, at most three. Arrays are empty
    when the run has no results yet. Raises AuditError for an unknown run.
    """
    about = run_row(project, run)
    rows = {
        row["model"]: row for row in project.rows("SELECT * FROM embedding WHERE run = ?", (run,))
    }
    models = model_order(project, run, list(rows))
    ordered = [rows[model] for model in models]
    whole = _floats(ordered, ("pc1", "pc2", "pc3"))
    components = int(np.isfinite(whole).any(axis=0).sum()) if len(ordered) else 0
    explained = _by_component(project, run, "explained_variance", components)
    return EmbeddingPoints(
        run=run,
        preset=str(run_parameters(about).get("preset", "default")),
        models=models,
        points=read_only(whole[:, :components].copy()),
        covariance=read_only(_covariance(ordered, components)),
        group=tuple(row["group"] or "" for row in ordered),
        fitted=read_only(np.array([bool(row["fitted"]) for row in ordered], dtype=bool)),
        explained_variance=read_only(explained),
        null_95=read_only(_by_component(project, run, "null_95", components)),
    )


def _floats(rows: Sequence[Any], names: Sequence[str]) -> np.ndarray:
    values = [[as_float(row[name]) for name in names] for row in rows]
    return np.array(values, dtype=float).reshape(len(rows), len(names))


def _covariance(rows: Sequence[Any], components: int) -> np.ndarray:
    """(models, components, components) from standard errors and covariances; NaN if unknown."""
    errors = _floats(rows, ("se1", "se2", "se3"))[:, :components]
    matrix = np.zeros((len(rows), components, components))
    axis = np.arange(components)
    matrix[:, axis, axis] = errors**2
    for (i, j), name in _COVARIANCES.items():
        if j < components:
            matrix[:, i, j] = matrix[:, j, i] = _floats(rows, (name,))[:, 0]
    return matrix


def _by_component(project: Project, run: int, column: str, components: int) -> np.ndarray:
    values = np.full(components, np.nan)
    for component, value in project.rows(
        f"SELECT component, {column} FROM component WHERE run = ?", (run,)
    ):
        if 1 <= component <= components:
            values[component - 1] = as_float(value)
    return values


def embedding_loadings(project: Project, run: int) -> EmbeddingLoadings:
    """The loadings of every concept, ordered by category and name.

    Arrays are empty when the run has none yet. Raises AuditError for an unknown run.
    """
    run_row(project, run)
    rows = project.rows(
        "SELECT component, concept, category, loading FROM loading WHERE run = ?", (run,)
    )
    concepts = sorted({(row[2], row[1]) for row in rows}, key=lambda k: (category_rank(k[0]), k[1]))
    place = {key: index for index, key in enumerate(concepts)}
    components = max((row[0] for row in rows), default=0)
    loadings = np.full((components, len(concepts)), np.nan)
    for component, concept, category, loading in rows:
        loadings[component - 1, place[category, concept]] = as_float(loading)
    return EmbeddingLoadings(
        run=run,
        concepts=tuple(name for _, name in concepts),
        categories=tuple(category for category, _ in concepts),
        loadings=read_only(loadings),
    )


def group_choice(project: Project, run: int) -> GroupChoice:
    """Inertia and silhouette for each number of groups, and the number that was chosen.

    `chosen` is how many groups the models stand in, 0 if none. Arrays are empty when the run has
    none yet. Raises AuditError for an unknown run.
    """
    run_row(project, run)
    rows = project.rows(
        "SELECT k, inertia, silhouette FROM group_choice WHERE run = ? ORDER BY k", (run,)
    )
    k, inertia, silhouette = unzip(rows, 3)
    chosen = project.value(
        'SELECT COUNT(DISTINCT "group") FROM embedding WHERE run = ? AND "group" <> \'\'', (run,)
    )
    return GroupChoice(
        run=run,
        k=read_only(as_integers(k)),
        inertia=read_only(as_floats(inertia)),
        silhouette=read_only(as_floats(silhouette)),
        chosen=int(chosen),
    )


def correlation_matrix(project: Project, run: int, kind: str) -> CorrelationMatrix:
    """Correlations of the components with performance or with the abstracted profile.

    :param kind: `performance` (a row a task, in the order of the run) or `profile` (a row a
        category, named as "object (all)" and "object (unique)", all before unique).
    Arrays are empty when the run has none yet. Raises AuditError for an unknown run or kind.
    """
    run_row(project, run)
    if kind == "performance":
        rows = project.rows(
            "SELECT task, component, r, p, p_adjusted, n FROM performance_correlation"
            " WHERE run = ? ORDER BY id",
            (run,),
        )
        names = tuple(dict.fromkeys(row[0] for row in rows))
        cells = [tuple(row) for row in rows]
    elif kind == "profile":
        rows = project.rows(
            "SELECT category, counting, component, r, p, p_adjusted, n FROM profile_correlation"
            " WHERE run = ?",
            (run,),
        )
        keys = sorted({(row[1], row[0]) for row in rows}, key=lambda k: (k[0], category_rank(k[1])))
        names = tuple(f"{category} ({counting})" for counting, category in keys)
        cells = [(f"{row[0]} ({row[1]})", *row[2:]) for row in rows]
    else:
        raise AuditError(
            f"There are no correlations of the kind {kind}.",
            f"Choose one of {', '.join(CORRELATION_KINDS)}.",
        )
    components = max((cell[1] for cell in cells), default=0)
    place = {name: index for index, name in enumerate(names)}
    values = np.full((4, len(names), components), np.nan)
    for name, component, *numbers in cells:
        values[:, place[name], component - 1] = [as_float(value) for value in numbers]
    return CorrelationMatrix(
        run=run,
        kind=kind,
        rows=names,
        r=read_only(values[0].copy()),
        p=read_only(values[1].copy()),
        p_adjusted=read_only(values[2].copy()),
        n=read_only(np.nan_to_num(values[3]).astype(np.int64)),
    )


def performance_table(project: Project, runs: Collection[int] | None = None) -> PerformanceTable:
    """Performance of every model in every task, of all evaluation runs, also imported ones.

    Of several runs of a model and task, the newest counts. Models are in the order of the project,
    tasks in the order in which they came.

    :param runs: only these evaluation runs.
    """
    found = project.rows(
        "SELECT performance.model, task, value, ci_low, ci_high, n, performance.run"
        " FROM performance JOIN run ON run.id = performance.run WHERE audit = 'evaluation'"
        " ORDER BY performance.run, performance.id"
    )
    rows = [tuple(row)[:6] for row in found if runs is None or row["run"] in runs]
    models, tasks, *numbers = unzip(rows, 6)
    present = set(models)
    known = project.rows("SELECT name FROM model ORDER BY position, id")
    model_names = tuple(row[0] for row in known if row[0] in present)
    task_names = tuple(dict.fromkeys(tasks))
    at = (places(models, model_names), places(tasks, task_names))
    shape = (len(model_names), len(task_names))
    matrices = []
    for column in numbers:
        matrix = np.full(shape, np.nan)
        matrix[at] = as_floats(column)  # of equal places the last, that is the newest, stays
        matrices.append(matrix)
    value, low, high, n = matrices
    return PerformanceTable(
        models=model_names,
        tasks=task_names,
        value=read_only(value),
        ci_low=read_only(low),
        ci_high=read_only(high),
        n=read_only(np.nan_to_num(n).astype(np.int64)),
    )


def performance_surface(
    project: Project, run: int, task: str, component_x: int = 1, component_y: int = 2
) -> PerformanceSurface:
    """Performance in a task over two components, by k-nearest-neighbour regression.

    `models` and `performance` are those of the embedding's models that have a value in the task,
    in the evaluations that the embedding was correlated with, or if those lack it in any.
    Raises AuditError for a run without results, an unknown component, a component against itself,
    and a task in which no model of the embedding has a value.
    """
    points = embedding_points(project, run)
    _check_component(points, component_x, component_y)
    if component_x == component_y:
        raise AuditError("A map needs two different components.", "Choose another component.")
    performance = _performance(project, points, task)
    place = points.points[:, [component_x - 1, component_y - 1]]
    valued = np.isfinite(performance)
    x, y = _grid(place)
    return PerformanceSurface(
        run=run,
        task=task,
        component_x=component_x,
        component_y=component_y,
        x=read_only(x),
        y=read_only(y),
        value=read_only(regress(place, performance, x, y)),
        models=tuple(model for model, has in zip(points.models, valued, strict=True) if has),
        performance=read_only(performance[valued]),
        neighbours=min(NEIGHBOURS, int(valued.sum())),
    )


def _performance(project: Project, points: EmbeddingPoints, task: str) -> np.ndarray:
    """(models,) in the evaluations that an embedding was correlated with, else in any; NaN where
    there is none."""
    correlated = performance_table(project, _correlated_runs(project, points.run))
    found = _in_task(correlated, task, points.models)
    if np.isfinite(found).any():
        return found
    table = performance_table(project)
    if task not in table.tasks:
        raise AuditError(
            f"This project has no performance in a task “{task}”.",
            "The table `performance` lists the tasks; `parallax run FILE evaluation` adds some.",
        )
    return _in_task(table, task, points.models)


def _in_task(table: PerformanceTable, task: str, models: Sequence[str]) -> np.ndarray:
    """(models,) values of a table; NaN where it lacks the model or the task."""
    if task not in table.tasks:
        return np.full(len(models), np.nan)
    values = table.value[:, table.tasks.index(task)].tolist()
    value_of = dict(zip(table.models, values, strict=True))
    return as_floats([value_of.get(model) for model in models])


def _correlated_runs(project: Project, run: int) -> frozenset[int] | None:
    """The evaluation runs behind an embedding's correlations; None if it did not record them."""
    if not project.has_array(run, "embedding/evaluations"):
        return None
    return frozenset(project.read_array(run, "embedding/evaluations").ravel().tolist())


def _grid(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates around the models, neither direction much shorter than the other."""
    ends = [
        np.array([axis[0], axis[-1]])
        for axis in surface_grid(place[np.isfinite(place).all(axis=1)], 2, _SURFACE_MARGIN)
    ]
    shortest = _SURFACE_SHAPE * max(np.ptp(end) for end in ends)
    for end in ends:
        lack = max(0.0, shortest - float(np.ptp(end)))
        end += np.array([-lack, lack]) / 2
    x, y = (np.linspace(end[0], end[1], _SURFACE_STEPS) for end in ends)
    return x, y


def concept_counts(
    project: Project, run: int, concept: str, category: str, component: int
) -> ConceptCounts:
    """How many units of each fitted model know a concept, against its place on a component.

    Models of which no profile is there any more are left out. `r` is Pearson's correlation, NaN
    where it does not exist. Raises AuditError for a run without results, and for an unknown
    component or concept.
    """
    points = embedding_points(project, run)
    _check_component(points, component)
    counted = profiles(project, run)
    key = (concept, category)
    known = list(zip(counted.concepts, counted.concept_categories, strict=True))
    if key not in known:
        raise AuditError(
            f"No model of run {run} has a unit for {concept} ({category}).",
            "The table `loading` lists the concepts of the embedding.",
        )
    units_of = dict(zip(counted.models, counted.units[:, known.index(key)].tolist(), strict=True))
    kept = [
        index
        for index, model in enumerate(points.models)
        if points.fitted[index] and model in units_of
    ]
    units = as_integers([units_of[points.models[index]] for index in kept])
    position = points.points[kept, component - 1]
    return ConceptCounts(
        run=run,
        concept=concept,
        category=category,
        component=component,
        models=tuple(points.models[index] for index in kept),
        units=read_only(units),
        position=read_only(position),
        r=pearson(units.astype(float), position),
    )


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of two (n,) arrays; NaN for fewer than 3 points or without spread."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3 or np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])


def _check_component(points: EmbeddingPoints, *components: int) -> None:
    if not points.models:
        raise AuditError(
            f"Run {points.run} has no results yet that this figure could show.",
            "Let it go on with `parallax run FILE embedding`, or choose another run.",
        )
    available = points.points.shape[1]
    for component in components:
        if not 1 <= component <= available:
            raise AuditError(
                f"Run {points.run} has no component {component}.",
                f"Its components are 1 to {available}.",
            )


def ensemble_tasks(project: Project, run: int) -> tuple[str, ...]:
    """The tasks of an evaluation run that have ensembles, in their order.

    Raises AuditError for an unknown run.
    """
    run_row(project, run)
    rows = project.rows(
        "SELECT task FROM ensemble WHERE run = ? GROUP BY task ORDER BY MIN(id)", (run,)
    )
    return tuple(row[0] for row in rows)


def ensemble_gains(project: Project, run: int, task: str) -> EnsembleGains:
    """What the weighted soft vote of every pair of models gains over its better member.

    Models are in the order of the run. Arrays are symmetric, NaN for pairs that were not combined.
    Raises AuditError for an unknown run and for a task without ensembles in it.
    """
    run_row(project, run)
    rows = project.rows(
        "SELECT model_a, model_b, performance_a, performance_b, gain, ci_low, ci_high"
        " FROM ensemble WHERE run = ? AND task = ?",
        (run, task),
    )
    if not rows:
        raise AuditError(
            f"Run {run} has no ensembles in a task “{task}”.",
            f"Tasks with ensembles: {', '.join(ensemble_tasks(project, run)) or 'none'}.",
        )
    first, second, performance_a, performance_b, *numbers = unzip(rows, 7)
    models = model_order(project, run, [*first, *second])
    i, j = places(first, models), places(second, models)
    performance = np.full(len(models), np.nan)
    performance[i], performance[j] = as_floats(performance_a), as_floats(performance_b)
    matrices = []
    for column in numbers:
        matrix = np.full((len(models), len(models)), np.nan)
        matrix[i, j] = matrix[j, i] = as_floats(column)
        matrices.append(read_only(matrix))
    return EnsembleGains(run, task, models, read_only(performance), *matrices)


def stability(project: Project, run: int) -> Stability:
    """What happens to groups and points when units, models or the IoU threshold change.

    Arrays are empty when the run has no such results. Raises AuditError for an unknown run.
    """
    run_row(project, run)
    rows = project.rows(
        "SELECT kind, setting, agreement, displacement FROM stability WHERE run = ? ORDER BY id",
        (run,),
    )
    kinds, settings, agreement, displacement = unzip(rows, 4)
    return Stability(
        run=run,
        kind=read_only(as_names(kinds)),
        setting=read_only(as_names(settings)),
        agreement=read_only(as_floats(agreement)),
        displacement=read_only(as_floats(displacement)),
    )
