"""Columns of a table as arrays: missing numbers NaN, results read-only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

_LARGEST = 1e15


def unzip(rows: Sequence[Any], width: int) -> list[Sequence[Any]]:
    """The `width` columns of rows, also of none."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def read_only(array: np.ndarray) -> np.ndarray:
    """The same array, protected against writing."""
    array.flags.writeable = False
    return array


def as_float(value: float | None) -> float:
    """A number; NaN where there is none."""
    return float("nan") if value is None else float(value)


def as_floats(values: Sequence[float | None]) -> np.ndarray:
    """float64, NaN where there is none."""
    return np.array(values, dtype=float)


def as_integers(values: Sequence[int]) -> np.ndarray:
    """int64."""
    return np.array(values, dtype=np.int64)


def as_signs(values: Sequence[str]) -> np.ndarray:
    """An array of single characters."""
    return np.array(values, dtype="<U1")


def as_names(values: Sequence[str | None]) -> np.ndarray:
    """An array of text objects, empty where there is none; equal names share one object, so long
    names stay cheap."""
    shared: dict[str, str] = {}
    names = np.empty(len(values), dtype=object)
    names[:] = ["" if value is None else shared.setdefault(value, value) for value in values]
    return names


def as_ranks(values: Sequence[str]) -> np.ndarray:
    """The place of each name in the alphabetical order of distinct names."""
    place = {name: index for index, name in enumerate(sorted(set(values)))}
    return np.array([place[value] for value in values], dtype=np.int64)


def places(values: Sequence[Any], order: Sequence[Any]) -> np.ndarray:
    """The index in `order` of each value, all of which must be in it."""
    place = {name: index for index, name in enumerate(order)}
    return np.array([place[value] for value in values], dtype=np.int64)


def run_parameters(run: Any) -> dict[str, Any]:
    """The parameters of a run's row; empty where they cannot be read (files are untrusted)."""
    try:
        values = json.loads(run["parameters"] or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def parameter_number(parameters: dict[str, Any], name: str) -> float:
    """A parameter that is a finite number; NaN where it is missing or something else."""
    value = parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    return float(value) if abs(value) <= _LARGEST else float("nan")
