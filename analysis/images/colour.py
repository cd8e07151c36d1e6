"""Any Pillow image to 8-bit RGB, saying what is done with depth, transparency and inks."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

BACKGROUND = (255, 255, 255)
"""Transparent pixels lie on white, as browsers and picture viewers show them."""

_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLE_FORMAT = 258, 262, 339
_PROFILE_LIMIT = 4 * 1024 * 1024


class UnreadableColoursError(ValueError):
    """The pixel values cannot be shown as 8-bit colours; the message says why in plain words."""


def to_rgb(image: Image.Image) -> Image.Image:
    """An 8-bit RGB image of the same size.

    - 16-bit and 12-bit values are scaled to 8 bits over the whole range of their type, never
      clipped and never stretched to the image's own contrast; 32-bit integers within 0–65535 are
      read as 16-bit, others over the whole range of 32 bits.
    - Floating-point values are read as 0–1 or, if one is above 1, as 0–255.
    - Transparency is composited on `BACKGROUND`; palettes are looked up.
    - CMYK JPEG files hold inverted inks, as Adobe writes them and all viewers assume; Pillow has
      undone that already. CMYK and RGB images with an embedded profile other than sRGB are
      converted to sRGB by that profile, Lab by its definition; an unusable profile is passed
      over.

    :raises UnreadableColoursError: for floating-point values that fit neither range.
    """
    if image.mode.startswith("I"):
        image = _scaled_integers(image)
    elif image.mode == "F":
        image = _scaled_floats(image)
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _composited(image)
    managed = _by_profile(image)
    if managed is not None:
        return managed
    return image if image.mode == "RGB" else image.convert("RGB")


def _composited(image: Image.Image) -> Image.Image:
    mode = "LA" if image.mode == "La" else "RGBA"
    layer = image.convert(mode).convert("RGBA")
    canvas = Image.new("RGB", layer.size, BACKGROUND)
    colours = _by_profile(_with_profile(layer.convert("RGB"), image)) or layer.convert("RGB")
    canvas.paste(colours, mask=layer.getchannel("A"))
    return canvas


def _with_profile(image: Image.Image, source: Image.Image) -> Image.Image:
    profile = source.info.get("icc_profile")
    if profile:
        image.info["icc_profile"] = profile
    return image


def _tiff_tag(image: Image.Image, tag: int) -> int | None:
    value = getattr(image, "tag_v2", {}).get(tag)
    if isinstance(value, tuple):
        value = value[0] if value else None
    return value if isinstance(value, int) else None


def _scaled_integers(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    lowest, highest = _integer_range(image, values)
    scaled = (values.astype(np.float32) - lowest) * np.float32(255.0 / (highest - lowest))
    pixels = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    if _tiff_tag(image, _TIFF_PHOTOMETRIC) == 0:  # WhiteIsZero, which Pillow leaves for 16 bits
        pixels = 255 - pixels
    return Image.fromarray(pixels)


def _integer_range(image: Image.Image, values: np.ndarray) -> tuple[int, int]:
    bits = _tiff_tag(image, _TIFF_BITS)
    signed = _tiff_tag(image, _TIFF_SAMPLE_FORMAT) == 2
    if image.mode != "I":
        return 0, 4095 if bits == 12 else 65535
    if bits == 16 and signed:
        return -32768, 32767
    if values.size and values.min() >= 0 and values.max() <= 65535:
        return 0, 65535
    return -(2**31), 2**31 - 1


def _scaled_floats(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    lowest, highest = float(values.min()), float(values.max())
    # The comparison is false for not-a-number as well.
    if not (lowest >= 0 and highest <= 255):
        raise UnreadableColoursError(
            "Its floating-point values are neither within 0–1 nor within 0–255, "
            "so their brightness is not known."
        )
    factor = 255.0 if highest <= 1 else 1.0
    return Image.fromarray(np.rint(values * factor).astype(np.uint8))


def _by_profile(image: Image.Image) -> Image.Image | None:
    """The image in sRGB by its embedded profile; None where that changes nothing or fails."""
    if image.mode == "LAB":
        transform = _lab_to_srgb()
    elif image.mode in ("RGB", "CMYK"):
        transform = _transform_to_srgb(_profile(image), image.mode)
    else:
        return None
    if transform is None:
        return None
    try:
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, ValueError):
        return None


def _profile(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and len(profile) <= _PROFILE_LIMIT else b""


@lru_cache(maxsize=32)
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from an embedded profile; None for sRGB itself and for unusable profiles."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform | None:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB")


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
