"""Where models are right and wrong, and where they agree, from the predictions that runs keep.

An `evaluation` run keeps the probabilities of every model in every task that asks about each image
(k-NN and the linear probe; not prototypes), and the label of each tested image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AuditError
from analysis.faithfulness.summary import Summary, summarise
from analysis.figures.columns import read_only, run_parameters
from analysis.figures.embedding_data import PerformanceTable
from analysis.figures.readers import run_row
from analysis.figures.saliency_values import damaged
from analysis.figures.slices import SliceChoice, drawing

if TYPE_CHECKING:
    from analysis.project import Project

PARTS = ("both right", "both wrong", "only A right", "only B right", "agree", "disagree")


@dataclass(frozen=True)
class PredictionChoice:
    """The models of an evaluation run whose predictions in a task are kept."""

    run: int
    run_name: str
    task: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class Predictions:
    """What a model answers to each tested image: the class of highest probability, as a number.

    `images`, `labels`, `answers`: (images,) int64.
    """

    model: str
    task: str
    images: np.ndarray
    labels: np.ndarray
    answers: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """(images,) bool."""
        found: np.ndarray = self.answers == self.labels
        return found


@dataclass(frozen=True)
class Agreement:
    """Two models on the images that both were asked about; arrays (images,)."""

    model_a: str
    model_b: str
    task: str
    images: np.ndarray  # int64: image.id
    right_a: np.ndarray  # bool
    right_b: np.ndarray  # bool
    same: np.ndarray  # bool: both give the same answer, right or wrong

    def part(self, name: str) -> frozenset[int]:
        """The images of one of `PARTS`. Raises AuditError for another name."""
        chosen = {
            "both right": self.right_a & self.right_b,
            "both wrong": ~self.right_a & ~self.right_b,
            "only A right": self.right_a & ~self.right_b,
            "only B right": self.right_b & ~self.right_a,
            "agree": self.same,
            "disagree": ~self.same,
        }.get(name)
        if chosen is None:
            raise AuditError(f"There is no such part as “{name}”.", f"Parts: {', '.join(PARTS)}.")
        return frozenset(self.images[chosen].tolist())


def prediction_choices(project: Project) -> tuple[PredictionChoice, ...]:
    """Every run and task with predictions of at least one model, the newest run first."""
    found = []
    for row in project.rows("SELECT id, name FROM run WHERE audit = 'evaluation' ORDER BY id DESC"):
        names = {
            one[0] for one in project.rows("SELECT name FROM array WHERE run = ?", (row["id"],))
        }
        kept = {
            model: f"models/{place}"
            for place, model in enumerate(project.run_models(row["id"]))
            if {f"models/{place}/images", f"models/{place}/labels"} <= names
        }
        tasks = dict.fromkeys(
            task
            for (task,) in project.rows(
                "SELECT task FROM performance WHERE run = ? ORDER BY id", (row["id"],)
            )
        )
        for task in tasks:
            models = tuple(model for model, key in kept.items() if f"{key}/{task}" in names)
            if models:
                found.append(PredictionChoice(row["id"], row["name"], task, models))
    return tuple(found)


def predictions(project: Project, run: int, task: str, model: str) -> Predictions:
    """What a model answers in a task.

    Raises AuditError for an unknown run, one without these predictions, and damaged ones.
    """
    run_row(project, run)
    models = project.run_models(run)
    key = f"models/{models.index(model)}" if model in models else ""
    names = [f"{key}/{part}" for part in ("images", "labels", task)]
    if not key or not all(project.has_array(run, name) for name in names):
        raise AuditError(
            f"Run {run} keeps no predictions of {model} in the task {task}.",
            "Imported tables and prototypes have none: evaluate the models here.",
        )
    images, labels, probabilities = (project.read_array(run, name) for name in names)
    fits = (
        images.ndim == labels.ndim == 1
        and images.dtype.kind in "iu"
        and labels.dtype.kind in "iu"
        and probabilities.ndim == 2
        and len(images) == len(labels) == len(probabilities)
        and probabilities.shape[1] > 0
        and len(np.unique(images)) == len(images)
    )
    if not fits:
        raise damaged(f"The predictions of {model} in run {run} do not fit together.")
    return Predictions(
        model,
        task,
        read_only(images.astype(np.int64)),
        read_only(labels.astype(np.int64)),
        read_only(probabilities.argmax(1).astype(np.int64)),
    )


def agreement(project: Project, run: int, task: str, model_a: str, model_b: str) -> Agreement:
    """Where two models of a run agree, on the images that both were asked about.

    Raises AuditError as `predictions` does.
    """
    a, b = (predictions(project, run, task, model) for model in (model_a, model_b))
    images, of_a, of_b = np.intersect1d(a.images, b.images, return_indices=True)
    return Agreement(
        model_a=model_a,
        model_b=model_b,
        task=task,
        images=read_only(images),
        right_a=read_only(a.right[of_a]),
        right_b=read_only(b.right[of_b]),
        same=read_only(a.answers[of_a] == b.answers[of_b]),
    )


def accuracy_of(
    project: Project, run: int, task: str, model: str, images: frozenset[int]
) -> Summary:
    """Share of these images that a model gets right, with its interval over images.

    Raises AuditError as `predictions` does.
    """
    found = predictions(project, run, task, model)
    kept = np.isin(found.images, list(images))
    replicates, seed = drawing(run_parameters(run_row(project, run)))
    return summarise(found.right[kept].astype(np.float64), replicates, seed)


def sliced_performance(
    project: Project, chosen: SliceChoice, runs: Sequence[int] | None = None
) -> PerformanceTable:
    """As `performance_table`, from the predictions of the slice's images; models and tasks without
    kept predictions are missing, of several runs the newest counts.

    :param runs: only these evaluation runs.
    """
    values: dict[tuple[str, str], Summary] = {}
    tasks: dict[str, None] = {}
    for choice in prediction_choices(project):
        if runs is not None and choice.run not in runs:
            continue
        for model in choice.models:
            if (model, choice.task) in values:
                continue
            found = accuracy_of(project, choice.run, choice.task, model, chosen.images)
            if found.n:
                values[model, choice.task] = found
                tasks[choice.task] = None
    order = [row[0] for row in project.rows("SELECT name FROM model ORDER BY position, id")]
    known = {model for model, _ in values}
    models = tuple(name for name in order if name in known)
    shape = (len(models), len(tasks))
    arrays = [np.full(shape, np.nan) for _ in range(3)]
    n = np.zeros(shape, dtype=np.int64)
    for i, model in enumerate(models):
        for j, task in enumerate(tasks):
            one = values.get((model, task))
            if one is not None:
                for array, number in zip(arrays, (one.mean, one.low, one.high), strict=True):
                    array[i, j] = number
                n[i, j] = one.n
    value, low, high = map(read_only, arrays)
    return PerformanceTable(models, tuple(tasks), value, low, high, read_only(n))
