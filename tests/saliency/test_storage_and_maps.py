"""Maps in one byte a place, and at the image's size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AuditError
from analysis.saliency.maps import min_max, upsample
from analysis.saliency.storage import CompactMaps, to_uint8


def _back(compact: CompactMaps) -> np.ndarray:
    codes = compact.codes.astype(np.float32)
    return codes * compact.scale[:, None, None] + compact.offset[:, None, None]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    size=st.floats(1e-20, 1e20),
    offset=st.floats(-1e3, 1e3),
)
def test_error_is_half_a_step(seed: int, size: float, offset: float):
    values = (np.random.default_rng(seed).random((3, 5, 4)) * size + offset).astype(np.float32)
    back = _back(to_uint8(values))
    span = (values.max((1, 2)) - values.min((1, 2))).astype(np.float64)
    rounding = 4 * np.finfo(np.float32).eps * np.abs(values).max((1, 2))
    assert back.dtype == np.float32
    error = np.abs(back - values).max((1, 2))
    assert (error <= span / 510 * 1.001 + rounding + 1e-44).all()


def test_constant_and_extreme_maps():
    values = torch.tensor([0.0, -3.5, 1e30])[:, None, None].expand(3, 2, 2)
    np.testing.assert_array_equal(_back(to_uint8(values)), values.numpy())
    values = torch.tensor([[[0.0, 255.0], [17.0, 254.0]]])
    np.testing.assert_array_equal(_back(to_uint8(values)), values.numpy())
    assert to_uint8(np.zeros((0, 3, 3))).codes.shape == (0, 3, 3)


def test_order_is_kept():
    values = np.random.default_rng(0).normal(size=(1, 14, 14))
    codes = to_uint8(values).codes.ravel()[np.argsort(values.ravel())].astype(int)
    assert (np.diff(codes) >= 0).all()
    assert codes[0] == 0
    assert codes[-1] == 255


@pytest.mark.parametrize("bad", [np.full((1, 2, 2), np.nan), np.full((1, 2, 2), np.inf)])
def test_not_finite(bad: np.ndarray):
    with pytest.raises(AuditError, match="finite"):
        to_uint8(bad)


def test_wrong_axes():
    with pytest.raises(AuditError, match="three axes"):
        to_uint8(np.zeros((2, 2)))


def bilinear(values: np.ndarray, side: int) -> np.ndarray:
    """Place by place: half-pixel centres, edges held."""
    rows, columns = values.shape
    result = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            v = np.clip((y + 0.5) * rows / side - 0.5, 0, rows - 1)
            u = np.clip((x + 0.5) * columns / side - 0.5, 0, columns - 1)
            y0, x0 = int(v), int(u)
            y1, x1 = min(y0 + 1, rows - 1), min(x0 + 1, columns - 1)
            top = values[y0, x0] * (1 - u + x0) + values[y0, x1] * (u - x0)
            low = values[y1, x0] * (1 - u + x0) + values[y1, x1] * (u - x0)
            result[y, x] = top * (1 - v + y0) + low * (v - y0)
    return result


def test_upsampling_place_by_place():
    values = np.random.default_rng(1).normal(size=(2, 4, 3)).astype(np.float32)
    large = upsample(torch.from_numpy(values), 17, normalise=False).numpy()
    for one, expected in zip(large, values, strict=True):
        np.testing.assert_allclose(one, bilinear(expected, 17), atol=1e-5)
    shown = upsample(torch.from_numpy(values), (17, 17)).numpy()
    for one, expected in zip(shown, values, strict=True):
        wanted = bilinear(expected, 17)
        wanted = (wanted - wanted.min()) / (wanted.max() - wanted.min())
        np.testing.assert_allclose(one, wanted, atol=1e-5)


def test_a_map_without_contrast_shows_nothing():
    values = torch.tensor([[[2.0, 2.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 1e-30]]])
    assert upsample(values, 8)[0].abs().max() == 0
    assert min_max(values)[1].max() == 1
    assert upsample(values[:, :1, :1], (3, 5)).shape == (2, 3, 5)
