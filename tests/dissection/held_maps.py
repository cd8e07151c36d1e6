"""Activation maps that are all in memory, as the engine reads them."""

from __future__ import annotations

import numpy as np
import torch

from analysis.dissection.maps import MapSource


def map_source(maps: torch.Tensor | np.ndarray) -> MapSource:
    """A source over maps (images, units, h, w)."""
    return lambda start, stop: torch.as_tensor(maps[start:stop])
