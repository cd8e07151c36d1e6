"""The places in which the sample's things stand: sea, beach, meadow, street, room, under water.

Coordinates are fractions of the picture's side times `UNIT`, so that a texture has the same
grain on a background as on a thing. Each function paints the place and returns the height at
which things stand (a fraction of the side).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sample_canvas import Canvas, Paint, Points, Pose, ellipse, polygon, rectangle
from sample_things import choose

UNIT = 2.5


def _pose(canvas: Canvas) -> Pose:
    return canvas.pose(0.0, 0.0, 1 / UNIT)


def _band(top: float, bottom: float) -> Points:
    return rectangle(-0.1, top * UNIT, UNIT + 0.1, bottom * UNIT)


def _fill(canvas: Canvas, points: Points, paint: Paint) -> None:
    canvas.paint(points, paint.but(outline=False), _pose(canvas))


def _sky(canvas: Canvas, horizon: float) -> None:
    """A sky that pales towards the horizon, with a sun now and then."""
    colour = choose(canvas, "blue", "blue", "blue", "turquoise", "orange", "grey", "white")
    _fill(canvas, _band(0, horizon + 0.02), Paint(colour, "sky", roundness=0.0))
    rows = int(horizon * canvas.full)
    fade = np.linspace(0.08, 0.7, max(rows, 1), dtype=np.float32)[:, None, None]
    pale = np.array((250, 243, 228), np.float32)
    canvas.rgb[:rows] += fade * (pale - canvas.rgb[:rows])
    if canvas.rng.random() < 0.35:
        x, y = canvas.rng.uniform(0.1, 0.9) * UNIT, canvas.rng.uniform(0.06, 0.2) * UNIT
        sun = Paint("yellow", None, "sun", outline=False, roundness=0.05)
        _fill(canvas, ellipse(x, y, canvas.rng.uniform(0.12, 0.2)), sun)


def _hills(canvas: Canvas, horizon: float, colours: tuple[str, ...]) -> None:
    for _ in range(int(canvas.rng.integers(0, 3))):
        x, half = canvas.rng.uniform(0, UNIT), canvas.rng.uniform(0.5, 1.1)
        high = canvas.rng.uniform(0.12, 0.4)
        turn = np.linspace(np.pi, 2 * np.pi, 24)
        hill = np.stack([x + half * np.cos(turn), horizon * UNIT + high * np.sin(turn)], axis=1)
        _fill(canvas, hill, Paint(choose(canvas, *colours), "grass", "hill", grain=0.4))


def _scatter(
    canvas: Canvas, count: int, top: float, what: Callable[[Canvas, float, float], None]
) -> None:
    """Small things spread over the ground below `top`."""
    for _ in range(count):
        what(canvas, canvas.rng.uniform(0, UNIT), canvas.rng.uniform(top, 0.98) * UNIT)


def _flower(canvas: Canvas, x: float, y: float) -> None:
    petals = Paint(choose(canvas, "red", "yellow", "white", "blue"), None, "flower", outline=False)
    for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False):
        canvas.paint(
            ellipse(x + 0.045 * np.cos(turn), y + 0.045 * np.sin(turn), 0.032, corners=10),
            petals,
            _pose(canvas),
        )
    canvas.paint(ellipse(x, y, 0.026, corners=10), petals.but(colour="orange"), _pose(canvas))


def _rock(canvas: Canvas, x: float, y: float) -> None:
    wide = canvas.rng.uniform(0.07, 0.17)
    rock = polygon(
        (x - wide, y),
        (x - wide * 0.6, y - wide * 0.7),
        (x + wide * 0.3, y - wide * 0.9),
        (x + wide, y),
    )
    canvas.paint(rock, Paint("grey", "stone", "rock", roundness=0.3), _pose(canvas))


def _bush(canvas: Canvas, x: float, y: float) -> None:
    paint = Paint(choose(canvas, "green", "green", "yellow"), "foliage", "bush", outline=False)
    for dx, dy, size in ((-0.13, 0, 0.12), (0.13, 0, 0.12), (0, -0.07, 0.16)):
        canvas.paint(ellipse(x + dx, y + dy, size), paint, _pose(canvas))


def sea(canvas: Canvas) -> float:
    """Open water under a sky."""
    horizon = canvas.rng.uniform(0.32, 0.5)
    _sky(canvas, horizon)
    _hills(canvas, horizon, ("green", "grey", "brown"))
    water = Paint(choose(canvas, "blue", "blue", "turquoise"), "water", roundness=0.12)
    _fill(canvas, _band(horizon, 1), water)
    return horizon + canvas.rng.uniform(0.2, 0.32)


def beach(canvas: Canvas) -> float:
    """Sand before water."""
    horizon = canvas.rng.uniform(0.28, 0.42)
    _sky(canvas, horizon)
    _fill(canvas, _band(horizon, 1), Paint(choose(canvas, "blue", "turquoise"), "water"))
    shore = horizon + canvas.rng.uniform(0.1, 0.2)
    x = np.linspace(-0.1, UNIT + 0.1, 30)
    wave = shore * UNIT + 0.05 * np.sin(x * canvas.rng.uniform(2, 4) + canvas.rng.uniform(0, 6))
    sand = np.concatenate([np.stack([x, wave], axis=1), [[UNIT + 0.1, UNIT], [-0.1, UNIT]]])
    _fill(canvas, sand, Paint("yellow", "sand", roundness=0.1))
    _scatter(canvas, int(canvas.rng.integers(0, 4)), shore + 0.1, _rock)
    return shore + canvas.rng.uniform(0.18, 0.34)


def meadow(canvas: Canvas) -> float:
    """Grass, hills, bushes and flowers."""
    horizon = canvas.rng.uniform(0.38, 0.56)
    _sky(canvas, horizon)
    _hills(canvas, horizon, ("green", "turquoise", "green"))
    _fill(
        canvas,
        _band(horizon, 1),
        Paint(choose(canvas, "green", "green", "green", "yellow"), "grass"),
    )
    for _ in range(int(canvas.rng.integers(0, 4))):
        _bush(canvas, canvas.rng.uniform(0, UNIT), (horizon + 0.02) * UNIT)
    _scatter(canvas, int(canvas.rng.integers(0, 8)), horizon + 0.15, _flower)
    return horizon + canvas.rng.uniform(0.15, 0.32)


def street(canvas: Canvas) -> float:
    """A road, a pavement and a garden wall."""
    horizon = canvas.rng.uniform(0.36, 0.5)
    _sky(canvas, horizon)
    if canvas.rng.random() < 0.5:
        low = Paint(
            choose(canvas, "brown", "red", "grey", "white"), choose(canvas, "brick", "stone")
        )
        _fill(canvas, _band(horizon - canvas.rng.uniform(0.06, 0.16), horizon + 0.04), low)
    _fill(
        canvas,
        _band(horizon, horizon + 0.14),
        Paint(choose(canvas, "grey", "white"), "stone", grain=0.6),
    )
    _fill(
        canvas, _band(horizon + 0.13, 1), Paint(choose(canvas, "grey", "black", "grey"), "asphalt")
    )
    y = (horizon + 0.37) * UNIT
    for x in np.arange(canvas.rng.uniform(-0.3, 0), UNIT, 0.62):
        _fill(
            canvas,
            polygon((x, y), (x + 0.34, y), (x + 0.3, y + 0.07), (x - 0.05, y + 0.07)),
            Paint("white", "asphalt"),
        )
    return horizon + canvas.rng.uniform(0.18, 0.34)


def room(canvas: Canvas) -> float:
    """A painted wall and a wooden table."""
    edge = canvas.rng.uniform(0.5, 0.66)
    wall = Paint(
        choose(canvas, "white", "yellow", "turquoise", "grey", "blue", "green", "orange"), "plaster"
    )
    if canvas.rng.random() < 0.35:
        wall = wall.but(
            second="white" if wall.colour != "white" else "yellow",
            pattern=choose(canvas, "striped", "dotted"),
        )
    _fill(canvas, _band(0, edge + 0.02), wall)
    _fill(
        canvas,
        _band(edge, 1),
        Paint(choose(canvas, "brown", "brown", "white", "grey"), "wood", "table"),
    )
    canvas.rgb[int(edge * canvas.full) : int((edge + 0.015) * canvas.full)] *= 0.7
    return edge + canvas.rng.uniform(0.12, 0.26)


def underwater(canvas: Canvas) -> float:
    """Deep water over sand, with seaweed, rocks and bubbles."""
    _fill(
        canvas,
        _band(0, 1),
        Paint(choose(canvas, "blue", "blue", "turquoise"), "water", grain=0.5, roundness=0.25),
    )
    floor = canvas.rng.uniform(0.78, 0.92)
    _fill(canvas, _band(floor, 1), Paint("yellow", "sand"))
    _scatter(canvas, int(canvas.rng.integers(0, 4)), floor, _rock)
    for _ in range(int(canvas.rng.integers(1, 6))):
        x, y = canvas.rng.uniform(0, UNIT), canvas.rng.uniform(floor, 1) * UNIT
        high = canvas.rng.uniform(0.3, 0.9)
        up = np.linspace(0, 1, 12)
        sway = 0.08 * np.sin(up * canvas.rng.uniform(5, 9) + x)
        left = np.stack([x + sway - 0.05 * (1 - up), y - high * up], axis=1)
        right = np.stack([x + sway + 0.05 * (1 - up) + 0.015, y - high * up], axis=1)[::-1]
        canvas.paint(
            np.concatenate([left, right]), Paint("green", "foliage", "seaweed"), _pose(canvas)
        )
    for _ in range(int(canvas.rng.integers(0, 8))):
        x, y = canvas.rng.uniform(0, UNIT, 2)
        bubble = Paint("white", "water", outline=False, roundness=0.3)
        canvas.paint(
            ellipse(x, y, canvas.rng.uniform(0.02, 0.05), corners=16), bubble, _pose(canvas)
        )
    return canvas.rng.uniform(0.5, 0.66)


PAINT_PLACE: dict[str, Callable[[Canvas], float]] = {
    "beach": beach,
    "meadow": meadow,
    "room": room,
    "sea": sea,
    "street": street,
    "underwater": underwater,
}


def waves_over(canvas: Canvas, height: float) -> None:
    """Water lapping over what floats, from `height` (a fraction of the side) to just below it."""
    x = np.linspace(-0.1, UNIT + 0.1, 60)
    crest = height * UNIT + 0.035 * np.sin(x * 9 + canvas.rng.uniform(0, 6))
    foot = np.stack([x, crest + 0.16], axis=1)[::-1]
    _fill(
        canvas,
        np.concatenate([np.stack([x, crest], axis=1), foot]),
        Paint("blue", "water", roundness=0.05),
    )
