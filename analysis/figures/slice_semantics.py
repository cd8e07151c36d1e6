"""Concepts found without labels over a slice of the images: UCS from the masks that are kept.

What a random pairing of images would give was measured over all images: chance is left out (NaN).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.columns import read_only, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.semantics_choice import grid_side
from analysis.figures.semantics_data import MaskSimilarityMatrix, SemanticsIndex
from analysis.figures.semantics_masks import layer_projections, mask_images, mask_similarity
from analysis.figures.semantics_readers import semantics_index
from analysis.figures.semantics_values import pair_run
from analysis.figures.slices import SliceChoice, drawing

if TYPE_CHECKING:
    from analysis.project import Project


def sliced_semantics(project: Project, run: int, chosen: SliceChoice) -> SemanticsIndex:
    """As `semantics_index`, with the slice's images alone. Raises AuditError as that does."""
    whole = semantics_index(project, run)
    kept = np.flatnonzero(np.isin(whole.images, list(chosen.images)))
    return replace(
        whole,
        images=read_only(whole.images[kept]),
        image_names=tuple(whole.image_names[place] for place in kept.tolist()),
        slice_name=chosen.name,
    )


def sliced_masks(
    project: Project, run: int, layer_a: str, layer_b: str, chosen: SliceChoice
) -> MaskSimilarityMatrix:
    """As `mask_similarity`, from the masks of the slice's images; matches are made anew.

    Raises AuditError as that does, and where the masks of a layer are not kept.
    """
    whole = mask_similarity(project, run, layer_a, layer_b)
    if not whole.ucs.size:
        return replace(whole, slice_name=chosen.name)
    about = pair_run(project, run)
    known, _ = mask_images(project, run)
    rows = np.flatnonzero(np.isin(known, list(chosen.images)))
    side = grid_side(project, run)
    numbers = [[one.number for one in each] for each in (whole.concepts_a, whole.concepts_b)]
    values = [
        _enlarged(layer_projections(project, about, where, layer, len(known))[rows], of_side, side)
        for where, layer, of_side in zip("ab", (layer_a, layer_b), numbers, strict=True)
    ]
    replicates, seed = drawing(run_parameters(run_row(project, run)))
    counts = _drawn(len(rows), replicates, seed)
    ucs, low, high = (np.full(whole.ucs.shape, np.nan) for _ in range(3))
    matched = np.zeros(whole.ucs.shape, dtype=bool)
    for place, threshold in enumerate(whole.thresholds.tolist()):
        iou = paired_overlap(values[0] > threshold, values[1] > threshold)
        ucs[place], low[place], high[place] = _over_images(iou, counts)
        matched[place] = _matched(ucs[place])
    blank = np.full(whole.ucs.shape, np.nan)
    return replace(
        whole,
        ucs=read_only(ucs),
        ci_low=read_only(low),
        ci_high=read_only(high),
        null_95=read_only(blank),
        p_adjusted=read_only(blank.copy()),
        matched=read_only(matched),
        n=len(rows),
        slice_name=chosen.name,
    )


def _enlarged(codes: np.ndarray, concepts: list[int], side: int) -> np.ndarray:
    """(images, concepts, side, side) float32 0…1; a concept without masks is nowhere."""
    from analysis.faithfulness.steps import enlarge

    found = np.zeros((len(codes), len(concepts), side, side), dtype=np.float32)
    for place, concept in enumerate(concepts):
        if concept < codes.shape[1]:
            for image, own in enumerate(codes[:, concept]):
                found[image, place] = enlarge(own.astype(np.float32) / np.float32(255), side, side)
    return found


def paired_overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU of every pair of masks on each image, (n, ka, kb); NaN where both are empty.

    :param first: (n, ka, side, side) bool; `second`: (n, kb, side, side) bool.
    """
    a, b = (masks.reshape(*masks.shape[:2], -1).astype(np.float32) for masks in (first, second))
    both = a @ b.transpose(0, 2, 1)
    union = a.sum(2)[:, :, None] + b.sum(2)[:, None, :] - both
    found: np.ndarray = both / np.where(union > 0, union, np.nan)
    return found.astype(np.float64)


def _drawn(images: int, replicates: int, seed: int) -> np.ndarray:
    """How often each image appears in each bootstrap sample, (replicates, images)."""
    if images < 2:
        return np.zeros((0, images))
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(images, np.full(images, 1 / images), size=replicates)
    return counts.astype(np.float64)


def _over_images(iou: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the images that count, and the 95 % interval of it, (ka, kb) each."""
    shape = iou.shape[1:]
    flat = iou.reshape(len(iou), -1)
    there = np.isfinite(flat)
    values = np.where(there, flat, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = values.sum(0) / there.sum(0)
        drawn = (counts @ values) / (counts @ there.astype(np.float64))
    low, high = np.full(len(mean), np.nan), np.full(len(mean), np.nan)
    usable = np.isfinite(drawn).any(0) if len(drawn) else np.zeros(len(mean), dtype=bool)
    if usable.any():
        low[usable], high[usable] = np.nanquantile(drawn[:, usable], [0.025, 0.975], axis=0)
    return mean.reshape(shape), low.reshape(shape), high.reshape(shape)


def _matched(ucs: np.ndarray) -> np.ndarray:
    """The one-to-one matches with the greatest sum; a pair without a value is never one."""
    import scipy.optimize  # slow to import

    usable = np.where(np.isfinite(ucs), ucs, -1e-9)
    matched = np.zeros(ucs.shape, dtype=bool)
    matched[scipy.optimize.linear_sum_assignment(usable, maximize=True)] = True
    matched &= np.isfinite(ucs)
    return matched
