"""Insertion and deletion (Petsiuk et al. 2018): the score while pixels come or go."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.errors import AuditError
from analysis.faithfulness.metrics import Baseline
from analysis.faithfulness.ranking import Ranking
from analysis.faithfulness.scoring import MeasuredImages
from analysis.faithfulness.steps import Kind, pixels_at_step


def curve(
    images: MeasuredImages,
    rankings: Sequence[Ranking],
    classes: torch.Tensor,
    steps: int,
    kind: Kind,
    baseline: Baseline,
) -> torch.Tensor:
    """The probability of a class at every step, for all methods and images together.

    At step s the ⌊s · pixels / steps⌋ most important pixels are in (insertion) or gone (deletion);
    equal pixels in raster order. The first and last scores are shared: the image itself, and the
    image with all pixels missing.

    :param rankings: of each method.
    :param classes: (n,) the class of each image; below 0 gives NaN.
    :returns: (methods, n, steps + 1) float32.
    :raises AuditError: there is no step, or the baseline is unknown.
    """
    if steps < 1:
        raise AuditError("A curve has at least one step.", f"Got {steps}.")
    n, methods, inner = len(images.batch), len(rankings), steps - 1
    pixels = images.batch.shape[-2] * images.batch.shape[-1]
    counts = torch.from_numpy(pixels_at_step(steps, pixels)).to(images.batch.device, torch.int32)
    missing = images.baseline(baseline)
    result = torch.empty(methods, n, steps + 1, device=images.batch.device)
    whole = images.of_class(images.original(), classes)
    empty = images.of_class(images.baseline_scores(baseline), classes)
    first, last = (empty, whole) if kind == "insertion" else (whole, empty)
    result[..., 0], result[..., -1] = first, last

    def build(start: int, stop: int) -> torch.Tensor:
        """Changed images start…stop: map by map, steps 1…steps − 1 of each."""
        parts = []
        for of in range(start // inner, (stop - 1) // inner + 1):
            method, image = divmod(of, n)
            low, high = max(start - of * inner, 0), min(stop - of * inner, inner)
            rank = rankings[method].rank[image]
            chosen = rank < counts[low + 1 : high + 1, None, None]
            present, absent = images.batch[image], missing[image if len(missing) > 1 else 0]
            if kind == "deletion":
                present, absent = absent, present
            parts.append(torch.where(chosen[:, None], present, absent))
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    if inner:
        job_classes = classes.repeat(methods).repeat_interleave(inner)
        scores = images.score(methods * n * inner, build, job_classes)
        result[..., 1:-1] = scores.view(methods, n, inner)
    return result
