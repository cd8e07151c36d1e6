"""Concepts over a slice of the images: similarity and patches from the coefficients of patches.

Only what a run keeps of each patch can be had anew: real and predicted coefficients, and so CMCS
with its interval and the patches that show a concept. Chance, the similarity within one model and
the best match were measured over all images at once: they are left out (NaN). Importance, stability
and reconstruction are of the concept itself and stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.columns import read_only, run_parameters
from analysis.figures.data import ConceptDetail, ConceptPatch, ConceptPoints
from analysis.figures.readers import concept_detail, concept_points, run_row
from analysis.figures.slices import SliceChoice, drawing
from analysis.statistics.image_correlation import correlation_over_images

if TYPE_CHECKING:
    from analysis.project import Project

_USUAL_PATCHES = 10
_LEFT_OUT = ("null_95", "smcs_pearson", "mcs_pearson")
_OVER_IMAGES = ("cmcs_pearson", "cmcs_spearman", "ci_low", "ci_high")


def sliced_points(project: Project, run: int, chosen: SliceChoice) -> ConceptPoints:
    """As `concept_points`, of the classes that have held-out patches of the slice's images.

    Raises AuditError for an unknown run.
    """
    whole = concept_points(project, run)
    replicates, seed = drawing(run_parameters(run_row(project, run)))
    numbers = {name: np.full(len(whole.concept_id), np.nan) for name in _OVER_IMAGES}
    images = np.zeros(len(whole.concept_id))
    for class_name in dict.fromkeys(whole.class_name.tolist()):
        kept = _kept_rows(project, run, class_name, chosen.images)
        if kept is None:
            continue
        rows, of_row = kept
        for side in ("a", "b"):
            at = np.flatnonzero((whole.class_name == class_name) & (whole.side == side))
            both = _coefficients(project, run, class_name, side, rows)
            if both is None or not len(at):
                continue
            found = correlation_over_images(*both, of_row, replicates, seed)
            known = whole.concept[at] < len(found.pearson)
            for name, values in zip(
                _OVER_IMAGES, (found.pearson, found.spearman, found.low, found.high), strict=True
            ):
                numbers[name][at[known]] = values[whole.concept[at[known]]]
            images[at] = found.images
    return _of_places(whole, np.flatnonzero(images > 0), numbers, images, chosen.name)


def _of_places(
    whole: ConceptPoints,
    places: np.ndarray,
    numbers: dict[str, np.ndarray],
    images: np.ndarray,
    name: str,
) -> ConceptPoints:
    arrays: dict[str, Any] = {
        field.name: read_only(getattr(whole, field.name)[places])
        for field in fields(whole)
        if isinstance(getattr(whole, field.name), np.ndarray)
    }
    arrays |= {key: read_only(values[places]) for key, values in numbers.items()}
    arrays |= {key: read_only(np.full(len(places), np.nan)) for key in _LEFT_OUT}
    arrays["n_images"] = read_only(images[places])
    return replace(whole, **arrays, slice_name=name)


def _kept_rows(
    project: Project, run: int, class_name: str, images: frozenset[int]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Which held-out patches of a class are of these images, and of which; None without any."""
    name = f"class/{class_name}/image"
    if not project.has_array(run, name):
        return None
    of_patch = project.read_array(run, name)
    if of_patch.ndim != 1:
        return None
    rows = np.flatnonzero(np.isin(of_patch, list(images)))
    return (rows, of_patch[rows].astype(np.int64)) if len(rows) else None


def _coefficients(
    project: Project, run: int, class_name: str, side: str, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Real and predicted coefficients of these patches; None where they cannot be used."""
    names = [f"class/{class_name}/{side}/{kind}" for kind in ("real", "predicted")]
    if not all(project.has_array(run, name) for name in names):
        return None
    real, predicted = (project.read_array(run, name) for name in names)
    fits = real.ndim == 2 and real.shape == predicted.shape and len(real) > rows.max()
    if not fits or not (np.isfinite(real).all() and np.isfinite(predicted).all()):
        return None
    return real[rows], predicted[rows]


def sliced_detail(project: Project, concept_id: int, chosen: SliceChoice) -> ConceptDetail:
    """As `concept_detail`, of the slice's images alone; patches are chosen among them anew.

    A patch that is among the run's own keeps its id; the others have negative ones.
    """
    whole = concept_detail(project, concept_id)
    replicates, seed = drawing(run_parameters(run_row(project, whole.run)))
    kept = np.flatnonzero(np.isin(whole.image, list(chosen.images)))
    real, predicted, image = whole.real[kept], whole.predicted[kept], whole.image[kept]
    found = correlation_over_images(real[:, None], predicted[:, None], image, replicates, seed)
    changed: dict[str, Any] = {name: float("nan") for name in _LEFT_OUT}
    changed |= _patches(whole, kept)
    return replace(
        whole,
        cmcs_pearson=float(found.pearson[0]),
        cmcs_spearman=float(found.spearman[0]),
        ci_low=float(found.low[0]),
        ci_high=float(found.high[0]),
        n_images=found.images,
        real=read_only(real),
        predicted=read_only(predicted),
        image=read_only(image),
        box=read_only(whole.box[kept]),
        **changed,
        slice_name=chosen.name,
    )


def _patches(whole: ConceptDetail, kept: np.ndarray) -> dict[str, tuple[ConceptPatch, ...]]:
    """The patches of the largest coefficients, and the most under- and over-predicted ones, one an
    image, those of the top images left out of the others (paper, 3.4)."""
    real, image = whole.real[kept], whole.image[kept]
    residual = real - whole.predicted[kept]
    everything = np.ones(len(kept), dtype=bool)
    top = _best(real, image, everything, len(whole.top))
    outside = ~np.isin(image, image[top])
    places = {
        "top": top,
        "under": _best(residual, image, outside & (residual > 0), len(whole.under)),
        "over": _best(-residual, image, outside & (residual < 0), len(whole.over)),
    }
    known = {
        (kind, patch.image, patch.x, patch.y, patch.width, patch.height): patch.patch_id
        for kind in places
        for patch in getattr(whole, kind)
    }
    number = -2  # −1 is a patch of no set
    patches: dict[str, tuple[ConceptPatch, ...]] = {}
    for kind, chosen in places.items():
        row = []
        for rank, place in enumerate(kept[chosen].tolist()):
            of_image, (x, y, wide, high) = int(whole.image[place]), whole.box[place].tolist()
            identity = known.get((kind, of_image, x, y, wide, high))
            if identity is None:
                identity, number = number, number - 1
            box = (of_image, x, y, wide, high)
            values = (float(whole.real[place]), float(whole.predicted[place]))
            row.append(ConceptPatch(identity, kind, rank, *box, *values))
        patches[kind] = tuple(row)
    return patches


def _best(values: np.ndarray, image: np.ndarray, allowed: np.ndarray, stored: int) -> Sequence[int]:
    """Places of the largest values among the allowed, at most one an image."""
    rows = np.flatnonzero(allowed)
    ranked = rows[np.argsort(-values[rows], kind="stable")]
    _, first = np.unique(image[ranked], return_index=True)
    chosen: list[int] = ranked[np.sort(first)][: max(stored, _USUAL_PATCHES)].tolist()
    return chosen
