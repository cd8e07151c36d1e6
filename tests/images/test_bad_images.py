"""Files that are no good images: refused with a reason that a practitioner understands."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from analysis.errors import AuditError
from analysis.images.decoding import MAX_PIXELS, ImageProblem, decode_image, inspect_image

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

NO_PIXELS = struct.pack(">I", 1000) + b"IDAT"
"""The beginning of a PNG's pixels, and no pixel."""


def reason(path: Path) -> str:
    """Why a file is refused; decoding and scanning must agree."""
    with pytest.raises(ImageProblem) as decoding:
        decode_image(path)
    with pytest.raises(ImageProblem) as scanning:
        inspect_image(path)
    assert decoding.value.summary == scanning.value.summary
    return decoding.value.summary


def test_problem_is_an_audit_error() -> None:
    assert issubclass(ImageProblem, AuditError)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "The file is empty (0 bytes)."),
        (b"Just some words.\nAnd more, \xc3\xa9.", "This is a text file, not an image."),
        (b"<!DOCTYPE html><html>404</html>", "This is a web page, not an image."),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer"),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "GIF images are not read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "HEIC images are not read"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1", "AVIF images are not read"),
        (b"PK\x03\x04\x14\0", "zip archive"),
        (b"\x00\x01\x02\x03" * 100, "content is not JPEG, PNG, WebP, TIFF or BMP"),
        (b"\xff\xd8\xff\xe0", "This JPEG image is damaged: its header cannot be read."),
        (b"\x89PNG\r\n\x1a\n\0\0", "This PNG image is damaged: its header cannot be read."),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "This WebP image is damaged: its header cannot be read."),
        (b"II*\0\x08\0\0\0", "This TIFF image is damaged: its header cannot be read."),
        (b"BM\x00\x00", "This BMP image is damaged: its header cannot be read."),
    ],
)
def test_content_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "renamed.jpg"
    path.write_bytes(content)
    assert expected in reason(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated(tmp_path: Path, picture, suffix: str, share: float) -> None:
    path = tmp_path / f"cut{suffix}"
    picture(200, 150).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    text = reason(path)
    assert "cut short" in text or "damaged" in text


def test_truncated_progressive_jpeg(tmp_path: Path, picture) -> None:
    path = tmp_path / "cut.jpg"
    picture(200, 150).save(path, progressive=True)
    path.write_bytes(path.read_bytes()[:-200])
    assert reason(path) == "The file is cut short: part of the image is missing."


def test_damaged_png_data(tmp_path: Path, picture) -> None:
    path = tmp_path / "damaged.png"
    picture(200, 150).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    assert "damaged" in reason(path)


def test_huge_png_is_refused_from_its_header(tmp_path: Path, png_header) -> None:
    """There is nothing but a header: had pixels been asked for, the file would be cut short."""
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(30_000, 30_000) + NO_PIXELS)
    tracemalloc.start()
    try:
        text = reason(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert text == "The image has 900 million pixels; at most 200 million are read."


def test_limit_is_exact(tmp_path: Path, png_header) -> None:
    """One column too many is refused for its size, a modest image for what is missing."""
    path = tmp_path / "limit.png"
    path.write_bytes(png_header(MAX_PIXELS // 10_000 + 1, 10_000) + NO_PIXELS)
    assert "at most 200 million" in reason(path)
    path.write_bytes(png_header(1000, 1000) + NO_PIXELS)
    assert reason(path) == "The file is cut short: part of the image is missing."


def test_decompression_bomb(tmp_path: Path, png_header) -> None:
    """A small file of a billion black pixels."""
    compressor = zlib.compressobj(1)
    rows = bytes(32_000 // 8 + 1) * 100
    data = b"".join(compressor.compress(rows) for _ in range(320)) + compressor.flush()
    chunk = struct.pack(">I", len(data)) + b"IDAT" + data
    chunk += struct.pack(">I", zlib.crc32(b"IDAT" + data))
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(32_000, 32_000, bits=1, colour_type=0) + chunk)
    assert path.stat().st_size < 2_000_000
    assert "1,024 million pixels" in reason(path)


def test_text_bomb_in_a_png(tmp_path: Path, picture) -> None:
    path = tmp_path / "text.png"
    picture().save(path)
    body = b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk + data[33:])
    assert "damaged" in reason(path)


def test_file_of_many_gigabytes(tmp_path: Path, picture, monkeypatch) -> None:
    path = tmp_path / "large.png"
    picture().save(path)
    monkeypatch.setattr("analysis.images.decoding.MAX_FILE_BYTES", 100)
    assert "GiB are read" in reason(path)


def test_missing_and_folder(tmp_path: Path) -> None:
    assert reason(tmp_path / "nothing.jpg") == "The file is not there."
    (tmp_path / "folder.jpg").mkdir()
    assert reason(tmp_path / "folder.jpg") == "This is a folder, not an image."


def test_name_that_no_system_takes(tmp_path: Path) -> None:
    assert "name" in reason(tmp_path / "nul\0.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg") == "This is not a regular file."


@pytest.mark.skipif(
    sys.platform == "win32" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="permissions do not hold for this user",
)
def test_without_permission(tmp_path: Path, picture) -> None:
    picture().save(tmp_path / "secret.png")
    (tmp_path / "secret.png").chmod(0)
    assert reason(tmp_path / "secret.png") == "There is no permission to read it."


def test_not_enough_memory(tmp_path: Path, picture, monkeypatch) -> None:
    path = tmp_path / "picture.png"
    picture().save(path)

    def no_memory(self: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", no_memory)
    assert "not enough memory" in reason(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from([".jpg", ".png", ".webp", ".tif", ".bmp"]),
    position=st.floats(0, 1, exclude_max=True),
    noise=st.binary(min_size=1, max_size=30),
)
def test_damage_anywhere_raises_nothing_else(
    tmp_path: Path, picture, suffix: str, position: float, noise: bytes
) -> None:
    """Whatever bytes are overwritten: a good image or a problem, never another exception."""
    whole = tmp_path / f"whole{suffix}"
    if not whole.exists():
        picture().save(whole)
    data = bytearray(whole.read_bytes())
    start = int(position * len(data))
    data[start : start + len(noise)] = noise
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(ImageProblem):
        width, height, _, size = inspect_image(path)
        assert min(width, height) > 0
        assert size == len(data)
    with contextlib.suppress(ImageProblem):
        assert decode_image(path).mode == "RGB"
