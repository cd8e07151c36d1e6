"""Gradients of class scores for the features of many layers, from one forward and one backward."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._pytree import tree_map

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, Layer, find_layers
from analysis.models.probing import first_tensor
from analysis.models.taps import REDUCTIONS, Reduction

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel


def class_gradients(
    model: LoadedModel,
    batch: torch.Tensor,
    classes: torch.Tensor | Sequence[int],
    layers: Sequence[str],
    reduction: Reduction = "auto",
) -> dict[str, torch.Tensor]:
    """∂ (score before softmax of each image's class) / ∂ (features), by layer name.

    Reductions are those of `LayerTaps`, and what they mean for a gradient: pooled features move
    when all positions move by the same, so that “pooled” sums over positions. “class token” is
    the gradient there, “map” and “tokens” are not reduced.

    :param batch: (n, 3, height, width) model inputs, as many as fit in memory with their graph.
    :param classes: (n,) class of each image, from 0.
    :returns: float32 in the order asked for, shaped as `LayerTaps` gives the features.
    :raises AuditError: a model without class scores, an unknown layer or class, a layer that did
        not run or that cannot be reduced so, or gradients that are not finite.
    """
    if not model.num_classes:
        raise AuditError(
            "The model has no class scores, which TCAV differentiates.",
            "Choose a model with a classifier head; concept vectors and SFSS need none.",
        )
    known = {layer.name: layer for layer in find_layers(model)}
    chosen = []
    for name in dict.fromkeys(layers):
        if name not in known:
            raise AuditError(f"The model has no layer “{name}”.", "Choose one of its layers.")
        chosen.append(known[name])
    target = torch.as_tensor(classes, dtype=torch.int64, device=model.device)
    if target.shape != (len(batch),) or bool(((target < 0) | (target >= model.num_classes)).any()):
        raise AuditError(
            f"There is one class from 0 to {model.num_classes - 1} for each image.",
            f"Got {target.numel()} for {len(batch)} images.",
        )
    reducers = {layer.name: _reducer(layer, reduction, model, batch) for layer in chosen}
    captured = _Captured(model, chosen)
    with torch.enable_grad(), captured.capturing():
        output = first_tensor(model.module(batch.to(model.device, torch.float32)))
        assert output is not None
        score = output.float().flatten(1).gather(1, target[:, None]).sum()
    if not bool(torch.isfinite(score)):
        raise AuditError(
            "The model's scores are not finite for some of these images.",
            "Check the model's input size and preprocessing.",
        )
    parts = captured.tensors()
    flat = [part for layer in chosen for part in parts[layer.name]]
    found = torch.autograd.grad(score, flat, allow_unused=True) if score.requires_grad else [
        None for _ in flat
    ]  # fmt: skip
    whole = iter(
        torch.zeros_like(part) if gradient is None else gradient
        for part, gradient in zip(flat, found, strict=True)
    )
    result = {}
    for layer in chosen:
        gradients = [next(whole).float() for _ in parts[layer.name]]
        joined = gradients[0] if len(gradients) == 1 else torch.cat(
            [one.flatten(1) for one in gradients], 1
        )  # fmt: skip
        result[layer.name] = reducers[layer.name](joined)
    for name, values in result.items():
        if not bool(torch.isfinite(values).all()):
            raise AuditError(
                f"The gradients at “{name}” are not finite for some of these images.",
                "Check the model's input size and preprocessing.",
            )
    return result


class _Captured:
    """Layers' outputs in one forward as parts of its graph, which begins at the first of them."""

    def __init__(self, model: LoadedModel, layers: Sequence[Layer]) -> None:
        self._model, self._layers = model, layers
        self._found: dict[str, list[torch.Tensor]] = {}
        self._calls: Counter[str] = Counter()

    def capturing(self) -> ExitStack:
        """One forward in this block is captured."""
        module = self._model.module
        by_module: dict[str, dict[int, str]] = defaultdict(dict)
        for layer in self._layers:
            if layer.name != PENULTIMATE:
                name, _, number = layer.name.partition("#")
                by_module[name][int(number or 1)] = layer.name
        with ExitStack() as stack:
            if self._model.folding is not None:
                stack.enter_context(self._model.folding.unfolded(by_module))
            for name, calls in by_module.items():
                hook = self._output_hook(name, calls)
                stack.callback(module.get_submodule(name).register_forward_hook(hook).remove)
            if any(layer.name == PENULTIMATE for layer in self._layers):
                for name in self._model.head_plan.modules:
                    part = module.get_submodule(name)
                    stack.callback(part.register_forward_pre_hook(self._input_hook).remove)
            return stack.pop_all()

    def tensors(self) -> dict[str, list[torch.Tensor]]:
        """What was captured by layer; several parts where the head joins several inputs."""
        for layer in self._layers:
            if layer.name not in self._found:
                raise AuditError(
                    f"The layer “{layer.name}” did not run for these images.",
                    "Choose another layer.",
                )
        return self._found

    def _output_hook(self, name: str, calls: dict[int, str]) -> Callable[..., Any]:
        def hook(module: torch.nn.Module, inputs: tuple, output: Any) -> Any:
            self._calls[name] += 1
            layer = calls.get(self._calls[name])
            found = first_tensor(output)
            if layer is None or found is None:
                return None
            kept, going_on = _branch(found)
            self._found[layer] = [kept]
            return tree_map(lambda leaf: going_on if leaf is found else leaf, output)

        return hook

    def _input_hook(self, module: torch.nn.Module, inputs: tuple) -> tuple:
        kept, going_on = _branch(inputs[0])
        self._found.setdefault(PENULTIMATE, []).append(kept)
        return (going_on, *inputs[1:])


def _branch(found: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The tensor in the graph, and a copy to go on with, which the network may change."""
    kept = found if found.requires_grad else found.detach().clone().requires_grad_(True)
    return kept, kept.clone()


def _reducer(
    layer: Layer, reduction: Reduction, model: LoadedModel, batch: torch.Tensor
) -> Callable[[torch.Tensor], torch.Tensor]:
    if reduction not in REDUCTIONS:
        raise AuditError(
            f"Unknown reduction “{reduction}”.", f"Choose one of {', '.join(REDUCTIONS)}."
        )
    if len(layer.shape) == 1:
        shape = {"map": (-1, layer.channels, 1, 1), "tokens": (-1, 1, layer.channels)}
        return lambda x: x.reshape(shape.get(reduction, (-1, layer.channels)))
    if reduction == "auto":
        reduction = "class token" if layer.class_token else "pooled"
    if reduction == "class token" and not layer.class_token:
        raise AuditError(
            f"The layer “{layer.name}” has no class token.", "Choose another reduction."
        )
    if reduction == "map" and layer.grid is None:
        raise AuditError(f"The tokens of “{layer.name}” have no grid.", "Choose another reduction.")
    if layer.token:
        return _token_reducer(layer, reduction, model, batch)
    positions = (1, 2) if layer.channels_last else (2, 3)
    if reduction == "pooled":
        return lambda x: x.sum(positions)
    if reduction == "map":
        return lambda x: (x.permute(0, 3, 1, 2) if layer.channels_last else x).contiguous()
    if layer.channels_last:
        return lambda x: x.flatten(1, 2)
    return lambda x: x.flatten(2).transpose(1, 2).contiguous()


def _token_reducer(
    layer: Layer, reduction: Reduction, model: LoadedModel, batch: torch.Tensor
) -> Callable[[torch.Tensor], torch.Tensor]:
    if reduction == "tokens":
        return lambda x: x
    if reduction == "class token":
        return lambda x: x[:, 0].contiguous()
    if reduction == "pooled":
        return lambda x: x[:, layer.prefix_tokens :].sum(1)
    assert layer.grid is not None
    size = model.trace.images.shape[-2:]
    rows, columns = (
        round(side * got / probed)
        for side, got, probed in zip(layer.grid, batch.shape[-2:], size, strict=True)
    )

    def lay_out(x: torch.Tensor) -> torch.Tensor:
        patches = x[:, layer.prefix_tokens :].transpose(1, 2)
        return patches.reshape(len(x), layer.channels, rows, columns)

    return lay_out
