"""The order of an image's pixels by a map, on the model's device. As `steps.py` finds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.errors import AuditError
from analysis.faithfulness.steps import interpolation


@dataclass(frozen=True)
class Ranking:
    """`rank` (n, height, width) int32, 0 for the most important; `tied` (n,) float32, the share of
    pixels that have another pixel of exactly the same value."""

    rank: torch.Tensor
    tied: torch.Tensor


def enlarge(maps: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Maps (n, rows, columns) at the image's size, (n, height, width) float32.

    Bilinear with half-pixel centres, rounded exactly as `steps.enlarge`: each operation by itself.
    """
    values = maps.to(torch.float32) + 0.0  # −0 becomes 0
    for axis, size in ((1, height), (2, width)):
        low, high, weight = (
            torch.from_numpy(part).to(values.device)
            for part in interpolation(values.shape[axis], size)
        )
        first, second = values.index_select(axis, low), values.index_select(axis, high)
        weight = weight[:, None] if axis == 1 else weight
        values = first + (second - first) * weight
    return values


def rank_pixels(maps: torch.Tensor, height: int, width: int) -> Ranking:
    """The rank of each pixel by each map; equal pixels in raster order.

    :param maps: (n, rows, columns), finite.
    """
    values = enlarge(checked_maps(maps), height, width).flatten(1)
    ordered, order = torch.sort(-values, dim=1, stable=True)
    places = torch.arange(height * width, dtype=torch.int32, device=values.device)
    rank = torch.empty(values.shape, dtype=torch.int32, device=values.device)
    rank.scatter_(1, order, places.expand_as(rank))
    equal = ordered[:, 1:] == ordered[:, :-1]
    tied = torch.zeros(values.shape, dtype=torch.bool, device=values.device)
    tied[:, 1:] |= equal
    tied[:, :-1] |= equal
    return Ranking(rank.view(-1, height, width), tied.float().mean(1))


def checked_maps(maps: torch.Tensor, images: int | None = None) -> torch.Tensor:
    """The maps, without gradients.

    :raises AuditError: they are not (n, rows, columns), one for each image.
    """
    if maps.ndim != 3 or not maps.shape[1] * maps.shape[2]:
        raise AuditError(
            "Maps have three axes: images, rows, columns.", f"Got {tuple(maps.shape)}."
        )
    if images is not None and len(maps) != images:
        raise AuditError(f"There are {len(maps)} maps for {images} images.", "Give one an image.")
    return maps.detach()


def finite_maps(maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps with those that hold NaN or infinity set to zero, and which (n,) were finite."""
    finite = torch.isfinite(maps).flatten(1).all(1)
    return torch.where(finite[:, None, None], maps, 0.0), finite
