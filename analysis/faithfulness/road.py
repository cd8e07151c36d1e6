"""ROAD (Rong et al. 2022): the score without the most, or the least, important pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from analysis.faithfulness.imputation import impute
from analysis.faithfulness.ranking import Ranking
from analysis.faithfulness.scoring import MeasuredImages
from analysis.seeds import derive_seed

Order = Literal["morf", "lerf"]
_CPU_MASKS = 4  # images imputed together, which then stay in the processor's cache


def road_scores(
    images: MeasuredImages,
    rankings: Sequence[Ranking],
    classes: torch.Tensor,
    orders: Sequence[Order] = ("morf", "lerf"),
    percentages: Sequence[int] = (10, 20, 30, 40, 50, 60, 70, 80, 90),
    noise: float = 0.01,
    seed: int = 0,
    image_keys: Sequence[str] | None = None,
) -> dict[Order, torch.Tensor]:
    """The probability of a class at every percentage removed, (methods, n, percentages) an order.

    The ⌊share · pixels⌋ first (“morf”) or last (“lerf”) pixels of the order are removed, filled in
    by `impute`, and Gaussian noise is added to them. An image has the same noise for all methods
    and percentages, so that they are compared alike.

    :param noise: its σ, of pixels in 0…1.
    :param image_keys: (n,) what the noise is derived from; None for each image's place.
    """
    n, batch = len(images.batch), images.batch
    height, width = batch.shape[-2:]
    keys = [str(place) for place in range(n)] if image_keys is None else image_keys
    added = _noise(keys, tuple(batch.shape[1:]), seed).to(batch.device)
    added = added * images.pixels.scaled(noise, batch)
    counts = [int(share * height * width // 100) for share in percentages]
    per_map = len(orders) * len(counts)
    jobs = [(order, count) for order in orders for count in counts]

    def build(start: int, stop: int) -> torch.Tensor:
        own, masks = [], []
        for job in range(start, stop):
            of, kind = divmod(job, per_map)
            method, image = divmod(of, n)
            order, count = jobs[kind]
            rank = rankings[method].rank[image]
            own.append(image)
            masks.append(rank < count if order == "morf" else rank >= height * width - count)
        missing = torch.stack(masks)
        size = _CPU_MASKS if batch.device.type == "cpu" else len(own)
        parts = []
        for low in range(0, len(own), size):
            chosen, holes = own[low : low + size], missing[low : low + size]
            filled = impute(batch[chosen], holes)
            parts.append(torch.where(holes[:, None], filled + added[chosen], filled))
        return torch.cat(parts)

    total = len(rankings) * n * per_map
    job_classes = classes.repeat(len(rankings)).repeat_interleave(per_map)
    found = images.score(total, build, job_classes)
    table = found.view(len(rankings), n, len(orders), len(counts))
    return {order: table[:, :, place] for place, order in enumerate(orders)}


def _noise(keys: Sequence[str], shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Standard normal noise of each image, (n, channels, height, width) float32."""
    rows = [
        np.random.default_rng(derive_seed(seed, "road", key)).standard_normal(shape, np.float32)
        for key in keys
    ]
    return torch.from_numpy(np.stack(rows))
