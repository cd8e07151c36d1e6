"""Quantities without a fixed scale, as the window writes them."""

from __future__ import annotations

import math


def significant(value: float, digits: int = 3) -> str:
    """A quantity with `digits` significant digits; powers of ten only for the very small or large.

    A number that does not exist gives "none".
    """
    if not math.isfinite(value):
        return "none"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent > 5:
        text = f"{value:.{digits - 1}e}"
    else:
        text = f"{value:.{max(0, digits - 1 - exponent)}f}"
    return text.replace("-", "−")
