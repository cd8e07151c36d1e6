"""Thresholds against explicitly upsampled float16 values, sorted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.dissection import maps as maps_module
from analysis.dissection import thresholds as thresholds_module
from analysis.dissection.categories import DEAD, FAILED_THRESHOLD, NOT_A_NUMBER
from analysis.dissection.half_codes import LARGEST_CODE, cutoff, decode, encode, scales
from analysis.dissection.thresholds import Thresholds, find_thresholds
from analysis.dissection.upsampling import CellGrid
from analysis.errors import AuditError, Cancelled
from analysis.progress import Progress
from tests.dissection.held_maps import map_source


def upsampled(maps: torch.Tensor, resolution: int) -> np.ndarray:
    """(units, pixels) upsampled by torch, rounded to float16."""
    values = torch.nn.functional.interpolate(
        maps.float(), size=(resolution, resolution), mode="bilinear", align_corners=False
    )
    return values.half().transpose(0, 1).flatten(1).numpy().astype(np.float64)


def literal_thresholds(values: np.ndarray, quantile: float) -> tuple[np.ndarray, np.ndarray]:
    """The (allowed + 1)-th largest value of each unit, and the share strictly above it."""
    allowed = math.floor(Fraction(repr(quantile)) * values.shape[1])
    found = np.sort(values, axis=1)[:, ::-1][:, allowed]
    return found, (values > found[:, None]).mean(axis=1)


def dyadic_maps(seed: int, shape: tuple[int, ...], rectified: bool = True) -> torch.Tensor:
    """Values whose bilinear mixtures float32 holds exactly where the scale is a power of two."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator) ** 3 * 20
    values = values.clamp(min=0) if rectified else values
    return values.round() / 8


def find(maps: torch.Tensor, *quantiles: float, resolution: int = 56) -> Thresholds:
    images, units = maps.shape[:2]
    return find_thresholds(map_source(maps), images, units, quantiles, resolution)


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("side", [7, 14, 1])
def test_equals_sorting_all_upsampled_values(side: int, rectified: bool) -> None:
    maps = dyadic_maps(side, (12, 9, side, side), rectified)
    values = upsampled(maps, 56)
    quantiles = (0.005, 0.01, 0.2, 0.9)
    found = find(maps, *quantiles)
    for index, quantile in enumerate(quantiles):
        expected, active = literal_thresholds(values, quantile)
        np.testing.assert_array_equal(found.value[index], expected)
        np.testing.assert_array_equal(found.active[index], active)
        assert (found.active[index] <= quantile).all()
    np.testing.assert_array_equal(found.minimum, maps.amin((0, 2, 3)).numpy())


@pytest.mark.parametrize("size", [(5, 9), (16, 16), (80, 61)])
def test_other_sizes_are_within_one_float16_number(size: tuple[int, int]) -> None:
    maps = torch.randn((6, 4, *size), generator=torch.Generator().manual_seed(1)) * 3
    expected, _ = literal_thresholds(upsampled(maps, 56), 0.01)
    value = find(maps, 0.01).value[0]
    code, wanted = (encode(torch.from_numpy(each)).numpy() for each in (value, expected))
    assert np.abs(code - wanted).max() <= 1


@given(
    seed=st.integers(0, 10_000),
    images=st.integers(1, 5),
    quantile=st.sampled_from([0.001, 0.01, 0.05, 0.5, 0.99]),
    values=st.integers(1, 6),
)
@settings(max_examples=30, deadline=None)
def test_ties_and_few_images(seed: int, images: int, quantile: float, values: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randint(-values, values + 1, (images, 3, 4, 4), generator=generator).float()
    expected, active = literal_thresholds(upsampled(maps, 16), quantile)
    found = find(maps, quantile, resolution=16)
    np.testing.assert_array_equal(found.value[0], expected)
    np.testing.assert_array_equal(found.active[0], active)


def test_pieces_blocks_and_wrong_bounds_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = dyadic_maps(3, (10, 8, 7, 7), rectified=False)
    whole = find(maps, 0.01, 0.1)
    monkeypatch.setattr(maps_module, "_CHUNK_VALUES", 1500)
    monkeypatch.setattr(thresholds_module, "_COUNTERS", 3000)
    monkeypatch.setattr(thresholds_module, "_SAMPLE_VALUES", 100)
    # Bounds with far too little above them must be noticed and lowered.
    monkeypatch.setattr(thresholds_module, "_MARGINS", (0.001, 0.5, None))
    pieces = find(maps, 0.01, 0.1)
    np.testing.assert_array_equal(pieces.value, whole.value)
    np.testing.assert_array_equal(pieces.active, whole.active)


def test_order_of_images_and_units_does_not_matter() -> None:
    maps = dyadic_maps(4, (9, 6, 7, 7))
    generator = torch.Generator().manual_seed(0)
    images, units = torch.randperm(9, generator=generator), torch.randperm(6, generator=generator)
    found, permuted = find(maps, 0.01), find(maps[images][:, units], 0.01)
    np.testing.assert_array_equal(permuted.value, found.value[:, units.numpy()])
    np.testing.assert_array_equal(permuted.active, found.active[:, units.numpy()])


def test_units_without_a_threshold_say_why() -> None:
    maps = dyadic_maps(5, (16, 7, 7, 7))
    maps[:, 1] = 2.5  # dead
    maps[3, 2, 0, 0] = math.nan
    maps[3, 3, 0, 0] = math.inf
    maps[:, 4] = maps[:, 4].clamp(0, 0.125)  # saturates on far more than was asked for
    maps[:, 5] = 0
    maps[0, 5, 0, 0] = 1  # active on a single place: rarer than asked, but no failure
    # Nearly all of the share asked for is one tied value above the resting value.
    maps[:, 6] = 0
    maps[:8, 6, :2, :2] = 4
    maps[9, 6, 6, 6] = 5
    found = find(maps, 0.01).at(0.01)
    reasons = found.not_counted().tolist()
    assert reasons == ["", DEAD, NOT_A_NUMBER, NOT_A_NUMBER, FAILED_THRESHOLD, "", FAILED_THRESHOLD]
    assert np.isnan(found.value[[2, 3]]).all()
    assert found.active[4] == 0
    assert found.value[5] == 0
    assert 0 < found.active[5] < 0.005
    assert found.value[6] == 4
    assert 0 < found.active[6] < 0.005


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**-20, 2.0**30])
def test_units_beyond_float16_are_scaled(factor: float) -> None:
    maps = dyadic_maps(6, (8, 4, 7, 7))
    ordinary, scaled = find(maps, 0.01), find(maps * factor, 0.01)
    np.testing.assert_array_equal(scaled.value, ordinary.value * factor)
    np.testing.assert_array_equal(scaled.active, ordinary.active)


def test_half_precision_maps_and_a_source_that_is_no_map() -> None:
    maps = dyadic_maps(7, (5, 3, 7, 7))
    np.testing.assert_array_equal(find(maps.half(), 0.01).value, find(maps, 0.01).value)
    with pytest.raises(AuditError, match="shape"):
        find_thresholds(lambda start, stop: maps[start:stop, :2], 5, 3, [0.01])
    with pytest.raises(AuditError, match="share of 1"):
        find(maps, 1.0)
    with pytest.raises(AuditError, match="no activations"):
        find_thresholds(map_source(maps), 0, 3, [0.01])
    with pytest.raises(KeyError):
        find(maps, 0.01).at(0.02)


def test_can_be_cancelled() -> None:
    progress = Progress()
    progress.cancel()
    maps = dyadic_maps(8, (5, 3, 7, 7))
    with pytest.raises(Cancelled):
        find_thresholds(map_source(maps), 5, 3, [0.01], progress=progress)


def test_codes_are_the_float16_numbers_in_order() -> None:
    codes = np.arange(-LARGEST_CODE, LARGEST_CODE + 1)
    values = decode(codes)
    assert (np.diff(values) > 0).all()
    assert values[-1] == np.finfo(np.float16).max
    np.testing.assert_array_equal(values, values.astype(np.float16))
    np.testing.assert_array_equal(encode(torch.from_numpy(values)).numpy(), codes)


@given(st.floats(-65519, 65519, width=32), st.integers(-2, 2))
def test_cutoff_tells_what_rounds_above(value: float, step: int) -> None:
    code = int(encode(torch.tensor([value]))[0]) + step
    code = min(max(code, -LARGEST_CODE), LARGEST_CODE)
    bound = cutoff(np.array([code]))[0]
    edge = [np.float32(value), bound, np.nextafter(bound, np.float32(np.inf))]
    for number in edge:
        rounded = float(torch.tensor(number).half())
        assert (rounded > decode(np.array([code]))[0]) == (number > bound)


def test_scale_leaves_ordinary_units_alone() -> None:
    minimum, maximum = np.array([0, -3, 0, 0, -1e-5]), np.array([60000, 1, 1e6, 0, 1e-6])
    found = scales(minimum, maximum)
    assert found[[0, 1, 3]].tolist() == [1, 1, 1]
    assert 2**9 <= 1e6 * found[2] <= 2**10
    assert 2**9 <= 1e-5 * found[4] <= 2**10


@pytest.mark.parametrize("size", [(7, 7), (1, 1), (3, 5), (16, 14), (60, 56), (112, 90)])
@pytest.mark.parametrize("resolution", [56, 13])
def test_cells_are_torch_upsampling(size: tuple[int, int], resolution: int) -> None:
    maps = torch.randn((2, 3, *size), generator=torch.Generator().manual_seed(0))
    expected = (
        torch.nn.functional.interpolate(
            maps.double(), size=(resolution, resolution), mode="bilinear", align_corners=False
        )
        .flatten(0, 1)
        .float()
    )
    found = torch.full_like(expected, math.nan).flatten(1)
    bounds = torch.tensor([-math.inf, 1.0, math.nan])
    for cells in CellGrid(size, resolution, maps.device).cells_above(maps, bounds):
        height, width = cells.values.shape[1:]
        offset = (torch.arange(height)[:, None] * resolution + torch.arange(width)).flatten()
        found[cells.row[:, None], cells.corner[:, None] + offset] = cells.values.flatten(1)
    found = found.view_as(expected)
    torch.testing.assert_close(found[[0, 3]], expected[[0, 3]], rtol=1e-6, atol=1e-6)
    seen = ~found[[1, 4]].isnan()
    torch.testing.assert_close(found[[1, 4]][seen], expected[[1, 4]][seen], rtol=1e-6, atol=1e-6)
    assert not (expected[[1, 4]][~seen] > 1).any()
    assert found[[2, 5]].isnan().all()
