"""The package grad-cam's maps, to compare with."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch

from analysis.models.loading import LoadedModel


def package_maps(
    kind: str, model: LoadedModel, layer: str, batch: torch.Tensor, classes: Any
) -> np.ndarray:
    """The package's maps on the plain network, at the image's size."""
    with mock.patch.dict(os.environ):  # OpenCV, which it brings, points Qt to plugins of its own
        package = pytest.importorskip("pytorch_grad_cam", exc_type=ImportError)
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    def to_grid(tokens: torch.Tensor) -> torch.Tensor:
        side = round((tokens.shape[1] - 1) ** 0.5)
        return tokens[:, 1:].reshape(len(tokens), side, side, -1).permute(0, 3, 1, 2)

    model.module.requires_grad_(True)
    cam = getattr(package, kind)(
        model.module,
        [model.module.get_submodule(layer)],
        reshape_transform=to_grid if "norm1" in layer else None,
    )
    targets = [ClassifierOutputTarget(int(index)) for index in classes]
    with cam, torch.set_grad_enabled(kind != "ScoreCAM"):
        found = cam(batch.contiguous(), targets)
    model.module.requires_grad_(False)
    return found
