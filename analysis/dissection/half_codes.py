"""float16 numbers as integers in the same order, and what rounds to them.

Code 0 is zero, code k > 0 the k-th positive float16 number, -k its negative.
"""

from __future__ import annotations

import numpy as np
import torch

LARGEST_CODE = 0x7BFF  # 65,504, the largest finite float16
_ABOVE_LARGEST = 65536.0  # what would follow if the exponent went on


def encode(values: torch.Tensor) -> torch.Tensor:
    """int32 codes of `values` rounded to float16 (to nearest, ties to even)."""
    bits = values.to(torch.float16).view(torch.int16).to(torch.int32)
    return torch.where(bits >= 0, bits, -(bits & 0x7FFF))


def decode(codes: np.ndarray) -> np.ndarray:
    """float64 values of codes from -LARGEST_CODE to LARGEST_CODE + 1."""
    codes = np.asarray(codes, dtype=np.int64)
    magnitude = np.minimum(np.abs(codes), LARGEST_CODE).astype(np.uint16).view(np.float16)
    wide = np.where(np.abs(codes) > LARGEST_CODE, _ABOVE_LARGEST, magnitude.astype(np.float64))
    return np.sign(codes) * wide


def cutoff(codes: np.ndarray) -> np.ndarray:
    """The float32 number c for which, of a float32 v, float16(v) > decode(code) means v > c.

    It is the midpoint to the next float16 number, or just below it where a tie rounds upwards.
    """
    codes = np.asarray(codes, dtype=np.int64)
    midpoint = ((decode(codes) + decode(codes + 1)) / 2).astype(np.float32)
    below = np.nextafter(midpoint, np.float32(-np.inf))
    return np.where(codes % 2 == 1, below, midpoint).astype(np.float32)


def scales(minimum: np.ndarray, maximum: np.ndarray) -> np.ndarray:
    """The power of two by which each unit is multiplied before rounding to float16.

    1 for ordinary units. Units whose activations are all too small or too large for float16 are
    brought into its range, so that their thresholds are as fine as any.

    :returns: (units,) float32.
    """
    largest = np.maximum(np.abs(minimum), np.abs(maximum)).astype(np.float64)
    ordinary = (largest >= 2.0**-4) & (largest < 65504)
    usable = ~ordinary & (largest > 0) & np.isfinite(largest)
    exponent = np.frexp(np.where(usable, largest, 1.0))[1]
    shift = np.where(usable, np.clip(10 - exponent, -120, 120), 0)
    return np.ldexp(np.float32(1), shift).astype(np.float32)
