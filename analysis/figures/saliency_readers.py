"""Saliency maps and their faithfulness, read from a project file.

As in `readers`: results as they are now, a number that does not exist is NaN. What cannot be as it
is written, as a map with fewer bytes than places, is an AuditError.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.columns import (
    as_floats,
    as_integers,
    as_names,
    parameter_number,
    places,
    read_only,
    run_parameters,
    unzip,
)
from analysis.figures.readers import run_row
from analysis.figures.saliency_curves import saliency_curves
from analysis.figures.saliency_data import (
    AttentionDepth,
    Cell,
    FaithfulnessComparisons,
    FaithfulnessSummary,
    MethodInfo,
    MetricInfo,
    SaliencyIndex,
    SaliencyMap,
)
from analysis.figures.saliency_steps import step_picture
from analysis.figures.saliency_values import (
    MAP_COLUMNS,
    damaged,
    read_map,
    read_names,
    wanted_cells,
)
from analysis.figures.saliency_words import (
    measure_settings,
    method_infos,
    method_title,
    metric_infos,
    run_frame,
    settings_words,
)
from analysis.figures.unit_readers import model_order

if TYPE_CHECKING:
    from analysis.project import Project

__all__ = [
    "attention_depth",
    "faithfulness_comparisons",
    "faithfulness_summary",
    "find_saliency",
    "saliency_curves",
    "saliency_index",
    "saliency_maps",
    "step_picture",
    "tested_gains",
]

SIGNIFICANT = 0.05
"""An adjusted p below this tells two methods, or two models, apart."""

_TESTED = ("metric", "model_a", "method_a", "model_b", "method_b")
_TEST_NUMBERS = ("difference", "ci_low", "ci_high", "p", "p_adjusted")
_MOST_CELLS = 200_000_000
_MOST_ATTENTION = 64_000_000
_MOST_STEPS = 1_000_000


def find_saliency(project: Project, image: int, models: Sequence[str] = ()) -> int | None:
    """The newest saliency run with maps of an image by all of these models; None without one.

    :param models: none: by any model.
    """
    wanted = tuple(dict.fromkeys(models))
    by_models = f" AND saliency.model IN ({', '.join('?' * len(wanted))})" if wanted else ""
    run: int | None = project.value(
        "SELECT run FROM saliency JOIN run ON run.id = saliency.run AND run.audit = 'saliency'"
        f" WHERE saliency.image = ?{by_models} GROUP BY run"
        " HAVING count(DISTINCT saliency.model) >= ? ORDER BY run DESC LIMIT 1",
        (image, *wanted, len(wanted)),
    )
    return run


def saliency_index(project: Project, run: int) -> SaliencyIndex:
    """What a saliency run holds, without its maps.

    Everything is empty when the run has no maps yet. Raises AuditError for an unknown run.
    """
    parameters = run_parameters(run_row(project, run))
    # Answered by the index of the table alone: the maps are not read.
    rows = project.rows("SELECT image, model, method FROM saliency WHERE run = ?", (run,))
    images, models, methods = unzip(rows, 3)
    names = model_order(project, run, models)
    infos = method_infos(methods)
    labels = [info.label for info in infos]
    ids, paths, of_label = _images(project, images)
    _check_size(run, len(ids), len(names), len(labels))
    available = np.zeros((len(ids), len(names), len(labels)), dtype=bool)
    at = (places(images, ids.tolist()), places(models, names), places(methods, labels))
    available[at] = True
    return SaliencyIndex(
        run=run,
        models=names,
        methods=infos,
        images=read_only(ids),
        image_names=paths,
        image_labels=of_label,
        available=read_only(available),
        layers=_layers(project, run, ids, names, labels, available),
        depth_models=_depth_models(project, run),
        steps=_steps(parameters),
        settings=settings_words(parameters, len(ids)),
        refused=_refused(project, run),
    )


def _check_size(run: int, *sizes: int) -> None:
    cells = 1
    for size in sizes:
        cells *= size
    if cells > _MOST_CELLS:
        raise damaged(f"Run {run} has more images, models and methods than can be shown.")


def _images(
    project: Project, images: Sequence[int]
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Ids, paths and labels of the images, in order of label and path."""
    wanted = set(images)
    rows = [
        row
        for row in project.rows(
            "SELECT id, path, label FROM image ORDER BY coalesce(label, ''), path, id"
        )
        if row["id"] in wanted
    ]
    ids, paths, labels = unzip(rows, 3)
    known = set(ids)
    lost = sorted(wanted - known)  # a damaged file may name images that it does not have
    return (
        as_integers([*ids, *lost]),
        (*paths, *(f"image {image}" for image in lost)),
        (*(label or "" for label in labels), *("" for _ in lost)),
    )


def _layers(
    project: Project,
    run: int,
    images: np.ndarray,
    models: Sequence[str],
    methods: Sequence[str],
    available: np.ndarray,
) -> dict[tuple[str, str], str]:
    """Where the maps of each model and method were taken, as one of them says."""
    layers = {}
    for i, j in np.argwhere(available.any(axis=0)).tolist():
        image = int(images[available[:, i, j].argmax()])
        layer = project.value(
            "SELECT layer FROM saliency WHERE run = ? AND image = ? AND model = ? AND method = ?",
            (run, image, models[i], methods[j]),
        )
        layers[models[i], methods[j]] = layer or ""
    return layers


def _depth_models(project: Project, run: int) -> tuple[str, ...]:
    kept = {
        name.split("/")[1]
        for (name,) in project.rows(
            "SELECT name FROM array WHERE run = ? AND name LIKE 'attention/%/%'", (run,)
        )
    }
    return tuple(
        model
        for position, model in project.rows(
            "SELECT position, model FROM run_model WHERE run = ? ORDER BY position", (run,)
        )
        if str(position) in kept
    )


def _steps(parameters: dict[str, Any]) -> int:
    steps = parameter_number(parameters, "steps")
    return int(steps) if 1 <= steps <= _MOST_STEPS else 0


def _refused(project: Project, run: int) -> tuple[tuple[str, str, str], ...]:
    """Model, method title and reason of what a run could not explain: problems whose subject is
    a model, or “model: method; method”."""
    models = sorted(
        (row[0] for row in project.rows("SELECT model FROM run_model WHERE run = ?", (run,))),
        key=len,
        reverse=True,
    )
    found: dict[tuple[str, str, str], None] = {}
    for subject, reason in project.rows(
        "SELECT DISTINCT subject, reason FROM problem WHERE run = ?", (run,)
    ):
        for model in models:
            method = _method_of(subject, model)
            if method is not None:
                found |= {(model, title, reason): None for title in method.split("; ")}
                break
    return tuple(found)


def _method_of(subject: str, model: str) -> str | None:
    """The title of the method that a problem's subject names after a model, empty for the model as
    a whole; None: it is of something else."""
    if subject == model:
        return ""
    if not subject.startswith(f"{model}: "):
        return None
    return method_title(subject[len(model) + 2 :])


def saliency_maps(project: Project, run: int, cells: Sequence[Cell]) -> dict[Cell, SaliencyMap]:
    """The maps of these cells; those that the run does not have are left out.

    Raises AuditError for an unknown run and for a damaged map.
    """
    run_row(project, run)
    found = {}
    for row in wanted_cells(project, run, cells, "saliency", MAP_COLUMNS):
        shown = read_map(run, row)
        found[shown.cell] = shown
    return {cell: found[cell] for cell in map(Cell._make, cells) if cell in found}


def attention_depth(project: Project, run: int, image: int, model: str) -> AttentionDepth | None:
    """The attention of every layer and head of a model in an image; None where it is not kept.

    Raises AuditError for an unknown run and for damaged attention.
    """
    about = run_row(project, run)
    position = project.value(
        "SELECT position FROM run_model WHERE run = ? AND model = ?", (run, model)
    )
    name = f"attention/{position}/{int(image)}"
    if position is None or not project.has_array(run, name):
        return None
    codes = project.read_array(run, name)
    fits = codes.ndim == 4 and codes.dtype == np.uint8 and 0 < codes.size <= _MOST_ATTENTION
    if not fits:
        raise damaged(f"The attention of {model} for image {image} in run {run} is not usable.")
    return AttentionDepth(
        image=int(image),
        model=model,
        layers=_attention_layers(project, run, position, codes.shape[0]),
        values=read_only(codes.astype(np.float32) / np.float32(255)),
        region=_region(project, run, run_parameters(about), int(image), model),
    )


def _attention_layers(project: Project, run: int, position: int, amount: int) -> tuple[str, ...]:
    """Names of a model's attention layers, or their numbers where the run does not name them."""
    name = f"attention/{position}/layers"
    if project.has_array(run, name):
        named = read_names(project.read_array(run, name))
        if len(named) == amount:
            return named
    return tuple(f"layer {place + 1}" for place in range(amount))


def _region(
    project: Project, run: int, parameters: dict[str, Any], image: int, model: str
) -> tuple[int, int, int, int]:
    """The square that a run looked at in an image, in pixels of the upright original."""
    row = project.row(
        "SELECT x, y, width, height FROM saliency WHERE run = ? AND image = ? AND model = ?",
        (run, image, model),
    )
    if row is not None:
        return (row["x"], row["y"], row["width"], row["height"])
    size = project.row("SELECT width, height FROM image WHERE id = ?", (image,))
    frame = run_frame(parameters)
    if frame is None or size is None or not size["width"] or not size["height"]:
        raise damaged(f"Run {run} does not say which part of image {image} it looked at.")
    return frame.region(size["width"], size["height"])


def faithfulness_summary(project: Project, run: int) -> FaithfulnessSummary:
    """Means of all metrics over the images of a run, and which of them tests tell from the others.

    Arrays are empty when the run has no summary yet. Raises AuditError for an unknown run.
    """
    rows = project.rows(
        "SELECT metric, model, method, mean, ci_low, ci_high, n FROM faithfulness_summary"
        " WHERE run = ?",
        (run,),
    )
    return assembled_summary(project, run, rows, faithfulness_comparisons(project, run))


def assembled_summary(
    project: Project, run: int, rows: Sequence[Any], tests: FaithfulnessComparisons
) -> FaithfulnessSummary:
    """A summary of rows of metric, model, method, mean, ends of the interval, and n.

    Raises AuditError for an unknown run.
    """
    parameters = run_parameters(run_row(project, run))
    keys, models, labels, *numbers, amounts = unzip(rows, 7)
    metrics = metric_infos(keys, measure_settings(parameters))
    names, methods = model_order(project, run, models), method_infos(labels)
    of_label = [method.label for method in methods]
    shape = (len(metrics), len(names), len(methods))
    _check_size(run, *shape)
    at = (
        places(keys, [metric.key for metric in metrics]),
        places(models, names),
        places(labels, of_label),
    )
    mean, low, high = (np.full(shape, np.nan) for _ in range(3))
    for array, column in zip((mean, low, high), numbers, strict=True):
        array[at] = as_floats(column)
        array[~np.isfinite(array)] = np.nan
    n = np.zeros(shape, dtype=np.int64)
    n[at] = as_integers([amount or 0 for amount in amounts])
    best, level = _verdicts(metrics, names, of_label, mean, tests)
    return FaithfulnessSummary(
        run=run,
        metrics=metrics,
        models=names,
        methods=methods,
        mean=read_only(mean),
        ci_low=read_only(low),
        ci_high=read_only(high),
        n=read_only(n),
        best=read_only(best),
        level=read_only(level),
        tied=read_only(_tied(project, run, names, methods)),
    )


def _tied(
    project: Project, run: int, models: Sequence[str], methods: Sequence[MethodInfo]
) -> np.ndarray:
    tied = np.full((len(models), len(methods)), np.nan)
    row_of = {name: place for place, name in enumerate(models)}
    column_of = {method.label: place for place, method in enumerate(methods)}
    for model, method, share in project.rows(
        "SELECT model, method, avg(tied) FROM saliency WHERE run = ? GROUP BY model, method", (run,)
    ):
        if model in row_of and method in column_of and share is not None and 0 <= share <= 1:
            tied[row_of[model], column_of[method]] = share
    return tied


def _verdicts(
    metrics: Sequence[MetricInfo],
    models: Sequence[str],
    methods: Sequence[str],
    mean: np.ndarray,
    tests: FaithfulnessComparisons,
) -> tuple[np.ndarray, np.ndarray]:
    """`best` and `level` of `FaithfulnessSummary`.

    The method of the best mean is `best` if its tests against all others of its model tell them
    apart in its favour; if not, it and all that a test does not tell from it are `level`. Methods
    without a test against it are neither. Methods with the same values in every image (GradCAM and
    XGradCAM before a linear head) are one in this.
    """
    best, level = np.zeros(mean.shape, dtype=bool), np.zeros(mean.shape, dtype=bool)
    gains, same = tested_gains(tests), _same_values(tests)
    for i, metric in enumerate(metrics):
        sign = {"higher": 1.0, "lower": -1.0}.get(metric.better, 0.0)
        for j, model in enumerate(models):
            known: list[int] = np.flatnonzero(np.isfinite(mean[i, j])).tolist()
            if sign == 0 or len(known) < 2:
                continue
            top = known[int(np.argmax(sign * mean[i, j, known]))]
            first = [k for k in known if (metric.key, model, methods[top], methods[k]) in same]
            first.append(top)
            told = []
            for k in (k for k in known if k not in first):
                gain = gains.get((metric.key, model, methods[top], methods[k]))
                told.append(gain is not None and sign * gain > 0)
                level[i, j, k] = gain is not None and not told[-1]
            best[i, j, first] = bool(told) and all(told)
            level[i, j, first] = bool(level[i, j].any())
    return best, level


def _same_values(tests: FaithfulnessComparisons) -> set[tuple[str, str, str, str]]:
    """Metric, model and both methods, in either order, where no image makes a difference."""
    nothing = (tests.difference == 0) & (tests.ci_low == 0) & (tests.ci_high == 0)
    found = set()
    for at in np.flatnonzero(nothing & (tests.model_a == tests.model_b)).tolist():
        first, second = tests.method_a[at], tests.method_b[at]
        found.add((tests.metric[at], tests.model_a[at], first, second))
        found.add((tests.metric[at], tests.model_a[at], second, first))
    return found


def tested_gains(tests: FaithfulnessComparisons) -> dict[tuple[str, str, str, str], float]:
    """What tests between methods of one model say of the first: its difference where they tell the
    two apart, else 0. By metric, model and both methods, in either order.

    Pairs without a test are missing.
    """
    found = {}
    within = np.flatnonzero(tests.model_a == tests.model_b)
    for at in within.tolist():
        apart = tests.p_adjusted[at] < SIGNIFICANT and np.isfinite(tests.difference[at])
        gain = float(tests.difference[at]) if apart else 0.0
        key, model = tests.metric[at], tests.model_a[at]
        found[key, model, tests.method_a[at], tests.method_b[at]] = gain
        found[key, model, tests.method_b[at], tests.method_a[at]] = -gain
    return found


def faithfulness_comparisons(project: Project, run: int) -> FaithfulnessComparisons:
    """All paired tests of a run, in the order they were written.

    Arrays are empty when there are none yet. Raises AuditError for an unknown run.
    """
    run_row(project, run)
    rows = project.rows(
        f"SELECT {', '.join((*_TESTED, *_TEST_NUMBERS))}, n FROM faithfulness_comparison"
        " WHERE run = ? ORDER BY id",
        (run,),
    )
    return assembled_comparisons(run, rows)


def assembled_comparisons(run: int, rows: Sequence[Any]) -> FaithfulnessComparisons:
    """Tests from rows of metric, both models with their methods, and the numbers."""
    columns = unzip(rows, len(_TESTED) + len(_TEST_NUMBERS) + 1)
    texts, values, amounts = columns[:5], columns[5:10], columns[10]
    arrays: dict[str, Any] = {
        name: read_only(as_names(column)) for name, column in zip(_TESTED, texts, strict=True)
    }
    for name, column in zip(_TEST_NUMBERS, values, strict=True):
        arrays[name] = read_only(_finite(column))
    n = as_integers([amount or 0 for amount in amounts])
    return FaithfulnessComparisons(run=run, n=read_only(n), **arrays)


def _finite(column: Iterable[float | None]) -> np.ndarray:
    values = as_floats(list(column))
    values[~np.isfinite(values)] = np.nan
    return values
