"""Images with a concept of our own making in a known place, so that there is a ground truth.

As the published study makes its synthetic concepts: pixels of a concept (a labelled region of an
image, or a pattern) are pasted onto other images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.seeds import derive_seed
from analysis.semantics.pattern_names import PATTERNS, Pattern

_PERIODS = 4  # of a pattern over its side


@dataclass(frozen=True)
class ConceptPixels:
    """A concept's `pixels` (channels, rows, columns) and which of them belong to it, `mask`."""

    pixels: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class SyntheticImages:
    """`images` as given but for what was pasted; `masks` (n, height, width) bool, the truth.

    `present`: (n,) bool, which images carry the concept. `boxes`: (n, 4) first row, first column,
    rows, columns of what was pasted. `source`: (n,) number of the pixels. Images without the
    concept have boxes of zeros and source −1.
    """

    images: torch.Tensor
    masks: torch.Tensor
    present: torch.Tensor
    boxes: torch.Tensor
    source: torch.Tensor


def cut_region(image: torch.Tensor, region: torch.Tensor) -> ConceptPixels:
    """A concept's pixels from an image: the bounding box of a region of its label plane.

    :param image: (channels, height, width).
    :param region: (height, width) bool, as `plane == code`.
    :raises AuditError: the region is empty or of another size.
    """
    if image.ndim != 3 or region.shape != image.shape[1:]:
        raise AuditError(
            f"A region of shape {tuple(region.shape)} does not fit an image of shape"
            f" {tuple(image.shape)}."
        )
    inside = region.bool()
    if not bool(inside.any()):
        raise AuditError("The image has no pixel of this concept.", "Choose another image.")
    rows, columns = (inside.any(axis).nonzero()[:, 0] for axis in (1, 0))
    box = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    return ConceptPixels(image[(slice(None), *box)].clone(), inside[box].clone())


def pattern(
    kind: Pattern,
    side: int = 64,
    colours: tuple[Sequence[float], Sequence[float]] = ((0.9, 0.1, 0.1), (1.0, 1.0, 1.0)),
) -> ConceptPixels:
    """A disc of a pattern in two colours (values of 0…1): (3, side, side) float32.

    :raises AuditError: an unknown pattern, or a side below 8 pixels.
    """
    if kind not in PATTERNS:
        raise AuditError(f"Unknown pattern “{kind}”.", f"Choose one of {', '.join(PATTERNS)}.")
    if side < 8:
        raise AuditError("A pattern needs at least 8 pixels a side.")
    places = (torch.arange(side) + 0.5) / side
    y, x = torch.meshgrid(places, places, indexing="ij")
    radius = ((y - 0.5).square() + (x - 0.5).square()).sqrt()
    wave_x, wave_y = (torch.sin(2 * torch.pi * _PERIODS * axis) for axis in (x, y))
    first = {
        "stripes": wave_x > 0,
        "checks": (wave_x > 0) ^ (wave_y > 0),
        "rings": torch.sin(4 * torch.pi * _PERIODS * radius) > 0,
        "dots": wave_x * wave_y > 0.4,
    }[kind]
    one, two = (torch.tensor([*colour], dtype=torch.float32)[:, None, None] for colour in colours)
    return ConceptPixels(torch.where(first, one, two), radius <= 0.5)


def paste(
    images: torch.Tensor,
    concepts: Sequence[ConceptPixels],
    share: float = 1.0,
    size: tuple[float, float] = (0.25, 0.5),
    seed: int = 0,
) -> SyntheticImages:
    """Paste a concept's pixels at random places and sizes; the images given are not changed.

    Each image has draws of its own from the seed and its number, so that it comes out the same
    whatever images stand beside it.

    :param images: (n, channels, height, width), float or uint8; pixels must be on the same scale.
    :param concepts: one is chosen at random for each image.
    :param share: of the images that get the concept: exactly the nearest number, drawn at random.
    :param size: least and greatest longer side of what is pasted, as shares of the image's shorter.
    :raises AuditError: no image or concept, other channels, or shares outside 0…1.
    """
    _check(images, concepts, share, size)
    result = images.clone()
    n, _, height, width = images.shape
    masks = torch.zeros(n, height, width, dtype=torch.bool, device=images.device)
    boxes = torch.zeros(n, 4, dtype=torch.int64)
    source = torch.full((n,), -1, dtype=torch.int64)
    drawn = np.random.default_rng(derive_seed(seed, "images with the concept"))
    for number in sorted(drawn.permutation(n)[: round(share * n)].tolist()):
        random = np.random.default_rng(derive_seed(seed, "pasted", number))
        source[number] = int(random.integers(len(concepts)))
        side = random.uniform(*size) * min(height, width)
        pixels, mask = _resized(concepts[int(source[number])], side, (height, width))
        rows, columns = mask.shape
        top = int(random.integers(height - rows + 1))
        left = int(random.integers(width - columns + 1))
        span = (slice(top, top + rows), slice(left, left + columns))
        part = result[(number, slice(None), *span)]
        part.copy_(torch.where(mask.to(part.device), _typed(pixels, part), part))
        masks[(number, *span)] = mask.to(masks.device)
        boxes[number] = torch.tensor([top, left, rows, columns])
    return SyntheticImages(result, masks, source >= 0, boxes, source)


def _check(
    images: torch.Tensor,
    concepts: Sequence[ConceptPixels],
    share: float,
    size: tuple[float, float],
) -> None:
    if images.ndim != 4 or not images.numel() or not concepts:
        raise AuditError("Pasting needs images (n, channels, height, width) and a concept.")
    for one in concepts:
        if one.pixels.ndim != 3 or one.mask.shape != one.pixels.shape[1:]:
            raise AuditError("A concept's mask must have the size of its pixels.")
        if len(one.pixels) != images.shape[1] or not bool(one.mask.any()):
            raise AuditError("A concept must have the images' channels and at least one pixel.")
        if one.pixels.is_floating_point() != images.is_floating_point():
            raise AuditError(
                "The concept's pixels and the images are not on the same scale.",
                "Give both as whole numbers of 0…255, or both as floats.",
            )
    if not (0 <= share <= 1 and 0 < size[0] <= size[1] <= 1):
        raise AuditError("Shares of images and of their side lie between 0 and 1.")


def _resized(
    concept: ConceptPixels, side: float, most: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels bilinear and mask nearest, with the longer side of about `side` pixels."""
    rows, columns = concept.mask.shape
    scale = side / max(rows, columns)
    size = tuple(
        min(limit, max(1, round(length * scale)))
        for length, limit in zip((rows, columns), most, strict=True)
    )
    pixels = torch.nn.functional.interpolate(
        concept.pixels[None].float(), size=size, mode="bilinear", align_corners=False,
        antialias=scale < 1,
    )[0]  # fmt: skip
    mask = torch.nn.functional.interpolate(
        concept.mask[None, None].float(), size=size, mode="nearest-exact"
    )[0, 0].bool()
    # A thin region may vanish between the samples: then its whole box stands for it.
    return pixels, mask if bool(mask.any()) else torch.ones_like(mask)


def _typed(pixels: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if like.is_floating_point():
        return pixels.to(like)
    limits = torch.iinfo(like.dtype)
    return pixels.round().clamp(limits.min, limits.max).to(like)
