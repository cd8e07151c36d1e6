"""One unit of the audit `evaluation`: all tasks of a model; and the ensembles of every pair."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.audits.comparison import images_of_run
from analysis.audits.context import RunContext
from analysis.audits.evaluation import labelled_split
from analysis.audits.plan import Results, Unit, number_or_none
from analysis.devices import algebra_threads
from analysis.evaluation.ensembles import ensembles
from analysis.evaluation.tasks import evaluate

if TYPE_CHECKING:
    from analysis.audits.evaluation import EvaluationParameters


def run_model(unit: Unit, context: RunContext) -> Results:
    """Performance of one model in every task, and what it answers to each tested image."""
    parameters: EvaluationParameters = context.parameters
    images = images_of_run(context)
    found = context.features.image_features(
        unit.model,
        images,
        parameters.layer,
        context.stepper(0, 0.7, f"{unit.model}: features of images"),
    )
    chosen = [images[position] for position in found.positions]
    labels = {
        row["id"]: row
        for row in context.project.rows(
            "SELECT id, label, split FROM image WHERE image_set = ?", (context.run.image_set,)
        )
    }
    split = labelled_split(
        [labels[image.id] for image in chosen], parameters.folds, parameters.seed
    )

    def report(done: float, total: float, text: str) -> None:
        context.step(0.7 + 0.3 * done / max(total, 1), f"{unit.model}: {text}")

    with algebra_threads(found.features.size):
        result = evaluate(found.features, split, parameters.settings(), report)
    rows = [
        {
            "model": unit.model,
            "task": task.task,
            "value": task.accuracy.value,
            "ci_low": number_or_none(task.accuracy.low),
            "ci_high": number_or_none(task.accuracy.high),
            "n": task.accuracy.n,
        }
        for task in result.results
    ]
    tested = np.array([chosen[place].id for place in split.tested], dtype=np.int64)
    arrays = {
        f"{unit.key}/images": tested,
        f"{unit.key}/labels": split.labels[split.tested],
    }
    for task in result.results:
        if task.probabilities is not None:
            arrays[f"{unit.key}/{task.task}"] = task.probabilities.astype(np.float32)
    # What the images do not allow holds for every model: it is said once a run.
    first = unit.key == "models/0"
    problems = [*found.problems, *split.left_out, *result.left_out] if first else []
    problems += [(f"{unit.model}, {what}", why) for what, why in result.doubtful]
    return Results({"performance": rows}, arrays, problems)


def ensemble_rows(context: RunContext) -> list[dict[str, Any]]:
    """Weighted soft votes of every pair of models evaluated so far (LCE paper, section 5.4)."""
    project, run = context.project, context.run
    done = [
        (key, model)
        for key, model in ((f"models/{place}", model) for place, model in enumerate(run.models))
        if project.has_array(run.id, f"{key}/images")
    ]
    by_task: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, model in done:
        for row in project.rows(
            "SELECT task FROM performance WHERE run = ? AND model = ? ORDER BY id", (run.id, model)
        ):
            if project.has_array(run.id, f"{key}/{row['task']}"):
                by_task[row["task"]].append((key, model))
    rows = []
    for task, members in by_task.items():
        if len(members) > 1:
            rows += _task_rows(context, task, members)
    return rows


def _task_rows(
    context: RunContext, task: str, members: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    project, run = context.project, context.run.id
    found = ensembles(
        [project.read_array(run, f"{key}/{task}").astype(np.float64) for key, _ in members],
        project.read_array(run, f"{members[0][0]}/labels"),
        context.parameters.replicates,
        context.parameters.seed,
        images=[project.read_array(run, f"{key}/images") for key, _ in members],
    )
    return [
        {
            "task": task,
            "model_a": members[a][1],
            "model_b": members[b][1],
            "performance_a": float(found.performance[a]),
            "performance_b": float(found.performance[b]),
            "performance": float(found.combined[a, b]),
            "gain": float(found.gain[a, b]),
            "ci_low": number_or_none(found.ci_low[a, b]),
            "ci_high": number_or_none(found.ci_high[a, b]),
            "n": found.n,
        }
        for a in range(len(members))
        for b in range(a + 1, len(members))
    ]
