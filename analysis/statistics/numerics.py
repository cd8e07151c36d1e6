"""Small numerical helpers shared by the engines: precision, seeds and checks of the input."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.errors import AuditError


def accumulation_dtype(device: torch.device) -> torch.dtype:
    """The widest float of a device: float64, or float32 on MPS, which has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def widened(values: torch.Tensor) -> torch.Tensor:
    """`values` in the widest float of their device."""
    return values.to(accumulation_dtype(values.device))


def seeded_generator(seed: int) -> torch.Generator:
    """A generator of its own for one piece of work.

    It always lives on the CPU: random numbers are drawn there and moved, so that a seed gives the
    same draws whatever device computes with them.
    """
    generator = torch.Generator()
    generator.manual_seed(seed % 2**63)
    return generator


def require_finite(values: torch.Tensor, what: str) -> None:
    """Refuse NaN and infinity in `values`; `what` names them in the message.

    :raises AuditError: a value is not a finite number.
    """
    if values.is_floating_point() and not bool(torch.isfinite(values).all()):
        raise AuditError(
            f"{what} hold values that are not finite numbers.",
            "Check the model's weights and its preprocessing; half precision may overflow.",
        )


def image_blocks(values: torch.Tensor, images: int) -> torch.Tensor:
    """(images·patches, k) rows, image after image, as (images, patches, k).

    :raises AuditError: the rows do not divide evenly among the images.
    """
    if images < 1 or values.shape[0] % images:
        raise AuditError(
            f"{values.shape[0]} patches cannot be shared evenly by {images} images.",
            "Every image must give the same number of patches.",
        )
    return values.reshape(images, values.shape[0] // images, *values.shape[1:])


def common_observations(layers: Sequence[torch.Tensor], measure: str) -> int:
    """How many observations all layers have; `measure` is named in the message.

    :raises AuditError: different numbers, fewer than four, or a value that is not finite.
    """
    counts = {layer.shape[0] for layer in layers}
    if len(counts) != 1:
        raise AuditError(
            "The layers were not measured on the same images.",
            "Extract both models' activations again from one image set.",
        )
    count = counts.pop()
    if count < 4:
        raise AuditError(
            f"{measure} needs at least four observations; there are {count}.", "Add more images."
        )
    for layer in layers:
        require_finite(layer, "Activations")
    return count


def centred_columns(layer: torch.Tensor) -> torch.Tensor:
    """(n, d) with columns of mean 0 and a mean square of 1 over all; constant columns are zero."""
    constant = (layer == layer[:1]).all(0)
    wide = widened(layer)
    centred = (wide - wide.mean(0)).masked_fill(constant, 0)
    size = centred.square().mean().sqrt()
    return (centred / size.where(size > 0, torch.ones_like(size))).to(layer.dtype)
