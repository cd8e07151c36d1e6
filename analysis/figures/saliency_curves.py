"""Curves of insertion and deletion, read from a project file, and their means with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.columns import parameter_number, read_only, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.saliency_data import Cell, Curve, Curves, MeanCurve
from analysis.figures.saliency_values import LONGEST_SCORES, read_scores, wanted_cells
from analysis.figures.slices import SliceChoice

if TYPE_CHECKING:
    from analysis.project import Project

KINDS = ("insertion", "deletion")
_SHORT = f"length(scores) <= {LONGEST_SCORES}"
_MOST_POINTS = 1001  # of a mean curve: more cannot be seen
_REPLICATES, _MOST_REPLICATES = 1000, 5000
_AT_ONCE = 4_000_000  # drawn images held at a time


def saliency_curves(
    project: Project, run: int, cells: Sequence[Cell], chosen_slice: SliceChoice | None = None
) -> Curves:
    """The curves of these cells, and the mean curves of their models and methods.

    Insertion before deletion. Cells without curves, and curves whose scores cannot be read, are
    left out. A mean curve of more than 1,001 points has 1,001 of them. Raises AuditError for an
    unknown run.

    :param chosen_slice: means are of its images alone.
    """
    chosen = tuple(dict.fromkeys(map(Cell._make, cells)))
    found = {}
    for row in wanted_cells(project, run, chosen, "curve", "kind, scores", _SHORT):
        scores = read_scores(row["scores"])
        if scores is not None:
            cell = Cell(row["image"], row["model"], row["method"])
            found[cell, row["kind"]] = _curve(cell, row["kind"], scores)
    pairs = tuple(dict.fromkeys((cell.model, cell.method) for cell in chosen))
    return Curves(
        run=run,
        curves=tuple(
            found[cell, kind] for cell in chosen for kind in KINDS if (cell, kind) in found
        ),
        means=mean_curves(project, run, pairs, chosen_slice),
        slice_name=chosen_slice.name if chosen_slice is not None else "",
    )


def mean_curves(
    project: Project,
    run: int,
    pairs: Sequence[tuple[str, str]],
    chosen_slice: SliceChoice | None = None,
) -> tuple[MeanCurve, ...]:
    """The mean curves, with 95 % intervals, of these models and methods, both kinds.

    Raises AuditError for an unknown run.

    :param chosen_slice: only its images count.
    """
    parameters = run_parameters(run_row(project, run))
    images = chosen_slice.images if chosen_slice is not None else None
    means = (
        _mean_curve(project, run, model, method, kind, parameters, images)
        for model, method in pairs
        for kind in KINDS
    )
    return tuple(mean for mean in means if mean is not None)


def _curve(cell: Cell, kind: str, scores: np.ndarray) -> Curve:
    return Curve(
        cell=cell,
        kind=kind,
        fraction=read_only(np.linspace(0, 1, len(scores))),
        scores=read_only(scores),
        auc=float(_area(scores)),
    )


def _area(scores: np.ndarray) -> np.ndarray:
    """The trapezoids' area along the last axis, which covers 0…1."""
    ends: np.ndarray = (scores[..., 0] + scores[..., -1]) / 2
    area: np.ndarray = (scores.sum(-1) - ends) / (scores.shape[-1] - 1)
    return area


def _mean_curve(
    project: Project,
    run: int,
    model: str,
    method: str,
    kind: str,
    parameters: dict[str, Any],
    images: frozenset[int] | None,
) -> MeanCurve | None:
    rows = project.rows(
        "SELECT scores, image FROM curve WHERE run = ? AND model = ? AND method = ? AND kind = ?"
        f" AND {_SHORT} ORDER BY image",
        (run, model, method, kind),
    )
    wanted = (row[0] for row in rows if images is None or row[1] in images)
    read = [scores for scores in map(read_scores, wanted) if scores is not None]
    if not read:
        return None
    length = Counter(len(scores) for scores in read).most_common(1)[0][0]
    kept = [scores for scores in read if len(scores) == length]
    points = np.unique(np.linspace(0, length - 1, min(length, _MOST_POINTS)).round().astype(int))
    scores = np.stack([scores[points] for scores in kept])
    low, high = _interval(scores, parameters)
    return MeanCurve(
        model=model,
        method=method,
        kind=kind,
        fraction=read_only(points / (length - 1)),
        mean=read_only(scores.mean(0)),
        low=read_only(low),
        high=read_only(high),
        n=len(kept),
        auc=float(np.mean([_area(scores) for scores in kept])),
    )


def _interval(scores: np.ndarray, parameters: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % percentile interval of the mean at each point, images drawn anew; NaN for one image.

    :param scores: (images, points).
    """
    images, points = scores.shape
    if images < 2:
        return np.full(points, np.nan), np.full(points, np.nan)
    asked, seed = (parameter_number(parameters, name) for name in ("replicates", "seed"))
    replicates = int(min(asked, _MOST_REPLICATES)) if asked >= 100 else _REPLICATES
    at_once = max(1, _AT_ONCE // images)
    means = [
        _drawn(images, min(at_once, replicates - start), int(seed) if seed >= 0 else 0, start)
        @ scores
        for start in range(0, replicates, at_once)
    ]
    by_point = np.ascontiguousarray(np.concatenate(means).T) / images
    low, high = np.percentile(by_point, (2.5, 97.5), axis=1)
    return low, high


@lru_cache(maxsize=4)
def _drawn(images: int, replicates: int, seed: int, start: int) -> np.ndarray:
    """How often each image appears in each bootstrap sample, (replicates, images); the same for
    every curve, so that it is drawn once."""
    generator = np.random.default_rng((seed, start))
    drawn = generator.integers(images, size=(replicates, images), dtype=np.int32)
    counts = np.zeros((replicates, images))
    for row, places in zip(counts, drawn, strict=True):
        row += np.bincount(places, minlength=images)
    return counts
