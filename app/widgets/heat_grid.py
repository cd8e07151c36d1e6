"""A grid of pictures under their maps, as large as they fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from app.widgets.heat_pictures import HeatLook, HeatPicture, HeatPictures
from app.widgets.image_grid import GridDelegate, GridItem, ImageGrid
from app.widgets.image_source import ImageSource


class HeatGrid(ImageGrid):
    """An image grid whose pictures lie under a map each."""

    def __init__(self, name: str, largest: int = 200, parent: QWidget | None = None) -> None:
        super().__init__(name, fit=True, largest=largest, parent=parent)
        self.pictures = HeatPictures()
        self.heat: dict[object, HeatPicture] = {}
        self.look = HeatLook()
        self.grid_delegate = HeatDelegate(self)
        self.setItemDelegate(self.grid_delegate)

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.pictures.set_source(source)
        super().set_source(source)

    def show_pictures(self, pictures: Sequence[HeatPicture], captions: Sequence[str]) -> None:
        """Show other pictures; a caption each."""
        self.heat = {picture.identity: picture for picture in pictures}
        self.set_items(
            GridItem(picture.identity, picture.image, picture.region, caption)
            for picture, caption in zip(pictures, captions, strict=True)
        )

    def set_look(self, look: HeatLook) -> None:
        """Lay the maps over the pictures in another way."""
        self.look = look
        self.viewport().update()


class HeatDelegate(GridDelegate):
    """Paints the composed picture."""

    def __init__(self, grid: HeatGrid) -> None:
        super().__init__(grid, grid.cache)
        self._heat_grid = grid

    def pixmap(self, item: GridItem) -> QPixmap | None:
        grid = self._heat_grid
        picture = grid.heat.get(item.identity)
        if picture is None:
            return None
        bare = item.image in self.answered or grid.pictures.source is None
        ratio = grid.devicePixelRatioF()
        return grid.pictures.pixmap(picture, grid.thumbnail_size, ratio, grid.look, bare=bare)
