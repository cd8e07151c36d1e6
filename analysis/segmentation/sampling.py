"""Looking up planes at the centres of the grid cells that lie over an image's frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from analysis.images.decoding import ImageProblem, loaded_image, open_image_file
from analysis.images.frames import Frame
from analysis.segmentation.planes import PlaneImage

_WHOLE_PIXELS = 4_000_000
"""Larger planes are looked up row by row, so that memory holds their pixels once only."""

_CHANNELS = {"1": 1, "L": 1, "P": 1, "I;16": 1, "I;16B": 1, "I;16L": 1, "I": 1,
             "LA": 2, "RGB": 3, "RGBA": 4}  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """Pixels of a plane at the cells of a grid.

    :ivar values: int64 (resolution, resolution, channels), as they are in the file: indices of an
        indexed image are not looked up in its palette.
    :ivar mode: Pillow's name of the kind of pixels.
    :ivar palette: int64 (256, 3) colours of an indexed image, else None.
    """

    values: np.ndarray
    mode: str
    palette: np.ndarray | None


def grid_pixels(
    frame: Frame, resolution: int, width: int, height: int, plane_width: int, plane_height: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of a plane that lie under the centres of the cells of a grid over the frame.

    In whole numbers: cells whose centre falls on the edge of a pixel take the one after it,
    whatever the rounding of the machine.

    :param frame: cut from the upright image of `width` × `height` pixels.
    :param plane_width: of a plane over the whole image, which may be of another size than it.
    :returns: int64 rows (resolution,) and columns (resolution,).
    """
    (resized_width, resized_height), (left, top) = frame.placement(width, height)
    centres = (2 * np.arange(resolution, dtype=np.int64) + 1) * frame.crop
    columns = (2 * resolution * left + centres) * plane_width // (2 * resolution * resized_width)
    rows = (2 * resolution * top + centres) * plane_height // (2 * resolution * resized_height)
    return np.minimum(rows, plane_height - 1), np.minimum(columns, plane_width - 1)


def sample_plane(file: Path, image: PlaneImage, frame: Frame, resolution: int) -> Samples:
    """The values of a plane's file at the cells of a grid over the frame of its image.

    Read with the limits of `decoding`; colours are never converted.

    :raises ImageProblem: if the file is missing, damaged or too large, holds something else than
        labels, or has not the shape of its image.
    """
    with open_image_file(file) as stream, loaded_image(stream) as picture:
        if picture.mode not in _CHANNELS:
            raise ImageProblem(f"Its pixels ({picture.mode}) are no labels.")
        _check_shape(picture.size, image)
        rows, columns = grid_pixels(frame, resolution, image.width, image.height, *picture.size)
        values = _pixels(picture, rows, columns).astype(np.int64)
        palette = _palette(picture) if picture.mode == "P" else None
        return Samples(values.reshape(resolution, resolution, -1), picture.mode, palette)


def _check_shape(size: tuple[int, int], image: PlaneImage) -> None:
    """A plane may be of another size than its image, but not of another shape: then it belongs to
    another image, or to one that is turned or cut otherwise. A pixel is left for rounding."""
    width, height = size
    excess = abs(width * image.height - height * image.width)
    if excess > max(image.width, image.height):
        raise ImageProblem(
            f"It has {width} × {height} pixels, which is not the shape of its image"
            f" ({image.width} × {image.height})."
        )


def _pixels(picture: Image.Image, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    if picture.width * picture.height <= _WHOLE_PIXELS:
        return np.asarray(picture)[rows[:, None], columns]
    strips = [np.asarray(picture.crop((0, y, picture.width, y + 1))) for y in rows.tolist()]
    return np.stack([strip[0, columns] for strip in strips])


def _palette(picture: Image.Image) -> np.ndarray:
    colours = np.zeros((256, 3), dtype=np.int64)
    listed = np.array(picture.getpalette("RGB") or [], dtype=np.int64).reshape(-1, 3)[:256]
    colours[: len(listed)] = listed
    return colours
