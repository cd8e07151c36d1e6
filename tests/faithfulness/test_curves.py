"""Insertion and deletion against a literal reading of RISE's evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from analysis.errors import AuditError
from analysis.faithfulness.metrics import GREY
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.scoring import MeasuredImages
from analysis.faithfulness.steps import area_under_curve
from tests.faithfulness.conftest import scores_of, small_classifier
from tests.faithfulness.whole_curves import insertion_deletion


def rise_kernel() -> torch.Tensor:
    """`gkern(11, 5)` of RISE's notebook."""
    single = np.zeros((11, 11))
    single[5, 5] = 1
    kernel = ndimage.gaussian_filter(single, 5)
    weight = np.zeros((3, 3, 11, 11))
    for channel in range(3):
        weight[channel, channel] = kernel
    return torch.from_numpy(weight.astype(np.float32))


def rise(scores, image: torch.Tensor, saliency: np.ndarray, label: int, mode: str, step: int):
    """`CausalMetric.single_run`, one image after the other: the scores at all steps.

    Inputs are normalised with ImageNet's statistics, so zeros are mean grey.
    """
    side = saliency.size
    n_steps = -(-side // step)
    order = sorted(range(side), key=lambda place: (-saliency.ravel()[place], place))
    blurred = functional.conv2d(image, rise_kernel(), padding=5)
    start, finish = (image, torch.zeros_like(image)) if mode == "del" else (blurred, image)
    start, found = start.clone(), []
    for i in range(n_steps + 1):
        found.append(float(scores(start)[0, label]))
        for place in order[i * step : (i + 1) * step]:
            start.view(3, -1)[:, place] = finish.reshape(3, -1)[:, place]
    return np.array(found)


def test_curves_equal_the_literal_reading(
    batch: torch.Tensor, maps: list[torch.Tensor], pixels: Pixels
) -> None:
    scores = scores_of(small_classifier())
    classes = torch.tensor([0, 3, 1])
    found = insertion_deletion(MeasuredImages(scores, batch, pixels), maps, classes, steps=32)
    for method, own in enumerate(maps):
        for image in range(3):
            large = functional.interpolate(own[image][None, None], size=(32, 28), mode="bilinear")
            saliency = large[0, 0].numpy().copy()
            # Places beyond the outermost centres are equal but for rounding: RISE's own order of
            # them is arbitrary.
            saliency = np.round(saliency, 6)
            for mode, kind in (("ins", "insertion"), ("del", "deletion")):
                expected = rise(
                    scores, batch[image : image + 1], saliency, int(classes[image]), mode, 28
                )
                curve = found.scores[kind][method, image].numpy()
                np.testing.assert_allclose(curve, expected, atol=1e-5)
                area = (expected.sum() - expected[0] / 2 - expected[-1] / 2) / (len(expected) - 1)
                assert abs(area_under_curve(curve) - area) < 1e-5


@pytest.mark.parametrize("chunk", [1, 5, 7, 1000])
def test_chunks_make_no_difference(
    batch: torch.Tensor, maps: list[torch.Tensor], pixels: Pixels, chunk: int
) -> None:
    scores, classes = scores_of(small_classifier()), torch.tensor([0, 3, 1])
    whole = insertion_deletion(MeasuredImages(scores, batch, pixels, 64), maps, classes, 9)
    images = MeasuredImages(scores, batch, pixels, chunk)
    parts = insertion_deletion(images, maps, classes, 9)
    for kind, one in whole.scores.items():
        torch.testing.assert_close(parts.scores[kind], one)
    # Two kinds, the inner steps, the images themselves, their blurred versions, one grey image.
    assert images.forwards == 2 * 2 * 3 * 8 + 3 + 3 + 1


def test_shared_ends(batch: torch.Tensor, maps: list[torch.Tensor], pixels: Pixels) -> None:
    scores, classes = scores_of(small_classifier()), torch.tensor([0, 3, 1])
    found = insertion_deletion(MeasuredImages(scores, batch, pixels), maps, classes, 8)
    own = scores(batch).gather(1, classes[:, None])[:, 0]
    for method in range(2):
        torch.testing.assert_close(found.scores["deletion"][method, :, 0], own)
        torch.testing.assert_close(found.scores["insertion"][method, :, -1], own)
    grey = torch.zeros_like(batch)
    last = scores(grey).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(found.scores["deletion"][0, :, -1], last)


def test_insertion_and_deletion_of_random_maps_agree(batch: torch.Tensor, pixels: Pixels) -> None:
    """On the same background, a random half is as good as the other half."""
    scores, many = scores_of(small_classifier()), 60
    images = MeasuredImages(scores, batch[:1].expand(many, -1, -1, -1), pixels)
    noise = torch.rand(many, 32, 28, generator=torch.Generator().manual_seed(0))
    found = insertion_deletion(
        images, [noise], torch.zeros(many, dtype=torch.int64), 16, insertion_baseline="grey"
    )
    areas = {kind: area_under_curve(curves[0].numpy()) for kind, curves in found.scores.items()}
    difference = areas["insertion"] - areas["deletion"]
    assert abs(difference.mean()) < 4 * difference.std() / many**0.5
    assert np.abs(difference).max() > 0


def test_perfect_map_beats_its_opposite() -> None:
    """The score is the brightness of one corner: the order is known."""

    def scores(images: torch.Tensor) -> torch.Tensor:
        bright = images[:, :, :4, :4].mean((1, 2, 3)).clamp(0, 1)
        return torch.stack([bright, 1 - bright], 1)

    corner = torch.zeros(1, 8, 8)
    corner[:, :4, :4] = 1
    images = MeasuredImages(scores, torch.ones(1, 3, 8, 8))
    found = insertion_deletion(
        images, [corner, -corner], torch.tensor([0]), 4, ("insertion", "deletion"), "black", "black"
    )
    good, bad = found.scores["insertion"][:, 0]
    assert good.tolist() == [0, 1, 1, 1, 1]
    assert bad.tolist() == [0, 0, 0, 0, 1]
    assert found.scores["deletion"][0, 0].tolist() == [1, 0, 0, 0, 0]
    assert found.tied.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_any_number_of_steps(count: int) -> None:
    scores = scores_of(small_classifier())
    images = MeasuredImages(scores, torch.rand(2, 3, 4, 5))
    found = insertion_deletion(images, [torch.rand(2, 2, 2)], torch.tensor([0, 1]), count)
    assert found.scores["insertion"].shape == (1, 2, count + 1)
    assert torch.isfinite(found.scores["insertion"]).all()


def test_one_channel_and_one_pixel() -> None:
    scores = scores_of(small_classifier(channels=1))
    images = MeasuredImages(scores, torch.rand(2, 1, 6, 6), Pixels((0.5,), (0.5,)))
    found = insertion_deletion(images, [torch.rand(2, 3, 3)], torch.tensor([0, 1]), 4)
    grey = (sum(GREY) / 3 - 0.5) / 0.5
    expected = scores(torch.full((1, 1, 6, 6), grey))[0, 0]
    torch.testing.assert_close(found.scores["deletion"][0, 0, -1], expected)
    single = MeasuredImages(scores_of(small_classifier()), torch.rand(1, 3, 1, 1))
    curves = insertion_deletion(single, [torch.rand(1, 7, 7)], torch.tensor([0]), 3)
    assert torch.isfinite(curves.scores["insertion"]).all()


def test_reversed_channels_see_the_same_colours() -> None:
    plain, turned = Pixels(), Pixels(reversed_channels=True)
    like = torch.rand(1, 3, 4, 4)
    torch.testing.assert_close(plain.baseline(like, "grey").flip(1), turned.baseline(like, "grey"))
    torch.testing.assert_close(
        plain.baseline(like, "blurred").flip(1), turned.baseline(like.flip(1), "blurred")
    )


def test_bad_input_is_refused(batch: torch.Tensor, pixels: Pixels) -> None:
    scores, classes = scores_of(small_classifier()), torch.tensor([0, 3, 1])
    images = MeasuredImages(scores, batch, pixels)
    for maps in ([torch.rand(2, 4, 4)], [torch.rand(3, 4)], [torch.rand(3, 0, 4)]):
        with pytest.raises(AuditError):
            insertion_deletion(images, maps, classes)
    with pytest.raises(AuditError, match="at least one step"):
        insertion_deletion(images, [torch.rand(3, 4, 4)], classes, 0)
    with pytest.raises(AuditError, match="baseline"):
        insertion_deletion(images, [torch.rand(3, 4, 4)], classes, 4, ("deletion",), "grey", "red")  # type: ignore[arg-type]
    with pytest.raises(AuditError):
        MeasuredImages(scores, batch[:0], pixels)
    with pytest.raises(AuditError):
        MeasuredImages(scores, batch[:, :1], pixels)
    with pytest.raises(AuditError, match="one row"):
        MeasuredImages(lambda one: one.mean((1, 2, 3)), batch, pixels).original()
