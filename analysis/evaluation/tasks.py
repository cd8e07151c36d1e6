"""All tasks of one model on one image set: what performance means here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.evaluation.checks import checked_features, checked_labels
from analysis.evaluation.intervals import Accuracy, accuracy_with_interval
from analysis.evaluation.neighbours import cross_validated_knn
from analysis.evaluation.probe import linear_probe
from analysis.evaluation.prototypes import prototypical
from analysis.evaluation.splits import TRAIN_AND_TEST, Split
from analysis.evaluation.task_names import LINEAR_PROBE, knn_task, prototype_task

Report = Callable[[float, float, str], None]


@dataclass(frozen=True)
class TaskSettings:
    """Which tasks, and how they are asked.

    `neighbours`: k of k-NN; `temperature` of its votes. `probe`: whether to fit a linear probe.
    `shots` of the prototypes, with `episodes` of `queries` images a class. `replicates` of the
    bootstrap over images.
    """

    neighbours: tuple[int, ...] = (10, 20, 100, 200)
    temperature: float = 0.07
    probe: bool = True
    shots: tuple[int, ...] = (5, 10, 50)
    episodes: int = 200
    queries: int = 15
    replicates: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class TaskResult:
    """Accuracy 0…1 of one model in one task.

    `probabilities`: (tested images, classes) in the order of `Split.tested`, for ensembles; None
    for prototypes, which give no answer to every image.
    """

    task: str
    accuracy: Accuracy
    probabilities: np.ndarray | None


@dataclass(frozen=True)
class Evaluation:
    """What could be asked.

    `left_out`: (task, reason) of what the images do not allow, the same for every model of a
    split. `doubtful`: (task, reason) of results of these features that are to be doubted.
    """

    results: tuple[TaskResult, ...]
    left_out: tuple[tuple[str, str], ...]
    doubtful: tuple[tuple[str, str], ...] = ()


def evaluate(
    features: np.ndarray,
    split: Split,
    settings: TaskSettings | None = None,
    report: Report | None = None,
) -> Evaluation:
    """Weighted k-NN, linear probe and prototypes on one model's features.

    Interval of each accuracy: bootstrap over the tested images, with the same draws for every
    model. In a split with training images, prototypes come from those and queries from the test
    images.

    :param features: (images, d), one row an image of the split.
    :param report: called with (done, total, text); may raise to cancel.
    :raises AuditError: features that are not finite or of other images than the split.
    """
    chosen = settings or TaskSettings()
    values = checked_features(features)
    checked_labels(split.labels, len(values))
    tell = _Shares(report, bool(chosen.neighbours) + chosen.probe + len(chosen.shots))
    results: list[TaskResult] = []
    left_out: list[tuple[str, str]] = []
    doubtful: list[tuple[str, str]] = []
    if chosen.neighbours:
        near = cross_validated_knn(
            values, split, chosen.neighbours, chosen.temperature, tell.next()
        )
        left_out += near.left_out
        for k, probabilities in zip(near.ks, near.probabilities, strict=True):
            results.append(_classified(knn_task(k), probabilities, split, chosen))
    if chosen.probe:
        probe = linear_probe(
            values,
            split.labels,
            split.folds,
            seed=chosen.seed,
            classes=len(split.classes),
            report=tell.next(),
        )
        results.append(_classified(LINEAR_PROBE, probe.probabilities, split, chosen))
        if not all(probe.converged):
            doubtful.append((LINEAR_PROBE, "the solver stopped before it converged"))
    for shots in chosen.shots:
        result, problems = _few_shot(values, split, shots, chosen, tell.next())
        left_out += problems
        if result is not None:
            results.append(result)
    return Evaluation(tuple(results), tuple(left_out), tuple(doubtful))


def _classified(
    task: str, probabilities: np.ndarray, split: Split, settings: TaskSettings
) -> TaskResult:
    tested = split.tested
    given = probabilities[tested]
    correct = given.argmax(1) == split.labels[tested]
    accuracy = accuracy_with_interval(correct, settings.replicates, settings.seed)
    return TaskResult(task, accuracy, given)


def _few_shot(
    features: np.ndarray,
    split: Split,
    shots: int,
    settings: TaskSettings,
    report: Report | None,
) -> tuple[TaskResult | None, list[tuple[str, str]]]:
    task = prototype_task(shots)
    training = None
    if split.kind == TRAIN_AND_TEST:
        training = np.isin(np.arange(len(features)), split.folds[0].train)
    try:
        found = prototypical(
            features,
            split.labels,
            shots,
            settings.episodes,
            settings.queries,
            settings.seed,
            training=training,
            report=report,
        )
    except AuditError as error:
        return None, [(task, error.summary)]
    accuracy = accuracy_with_interval(
        found.right, settings.replicates, settings.seed, asked=found.asked
    )
    left_out = [
        (task, f"without the class {split.classes[number]}: {reason}")
        for number, reason in found.left_out
    ]
    return TaskResult(task, accuracy, None), left_out


class _Shares:
    """One report for several tasks in a row, each an equal share of the whole."""

    def __init__(self, report: Report | None, tasks: int) -> None:
        self._report, self._tasks, self._begun = report, tasks, 0

    def next(self) -> Report | None:
        report, position = self._report, self._begun
        self._begun += 1
        if report is None:
            return None

        def told(done: float, total: float, text: str) -> None:
            report(position + done / total, self._tasks, text)

        return told
