"""The common frame that patches are cut from: the same pixels for every model.

A frame is cut as the evaluation transforms of torchvision and timm do (shorter side resized,
bilinear with antialias, centre crop); each model then scales it to its own input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from analysis.errors import AuditError

if TYPE_CHECKING:
    import torch

_LONGEST = 8
"""Images of a more extreme aspect than this are not resized as a whole."""


@dataclass(frozen=True)
class Frame:
    """Shorter side to `resize` pixels, then the central square of `crop` pixels.

    :raises AuditError: if the crop is larger than the resized image.
    """

    resize: int = 224
    crop: int = 224

    def __post_init__(self) -> None:
        if not 1 <= self.crop <= self.resize:
            raise AuditError(
                f"A crop of {self.crop} pixels cannot be cut from {self.resize} pixels.",
                "Choose a crop of at least 1 pixel that is not larger than the resized side.",
            )

    def apply(self, image: Image.Image) -> np.ndarray:
        """The frame of an upright RGB image: uint8 (crop, crop, 3)."""
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        resized, (left, top) = self.placement(image.width, image.height)
        box = (left, top, left + self.crop, top + self.crop)
        if max(resized) <= _LONGEST * self.resize:
            return np.asarray(rgb.resize(resized, Image.Resampling.BILINEAR).crop(box))
        return np.asarray(self._central(rgb, resized, box))

    def _central(
        self, image: Image.Image, resized: tuple[int, int], box: tuple[int, int, int, int]
    ) -> Image.Image:
        """Resize no more than what is kept: a ribbon of 100,000 × 1 pixels, resized as a whole,
        would take all memory. Equal up to one step of rounding."""
        scale_x, scale_y = image.width / resized[0], image.height / resized[1]
        kept = (
            box[0] * scale_x,
            box[1] * scale_y,
            min(box[2] * scale_x, image.width),
            min(box[3] * scale_y, image.height),
        )
        return image.resize((self.crop, self.crop), Image.Resampling.BILINEAR, box=kept)

    def to_original(self, boxes: np.ndarray, width: int, height: int) -> np.ndarray:
        """Boxes of the frame in pixels of the upright original image of `width` × `height`.

        :param boxes: (n, 4) x, y, width, height in pixels of the frame.
        :returns: int64 (n, 4): edges at the nearest pixel of the original, within it, and at least
            one pixel wide and high.
        """
        boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        resized, (left, top) = self.placement(width, height)
        x, x_end = _edges(boxes[:, 0] + left, boxes[:, 2], width / resized[0], width)
        y, y_end = _edges(boxes[:, 1] + top, boxes[:, 3], height / resized[1], height)
        return np.stack([x, y, x_end - x, y_end - y], axis=1)

    def region(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The whole frame in pixels of the upright original: x, y, width, height."""
        whole = np.array([[0, 0, self.crop, self.crop]])
        x, y, across, down = self.to_original(whole, width, height)[0].tolist()
        return x, y, across, down

    def placement(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where the frame lies: (width, height) of the resized image, and the crop's (left, top)
        in it, in pixels.

        The rounding is torchvision's: the longer side is cut to an integer, the corner rounded
        half to even.
        """
        shorter = min(width, height)
        resized = int(self.resize * width / shorter), int(self.resize * height / shorter)
        left, top = (round((side - self.crop) / 2) for side in resized)
        return resized, (left, top)


def _edges(
    start: np.ndarray, length: np.ndarray, scale: float, side: int
) -> tuple[np.ndarray, np.ndarray]:
    first = np.clip(np.rint(start * scale).astype(np.int64), 0, side - 1)
    last = np.clip(np.rint((start + length) * scale).astype(np.int64), first + 1, side)
    return first, last


@dataclass(frozen=True)
class PatchGrid:
    """Square patches of `size` pixels every `stride` pixels, as `torch.nn.functional.unfold` cuts
    them: pixels beyond the last whole patch belong to none.

    The defaults are the paper's: 64 pixels with a stride of int(0.8 · 64) = 51, 4 × 4 patches of a
    frame of 224 pixels.
    """

    size: int = 64
    stride: int = 51

    def __post_init__(self) -> None:
        if self.size < 1 or self.stride < 1:
            raise AuditError(
                f"Patches of {self.size} pixels every {self.stride} pixels cannot be cut.",
                "Size and stride must be at least 1 pixel.",
            )

    def per_side(self, side: int) -> int:
        """How many patches fit along a side of `side` pixels.

        :raises AuditError: if not even one fits.
        """
        if side < self.size:
            raise AuditError(
                f"A patch of {self.size} pixels does not fit in a frame of {side} pixels.",
                "Choose smaller patches or a larger frame.",
            )
        return (side - self.size) // self.stride + 1

    def boxes(self, side: int) -> np.ndarray:
        """The patches of a square frame, row by row: int64 (P, 4) x, y, width, height."""
        corners = np.arange(self.per_side(side)) * self.stride
        y, x = (axis.ravel() for axis in np.meshgrid(corners, corners, indexing="ij"))
        size = np.full_like(x, self.size)
        return np.stack([x, y, size, size], axis=1)


def extract_patches(frames: torch.Tensor, grid: PatchGrid) -> torch.Tensor:
    """All patches of a batch of frames, image by image and row by row within an image.

    :param frames: (N, C, H, W), any type, on any device.
    :returns: (N · P, C, size, size) of the same type, contiguous; patch p of image n at n · P + p.
    """
    rows, columns = (grid.per_side(side) for side in frames.shape[2:])
    windows = frames.unfold(2, grid.size, grid.stride).unfold(3, grid.size, grid.stride)
    patches = windows.permute(0, 2, 3, 1, 4, 5)
    shape = (len(frames) * rows * columns, frames.shape[1], grid.size, grid.size)
    return patches.reshape(shape).contiguous()
