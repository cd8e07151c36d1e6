"""Between a model's inputs and pixels in 0…1, and what stands for missing pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.faithfulness.metrics import Baseline, check_baseline
from analysis.faithfulness.steps import blur_kernel, grey_of

if TYPE_CHECKING:
    from analysis.models.preprocessing import Preprocessing


@dataclass(frozen=True)
class Pixels:
    """An input value is (pixel − mean) / std, of pixels in 0…1; one number a channel.

    `reversed_channels`: the input's channels are blue, green, red.
    """

    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    reversed_channels: bool = False

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not self.std or min(self.std) <= 0:
            raise AuditError(
                "The normalisation is not usable.",
                "Mean and std have a number for each channel; std is above zero.",
            )

    @classmethod
    def of(cls, preprocessing: Preprocessing) -> Pixels:
        """As a model's preprocessing has it; inputs may be of pixels in 0…255."""
        share = preprocessing.scale / 255
        return cls(
            tuple(value * share for value in preprocessing.mean),
            tuple(value * share for value in preprocessing.std),
            preprocessing.channel_order == "BGR",
        )

    def colour(self, values: np.ndarray | float, like: torch.Tensor) -> torch.Tensor:
        """A colour in 0…1, red first, as model input (1, channels, 1, 1)."""
        pixel = np.broadcast_to(np.asarray(values, dtype=np.float64), (len(self.mean),))
        if self.reversed_channels:
            pixel = pixel[::-1]
        found = (pixel - np.array(self.mean)) / np.array(self.std)
        return _per_channel(found, like)

    def scaled(self, size: float, like: torch.Tensor) -> torch.Tensor:
        """A difference of `size` in 0…1 in units of the input, (1, channels, 1, 1)."""
        return _per_channel(size / np.array(self.std), like)

    def baseline(self, batch: torch.Tensor, name: Baseline) -> torch.Tensor:
        """What stands for missing pixels of inputs (n, channels, height, width).

        :returns: model inputs; (1, channels, height, width) where it is the same for all images.
        """
        check_baseline(name)
        if name == "black":
            return self._constant(0.0, batch)
        grey = self.colour(grey_of(len(self.mean)), batch)
        if name == "grey":
            return self._constant(grey_of(len(self.mean)), batch)
        rows, columns = (_blurring(side).to(batch.device) for side in batch.shape[-2:])
        return rows @ (batch - grey) @ columns.T + grey

    def _constant(self, colour: np.ndarray | float, batch: torch.Tensor) -> torch.Tensor:
        return self.colour(colour, batch).expand(1, *batch.shape[1:]).contiguous()


def _per_channel(values: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    numbers = torch.from_numpy(np.asarray(values, dtype=np.float32).copy())
    return numbers.to(like.device)[None, :, None, None]


def _blurring(side: int) -> torch.Tensor:
    """RISE's blur along an axis as a matrix (side, side); zero beyond the edges."""
    kernel = blur_kernel()
    reach = len(kernel) // 2
    matrix = np.zeros((side, side), dtype=np.float32)
    for place, weight in enumerate(kernel):
        offset = place - reach
        if abs(offset) < side:
            matrix += np.diag(np.full(side - abs(offset), weight, dtype=np.float32), offset)
    return torch.from_numpy(matrix)
