"""Saliency maps, and bringing them to the image's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.saliency.methods import MethodSettings


@dataclass(frozen=True)
class Maps:
    """Maps of one method for a batch of images.

    `values`: (n, rows, columns) float32 at the layer's resolution, on the model's device, in the
    method's own units: larger is more important; CAMs are not below zero. `layer`: where they were
    taken, as `blocks.11.norm1`, or `blocks.2.attn … blocks.4.attn`; empty for null maps.
    `classes`: (n,) int64, None where the class makes no difference. `notes`: (n,) what a reader
    must know of each map, in plain words; “” where there is nothing to say.
    """

    settings: MethodSettings
    values: torch.Tensor
    layer: str
    classes: torch.Tensor | None
    notes: tuple[str, ...]


def min_max(values: torch.Tensor) -> torch.Tensor:
    """Each map (last two axes) brought to 0…1; a map that is the same everywhere becomes zero."""
    low, high = values.amin((-2, -1), keepdim=True), values.amax((-2, -1), keepdim=True)
    span = high - low
    return torch.where(span > 0, (values - low) / span.clamp_min(torch.finfo(span.dtype).tiny), 0.0)


def upsample(maps: torch.Tensor, side: int | Sequence[int], normalise: bool = True) -> torch.Tensor:
    """Maps (n, rows, columns) at an image's size: (n, height, width) float32, bilinear, half-pixel.

    `normalise` brings each map to 0…1 before and after, as is usual for display and metrics. A map
    that is the same everywhere becomes zero.

    :param side: height and width, or (height, width).
    """
    size = (side, side) if isinstance(side, int) else (int(side[0]), int(side[1]))
    values = maps.float()
    if normalise:
        values = min_max(values)
    values = torch.nn.functional.interpolate(
        values[:, None], size=size, mode="bilinear", align_corners=False
    )[:, 0]
    return min_max(values) if normalise else values
