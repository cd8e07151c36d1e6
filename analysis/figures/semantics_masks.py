"""Concepts found without labels, and where they are: UCS and projection masks of a project file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import read_only, run_parameters
from analysis.figures.saliency_values import damaged
from analysis.figures.saliency_words import run_frame
from analysis.figures.semantics_data import (
    Box,
    FoundConcept,
    MaskSimilarityMatrix,
    ProjectedMasks,
)
from analysis.figures.semantics_values import (
    Cells,
    bounded,
    check_size,
    columns_of,
    largest,
    pair_run,
)

if TYPE_CHECKING:
    from analysis.project import Project

_MOST_IMAGES = 1_000_000
_MOST_SIDE = 4096
_LARGEST_SIDE = 1 << 24  # pixels; no image has as many along a side
_POSITIONS = {"a": 0, "b": 1}


def mask_images(project: Project, run: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Ids (int64) and paths of the images that masks were made for, empty without any.

    Raises AuditError where they cannot be as they are written.
    """
    name = "projections/images"
    if not project.has_array(run, name):
        return np.zeros(0, dtype=np.int64), ()
    ids = project.read_array(run, name)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or len(ids) > _MOST_IMAGES:
        raise damaged(f"The images of the masks of run {run} are not usable.")
    images = ids.astype(np.int64)
    if len(np.unique(images)) != len(images):
        raise damaged(f"Run {run} names an image of its masks twice.")
    paths = {row["id"]: row["path"] for row in project.rows("SELECT id, path FROM image")}
    return images, tuple(paths.get(image, f"image {image}") for image in images.tolist())


def mask_similarity(project: Project, run: int, layer_a: str, layer_b: str) -> MaskSimilarityMatrix:
    """UCS of every concept of a layer of model A with every concept of a layer of model B.

    Concepts stand in the order of their numbers. Arrays are empty where the run has not compared
    these layers. Raises AuditError for an unknown run.
    """
    about = pair_run(project, run)
    of_a, of_b, of_threshold, ucs, low, high, null, adjusted, matched, n = columns_of(
        project,
        "mask_similarity",
        "concept_a, concept_b, threshold, ucs, ci_low, ci_high, null_95, p_adjusted, matched, n",
        "run = ? AND model_a = ? AND layer_a = ? AND model_b = ? AND layer_b = ?"
        " AND threshold BETWEEN 0 AND 1 AND concept_a >= 0 AND concept_b >= 0",
        (run, about["model_a"], layer_a, about["model_b"], layer_b),
    )
    thresholds = sorted(set(of_threshold))
    concepts_a = _found_concepts(project, run, about["model_a"], layer_a, of_a)
    concepts_b = _found_concepts(project, run, about["model_b"], layer_b, of_b)
    numbers_a, numbers_b = ([one.number for one in side] for side in (concepts_a, concepts_b))
    check_size(run, max(1, len(thresholds)), len(numbers_a), len(numbers_b))
    cells = Cells([(thresholds, of_threshold), (numbers_a, of_a), (numbers_b, of_b)])
    values = cells.floats(ucs, 0, 1)
    return MaskSimilarityMatrix(
        run=run,
        layer_a=layer_a,
        layer_b=layer_b,
        concepts_a=concepts_a,
        concepts_b=concepts_b,
        thresholds=read_only(np.array(thresholds, dtype=np.float64)),
        ucs=values,
        ci_low=cells.floats(low, 0, 1),
        ci_high=cells.floats(high, 0, 1),
        null_95=cells.floats(null, 0, 1),
        matched=read_only(cells.flags(matched) & np.isfinite(values)),
        n=largest(n),
        p_adjusted=cells.floats(adjusted, 0, 1),
    )


def _found_concepts(
    project: Project, run: int, model: str, layer: str, compared: Sequence[int]
) -> tuple[FoundConcept, ...]:
    """The concepts of a layer, and those that were compared, in the order of their numbers."""
    numbers, classes, importance, fidelity, presence = columns_of(
        project,
        "mask_concept",
        "concept, class, importance, fidelity, presence",
        "run = ? AND model = ? AND layer = ? AND concept >= 0",
        (run, model, layer),
    )
    known = {
        number: FoundConcept(number, weight, name or "", error, share)
        for number, name, weight, error, share in zip(
            numbers,
            classes,
            bounded(importance).tolist(),
            bounded(fidelity, low=0).tolist(),
            bounded(presence, 0, 1).tolist(),
            strict=True,
        )
    }
    return tuple(
        known.get(number) or FoundConcept(number, np.nan, "", np.nan, np.nan)
        for number in sorted({*known, *compared})
    )


def projected_masks(
    project: Project,
    run: int,
    layer_a: str,
    concept_a: int,
    layer_b: str,
    concept_b: int,
    images: Sequence[int],
) -> ProjectedMasks:
    """Where a concept of A and one of B are in these images; those without masks are left out.

    Raises AuditError for an unknown run, for a layer or concept without masks, and for masks that
    cannot be as they are written.
    """
    about = pair_run(project, run)
    known, _ = mask_images(project, run)
    place = {image: at for at, image in enumerate(known.tolist())}
    rows = [place[image] for image in dict.fromkeys(map(int, images)) if image in place]
    values = [
        _projections(project, about, side, layer, concept, len(known))[rows]
        for side, layer, concept in (("a", layer_a, concept_a), ("b", layer_b, concept_b))
    ]
    chosen = known[rows]
    return ProjectedMasks(
        run=run,
        layer_a=layer_a,
        concept_a=int(concept_a),
        layer_b=layer_b,
        concept_b=int(concept_b),
        images=read_only(chosen),
        regions=_regions(project, about, chosen.tolist()),
        values_a=read_only(values[0].astype(np.float32) / np.float32(255)),
        values_b=read_only(values[1].astype(np.float32) / np.float32(255)),
    )


def _projections(
    project: Project, about: Any, side: str, layer: str, concept: int, images: int
) -> np.ndarray:
    """(images, rows, columns) bytes of a concept of a layer."""
    codes = layer_projections(project, about, side, layer, images)
    if not 0 <= concept < codes.shape[1]:
        raise AuditError(
            f"The layer {layer} of {about[f'model_{side}']} has no concept {concept}.",
            f"Its concepts are 0 to {codes.shape[1] - 1}.",
        )
    return codes[:, int(concept)]


def layer_projections(
    project: Project, about: Any, side: str, layer: str, images: int
) -> np.ndarray:
    """(images, concepts, rows, columns) bytes of a layer, 255 for 1.

    :param about: the run's row. :param images: how many there must be.
    Raises AuditError where the layer has none, and for masks that cannot be as they are written.
    """
    run = about["id"]
    positions = [_POSITIONS[side]]
    if about["model_a"] == about["model_b"]:  # one model's masks need not be kept twice
        positions.append(1 - _POSITIONS[side])
    names = [f"projections/{position}/{layer}" for position in positions]
    name = next((name for name in names if project.has_array(run, name)), None)
    if name is None:
        raise AuditError(
            f"Run {run} has no masks of the layer {layer} of {about[f'model_{side}']}.",
            "Choose another layer.",
        )
    codes = project.read_array(run, name)
    fits = codes.ndim == 4 and codes.dtype == np.uint8 and len(codes) == images
    if not fits or codes.size == 0 or max(codes.shape[2:]) > _MOST_SIDE:
        raise damaged(f"The masks of the layer {layer} in run {run} are not usable.")
    return codes


def _regions(project: Project, about: Any, images: Sequence[int]) -> tuple[Box, ...]:
    """The square of each image that was looked at, in pixels of the upright original."""
    frame = run_frame(run_parameters(about))
    regions = []
    for image in images:
        size = project.row("SELECT width, height FROM image WHERE id = ?", (image,))
        fits = size is not None and all(
            side is not None and 1 <= side <= _LARGEST_SIDE for side in size
        )
        if frame is None or size is None or not fits:
            raise damaged(f"Run {about['id']} does not say which part of image {image} it used.")
        regions.append(frame.region(size["width"], size["height"]))
    return tuple(regions)
