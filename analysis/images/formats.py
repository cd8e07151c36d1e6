"""Which files are images, which are not, and how to say so in plain words."""

from __future__ import annotations

import os

READ_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
"""Pillow's names of the formats that are read; nothing else of Pillow is ever tried on a file."""

READ_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".dib"],
)

_UNREAD = {
    ".gif": "GIF",
    ".heic": "HEIC",
    ".heif": "HEIF",
    ".avif": "AVIF",
    ".jp2": "JPEG 2000",
    ".jxl": "JPEG XL",
    ".svg": "SVG",
    ".psd": "Photoshop",
    ".exr": "OpenEXR",
    ".tga": "TGA",
    ".ppm": "PPM",
    ".pgm": "PGM",
    ".dng": "camera raw",
    ".cr2": "camera raw",
    ".cr3": "camera raw",
    ".nef": "camera raw",
    ".arw": "camera raw",
}

_READ_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"BM", "BMP"),
)

_OTHER_MAGIC = (
    (b"GIF8", "GIF images are not read"),
    (b"8BPS", "Photoshop images are not read"),
    (b"%PDF", "This is a PDF document, not an image"),
    (b"PK\x03\x04", "This is a zip archive, not an image"),
    (b"version https://git-lfs", "This is a Git LFS pointer: the image was never downloaded"),
)

_HEIF_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"}

HEAD_BYTES = 512
"""How much of a file's beginning `describe_content` wants to see."""

_SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"})


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name belongs to the system and is passed over quietly."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def suffix_of(name: str) -> str:
    """The lower-case suffix of a file name, as `.jpg`; empty without one."""
    return os.path.splitext(name)[1].lower()


def has_image_suffix(name: str) -> bool:
    """Whether a file is called an image, of a format that is read or of one that is not."""
    suffix = suffix_of(name)
    return suffix in READ_SUFFIXES or suffix in _UNREAD


def unread_format(name: str) -> str | None:
    """The plain name of a known image format that is not read (`HEIC`), by file name."""
    return _UNREAD.get(suffix_of(name))


def unread_reason(name: str) -> str:
    """Why an image in a format that is not read was left out."""
    return f"{unread_format(name)} images are not read; convert it to JPEG or PNG."


def read_format(head: bytes) -> str | None:
    """The format that the first bytes of a file announce, if it is one that is read."""
    for magic, name in _READ_MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return None


def describe_content(head: bytes) -> str:
    """What a file that could not be opened as an image is, from its first bytes."""
    known = read_format(head)
    if known is not None:
        return f"This {known} image is damaged: its header cannot be read."
    for magic, sentence in _OTHER_MAGIC:
        if head.startswith(magic):
            return f"{sentence}."
    if head[4:8] == b"ftyp":
        name = _HEIF_BRANDS.get(head[8:12], "HEIC")
        return f"{name} images are not read; convert it to JPEG or PNG."
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "This is a web page, not an image."
    if _looks_like_text(head):
        return "This is a text file, not an image."
    return "This is not an image: its content is not JPEG, PNG, WebP, TIFF or BMP."


def _looks_like_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut in two by the end of what was read is still text.
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(letter.isprintable() or letter in "\t\r\n\f" for letter in text)
