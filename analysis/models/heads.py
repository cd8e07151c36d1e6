"""The classifier on top of the penultimate features, found by what it computes.

The head is the smallest module whose output is the network's output. Where that is a linear
layer, the features before it are the penultimate features; where it is more (SqueezeNet: a
convolution, an activation and a pooling), the head is a function of a map of features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from analysis.models.probing import Call, Trace

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel


@dataclass(frozen=True)
class HeadPlan:
    """Where the head sits. `modules`: its dotted names, empty without a head.

    kind: “linear”, “mean of linear” (distilled transformers average two), “function”, “none”
    (headless: the output is the penultimate features), “unknown” (a classifier that no module of
    the network stands for; the penultimate features are its last linear layer's input).
    `start`: the tick of the trace at which it begins.
    """

    kind: Literal["linear", "mean of linear", "function", "none", "unknown"]
    modules: tuple[str, ...] = ()
    start: int | None = None


@dataclass(frozen=True)
class Head:
    """From penultimate features to class scores.

    A linear head has `weight` (classes, features) and `bias` (classes,). `exact`: whether
    `logits` of the pooled features are the network's own scores; a head that works on a map
    (`is_linear` False) is exact for maps, and for pooled features it is the head of an image
    that looks the same everywhere.
    """

    weight: torch.Tensor | None
    bias: torch.Tensor | None
    is_linear: bool
    num_classes: int
    exact: bool = True
    function: Callable[[torch.Tensor], torch.Tensor] | None = None

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Scores (n, classes) of features (n, d), or of maps (n, d, h, w) where the head takes
        maps. Differentiable in the features.
        """
        if self.function is not None:
            maps = features if features.ndim == 4 else features[:, :, None, None]
            return self.function(maps).flatten(1)
        assert self.weight is not None
        assert self.bias is not None
        return nn.functional.linear(features.flatten(1), self.weight, self.bias)


def plan_head(trace: Trace) -> HeadPlan:
    """Find the head in a trace of one forward."""
    scores = trace.output.flatten(1)
    candidates = [
        call
        for call in trace.calls
        if _gives(call, scores)
        and _has_weights(call)
        and call.input_shape != tuple(trace.images.shape)
    ]
    if candidates:
        call = max(candidates, key=lambda call: call.start)
        kind: Literal["linear", "function"] = "linear" if _is_linear(call) else "function"
        if call.single_input and (kind == "linear" or len(call.input_shape or ()) == 4):
            return HeadPlan(kind, (call.module_name,), call.start)
    linear = [call for call in trace.calls if _is_linear(call) and _size(call) == scores.shape[1]]
    pair = linear[-2:]
    if len(pair) == 2 and all(call.output is not None for call in pair):
        mean = sum(call.output.flatten(1) for call in pair if call.output is not None) / 2
        if torch.allclose(torch.as_tensor(mean), scores, rtol=1e-4, atol=1e-6):
            names = tuple(call.module_name for call in pair)
            return HeadPlan("mean of linear", names, min(call.start for call in pair))
    if linear:
        return HeadPlan("unknown", (linear[-1].module_name,), linear[-1].start)
    return HeadPlan("none")


def find_head(model: LoadedModel) -> Head | None:
    """The head of a loaded model, or None for a model without one.

    `head.logits` of the penultimate features (of the penultimate map, where not `exact`) is the
    model's output, up to rounding.
    """
    plan = model.head_plan
    if not model.num_classes or plan.kind in ("none", "unknown"):
        return None
    modules: list[Any] = [model.module.get_submodule(name) for name in plan.modules]
    if plan.kind == "function":
        return Head(None, None, False, model.num_classes, exact=False, function=modules[0])
    share = 1 / len(modules)
    weights = [module.weight.detach().flatten(1).float() * share for module in modules]
    biases = [
        (torch.zeros(len(weight), device=weight.device) if module.bias is None
         else module.bias.detach().float()) * share
        for module, weight in zip(modules, weights, strict=True)
    ]  # fmt: skip
    bias = torch.stack(biases).sum(0)
    return Head(torch.cat(weights, 1), bias, True, model.num_classes)


def _gives(call: Call, scores: torch.Tensor) -> bool:
    return (
        call.output is not None
        and call.output.numel() == scores.numel()
        and torch.equal(call.output.flatten(1), scores)
    )


def _has_weights(call: Call) -> bool:
    return next(call.module.parameters(), None) is not None


def _size(call: Call) -> int:
    return call.output_shape[1] if call.output_shape and len(call.output_shape) > 1 else 0


def _is_linear(call: Call) -> bool:
    """A linear layer on a vector, or a 1×1 convolution at a single position: the same."""
    shape = call.input_shape or ()
    if isinstance(call.module, nn.Linear):
        return len(shape) == 2
    return (
        isinstance(call.module, nn.Conv2d)
        and len(shape) == 4
        and shape[2:] == (1, 1)
        and call.module.kernel_size == (1, 1)
        and call.module.groups == 1
    )
