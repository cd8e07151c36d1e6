"""The tally against the literal way of NetDissect: a loop over units and concepts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.dissection import label_tables
from analysis.dissection import maps as maps_module
from analysis.dissection import tally as tally_module
from analysis.dissection.active_runs import active_runs
from analysis.dissection.tally import Tally, iou, tally
from analysis.dissection.thresholds import UnitThresholds, find_thresholds
from analysis.errors import AuditError
from analysis.statistics.permutation import random_permutations
from tests.dissection.held_maps import map_source

RESOLUTION, CONCEPTS = 28, 11


def make_maps(seed: int, images: int = 7, units: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    maps = (torch.randn((images, units, 7, 7), generator=generator) * 16).round() / 8
    return maps.clamp(min=0)


def make_planes(seed: int, images: int = 7, planes: int = 3) -> np.ndarray:
    """Overlapping planes, some pixels without a label, some with one code in several planes."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, CONCEPTS + 1, (images, planes, 7, 7))
    return np.kron(coarse, np.ones((1, 1, 4, 4), dtype=int)).astype(np.uint16)


def thresholds_of(maps: torch.Tensor, quantile: float = 0.05) -> UnitThresholds:
    images, units = maps.shape[:2]
    found = find_thresholds(map_source(maps), images, units, [quantile], RESOLUTION)
    return found.at(quantile)


def literal_iou(maps: torch.Tensor, planes: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    values = torch.nn.functional.interpolate(
        maps, size=planes.shape[2:], mode="bilinear", align_corners=False
    )
    active = values.half().numpy() > thresholds[:, None, None]
    result = np.full((maps.shape[1], CONCEPTS), np.nan)
    for unit in range(maps.shape[1]):
        mask = active[:, unit]
        for concept in range(CONCEPTS):
            label = (planes == concept + 1).any(axis=1)
            union = (mask | label).sum()
            if union:
                result[unit, concept] = (mask & label).sum() / union
    return result


def count(maps: torch.Tensor, planes: np.ndarray, permutations: int = 0) -> Tally:
    return tally(map_source(maps), planes, thresholds_of(maps), CONCEPTS, permutations, seed=3)


def test_equals_the_literal_loop() -> None:
    maps, planes = make_maps(0), make_planes(0)
    counts = count(maps, planes)
    expected = literal_iou(maps, planes, thresholds_of(maps).value)
    assert np.nanmax(expected) > 0.02
    np.testing.assert_allclose(iou(counts), expected, rtol=0, atol=1e-12)
    labelled = [(planes == code).any(axis=1).sum() for code in range(1, CONCEPTS + 1)]
    np.testing.assert_array_equal(counts.truth, labelled)
    np.testing.assert_array_equal(counts.activation / counts.pixels, thresholds_of(maps).active)
    assert counts.intersection.dtype == np.int64


def test_null_equals_the_literal_loop_over_the_same_shuffles() -> None:
    maps, planes = make_maps(1), make_planes(1)
    counts = count(maps, planes, permutations=6)
    orders = random_permutations(len(planes), 6, 3).numpy()
    threshold = thresholds_of(maps).value
    expected = [np.nanmax(literal_iou(maps, planes[order], threshold), axis=1) for order in orders]
    np.testing.assert_allclose(counts.null_best_iou, expected, rtol=0, atol=1e-12)
    again = count(maps, planes, permutations=6)
    np.testing.assert_array_equal(again.null_best_iou, counts.null_best_iou)


@given(
    seed=st.integers(0, 1000),
    images=st.integers(1, 4),
    planes=st.integers(1, 4),
    level=st.floats(-1, 3),
)
@settings(max_examples=25, deadline=None)
def test_any_threshold(seed: int, images: int, planes: int, level: float) -> None:
    maps, labels = make_maps(seed, images, 3), make_planes(seed, images, planes)
    found = thresholds_of(maps)
    level = float(np.float16(level))
    # Between two float16 numbers, so that rounding cannot matter.
    cutoffs = np.full(3, level + 1e-7 if level >= 0 else level, dtype=np.float32)
    fixed = UnitThresholds(**{**vars(found), "cutoff": cutoffs})
    counts = tally(map_source(maps), labels, fixed, CONCEPTS, permutations=0)
    values = torch.nn.functional.interpolate(
        maps, size=labels.shape[2:], mode="bilinear", align_corners=False
    ).numpy()
    active = values > cutoffs[0]
    for concept in range(CONCEPTS):
        label = (labels == concept + 1).any(axis=1)[:, None]
        expected = (active & label).sum(axis=(0, 2, 3))
        np.testing.assert_array_equal(counts.intersection[:, concept], expected)


def test_pieces_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, planes = make_maps(2), make_planes(2)
    whole = count(maps, planes, permutations=3)
    monkeypatch.setattr(maps_module, "_CHUNK_VALUES", 700)
    monkeypatch.setattr(tally_module, "_COUNTERS", 2 * 4 * CONCEPTS)
    monkeypatch.setattr(label_tables, "_KEPT_BYTES", 100_000)
    monkeypatch.setattr(tally_module, "_EXACT", 10)
    pieces = count(maps, planes, permutations=3)
    for name in ("intersection", "activation", "truth", "null_best_iou"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))


def test_permuting_images_units_and_planes() -> None:
    maps, planes = make_maps(3), make_planes(3)
    random = np.random.default_rng(0)
    images, units = random.permutation(7), random.permutation(6)
    counts = count(maps, planes)
    permuted = count(maps[images][:, units], planes[images][:, ::-1])
    np.testing.assert_array_equal(permuted.intersection, counts.intersection[units])
    np.testing.assert_array_equal(permuted.truth, counts.truth)


def test_one_code_in_several_planes_counts_once() -> None:
    maps, planes = make_maps(4), make_planes(4, planes=1)
    twice = np.repeat(planes, 3, axis=1)
    np.testing.assert_array_equal(count(maps, twice).intersection, count(maps, planes).intersection)


def test_units_without_a_threshold_are_nowhere_active() -> None:
    maps, planes = make_maps(5), make_planes(5)
    maps[2, 0, 1, 1] = torch.nan
    maps[:, 1] = 3
    counts = count(maps, planes, permutations=2)
    assert counts.activation[:2].tolist() == [0, 0]
    assert not counts.intersection[:2].any()
    assert not counts.null_best_iou[:, :2].any()
    assert counts.null_best_iou[:, 2:].all()


def test_images_without_labels_and_no_concept_at_all() -> None:
    maps, planes = make_maps(6), make_planes(6)
    planes[3] = 0
    np.testing.assert_allclose(
        iou(count(maps, planes)),
        literal_iou(maps, planes, thresholds_of(maps).value),
        rtol=0,
        atol=1e-12,
    )
    nothing = tally(map_source(maps), planes * 0, thresholds_of(maps), 0, permutations=2)
    assert nothing.intersection.shape == (6, 0)
    assert not nothing.null_best_iou.any()


def test_wrong_planes_are_refused() -> None:
    maps, planes = make_maps(7), make_planes(7)
    found = thresholds_of(maps)
    wrong = planes.copy()
    wrong[2, 1, 3, 3] = CONCEPTS + 5
    with pytest.raises(AuditError, match=f"code {CONCEPTS + 5}"):
        tally(map_source(maps), wrong, found, CONCEPTS)
    with pytest.raises(AuditError, match="code -1"):
        tally(map_source(maps), planes.astype(np.int32) - 1, found, CONCEPTS)
    with pytest.raises(AuditError, match="shape"):
        tally(map_source(maps), planes[:, 0], found, CONCEPTS)
    with pytest.raises(AuditError, match="shape"):
        tally(map_source(maps), planes.astype(np.float32), found, CONCEPTS)
    with pytest.raises(AuditError, match="nothing to count"):
        tally(map_source(maps), planes[:0], found, CONCEPTS)


def test_runs_do_not_cross_maps() -> None:
    row = torch.tensor([0, 0, 1, 1, 2])
    pixel = torch.tensor([8, 7, 0, 1, 4])
    runs = active_runs(row, pixel, 4, 9, torch.device("cpu"))
    assert runs.edges.tolist() == [7, 9, 0, 2, 4, 5]
    assert runs.offsets.tolist() == [0, 2, 4, 6, 6]
    assert runs.active.tolist() == [2, 2, 1, 0]
    empty = active_runs(row[:0], pixel[:0], 2, 9, torch.device("cpu"))
    assert empty.offsets.tolist() == [0, 0, 0]
