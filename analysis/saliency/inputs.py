"""Images and classes that come from outside, checked, and images put through a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from analysis.errors import AuditError
from analysis.models.probing import first_tensor

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel


def checked_batch(model: LoadedModel, batch: torch.Tensor) -> torch.Tensor:
    """The batch on the model's device, float32, in the memory order the model is fastest with.

    :raises AuditError: it is no batch of images, or not finite.
    """
    if batch.ndim != 4 or batch.shape[1] != 3 or not len(batch):
        raise AuditError(
            "Images to explain are a batch (n, 3, height, width) of at least one.",
            f"Got {tuple(batch.shape)}.",
        )
    batch = batch.detach().to(model.device, torch.float32)
    if not bool(torch.isfinite(batch).all()):
        raise AuditError("An image has values that are not finite.", "Leave that image out.")
    if model.options.channels_last and batch.device.type in ("cpu", "cuda"):
        batch = batch.contiguous(memory_format=torch.channels_last)
    return batch


def checked_classes(
    model: LoadedModel, classes: torch.Tensor | Sequence[int] | None, images: int
) -> torch.Tensor | None:
    """The classes on the model's device, (n,) int64.

    :raises AuditError: there is not one for each image.
    """
    if classes is None:
        return None
    found = torch.as_tensor(classes, dtype=torch.int64).to(model.device)
    if found.shape != (images,) or bool((found < 0).any()):
        raise AuditError(
            "There is one class for each image, counted from 0.",
            f"Got {len(found.flatten())} for {images} images.",
        )
    return found


def run_on(model: LoadedModel, batch: torch.Tensor) -> torch.Tensor:
    """What the network gives for these images, with whatever hooks it has.

    :raises AuditError: it does not take images of this size.
    """
    size = batch.shape[-2:]
    try:
        output = first_tensor(model.module(batch))
    except (RuntimeError, AssertionError, ValueError) as error:
        if size == model.trace.images.shape[-2:]:
            raise
        raise AuditError(
            f"The model cannot take images of {size[0]} × {size[1]} pixels.",
            "Bring them to the model's input size.",
        ) from error
    assert output is not None
    return output
