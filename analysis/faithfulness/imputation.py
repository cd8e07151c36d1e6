"""Missing pixels from their neighbours: the linear imputation of ROAD (Rong et al. 2022).

Every missing pixel is the weighted mean of its neighbours within the image, known or missing:
1/6 for the four beside it and 1/12 for the four diagonal ones, which is one sparse symmetric system
of equations for each mask. It is solved on the device for many masks at once by conjugate gradients
with a multigrid cycle as preconditioner: each coarser grid has the exact equations of the finer one
for images interpolated from it, so that holes of any form and size converge in a few rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from analysis.errors import AuditError

ROUNDS = 8
"""Rounds of conjugate gradients: errors are then below 1e-4 of the image's range."""
_DAMPING = 0.9
_OFFSETS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1))


def impute(images: torch.Tensor, missing: torch.Tensor, rounds: int = ROUNDS) -> torch.Tensor:
    """The images with their missing pixels filled in, without noise; known pixels stay as they are.

    :param images: (n, channels, height, width) float32.
    :param missing: (n, height, width) bool; at least one pixel of each image is known.
    :raises AuditError: shapes do not fit.
    """
    if missing.shape != (len(images), *images.shape[-2:]):
        raise AuditError(
            "There is one mask (height, width) for each image.",
            f"Got {tuple(missing.shape)} for {tuple(images.shape)}.",
        )
    hole = missing[:, None].to(images.dtype)
    known = images.contiguous() * (1 - hole)
    # Around the mean of what is known, the unknown starts from zero.
    count = (1 - hole).sum((-2, -1), keepdim=True).clamp_min(1)
    middle = known.sum((-2, -1), keepdim=True) / count
    known = (known - middle) * (1 - hole)
    fine = _FineLevel(hole)
    levels = _levels(fine)
    filled = _conjugate_gradients(fine, levels, _neighbours(known) * hole, rounds)
    return torch.where(missing[:, None], filled + middle, images)


class _FineLevel:
    """The equations at the images' own pixels: (own weight) · u − Σ weights · neighbours = b."""

    def __init__(self, hole: torch.Tensor) -> None:
        self.hole = hole
        self.weight = _neighbours(torch.ones_like(hole[:1]))
        self.inverse = hole / self.weight.clamp_min(torch.finfo(hole.dtype).tiny)
        self.size = (hole.shape[-2], hole.shape[-1])

    def apply(self, values: torch.Tensor) -> torch.Tensor:
        """Of values that are zero outside the holes."""
        return (self.weight * values - _neighbours(values)) * self.hole


@dataclass
class _CoarseLevel:
    """Equations of 3 × 3 coefficients a place: `coefficients` (9, n, 1, height, width)."""

    coefficients: torch.Tensor
    inverse: torch.Tensor
    size: tuple[int, int]

    def apply(self, values: torch.Tensor) -> torch.Tensor:
        height, width = self.size
        padded = torch.nn.functional.pad(values, (1, 1, 1, 1))
        result = torch.zeros_like(values)
        for (down, right), part in zip(_OFFSETS, self.coefficients, strict=True):
            shifted = padded[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]
            result.addcmul_(part, shifted)
        return result


def _neighbours(values: torch.Tensor) -> torch.Tensor:
    """Σ weights · neighbours, nothing beyond the edge: ([1 2 1]ᵀ[1 2 1] − 4) / 12."""
    across = 2 * values
    across[..., 1:] += values[..., :-1]
    across[..., :-1] += values[..., 1:]
    result = 2 * across
    result[..., 1:, :] += across[..., :-1, :]
    result[..., :-1, :] += across[..., 1:, :]
    return result.sub_(values, alpha=4).div_(12)


def _levels(fine: _FineLevel) -> list[_CoarseLevel]:
    """Ever coarser grids, each with half the places of the one before along each side."""
    found: list[_CoarseLevel] = []
    level: _FineLevel | _CoarseLevel = fine
    while max(level.size) > 1:
        level = _coarser(level, fine.hole)
        found.append(level)
    return found


def _coarser(level: _FineLevel | _CoarseLevel, hole: torch.Tensor) -> _CoarseLevel:
    """The equations for values interpolated from a grid half as fine (Galerkin).

    Places three apart share no neighbour, so nine patterns of ones show all coefficients.
    """
    height, width = ((side + 1) // 2 for side in level.size)
    rows = torch.arange(height, device=hole.device)[:, None]
    columns = torch.arange(width, device=hole.device)
    patterns = torch.stack([
        ((rows % 3 == a) & (columns % 3 == b)).to(hole.dtype) for a in range(3) for b in range(3)
    ])  # fmt: skip
    finer = _interpolated(patterns[None], level.size)
    seen = level.apply(finer * hole if isinstance(level, _FineLevel) else
                       finer.expand(len(hole), -1, -1, -1))  # fmt: skip
    answers = _gathered(seen, (height, width))
    parts = []
    for down, right in _OFFSETS:
        pattern = ((rows + down) % 3) * 3 + (columns + right) % 3
        inside = ((rows + down >= 0) & (rows + down < height)
                  & (columns + right >= 0) & (columns + right < width))  # fmt: skip
        picked = answers.gather(1, pattern.expand(len(answers), 1, height, width))
        parts.append(picked * inside)
    own = parts[len(parts) // 2]
    positive = own > 1e-6
    inverse = torch.where(positive, 1 / torch.where(positive, own, 1.0), 0.0)
    return _CoarseLevel(torch.stack(parts), inverse, (height, width))


def _interpolated(values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Values at every second place brought to `size`: between two places their mean."""
    for axis, length in ((-2, size[0]), (-1, size[1])):
        shape = list(values.shape)
        shape[axis] = length
        result = values.new_empty(shape)
        even, odd = _every_second(result, axis)
        even.copy_(values)
        count = odd.shape[axis]
        between = min(count, values.shape[axis] - 1)
        odd.narrow(axis, 0, between).copy_(
            (values.narrow(axis, 0, between) + values.narrow(axis, 1, between)) / 2
        )
        if count > between:
            odd.narrow(axis, between, 1).copy_(values.narrow(axis, between, 1))
        values = result
    return values


def _gathered(values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The transpose of `_interpolated`."""
    for axis, length in ((-1, size[1]), (-2, size[0])):
        even, odd = _every_second(values, axis)
        result = even.clone()
        count = odd.shape[axis]
        between = min(count, length - 1)
        half = odd.narrow(axis, 0, between) / 2
        result.narrow(axis, 0, between).add_(half)
        result.narrow(axis, 1, between).add_(half)
        if count > between:
            result.narrow(axis, between, 1).add_(odd.narrow(axis, between, 1))
        values = result
    return values


def _every_second(values: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    if axis == -1:
        return values[..., 0::2], values[..., 1::2]
    return values[..., 0::2, :], values[..., 1::2, :]


def _cycle(
    level: _FineLevel | _CoarseLevel, coarser: Sequence[_CoarseLevel], right: torch.Tensor
) -> torch.Tensor:
    """About the solution for a right side: smooth, correct from the coarser grids, smooth."""
    step = _DAMPING * level.inverse
    values = step * right
    if not coarser:
        return values / _DAMPING
    rest = _gathered(right - level.apply(values), coarser[0].size)
    correction = _interpolated(_cycle(coarser[0], coarser[1:], rest), level.size)
    if isinstance(level, _FineLevel):
        correction *= level.hole
    values += correction
    return values.addcmul_(step, right - level.apply(values))


def _conjugate_gradients(
    fine: _FineLevel, levels: Sequence[_CoarseLevel], right: torch.Tensor, rounds: int
) -> torch.Tensor:
    """A fixed number of rounds, so that nothing is asked of the device before the end."""
    solution, rest = torch.zeros_like(right), right
    direction = changed = _cycle(fine, levels, rest)
    size = _inner(rest, changed)
    for _ in range(rounds):
        applied = fine.apply(direction)
        length = _ratio(size, _inner(direction, applied))
        solution = torch.addcmul(solution, length, direction)
        rest = torch.addcmul(rest, length, applied, value=-1)
        changed = _cycle(fine, levels, rest)
        before, size = size, _inner(rest, changed)
        direction = torch.addcmul(changed, _ratio(size, before), direction)
    return solution


def _inner(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (first * second).sum((-2, -1), keepdim=True)


def _ratio(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """`above` / `below`; 0 where the solution is found and nothing is left to divide by."""
    usable = below > 1e-30
    return torch.where(usable, above / torch.where(usable, below, 1.0), 0.0)
