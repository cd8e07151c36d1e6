"""A grid of pictures with their masks, as large as they fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from app.widgets.image_grid import GridDelegate, GridItem, ImageGrid
from app.widgets.image_source import ImageSource
from app.widgets.masked_pictures import MaskedPicture, MaskedPictures


class MaskedGrid(ImageGrid):
    """An image grid whose pictures are dimmed outside of their masks."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, fit=True, largest=420, parent=parent)
        self.pictures = MaskedPictures()
        self.masked: dict[object, MaskedPicture] = {}
        self.mode = "mask"
        self.grid_delegate = MaskedDelegate(self)
        self.setItemDelegate(self.grid_delegate)

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.pictures.set_source(source)
        super().set_source(source)

    def show_pictures(self, pictures: Sequence[MaskedPicture], captions: Sequence[str]) -> None:
        """Show other pictures; a caption each."""
        self.masked = {picture.identity: picture for picture in pictures}
        self.set_items(
            GridItem(picture.identity, picture.image, picture.frame, caption)
            for picture, caption in zip(pictures, captions, strict=True)
        )

    def set_mode(self, mode: str) -> None:
        """Show images with their 'mask', with a 'box', or 'plain'."""
        self.mode = mode
        self.viewport().update()


class MaskedDelegate(GridDelegate):
    """Paints the composed picture."""

    def __init__(self, grid: MaskedGrid) -> None:
        super().__init__(grid, grid.cache)
        self._masked_grid = grid

    def pixmap(self, item: GridItem) -> QPixmap | None:
        grid = self._masked_grid
        picture = grid.masked.get(item.identity)
        if picture is None:
            return None
        ratio = grid.devicePixelRatioF()
        return grid.pictures.pixmap(picture, grid.thumbnail_size, ratio, grid.mode)
