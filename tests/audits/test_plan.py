from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.audits.plan import number_or_none


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_do_not_exist_are_none(value: float) -> None:
    assert number_or_none(value) is None


@pytest.mark.parametrize("value", [0, -0.5, np.float32(0.25), np.float64(1e300), np.int64(3)])
def test_numbers_become_plain(value: float) -> None:
    number = number_or_none(value)
    assert type(number) is float
    assert number == value
