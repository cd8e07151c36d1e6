"""Maps in one byte a place, with a scale and an offset a map. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.errors import AuditError


@dataclass(frozen=True)
class CompactMaps:
    """`codes` (n, rows, columns) uint8; value = code × `scale` + `offset`, both (n,) float32."""

    codes: np.ndarray
    scale: np.ndarray
    offset: np.ndarray


def to_uint8(maps: Any) -> CompactMaps:
    """Maps (n, rows, columns), array or tensor, in 256 evenly spaced steps from least to greatest.

    The error is at most half a step, 1/510 of the map's range. Constant maps are kept exactly.

    :raises AuditError: there are not three axes, or a value is not finite.
    """
    values = maps.detach().cpu().numpy() if hasattr(maps, "detach") else np.asarray(maps)
    values = values.astype(np.float64)
    if values.ndim != 3:
        raise AuditError("Maps have three axes: images, rows, columns.", f"Got {values.shape}.")
    if not np.isfinite(values).all():
        raise AuditError("A map has values that are not finite.", "Leave that map out.")
    least = values.min((1, 2), initial=np.inf)
    least = np.where(np.isfinite(least), least, 0.0).astype(np.float32)
    span = (values.max((1, 2), initial=-np.inf) - least).clip(min=0)
    scale = (span / 255).astype(np.float32)
    step = np.where(scale > 0, scale, 1).astype(np.float64)
    codes = np.rint((values - least[:, None, None]) / step[:, None, None]).clip(0, 255)
    return CompactMaps(codes.astype(np.uint8), scale, least)
