"""The layer whose maps a method weighs: found automatically, or the one the user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, Layer, find_layers
from analysis.saliency.attention import AttentionLayer, find_attentions

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_NULL_GRID = (7, 7)


def cam_layer(model: LoadedModel, name: str | None = None) -> Layer:
    """The layer of the CAMs: the one called `name`, or the automatic one.

    :raises AuditError: the model has no such layer, or it keeps no places of the image.
    """
    if name is not None:
        return _named(model, name)
    if "cam_layer" not in model.cache:
        model.cache["cam_layer"] = _automatic(find_layers(model))
    found = model.cache["cam_layer"]
    if found is None:
        raise AuditError(
            "The model has no layer that keeps places of the image.", "CAMs cannot be made for it."
        )
    return found


def cam_layers(model: LoadedModel) -> tuple[Layer, ...]:
    """All layers that a CAM can be taken at, in execution order."""
    return tuple(layer for layer in find_layers(model) if _has_places(layer))


def attention_layer(model: LoadedModel, number: int | None = None) -> AttentionLayer:
    """The attention layer of this number, 1 for the first; None for the last.

    :raises AuditError: the model has no such attention layer.
    """
    found = find_attentions(model)
    if not found.layers:
        raise AuditError(found.reason)
    if number is not None and number > len(found.layers):
        raise AuditError(
            f"The model has {len(found.layers)} attention layers; there is no number {number}.",
            f"Choose a layer from 1 to {len(found.layers)}.",
        )
    return found.layers[-1 if number is None else number - 1]


def null_grid(model: LoadedModel) -> tuple[int, int]:
    """Rows and columns of the null maps: as fine as the model's CAMs."""
    try:
        return cam_layer(model).grid or _NULL_GRID
    except AuditError:
        return _NULL_GRID


def _named(model: LoadedModel, name: str) -> Layer:
    for layer in find_layers(model):
        if layer.name == name:
            if not _has_places(layer):
                raise AuditError(
                    f"The layer “{name}” keeps no places of the image.",
                    "Choose a layer before the pooling.",
                )
            return layer
    raise AuditError(f"The model has no layer “{name}”.", "Choose one of its layers.")


def _has_places(layer: Layer) -> bool:
    rows, columns = layer.grid or (1, 1)
    return rows * columns > 1 and layer.name != PENULTIMATE


def _automatic(layers: tuple[Layer, ...]) -> Layer | None:
    usable = [layer for layer in layers if _has_places(layer)]
    blocks = [layer for layer in usable if layer.kind == "block"]
    if not blocks:
        return usable[-1] if usable else None
    last = blocks[-1]
    inside = f"{last.name.partition('#')[0]}."
    inner = [layer for layer in usable if layer.name.startswith(inside)]
    if any(layer.kind == "attention" for layer in layers if layer.name.startswith(inside)):
        return next((layer for layer in inner if layer.kind == "normalisation"), last)
    return last
