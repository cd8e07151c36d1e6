"""Images with known content, made for one test."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Picture = Callable[..., Image.Image]


@pytest.fixture(scope="session")
def picture() -> Picture:
    """`picture(width, height, seed)`: smooth colours, so that lossy formats keep them."""

    def make(width: int = 48, height: int = 32, seed: int = 0) -> Image.Image:
        corners = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
        return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)

    return make


@pytest.fixture(scope="session")
def png_header() -> Callable[..., bytes]:
    """`png_header(width, height)`: a PNG file that ends after its header."""

    def make(width: int, height: int, bits: int = 8, colour_type: int = 2) -> bytes:
        fields = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
        check = struct.pack(">I", zlib.crc32(b"IHDR" + fields))
        return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + fields + check

    return make


@pytest.fixture
def class_folders(tmp_path: Path, picture: Picture) -> Path:
    """Two classes of three photographs in three formats."""
    root = tmp_path / "set"
    for number, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for position, suffix in enumerate((".jpg", ".png", ".webp")):
            image = picture(seed=10 * number + position)
            image.save(root / name / f"{position}{suffix}")
    return root
