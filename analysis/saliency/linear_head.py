"""A headless model with a linear probe as its classifier head, so that it has class scores."""

from __future__ import annotations

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.layers import find_layers
from analysis.models.loading import LoadedModel


class _Headed(nn.Module):
    """A backbone followed by a linear head."""

    def __init__(self, backbone: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores (n, classes) of images."""
        return self.head(self.backbone(x))


def attach_linear_head(
    model: LoadedModel,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    class_names: Sequence[str] | None = None,
) -> LoadedModel:
    """A model that gives `features @ weightᵀ + bias`; the headless model stays as it is.

    Where the network has an empty place for its classifier (timm), the head goes there and all
    layers keep their names; else the network becomes the part `backbone` of a new one. Weights
    are shared, not copied. A probe of standardised features is brought here with mean and scale
    already put into `weight` and `bias`.

    :param weight: (classes, features).
    :param bias: (classes,).
    :raises AuditError: the model has a head already, or its features are not vectors of that size.
    """
    shape = find_layers(model)[-1].shape if not model.num_classes else ()
    if model.num_classes:
        raise AuditError("The model has a classifier head already.", "Use it as it is.")
    if len(shape) != 1 or weight.ndim != 2 or weight.shape[1] != shape[0]:
        raise AuditError(
            f"The head does not fit the model's features of shape {shape}.",
            f"Its weights have the shape {tuple(weight.shape)}.",
        )
    if class_names is not None and len(class_names) != len(weight):
        raise AuditError("There are not as many class names as classes.", "")
    head = nn.Linear(weight.shape[1], len(weight), device=model.device).requires_grad_(False)
    head.weight.copy_(weight)
    head.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)
    place = _empty_place(model)
    module = _Headed(model.module, head) if place is None else _with_part(model.module, place, head)
    digest = hashlib.sha256(model.weights_sha256.encode())
    for tensor in (head.weight, head.bias):
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return replace(
        model,
        module=module.eval(),
        num_classes=len(weight),
        class_names=tuple(class_names) if class_names is not None else None,
        weights_sha256=digest.hexdigest(),
        folding=model.folding if place is not None else None,
        cache={},
    )


def _empty_place(model: LoadedModel) -> str | None:
    """The name of the identity that stands where the classifier would, fed the model's output."""
    classifier = getattr(model.module, "get_classifier", None)
    found = classifier() if callable(classifier) else None
    if not isinstance(found, nn.Identity):
        return None
    output = model.trace.output
    for call in reversed(model.trace.calls):
        if call.module is found:
            given = call.output
            fits = given is not None and given.shape == output.shape and torch.equal(given, output)
            return call.module_name if fits else None
    return None


def _with_part(module: nn.Module, name: str, part: nn.Module) -> nn.Module:
    """A copy of the network that shares all its parts but one."""
    changed = copy.copy(module)
    changed._modules = dict(module._modules)
    changed._forward_hooks = OrderedDict()
    changed._forward_pre_hooks = OrderedDict()
    own, _, rest = name.partition(".")
    inner = module._modules[own]
    assert inner is not None
    changed._modules[own] = _with_part(inner, rest, part) if rest else part
    return changed
