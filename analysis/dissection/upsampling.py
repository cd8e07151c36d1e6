"""Bilinear upsampling of only those cells of a map that can matter.

Between four neighbouring values of a map lies a *cell* of the upsampled grid. A bilinear value
never exceeds the largest of its cell's corners, so that a cell whose corners do not exceed a
bound has no pixel above it. With a bound that one pixel in a hundred exceeds, about one cell in
twenty needs to be looked at.

The values are those of `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` up
to rounding in float32; the weights are exact in float64 first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class _Bands:
    """The upsampled rows (or columns) that lie between the same two rows of the map."""

    low: torch.Tensor  # (bands,) the row before
    high: torch.Tensor  # (bands,) the row after; the same at the edge
    first: torch.Tensor  # (bands,) first upsampled row
    size: torch.Tensor  # (bands,) how many upsampled rows
    weight: torch.Tensor  # (bands, largest size) of the row after


@dataclass(frozen=True)
class CellValues:
    """Upsampled values of some cells of equal size.

    `row`: (cells,) which map, image-major: image · units + unit; `values`: (cells, height, width);
    `corner`: (cells,) flat index of the first pixel in the upsampled grid.
    """

    row: torch.Tensor
    values: torch.Tensor
    corner: torch.Tensor


class CellGrid:
    """How maps of `size` (height, width) are upsampled to resolution × resolution, cell by cell."""

    def __init__(self, size: tuple[int, int], resolution: int, device: torch.device) -> None:
        height, width = size
        self.resolution = resolution
        self._width = width
        self._area = height * width
        self._rows = _bands(height, resolution, device)
        self._columns = _bands(width, resolution, device)
        self._shapes = _shapes(self._rows.size, self._columns.size)

    def cells_above(self, maps: torch.Tensor, bounds: torch.Tensor) -> Iterator[CellValues]:
        """All cells that may hold a value above their unit's bound, grouped by size.

        :param maps: (n, units, height, width) float32.
        :param bounds: (units,) float32.
        """
        bound = bounds.expand(maps.shape[:2]).reshape(-1)
        flat = maps.reshape(len(bound), -1)
        # Most maps stay below the bound everywhere, which is the quickest to find out.
        maps_left = flat_nonzero(flat.amax(1) > bound)
        chosen = self._corner_maximum(maps.flatten(0, 1)[maps_left])
        cells = flat_nonzero(chosen > bound[maps_left, None, None])
        columns = len(self._columns.low)
        count = len(self._rows.low) * columns
        row, cell = maps_left[cells // count], cells % count
        y, x = cell // columns, cell % columns
        flat = flat.reshape(-1)
        for height, width in self._shapes:
            if len(self._shapes) > 1:
                fits = flat_nonzero(
                    (self._rows.size[y] == height) & (self._columns.size[x] == width)
                )
                part = row[fits], y[fits], x[fits]
            else:
                part = row, y, x
            if len(part[0]):
                yield self._upsample(flat, *part, height, width)

    def _corner_maximum(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, bands, bands): the largest corner of each cell of maps (n, height, width)."""
        rows = torch.maximum(maps[:, self._rows.low], maps[:, self._rows.high])
        return torch.maximum(rows[..., self._columns.low], rows[..., self._columns.high])

    def _upsample(
        self,
        flat: torch.Tensor,
        row: torch.Tensor,
        y: torch.Tensor,
        x: torch.Tensor,
        height: int,
        width: int,
    ) -> CellValues:
        above = row * self._area + self._rows.low[y] * self._width
        below = row * self._area + self._rows.high[y] * self._width
        left, right = self._columns.low[x], self._columns.high[x]
        down = self._rows.weight[y, :height]
        across = self._columns.weight[x, :width]
        left_edge = torch.lerp(flat[above + left, None], flat[below + left, None], down)
        right_edge = torch.lerp(flat[above + right, None], flat[below + right, None], down)
        values = torch.lerp(left_edge[:, :, None], right_edge[:, :, None], across[:, None, :])
        corner = self._rows.first[y] * self.resolution + self._columns.first[x]
        return CellValues(row, values, corner)


def flat_nonzero(mask: torch.Tensor) -> torch.Tensor:
    """Flat indices of what is true; NumPy finds them faster on the CPU."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.reshape(-1).nonzero()[:, 0]


def _bands(size: int, resolution: int, device: torch.device) -> _Bands:
    places = (np.arange(resolution) + 0.5) * size / resolution - 0.5
    before = np.floor(places).astype(np.int64)  # -1 for what lies outside the first row
    first = np.flatnonzero(np.diff(before, prepend=-2))
    count = np.diff(first, append=resolution)
    weight = np.zeros((len(first), count.max()), dtype=np.float32)
    for band, (start, length) in enumerate(zip(first, count, strict=True)):
        weight[band, :length] = places[start : start + length] - before[start]
    low, high = before[first], before[first] + 1
    numbers = [np.clip(low, 0, size - 1), np.clip(high, 0, size - 1), first, count, weight]
    return _Bands(*(torch.from_numpy(np.asarray(each)).to(device) for each in numbers))


def _shapes(heights: torch.Tensor, widths: torch.Tensor) -> list[tuple[int, int]]:
    return [
        (height, width)
        for height in sorted(set(heights.tolist()))
        for width in sorted(set(widths.tolist()))
    ]
