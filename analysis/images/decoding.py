"""Opening one image file safely: upright 8-bit RGB pixels, or the reason why not in plain words."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from analysis.errors import AuditError
from analysis.images import formats
from analysis.images.colour import UnreadableColoursError, to_rgb

MAX_PIXELS = 200_000_000
"""Images with more pixels are refused from their header, before any memory is taken."""

MAX_FILE_BYTES = 2 * 1024**3
"""Larger files are refused unread: no image of `MAX_PIXELS` needs more."""

# Pillow refuses above twice this number, while it reads the header; below that it only warns, and
# images up to MAX_PIXELS are fine here.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Oddities that Pillow reads past (damaged EXIF) are no news to a practitioner.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_HEAVY_PIXELS = 30_000_000
_heavy_decode = threading.Lock()

_IN_MEMORY_BYTES = 64 * 1024**2
_HASH_BLOCK = 4 * 1024**2
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageProblem(AuditError):  # noqa: N818
    """An image that is damaged, too large or not supported; `summary` is the reason."""


def decode_image(path: Path, at_least: int | None = None) -> Image.Image:
    """The upright image as 8-bit RGB (conversions: see `colour.to_rgb`); of several frames the
    first.

    :param at_least: allow a JPEG to be decoded smaller (by 1/2, 1/4 or 1/8, in the transform's
        own domain), as long as its shorter side keeps this many pixels. None: full size.
    :raises ImageProblem: if the file is missing, empty, damaged, too large or not an image.
    """
    with open_image_file(path) as file:
        return decode_stream(file, at_least)


def decode_stream(file: BinaryIO, at_least: int | None = None) -> Image.Image:
    """`decode_image` for a file that is open already."""
    with loaded_image(file, at_least) as image:
        orientation = _orientation(image)
        pixels = _colours(image)
    if orientation in _UPRIGHT:
        pixels = pixels.transpose(_UPRIGHT[orientation])
    elif pixels is image:
        pixels = pixels.copy()
    # What the file says about itself (orientation, profile) no longer holds for these pixels.
    pixels.info = {}
    return pixels


def inspect_image(path: Path, check: Callable[[], None] | None = None) -> tuple[int, int, str, int]:
    """Read a file once: (upright width, upright height, sha256 of the file, its size in bytes).

    The whole image is decoded to be sure that it is whole (a JPEG at 1/8, which still reads all of
    its data).

    :param check: called between blocks of a large file; may raise to stop.
    :raises ImageProblem: as `decode_image`.
    """
    with open_image_file(path) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes <= _IN_MEMORY_BYTES:
            data = _read(file)
            digest = hashlib.sha256(data).hexdigest()
            return *_verify(io.BytesIO(data)), digest, len(data)
        width, height = _verify(file)
        file.seek(0)
        return width, height, _digest(file, check), size_bytes


def hash_file(path: Path, check: Callable[[], None] | None = None) -> str:
    """The sha256 of a file's bytes, in hexadecimal: the identity of an image wherever it lies.

    :param check: called between blocks; may raise to stop.
    :raises ImageProblem: if the file cannot be read.
    """
    with open_image_file(path) as file:
        return _digest(file, check)


def thumbnail(image: Image.Image, longest_side: int = 384) -> tuple[bytes, int, int]:
    """A small copy for the screen as WebP: (file content, width, height). Never enlarged."""
    scale = min(1.0, longest_side / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image if image.mode == "RGB" else image.convert("RGB")
    if small.size != (width, height):
        small = small.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=82, method=2)
    return buffer.getvalue(), width, height


def _verify(file: BinaryIO) -> tuple[int, int]:
    """The upright size of an image, once all of it has been decoded."""
    with _opened(file) as image:
        width, height = image.size
        _load(image, at_least=1)
        # Of TIFF alone Pillow's header gives the upright size. EXIF may follow the pixels (PNG).
        turned = image.format != "TIFF" and _orientation(image) >= 5
        if image.mode == "F":  # the one kind of pixels that may have no colours
            _colours(image)
    return (height, width) if turned else (width, height)


@contextlib.contextmanager
def loaded_image(file: BinaryIO, at_least: int | None = None) -> Iterator[Image.Image]:
    """The pixels of an open file as they are in it: neither turned upright nor converted.

    :param at_least: as for `decode_image`.
    :raises ImageProblem: if the file is damaged, too large or not an image.
    """
    with _opened(file) as image:
        _load(image, at_least)
        yield image


@contextlib.contextmanager
def _opened(file: BinaryIO) -> Iterator[Image.Image]:
    """Pillow's image of an open file: the header is read and its size is within bounds.

    Damaged files raise exceptions of many kinds within Pillow, all of which mean the same here.
    """
    try:
        image = Image.open(file, formats=formats.READ_FORMATS)
    except MemoryError:
        raise ImageProblem("There is not enough memory to open this image.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageProblem(_too_large(str(error))) from error
    except Exception as error:
        raise ImageProblem(_why_not_opened(file, error)) from error
    if image.width * image.height > MAX_PIXELS:
        raise ImageProblem(_too_large(f"({image.width * image.height} pixels)"))
    heavy = image.width * image.height > _HEAVY_PIXELS
    # One huge image at a time, so that the peak of memory does not grow with the threads.
    with _heavy_decode if heavy else contextlib.nullcontext(), image:
        yield image


def _load(image: Image.Image, at_least: int | None) -> None:
    try:
        if at_least is not None:
            image.draft(None, (at_least, at_least))  # type: ignore[arg-type]
        image.load()
    except MemoryError:
        raise ImageProblem("There is not enough memory to decode this image.") from None
    except Exception as error:
        raise ImageProblem(_why_not_decoded(image, error)) from error


def _colours(image: Image.Image) -> Image.Image:
    try:
        return to_rgb(image)
    except UnreadableColoursError as error:
        raise ImageProblem(str(error)) from error
    except MemoryError:
        raise ImageProblem("There is not enough memory to decode this image.") from None
    except ValueError as error:  # a conversion that Pillow does not know
        raise ImageProblem(f"Its colours ({image.mode}) are not supported.") from error


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1–8; 1 (upright) where there is none or it cannot be read."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # Pillow raises many kinds for damaged EXIF; the pixels are still good
        return 1
    return value if value in range(1, 9) else 1


@contextlib.contextmanager
def open_image_file(path: Path) -> Iterator[BinaryIO]:
    """A file that may hold an image, open for reading.

    :raises ImageProblem: if it is missing, empty, too large, or no regular file.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageProblem("This is a folder, not an image.")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise ImageProblem("This is not a regular file.")
        if status.st_size == 0:
            raise ImageProblem("The file is empty (0 bytes).")
        if status.st_size > MAX_FILE_BYTES:
            raise ImageProblem(
                f"The file has {status.st_size / 1024**3:.1f} GiB; at most "
                f"{MAX_FILE_BYTES // 1024**3} GiB are read."
            )
        file = open(path, "rb")  # noqa: SIM115  (closed below; opening has errors of its own)
    except (OSError, ValueError) as error:
        raise ImageProblem(why_not_read(error)) from error
    with file:
        yield file


def why_not_read(error: BaseException) -> str:
    """Why a file or folder could not be opened, in plain words."""
    if isinstance(error, FileNotFoundError):
        return "The file is not there."
    if isinstance(error, PermissionError):
        return "There is no permission to read it."
    if isinstance(error, OSError):
        return f"The system cannot read it: {error.strerror or error}."
    return "The system cannot open a file of this name."


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise ImageProblem(why_not_read(error)) from error


def _digest(file: BinaryIO, check: Callable[[], None] | None) -> str:
    digest = hashlib.sha256()
    try:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
            if check is not None:
                check()
    except OSError as error:
        raise ImageProblem(why_not_read(error)) from error
    return digest.hexdigest()


def _too_large(message: str) -> str:
    found = re.search(r"\((\d+) pixels\)", message)
    amount = f"{int(found[1]) / 1e6:,.0f} million pixels" if found else "too many pixels"
    return f"The image has {amount}; at most {MAX_PIXELS // 1_000_000} million are read."


def _why_not_opened(file: BinaryIO, error: Exception) -> str:
    # An UnidentifiedImageError is an OSError too, but without an errno of the system.
    if isinstance(error, OSError) and error.errno is not None:
        return why_not_read(error)
    try:
        file.seek(0)
        head = file.read(formats.HEAD_BYTES)
    except OSError as unreadable:
        return why_not_read(unreadable)
    return formats.describe_content(head)


def _why_not_decoded(image: Image.Image, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return why_not_read(error)
    if isinstance(error, EOFError) or "truncated" in str(error):
        return "The file is cut short: part of the image is missing."
    return f"This {image.format} image is damaged and cannot be decoded."
