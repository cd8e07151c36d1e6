"""Class activation maps by gradients: functions of a layer's maps and the score's gradient there.

Activations A and gradients g are (n, channels, rows, columns); maps are (n, rows, columns), not
below zero. The gradient is of the class's logit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

_CANCELS = 1e-2  # |ΣA| below this share of Σ|A|: XGradCAM would divide by next to nothing


def gradcam(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """ReLU(Σ w A) with w the mean gradient (Selvaraju et al. 2017; thesis Eq. 2.24)."""
    return weighted_maps(activations, gradients.mean((2, 3)))


def gradcam_plus_plus(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """ReLU(Σ w A) with w = Σ α·ReLU(g), α = g² / (2g² + ΣA·g³ + 1e-6), 0 where g is 0.

    Chattopadhay et al. 2018, Eq. 19; thesis Eq. 2.25.
    """
    square = gradients.square()
    total = activations.sum((2, 3), keepdim=True)
    alpha = square / (2 * square + total * square * gradients + 1e-6)
    alpha = torch.where(gradients != 0, alpha, 0.0)
    return weighted_maps(activations, (gradients.relu() * alpha).sum((2, 3)))


@dataclass(frozen=True)
class GuardedMaps:
    """XGradCAM's `maps`, and for each image the share of channels that the guard left out."""

    maps: torch.Tensor
    left_out: torch.Tensor


def xgradcam(activations: torch.Tensor, gradients: torch.Tensor, guard: bool = True) -> GuardedMaps:
    """ReLU(Σ w A) with w = Σ g·A / (ΣA + 1e-7) (Fu et al. 2020; thesis Eq. 2.27).

    After a normalisation ΣA is a sum of values of both signs and may all but vanish: the weight
    then is huge and means nothing. `guard` leaves out channels with |ΣA| < Σ|A| / 100.
    """
    total = activations.sum((2, 3))
    weights = (gradients * activations).sum((2, 3)) / (total + 1e-7)
    size = activations.abs().sum((2, 3))
    cancels = (total.abs() < _CANCELS * size) & guard
    weights = torch.where(cancels, 0.0, weights)
    return GuardedMaps(weighted_maps(activations, weights), cancels.float().mean(1))


def weighted_maps(activations: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """ReLU of the channels' sum with `weights` (n, channels)."""
    return torch.einsum("nc,nchw->nhw", weights, activations).relu()
