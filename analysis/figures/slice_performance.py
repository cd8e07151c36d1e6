"""How well models do on each slice of the images, from the predictions that a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AuditError
from analysis.faithfulness.summary import summarise
from analysis.figures.agreement import Predictions, prediction_choices, predictions
from analysis.figures.columns import read_only, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.slices import SliceChoice, drawing, slice_named
from analysis.figures.tables import Table, plain_rows
from analysis.name_lists import split_names

if TYPE_CHECKING:
    from analysis.project import Project

ALL_IMAGES = "all images"
MOST_SLICES = 40


@dataclass(frozen=True)
class SlicePerformance:
    """Shares of right answers; all arrays (tasks, slices, models), NaN where a model was asked
    about none of a slice's images.

    The first slice is all images that were tested. `chance`: what a model would reach if it gave
    its answers to images drawn blindly, each answer as often as it gives it over all images.
    """

    run: int
    tasks: tuple[str, ...]
    slices: tuple[str, ...]
    models: tuple[str, ...]
    value: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    n: np.ndarray  # int64: images of the slice that were tested
    chance: np.ndarray


def slice_performance(
    project: Project,
    run: int,
    slices: Sequence[str] = (),
    tasks: Sequence[str] = (),
    models: Sequence[str] = (),
) -> SlicePerformance:
    """Performance over slices of an evaluation run.

    :param slices: by name; none: all of the project.
    :param tasks: none: the first one whose predictions are kept.
    :param models: none: all whose predictions are kept.
    Raises AuditError for unknown names, a project without slices, more than `MOST_SLICES`, and a
    run that keeps no predictions of images of these slices.
    """
    about = run_row(project, run)
    kept = {one.task: one.models for one in prediction_choices(project) if one.run == run}
    if not kept:
        raise AuditError(
            f"Run {run} has no results of single images.",
            "Imported tables and prototypes have none: let `parallax run FILE evaluation` judge the"
            " models by k-NN or the linear probe.",
        )
    shown_tasks = _chosen(tasks, tuple(kept), "task") or (next(iter(kept)),)
    known = dict.fromkeys(model for task in shown_tasks for model in kept[task])
    shown_models = _chosen(models, tuple(known), "model") or tuple(known)
    chosen = _slices(project, slices)
    within = [None, *(np.array(sorted(one.images), dtype=np.int64) for one in chosen)]
    shape = (len(shown_tasks), len(within), len(shown_models))
    value, low, high, chance = (np.full(shape, np.nan) for _ in range(4))
    n = np.zeros(shape, dtype=np.int64)
    replicates, seed = drawing(run_parameters(about))
    for t, task in enumerate(shown_tasks):
        for m, model in enumerate(shown_models):
            if model not in kept[task]:
                continue
            found = predictions(project, run, task, model)
            for s, images in enumerate(within):
                inside = _inside(found, images)
                one = summarise(found.right[inside].astype(np.float64), replicates, seed)
                n[t, s, m] = one.n
                if one.n:
                    value[t, s, m], low[t, s, m], high[t, s, m] = one.mean, one.low, one.high
                    chance[t, s, m] = _chance(found, inside)
    if not n[:, 1:].any():
        raise AuditError(
            f"Run {run} was asked about no image of these slices.",
            "Evaluate the models on the image set that the slices are of.",
        )
    return SlicePerformance(
        run,
        shown_tasks,
        (ALL_IMAGES, *(one.name for one in chosen)),
        shown_models,
        *map(read_only, (value, low, high, n, chance)),
    )


def _inside(found: Predictions, images: np.ndarray | None) -> np.ndarray:
    """(images,) which of the tested images count."""
    if images is None:
        return np.ones(len(found.images), dtype=bool)
    return np.isin(found.images, images)


def _chance(found: Predictions, inside: np.ndarray) -> float:
    """Sum over classes of its share among the labels × the share of answers that name it."""
    labels = found.labels[inside]
    classes, counts = np.unique(labels, return_counts=True)
    named = np.array([np.mean(found.answers == one) for one in classes])
    return float((counts / len(labels)) @ named)


def _chosen(names: Sequence[str], known: tuple[str, ...], what: str) -> tuple[str, ...]:
    missing = [name for name in names if name not in known]
    if missing:
        raise AuditError(
            f"The run keeps no predictions of a {what} “{missing[0]}”.",
            f"It keeps those of {', '.join(known)}.",
        )
    return tuple(dict.fromkeys(names))


def _slices(project: Project, names: Sequence[str]) -> list[SliceChoice]:
    wanted = tuple(dict.fromkeys(names)) or tuple(one.name for one in project.image_slices())
    if not wanted:
        raise AuditError(
            "This project has no slices yet.",
            "Make one in the window: by class, by what models answer, or of what is selected.",
        )
    if len(wanted) > MOST_SLICES:
        raise AuditError(
            f"{len(wanted)} slices are more than one figure can show.",
            f"Name at most {MOST_SLICES}: slices=NAME,NAME…",
        )
    chosen = (slice_named(project, name) for name in wanted)
    return [one for one in chosen if one is not None]


def named_lists(*texts: str) -> tuple[tuple[str, ...], ...]:
    """Lists of names as a figure's parameters write them."""
    return tuple(split_names(text) for text in texts)


def slice_performance_table(data: SlicePerformance) -> Table:
    """One row a task, slice and model that was asked about some of its images."""
    columns = ("task", "slice", "model", "value", "ci_low", "ci_high", "n", "chance")
    rows = [
        (
            *(task, name, model),
            *(array[t, s, m] for array in (data.value, data.ci_low, data.ci_high)),
            *(int(data.n[t, s, m]), data.chance[t, s, m]),
        )
        for t, task in enumerate(data.tasks)
        for s, name in enumerate(data.slices)
        for m, model in enumerate(data.models)
        if data.n[t, s, m]
    ]
    return columns, plain_rows(rows)
