"""Saliency over a slice of the images: maps, means, tests and curves from what is kept of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from analysis.faithfulness.metrics import METRICS
from analysis.faithfulness.summary import all_pairs, compare, summarise_all
from analysis.figures.columns import parameter_number, read_only, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.saliency_data import (
    FaithfulnessComparisons,
    FaithfulnessSummary,
    SaliencyIndex,
)
from analysis.figures.saliency_readers import (
    assembled_comparisons,
    assembled_summary,
    saliency_index,
)
from analysis.figures.slices import SliceChoice, drawing
from analysis.seeds import derive_seed

if TYPE_CHECKING:
    from analysis.project import Project

_Key = tuple[str, str]  # model, method
_Columns = dict[Hashable, np.ndarray]
_MOST_PERMUTATIONS = 10_000


def sliced_index(project: Project, run: int, chosen: SliceChoice) -> SaliencyIndex:
    """As `saliency_index`, of the slice's images alone. Raises AuditError for an unknown run."""
    whole = saliency_index(project, run)
    kept = np.flatnonzero(np.isin(whole.images, list(chosen.images)))
    return replace(
        whole,
        images=read_only(whole.images[kept]),
        image_names=tuple(whole.image_names[place] for place in kept.tolist()),
        image_labels=tuple(whole.image_labels[place] for place in kept.tolist()),
        available=read_only(whole.available[kept]),
        slice_name=chosen.name,
    )


def sliced_faithfulness(
    project: Project, run: int, chosen: SliceChoice
) -> tuple[FaithfulnessSummary, FaithfulnessComparisons]:
    """Means of all metrics over the slice's images with their intervals, and the paired tests.

    As the run does it over all images: the methods of one model are one family of tests, and so are
    the models with all their methods. Raises AuditError for an unknown run.
    """
    parameters = run_parameters(run_row(project, run))
    values = _values(project, run, chosen.images)
    replicates, seed = drawing(parameters)
    tests = assembled_comparisons(run, _tests(values, parameters, replicates, seed))
    summary = assembled_summary(project, run, _means(values, replicates, seed), tests)
    summary = replace(summary, tied=read_only(_tied(project, summary, chosen.images)))
    return replace(summary, slice_name=chosen.name), tests


def _values(
    project: Project, run: int, images: frozenset[int]
) -> dict[str, dict[_Key, np.ndarray]]:
    """Of each metric: (images,) values by model and method, NaN where there is none."""
    rows = [
        row
        for row in project.rows(
            "SELECT image, model, method, metric, value FROM faithfulness"
            " WHERE run = ? ORDER BY id",
            (run,),
        )
        if row["image"] in images
    ]
    places: dict[int, int] = {}
    for row in rows:
        places.setdefault(row["image"], len(places))
    found: dict[str, dict[_Key, np.ndarray]] = defaultdict(dict)
    for image, model, method, metric, value in rows:
        column = found[metric].setdefault((model, method), np.full(len(places), np.nan))
        if value is not None and np.isfinite(value):
            column[places[image]] = value
    return found


def _means(
    values: dict[str, dict[_Key, np.ndarray]], replicates: int, seed: int
) -> list[tuple[Any, ...]]:
    """Rows of `faithfulness_summary`: metric, model, method, mean, ends of the interval, n."""
    rows: list[tuple[Any, ...]] = []
    for metric, columns in values.items():
        drawn = derive_seed(seed, "summary", metric)
        binary = metric in METRICS and METRICS[metric].binary
        found = summarise_all(cast("_Columns", columns), replicates, drawn, binary=binary)
        for key, one in found.items():
            rows.append((metric, *cast("_Key", key), one.mean, one.low, one.high, one.n))
    return rows


def _tests(
    values: dict[str, dict[_Key, np.ndarray]],
    parameters: dict[str, Any],
    replicates: int,
    seed: int,
) -> list[tuple[Any, ...]]:
    """Rows of `faithfulness_comparison`, in the order of the run."""
    asked = parameter_number(parameters, "permutations")
    permutations = int(min(asked, _MOST_PERMUTATIONS)) if asked >= 1 else _MOST_PERMUTATIONS
    rows: list[tuple[Any, ...]] = []
    for metric, columns in values.items():
        drawn = derive_seed(seed, "comparison", metric)
        for pairs in _families(list(columns)):
            found = compare(cast("_Columns", columns), pairs, permutations, replicates, drawn)
            rows += [
                (
                    metric,
                    *cast("_Key", one.first),
                    *cast("_Key", one.second),
                    *(one.difference, one.low, one.high, one.p, one.p_adjusted, one.n),
                )
                for one in found
                if one.n
            ]
    return rows


def _families(keys: Sequence[_Key]) -> list[list[tuple[Hashable, Hashable]]]:
    models = list(dict.fromkeys(model for model, _ in keys))
    methods = list(dict.fromkeys(method for _, method in keys))
    within = [all_pairs([key for key in keys if key[0] == model]) for model in models]
    across = [
        pair for method in methods for pair in all_pairs([key for key in keys if key[1] == method])
    ]
    return [pairs for pairs in (*within, across) if pairs]


def _tied(project: Project, summary: FaithfulnessSummary, images: frozenset[int]) -> np.ndarray:
    """Mean share of tied pixels of the slice's maps, (models, methods)."""
    labels = [method.label for method in summary.methods]
    shares: dict[_Key, list[float]] = defaultdict(list)
    for image, model, method, share in project.rows(
        "SELECT image, model, method, tied FROM saliency WHERE run = ?", (summary.run,)
    ):
        if image in images and share is not None and 0 <= share <= 1:
            shares[model, method].append(share)
    tied = np.full((len(summary.models), len(labels)), np.nan)
    for i, model in enumerate(summary.models):
        for j, label in enumerate(labels):
            if found := shares.get((model, label)):
                tied[i, j] = float(np.mean(found))
    return tied
