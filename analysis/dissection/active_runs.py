"""Where units are active, as runs of pixels along the rows of the upsampled grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from analysis.dissection.upsampling import CellGrid, flat_nonzero


def active_pixels(
    maps: torch.Tensor, cutoffs: torch.Tensor, resolution: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Every active pixel of some maps, in no particular order.

    :param maps: (n, units, h, w) float32.
    :param cutoffs: (units,) float32; NaN for a unit that is nowhere active.
    :returns: int64 row = image · units + unit, and flat pixel of the resolution² grid.
    """
    grid = CellGrid((maps.shape[2], maps.shape[3]), resolution, maps.device)
    units = len(cutoffs)
    rows, pixels = [], []
    for cells in grid.cells_above(maps, cutoffs):
        height, width = cells.values.shape[1:]
        active = flat_nonzero(cells.values > cutoffs[cells.row % units, None, None])
        cell = active // (height * width)
        within = active - cell * (height * width)
        y = within // width
        rows.append(cells.row[cell])
        pixels.append(cells.corner[cell] + y * resolution + (within - y * width))
    if not rows:
        nothing = torch.zeros(0, dtype=torch.int64, device=maps.device)
        return nothing, nothing
    return torch.cat(rows), torch.cat(pixels)


@dataclass(frozen=True)
class ActiveRuns:
    """Runs of active pixels of `rows` maps, ordered by map.

    `edges`: int32, the first pixel of each run and the one after its last, in turn; `signs`:
    float32, -1 and 1 in turn; `offsets`: int64 (rows + 1,), where the edges of each map begin;
    `active`: int64 (rows,) active pixels.
    """

    edges: torch.Tensor
    signs: torch.Tensor
    offsets: torch.Tensor
    active: torch.Tensor


def active_runs(
    row: torch.Tensor, pixel: torch.Tensor, rows: int, pixels: int, device: torch.device
) -> ActiveRuns:
    """Join active pixels into runs.

    :param row: int64, the map of each active pixel; `pixel`: int64, its place, below `pixels`.
    :param device: where the runs are to lie.
    """
    stride = pixels + 1  # one more, so that no run goes on into the next map
    keys = _sorted(row * stride + pixel).to(device)
    gap = torch.ones(len(keys) + 1, dtype=torch.bool, device=device)
    if len(keys):
        gap[1:-1] = keys[1:] - keys[:-1] != 1
    starts = keys[flat_nonzero(gap[:-1])]
    stops = keys[flat_nonzero(gap[1:])] + 1
    owners = starts // stride
    edges = torch.stack([starts, stops], dim=1) - (owners * stride)[:, None]
    count = torch.bincount(owners, minlength=rows)
    offsets = torch.zeros(rows + 1, dtype=torch.int64, device=device)
    offsets[1:] = count.cumsum(0) * 2
    return ActiveRuns(
        edges=edges.reshape(-1).to(torch.int32),
        signs=torch.tensor([-1.0, 1.0], device=device).repeat(len(starts)),
        offsets=offsets,
        active=torch.bincount(keys // stride, minlength=rows),
    )


def _sorted(keys: torch.Tensor) -> torch.Tensor:
    """NumPy sorts whole numbers several times faster on the CPU."""
    if keys.device.type == "cpu":
        return torch.from_numpy(np.sort(keys.numpy()))
    return keys.sort().values
