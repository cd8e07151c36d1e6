"""Features of any number of layers from one forward, reduced where they arise."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, Layer, find_layers
from analysis.models.probing import first_tensor

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

Reduction = Literal["auto", "pooled", "class token", "map", "tokens"]
REDUCTIONS: tuple[Reduction, ...] = ("auto", "pooled", "class token", "map", "tokens")


@dataclass(frozen=True)
class TapResult:
    """`features`: float32 by layer name, in the order asked for. `output`: the model's, float32."""

    features: dict[str, torch.Tensor]
    output: torch.Tensor


class LayerTaps:
    """Taps on a model's layers while the `with` block lasts.

    Each output is reduced on the device inside the hook, so memory does not grow with the layers:

    - “pooled”: (n, channels), the mean over positions; of tokens, over the patches alone.
    - “class token”: (n, channels); for layers that have one.
    - “map”: (n, channels, rows, columns); of tokens, the patches laid out in their grid.
    - “tokens”: (n, positions, channels); of a token layer all tokens, extra ones first.
    - “auto”: pooled for maps, the class token for tokens that have one, else their pooled patches.

    Vectors stay as they are. Results are copies: in-place operations later in the network cannot
    change them, and they may be differentiated through.

    A convolution whose batch normalisation was folded into it is unfolded while it is tapped, so
    that every layer gives what the original network gives there.

    :raises AuditError: a layer does not exist or cannot be reduced so.
    """

    def __init__(
        self, model: LoadedModel, layers: Sequence[str], reduction: Reduction = "auto"
    ) -> None:
        known = {layer.name: layer for layer in find_layers(model)}
        unknown = [name for name in layers if name not in known]
        if unknown:
            raise AuditError(
                f"The model has no layer “{unknown[0]}”.",
                f"It has {len(known)} layers, from “{next(iter(known))}” to “{PENULTIMATE}”.",
            )
        if reduction not in REDUCTIONS:
            raise AuditError(
                f"Unknown reduction “{reduction}”.", f"Choose one of {', '.join(REDUCTIONS)}."
            )
        self._model = model
        self._layers = [known[name] for name in dict.fromkeys(layers)]
        self._probe_size = model.trace.images.shape[-2:]  # what the layers' grids speak of
        self._grid_scale = (1.0, 1.0)
        self._reduce = {layer.name: self._reducer(layer, reduction) for layer in self._layers}
        self._features: dict[str, torch.Tensor] = {}
        self._parts: list[torch.Tensor] = []
        self._calls: Counter[str] = Counter()
        self._hooks: ExitStack | None = None

    def __enter__(self) -> LayerTaps:
        if self._hooks is not None:
            raise RuntimeError("These taps are already in place.")
        with ExitStack() as hooks:
            self._place(hooks)
            self._hooks = hooks.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        if self._hooks is not None:
            self._hooks.close()
        self._hooks = None
        self._features, self._parts = {}, []

    def forward(self, batch: torch.Tensor) -> TapResult:
        """One forward of model inputs (n, 3, height, width), without gradients.

        :raises AuditError: a tapped layer did not run.
        """
        if self._hooks is None:
            raise RuntimeError("Taps work inside a with block.")
        self._features, self._parts = {}, []
        self._calls.clear()
        height, width = self._probe_size
        self._grid_scale = (batch.shape[-2] / height, batch.shape[-1] / width)
        output = self._model.run(batch)
        self._take_penultimate(output)
        missing = [layer.name for layer in self._layers if layer.name not in self._features]
        if missing:
            raise AuditError(
                f"The layer “{missing[0]}” did not run for these images.", "Choose another layer."
            )
        features = {layer.name: self._features[layer.name] for layer in self._layers}
        self._features, self._parts = {}, []
        return TapResult(features, output)

    def _place(self, hooks: ExitStack) -> None:
        module = self._model.module
        by_module: dict[str, dict[int, Layer]] = defaultdict(dict)
        for layer in self._layers:
            name, _, number = layer.name.partition("#")
            if layer.name != PENULTIMATE:
                by_module[name][int(number or 1)] = layer
        if self._model.folding is not None:
            hooks.enter_context(self._model.folding.unfolded(by_module))
        for name, layers in by_module.items():
            hook = self._output_hook(name, layers)
            hooks.callback(module.get_submodule(name).register_forward_hook(hook).remove)
        if any(layer.name == PENULTIMATE for layer in self._layers):
            for name in self._model.head_plan.modules:
                handle = module.get_submodule(name).register_forward_pre_hook(self._keep_part)
                hooks.callback(handle.remove)

    def _output_hook(self, name: str, layers: dict[int, Layer]) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
            self._calls[name] += 1
            layer = layers.get(self._calls[name])
            tensor = first_tensor(output)
            if layer is not None and tensor is not None:
                self._features[layer.name] = self._reduce[layer.name](tensor)

        return hook

    def _keep_part(self, module: nn.Module, inputs: tuple) -> None:
        # Cloned: the head may begin with an operation in place.
        self._parts.append(inputs[0].detach().clone())

    def _take_penultimate(self, output: torch.Tensor) -> None:
        reduce = self._reduce.get(PENULTIMATE)
        if reduce is None:
            return
        plan = self._model.head_plan
        if not plan.modules:
            self._features[PENULTIMATE] = reduce(output)
        elif plan.kind == "function":
            self._features[PENULTIMATE] = reduce(self._parts[0])
        else:
            parts = [part.flatten(1) for part in self._parts]
            self._features[PENULTIMATE] = reduce(torch.cat(parts, 1))

    def _reducer(
        self, layer: Layer, reduction: Reduction
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        if len(layer.shape) == 1:
            if reduction in ("map", "tokens"):
                shape = (-1, layer.channels, 1, 1) if reduction == "map" else (
                    -1, 1, layer.channels)  # fmt: skip
                return lambda x: _copy(x.reshape(shape))
            return _copy
        if reduction == "auto":
            reduction = "class token" if layer.class_token else "pooled"
        if reduction == "class token":
            if not layer.class_token:
                raise AuditError(
                    f"The layer “{layer.name}” has no class token.", "Choose another reduction."
                )
            return lambda x: _copy(x[:, 0])
        if reduction == "map" and layer.grid is None:
            raise AuditError(
                f"The tokens of “{layer.name}” have no grid.", "Choose another reduction."
            )
        if layer.token:
            return self._token_reducer(layer, reduction)
        return _map_reducer(layer, reduction)

    def _token_reducer(
        self, layer: Layer, reduction: Reduction
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        if reduction == "tokens":
            return _copy
        if reduction == "pooled":
            return lambda x: x[:, layer.prefix_tokens :].mean(1, dtype=torch.float32)

        def lay_out(x: torch.Tensor) -> torch.Tensor:
            assert layer.grid is not None
            rows, columns = (
                round(side * scale)
                for side, scale in zip(layer.grid, self._grid_scale, strict=True)
            )
            patches = x[:, layer.prefix_tokens :].transpose(1, 2)
            return _copy(patches.reshape(len(x), layer.channels, rows, columns))

        return lay_out


def _map_reducer(layer: Layer, reduction: Reduction) -> Callable[[torch.Tensor], torch.Tensor]:
    positions = (1, 2) if layer.channels_last else (2, 3)
    if reduction == "pooled":
        return lambda x: x.mean(positions, dtype=torch.float32)
    if reduction == "map":
        return lambda x: _copy(x.permute(0, 3, 1, 2) if layer.channels_last else x)
    if layer.channels_last:
        return lambda x: _copy(x.flatten(1, 2))
    return lambda x: _copy(x.flatten(2).transpose(1, 2))


def _copy(x: torch.Tensor) -> torch.Tensor:
    """A float32 copy in the ordinary memory order; never a view of the network's own memory."""
    return torch.empty(x.shape, dtype=torch.float32, device=x.device).copy_(x)
