"""Average drop and increase, and ROAD, against literal readings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from analysis.errors import AuditError
from analysis.faithfulness.imputation import impute
from analysis.faithfulness.masking import average_drop, average_increase, masked_scores
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.ranking import rank_pixels
from analysis.faithfulness.road import road_scores
from analysis.faithfulness.scoring import MeasuredImages
from tests.faithfulness.conftest import scores_of, small_classifier


def test_masked_images_are_maps_times_pixels(
    batch: torch.Tensor, maps: list[torch.Tensor], pixels: Pixels
) -> None:
    scores, classes = scores_of(small_classifier()), torch.tensor([0, 3, 1])
    found = masked_scores(MeasuredImages(scores, batch, pixels, chunk=4), maps, classes)
    mean, std = (torch.tensor(part)[:, None, None] for part in (pixels.mean, pixels.std))
    for method, own in enumerate(maps):
        for image in range(3):
            one = own[image]
            one = (one - one.min()) / (one.max() - one.min())
            one = functional.interpolate(one[None, None], size=(32, 28), mode="bilinear")[0]
            one = (one - one.min()) / (one.max() - one.min())
            photograph = batch[image] * std + mean  # in 0…1
            seen = (photograph * one - mean) / std
            expected = scores(seen[None])[0, classes[image]]
            torch.testing.assert_close(found[method, image], expected, atol=1e-6, rtol=1e-5)


def test_drop_and_increase() -> None:
    before = torch.tensor([0.8, 0.5, 0.0, 0.5, torch.nan])
    after = torch.tensor([0.2, 0.6, 0.1, 0.5, 0.5])
    drop, rise = average_drop(before, after), average_increase(before, after)
    torch.testing.assert_close(drop[:2], torch.tensor([0.75, 0.0]))
    assert drop[3] == 0
    assert torch.isnan(drop[[2, 4]]).all()
    assert rise[:4].tolist() == [0, 1, 1, 0]
    assert torch.isnan(rise[4])


def test_constant_map_leaves_the_baseline(batch: torch.Tensor, pixels: Pixels) -> None:
    scores, classes = scores_of(small_classifier()), torch.tensor([0, 3, 1])
    images = MeasuredImages(scores, batch, pixels)
    found = masked_scores(images, [torch.full((3, 4, 4), 2.0)], classes)
    mean, std = (torch.tensor(part)[:, None, None] for part in (pixels.mean, pixels.std))
    black = scores((-mean / std).expand(1, 3, 32, 28))[0]
    torch.testing.assert_close(found[0], black[classes])


def literal_imputation(image: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Equation 6 of Rong et al. 2022 written pixel by pixel, and solved densely."""
    height, width = missing.shape
    places = [tuple(place) for place in np.argwhere(missing)]
    number = {place: row for row, place in enumerate(places)}
    system = np.zeros((len(places), len(places)))
    right = np.zeros((len(places), image.shape[0]))
    for (y, x), row in number.items():
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                if not down and not across:
                    continue
                weight = 1 / 12 if down and across else 1 / 6
                other = (y + down, x + across)
                if not (0 <= other[0] < height and 0 <= other[1] < width):
                    continue
                system[row, row] += weight
                if other in number:
                    system[row, number[other]] -= weight
                else:
                    right[row] += weight * image[:, other[0], other[1]]
    filled = image.copy()
    if places:
        solved = np.linalg.solve(system, right)
        for (y, x), row in number.items():
            filled[:, y, x] = solved[row]
    return filled


@pytest.mark.parametrize("size", [(1, 2), (2, 3), (7, 11), (24, 17), (33, 1)])
@pytest.mark.parametrize("form", ["pixels", "hole", "one known", "lines", "nothing", "board"])
def test_imputation_solves_the_equations(size: tuple[int, int], form: str) -> None:
    height, width = size
    random = np.random.default_rng(5)
    image = random.random((3, height, width)).astype(np.float32)
    missing = np.zeros(size, dtype=bool)
    if form == "pixels":
        missing = random.random(size) < 0.7
    elif form == "hole":
        missing[height // 4 :, width // 5 :] = True
    elif form == "one known":
        missing[:] = True
    elif form == "lines":
        missing[::2] = True
        missing[:, ::3] = True
    elif form == "board":
        missing[::2, ::2] = missing[1::2, 1::2] = True
    missing[0, 0] = False
    expected = literal_imputation(image.astype(np.float64), missing)
    both = torch.from_numpy(np.stack([image, image[:, ::-1, ::-1].copy()]))
    masks = torch.from_numpy(np.stack([missing, missing[::-1, ::-1].copy()]))
    found = impute(both, masks).numpy()
    np.testing.assert_allclose(found[0], expected, atol=2e-4)
    np.testing.assert_allclose(found[1][:, ::-1, ::-1], expected, atol=2e-4)
    kept = ~missing
    assert np.array_equal(found[0][:, kept], image[:, kept])


def test_imputation_equals_the_package() -> None:
    road = pytest.importorskip("pytorch_grad_cam.metrics.road")
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 9, 9, generator=generator)
    image = functional.interpolate(coarse, size=(96, 96), mode="bicubic")
    saliency = functional.interpolate(
        torch.rand(1, 1, 7, 7, generator=generator), size=(96, 96), mode="bilinear"
    )[0]
    for share in (0.1, 0.5, 0.9):
        missing = saliency >= saliency.flatten().quantile(1 - share)
        expected = road.NoisyLinearImputer(noise=0)(image[0], (~missing[0]).float())
        torch.testing.assert_close(impute(image, missing)[0], expected, atol=2e-4, rtol=0)


def test_imputation_refuses_other_masks() -> None:
    with pytest.raises(AuditError):
        impute(torch.rand(2, 3, 8, 8), torch.zeros(2, 8, 7, dtype=torch.bool))


def test_road_removes_from_both_ends(
    batch: torch.Tensor, maps: list[torch.Tensor], pixels: Pixels
) -> None:
    scores, classes = scores_of(small_classifier()), torch.tensor([0, 3, 1])
    images = MeasuredImages(scores, batch, pixels, chunk=5)
    rankings = [rank_pixels(one, 32, 28) for one in maps]
    found = road_scores(images, rankings, classes, percentages=(20, 90), noise=0)
    assert found["morf"].shape == (2, 3, 2)
    for method, ranking in enumerate(rankings):
        for image in range(3):
            rank = ranking.rank[image].numpy()
            for place, share in enumerate((20, 90)):
                count = share * 32 * 28 // 100
                for order, missing in (("morf", rank < count), ("lerf", rank >= 896 - count)):
                    filled = literal_imputation(batch[image].numpy().astype(np.float64), missing)
                    expected = scores(torch.from_numpy(filled).float()[None])[0, classes[image]]
                    torch.testing.assert_close(
                        found[order][method, image, place], expected, atol=1e-4, rtol=0
                    )


def test_road_noise_is_that_of_the_image(batch: torch.Tensor, pixels: Pixels) -> None:
    seen: list[torch.Tensor] = []

    def scores(images: torch.Tensor) -> torch.Tensor:
        seen.extend(images.clone())
        return torch.full((len(images), 2), 0.5)

    values = torch.rand(3, 4, 4)
    rankings = [rank_pixels(values, 32, 28)]
    classes = torch.zeros(3, dtype=torch.int64)

    def run(noise: float, order: list[int]) -> list[torch.Tensor]:
        seen.clear()
        images = MeasuredImages(scores, batch[order], pixels)
        ranks = [type(rankings[0])(rankings[0].rank[order], rankings[0].tied[order])]
        keys = [f"image {place}" for place in order]
        road_scores(images, ranks, classes, ("morf",), (50,), noise, 7, keys)
        return list(seen)

    plain, noisy, turned = run(0, [0, 1, 2]), run(0.01, [0, 1, 2]), run(0.01, [2, 0, 1])
    torch.testing.assert_close(noisy[0], turned[1])
    torch.testing.assert_close(noisy[2], turned[0])
    std = torch.tensor(pixels.std)[:, None, None]
    added = (noisy[0] - plain[0]) * std
    missing = rankings[0].rank[0] < 448
    assert (added[:, ~missing] == 0).all()
    assert added[:, missing].std() == pytest.approx(0.01, rel=0.1)
