"""The activation each unit exceeds on a given share of all pixels, exactly.

The threshold of quantile q is the smallest float16 number t with share(activation > t) ≤ q, over
the bilinearly upsampled activations of all images rounded to float16 (NetDissect, Bau et al. 2017,
section 2.3, takes q = 0.005; the LCE paper's backend 0.01). No pixel is left out: a sample only
tells where to look. Cells that cannot exceed a lower bound taken from the sample are skipped; the
rest is counted, by float16 number, and where the count shows that the bound was too high, the
unit is counted again with a lower one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from analysis.devices import algebra_threads
from analysis.dissection.categories import DEAD, FAILED_THRESHOLD, NOT_A_NUMBER
from analysis.dissection.half_codes import cutoff, decode, encode, scales
from analysis.dissection.maps import MapSource, read_chunks
from analysis.dissection.upsampling import CellGrid, flat_nonzero
from analysis.errors import AuditError
from analysis.progress import Progress

# The bound is where the sample has so many times the share asked for above it; None: no bound.
_MARGINS = (1.5, 5.0, None)
_SAMPLE_VALUES = 1 << 14  # upsampled values a unit looked at for the bound
_SAMPLE_PIXELS = 64  # of an image
_BOUND_UNITS = 512  # whose samples are ranked at once
_COUNTERS = 1 << 22  # counted float16 numbers over all units held at once


@dataclass(frozen=True)
class UnitThresholds:
    """The thresholds of one quantile; every array is (units,).

    `value`: in units of the activations, NaN where there is none; `cutoff`: float32, the number
    that an unrounded upsampled activation exceeds exactly where the rounded one exceeds `value`;
    `active`: the share of pixels above; `minimum`, `maximum`: of the activations; `resting`: the
    threshold is the minimum; `finite`: no activation is NaN or infinite.
    """

    quantile: float
    value: np.ndarray
    cutoff: np.ndarray
    active: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    resting: np.ndarray
    finite: np.ndarray

    def not_counted(self) -> np.ndarray:
        """(units,) str: why a unit cannot have a concept (see `categories`), or empty."""
        too_few = (self.active == 0) | ((self.active < self.quantile / 2) & ~self.resting)
        reasons = np.full(len(self.value), "", dtype=object)
        reasons[too_few] = FAILED_THRESHOLD
        reasons[self.minimum == self.maximum] = DEAD
        reasons[~self.finite] = NOT_A_NUMBER
        return reasons.astype(str)


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of several quantiles over `pixels` pixels: `value`, `cutoff`, `active` and
    `resting` are (quantiles, units), the rest (units,); see `UnitThresholds`."""

    quantiles: tuple[float, ...]
    pixels: int
    value: np.ndarray
    cutoff: np.ndarray
    active: np.ndarray
    resting: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    finite: np.ndarray

    def at(self, quantile: float) -> UnitThresholds:
        """The thresholds of one of the quantiles.

        :raises KeyError: they were not asked for.
        """
        if quantile not in self.quantiles:
            raise KeyError(quantile)
        index = self.quantiles.index(quantile)
        return UnitThresholds(
            quantile=quantile,
            value=self.value[index],
            cutoff=self.cutoff[index],
            active=self.active[index],
            minimum=self.minimum,
            maximum=self.maximum,
            resting=self.resting[index],
            finite=self.finite,
        )


def find_thresholds(
    maps: MapSource,
    images: int,
    units: int,
    quantiles: Sequence[float],
    resolution: int = 56,
    progress: Progress | None = None,
) -> Thresholds:
    """The exact thresholds of every unit for every quantile.

    Memory does not grow with the images. Units whose activations are all outside the range in
    which float16 is fine (largest below 1/16 or above 65,504) are scaled by a power of two first.

    :param maps: raw maps; read two or three times.
    :param quantiles: shares of pixels, each above 0 and below 1.
    :param resolution: side of the square grid that maps are upsampled to.
    :raises AuditError: a quantile is not between 0 and 1, there is no image, or the source gives
        maps of another shape.
    :raises Cancelled: when `progress` is cancelled.
    """
    shares = _checked_quantiles(quantiles, images, units)
    with algebra_threads(0):
        return _find(_Reading(maps, images, units, resolution, progress), shares)


def _find(reading: _Reading, shares: tuple[float, ...]) -> Thresholds:
    survey = _survey(reading)
    pixels = reading.images * reading.resolution**2
    # What a quantile means is the decimal number as written: 0.01 is one in a hundred.
    allowed = np.array([math.floor(Fraction(repr(share)) * pixels) for share in shares])
    search = _Search(survey, allowed)
    for attempt, margin in enumerate(_MARGINS):
        if not len(search.open):
            break
        lowest = _bounds(survey, search.open, margin, max(shares))
        for block, first in _blocks(search.open, lowest, survey.highest):
            search.take(block, first, _count(reading, survey, block, first, attempt))
    return search.result(shares, pixels)


@dataclass(frozen=True)
class _Survey:
    """What one look at the raw maps shows; codes are those of scaled activations."""

    minimum: np.ndarray
    maximum: np.ndarray
    finite: np.ndarray
    scale: np.ndarray
    lowest: np.ndarray  # code of the minimum
    highest: np.ndarray
    sample: torch.Tensor  # bfloat16 (units, values) upsampled


@dataclass(frozen=True)
class _Reading:
    maps: MapSource
    images: int
    units: int
    resolution: int
    progress: Progress | None

    def chunks(
        self, block: slice | torch.Tensor, text: str, span: tuple[float, float]
    ) -> Iterator[tuple[int, torch.Tensor]]:
        return read_chunks(self.maps, self.images, self.units, block, self.progress, text, span)


class _Search:
    """Thresholds found so far; `open` are the units still without."""

    def __init__(self, survey: _Survey, allowed: np.ndarray) -> None:
        units = len(survey.minimum)
        self._survey = survey
        self._allowed = allowed
        self._codes = np.zeros((len(allowed), units), dtype=np.int64)
        self._above = np.zeros((len(allowed), units), dtype=np.int64)
        self._found = np.zeros(units, dtype=bool)
        self._found[~survey.finite] = True

    @property
    def open(self) -> np.ndarray:
        return np.flatnonzero(~self._found)

    def take(self, block: np.ndarray, lowest: np.ndarray, counts: list[np.ndarray]) -> None:
        """Read thresholds from how often each code from `lowest` to the highest occurs."""
        for unit, first, count in zip(block, lowest, counts, strict=True):
            from_top = np.concatenate([[0], np.cumsum(count[::-1])])
            # The most codes, from the highest down, that together stay within what is allowed.
            places = np.searchsorted(from_top, self._allowed, side="right") - 1
            codes = self._survey.highest[unit] - places
            if codes.min() < first and first > self._survey.lowest[unit] + 1:
                continue  # the bound was too high: the threshold lies below it
            self._codes[:, unit] = np.maximum(codes, self._survey.lowest[unit])
            self._above[:, unit] = from_top[places]
            self._found[unit] = True

    def result(self, quantiles: tuple[float, ...], pixels: int) -> Thresholds:
        survey = self._survey
        value = decode(self._codes) / survey.scale
        cutoffs = cutoff(self._codes) / survey.scale
        active = self._above / pixels
        for numbers in (value, cutoffs, active):
            numbers[:, ~survey.finite] = np.nan
        return Thresholds(
            quantiles=quantiles,
            pixels=pixels,
            value=value,
            cutoff=cutoffs.astype(np.float32),
            active=active,
            resting=self._codes == survey.lowest,
            minimum=survey.minimum,
            maximum=survey.maximum,
            finite=survey.finite,
        )


def _checked_quantiles(quantiles: Sequence[float], images: int, units: int) -> tuple[float, ...]:
    shares = tuple(float(quantile) for quantile in quantiles)
    wrong = [share for share in shares if not 0 < share < 1]
    if wrong or not shares:
        raise AuditError(
            f"A share of {wrong[0] if wrong else 'nothing'} cannot set an activation threshold.",
            "Choose quantiles above 0 and below 1; 0.01 and 0.005 are usual.",
        )
    if images < 1 or units < 1:
        raise AuditError("There are no activations.", "Choose images and a layer with units.")
    return shares


def _survey(reading: _Reading) -> _Survey:
    stride = -(-reading.images * _SAMPLE_PIXELS // _SAMPLE_VALUES)
    taken = -(-reading.images // stride)
    side = min(reading.resolution, math.isqrt(_SAMPLE_PIXELS))
    # On the CPU and coarse: it only tells where to look.
    sample = torch.empty(reading.units, taken * side**2, dtype=torch.bfloat16)
    lows, highs, filled = [], [], 0
    for start, chunk in reading.chunks(slice(None), "Range of activations", (0.0, 0.2)):
        lows.append(chunk.amin((0, 2, 3)))
        highs.append(chunk.amax((0, 2, 3)))
        values = _sample_pixels(chunk[-start % stride :: stride], reading.resolution, side)
        sample[:, filled : filled + values.shape[1]] = values.cpu()
        filled += values.shape[1]
    minimum = torch.stack(lows).amin(0).cpu().numpy()
    maximum = torch.stack(highs).amax(0).cpu().numpy()
    finite = np.isfinite(minimum) & np.isfinite(maximum)
    scale = np.where(finite, scales(minimum, maximum), np.float32(1)).astype(np.float32)
    return _Survey(
        minimum=minimum,
        maximum=maximum,
        finite=finite,
        scale=scale,
        lowest=_code(minimum * scale, finite),
        highest=_code(maximum * scale, finite),
        sample=sample,
    )


def _code(values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    known = torch.from_numpy(np.where(finite, values, 0).astype(np.float32))
    return encode(known).numpy().astype(np.int64)


def _sample_pixels(maps: torch.Tensor, resolution: int, side: int) -> torch.Tensor:
    """(units, values): upsampled values at side × side pixels spread evenly over each map."""
    places = ((torch.arange(side) + 0.5) * resolution / side).long()
    down, across = (
        _interpolation_weights(size, resolution)[places].to(maps.device) for size in maps.shape[2:]
    )
    return (down @ maps @ across.T).permute(1, 0, 2, 3).flatten(1)


def _interpolation_weights(size: int, resolution: int) -> torch.Tensor:
    """(resolution, size): each upsampled row as a weighted sum of the map's rows."""
    identity = torch.eye(size)[None]
    return torch.nn.functional.interpolate(
        identity, size=resolution, mode="linear", align_corners=False
    )[0].T


def _bounds(survey: _Survey, units: np.ndarray, margin: float | None, share: float) -> np.ndarray:
    """(chosen units,) the lowest code that is counted; above that of the minimum."""
    floor = survey.lowest[units] + 1
    values = survey.sample.shape[1]
    rank = values if margin is None else math.ceil(margin * share * values)
    if rank >= values:
        return floor
    bound = np.concatenate(
        [
            survey.sample[part].float().kthvalue(values - rank + 1, dim=1).values.numpy()
            for part in torch.from_numpy(units).split(_BOUND_UNITS)
        ]
    )
    codes = _code(bound * survey.scale[units], np.ones(len(units), dtype=bool))
    return np.maximum(codes, floor)


def _blocks(
    units: np.ndarray, lowest: np.ndarray, highest: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Units, and their lowest codes, in blocks with a bounded number of counters each."""
    needed = np.cumsum(np.maximum(highest[units] - lowest + 1, 0))
    cuts = np.flatnonzero(np.diff(needed // _COUNTERS)) + 1
    return list(zip(np.split(units, cuts), np.split(lowest, cuts), strict=True))


def _count(
    reading: _Reading, survey: _Survey, block: np.ndarray, lowest: np.ndarray, attempt: int
) -> list[np.ndarray]:
    """How often each code from `lowest` to the unit's highest occurs, a (codes,) array a unit."""
    sizes = np.maximum(survey.highest[block] - lowest + 1, 0)
    ends = np.cumsum(sizes)
    total = int(ends[-1])
    if total == 0:
        return [np.zeros(0, dtype=np.int64) for _ in block]
    counters = _Counters(total)
    every = len(block) == reading.units
    chosen = slice(None) if every else torch.from_numpy(block)
    span = (0.2, 0.8) if attempt == 0 else (0.8, 1.0)
    for _, chunk in reading.chunks(chosen, "Activation thresholds", span):
        device = chunk.device
        scale, bound, shift = (
            torch.from_numpy(each).to(device)
            for each in (survey.scale[block], cutoff(lowest - 1), (ends - sizes - lowest))
        )
        grid = CellGrid((chunk.shape[2], chunk.shape[3]), reading.resolution, device)
        for cells in grid.cells_above(chunk * scale[:, None, None], bound):
            unit = cells.row % len(block)
            counters.add(_counter_index(cells.values, unit, bound, shift))
    return np.split(counters.result(), ends[:-1])


class _Counters:
    """Counts how often each index occurs; many are taken together, as each round costs `total`."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._waiting: list[torch.Tensor] = []
        self._counts: torch.Tensor | None = None

    def add(self, index: torch.Tensor) -> None:
        self._waiting.append(index)
        if sum(map(len, self._waiting)) >= self._total:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            new = torch.bincount(torch.cat(self._waiting), minlength=self._total)
            self._counts = new if self._counts is None else self._counts.add_(new)
            self._waiting = []

    def result(self) -> np.ndarray:
        self._flush()
        if self._counts is None:
            return np.zeros(self._total, dtype=np.int64)
        return self._counts.cpu().numpy()


def _counter_index(
    values: torch.Tensor, unit: torch.Tensor, bound: torch.Tensor, shift: torch.Tensor
) -> torch.Tensor:
    """Which counter each value above its unit's bound belongs to."""
    above = flat_nonzero(values > bound[unit, None, None])
    owner = unit[above // values[0].numel()]
    return encode(values.reshape(-1)[above]) + shift[owner]
