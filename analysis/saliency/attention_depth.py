"""The class token's attention in every layer and every head, read off one forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from analysis.errors import AuditError
from analysis.saliency.attention import AttentionLayer, AttentionRecorder, Recorded, find_attentions
from analysis.saliency.capture import scaled_grid
from analysis.saliency.chunks import images_at_once
from analysis.saliency.inputs import checked_batch, run_on

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_MOST_IMAGES = 16


@dataclass(frozen=True)
class AttentionDepth:
    """`layers`: the attention layers' names, first to last. `values`: how much the class token
    attends to each patch, (n, layers, heads, rows, columns) float32 on the model's device; what is
    missing to a sum of 1 goes to the tokens that are no patches.
    """

    layers: tuple[str, ...]
    values: torch.Tensor


def depth_layers(model: LoadedModel) -> tuple[AttentionLayer, ...]:
    """The attention layers of a class token with as many heads and patches as the last of them.

    :raises AuditError: there is none.
    """
    found = find_attentions(model)
    with_token = [layer for layer in found.layers if layer.class_token]
    if not with_token:
        raise AuditError(
            found.reason
            if not found.layers
            else "The model has no class token whose attention could be shown.",
            "Choose a CAM method.",
        )
    last = with_token[-1]
    return tuple(
        layer for layer in with_token if (layer.heads, layer.grid) == (last.heads, last.grid)
    )


@torch.no_grad()
def attention_depth(
    model: LoadedModel, batch: torch.Tensor, *, chunk: int | None = None
) -> AttentionDepth:
    """Raw attention of the class token in every layer and head (Caron et al. 2021; thesis Raw).

    Layers whose heads or patches are not as many as the last one's are left out.

    :param batch: model inputs (n, 3, height, width), as `to_model_input` gives them.
    :param chunk: images a forward; None for as many as run best.
    :raises AuditError: there is no class token whose attention can be recorded, or the images are
        not what the model takes.
    """
    layers = depth_layers(model)
    batch = checked_batch(model, batch)
    grid = scaled_grid(model, batch, layers[-1].grid)
    prefixes = {layer.name: layer.prefix_tokens for layer in layers}
    parts: list[torch.Tensor] = []
    for images in batch.split(chunk or images_at_once(model, _MOST_IMAGES)):
        rows: dict[str, torch.Tensor] = {}

        def receive(name: str, recorded: Recorded, rows: dict[str, torch.Tensor] = rows) -> None:
            patches = recorded.weights[:, :, 0, prefixes[name] :]
            # A copy, so that the other rows are freed.
            rows[name] = patches.float().clone().view(*patches.shape[:2], *grid)

        with AttentionRecorder(model.module, tuple(prefixes), receive).recording():
            run_on(model, images)
        parts.append(torch.stack([rows[name] for name in prefixes], 1))
    return AttentionDepth(tuple(prefixes), torch.cat(parts))
