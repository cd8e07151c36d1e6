"""Patches cut out of the small pictures that a project keeps of its images."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

    from analysis.project import Project

_LARGEST_SIDE = 2048  # a thumbnail is far smaller; a bigger one is not ours
_FORMATS = ("WEBP", "JPEG", "PNG")
TILE_SIDE = 160


class Cutting(Protocol):
    """A rectangle of an image, in pixels of the upright original."""

    @property
    def patch_id(self) -> int: ...
    @property
    def image(self) -> int: ...
    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


@dataclass(frozen=True)
class Tile:
    """The pixels of a patch, (side, side, 3) uint8, or a word saying why there are none."""

    pixels: np.ndarray | None
    word: str = ""


def patch_tiles(
    project: Project, patches: Iterable[Cutting], side: int = TILE_SIDE
) -> dict[int, Tile]:
    """The tile of each patch by its `patch_id`; one without a usable thumbnail has a word."""
    wanted = list(patches)
    pictures: dict[int, tuple[Image, float, float] | str] = {}
    tiles = {}
    for patch in wanted:
        if patch.image not in pictures:
            pictures[patch.image] = _picture(project, patch.image)
        picture = pictures[patch.image]
        tiles[patch.patch_id] = (
            Tile(None, picture) if isinstance(picture, str) else _cut(*picture, patch, side)
        )
    return tiles


def _picture(project: Project, image: int) -> tuple[Image, float, float] | str:
    """The thumbnail of an image with its scale along x and y, or what is wrong."""
    row = project.row(
        "SELECT image.width AS full_width, image.height AS full_height, thumbnail.data"
        " FROM image JOIN thumbnail ON thumbnail.image = image.id WHERE image.id = ?",
        (image,),
    )
    if row is None:
        return "no\nthumbnail"
    picture = _decode(row["data"])
    if picture is None or not row["full_width"] or not row["full_height"]:
        return "damaged\nthumbnail"
    scale_x = picture.width / row["full_width"]
    return picture, scale_x, picture.height / row["full_height"]


def _decode(data: bytes) -> Image | None:
    """A thumbnail's picture; None when it is damaged or not a thumbnail (files are untrusted)."""
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        if max(picture.size) > _LARGEST_SIDE:
            return None
        return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError):
        return None


def _cut(picture: Image, scale_x: float, scale_y: float, patch: Cutting, side: int) -> Tile:
    from PIL import Image

    left, top = patch.x * scale_x, patch.y * scale_y
    right, bottom = left + patch.width * scale_x, top + patch.height * scale_y
    box = (max(0.0, left), max(0.0, top), min(picture.width, right), min(picture.height, bottom))
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        return Tile(None, "outside\nthe image")
    tile = picture.resize((side, side), Image.Resampling.BICUBIC, box=box)
    return Tile(np.asarray(tile))
