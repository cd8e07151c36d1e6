"""Which pixel of a plane lies under which cell of the grid."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.segmentation import sampling
from analysis.segmentation.planes import PlaneImage
from analysis.segmentation.sampling import grid_pixels, sample_plane


def literal(frame: Frame, resolution: int, size: tuple[int, int], plane: int, axis: int) -> list:
    """The rule as it is written, in exact fractions."""
    shorter = min(size)
    resized = floor(Fraction(frame.resize * size[axis], shorter))
    corner = round((resized - frame.crop) / 2)
    found = []
    for cell in range(resolution):
        centre = corner + (cell + Fraction(1, 2)) * Fraction(frame.crop, resolution)
        found.append(min(floor(centre / resized * plane), plane - 1))
    return found


@pytest.mark.parametrize("size", [(224, 224), (300, 200), (199, 533), (17, 1000)])
@pytest.mark.parametrize("scale", [1, 2, 0.5])
@pytest.mark.parametrize(("frame", "resolution"), [(Frame(), 56), (Frame(256, 224), 7)])
def test_against_exact_fractions(size, scale, frame: Frame, resolution: int) -> None:
    plane = tuple(max(1, round(side * scale)) for side in size)
    rows, columns = grid_pixels(frame, resolution, *size, *plane)
    assert columns.tolist() == literal(frame, resolution, size, plane[0], 0)
    assert rows.tolist() == literal(frame, resolution, size, plane[1], 1)


def test_is_over_the_pixels_that_models_see() -> None:
    x, y = np.meshgrid(np.arange(300) * 255 / 299, np.arange(200) * 255 / 199)
    ramp = np.stack([x, y, 0 * x], axis=-1).astype(np.uint8)
    frame, resolution = Frame(256, 224), 56
    rows, columns = grid_pixels(frame, resolution, 300, 200, 300, 200)
    seen = frame.apply(Image.fromarray(ramp)).astype(int)
    centres = 4 * np.arange(resolution) + 2
    assert np.abs(seen[centres][:, centres] - ramp[rows][:, columns]).max() <= 2


def test_large_planes_are_looked_up_in_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "plane.png")
    image = PlaneImage("a.jpg", tmp_path / "a.jpg", None, 240, 180)
    whole = sample_plane(tmp_path / "plane.png", image, Frame(), 14).values
    monkeypatch.setattr(sampling, "_WHOLE_PIXELS", 100)
    strips = sample_plane(tmp_path / "plane.png", image, Frame(), 14).values
    rows, columns = grid_pixels(Frame(), 14, 240, 180, 120, 90)
    assert np.array_equal(whole, strips)
    assert np.array_equal(whole, values[rows][:, columns])


@pytest.mark.parametrize(("size", "fits"), [((121, 90), True), ((130, 90), False),
                                            ((90, 120), False)])  # fmt: skip
def test_a_plane_has_the_shape_of_its_image(tmp_path: Path, size, fits: bool) -> None:
    Image.new("L", size).save(tmp_path / "plane.png")
    image = PlaneImage("a.jpg", tmp_path / "a.jpg", None, 240, 180)
    if fits:
        assert sample_plane(tmp_path / "plane.png", image, Frame(), 7).values.shape == (7, 7, 1)
    else:
        with pytest.raises(AuditError, match="not the shape of its image"):
            sample_plane(tmp_path / "plane.png", image, Frame(), 7)
