"""A model's layers: what can be tapped, in the order it happens, with its kind and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.models.heads import HeadPlan
from analysis.models.layer_kinds import find_kinds, find_layouts
from analysis.models.probing import Call, Trace

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

PENULTIMATE = "penultimate"
"""The layer that is the classifier head's input, or a headless model's output."""


@dataclass(frozen=True)
class Layer:
    """One place in a model where features can be taken.

    `name`: the module's dotted name, `#2` for a module's second call; or `penultimate`. `shape`:
    of the output for one image. `channels`: features of one position. `depth`: 0 for the first
    layer, 1 for the last. `token`: the output is a sequence of tokens (N, channels), the first
    `prefix_tokens` of which are no patches; `class_token` says whether the first of them is a
    class token. `grid`: rows and columns of positions, None for a vector or an unordered sequence.
    `channels_last`: a map kept as (height, width, channels).
    """

    name: str
    position: int
    kind: str
    shape: tuple[int, ...]
    channels: int
    depth: float
    token: bool
    grid: tuple[int, int] | None
    prefix_tokens: int = 0
    class_token: bool = False
    channels_last: bool = False
    gate: bool = False


@dataclass(frozen=True)
class _Form:
    """How an output is laid out, before it has a name and a position."""

    channels: int
    token: bool = False
    grid: tuple[int, int] | None = None
    prefix_tokens: int = 0
    class_token: bool = False
    channels_last: bool = False


def find_layers(model: LoadedModel) -> tuple[Layer, ...]:
    """The layers of a loaded model in execution order, `penultimate` last. One forward, once.

    Kinds are “convolution”, “activation”, “normalisation”, “block”, “stage”, “attention”, “mlp”,
    “pooling”, “embedding”, “penultimate”; they come from the module's type and what it does in
    the forward. What happens inside the classifier head is left out.

    :raises AuditError: the model does not take images of its own input size.
    """
    if "layers" not in model.cache:
        model.cache["layers"] = layers_of_trace(model.trace, model.head_plan)
    return model.cache["layers"]


def layers_of_trace(trace: Trace, plan: HeadPlan) -> tuple[Layer, ...]:
    """`find_layers` for a trace that was already taken."""
    kinds = find_kinds(trace)
    layouts = find_layouts(trace)
    drafts: list[tuple[str, str, tuple[int, ...], _Form]] = []
    patches: tuple[int, int] | None = None
    for call in trace.calls:
        patches = patches or _patch_grid(call, trace)
        kind = kinds.get(call.name)
        shape = call.output_shape
        if kind is None or shape is None or (plan.start is not None and call.end > plan.start):
            continue
        if shape[0] != len(trace.images):
            continue  # windows of several images side by side: no image's own features
        form = _form(shape[1:], trace, patches, layouts.get(call.name, False))
        if form is not None:
            drafts.append((call.name, kind, shape[1:], form))
    shape = penultimate_shape(trace, plan)
    form = _form(shape, trace, patches, False) or _Form(shape[-1])
    drafts.append((PENULTIMATE, PENULTIMATE, shape, form))
    return _number(drafts)


def default_layers(layers: Sequence[Layer], count: int = 10) -> tuple[str, ...]:
    """`count` layers evenly over a model's depth, the last of them `penultimate`.

    Convolutional networks give the outputs of their activations (not those that only gate
    channels, nor those inside an MLP or attention); transformers, and networks without such
    activations, the outputs of their blocks.
    """
    inner = tuple(f"{layer.name}." for layer in layers if layer.kind in ("mlp", "attention"))
    for kind in ("activation", "block", "stage", "convolution"):
        usable = [
            layer
            for layer in layers
            if layer.kind == kind and not layer.gate and not layer.name.startswith(inner)
        ]
        if kind == "activation" and any(layer.token or layer.channels_last for layer in layers):
            continue
        if usable:
            break
    else:
        usable = [layer for layer in layers if layer.kind != PENULTIMATE]
    wanted = min(max(count - 1, 0), len(usable))
    if wanted == 1:
        picked = [usable[-1]]
    else:
        picked = [usable[round(i * (len(usable) - 1) / (wanted - 1))] for i in range(wanted)]
    return (*(layer.name for layer in picked), PENULTIMATE)


def penultimate_shape(trace: Trace, plan: HeadPlan) -> tuple[int, ...]:
    """The shape of one image's penultimate features."""
    if not plan.modules:
        return tuple(trace.output.shape[1:])
    inputs = [
        call.input_shape[1:]
        for call in trace.calls
        if call.module_name in plan.modules and call.input_shape
    ]
    if plan.kind == "function":
        return inputs[0]
    return (sum(shape[0] for shape in inputs),)


def _number(drafts: Sequence[tuple[str, str, tuple[int, ...], _Form]]) -> tuple[Layer, ...]:
    last = max(len(drafts) - 1, 1)
    return tuple(
        Layer(
            name=name,
            position=position,
            kind=kind,
            shape=shape,
            channels=form.channels,
            depth=position / last if len(drafts) > 1 else 1.0,
            token=form.token,
            grid=form.grid,
            prefix_tokens=form.prefix_tokens,
            class_token=form.class_token,
            channels_last=form.channels_last,
            gate=_is_gate(position, form, drafts),
        )
        for position, (name, kind, shape, form) in enumerate(drafts)
    )


def _is_gate(
    position: int, form: _Form, drafts: Sequence[tuple[str, str, tuple[int, ...], _Form]]
) -> bool:
    """One position while maps still follow: such a layer weighs channels, it sees no place."""
    return form.grid == (1, 1) and any(
        (later.grid or (1, 1)) != (1, 1) for *_, later in drafts[position + 1 :]
    )


def _form(
    shape: tuple[int, ...],
    trace: Trace,
    patches: tuple[int, int] | None,
    channels_last: bool,
) -> _Form | None:
    if len(shape) == 1:
        return _Form(shape[0])
    if len(shape) == 2:
        return _token_form(shape, trace, patches)
    if len(shape) != 3:
        return None
    if channels_last:
        return _Form(shape[2], grid=(shape[0], shape[1]), channels_last=True)
    return _Form(shape[0], grid=(shape[1], shape[2]))


def _token_form(shape: tuple[int, ...], trace: Trace, patches: tuple[int, int] | None) -> _Form:
    count, channels = shape
    prefix = count - patches[0] * patches[1] if patches else -1
    if prefix < 0:  # a pyramid merges tokens on its way: the grid shrinks evenly
        side = next((n for n in (count, count - 1) if round(n**0.5) ** 2 == n), None)
        if side is None:
            return _Form(channels, token=True)
        patches, prefix = (round(side**0.5), round(side**0.5)), count - side
    # timm keeps None here where the extra tokens are registers alone.
    has_class = prefix > 0 and getattr(trace.module, "cls_token", True) is not None
    return _Form(channels, True, patches, prefix, has_class)


def _patch_grid(call: Call, trace: Trace) -> tuple[int, int] | None:
    """Rows and columns of patches where the image is cut into them: the first convolution."""
    if call.input_shape != tuple(trace.images.shape) or not call.is_leaf:
        return None
    shape = call.output_shape or ()
    return (shape[2], shape[3]) if len(shape) == 4 else None
