"""Average drop and average increase (Chattopadhay et al. 2018): the image seen through its map."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.faithfulness.metrics import Baseline
from analysis.faithfulness.ranking import checked_maps
from analysis.faithfulness.scoring import MeasuredImages
from analysis.saliency.maps import upsample


def masked_scores(
    images: MeasuredImages,
    maps: Sequence[torch.Tensor],
    classes: torch.Tensor,
    baseline: Baseline = "black",
) -> torch.Tensor:
    """The probability of a class for images times their maps, (methods, n).

    Maps are brought to 0…1; pixels in 0…1 are map · pixel + (1 − map) · baseline. A map that is
    the same everywhere is zero, and leaves the baseline alone.

    :param maps: of each method (n, rows, columns), finite.
    :param classes: (n,) the class of each image; below 0 gives NaN.
    """
    n = len(images.batch)
    size = images.batch.shape[-2:]
    checked = [checked_maps(one, n) for one in maps]
    missing = images.baseline(baseline)

    def build(start: int, stop: int) -> torch.Tensor:
        parts = []
        for method in range(start // n, (stop - 1) // n + 1):
            low, high = max(start - method * n, 0), min(stop - method * n, n)
            weight = upsample(checked[method][low:high], size)[:, None]
            absent = missing[low:high] if len(missing) > 1 else missing
            parts.append(torch.lerp(absent.expand_as(images.batch[low:high]),
                                    images.batch[low:high], weight))  # fmt: skip
        return torch.cat(parts)

    count = len(maps) * n
    return images.score(count, build, classes.repeat(len(maps))).view(len(maps), n)


def average_drop(original: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
    """max(0, Y − O) / Y of each image; NaN where Y is 0.

    :param original: Y, probabilities of the images.
    :param masked: O, probabilities of the masked images, broadcastable to `original`.
    """
    drop = (original - masked).clamp_min(0) / original
    return torch.where(original > 0, drop, torch.nan)


def average_increase(original: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
    """1 where O > Y, else 0; NaN where one of them is NaN."""
    rises = (masked > original).float()
    return torch.where(torch.isnan(original + masked), torch.nan, rises)
