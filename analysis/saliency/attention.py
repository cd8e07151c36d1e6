"""Attention weights of any transformer, recorded in the forward itself.

The fused kernels hide the softmax. While attention is recorded, each call of
`scaled_dot_product_attention` in the modules asked for is computed step by step instead, with the
very queries, keys, values and masks the model hands over: after query and key normalisation, after
rotation, with position biases. So no model is rewritten and none is silently wrong; elsewhere the
fused kernel stays on, and afterwards everything is as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from analysis.errors import AuditError
from analysis.models.layers import Layer, find_layers
from analysis.models.probing import first_tensor

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_SOFTMAX = (torch.softmax, torch.Tensor.softmax, functional.softmax)
_SAME = 1e-4  # of the output's largest value: explicit against fused attention


@dataclass(frozen=True)
class AttentionLayer:
    """One attention module whose weights can be recorded.

    `number`: 1 for the first. `queries` and `tokens`: rows and columns of the weights; one query
    is a class token that attends to all (CaiT, XCiT). `grid`: rows and columns of patches.
    `prefix_tokens`: tokens that are no patches, before them. `keys`: whether the keys are known.
    """

    name: str
    number: int
    heads: int
    queries: int
    tokens: int
    grid: tuple[int, int]
    prefix_tokens: int
    class_token: bool
    keys: bool

    @property
    def mixes_all(self) -> bool:
        """Whether every token attends to every token."""
        return self.queries == self.tokens


@dataclass(frozen=True)
class Attentions:
    """The attention layers of a model, and why there are none, or no more."""

    layers: tuple[AttentionLayer, ...]
    reason: str = ""


@dataclass
class Recorded:
    """One call: `weights` (n, heads, queries, tokens) and what they came from.

    `query`, `key`, `value`: (n, heads, tokens, channels), None where the module computes its own
    softmax; queries are unscaled. `class_logits`: (n, heads, tokens), the first query's weights
    before the softmax.
    """

    weights: torch.Tensor
    class_logits: torch.Tensor
    query: torch.Tensor | None = None
    key: torch.Tensor | None = None
    value: torch.Tensor | None = None


class AttentionRecorder(TorchFunctionMode):
    """Records the attention of `names` while its `recording` block lasts.

    :param receive: called with (name, recorded) as each module attends; what it does not keep is
        freed.
    :param gradients: make the weights part of a graph, so that the output may be differentiated
        for them.
    """

    def __init__(
        self,
        module: nn.Module,
        names: Sequence[str],
        receive: Callable[[str, Recorded], None],
        gradients: bool = False,
    ) -> None:
        super().__init__()
        self._module, self._names = module, tuple(names)
        self._receive, self._gradients = receive, gradients
        self._current: list[str] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Forwards in this block are recorded."""
        with ExitStack() as stack:
            stack.enter_context(_plain_multi_head())
            for name in self._names:
                part = self._module.get_submodule(name)
                stack.enter_context(_through_one_door(part))
                enter = part.register_forward_pre_hook(self._enter(name))
                leave = part.register_forward_hook(self._leave, always_call=True)
                stack.callback(enter.remove)
                stack.callback(leave.remove)
            stack.callback(self._current.clear)
            stack.enter_context(self)
            yield

    def _enter(self, name: str) -> Callable[..., None]:
        return lambda *_: self._current.append(name)

    def _leave(self, *_: Any) -> None:
        if self._current:
            self._current.pop()

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple = (), keywords: dict | None = None
    ) -> Any:
        keywords = keywords or {}
        if self._current:
            if function is functional.scaled_dot_product_attention:
                return self._attend(*arguments, **keywords)
            if function is functional.multi_head_attention_forward:
                return self._multi_head(*arguments, **keywords)
            if function in _SOFTMAX and arguments[0].ndim == 4:
                return self._softmax(arguments[0], function(*arguments, **keywords))
        return function(*arguments, **keywords)

    def _attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> torch.Tensor:
        """`scaled_dot_product_attention`, step by step. Dropout is off: models are evaluated."""
        if enable_gqa:
            groups = query.shape[-3] // key.shape[-3]
            key, value = (part.repeat_interleave(groups, -3) for part in (key, value))
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        logits = (query * scale) @ key.transpose(-2, -1)
        if is_causal:
            rows, columns = logits.shape[-2:]
            attn_mask = torch.ones(rows, columns, dtype=torch.bool, device=query.device).tril()
        if attn_mask is not None:
            if attn_mask.dtype == torch.bool:
                logits = logits.masked_fill(~attn_mask, float("-inf"))
            else:
                logits = logits + attn_mask
        weights = self._weights(logits.softmax(-1))
        if weights.ndim == 4:
            first = logits[:, :, 0].detach().clone()  # not a view that holds all of them
            self._keep(Recorded(weights, first, query, key, value))
        return weights @ value

    def _softmax(self, logits: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        weights = self._weights(weights)
        self._keep(Recorded(weights, logits[:, :, 0].detach().clone()))
        return weights

    def _multi_head(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        width: int,
        heads: int,
        in_weight: torch.Tensor | None,
        in_bias: torch.Tensor | None,
        bias_k: torch.Tensor | None,
        bias_v: torch.Tensor | None,
        add_zero_attn: bool,
        dropout_p: float,
        out_weight: torch.Tensor,
        out_bias: torch.Tensor | None,
        **others: Any,
    ) -> tuple[torch.Tensor, None]:
        """torch's own multi-head attention: tokens first, projections inside."""
        wanted = ("attn_mask", "key_padding_mask", "static_k", "static_v")
        plain = in_weight is not None and bias_k is None and bias_v is None and not add_zero_attn
        if not plain or any(others.get(name) is not None for name in wanted):
            raise AuditError(
                "This model's attention has masks or additions that cannot be recorded.",
                "Choose a CAM method.",
            )
        assert in_weight is not None
        biases = (None,) * 3 if in_bias is None else in_bias.chunk(3)
        count, images, _ = query.shape
        parts = [
            functional.linear(tokens, weight, bias)
            .reshape(-1, images, heads, width // heads)
            .permute(1, 2, 0, 3)
            for tokens, weight, bias in zip(
                (query, key, value), in_weight.chunk(3), biases, strict=True
            )
        ]
        mixed = (
            self._attend(parts[0], parts[1], parts[2])
            .permute(2, 0, 1, 3)
            .reshape(count, images, width)
        )
        return functional.linear(mixed, out_weight, out_bias), None

    def _weights(self, weights: torch.Tensor) -> torch.Tensor:
        if self._gradients and not weights.requires_grad:
            weights.requires_grad_(True)
        return weights

    def _keep(self, recorded: Recorded) -> None:
        self._receive(self._current[-1], recorded)


@contextmanager
def _plain_multi_head() -> Iterator[None]:
    """torch's multi-head attention without its native shortcut, which no one can look into."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _through_one_door(module: nn.Module) -> Iterator[None]:
    """timm's attention modules go through `scaled_dot_product_attention`, which is recorded."""
    before = getattr(module, "fused_attn", None)
    if not isinstance(before, bool):
        yield
        return
    attention: Any = module
    attention.fused_attn = True
    try:
        yield
    finally:
        attention.fused_attn = before


def find_attentions(model: LoadedModel) -> Attentions:
    """The attention layers of a model whose weights are weights between its tokens. Found once.

    What each module computes while it is recorded is compared with what the model gives otherwise.
    """
    if "attentions" not in model.cache:
        model.cache["attentions"] = _find(model)
    return model.cache["attentions"]


def _find(model: LoadedModel) -> Attentions:
    trace = model.trace
    calls = Counter(call.module_name for call in trace.calls)
    tokens = {
        call.module_name: (call.input_shape or ())[1]
        for call in trace.calls
        if call.attends and len(call.input_shape or ()) == 3
    }
    attending = [call.module_name for call in trace.calls if call.attends]
    if not attending:
        return Attentions((), "The model has no attention.")
    names = [name for name in dict.fromkeys(attending) if calls[name] == 1 and name in tokens]
    kept: dict[str, list[tuple[tuple[int, ...], bool]]] = {name: [] for name in names}

    def receive(name: str, recorded: Recorded) -> None:
        kept[name].append((tuple(recorded.weights.shape), recorded.key is not None))

    recorder = AttentionRecorder(model.module, names, receive)
    with torch.no_grad():
        # Both in the plain way: a model kept in half precision is explained in float32 too.
        expected = first_tensor(model.module(trace.images))
        with recorder.recording():
            got = first_tensor(model.module(trace.images))
    assert expected is not None
    assert got is not None
    if (got - expected).abs().max() > _SAME * expected.abs().max().clamp_min(1e-6):
        return Attentions((), "The model's attention cannot be recorded without changing it.")
    layers: list[AttentionLayer] = []
    images = len(trace.images)
    for name in names:
        shapes = kept[name]
        if len(shapes) != 1:
            continue
        (batch, heads, queries, count), keys = shapes[0]
        layout = _layout(count, tokens[name], find_layers(model))
        if batch != images or queries not in (1, count) or layout is None:
            continue
        number = len(layers) + 1
        layers.append(AttentionLayer(name, number, heads, queries, count, *layout, keys))
    if not layers:
        return Attentions((), "The model attends within windows or between channels, not between "
                              "the image's patches.")  # fmt: skip
    left = len(set(attending)) - len(layers)
    reason = f"{left} of its attention modules do not attend between all patches." if left else ""
    return Attentions(tuple(layers), reason)


def _layout(
    count: int, tokens: int, layers: Sequence[Layer]
) -> tuple[tuple[int, int], int, bool] | None:
    """Grid of patches, tokens before them, and whether the first of these is a class token."""
    if count != tokens:
        return None  # channels attend to channels, or keys were pooled
    token_layers = [layer for layer in layers if layer.token and layer.grid is not None]
    for layer in token_layers:
        assert layer.grid is not None
        if layer.shape[0] == count and layer.grid[0] * layer.grid[1] > 1:
            return layer.grid, layer.prefix_tokens, layer.class_token
    for layer in token_layers:  # a class token that joins for the last blocks alone
        assert layer.grid is not None
        if layer.prefix_tokens == 0 and layer.shape[0] == count - 1:
            return layer.grid, 1, True
    return None
