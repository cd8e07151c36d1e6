"""Naming colours: the model, the table, the plane."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from analysis.images.frames import Frame
from analysis.segmentation.colour_model import (
    _SHARED,
    _SLICES,
    _WEDGES,
    COLOUR_NAMES,
    _survey,
    colour_table,
    memberships,
    name_colours,
    rgb_to_lab,
)
from analysis.segmentation.colours import ColourPlanes
from analysis.segmentation.planes import PlaneImage

FOCAL = {
    "black": (0, 0, 0), "blue": (0, 0, 255), "brown": (120, 70, 20), "green": (0, 160, 0),
    "grey": (128, 128, 128), "orange": (255, 140, 0), "pink": (255, 150, 180),
    "purple": (128, 0, 128), "red": (255, 0, 0), "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", COLOUR_NAMES)
def test_focal_colours(name: str) -> None:
    assert COLOUR_NAMES[int(name_colours(np.array(FOCAL[name], dtype=np.uint8)))] == name


@pytest.mark.parametrize(
    ("colour", "lab"),
    [((255, 255, 255), (100.0, 0.0, 0.0)), ((255, 0, 0), (53.24, 80.09, 67.20)),
     ((0, 0, 255), (32.30, 79.19, -107.86)), ((119, 119, 119), (50.03, 0.0, 0.0)),
     ((3, 3, 3), (0.82, 0.0, 0.0))],
)  # fmt: skip
def test_cielab(colour, lab) -> None:
    """Values of a published converter (sRGB, D65)."""
    assert rgb_to_lab(np.array(colour)) == pytest.approx(lab, abs=0.02)


def literal_memberships(colour: tuple[int, int, int]) -> dict[str, float]:
    """The paper's equations for one colour, one name after the other."""
    lightness, a, b = rgb_to_lab(np.array(colour)).tolist()
    part = sum(lightness > edge for edge in _SLICES)
    centre_a, centre_b, steep, axis_a, axis_b, tilt = _SHARED[part]
    x, y, turn = a - centre_a, b - centre_b, math.radians(tilt)
    u = (x * math.cos(turn) + y * math.sin(turn)) / axis_a
    v = (-x * math.sin(turn) + y * math.cos(turn)) / axis_b
    ellipse = 1 / (1 + math.exp(-steep * (u * u + v * v - 1)))
    found = {}
    for name, wedge in _WEDGES.items():
        side = wedge[part]
        if side is None:
            found[name] = 0.0
            continue
        first, second = math.radians(side[0]), math.radians(side[1])
        s1 = 1 / (1 + math.exp(-side[2] * (-x * math.sin(first) + y * math.cos(first))))
        s2 = 1 / (1 + math.exp(-side[3] * (x * math.cos(second) + y * math.sin(second))))
        found[name] = s1 * s2 * ellipse
    left = max(0.0, 1 - sum(found.values()))
    black = 1 / (1 + math.exp(0.71 * (lightness - 28.28)))
    white = 1 / (1 + math.exp(-0.31 * (lightness - 79.65)))
    return {**found, "black": left * black, "white": left * white,
            "grey": left * (1 - black) * (1 - white)}  # fmt: skip


def test_memberships_against_the_equations_one_by_one() -> None:
    # Near grey, where no exponential of the literal form overflows.
    generator = np.random.default_rng(3)
    base = generator.integers(20, 236, (200, 1))
    colours = np.clip(base + generator.integers(-12, 13, (200, 3)), 0, 255)
    found = memberships(colours)
    for colour, row in zip(colours.tolist(), found, strict=True):
        expected = literal_memberships(tuple(colour))
        assert row == pytest.approx([expected[name] for name in COLOUR_NAMES], abs=1e-9)


def test_the_table_against_a_search_through_the_survey() -> None:
    surveyed, names = _survey()
    assert len(surveyed) > 500
    lab = rgb_to_lab(surveyed)
    table = colour_table()
    neutral = {COLOUR_NAMES.index(name) for name in ("black", "grey", "white")}
    for cell in np.random.default_rng(5).integers(0, 32, (100, 3)):
        centre = cell * 8 + 3.5
        by_model = int(memberships(centre).argmax())
        distances = ((lab - rgb_to_lab(centre)) ** 2).sum(axis=1)
        expected = by_model if by_model in neutral else names[distances.argmin()]
        assert table[tuple(cell)] == expected


def test_tints_of_grey_are_neutral() -> None:
    grey = np.arange(256)[:, None].repeat(3, axis=1)
    found = [COLOUR_NAMES[i] for i in name_colours(grey)]
    changes = [name for i, name in enumerate(found) if i == 0 or name != found[i - 1]]
    assert changes == ["black", "grey", "white"]


def test_the_plane_names_the_pixel_under_each_cell(tmp_path) -> None:
    names = ["red", "white", "blue", "green"]
    stripes = np.repeat(np.array([FOCAL[n] for n in names], dtype=np.uint8)[None], 4, axis=0)
    picture = Image.fromarray(stripes).resize((224, 224), Image.Resampling.NEAREST)
    planes = ColourPlanes()
    image = PlaneImage("a.png", tmp_path / "a.png", None, 224, 224)
    codes = planes.read(image, Frame(), 4, picture).codes
    assert codes.shape == (1, 4, 4)
    assert [planes.concepts[code - 1].name for code in codes[0, 0]] == names
    assert {concept.category for concept in planes.concepts} == {"color"}
