"""What a table of bars draws."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BarRow:
    """One row: its id, its name with a coloured sign before it, and the section it belongs to."""

    id: Hashable
    label: str
    section: str = ""
    sign: str = ""
    colour: str = ""  # #RRGGBB of the sign, and of bars whose column has no colour


@dataclass(frozen=True)
class BarColumn:
    """One column; every array is (rows,), NaN where there is nothing to draw.

    `inner` are parts of the values, drawn in full over a lighter bar. `marks` are thin lines such
    as chance. Rows in `grey` are hatched. `limits` are the ends of the scale: below 0 for signed
    values.
    """

    title: str
    values: np.ndarray
    texts: tuple[str, ...]
    limits: tuple[float, float]
    colour: str = ""
    sign: str = ""
    sign_colour: str = ""  # where it is not that of the bars
    inner: np.ndarray | None = None
    marks: np.ndarray | None = None
    grey: np.ndarray | None = None


@dataclass(frozen=True)
class BarData:
    """Rows by columns of bars. `describe` gives a row's hover text from its id."""

    rows: tuple[BarRow, ...]
    columns: tuple[BarColumn, ...]
    describe: Callable[[Hashable], str] | None = None


def upper_limit(*arrays: np.ndarray) -> float:
    """The largest finite magnitude among some arrays; 1 where there is none."""
    largest = 0.0
    for array in arrays:
        finite = np.abs(array[np.isfinite(array)])
        largest = max(largest, float(finite.max(initial=0.0)))
    return largest or 1.0
