"""Top images and masks against sorting and thresholding all upsampled maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.dissection import maps as maps_module
from analysis.dissection.thresholds import UnitThresholds, find_thresholds
from analysis.dissection.top_images import TopImages, top_images, unpack_masks
from analysis.errors import AuditError
from tests.dissection.held_maps import map_source

RESOLUTION = 28


def make_maps() -> torch.Tensor:
    maps = torch.randn((11, 6, 7, 7), generator=torch.Generator().manual_seed(2)) * 16
    maps = maps.round().clamp(min=0) / 8
    maps[:, 1] = 1  # dead
    maps[2, 2, 0, 0] = torch.nan
    maps[:, 3] = 0
    maps[[4, 7], 3, 3, 3] = torch.tensor([1.0, 2.0])
    return maps


def find(maps: torch.Tensor, count: int = 4) -> tuple[TopImages, UnitThresholds]:
    images, units = maps.shape[:2]
    source = map_source(maps)
    thresholds = find_thresholds(source, images, units, [0.02], RESOLUTION).at(0.02)
    return top_images(source, images, thresholds, RESOLUTION, count), thresholds


def test_equals_sorting_and_thresholding() -> None:
    maps = make_maps()
    found, thresholds = find(maps)
    values = torch.nn.functional.interpolate(
        maps, size=(RESOLUTION, RESOLUTION), mode="bilinear", align_corners=False
    )
    masks = unpack_masks(found.masks, RESOLUTION)
    for unit in (0, 4, 5):
        peaks = maps[:, unit].amax((1, 2)).numpy()
        order = np.argsort(-peaks, kind="stable")[:4]
        assert found.image[unit].tolist() == order.tolist()
        np.testing.assert_array_equal(found.activation[unit], peaks[order])
        expected = values[order, unit].half().numpy() > thresholds.value[unit]
        np.testing.assert_array_equal(masks[unit], expected)
        for rank in range(4):
            x, y, width, height = found.boxes[unit, rank]
            inside = np.zeros_like(expected[rank])
            inside[y : y + height, x : x + width] = True
            assert not (expected[rank] & ~inside).any()
            rows, columns = np.nonzero(expected[rank])
            assert (rows.min(), columns.min()) == (y, x)
            assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (height, width)


def test_units_without_threshold_or_with_few_images() -> None:
    found, _ = find(make_maps())
    assert (found.image[1:3] == -1).all()
    assert np.isnan(found.activation[1:3]).all()
    assert not found.masks[1:3].any()
    assert not found.boxes[1:3].any()
    assert found.image[3].tolist() == [7, 4, -1, -1]
    assert found.activation[3, :2].tolist() == [2, 1]


def test_pieces_change_nothing_and_more_ranks_than_images(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = find(make_maps(), count=20)
    assert whole.image.shape == (6, 20)
    assert (whole.image[:, 11:] == -1).all()
    monkeypatch.setattr(maps_module, "_CHUNK_VALUES", 600)
    pieces, _ = find(make_maps(), count=20)
    np.testing.assert_array_equal(pieces.image, whole.image)
    np.testing.assert_array_equal(pieces.masks, whole.masks)


def test_a_peak_that_vanishes_in_upsampling_is_no_top_image() -> None:
    """Upsampled pixels lie beside the peaks of the raw map, a little lower."""
    maps = torch.zeros(3, 1, 7, 7)
    maps[:, 0, 3, 3] = torch.tensor([8.0, 4.0, 8.0])
    thresholds = find_thresholds(map_source(maps), 3, 1, [0.02], RESOLUTION).at(0.02)
    level = np.array([7.9], dtype=np.float32)
    raised = UnitThresholds(**{**vars(thresholds), "cutoff": level})
    assert (top_images(map_source(maps), 3, raised, RESOLUTION, 2).image == -1).all()
    lower = UnitThresholds(**{**vars(thresholds), "cutoff": level / 2})
    assert top_images(map_source(maps), 3, lower, RESOLUTION, 2).image.tolist() == [[0, 2]]


def test_nothing_to_find() -> None:
    with pytest.raises(AuditError, match="top images"):
        find(make_maps(), count=0)
