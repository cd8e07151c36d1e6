"""How sure MMCS by ranks is: what other images, and images shuffled, would give."""

from __future__ import annotations

from collections.abc import Callable

import torch

from analysis.statistics.correlation import spearman
from analysis.statistics.image_jackknife import group_of_images, jackknife_variance

ByLayer = Callable[[torch.Tensor], torch.Tensor]  # (…, La·ka, Lb·kb) to (…, La, ka, Lb, kb)


def rank_variance(
    first: torch.Tensor,
    second: torch.Tensor,
    correlation: torch.Tensor,
    by_layer: ByLayer,
    images: int,
) -> torch.Tensor:
    """Jackknife variance over images of the mean maximum of Spearman correlations, (La, Lb).

    Ranks are taken anew without each image; each concept keeps its match of the full sample, as in
    the bootstrap of the Pearson correlations. A bootstrap sample would hold ties that the data do
    not have.

    :param first: (images·patches, La·ka) coefficients, rows image after image.
    :param second: (images·patches, Lb·kb).
    :param correlation: (La, ka, Lb, kb) of all images, NaN for concepts that do not vary.
    """
    filled = correlation.nan_to_num(-torch.inf)
    match_b, match_a = filled.argmax(-1, keepdim=True), filled.argmax(-3, keepdim=True)

    def mean_of_matches(values: torch.Tensor) -> torch.Tensor:
        of_first = values.gather(-1, match_b)[..., 0].nanmean(-2)
        of_second = values.gather(-3, match_a)[..., 0, :, :].nanmean(-1)
        return (of_first + of_second) / 2

    groups = group_of_images(images)
    of_rows = groups.repeat_interleave(len(first) // images).to(first.device)
    left = []
    for group in range(int(groups[-1]) + 1):
        kept = of_rows != group
        left.append(mean_of_matches(by_layer(spearman(first[kept], second[kept]))))
    value = mean_of_matches(correlation)
    return jackknife_variance(value, torch.stack(left), groups.bincount().to(first.device))
