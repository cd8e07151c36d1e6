"""Where a model's maps lie: from cells of a map to parts of the frame, and padding taken off."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Letterbox:
    """A frame within the canvas that a network takes, with padding around it.

    `height`, `width`: the canvas in pixels. `top`, `left`, `side_height`, `side_width`: the frame
    on it. Frame and canvas have the same pixels: y on the canvas is y on the frame plus `top`.
    """

    height: int
    width: int
    top: int
    left: int
    side_height: int
    side_width: int

    @classmethod
    def around_square(cls, height: int, width: int) -> Letterbox:
        """The largest square in the middle of a canvas."""
        side = min(height, width)
        return cls(height, width, (height - side) // 2, (width - side) // 2, side, side)

    def pad(self, frames: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Canvases (n, c, height, width) of frames (n, c, side height, side width).

        :param values: (c,) what the padding is filled with.
        """
        canvas = values.to(frames).view(1, -1, 1, 1).repeat(len(frames), 1, self.height, self.width)
        rows = slice(self.top, self.top + frames.shape[2])
        canvas[:, :, rows, self.left : self.left + frames.shape[3]] = frames
        return canvas

    def take_off(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps of the frame alone (n, c, r, s) from maps of the canvas (n, c, rows, columns).

        Where the frame's edges fall between cells, as many cells as are touched are sampled
        bilinearly (cell centres, edges repeated) so that they lie over the frame exactly.
        """
        rows, columns = maps.shape[2:]
        first, count = _cells(self.top, self.side_height, self.height, rows)
        if first is not None:
            maps = maps[:, :, int(first) : int(first) + count]
        else:
            start, span = rows * self.top / self.height, rows * self.side_height / self.height
            maps = _sample(maps, 2, start, span, count)
        first, count = _cells(self.left, self.side_width, self.width, columns)
        if first is not None:
            return maps[:, :, :, int(first) : int(first) + count]
        start, span = columns * self.left / self.width, columns * self.side_width / self.width
        return _sample(maps, 3, start, span, count)


def _cells(start: int, length: int, canvas: int, cells: int) -> tuple[int | None, int]:
    """The first cell of a stretch (None where it begins or ends within one), and how many."""
    exact = start * cells % canvas == 0 and length * cells % canvas == 0
    count = -(-length * cells // canvas)
    return (start * cells // canvas if exact else None), max(count, 1)


def _sample(maps: torch.Tensor, axis: int, start: float, span: float, count: int) -> torch.Tensor:
    """`count` values at equal steps over `start` … `start + span`, in cells along an axis."""
    step = span / count
    places = start + step * (torch.arange(count, dtype=torch.float64) + 0.5) - 0.5
    places = places.clamp(0, maps.shape[axis] - 1)
    lower = places.floor().long()
    upper = (lower + 1).clamp(max=maps.shape[axis] - 1)
    shape = [1] * maps.ndim
    shape[axis] = count
    share = (places - lower).to(maps).view(shape)
    lower, upper = lower.to(maps.device), upper.to(maps.device)
    return torch.lerp(maps.index_select(axis, lower), maps.index_select(axis, upper), share)


class NamedOutput(nn.Module):
    """Where one output of an exported network passes, so that it is a layer and can be tapped."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The output as it is."""
        return x
