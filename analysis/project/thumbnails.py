"""Small pictures inside the project, so that results can be looked at without the images."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from analysis.errors import AuditError

# A 384 pixel WebP takes about 20 KiB; anything near this is not one of ours.
MAXIMUM_BYTES = 2 * 2**20
MAXIMUM_SIDE = 2048


@dataclass(frozen=True)
class Thumbnail:
    """An encoded picture; `data` is a whole WebP file, `width` and `height` are in pixels."""

    width: int
    height: int
    data: bytes


def write_thumbnails(
    connection: sqlite3.Connection, thumbnails: Iterable[tuple[int, int, int, bytes]]
) -> None:
    """Store (image id, width, height, WebP bytes) entries, replacing earlier ones."""
    connection.executemany(
        "INSERT INTO thumbnail (image, width, height, format, data)"
        " VALUES (?, ?, ?, 'webp', ?) ON CONFLICT (image) DO UPDATE SET"
        " width = excluded.width, height = excluded.height, data = excluded.data",
        (_checked(*thumbnail) for thumbnail in thumbnails),
    )


def read_thumbnail(connection: sqlite3.Connection, image: int) -> Thumbnail | None:
    """The thumbnail of an image; None: there is none, or what is there is no small WebP."""
    row = connection.execute(
        "SELECT width, height, data FROM thumbnail WHERE image = ? AND format = 'webp'"
        " AND length(data) <= ?",
        (image, MAXIMUM_BYTES),
    ).fetchone()
    if row is None or not _is_small_webp(*row):
        return None
    return Thumbnail(*row)


def _checked(image: int, width: int, height: int, data: bytes) -> tuple[int, int, int, bytes]:
    if len(data) > MAXIMUM_BYTES or not _is_small_webp(width, height, data):
        raise AuditError(f"The thumbnail of image {image} is no small WebP picture.")
    return image, width, height, data


def _is_small_webp(width: int, height: int, data: bytes) -> bool:
    is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return is_webp and 0 < width <= MAXIMUM_SIDE and 0 < height <= MAXIMUM_SIDE
