"""Which methods a model has what they need for, and in plain words why it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import AuditError
from analysis.saliency.attention import AttentionLayer, find_attentions
from analysis.saliency.attention_maps import layer_range
from analysis.saliency.methods import MethodSettings
from analysis.saliency.targets import attention_layer, cam_layer
from analysis.saliency.transformer_parts import find_relevance_parts, read_tokens

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_NEEDS_KEYS = ("keys-norm", "raw-keys")


def reason_against(model: LoadedModel, settings: MethodSettings, layer: str | None = None) -> str:
    """Why this model cannot be explained so, in one sentence; “” if it can.

    :param layer: the layer chosen for CAMs.
    """
    try:
        return _reason(model, settings, layer)
    except AuditError as error:
        return str(error)


def check_methods(
    model: LoadedModel, methods: tuple[MethodSettings, ...], layer: str | None = None
) -> None:
    """Raise `AuditError` for the first method that cannot be used."""
    for settings in methods:
        reason = reason_against(model, settings, layer)
        if reason:
            raise AuditError(
                f"{settings.title} cannot explain this model: {reason}",
                "Leave the method out, or choose another.",
            )


def _reason(model: LoadedModel, settings: MethodSettings, layer: str | None) -> str:
    method = settings.definition
    if "maps" in method.needs:
        cam_layer(model, layer)
    if "head" in method.needs and not model.num_classes:
        return "The model has no classifier head, so there is no class score to explain."
    if "attention" not in method.needs:
        return ""
    if method.name == "rollout" or method.kind == "relevance":
        return _against_rollout(model, settings)
    return _against_layer(attention_layer(model, settings.layer), settings)


def _against_layer(found: AttentionLayer, settings: MethodSettings) -> str:
    """Of the methods that look at one attention layer."""
    if settings.head is not None and settings.head > found.heads:
        return f"“{found.name}” has {found.heads} heads; there is no number {settings.head}."
    if "class token" in settings.definition.needs and not found.class_token:
        return f"There is no class token in “{found.name}” whose attention could be shown."
    if settings.method in _NEEDS_KEYS and not found.keys:
        return f"The keys of “{found.name}” cannot be told from its other computations."
    return ""


def _against_rollout(model: LoadedModel, settings: MethodSettings) -> str:
    """Of the methods that follow attention through the layers."""
    attentions = find_attentions(model)
    if not attentions.layers:
        return attentions.reason
    attention_layer(model, settings.last)
    attention_layer(model, settings.first)
    chosen = layer_range(attentions.layers, settings.first, settings.last)
    if attentions.reason or not all(layer.mixes_all for layer in chosen):
        return (
            "Attention cannot be followed through its layers: in some of them patches do not "
            "attend to one another as tokens do in a plain transformer."
        )
    if not all(layer.class_token for layer in chosen):
        return "There is no class token whose attention could be followed."
    if len({layer.tokens for layer in chosen}) > 1:
        return "The number of tokens changes between its layers."
    if settings.definition.kind == "relevance" and read_tokens(model) is None:
        return "The classifier reads the patches and not the class token."
    return find_relevance_parts(model).reason if settings.method == "tibav" else ""
