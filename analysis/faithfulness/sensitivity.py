"""Max-sensitivity (Yeh et al. 2019): how much a map changes when the image hardly does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.faithfulness.pixels import Pixels
from analysis.saliency.maps import min_max
from analysis.seeds import derive_seed


def max_sensitivity(
    explain: Callable[[torch.Tensor], Mapping[str, torch.Tensor]],
    batch: torch.Tensor,
    maps: Mapping[str, torch.Tensor],
    pixels: Pixels,
    radius: float = 0.02,
    perturbations: int = 10,
    seed: int = 0,
    image_keys: Sequence[str] | None = None,
) -> dict[str, torch.Tensor]:
    """The largest ‖Φ(x + δ) − Φ(x)‖ / ‖Φ(x)‖ over drawn δ, (n,) by method.

    Φ is the map brought to 0…1 at the layer's resolution; δ is uniform in −radius…radius for every
    pixel and channel. All methods see the same changed images. NaN where the map is the same
    everywhere, and for methods that `explain` leaves out.

    :param explain: maps (n, rows, columns) by method of a changed batch; all methods together.
    :param radius: of pixels in 0…1.
    :param image_keys: (n,) what the noise is derived from; None for each image's place.
    :raises AuditError: maps of another shape come back.
    """
    keys = [str(place) for place in range(len(batch))] if image_keys is None else image_keys
    step = pixels.scaled(radius, batch)
    own = {label: min_max(one.float()) for label, one in maps.items()}
    largest: dict[str, torch.Tensor] = {}
    for draw in range(perturbations):
        noise = _uniform(keys, tuple(batch.shape[1:]), seed, draw).to(batch.device)
        found = explain(batch + noise * step)
        for label, one in own.items():
            if label not in found:
                continue
            other = min_max(found[label].detach().float().to(one.device))
            if other.shape != one.shape:
                raise AuditError(
                    "The maps of a changed image have another shape.",
                    f"{tuple(other.shape)} and {tuple(one.shape)}.",
                )
            change = (other - one).flatten(1).norm(dim=1)
            largest[label] = torch.maximum(largest[label], change) if label in largest else change
    result = {}
    for label, one in own.items():
        size = one.flatten(1).norm(dim=1)
        change = largest.get(label, torch.full_like(size, torch.nan))
        result[label] = torch.where(size > 0, change / size, torch.nan)
    return result


def _uniform(keys: Sequence[str], shape: tuple[int, ...], seed: int, draw: int) -> torch.Tensor:
    """Uniform noise in −1…1 of each image, (n, channels, height, width) float32."""
    rows = [
        np.random.default_rng(derive_seed(seed, "sensitivity", key, draw)).random(shape, np.float32)
        for key in keys
    ]
    return torch.from_numpy(np.stack(rows)) * 2 - 1
