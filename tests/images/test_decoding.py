"""Every format and kind of pixels becomes upright 8-bit RGB with the right colours."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from analysis.images.decoding import (
    ImageProblem,
    decode_image,
    hash_file,
    inspect_image,
    thumbnail,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def difference(a: Image.Image, b: Image.Image) -> float:
    """The mean difference of two RGB images, in steps of 8 bits."""
    assert a.mode == b.mode == "RGB"
    assert a.size == b.size
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


@pytest.mark.parametrize(
    ("suffix", "tolerance", "options"),
    [
        (".jpg", 4, {"quality": 95}),
        (".jpeg", 4, {"progressive": True, "quality": 95}),
        (".png", 0, {}),
        (".webp", 0, {"lossless": True}),
        (".webp", 6, {"quality": 90}),
        (".tif", 0, {}),
        (".tiff", 0, {"compression": "tiff_lzw"}),
        (".tif", 0, {"compression": "tiff_adobe_deflate"}),
        (".bmp", 0, {}),
    ],
)
def test_formats(tmp_path: Path, picture, suffix, tolerance, options) -> None:
    path = tmp_path / f"picture{suffix}"
    picture().save(path, **options)
    assert difference(decode_image(path), picture()) <= tolerance
    assert inspect_image(path)[:2] == (48, 32)


def test_content_counts_not_the_suffix(tmp_path: Path, picture) -> None:
    path = tmp_path / "really_a_png.jpg"
    picture().save(path, "PNG")
    assert difference(decode_image(path), picture()) == 0


def test_greyscale(tmp_path: Path, picture) -> None:
    grey = picture().convert("L")
    grey.save(tmp_path / "grey.png")
    assert difference(decode_image(tmp_path / "grey.png"), grey.convert("RGB")) == 0
    grey.save(tmp_path / "grey.jpg", quality=95)
    assert difference(decode_image(tmp_path / "grey.jpg"), grey.convert("RGB")) < 3


def test_one_bit(tmp_path: Path) -> None:
    black_and_white = Image.fromarray(np.eye(16, dtype=bool))
    black_and_white.save(tmp_path / "bits.png")
    values = np.asarray(decode_image(tmp_path / "bits.png"))
    assert (values[..., 0] == 255 * np.eye(16)).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 64 * 4).reshape(4, 64).astype(np.uint16)
    path = tmp_path / f"deep{suffix}"
    Image.fromarray(ramp).save(path)
    values = np.asarray(decode_image(path)).astype(int)
    assert np.abs(values - np.rint(ramp / 257.0)[..., None]).max() <= 1
    assert (values.min(), values.max()) == (0, 255)


def test_dark_sixteen_bits_stay_dark(tmp_path: Path) -> None:
    """The scale is that of the type, not the contrast of this one image."""
    Image.fromarray(np.full((8, 8), 2570, np.uint16)).save(tmp_path / "dark.png")
    assert np.asarray(decode_image(tmp_path / "dark.png")).max() == 10


def test_sixteen_bit_colours(tmp_path: Path, png_header) -> None:
    values = np.linspace(0, 65535, 8 * 8 * 3).reshape(8, 8, 3).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    data = zlib.compress(rows)
    chunk = struct.pack(">I", len(data)) + b"IDAT" + data
    chunk += struct.pack(">I", zlib.crc32(b"IDAT" + data))
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    (tmp_path / "deep.png").write_bytes(png_header(8, 8, bits=16) + chunk + end)
    read = np.asarray(decode_image(tmp_path / "deep.png")).astype(int)
    assert np.abs(read - values / 257.0).max() <= 1


def test_signed_and_wide_integers(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.int32)
    Image.fromarray(ramp).save(tmp_path / "wide.tif")
    values = np.asarray(decode_image(tmp_path / "wide.tif"))[..., 0].astype(int)
    assert np.abs(values - np.rint(ramp / 257.0)).max() == 0
    Image.fromarray(np.array([[-(2**31), 2**31 - 1]], np.int32)).save(tmp_path / "full.tif")
    assert np.asarray(decode_image(tmp_path / "full.tif"))[0, :, 0].tolist() == [0, 255]


def tiff(pixels: bytes, width: int, bits: int, photometric: int = 1, sample: int = 1) -> bytes:
    """An uncompressed TIFF of one row, for kinds of pixels that Pillow does not write."""
    start = 8 + 2 + 10 * 12 + 4
    values = (width, 1, bits, 1, photometric, start, 1, 1, len(pixels), sample)
    tags = (256, 257, 258, 259, 262, 273, 277, 278, 279, 339)
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value)
        for tag, value in zip(tags, values, strict=True)
    )
    return b"II*\0" + struct.pack("<IH", 8, 10) + entries + bytes(4) + pixels


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (tiff(bytes([0x00, 0x0F, 0xFF, 0x80, 0x80, 0x00]), 4, bits=12), [0, 255, 128, 0]),
        (tiff(struct.pack("<3H", 0, 32896, 65535), 3, 16), [0, 128, 255]),
        (tiff(struct.pack("<3H", 0, 32896, 65535), 3, 16, photometric=0), [255, 127, 0]),
        (tiff(struct.pack("<3h", -32768, 128, 32767), 3, 16, sample=2), [0, 128, 255]),
    ],
    ids=["12 bits", "16 bits", "16 bits, white is zero", "16 bits, signed"],
)
def test_rare_greys_of_tiff(tmp_path: Path, content: bytes, expected: list[int]) -> None:
    path = tmp_path / "rare.tif"
    path.write_bytes(content)
    assert np.asarray(decode_image(path))[0, :, 0].tolist() == expected
    assert inspect_image(path)[:2] == (len(expected), 1)


def test_several_pictures_in_one_jpeg(tmp_path: Path, picture) -> None:
    """Telephones write them (MPO): the first is the photograph."""
    path = tmp_path / "telephone.jpg"
    picture(seed=1).save(path, "MPO", save_all=True, append_images=[picture(seed=2)], quality=95)
    assert difference(decode_image(path), picture(seed=1)) < 4
    assert inspect_image(path)[:2] == (48, 32)


def test_floats_in_a_known_range(tmp_path: Path) -> None:
    unit = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    for name, values in (("unit.tif", unit), ("bytes.tif", unit * 255)):
        Image.fromarray(values).save(tmp_path / name)
        read = np.asarray(decode_image(tmp_path / name))[..., 0].astype(int)
        assert np.abs(read - np.rint(unit * 255)).max() <= 1


@pytest.mark.parametrize("value", [-1.0, 1000.0, float("nan"), float("inf")])
def test_floats_without_a_known_range_are_refused(tmp_path: Path, value: float) -> None:
    Image.fromarray(np.array([[0.0, value]], np.float32)).save(tmp_path / "float.tif")
    for read in (decode_image, inspect_image):
        with pytest.raises(ImageProblem, match="brightness is not known"):
            read(tmp_path / "float.tif")


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_transparency_lies_on_white(tmp_path: Path, suffix: str) -> None:
    layer = Image.new("RGBA", (3, 1))
    layer.putdata([(200, 0, 0, 255), (200, 0, 0, 0), (200, 0, 0, 128)])
    path = tmp_path / f"layer{suffix}"
    layer.save(path, **({"lossless": True} if suffix == ".webp" else {}))
    opaque, clear, half = np.asarray(decode_image(path))[0].astype(int).tolist()
    assert opaque == [200, 0, 0]
    assert clear == [255, 255, 255]
    assert np.abs(np.array(half) - [227, 127, 127]).max() <= 1


def test_grey_with_transparency(tmp_path: Path) -> None:
    layer = Image.new("LA", (2, 1))
    layer.putdata([(40, 255), (40, 0)])
    layer.save(tmp_path / "layer.png")
    assert np.asarray(decode_image(tmp_path / "layer.png"))[0, :, 0].tolist() == [40, 255]


def test_transparent_colour_of_an_image_without_alpha(tmp_path: Path) -> None:
    image = Image.new("RGB", (2, 1), (9, 9, 9))
    image.putpixel((1, 0), (1, 2, 3))
    image.save(tmp_path / "key.png", transparency=(9, 9, 9))
    pixels = np.asarray(decode_image(tmp_path / "key.png"))[0].tolist()
    assert pixels == [[255, 255, 255], [1, 2, 3]]


def test_palette(tmp_path: Path, picture) -> None:
    palette = picture().quantize(16)
    palette.save(tmp_path / "palette.png")
    assert difference(decode_image(tmp_path / "palette.png"), palette.convert("RGB")) == 0


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    image.save(tmp_path / "palette.png", transparency=0)
    pixels = np.asarray(decode_image(tmp_path / "palette.png"))[0].tolist()
    assert pixels == [[255, 255, 255], [40, 50, 60]]


def test_cmyk_as_adobe_writes_it(tmp_path: Path) -> None:
    """An orange of inks: inverted wrongly it would be a dark blue."""
    path = tmp_path / "inks.jpg"
    Image.new("CMYK", (16, 16), (0, 102, 255, 25)).save(path, quality=98)
    assert b"Adobe" in path.read_bytes()
    colour = np.asarray(decode_image(path)).reshape(-1, 3).mean(axis=0)
    assert np.abs(colour - [230, 138, 0]).max() < 6


def test_cmyk_tiff(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4), (0, 102, 255, 25)).save(tmp_path / "inks.tif")
    colour = np.asarray(decode_image(tmp_path / "inks.tif"))[0, 0]
    assert np.abs(colour.astype(int) - [230, 138, 0]).max() <= 2


def test_lab_tiff(tmp_path: Path) -> None:
    # L = 100 %, a = b = 0 is white, whatever the viewer.
    Image.new("LAB", (4, 4), (255, 128, 128)).save(tmp_path / "lab.tif")
    assert np.asarray(decode_image(tmp_path / "lab.tif")).min() > 245


def swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    assert swapped != profile
    return swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_profile_is_followed(tmp_path: Path, mode: str) -> None:
    red = Image.new("RGB", (4, 4), (255, 0, 0)).convert(mode)
    red.save(tmp_path / "profile.png", icc_profile=swapped_profile())
    assert (
        np.abs(np.asarray(decode_image(tmp_path / "profile.png"))[0, 0] - [0.0, 0, 255]).max() < 4
    )


@pytest.mark.parametrize("profile", [b"no profile", None])
def test_srgb_and_damaged_profiles_change_nothing(tmp_path: Path, picture, profile) -> None:
    if profile is None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture().save(tmp_path / "profile.png", icc_profile=profile)
    assert difference(decode_image(tmp_path / "profile.png"), picture()) == 0


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    """The stored pixels are turned so that the upright image has its red corner top left."""
    upright = Image.new("RGB", (32, 16), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, 16, 8))
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    stored.save(path, exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
    assert difference(decode_image(path), upright) < 8
    assert inspect_image(path)[:2] == (32, 16)


def test_damaged_exif_is_no_obstacle(tmp_path: Path, picture) -> None:
    path = tmp_path / "exif.jpg"
    picture().save(path, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\x12" * 40, quality=95)
    assert decode_image(path).size == (48, 32)


def test_first_frame_of_several(tmp_path: Path, picture) -> None:
    pages = [picture(seed=1), picture(seed=2)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    assert difference(decode_image(tmp_path / "pages.tif"), pages[0]) == 0
    pages[0].save(tmp_path / "film.webp", save_all=True, append_images=pages[1:], lossless=True)
    assert difference(decode_image(tmp_path / "film.webp"), pages[0]) == 0


def test_smaller_decoding_keeps_the_shorter_side(tmp_path: Path, picture) -> None:
    path = tmp_path / "large.jpg"
    picture(800, 600).save(path, quality=95)
    small = decode_image(path, at_least=140)
    assert small.size == (200, 150)
    assert difference(small, picture(800, 600).resize((200, 150), Image.Resampling.BOX)) < 3
    assert decode_image(path, at_least=601).size == (800, 600)
    assert inspect_image(path)[:2] == (800, 600)


def test_hash_is_that_of_the_file(tmp_path: Path, picture) -> None:
    path = tmp_path / "picture.png"
    picture().save(path)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert hash_file(path) == expected
    assert inspect_image(path)[2:] == (expected, path.stat().st_size)


def test_large_files_are_hashed_in_blocks(tmp_path: Path, picture, monkeypatch) -> None:
    monkeypatch.setattr("analysis.images.decoding._IN_MEMORY_BYTES", 100)
    monkeypatch.setattr("analysis.images.decoding._HASH_BLOCK", 64)
    path = tmp_path / "picture.png"
    picture().save(path)
    checks: list[None] = []
    digest = inspect_image(path, lambda: checks.append(None))[2]
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(checks) == -(-path.stat().st_size // 64)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((800, 600), (384, 288)), ((30, 20), (30, 20)), ((5, 4000), (1, 384)), ((384, 1), (384, 1))],
)
def test_thumbnail(picture, size, expected) -> None:
    data, width, height = thumbnail(picture(*size))
    with Image.open(io.BytesIO(data)) as small:
        assert small.format == "WEBP"
        assert small.size == (width, height) == expected
    assert len(data) < 40_000


def test_thumbnail_shows_the_image(picture) -> None:
    data, width, height = thumbnail(picture(800, 600), longest_side=100)
    small = Image.open(io.BytesIO(data)).convert("RGB")
    assert difference(small, picture(800, 600).resize((width, height))) < 6
