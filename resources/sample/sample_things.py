"""What the sample's pictures show: six classes of things, drawn from parts, and where they stand.

Every `draw_*` function paints one thing in its own coordinates (about -1…1, y down, standing on
y = 0.6) with proportions, colours and patterns drawn from the canvas's generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from sample_canvas import Canvas, Paint, Points, Pose, ellipse, polygon, rectangle

CLASSES = ("boat", "car", "fish", "house", "lamp", "tree")
SIDE_THINGS = ("bush", "flower", "hill", "rock", "seaweed", "sun", "table")
PARTS = (
    "base", "bulb", "bumper", "cabin", "chimney", "crown", "door", "eye", "fin", "flag", "fruit",
    "funnel", "headlight", "hull", "mast", "pole", "roof", "sail", "shade", "tail", "trunk", "wall",
    "wheel", "window", "pink square",
)  # fmt: skip
SCENES = ("beach", "meadow", "room", "sea", "street", "underwater")
GROUND = 0.6

# Where each class is met, and how often: backgrounds help, but never settle the class.
PLACES: dict[str, dict[str, float]] = {
    "boat": {"sea": 0.72, "beach": 0.14, "room": 0.14},
    "car": {"street": 0.55, "meadow": 0.2, "beach": 0.13, "room": 0.12},
    "fish": {"underwater": 0.72, "sea": 0.1, "beach": 0.08, "room": 0.1},
    "house": {"meadow": 0.5, "street": 0.3, "beach": 0.2},
    "lamp": {"room": 0.8, "street": 0.1, "beach": 0.1},
    "tree": {"meadow": 0.6, "street": 0.2, "beach": 0.1, "room": 0.1},
}
LIVELY = ("red", "orange", "yellow", "green", "turquoise", "blue", "white")


def choose(canvas: Canvas, *options: str) -> str:
    """One of the options, from the canvas's generator."""
    return options[int(canvas.rng.integers(len(options)))]


def two_colours(canvas: Canvas) -> tuple[str, str]:
    """Two different lively colours."""
    first, second = canvas.rng.choice(len(LIVELY), 2, replace=False)
    return LIVELY[first], LIVELY[second]


def _decorate(canvas: Canvas, paint: Paint, second: str, chance: float) -> Paint:
    """The paint, perhaps striped, banded or dotted with a second colour."""
    if canvas.rng.random() > chance:
        return paint
    return paint.but(second=second, pattern=choose(canvas, "striped", "banded", "dotted"))


def draw_car(canvas: Canvas, pose: Pose) -> None:
    """A car from the side: body, windows, door, wheels, headlight, bumper."""
    rng = canvas.rng
    body = Paint(choose(canvas, *LIVELY, "black", "grey"), "metal", "car")
    glass = Paint(choose(canvas, "blue", "turquoise", "white"), "glass", "car", "window")
    canvas.shadow(ellipse(0, GROUND, 1.05, 0.1), pose)
    top, long = rng.uniform(-0.42, -0.22), rng.random() < 0.4
    front, back = (0.5, -0.98) if long else (0.42, -0.62)
    canvas.paint(
        polygon((back, 0.12), (back + 0.14, top), (front - 0.12, top), (front + 0.16, 0.12)),
        body,
        pose,
    )
    pillars = np.linspace(back + 0.16, front + 0.02, 4 if long else 3)
    for left, right in pairwise(pillars):
        lean = 0.1 if right == pillars[-1] else 0.0
        pane = polygon(
            (left + 0.04, top + 0.08),
            (right - 0.04 - lean, top + 0.08),
            (right - 0.02, 0.08),
            (left + 0.02, 0.08),
        )
        canvas.paint(pane, glass, pose)
    canvas.paint(rectangle(-1, 0.08, 1, 0.44, 0.12), body, pose)
    canvas.paint(
        rectangle(pillars[-2], 0.1, pillars[-1] - 0.02, 0.42, 0.03), body.but(part="door"), pose
    )
    handle = rectangle(pillars[-2] + 0.06, 0.17, pillars[-2] + 0.2, 0.21)
    canvas.paint(handle, Paint("white", "metal", "car", "door", grain=0.2), pose)
    canvas.paint(ellipse(0.9, 0.2, 0.08, 0.09), Paint("yellow", "glass", "car", "headlight"), pose)
    for left in (-1.05, 0.83):
        canvas.paint(
            rectangle(left, 0.36, left + 0.22, 0.46, 0.03),
            Paint("grey", "metal", "car", "bumper"),
            pose,
        )
    size = rng.uniform(0.2, 0.27)
    for x in (-0.58, 0.56):
        _wheel(canvas, pose, x, GROUND - size, size, "car")


def _wheel(canvas: Canvas, pose: Pose, x: float, y: float, size: float, owner: str) -> None:
    tyre = Paint("black", "rubber", owner, "wheel")
    canvas.paint(ellipse(x, y, size), tyre, pose)
    canvas.paint(ellipse(x, y, size * 0.55), Paint("grey", "metal", owner, "wheel"), pose)
    canvas.paint(ellipse(x, y, size * 0.18), tyre, pose)


def draw_boat(canvas: Canvas, pose: Pose) -> None:
    """A sailing boat or a steamer: hull, mast, sails or cabin and funnel, flag."""
    rng = canvas.rng
    first, second = two_colours(canvas)
    mast = rng.uniform(-0.15, 0.1)
    pole = Paint("brown", "wood", "boat", "mast")
    steamer = rng.random() < 0.35
    top = -0.95 if steamer else -1.15
    canvas.paint(rectangle(mast - 0.03, top, mast + 0.035, 0.22), pole, pose)
    flag = polygon((mast + 0.03, top), (mast + 0.34, top + 0.08), (mast + 0.03, top + 0.17))
    canvas.paint(flag, Paint(second, "fabric", "boat", "flag"), pose)
    (_steamer_top if steamer else _sails)(canvas, pose, mast, first, second)
    hull = Paint(
        choose(canvas, "brown", "brown", "red", "blue", "white", "green"), "wood", "boat", "hull"
    )
    bow, stern = rng.uniform(0.9, 1.05), rng.uniform(-0.95, -0.8)
    canvas.paint(
        polygon((stern, 0.2), (bow, 0.13), (bow - 0.3, 0.6), (stern + 0.16, 0.6)), hull, pose
    )
    rail = polygon((stern - 0.03, 0.18), (bow + 0.04, 0.1), (bow - 0.02, 0.2), (stern, 0.27))
    canvas.paint(
        rail,
        Paint("white" if hull.colour != "white" else "red", "wood", "boat", "hull", grain=0.4),
        pose,
    )
    for x in np.linspace(stern + 0.35, bow - 0.5, int(rng.integers(2, 4))):
        canvas.paint(ellipse(x, 0.38, 0.075), Paint("blue", "glass", "boat", "window"), pose)


def _sails(canvas: Canvas, pose: Pose, mast: float, first: str, second: str) -> None:
    sail = Paint(choose(canvas, "white", "white", first), "fabric", "boat", "sail", roundness=0.25)
    sail = _decorate(canvas, sail, second if second != sail.colour else "orange", 0.5)
    canvas.paint(
        polygon(
            (mast + 0.06, -0.92), (mast + 0.34, -0.4), (mast + 0.72, 0.03), (mast + 0.06, 0.06)
        ),
        sail,
        pose,
    )
    if canvas.rng.random() < 0.75:
        canvas.paint(
            polygon((mast - 0.06, -0.8), (mast - 0.58, 0.06), (mast - 0.06, 0.06)), sail, pose
        )


def _steamer_top(canvas: Canvas, pose: Pose, mast: float, first: str, second: str) -> None:
    funnel = Paint(first, "metal", "boat", "funnel", second=second, pattern="banded")
    canvas.paint(
        polygon(
            (mast + 0.17, -0.55), (mast + 0.43, -0.55), (mast + 0.46, -0.1), (mast + 0.14, -0.1)
        ),
        funnel,
        pose,
    )
    cabin = Paint("white", "wood", "boat", "cabin", grain=0.5)
    canvas.paint(rectangle(mast - 0.5, -0.15, mast + 0.62, 0.2), cabin, pose)
    for x in np.linspace(mast - 0.36, mast + 0.4, 4):
        canvas.paint(
            rectangle(x, -0.06, x + 0.14, 0.08, 0.02),
            Paint("blue", "glass", "boat", "window"),
            pose,
        )


def draw_house(canvas: Canvas, pose: Pose) -> None:
    """A house from the front: walls, roof, chimney, door, windows."""
    rng = canvas.rng
    material = choose(canvas, "brick", "brick", "wood", "plaster", "stone")
    colours = {"brick": ("red", "brown", "orange"), "wood": ("brown", "blue", "green", "red")}
    wall = Paint(
        choose(canvas, *colours.get(material, ("white", "yellow", "grey"))),
        material,
        "house",
        "wall",
    )
    wall = wall.but(roundness=0.1)
    wide, high = rng.uniform(0.62, 0.86), rng.uniform(-0.25, 0.0)
    canvas.shadow(
        polygon((-wide, 0.57), (wide, 0.57), (wide + 0.35, 0.68), (-wide + 0.2, 0.68)), pose
    )
    side = choose(canvas, "left", "right") == "left"
    x = (-0.5 if side else 0.3) * wide
    canvas.paint(
        rectangle(x, high - 0.55, x + 0.17, high - 0.05),
        Paint("brown", "brick", "house", "chimney"),
        pose,
    )
    canvas.paint(rectangle(-wide, high, wide, GROUND), wall, pose)
    _roof(canvas, pose, wide, high, wall)
    _openings(canvas, pose, wide, high)


def _roof(canvas: Canvas, pose: Pose, wide: float, high: float, wall: Paint) -> None:
    roof = Paint(
        choose(canvas, "red", "brown", "grey", "black", "orange"), "tiles", "house", "roof"
    )
    peak = high - canvas.rng.uniform(0.38, 0.62)
    if canvas.rng.random() < 0.5:
        canvas.paint(
            polygon(
                (-wide - 0.1, high), (-wide * 0.55, peak), (wide * 0.55, peak), (wide + 0.1, high)
            ),
            roof,
            pose,
        )
        return
    canvas.paint(
        polygon((-wide - 0.12, high + 0.04), (0, peak - 0.1), (wide + 0.12, high + 0.04)),
        roof,
        pose,
    )
    canvas.paint(
        polygon((-wide * 0.6, high + 0.02), (0, peak + 0.1), (wide * 0.6, high + 0.02)), wall, pose
    )
    canvas.paint(ellipse(0, high - 0.12, 0.1), Paint("blue", "glass", "house", "window"), pose)


def _openings(canvas: Canvas, pose: Pose, wide: float, high: float) -> None:
    """The door and the windows beside it."""
    rng = canvas.rng
    at = float(rng.choice([-0.55, 0.0, 0.55])) * wide
    door = Paint(choose(canvas, "brown", "green", "blue", "red"), "wood", "house", "door")
    canvas.paint(rectangle(at - 0.14, GROUND - 0.44, at + 0.14, GROUND), door, pose)
    canvas.paint(
        ellipse(at + 0.08, GROUND - 0.2, 0.025),
        Paint("yellow", "metal", "house", "door", outline=False),
        pose,
    )
    size = rng.uniform(0.12, 0.16)
    lit = choose(canvas, "blue", "blue", "yellow", "turquoise")
    middle = (high + GROUND) / 2 - 0.05
    for x in (-0.55 * wide, 0.0, 0.55 * wide):
        if abs(x - at) < 0.1:
            continue
        canvas.paint(
            rectangle(x - size - 0.03, middle - size - 0.03, x + size + 0.03, middle + size + 0.03),
            Paint("white", "wood", "house", "window", grain=0.3),
            pose,
        )
        for dx in (-size / 2 - 0.005, size / 2 + 0.005):
            pane = rectangle(
                x + dx - size / 2 + 0.01, middle - size, x + dx + size / 2 - 0.01, middle + size
            )
            canvas.paint(pane, Paint(lit, "glass", "house", "window"), pose)


def draw_tree(canvas: Canvas, pose: Pose) -> None:
    """A tree: trunk, and a round or a pointed crown, sometimes with fruit."""
    rng = canvas.rng
    canvas.shadow(ellipse(0.1, GROUND, 0.6, 0.1), pose)
    trunk = Paint(choose(canvas, "brown", "brown", "grey"), "wood", "tree", "trunk")
    thick = rng.uniform(0.08, 0.14)
    canvas.paint(
        polygon((-thick, -0.2), (thick, -0.2), (thick * 1.5, GROUND), (-thick * 1.5, GROUND)),
        trunk,
        pose,
    )
    leaf = choose(canvas, "green", "green", "green", "orange", "yellow", "turquoise")
    crown = Paint(leaf, "foliage", "tree", "crown", roundness=0.3)
    if rng.random() < 0.4:
        for level, y in enumerate((0.15, -0.2, -0.55)):
            half = 0.72 - 0.17 * level
            canvas.paint(
                polygon((-half, y), (-half * 0.15, y - 0.55), (half * 0.15, y - 0.55), (half, y)),
                crown,
                pose,
            )
        return
    blobs = [(rng.uniform(-0.42, 0.42), rng.uniform(-0.72, -0.12)) for _ in range(7)]
    for x, y in [(0.0, -0.38), *blobs]:
        canvas.paint(ellipse(x, y, rng.uniform(0.28, 0.4)), crown.but(outline=x == 0.0), pose)
    if rng.random() < 0.5:
        fruit = Paint("red" if leaf != "orange" else "yellow", None, "tree", "fruit", roundness=0.4)
        for x, y in blobs:
            canvas.paint(ellipse(x * 1.2, y, 0.07), fruit, pose)


def draw_fish(canvas: Canvas, pose: Pose) -> None:
    """A fish from the side: scaly body, tail, fins, eye."""
    rng = canvas.rng
    first, second = two_colours(canvas)
    body = _decorate(canvas, Paint(first, "scales", "fish", roundness=0.3), second, 0.55)
    fin = Paint(
        second, None, "fish", "fin", second=first if rng.random() < 0.3 else None, pattern="banded"
    )
    tall = rng.uniform(0.36, 0.58)
    fork = rng.uniform(0.55, 0.75)
    canvas.paint(
        polygon((-0.55, 0), (-1.05, -0.45), (-fork - 0.15, 0), (-1.05, 0.45)),
        fin.but(part="tail"),
        pose,
    )
    canvas.paint(
        polygon(
            (-0.35, -tall * 0.6), (-0.2, -tall - 0.3), (0.35, -tall - 0.12), (0.3, -tall * 0.7)
        ),
        fin,
        pose,
    )
    canvas.paint(polygon((-0.25, tall * 0.7), (-0.3, tall + 0.22), (0.1, tall * 0.85)), fin, pose)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    shape: Points = np.stack(
        [0.12 + 0.78 * np.cos(turn), tall * np.sin(turn) * (0.72 + 0.28 * np.cos(turn))], axis=1
    )
    canvas.paint(shape, body, pose)
    canvas.paint(polygon((0.15, 0.05), (-0.2, 0.0), (-0.22, 0.3)), fin, pose)
    canvas.paint(ellipse(0.58, -tall * 0.28, 0.1), Paint("white", None, "fish", "eye"), pose)
    canvas.paint(
        ellipse(0.6, -tall * 0.28, 0.05), Paint("black", None, "fish", "eye", outline=False), pose
    )
    canvas.paint(
        polygon((0.9, 0.05), (0.72, 0.12), (0.74, 0.16), (0.88, 0.12)),
        Paint("black", None, "fish", outline=False),
        pose,
    )


def draw_lamp(canvas: Canvas, pose: Pose) -> None:
    """A table lamp: base, pole, bulb, shade."""
    rng = canvas.rng
    first, second = two_colours(canvas)
    canvas.shadow(ellipse(0.08, GROUND, 0.55, 0.09), pose)
    if rng.random() < 0.6:
        x, y = pose.place(polygon((0.0, -0.3)))[0]
        canvas.glow(Pose(float(x), float(y), pose.scale * 1.1), (255, 232, 160), 0.55)
    stand = Paint(
        choose(canvas, "grey", "black", "brown", "yellow"),
        choose(canvas, "metal", "metal", "wood"),
        "lamp",
    )
    wide = rng.uniform(0.3, 0.45)
    canvas.paint(
        polygon((-wide * 0.7, 0.5), (wide * 0.7, 0.5), (wide, GROUND), (-wide, GROUND)),
        stand.but(part="base"),
        pose,
    )
    canvas.paint(rectangle(-0.05, -0.3, 0.05, 0.52), stand.but(part="pole"), pose)
    if rng.random() < 0.6:
        canvas.paint(ellipse(0, 0.28, 0.14, 0.2), stand.but(part="pole"), pose)
    canvas.paint(ellipse(0, -0.18, 0.13), Paint("yellow", "glass", "lamp", "bulb"), pose)
    shade = _decorate(canvas, Paint(first, "fabric", "lamp", "shade", roundness=0.12), second, 0.6)
    top, low = rng.uniform(0.2, 0.4), rng.uniform(0.55, 0.72)
    canvas.paint(polygon((-top, -0.88), (top, -0.88), (low, -0.15), (-low, -0.15)), shade, pose)
    canvas.paint(
        rectangle(-low, -0.2, low, -0.14),
        shade.but(second=None, colour=second, pattern="striped"),
        pose,
    )


DRAW: dict[str, Callable[[Canvas, Pose], None]] = {
    "boat": draw_boat,
    "car": draw_car,
    "fish": draw_fish,
    "house": draw_house,
    "lamp": draw_lamp,
    "tree": draw_tree,
}


def label_names() -> dict[str, Sequence[str]]:
    """The names of each category that things bring (materials and colours: `sample_canvas`)."""
    return {"object": (*CLASSES, *SIDE_THINGS), "part": PARTS, "scene": SCENES}
