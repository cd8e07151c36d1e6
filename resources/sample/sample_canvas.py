"""A small painter: coloured, textured polygons, with label planes that stay exact.

Everything is drawn at three times the final size and then averaged down. Beside the picture
the canvas keeps one plane of codes per label category (object, part, material, color): what is
painted last at a place is what its planes say. numpy and Pillow only; no global randomness.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SUPERSAMPLING = 3
Points = NDArray[np.float64]
Plane = NDArray[np.uint8]

# The drawing's named colours. Pink is kept for the planted square: nothing else is pink.
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (205, 56, 48),
    "orange": (232, 138, 52),
    "yellow": (242, 202, 88),
    "green": (104, 154, 78),
    "turquoise": (78, 168, 162),
    "blue": (82, 130, 190),
    "brown": (140, 96, 62),
    "white": (240, 236, 226),
    "grey": (146, 148, 150),
    "black": (54, 54, 60),
    "pink": (255, 84, 172),
}
MATERIALS = (
    "brick", "wood", "metal", "glass", "rubber", "fabric", "foliage", "scales", "grass", "water",
    "sand", "asphalt", "plaster", "stone", "tiles", "sky",
)  # fmt: skip
CATEGORIES = ("object", "part", "material", "color")


@dataclass(frozen=True)
class Pose:
    """Where a drawing's own coordinates (x right, y down, about -1…1) fall on the canvas."""

    x: float
    y: float
    scale: float
    angle: float = 0.0
    shear: float = 0.0
    mirrored: bool = False

    def matrix(self) -> NDArray[np.float64]:
        """The 2×2 matrix from drawing to canvas coordinates."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        slant = np.array([[-1.0 if self.mirrored else 1.0, self.shear], [0.0, 1.0]])
        return self.scale * turn @ slant

    def place(self, points: Points) -> Points:
        """Drawing coordinates (n, 2) to canvas pixels (n, 2)."""
        return points @ self.matrix().T + (self.x, self.y)


@dataclass(frozen=True)
class Paint:
    """What a shape is made of. `second` is the other colour of a striped or dotted shape."""

    colour: str
    material: str | None = None
    object: str | None = None
    part: str | None = None
    second: str | None = None
    pattern: str = "striped"
    roundness: float = 0.18
    outline: bool = True
    grain: float = 1.0

    def but(self, **changes: object) -> Paint:
        """The same paint with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def polygon(*points: tuple[float, float]) -> Points:
    """A polygon's corners as an array."""
    return np.array(points, dtype=np.float64)


def rectangle(
    left: float, top: float, right: float, bottom: float, rounding: float = 0.0
) -> Points:
    """A rectangle, its corners rounded with the given radius."""
    if rounding <= 0:
        return polygon((left, top), (right, top), (right, bottom), (left, bottom))
    corners = (
        (right - rounding, top + rounding, -90),
        (right - rounding, bottom - rounding, 0),
        (left + rounding, bottom - rounding, 90),
        (left + rounding, top + rounding, 180),
    )
    arcs = []
    for x, y, start in corners:
        turn = np.radians(np.linspace(start, start + 90, 7))
        arcs.append(np.stack([x + rounding * np.cos(turn), y + rounding * np.sin(turn)], axis=1))
    return np.concatenate(arcs)


def ellipse(
    x: float, y: float, width: float, height: float | None = None, corners: int = 36
) -> Points:
    """An ellipse with half axes `width` and `height`."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + width * np.cos(turn), y + (height or width) * np.sin(turn)], axis=1)


def smooth_noise(rng: np.random.Generator, side: int, cells: int) -> NDArray[np.float32]:
    """Noise of mean 0 and about ±1, varying over `side / cells` pixels."""
    coarse = rng.integers(0, 256, (cells, cells), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32) / 64 - 2


@dataclass
class Canvas:
    """The picture being painted: `rgb` (S, S, 3) 0…255 and a plane of codes per category."""

    side: int
    rng: np.random.Generator
    codes: dict[str, dict[str, int]]
    light: tuple[float, float] = (-0.7, -0.7)
    rgb: NDArray[np.float32] = field(init=False)
    planes: dict[str, Plane] = field(init=False)
    noises: list[NDArray[np.float32]] = field(init=False)

    def __post_init__(self) -> None:
        full = self.full
        self.rgb = np.zeros((full, full, 3), np.float32)
        self.planes = {category: np.zeros((full, full), np.uint8) for category in CATEGORIES}
        self.noises = [smooth_noise(self.rng, full, cells) for cells in (7, 28, 112)]

    @property
    def full(self) -> int:
        """The canvas's side in pixels while painting."""
        return self.side * SUPERSAMPLING

    def pose(self, x: float, y: float, scale: float, **more: float | bool) -> Pose:
        """A pose from fractions of the picture's side."""
        side = self.full
        return Pose(x * side, y * side, scale * side, **more)  # type: ignore[arg-type]

    def paint(self, points: Points, paint: Paint, pose: Pose) -> None:
        """Fill a polygon given in the coordinates of `pose`, and write its labels."""
        placed = np.rint(pose.place(points)).astype(int)
        drawn = _rasterise(placed, self.full)
        if drawn is None:
            return
        window, mask, edge = drawn
        u, v = self._local(window, pose)
        second = None if paint.second is None else _second_colour(paint.pattern, u, v)
        shade = self._texture(paint, u, v, window) * self._relief(paint, window, placed)
        colour = _colours(paint, second, u.shape) * shade[..., None]
        if paint.outline:
            colour = np.where(edge[..., None], colour * 0.62, colour)
        self.rgb[window][mask] = colour[mask]
        self._write_labels(paint, window, mask, second)

    def shadow(self, points: Points, pose: Pose, strength: float = 0.3) -> None:
        """Darken what lies under a polygon; labels stay."""
        drawn = _rasterise(np.rint(pose.place(points)).astype(int), self.full)
        if drawn is not None:
            window, mask, _ = drawn
            self.rgb[window][mask] *= 1 - strength

    def glow(self, pose: Pose, colour: tuple[int, int, int], strength: float) -> None:
        """Add a soft round light; labels stay."""
        y, x = np.mgrid[0 : self.full, 0 : self.full].astype(np.float32)
        distance = ((x - pose.x) ** 2 + (y - pose.y) ** 2) / pose.scale**2
        halo = strength * np.exp(-distance)
        self.rgb += halo[..., None] * (np.array(colour, np.float32) - self.rgb)

    def finish(self, brightness: float, tint: NDArray[np.float64], vignette: float) -> None:
        """Light the whole picture: a gradient from the light, a tint, a vignette."""
        y, x = (np.mgrid[0 : self.full, 0 : self.full] / self.full - 0.5).astype(np.float32)
        gradient = 1 + 0.16 * (x * self.light[0] + y * self.light[1])
        corner = 1 - vignette * (x**2 + y**2)
        self.rgb *= (brightness * gradient * corner)[..., None] * tint.astype(np.float32)

    def picture(self) -> Plane:
        """The finished picture, averaged down to (side, side, 3) 8-bit."""
        blocks = self.rgb.reshape(self.side, SUPERSAMPLING, self.side, SUPERSAMPLING, 3)
        return np.clip(np.rint(blocks.mean(axis=(1, 3))), 0, 255).astype(np.uint8)

    def labels(self) -> dict[str, Plane]:
        """The planes at the final size: the code at each pixel's centre."""
        middle = SUPERSAMPLING // 2
        return {
            name: p[middle::SUPERSAMPLING, middle::SUPERSAMPLING] for name, p in self.planes.items()
        }

    def _local(self, window: tuple[slice, slice], pose: Pose) -> tuple[NDArray, NDArray]:
        """The drawing coordinates of a window's pixels, so that textures follow the pose."""
        rows, columns = window
        inverse = np.linalg.inv(pose.matrix())
        x = np.arange(columns.start, columns.stop)[None, :] - pose.x
        y = np.arange(rows.start, rows.stop)[:, None] - pose.y
        return inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y

    def _texture(self, paint: Paint, u: NDArray, v: NDArray, window: tuple) -> NDArray[np.float32]:
        """How much lighter or darker the material is at each pixel (1 = the plain colour)."""
        noises = tuple(noise[window] for noise in self.noises)
        return (1 + paint.grain * _relief_of(paint.material, u, v, noises)).astype(np.float32)

    def _relief(self, paint: Paint, window: tuple, placed: NDArray) -> NDArray[np.float32]:
        """Soft shading over a shape's extent, from the picture's light."""
        rows, columns = window
        low, high = placed.min(axis=0), placed.max(axis=0)
        middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1)
        x = (np.arange(columns.start, columns.stop)[None, :] - middle[0]) / half[0]
        y = (np.arange(rows.start, rows.stop)[:, None] - middle[1]) / half[1]
        return (1 + paint.roundness * (x * self.light[0] + y * self.light[1])).astype(np.float32)

    def _write_labels(
        self,
        paint: Paint,
        window: tuple[slice, slice],
        mask: NDArray[np.bool_],
        second: NDArray[np.bool_] | None,
    ) -> None:
        names = {"object": paint.object, "part": paint.part, "material": paint.material}
        for category, name in names.items():
            code = 0 if name is None else self.codes[category][name]
            self.planes[category][window][mask] = code
        self.planes["color"][window][mask] = self.codes["color"][paint.colour]
        if second is not None and paint.second is not None:
            self.planes["color"][window][mask & second] = self.codes["color"][paint.second]


def _rasterise(
    placed: NDArray[np.int_], side: int
) -> tuple[tuple[slice, slice], NDArray[np.bool_], NDArray[np.bool_]] | None:
    """The window of the canvas a polygon touches, its mask and its outline there."""
    left, top = np.maximum(placed.min(axis=0), 0)
    right, bottom = np.minimum(placed.max(axis=0) + 1, side)
    if left >= right or top >= bottom:
        return None
    corners = [(int(x - left), int(y - top)) for x, y in placed]
    fill, edge = (Image.new("1", (int(right - left), int(bottom - top))) for _ in range(2))
    ImageDraw.Draw(fill).polygon(corners, fill=1, outline=1)
    ImageDraw.Draw(edge).line([*corners, corners[0]], fill=1, width=2)
    window = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    return window, np.array(fill), np.array(edge)


def _second_colour(
    pattern: str, u: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where a two-coloured pattern shows its second colour."""
    if pattern == "dotted":
        return ((u * 4.5) % 1 - 0.5) ** 2 + ((v * 4.5) % 1 - 0.5) ** 2 < 0.08
    if pattern == "banded":
        return (v * 2.9 + 0.2) % 1 < 0.45
    return (u * 2.9 + 0.2) % 1 < 0.45


def _colours(
    paint: Paint, second: NDArray[np.bool_] | None, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    first = np.array(COLOURS[paint.colour], np.float32)
    if second is None or paint.second is None:
        return np.broadcast_to(first, (*shape, 3))
    return np.where(second[..., None], np.array(COLOURS[paint.second], np.float32), first)


def _relief_of(
    material: str | None,
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    noises: tuple[NDArray[np.float32], ...],
) -> NDArray[np.float64]:
    """A material's texture: what is added to a brightness of 1, in drawing coordinates."""
    broad, middle, fine = noises
    if material in ("brick", "tiles"):
        return _courses(u, v, *((0.26, 0.13) if material == "brick" else (0.2, 0.15))) + 0.03 * fine
    if material == "wood":
        rings = np.sin(46 * v + 5 * np.sin(3 * u) + 1.5 * middle)
        return 0.07 * rings + 0.04 * middle - 0.2 * ((v * 4.2) % 1 < 0.09)
    if material == "metal":
        return 0.2 * np.cos(5.5 * v + 0.4) + 0.1 * np.sin(16 * v) * (v < 0) + 0.015 * middle
    if material == "glass":
        return 0.3 * (((u - v) * 2.6) % 1 < 0.3) + 0.05 * broad - 0.05
    if material == "fabric":
        return 0.05 * np.sin(60 * u) * np.sin(60 * v) + 0.1 * np.sin(7 * u + broad)
    if material == "foliage":
        return 0.13 * middle + 0.1 * fine + 0.1 * broad
    if material == "scales":
        return _scales(u, v)
    if material == "grass":
        return (
            0.08 * np.sin(90 * u + 3 * middle) * np.sin(14 * v + 2 * fine)
            + 0.06 * broad
            + 0.06 * fine
        )
    if material == "water":
        return 0.1 * np.sin(26 * v + 2.2 * np.sin(5 * u) + 1.4 * broad) + 0.05 * broad
    grains = {"sand": 0.07, "asphalt": 0.09, "stone": 0.12, "plaster": 0.025, "rubber": 0.03}
    return grains.get(material or "", 0.0) * (fine + 0.5 * middle) + 0.03 * broad


def _courses(
    u: NDArray[np.float64], v: NDArray[np.float64], width: float, height: float
) -> NDArray[np.float64]:
    """Rows of bricks or tiles, every other row moved by half, each a little different."""
    row = np.floor(v / height)
    along = u / width + 0.5 * (row % 2)
    each = np.sin(12.9898 * np.floor(along) + 78.233 * row) * 43758.5453
    joint = (along % 1 < 0.1) | ((v / height) % 1 < 0.16)
    return np.where(joint, 0.3, 0.22 * (each % 1) - 0.14)


def _scales(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Overlapping half moons."""
    row = np.floor(v * 6)
    x, y = (u * 6 + 0.5 * (row % 2)) % 1 - 0.5, (v * 6) % 1
    return 0.2 * (np.hypot(x, y - 0.2) % 0.6) / 0.6 - 0.22 * (
        np.abs(np.hypot(x, y - 0.2) - 0.5) < 0.09
    )
