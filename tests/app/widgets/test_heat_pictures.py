"""Pictures under their maps: enlarged as in the measurement, blended, masked, contoured, kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from pytestqt.qtbot import QtBot

from app.widgets.colour_maps import luminance
from app.widgets.heat_canvas import HeatCanvas, Zoom
from app.widgets.heat_pictures import (
    COLOURS,
    HeatLook,
    HeatPicture,
    HeatPictures,
    enlarged,
    heat_colours,
    heat_levels,
    image_of,
    laid_over,
    pixels_of,
    span_of,
)
from app.widgets.pixel_source import PixelSource

RNG = np.random.default_rng(0)


class Source(QObject):
    ready = Signal(int)

    def __init__(self, missing: bool = False) -> None:
        super().__init__()
        self.missing = missing
        self.asked: list[tuple[int, object, int]] = []

    def request(self, image_id: int, box: object, size: int) -> QPixmap | None:
        self.asked.append((image_id, box, size))
        if self.missing:
            return None
        pixmap = QPixmap(size, size)
        pixmap.fill(QColor(200, 100, 50))
        return pixmap

    def path(self, image_id: int) -> None:
        return None


def picture(values: np.ndarray | None = None) -> HeatPicture:
    return HeatPicture("a", 3, (5, 6, 70, 70), RNG.random((7, 7)) if values is None else values)


@pytest.mark.parametrize("shape", [(7, 7), (14, 9), (1, 1), (3, 1)])
@pytest.mark.parametrize("size", [(28, 28), (5, 31), (1, 2)])
def test_enlarged_is_bilinear_with_pixel_centres_at_halves(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    values = RNG.random(shape)

    def at(y: float, x: float) -> float:
        """The value of a place, read off by hand."""
        y, x = min(max(y, 0), shape[0] - 1), min(max(x, 0), shape[1] - 1)
        top, left = math.floor(y), math.floor(x)
        down, right = min(top + 1, shape[0] - 1), min(left + 1, shape[1] - 1)
        above = values[top, left] * (1 - x + left) + values[top, right] * (x - left)
        below = values[down, left] * (1 - x + left) + values[down, right] * (x - left)
        return above * (1 - y + top) + below * (y - top)

    expected = [
        [
            at((row + 0.5) * shape[0] / size[0] - 0.5, (column + 0.5) * shape[1] / size[1] - 0.5)
            for column in range(size[1])
        ]
        for row in range(size[0])
    ]
    np.testing.assert_allclose(enlarged(values, *size), expected, atol=1e-6)


def test_levels_span_the_map_or_what_is_said() -> None:
    values = np.array([[2.0, 4.0]])
    assert heat_levels(values, 1, 2).tolist() == [[0, 255]]
    assert heat_levels(values, 1, 2, (0.0, 8.0)).tolist() == [[64, 128]]
    assert heat_levels(values, 1, 2, (3.0, 3.5)).tolist() == [[0, 255]]


def test_levels_of_odd_maps() -> None:
    assert heat_levels(np.full((3, 3), 0.7), 4, 4).max() == 0
    assert heat_levels(np.array([[np.nan, 1.0], [0.0, np.inf]]), 2, 2).tolist() == [
        [0, 255],
        [0, 255],
    ]
    assert heat_levels(np.full((2, 2), np.nan), 2, 2).max() == 0
    assert span_of(np.full(3, np.nan)) == (0.0, 0.0)


@pytest.mark.parametrize("name", COLOURS)
def test_colours_grow_lighter_evenly(name: str) -> None:
    table = heat_colours(name)
    assert table.shape == (256, 3)
    assert (np.diff(luminance(table[::8])) > 0).all()


def test_an_unknown_colour_map_is_refused() -> None:
    with pytest.raises(ValueError, match="jet"):
        heat_colours("jet")


def test_opacity_goes_from_image_to_colours() -> None:
    base = RNG.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    levels = RNG.integers(0, 256, (6, 6)).astype(np.uint8)
    table = heat_colours("viridis")
    assert (laid_over(base, levels, HeatLook(opacity=0.0)) == base).all()
    assert (laid_over(base, levels, HeatLook(opacity=1.0)) == table[levels]).all()
    half = (base.astype(float) + table[levels]) / 2
    assert np.abs(laid_over(base, levels, HeatLook(opacity=0.5)) - half).max() <= 1


def test_masked_is_image_times_map() -> None:
    base = RNG.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    levels = RNG.integers(0, 256, (6, 6)).astype(np.uint8)
    expected = np.round(base * (levels[..., None] / 255.0))
    assert (laid_over(base, levels, HeatLook("masked")) == expected).all()


def test_contours_leave_the_rest_of_the_image_as_it_is() -> None:
    y, x = np.mgrid[0:96, 0:96]
    levels = np.clip(255 - 5 * np.hypot(x - 48, y - 48), 0, 255).astype(np.uint8)
    base = np.full((96, 96, 3), 90, np.uint8)
    drawn = (laid_over(base, levels, HeatLook("contours")) != base).any(axis=2)
    assert 0.01 < drawn.mean() < 0.25
    assert not drawn[48, 48]
    assert not drawn[0, 0]
    # Along a line from the middle outwards each of three contours is crossed once.
    assert int((np.diff(drawn[48, 48:].astype(int)) == 1).sum()) == 3


def test_pixels_go_to_qt_and_back() -> None:
    pixels = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert (pixels_of(image_of(pixels)) == pixels).all()


def test_composed_once_a_look_and_size_and_bounded(qtbot: QtBot) -> None:
    pictures, source = HeatPictures(limit=3 * 40 * 40 * 4), Source()
    pictures.set_source(source)
    one = picture()
    first = pictures.pixmap(one, 40, 1.0, HeatLook())
    assert first is not None
    assert source.asked == [(3, (5, 6, 70, 70), 40)]
    assert pictures.pixmap(one, 40, 1.0, HeatLook()) is first
    for step in range(8):
        pictures.pixmap(one, 40, 1.0, HeatLook(opacity=step / 10))
    assert pictures.cache.size <= pictures.cache.limit
    assert pictures.pixmap(one, 20, 2.0, HeatLook(opacity=0.7)) is not None
    assert source.asked[-1][2] == 40


def test_without_its_image_a_map_is_shown_on_grey(qtbot: QtBot) -> None:
    pictures = HeatPictures()
    pictures.set_source(Source(missing=True))
    assert pictures.pixmap(picture(), 20, 1.0, HeatLook()) is None
    bare = pictures.pixmap(picture(), 20, 1.0, HeatLook(opacity=1.0), bare=True)
    assert bare is not None
    shown = pixels_of(bare.toImage())
    assert (shown.reshape(-1, 3)[:, None] == heat_colours("viridis")[None]).all(2).any(1).all()


def test_an_image_that_comes_late_takes_the_place_of_the_grey(qtbot: QtBot) -> None:
    """The source may have answered for the same image at another size."""
    source, pictures = Source(missing=True), HeatPictures()
    pictures.set_source(source)
    look = HeatLook(opacity=0.0)
    bare = pictures.pixmap(picture(), 20, 1.0, look, bare=True)
    assert bare is pictures.pixmap(picture(), 20, 1.0, look, bare=True)  # composed once
    source.missing = False
    late = pictures.pixmap(picture(), 20, 1.0, look, bare=True)
    assert late is not None
    assert pixels_of(late.toImage())[10, 10].tolist() == [200, 100, 50]


def test_the_source_of_one_picture_gives_its_pixels(qtbot: QtBot) -> None:
    pixels = RNG.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    given = PixelSource(pixels).request(-1, (0, 0, 9, 9), 16)
    assert given is not None
    assert (pixels_of(given.toImage()) == pixels).all()


# -- large


def test_zooming_keeps_the_place_under_the_pointer(qtbot: QtBot) -> None:
    canvas = HeatCanvas("large")
    qtbot.addWidget(canvas)
    canvas.resize(300, 200)
    canvas.show_picture(picture())
    place = canvas.view().topLeft() + QPointF(40, 70)
    before = canvas.share_at(place)
    assert before is not None
    canvas.zoom.by(3.0, before)
    after = canvas.share_at(place)
    assert after is not None
    assert (after - before).manhattanLength() < 1e-9
    canvas.zoom.by(0.01, after)
    assert canvas.zoom.factor == 1.0
    assert canvas.zoom.centre == QPointF(0.5, 0.5)


def test_two_canvases_move_together_and_read_their_own_values(qtbot: QtBot) -> None:
    zoom = Zoom()
    values = np.arange(4.0).reshape(2, 2)
    canvases = [HeatCanvas(name, zoom) for name in "ab"]
    for canvas, factor in zip(canvases, (1, 10), strict=True):
        qtbot.addWidget(canvas)
        canvas.show_picture(picture(values * factor))
    canvases[0].resize(200, 200)
    canvases[0].show()
    qtbot.keyClick(canvases[0], Qt.Key.Key_Plus)
    qtbot.keyClick(canvases[0], Qt.Key.Key_Right)
    assert canvases[1].zoom.factor > 1
    assert canvases[1].zoom.centre.x() > 0.5
    qtbot.keyClick(canvases[0], Qt.Key.Key_Home)
    assert zoom.factor == 1.0
    assert [c.value_at(QPointF(0.9, 0.2)) for c in canvases] == [1.0, 10.0]
    assert canvases[0].value_at(None) is None
    canvases[0].show_picture(picture(np.full((2, 2), np.nan)))
    assert canvases[0].value_at(QPointF(1.0, 1.0)) is None
