"""Intersection over union of many masks at once: 64 pixels a word, or as products on a GPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

_WORD_BYTES = 8
_BLOCK_WORDS = 1 << 17  # of intersections held at once: what a core's own cache takes
_BLOCK_VALUES = 1 << 24  # pixels of masks held at once as floats


@dataclass(frozen=True)
class MaskSet:
    """Masks of k concepts on n images. `sizes`: (n, k) int64 pixels, on the CPU.

    On the CPU `words` (words, n, k) uint64 holds 64 pixels a word; on a GPU `pixels` (n, k, pixels)
    is as it came.
    """

    sizes: torch.Tensor
    words: np.ndarray | None
    pixels: torch.Tensor | None

    @property
    def concepts(self) -> int:
        """k."""
        return self.sizes.shape[1]


def pack_masks(masks: torch.Tensor) -> MaskSet:
    """Masks (n, k, rows, columns) bool, ready to be compared."""
    flat = masks.flatten(2)
    if flat.device.type != "cpu":
        return MaskSet(flat.sum(2).cpu(), None, flat)
    packed = np.packbits(flat.numpy(), axis=2)
    missing = -packed.shape[2] % _WORD_BYTES
    packed = np.pad(packed, ((0, 0), (0, 0), (0, missing)))
    words = np.ascontiguousarray(packed.view(np.uint64).transpose(2, 0, 1))
    sizes = torch.from_numpy(_bits(words).sum(axis=0, dtype=np.int64))
    return MaskSet(sizes, words, None)


def paired_iou(a: MaskSet, b: MaskSet, order: torch.Tensor | None = None) -> torch.Tensor:
    """IoU of every pair of concepts on each image, (n, ka, kb) float32 on the CPU.

    NaN where both masks are empty.

    :param order: (n,) image of `b` that each image of `a` is compared with; its own if None.
    """
    sizes = b.sizes if order is None else b.sizes[order]
    both = _intersections(a, b, order)
    union = a.sizes[:, :, None] + sizes[:, None, :] - both
    return torch.where(union > 0, both / union, torch.nan)


def _intersections(a: MaskSet, b: MaskSet, order: torch.Tensor | None) -> torch.Tensor:
    """(n, ka, kb) pixels."""
    if a.words is not None and b.words is not None:
        chosen = b.words if order is None else b.words[:, order.numpy()]
        return torch.from_numpy(_counted(a.words, chosen))
    assert a.pixels is not None
    assert b.pixels is not None
    other = b.pixels if order is None else b.pixels[order.to(b.pixels.device)]
    pixels = a.pixels.shape[2]
    step = max(1, _BLOCK_VALUES // ((a.concepts + b.concepts) * pixels))
    parts = [
        x.float() @ y.float().mT
        for x, y in zip(a.pixels.split(step), other.split(step), strict=True)
    ]
    return torch.cat(parts).cpu().round().long()


def _counted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, ka, kb) int64 common bits of (words, n, ka) and (words, n, kb)."""
    words, n, concepts = a.shape
    result = np.empty((n, concepts, b.shape[2]), dtype=np.int64)
    step = max(1, _BLOCK_WORDS // (words * b.shape[2]))
    for start in range(0, n, step):
        span = slice(start, start + step)
        for concept in range(concepts):
            common = a[:, span, concept, None] & b[:, span]
            result[span, concept] = _bits(common).sum(axis=0, dtype=np.uint32)
    return result


def _bits(words: np.ndarray) -> np.ndarray:
    """How many bits of each word are set, uint8."""
    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(words)
    # NumPy before 2.0: the sums of the bits of ever longer parts of each word, side by side.
    pairs = words - ((words >> np.uint64(1)) & np.uint64(0x5555555555555555))
    low = np.uint64(0x3333333333333333)
    fours = (pairs & low) + ((pairs >> np.uint64(2)) & low)
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return ((eights * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
