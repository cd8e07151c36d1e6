"""Maps that know nothing of the model: what any method must beat."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from analysis.models.preprocessing import Preprocessing
from analysis.seeds import derive_seed

EDGE_SIDE = 56
"""Edges are kept on at most so many rows and columns."""

_LUMINANCE = (0.299, 0.587, 0.114)  # of red, green, blue (ITU-R BT.601)


def image_keys(batch: torch.Tensor) -> tuple[str, ...]:
    """A key of each image's content: the same image has the same random map in any batch."""
    rows = batch.detach().to("cpu", torch.float32).contiguous().numpy()
    return tuple(hashlib.sha256(np.ascontiguousarray(row).tobytes()).hexdigest() for row in rows)


def random_maps(keys: Sequence[str], grid: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """Uniform in 0…1, from each image's key and the seed: (n, rows, columns) float32."""
    rows = [
        np.random.default_rng(derive_seed(seed, "random map", key)).random(grid) for key in keys
    ]
    return torch.from_numpy(np.asarray(rows, dtype=np.float32).reshape(len(keys), *grid))


def centre_maps(images: int, grid: tuple[int, int]) -> torch.Tensor:
    """A Gaussian on the centre, σ a quarter of each side: (n, rows, columns) float32."""
    axes = [((torch.arange(side) + 0.5) / side - 0.5) / 0.25 for side in grid]
    gaussian = torch.exp(-(axes[0][:, None].square() + axes[1].square()) / 2)
    return gaussian.expand(images, *grid).clone()


def edge_maps(batch: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Sobel's gradient of the images' luminance, averaged onto at most 56 rows and columns.

    :param batch: model inputs; the preprocessing is undone, so that no channel counts too much.
    """
    mean = torch.tensor(preprocessing.mean).to(batch).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std).to(batch).view(1, 3, 1, 1)
    pixels = (batch.float() * std + mean) * (preprocessing.scale / 255)
    if preprocessing.channel_order == "BGR":
        pixels = pixels.flip(1)
    luminance = torch.einsum("nchw,c->nhw", pixels, torch.tensor(_LUMINANCE).to(pixels))[:, None]
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]).to(pixels)
    kernels = torch.stack([across, across.T])[:, None]
    padded = functional.pad(luminance, (1, 1, 1, 1), mode="replicate")
    gradient = functional.conv2d(padded, kernels).square().sum(1, keepdim=True).sqrt()
    height, width = gradient.shape[-2:]
    size = (min(height, EDGE_SIDE), min(width, EDGE_SIDE))
    return functional.adaptive_avg_pool2d(gradient, size)[:, 0].contiguous()
