"""The order of pixels, in NumPy and on the device, and the images at a step."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from analysis.errors import AuditError
from analysis.faithfulness import ranking, steps
from analysis.faithfulness.metrics import BLUR_SIGMA, GREY
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.scoring import MeasuredImages
from tests.faithfulness.whole_curves import insertion_deletion


def _tied_share(enlarged: np.ndarray) -> float:
    _, counts = np.unique(enlarged, return_counts=True)
    return float(counts[counts > 1].sum() / enlarged.size)


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    levels=st.sampled_from([1, 2, 5, 1000]),
    seed=st.integers(0, 999),
)
@settings(deadline=None, max_examples=60)
def test_both_orders_are_the_same(
    rows: int, columns: int, height: int, width: int, levels: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    values = (random.integers(0, levels, (rows, columns)) / levels - 0.3).astype(np.float32)
    here = steps.enlarge(values, height, width)
    there = ranking.enlarge(torch.from_numpy(values)[None], height, width)[0].numpy()
    assert np.array_equal(here, there)
    found = ranking.rank_pixels(torch.from_numpy(values)[None], height, width)
    assert np.array_equal(found.rank[0].numpy(), steps.rank_pixels(here))
    assert float(found.tied[0]) == pytest.approx(_tied_share(here), abs=1e-6)


def test_enlarging_is_bilinear() -> None:
    values = torch.randn(2, 7, 5)
    expected = torch.nn.functional.interpolate(values[:, None], size=(33, 50), mode="bilinear")
    torch.testing.assert_close(ranking.enlarge(values, 33, 50), expected[:, 0])


def test_a_constant_map_goes_in_raster_order() -> None:
    values = np.full((7, 7), 0.1, dtype=np.float32)
    large = steps.enlarge(values, 30, 20)
    assert (large == np.float32(0.1)).all()
    assert np.array_equal(steps.rank_pixels(large).ravel(), np.arange(600))
    assert _tied_share(large) == 1.0
    negative_zero = torch.tensor([[[0.0, -0.0], [-0.0, 0.0]]])
    assert torch.equal(ranking.rank_pixels(negative_zero, 2, 2).rank.flatten(), torch.arange(4))


def test_rank_is_a_stable_descending_sort() -> None:
    values = np.array([[1, 3, 3], [2, 3, 0]], dtype=np.float32)
    assert steps.rank_pixels(values).tolist() == [[4, 0, 1], [3, 2, 5]]
    assert _tied_share(values) == pytest.approx(3 / 6)


@pytest.mark.parametrize(("count", "pixels"), [(224, 224 * 224), (7, 100), (3, 2), (1, 9)])
def test_steps_share_the_pixels(count: int, pixels: int) -> None:
    found = steps.pixels_at_step(count, pixels)
    assert found[0] == 0
    assert found[-1] == pixels
    assert len(found) == count + 1
    assert np.ptp(np.diff(found)) <= 1
    if (count, pixels) == (224, 224 * 224):
        assert (np.diff(found) == 224).all()


def test_area_is_the_trapezoids() -> None:
    scores = np.random.default_rng(0).random((4, 226))
    expected = np.trapezoid(scores, dx=1 / 225, axis=1)
    np.testing.assert_allclose(steps.area_under_curve(scores), expected, rtol=1e-12)


def test_blur_is_that_of_rise() -> None:
    single = np.zeros((11, 11))
    single[5, 5] = 1
    kernel = ndimage.gaussian_filter(single, BLUR_SIGMA)
    own = steps.blur_kernel()
    np.testing.assert_allclose(np.outer(own, own), kernel, atol=1e-12)
    picture = np.random.default_rng(1).random((20, 26, 3)).astype(np.float32)
    centred = picture - np.array(GREY)
    expected = np.stack(
        [ndimage.convolve(centred[..., c], kernel, mode="constant") for c in range(3)], -1
    ) + np.array(GREY)
    np.testing.assert_allclose(steps.baseline_picture(picture, "blurred"), expected, atol=1e-5)
    pixels = Pixels((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    mean, std = np.array(pixels.mean), np.array(pixels.std)
    inputs = torch.from_numpy((picture - mean) / std).float().permute(2, 0, 1)[None]
    found = pixels.baseline(inputs, "blurred")[0].permute(1, 2, 0).numpy() * std + mean
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_blur_of_an_image_smaller_than_the_kernel() -> None:
    inputs = torch.rand(2, 3, 3, 1)
    picture = inputs[0].permute(1, 2, 0).numpy()
    found = Pixels().baseline(inputs, "blurred")[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, steps.baseline_picture(picture, "blurred"), atol=1e-6)


@pytest.mark.parametrize("kind", steps.KINDS)
@pytest.mark.parametrize("baseline", [None, "black", "blurred"])
def test_pictures_are_what_was_measured(kind: steps.Kind, baseline: str | None) -> None:
    random = np.random.default_rng(2)
    picture = random.integers(0, 256, (18, 23, 3), dtype=np.uint8)
    values = random.random((3, 4)).astype(np.float32)
    seen: list[torch.Tensor] = []

    def scores(images: torch.Tensor) -> torch.Tensor:
        seen.extend(images.clone())
        return torch.full((len(images), 2), 0.5)

    pixels = Pixels((0.485, 0.456, 0.406), (0.2, 0.3, 0.4))
    mean, std = torch.tensor(pixels.mean), torch.tensor(pixels.std)
    inputs = ((torch.from_numpy(picture) / 255 - mean) / std).permute(2, 0, 1)[None]
    images = MeasuredImages(scores, inputs, pixels, chunk=3)
    insertion_deletion(
        images, [torch.from_numpy(values)[None]], torch.zeros(1, dtype=torch.int64), 10, [kind],
        baseline or "blurred", baseline or "grey",
    )  # fmt: skip
    measured = [(one.permute(1, 2, 0) * std + mean) * 255 for one in seen]
    whole, empty, between = measured[0], measured[1], measured[2:]
    ends = (empty, whole) if kind == "insertion" else (whole, empty)
    for step, expected in enumerate([ends[0], *between, ends[1]]):
        drawn = steps.StepPictures(picture, values, kind, 10, baseline).at(step)
        assert drawn.dtype == np.uint8
        assert np.abs(drawn - expected.numpy()).max() <= 0.51


def test_what_cannot_be_drawn_is_refused() -> None:
    picture, values = np.zeros((4, 4, 3), np.uint8), np.zeros((2, 2))
    with pytest.raises(AuditError):
        steps.StepPictures(picture, values, "adding", 4).at(1)  # type: ignore[arg-type]
    with pytest.raises(AuditError):
        steps.StepPictures(picture, values[0], "insertion", 4).at(1)
    with pytest.raises(AuditError):
        steps.StepPictures(picture, values, "insertion", 4, "white").at(1)  # type: ignore[arg-type]


def test_steps_metrics_and_summary_need_no_torch() -> None:
    code = (
        "import sys; import analysis.faithfulness.steps, analysis.faithfulness.metrics,"
        " analysis.faithfulness.summary; print('torch' in sys.modules, 'scipy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
