"""Activation maps as the engine reads them: a function of a range of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from analysis.errors import AuditError
from analysis.progress import Progress

MapSource = Callable[[int, int], torch.Tensor]
"""maps(start, stop) → (stop - start, units, rows, columns), any float type, on any device.

Called several times for the same images and must give the same each time; rows and columns are
those of the layer, not yet upsampled.
"""

_CHUNK_VALUES = 1 << 20  # raw activations looked at in one go


def read_chunks(
    maps: MapSource,
    images: int,
    units: int,
    block: slice | torch.Tensor = slice(None),
    progress: Progress | None = None,
    text: str = "",
    span: tuple[float, float] = (0.0, 1.0),
) -> Iterator[tuple[int, torch.Tensor]]:
    """(first image, float32 maps (n, chosen units, h, w)) over all images, in bounded pieces.

    :param block: which units, as a slice or as indices.
    :param span: the part of the whole work that these images are, for `progress`.
    :raises AuditError: the source gives other than (n, units, h, w).
    :raises Cancelled: when `progress` is cancelled.
    """
    step = 1
    start = 0
    while start < images:
        stop = min(images, start + step)
        if progress is not None:
            done = span[0] + (span[1] - span[0]) * start / images
            progress.report(done * images, images, text)
        chunk = _checked(maps(start, stop), stop - start, units)
        index = block.to(chunk.device) if isinstance(block, torch.Tensor) else block
        chosen = chunk[:, index]
        # The first image tells how large the maps are.
        step = max(1, _CHUNK_VALUES // chosen[0].numel())
        yield start, chosen.to(torch.float32)
        start = stop


def _checked(chunk: torch.Tensor, images: int, units: int) -> torch.Tensor:
    if chunk.ndim != 4 or chunk.shape[:2] != (images, units) or not chunk[0, 0].numel():
        raise AuditError(
            f"The activation maps have the shape {tuple(chunk.shape)} where"
            f" ({images}, {units}, rows, columns) was expected.",
            "Choose a layer whose outputs are maps or tokens on a grid.",
        )
    return chunk
