"""Colour-blind-safe lookup tables: magnitudes (cividis, viridis) and signed values."""

from __future__ import annotations

from functools import cache

import numpy as np

# Purple to green keeps clear of the blue and vermilion of the two models.
_SIGNED = (
    "#40004B", "#762A83", "#9970AB", "#C2A5CF", "#E7D4E8", "#F7F7F7",
    "#D9F0D3", "#A6DBA0", "#5AAE61", "#1B7837", "#00441B",
)  # fmt: skip
_SIGNED_DARK = (
    "#E7C6EE", "#C793D6", "#A56BB8", "#7A4A8C", "#4C3A55", "#34393F",
    "#35503B", "#3F7D49", "#56A55D", "#7FC182", "#BFE3BA",
)  # fmt: skip


@cache
def colour_map(name: str) -> np.ndarray:
    """(256, 3) uint8 RGB of 'cividis', 'viridis', 'signed' or 'signed dark'; read-only."""
    if name in ("signed", "signed dark"):
        table = _interpolated(_SIGNED if name == "signed" else _SIGNED_DARK)
    elif name in ("cividis", "viridis"):
        from app.widgets.plotting import pg  # late: the window's colours must not wait for it

        table = pg.colormap.get(name).getLookupTable(nPts=256, alpha=False)
    else:
        raise ValueError(f"no colour map {name!r}")
    table = np.ascontiguousarray(table[:, :3], dtype=np.uint8)
    table.flags.writeable = False
    return table


def _interpolated(anchors: tuple[str, ...]) -> np.ndarray:
    colours = np.array([[int(a[i : i + 2], 16) for i in (1, 3, 5)] for a in anchors], float)
    at = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(at, np.arange(len(anchors)), colours[:, i]) for i in range(3)]
    return np.stack(channels, axis=1).round()


def levels_of(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Positions 0…255 of values between low and high; NaN gives 0."""
    span = high - low if high > low else 1.0
    scaled = np.nan_to_num((np.asarray(values, float) - low) / span, nan=0.0)
    return np.clip(scaled * 255, 0, 255).astype(np.uint8)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """WCAG relative luminance (…,) of sRGB colours (…, 3) in 0…255."""
    share = np.asarray(rgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(first: str, second: str) -> float:
    """WCAG contrast of two colours given as #RRGGBB."""
    a, b = (
        float(luminance(np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)])))
        for c in (first, second)
    )
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
