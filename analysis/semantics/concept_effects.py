"""What concepts of spatial maps do to the rest of the network: fidelity and importance (ICE)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._pytree import tree_map

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, Layer, find_layers
from analysis.models.probing import first_tensor

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

Scores = Callable[[torch.Tensor], torch.Tensor]
"""From a layer's maps (n, channels, rows, columns) to the model's output (n, classes)."""


def fidelity(original: torch.Tensor, reconstructed: torch.Tensor) -> torch.Tensor:
    """How far concepts alone change the scores: mean |f(A) − f(Â)| / |mean f(A)| (Zhang 2021).

    An error, in spite of its name: 0 is a faithful reconstruction.

    :param original: (n, classes) scores of the images.
    :param reconstructed: (n, classes) with the layer replaced by what its concepts give.
    :returns: (classes,) float64; NaN where the mean score is zero.
    :raises AuditError: different shapes, or no image.
    """
    if original.shape != reconstructed.shape or original.ndim != 2 or not len(original):
        raise AuditError(
            f"Scores of shapes {tuple(original.shape)} and {tuple(reconstructed.shape)} cannot be"
            " compared."
        )
    before, after = original.cpu().double(), reconstructed.cpu().double()
    mean = before.mean(0).abs()
    return torch.where(mean > 0, (before - after).abs().mean(0) / mean, torch.nan)


def gradient_importance(gradients: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """How fast a class score rises when a concept is added at every position (ICE).

    The limit ε → 0 of the published central difference (f(A + ε·v) − f(A − ε·v)) / 2ε, mean over
    images, from one backward for all concepts.

    :param gradients: (n, channels) of the class score, summed over positions
        (`layer_gradients.class_gradients` with the reduction “pooled”).
    :param directions: (k, channels).
    :returns: (k,) float64.
    """
    _check_channels(gradients.shape[1], directions)
    return directions.cpu().double() @ gradients.cpu().double().mean(0)


class LayerReplacement:
    """The model with one layer's maps replaced: a `Scores` function for images already chosen.

    :param batch: (n, 3, height, width) model inputs; the layer's own maps are replaced by those
        that the call brings, which must be as many and of the same shape.
    :raises AuditError: the model has no such layer, or the layer keeps no places of the image.
    """

    def __init__(self, model: LoadedModel, layer: str, batch: torch.Tensor) -> None:
        known = {one.name: one for one in find_layers(model)}
        if layer not in known:
            raise AuditError(f"The model has no layer “{layer}”.", "Choose one of its layers.")
        self._layer = known[layer]
        if self._layer.grid is None or layer == PENULTIMATE:
            raise AuditError(
                f"The layer “{layer}” keeps no places of the image.",
                "Choose a layer before the pooling.",
            )
        self._model, self._batch = model, batch.to(model.device, torch.float32)

    def __call__(self, maps: torch.Tensor) -> torch.Tensor:
        """The model's output (n, classes) float32 with the layer giving `maps`."""
        name, _, number = self._layer.name.partition("#")
        calls = 0

        def hook(module: torch.nn.Module, inputs: tuple, output: Any) -> Any:
            nonlocal calls
            calls += 1
            found = first_tensor(output)
            if calls != int(number or 1) or found is None:
                return None
            replaced = _laid_in(found, maps, self._layer)
            return tree_map(lambda leaf: replaced if leaf is found else leaf, output)

        part = self._model.module.get_submodule(name)
        handle = part.register_forward_hook(hook)
        try:
            if self._model.folding is None:
                return self._model.run(self._batch).flatten(1)
            with self._model.folding.unfolded([name]):
                return self._model.run(self._batch).flatten(1)
        finally:
            handle.remove()


def _laid_in(found: torch.Tensor, maps: torch.Tensor, layer: Layer) -> torch.Tensor:
    """`found` with its positions replaced; extra tokens, such as the class token, stay."""
    values = maps.to(found)
    if layer.token:
        patches = values.flatten(2).transpose(1, 2)
        whole = torch.cat([found[:, : layer.prefix_tokens], patches], 1)
    else:
        whole = values.permute(0, 2, 3, 1) if layer.channels_last else values.clone()
    if whole.shape != found.shape:
        raise AuditError(
            f"Maps of shape {tuple(maps.shape)} do not fit the layer “{layer.name}”.",
            "Take them from the same layer and the same images.",
        )
    return whole


def _check_channels(channels: int, directions: torch.Tensor) -> None:
    if directions.ndim != 2 or directions.shape[1] != channels:
        raise AuditError(
            f"Concepts of shape {tuple(directions.shape)} do not fit {channels} channels.",
            "Take both from the same layer.",
        )
