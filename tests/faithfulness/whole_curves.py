"""Insertion and deletion of several maps in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.faithfulness.curves import curve
from analysis.faithfulness.metrics import Baseline
from analysis.faithfulness.ranking import checked_maps, rank_pixels
from analysis.faithfulness.scoring import MeasuredImages
from analysis.faithfulness.steps import KINDS, Kind


@dataclass(frozen=True)
class Curves:
    """Scores by kind, each (methods, n, steps + 1) float32, and `tied` (methods, n)."""

    scores: dict[Kind, torch.Tensor]
    tied: torch.Tensor


def insertion_deletion(
    images: MeasuredImages,
    maps: Sequence[torch.Tensor],
    classes: torch.Tensor,
    steps: int = 224,
    kinds: Sequence[Kind] = KINDS,
    insertion_baseline: Baseline = "blurred",
    deletion_baseline: Baseline = "grey",
) -> Curves:
    """Both curves of each method's maps (n, rows, columns), which cover the images."""
    rankings = [
        rank_pixels(checked_maps(one, len(images.batch)), *images.batch.shape[-2:]) for one in maps
    ]
    baselines: dict[Kind, Baseline] = {
        "insertion": insertion_baseline, "deletion": deletion_baseline
    }  # fmt: skip
    found = {kind: curve(images, rankings, classes, steps, kind, baselines[kind]) for kind in kinds}
    return Curves(found, torch.stack([one.tied for one in rankings]))
