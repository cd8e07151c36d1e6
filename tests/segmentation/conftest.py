"""Layouts and masks with known content, made for one test."""

from __future__ import annotations

import csv
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.images.frames import Frame
from analysis.segmentation.planes import PlaneImage

Rows = Sequence[Sequence[object]]


def write_csv(file: Path, rows: Rows) -> None:
    with open(file, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def encode(numbers: np.ndarray) -> Image.Image:
    """Broden's coding of numbers: R + 256 · G."""
    values = np.zeros((*numbers.shape, 3), dtype=np.uint8)
    values[..., 0], values[..., 1] = numbers % 256, numbers // 256
    return Image.fromarray(values)


class Layout:
    """A small Broden layout: two images of 8 × 8 pixels, three categories."""

    labels: Rows = (
        ("number", "name", "category", "frequency", "coverage", "syns"),
        (1, "cat", "object(2)", 2, 1.0, ""),
        (2, "food", "object(1);material(1)", 2, 1.0, ""),
        (3, "fur", "material(1)", 1, 1.0, ""),
        (300, "room", "scene(2)", 2, 1.0, ""),
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = folder / "images"
        (self.images / "pets").mkdir(parents=True)
        write_csv(folder / "label.csv", self.labels)
        self.first = np.zeros((8, 8), dtype=int)
        self.first[2:6, 2:6] = 1
        self.second = np.full((8, 8), 2)
        self.save("pets/a_object.png", self.first)
        self.save("pets/a_object2.png", self.second)
        self.save("pets/a_material.png", np.where(self.first == 1, 3, 2))
        for name in ("a", "b"):
            Image.new("RGB", (8, 8), (200, 30, 30)).save(self.images / "pets" / f"{name}.jpg")
        self.index(
            ("pets/a.jpg", "pets/a_object.png;pets/a_object2.png", "pets/a_material.png", "300"),
            ("pets/b.jpg", "", "", "300"),
        )

    def index(self, *rows: tuple[str, str, str, str]) -> None:
        header = ("image", "split", "ih", "iw", "sh", "sw", "color", "object", "material", "scene")
        full = [(r[0], "train", 8, 8, 8, 8, "", *r[1:]) for r in rows]
        write_csv(self.folder / "index.csv", [header, *full])

    def save(self, path: str, numbers: np.ndarray) -> None:
        encode(numbers).save(self.images / path)

    def image(self, path: str) -> PlaneImage:
        return PlaneImage(path, self.images / path, path.split("/")[0], 8, 8, "train")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "broden")


@pytest.fixture
def frame8() -> Frame:
    """The frame that is the whole image of 8 × 8 pixels."""
    return Frame(8, 8)


@pytest.fixture(scope="session")
def huge_png() -> Callable[[int, int], bytes]:
    """`huge_png(width, height)`: a PNG of that size that has hardly any pixels."""

    def make(width: int, height: int) -> bytes:
        fields = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        check = struct.pack(">I", zlib.crc32(b"IHDR" + fields))
        header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + fields + check
        return header + struct.pack(">I", 100_000) + b"IDAT" + b"\0" * 32

    return make
