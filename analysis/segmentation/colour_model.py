"""Naming colours with the eleven basic colour terms of Berlin and Kay (1969).

What is black, grey or white is told by the model of R. Benavente, M. Vanrell and R. Baldrich,
“Parametric fuzzy sets for automatic color naming”, J. Opt. Soc. Am. A 25 (2008), 2582–2593, fitted
to what people called colours in an experiment. CIELAB is cut into six slices of lightness; in each,
every chromatic name has a membership over (a*, b*): the product of two sigmoids (the sides of a
wedge) and of a sigmoid of an ellipse around the grey axis. What no chromatic name claims is black,
grey or white by lightness.

The model knows colours of surfaces; the saturated ones of screens it misnames (pure red is its
orange, pure blue its purple). All other colours therefore take the name of the nearest colour of
the xkcd survey (R. Munroe, 2010: 222,500 people named colours on their screens; public domain)
whose name ends in a basic term (“brick red”), by CIELAB distance.

As in J. van de Weijer et al., “Learning color names for real-world applications”, IEEE Trans. Image
Processing 18 (2009), 1512–1523, the names are tabulated for 32 × 32 × 32 cells of sRGB.
"""

from __future__ import annotations

from functools import cache

import numpy as np

COLOUR_NAMES = (
    "black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow",
)  # fmt: skip

_SLICES = np.array([31.0, 42.0, 51.0, 66.0, 76.0])
"""The largest lightness L* of each slice but the last."""

_SHARED = np.array([
    # centre a*, centre b*, steepness of the ellipse, its half-axes, its angle (degrees)
    (0.42, 0.25, 9.84, 5.89, 7.47, 2.32),
    (0.23, 0.66, 6.03, 6.46, 7.87, 17.59),
    (-0.12, 0.52, 6.81, 5.38, 6.98, 19.58),
    (-0.44, 1.08, 7.32, 6.06, 7.50, 24.55),
    (-0.57, 1.16, 100.00, 5.37, 6.90, 24.75),
    (-1.26, 1.81, 100.00, 6.04, 7.39, -1.19),
])  # fmt: skip

_CELL_BITS = 3
_CELLS = 256 >> _CELL_BITS

_Side = tuple[float, float, float, float]

_WEDGES: dict[str, tuple[_Side | None, ...]] = {
    # in each slice: the angles of the wedge's sides (degrees), their steepness
    "red": (
        (-2.24, -56.55, 0.90, 1.72), (2.21, -48.81, 0.52, 5.00), (13.57, -45.55, 1.00, 0.57),
        (26.52, -57.01, 0.94, 0.75), None, None,
    ),
    "orange": (
        None, None, (44.45, -28.76, 0.57, 0.52),
        (32.99, -9.88, 0.75, 0.48), (25.75, -15.85, 2.00, 0.84), (25.74, -17.56, 1.03, 0.79),
    ),
    "brown": (
        (33.45, 14.56, 1.72, 0.84), (41.19, 6.87, 5.00, 0.69), (61.24, 6.65, 0.52, 0.84),
        None, None, None,
    ),
    "yellow": (
        None, None, None,
        (80.12, 5.67, 0.48, 0.73), (74.15, 12.27, 0.84, 0.86), (72.44, 16.24, 0.79, 0.96),
    ),
    "green": (
        (104.56, 134.59, 0.84, 1.95), (96.87, 120.46, 0.69, 0.96), (96.65, 109.38, 0.84, 0.60),
        (95.67, 108.32, 0.73, 0.64), (102.27, 98.57, 0.86, 0.74), (106.24, 100.05, 0.96, 0.90),
    ),
    "blue": (
        (224.59, -147.15, 1.95, 1.01), (210.46, -148.48, 0.96, 0.92), (199.38, -148.24, 0.60, 0.80),
        (198.32, -148.77, 0.64, 0.76), (188.57, -150.83, 0.74, 0.47), (190.05, -149.43, 0.90, 0.60),
    ),
    "purple": (
        (-57.15, -92.24, 1.01, 0.90), (-58.48, -105.72, 0.92, 1.10), (-58.24, -112.63, 0.80, 0.62),
        (-58.77, -123.92, 0.76, 5.00), (-60.83, -122.55, 0.47, 1.74), (-59.43, -122.37, 0.60, 1.93),
    ),
    "pink": (
        None, (-15.72, -87.79, 1.10, 0.52), (-22.63, -76.43, 0.62, 1.00),
        (-33.92, -63.48, 5.00, 0.94), (-32.55, -64.25, 1.74, 2.00), (-32.37, -64.26, 1.93, 1.03),
    ),
}  # fmt: skip

_BLACK_GREY, _BLACK_GREY_STEEPNESS = 28.28, 0.71
_GREY_WHITE, _GREY_WHITE_STEEPNESS = 79.65, 0.31

_TO_XYZ = np.array([
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
])  # fmt: skip
_WHITE_D65 = _TO_XYZ.sum(axis=1)


def rgb_to_lab(pixels: np.ndarray) -> np.ndarray:
    """CIELAB (L* 0–100, a*, b*; white D65) of 8-bit sRGB pixels.

    :param pixels: (…, 3) in 0–255.
    :returns: float64 of the same shape.
    """
    share = np.asarray(pixels, dtype=np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    relative = linear @ _TO_XYZ.T / _WHITE_D65
    edge = 6.0 / 29.0
    curved = np.where(relative > edge**3, np.cbrt(relative), relative / (3 * edge**2) + 4.0 / 29.0)
    x, y, z = (curved[..., i] for i in range(3))
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def memberships(pixels: np.ndarray) -> np.ndarray:
    """How far each pixel is of each basic colour (Benavente et al. 2008, equations 8–14).

    :param pixels: (…, 3) 8-bit sRGB.
    :returns: float64 (…, 11), in the order of `COLOUR_NAMES`, each 0–1.
    """
    lab = rgb_to_lab(pixels)
    lightness = lab[..., 0]
    part = np.searchsorted(_SLICES, lightness, side="left")
    shared = _SHARED[part]
    a, b = lab[..., 1] - shared[..., 0], lab[..., 2] - shared[..., 1]
    along, across = _turned(a, b, shared[..., 5])
    outside = (along / shared[..., 3]) ** 2 + (across / shared[..., 4]) ** 2 - 1.0
    coloured = _sigmoid(shared[..., 2] * outside)

    found = np.zeros((*lightness.shape, len(COLOUR_NAMES)))
    for name, wedge in _WEDGES.items():
        sides = np.array([side if side is not None else (np.nan,) * 4 for side in wedge])[part]
        first = _sigmoid(sides[..., 2] * _turned(a, b, sides[..., 0])[1])
        second = _sigmoid(sides[..., 3] * _turned(a, b, sides[..., 1])[0])
        found[..., COLOUR_NAMES.index(name)] = np.nan_to_num(first * second) * coloured

    left = np.clip(1.0 - found.sum(axis=-1), 0.0, None)
    black = _sigmoid(-_BLACK_GREY_STEEPNESS * (lightness - _BLACK_GREY))
    white = _sigmoid(_GREY_WHITE_STEEPNESS * (lightness - _GREY_WHITE))
    found[..., COLOUR_NAMES.index("black")] = left * black
    found[..., COLOUR_NAMES.index("white")] = left * white
    found[..., COLOUR_NAMES.index("grey")] = left * (1.0 - black) * (1.0 - white)
    return found


def name_colours(pixels: np.ndarray) -> np.ndarray:
    """The basic colour of each pixel.

    :param pixels: (…, 3) uint8 sRGB.
    :returns: int32 (…), places in `COLOUR_NAMES`.
    """
    cells = np.asarray(pixels, dtype=np.int64) >> _CELL_BITS
    return colour_table()[cells[..., 0], cells[..., 1], cells[..., 2]]


@cache
def colour_table() -> np.ndarray:
    """The basic colour at the centre of each cell of sRGB: int32 (32, 32, 32) by red, green and
    blue, places in `COLOUR_NAMES`. Made once, in a fraction of a second."""
    from scipy.spatial import cKDTree

    centres = (np.arange(_CELLS) << _CELL_BITS) + (2**_CELL_BITS - 1) / 2
    colours = np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), axis=-1)
    surveyed, names = _survey()
    _, nearest = cKDTree(rgb_to_lab(surveyed)).query(rgb_to_lab(colours))
    by_model = memberships(colours).argmax(axis=-1)
    neutral = np.isin(by_model, [COLOUR_NAMES.index(n) for n in ("black", "grey", "white")])
    return np.where(neutral, by_model, names[nearest]).astype(np.int32)


def _survey() -> tuple[np.ndarray, np.ndarray]:
    """The survey's colours that end in a basic term, as matplotlib lists them: (n, 3) in 0–255,
    and int64 (n,) places in `COLOUR_NAMES`."""
    from matplotlib.colors import XKCD_COLORS, to_rgb

    terms = {name: place for place, name in enumerate(COLOUR_NAMES)}
    terms["gray"] = terms["grey"]
    found = [
        (to_rgb(value), terms[name.removeprefix("xkcd:").split()[-1]])
        for name, value in XKCD_COLORS.items()
        if name.removeprefix("xkcd:").split()[-1] in terms
    ]
    return 255.0 * np.array([c for c, _ in found]), np.array([place for _, place in found])


def _turned(a: np.ndarray, b: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return a * cosine + b * sine, b * cosine - a * sine


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * value))  # never overflows
