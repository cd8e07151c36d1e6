"""The image grid: keys, pictures that come late or never, the bounded cache, drag out."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from pytestqt.qtbot import QtBot

from app.widgets.image_grid import FRAME, GridItem, ImageGrid
from app.widgets.image_source import PixmapCache, bytes_of


class LateSource(QObject):
    """Green pictures of images that have been delivered."""

    ready = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.delivered: set[int] = set()
        self.sizes: list[int] = []

    def request(self, image_id: int, box: object, size: int) -> QPixmap | None:
        self.sizes.append(size)
        if image_id not in self.delivered:
            return None
        pixmap = QPixmap(size * 2, size)
        pixmap.fill(QColor("#00FF00"))
        return pixmap

    def path(self, image_id: int) -> Path | None:
        return Path(f"/images/{image_id}.jpg") if image_id < 100 else None


def items(count: int) -> list[GridItem]:
    return [GridItem(1000 - i, i, (0, 0, 8, 8), f"patch {i}", "#009E73") for i in range(count)]


@pytest.fixture
def source() -> LateSource:
    return LateSource()


@pytest.fixture
def grid(qtbot: QtBot, source: LateSource) -> ImageGrid:
    grid = ImageGrid("Patches", size=48)
    qtbot.addWidget(grid)
    grid.resize(4 * (48 + 2 * FRAME) + 20, 200)
    grid.set_source(source)
    grid.set_items(items(10))
    with qtbot.waitExposed(grid):
        grid.show()
    return grid


def colour_of(grid: ImageGrid, row: int) -> QColor:
    place = grid.visualRect(grid.grid_model.index(row, 0)).center()
    return grid.viewport().grab().toImage().pixelColor(place)


def test_arrow_keys_walk_and_space_enlarges(qtbot: QtBot, grid: ImageGrid) -> None:
    grid.set_focus(1000)
    told: list[object] = []
    grid.item_focused.connect(told.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left):
        qtbot.keyClick(grid, key)
    assert told == [999, 995, 996]  # four in a row
    with qtbot.waitSignal(grid.item_activated) as caught:
        qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert caught.args == [996]


def test_click_and_double_click_tell_ids(qtbot: QtBot, grid: ImageGrid) -> None:
    place = grid.visualRect(grid.grid_model.index(5, 0)).center()
    with qtbot.waitSignal(grid.item_focused) as caught:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [995]
    with qtbot.waitSignal(grid.item_activated) as caught:
        qtbot.mouseDClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [995]


def test_pictures_that_come_later_are_painted(grid: ImageGrid, source: LateSource) -> None:
    assert colour_of(grid, 2) != QColor("#00FF00")
    source.delivered.add(2)
    source.ready.emit(2)
    assert colour_of(grid, 2) == QColor("#00FF00")


def test_a_picture_that_cannot_be_had_says_so(grid: ImageGrid, source: LateSource) -> None:
    waiting = grid.viewport().grab().toImage()
    source.ready.emit(3)
    assert grid.viewport().grab().toImage() != waiting


def test_asks_in_device_pixels_and_once_a_picture(grid: ImageGrid, source: LateSource) -> None:
    source.delivered.update(range(10))
    grid.viewport().grab()
    asked = len(source.sizes)
    grid.viewport().grab()
    assert len(source.sizes) == asked
    assert set(source.sizes) == {round(48 * grid.devicePixelRatioF())}


def test_caption_for_hover_and_screen_reader(grid: ImageGrid) -> None:
    index = grid.grid_model.index(4, 0)
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "patch 4"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "patch 4"


def test_hover_tells_the_id(qtbot: QtBot, grid: ImageGrid) -> None:
    place = grid.visualRect(grid.grid_model.index(1, 0)).center()
    qtbot.mouseMove(grid.viewport(), place - QPoint(3, 3))
    with qtbot.waitSignal(grid.item_hovered) as caught:
        qtbot.mouseMove(grid.viewport(), place + QPoint(56, 0))
    assert caught.args == [998]


def test_dragged_images_are_file_urls_each_once(grid: ImageGrid) -> None:
    grid.set_items([GridItem(1, 7), GridItem(2, 7, (0, 0, 4, 4)), GridItem(3, 500)])
    model = grid.grid_model
    data = model.mimeData([model.index(row, 0) for row in range(3)])
    assert [url.toLocalFile() for url in data.urls()] == ["/images/7.jpg"]


def test_focus_goes_with_its_id_and_setting_it_is_silent(qtbot: QtBot, grid: ImageGrid) -> None:
    grid.set_focus(997)
    with qtbot.assertNotEmitted(grid.item_focused):
        grid.set_items(list(reversed(items(10))))
        assert grid.focus() == 997
        grid.set_focus(None)
        grid.set_focus(424242)
    assert grid.focus() is None


def test_fit_takes_the_largest_size_that_shows_all(qtbot: QtBot, source: LateSource) -> None:
    grid = ImageGrid(fit=True)
    qtbot.addWidget(grid)
    grid.set_source(source)
    grid.resize(700, 80)
    grid.set_items(items(10))
    grid.show()
    last = grid.visualRect(grid.grid_model.index(9, 0))
    assert grid.viewport().rect().contains(last)
    small = grid.thumbnail_size
    grid.resize(700, 400)
    assert grid.thumbnail_size > small
    assert grid.viewport().rect().contains(grid.visualRect(grid.grid_model.index(9, 0)))


def test_no_items_and_no_source(qtbot: QtBot) -> None:
    grid = ImageGrid(fit=True)
    qtbot.addWidget(grid)
    grid.set_items([])
    grid.show()
    qtbot.keyClick(grid, Qt.Key.Key_Space)
    grid.set_items(items(2))
    grid.grab()
    assert grid.grid_model.mimeData([grid.grid_model.index(0, 0)]).urls() == []


def test_five_thousand_items_scroll_to_the_last(grid: ImageGrid, source: LateSource) -> None:
    source.delivered.update(range(5000))
    grid.cache.limit = 200 * 48 * 48 * 4
    grid.set_items(items(5000))
    for share in (0.25, 0.5, 1.0):
        bar = grid.verticalScrollBar()
        bar.setValue(round(bar.maximum() * share))
        grid.viewport().grab()
    assert colour_of(grid, 4999) == QColor("#00FF00")
    assert grid.cache.size <= grid.cache.limit


def test_cache_is_bounded_by_bytes_and_drops_the_oldest(qtbot: QtBot) -> None:
    cache = PixmapCache(limit=3 * 16 * 16 * 4)
    for key in range(3):
        cache.put(key, QPixmap(16, 16))
    cache.get(0)
    cache.put(3, QPixmap(16, 16))
    assert cache.get(1) is None
    assert cache.get(0) is not None
    assert cache.size == 3 * bytes_of(QPixmap(16, 16))
    cache.clear()
    assert (len(cache), cache.size) == (0, 0)
