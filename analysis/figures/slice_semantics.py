"""Concepts found without labels over a slice of the images: UCS from the masks that are kept.

Interval, chance and the correction for all pairs are those of the slice's images: images are drawn
anew and shuffled among themselves.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.columns import parameter_number, read_only, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.semantics_choice import grid_side
from analysis.figures.semantics_data import MaskSimilarityMatrix, SemanticsIndex
from analysis.figures.semantics_masks import layer_projections, mask_images, mask_similarity
from analysis.figures.semantics_readers import semantics_index
from analysis.figures.semantics_values import pair_run
from analysis.figures.slices import SliceChoice, drawing
from analysis.seeds import derive_seed
from analysis.statistics.overlap_chance import (
    chance_level,
    greatest_p,
    paired_overlap,
    shuffled_overlap,
)

if TYPE_CHECKING:
    from analysis.project import Project

_MOST_PERMUTATIONS = 200  # within what can be waited for
_MOST_KEPT = 32  # measured slices, each some kilobytes
_KEPT: OrderedDict[bytes, _Overlap] = OrderedDict()
_KEPT_LOCK = threading.Lock()


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
    drawn = _Draws.of(run_parameters(run_row(project, run)))
    found = _measured(values, tuple(whole.thresholds.tolist()), drawn)
    return replace(
        whole,
        ucs=found.ucs,
        ci_low=found.low,
        ci_high=found.high,
        null_95=found.null_95,
        p_adjusted=found.p_adjusted,
        matched=found.matched,
        n=len(rows),
        slice_name=chosen.name,
    )


@dataclass(frozen=True)
class _Draws:
    """How often images are drawn and shuffled, and from which seed."""

    replicates: int
    permutations: int
    seed: int

    @classmethod
    def of(cls, parameters: dict[str, Any]) -> _Draws:
        replicates, seed = drawing(parameters)
        asked = parameter_number(parameters, "permutations")
        permutations = int(min(asked, _MOST_PERMUTATIONS)) if asked >= 50 else _MOST_PERMUTATIONS
        return cls(replicates, permutations, seed)


@dataclass(frozen=True)
class _Overlap:
    """(thresholds, concepts of A, concepts of B) each."""

    ucs: np.ndarray
    low: np.ndarray
    high: np.ndarray
    null_95: np.ndarray
    p_adjusted: np.ndarray
    matched: np.ndarray


def _measured(
    values: Sequence[np.ndarray], thresholds: tuple[float, ...], draws: _Draws
) -> _Overlap:
    """UCS of all pairs of concepts with its doubt; the same masks are measured once."""
    digest = hashlib.sha256(repr((thresholds, draws, [one.shape for one in values])).encode())
    for one in values:
        digest.update(np.ascontiguousarray(one).data)
    key = digest.digest()
    with _KEPT_LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
    found = _measure(values, thresholds, draws)
    with _KEPT_LOCK:
        _KEPT[key] = found
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return found


def _measure(
    values: Sequence[np.ndarray], thresholds: tuple[float, ...], draws: _Draws
) -> _Overlap:
    images = len(values[0])
    counts = _drawn(images, draws.replicates, draws.seed)
    orders = _orders(images, draws.permutations, draws.seed)
    parts = []
    for threshold in thresholds:
        masks = [one > threshold for one in values]
        ucs, low, high = _over_images(paired_overlap(masks[0], masks[1]), counts)
        null = shuffled_overlap(masks[0], masks[1], orders)
        parts.append((ucs, low, high, chance_level(null), greatest_p(ucs, null), _matched(ucs)))
    return _Overlap(*(read_only(np.stack(each)) for each in zip(*parts, strict=True)))


def _enlarged(codes: np.ndarray, concepts: list[int], side: int) -> np.ndarray:
    """(images, concepts, side, side) float32 0…1; a concept without masks is nowhere."""
    from analysis.faithfulness.steps import enlarge

    found = np.zeros((len(codes), len(concepts), side, side), dtype=np.float32)
    for place, concept in enumerate(concepts):
        if concept < codes.shape[1]:
            for image, own in enumerate(codes[:, concept]):
                found[image, place] = enlarge(own.astype(np.float32) / np.float32(255), side, side)
    return found


def _drawn(images: int, replicates: int, seed: int) -> np.ndarray:
    """How often each image appears in each bootstrap sample, (replicates, images)."""
    if images < 2:
        return np.zeros((0, images))
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(images, np.full(images, 1 / images), size=replicates)
    return counts.astype(np.float64)


def _orders(images: int, permutations: int, seed: int) -> np.ndarray:
    """(permutations, images) orders to shuffle images by; none of fewer than two images."""
    if images < 2:
        return np.zeros((0, images), dtype=np.int64)
    generator = np.random.default_rng(derive_seed(seed, "shuffled images of a slice"))
    return generator.random((permutations, images)).argsort(1)


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
