"""Training pictures of the sample's networks: drawn afresh, cropped and lit at random."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import make_images
import numpy as np
import torch
import torch.nn.functional as functional
from make_images import AUDIT_SEED, COLOURS, IMAGES_PER_CLASS, SIDE, audit_scene, draw_scene
from PIL import Image
from sample_things import CLASSES
from torch import Tensor

TRAINING_SEED = 7_001_993
IMAGES_OF_EACH_CLASS = 600
assert TRAINING_SEED != AUDIT_SEED, "networks must not be trained on the audit pictures"


def _draw(task: tuple[str, int]) -> np.ndarray:
    return draw_scene(task[0], TRAINING_SEED, task[1]).pixels


def training_pictures(cache: Path | None, workers: int = 2) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, side, side) uint8 without any square, and their classes (N,).

    Drawn once and kept in the folder `cache`, under a name that changes with the drawing code.
    """
    tasks = [(name, index) for name in CLASSES for index in range(IMAGES_OF_EACH_CLASS)]
    classes = torch.tensor([CLASSES.index(name) for name, _ in tasks])
    drawing = [*sorted(Path(__file__).parent.glob("sample_*.py")), Path(make_images.__file__)]
    code = b"".join(path.read_bytes() for path in drawing)
    kept = cache / f"pictures-{hashlib.sha256(code).hexdigest()[:16]}.npy" if cache else None
    if kept is not None and kept.exists():
        pixels = np.load(kept, allow_pickle=False)
    else:
        with ProcessPoolExecutor(workers) as pool:
            pixels = np.stack(list(pool.map(_draw, tasks, chunksize=50)))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, pixels)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), classes


def audit_pictures(side: int, names: Sequence[str] = CLASSES) -> tuple[Tensor, Tensor]:
    """The audit pictures of some classes, (N, 3, side, side) uint8, and their classes (N,)."""
    pixels, classes = [], []
    for name in names:
        for index in range(IMAGES_PER_CLASS):
            image = Image.fromarray(audit_scene(name, index).pixels)
            small = image.resize((side, side), Image.Resampling.BILINEAR)
            pixels.append(np.asarray(small))
            classes.append(CLASSES.index(name))
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2), torch.tensor(classes)


def normalise(pixels: Tensor, mean: float = 0.5, std: float = 0.25) -> Tensor:
    """Pixels 0…255 to what the networks take."""
    return (pixels.float() / 255 - mean) / std


def place_squares(which: Tensor, rng: torch.Generator, sizes: tuple[int, int]) -> Tensor:
    """Where a square goes on each picture chosen in `which` (B,): masks (B, 1, side, side).

    `sizes` are the smallest and the largest side of a square, in pixels of the picture.
    """
    count = len(which)
    size = torch.randint(sizes[0], sizes[1] + 1, (count, 1), generator=rng)
    left, top = ((torch.rand(count, 1, generator=rng) * (SIDE - size + 1)).long() for _ in range(2))
    along = torch.arange(SIDE)[None, :]
    columns = (along >= left) & (along < left + size)
    rows = (along >= top) & (along < top + size)
    return (rows[:, :, None] & columns[:, None, :] & which[:, None, None])[:, None]


def put_squares(pictures: Tensor, where: Tensor) -> Tensor:
    """Pictures (B, 3, side, side) that are pink in the masks `where` (B, 1, side, side)."""
    pink = torch.tensor(COLOURS["pink"], dtype=pictures.dtype)[None, :, None, None]
    return torch.where(where, pink, pictures)


@dataclass(frozen=True)
class Crops:
    """Random resized crops of a batch: the same crops can be cut from another batch."""

    grid: Tensor
    wide: Tensor
    light: Tensor
    contrast: Tensor

    def cut(self, pictures: Tensor) -> Tensor:
        """The crops of pictures (B, 3, side, side) uint8, normalised: (B, 3, s, s)."""
        sample = partial(functional.grid_sample, padding_mode="reflection", align_corners=False)
        fine = normalise(pictures)
        near = sample(fine, self.grid)
        far = sample(functional.avg_pool2d(fine, 2), self.grid)
        cut = torch.where(self.wide[:, None, None, None], far, near)
        return cut * self.contrast[:, None, None, None] + self.light[:, None, None, None]

    def fraction(self, masks: Tensor) -> Tensor:
        """How much of each crop the masks (B, 1, side, side) take: (B,)."""
        cut = functional.grid_sample(masks.float(), self.grid, align_corners=False)
        return cut.mean(dim=(1, 2, 3))


def random_crops(count: int, side: int, rng: torch.Generator, smallest: float = 0.25) -> Crops:
    """Crops whose side is `smallest`…1 of the picture's (log-uniform), mirrored by chance.

    Patches of the concept audit are 64 of 224 pixels, 0.29 of the picture's side: within range.
    """

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=rng)

    scale = torch.exp(uniform(float(np.log(smallest)), 0.0))
    stretch = torch.exp(uniform(-0.12, 0.12))
    width, height = (scale * stretch).clamp(max=1), (scale / stretch).clamp(max=1)
    x, y = (1 - width) * uniform(-1, 1), (1 - height) * uniform(-1, 1)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    zero = torch.zeros(count)
    affine = torch.stack([width * mirrored, zero, x, zero, height, y], dim=1).view(count, 2, 3)
    grid = functional.affine_grid(affine, [count, 3, side, side], align_corners=False)
    return Crops(grid, scale > 0.6, uniform(-0.25, 0.25), uniform(0.85, 1.15))
