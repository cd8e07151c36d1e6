"""What kind of layer a module is, from its type and from what it does; never from its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn

from analysis.models.optimize import FoldedNormalisation
from analysis.models.placement import NamedOutput
from analysis.models.probing import Call, Trace

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
_WEIGHTED = (nn.Linear, *_CONVOLUTIONS)
_NORMALISATIONS = (
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.LocalResponseNorm,
    FoldedNormalisation,
    *([nn.RMSNorm] if hasattr(nn, "RMSNorm") else []),
)
_BATCH_NORMALISATIONS = (nn.BatchNorm2d, FoldedNormalisation)


def find_kinds(trace: Trace) -> dict[str, str]:
    """The kind of each call of a trace, by the call's name; calls without a kind are left out."""
    kinds: dict[str, str] = {}
    for call in trace.calls:
        kind = _leaf_kind(call) or _composite_kind(call, trace, kinds)
        if kind is not None:
            kinds[call.name] = kind
    kinds |= _blocks_and_stages(trace, kinds)
    _drop_inner_pooling(trace, kinds)
    return kinds


def _leaf_kind(call: Call) -> str | None:
    module = call.module
    if isinstance(module, NamedOutput):
        return "stage"
    if isinstance(module, _CONVOLUTIONS):
        return "convolution"
    if isinstance(module, _NORMALISATIONS):
        return "normalisation"
    if _has_parameters(module):
        return "activation" if isinstance(module, nn.PReLU) else None
    if call.is_leaf and call.input_shape == call.output_shape and _is_elementwise(module):
        return "activation"
    return "pooling" if _pools(call) else None


def _is_elementwise(module: nn.Module) -> bool:
    """Whether a module without parameters is a function of each value alone, and changes it."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(1, 4, 6, 6, generator=generator) * 4
    order = torch.randperm(values.numel(), generator=generator)
    shuffled = values.flatten()[order].view_as(values)
    try:
        with torch.no_grad():
            result, other = module(values.clone()), module(shuffled.clone())
    except Exception:  # a module that cannot take such values is no activation
        return False
    if not isinstance(result, torch.Tensor) or result.shape != values.shape:
        return False
    if torch.equal(result, values):
        return False
    return torch.allclose(result.flatten()[order], other.flatten(), atol=1e-5)


def _pools(call: Call) -> bool:
    """Fewer positions, the same channels."""
    before, after = call.input_shape or (), call.output_shape or ()
    if len(before) != 4 or len(after) not in (2, 4) or before[0] != after[0]:
        return False
    if len(after) == 2:
        return after[1] in (before[1], before[3]) and min(before[2:]) > 1
    same_channels = after[1] == before[1] or after[3] == before[3]
    return same_channels and after[2] < before[2] and after != before


def _composite_kind(call: Call, trace: Trace, kinds: dict[str, str]) -> str | None:
    if call.is_leaf:
        return None
    if call.attends and len(call.output_shape or ()) >= 3:
        return "attention"
    images = tuple(trace.images.shape)
    if call.input_shape == images and _gives_tokens(call, trace):
        return "embedding"
    inner = [other for other in trace.calls if other.within(call)]
    if _is_mlp(call, inner) and not any(kinds.get(other.name) == "mlp" for other in inner):
        return "mlp"
    return "activation" if _rectifies(call, inner, kinds) else None


def _rectifies(call: Call, inner: list[Call], kinds: dict[str, str]) -> bool:
    """A convolution with an activation that is a function, not a module of its own."""
    return (
        sum(_weighted(other) for other in inner) == 1
        and not any(kinds.get(other.name) == "activation" for other in inner)
        and call.lowest == 0
        and inner[-1].lowest < 0
        and inner[-1].output_shape == call.output_shape
    )


def _gives_tokens(call: Call, trace: Trace) -> bool:
    """A sequence of tokens, or a channels-last map, straight from the image."""
    shape = call.output_shape or ()
    inner = [other for other in trace.calls if other.within(call) and _weighted(other)]
    if not inner or len(inner) > 1:
        return False
    if len(shape) == 3:
        return True
    channels = getattr(inner[0].module, "out_channels", 0)
    return len(shape) == 4 and shape[3] == channels and shape[1] != channels


def _is_mlp(call: Call, inner: list[Call]) -> bool:
    """Two or more position-wise linear maps that keep the shape, and no attention."""
    if call.input_shape != call.output_shape or len(call.output_shape or ()) < 3:
        return False
    weighted = [other for other in inner if _weighted(other)]
    return (
        len(weighted) >= 2
        and not any(other.attends for other in inner)
        and all(_is_positionwise(other.module) for other in weighted)
        and not any(isinstance(other.module, _BATCH_NORMALISATIONS) for other in inner)
        and not any(_positions(other) == 1 for other in weighted)
    )


def _is_positionwise(module: nn.Module) -> bool:
    if isinstance(module, nn.Linear):
        return True
    return isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1)


def _blocks_and_stages(trace: Trace, kinds: dict[str, str]) -> dict[str, str]:
    """Blocks: parts of a sequence that hold weights, else repeated ones. Stages hold blocks."""
    able = [call for call in trace.calls if _may_be_block(call, trace, kinds)]
    candidates = [call for call in able if _in_container(call, trace)]
    if not candidates:
        types = Counter(type(call.module) for call in able)
        candidates = [call for call in able if types[type(call.module)] > 1]
    found: dict[str, str] = {}
    for call in candidates:
        holds = any(other.within(call) for other in candidates)
        found[call.name] = "stage" if holds else "block"
    blocks = [call for call in candidates if found[call.name] == "block"]
    for call in trace.calls:
        if call.name in found or call.is_leaf or len(call.output_shape or ()) < 3:
            continue
        if any(block.within(call) for block in blocks):
            found[call.name] = "stage"
    return found


def _may_be_block(call: Call, trace: Trace, kinds: dict[str, str]) -> bool:
    if call.is_leaf or isinstance(call.module, _CONTAINERS) or call.name in kinds:
        return False
    if len(call.output_shape or ()) < 3:
        return False
    inner = [other for other in trace.calls if other.within(call)]
    weights = [other for other in inner if _weighted(other) and _positions(other) > 1]
    attention = [other for other in inner if other.attends]
    return len(weights) + len(attention) >= 2


def _in_container(call: Call, trace: Trace) -> bool:
    parent, _, _ = call.module_name.rpartition(".")
    return isinstance(trace.module.get_submodule(parent), _CONTAINERS) if parent else False


def _drop_inner_pooling(trace: Trace, kinds: dict[str, str]) -> None:
    """A pooling made of poolings is one layer."""
    pooling = [call for call in trace.calls if kinds.get(call.name) == "pooling"]
    for call in pooling:
        if any(call.within(other) for other in pooling):
            kinds.pop(call.name, None)


def _weighted(call: Call) -> bool:
    return isinstance(call.module, _WEIGHTED)


def _positions(call: Call) -> int:
    """How many places of the image an output speaks of."""
    shape = call.output_shape or ()
    if len(shape) == 4:
        return max(shape[2] * shape[3], 1)
    return shape[1] if len(shape) == 3 else 1


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def find_layouts(trace: Trace) -> dict[str, bool]:
    """For each call that gives a map: whether its channels come last, as (h, w, channels).

    The positions of a map have the image's proportions, which tells unless there are as many
    channels as rows and columns. Then another call of the same type tells, or the type itself.
    """
    layouts: dict[str, bool] = {}
    by_type: dict[type, bool] = {}
    undecided = []
    for call in trace.calls:
        shape = call.output_shape or ()
        if len(shape) != 4:
            continue
        known = _channels_last_by_shape(shape[1:], trace.images.shape[-2:])
        if isinstance(call.module, _CONVOLUTIONS):
            known = False
        elif isinstance(call.module, nn.Linear) or type(call.module) is nn.LayerNorm:
            known = True
        if known is None:
            undecided.append(call)
        else:
            layouts[call.name] = by_type[type(call.module)] = known
    previous = False
    for call in trace.calls:
        if call in undecided:
            # What has no memory of its own (an activation) leaves the layout as it was.
            own = None if not _has_parameters(call.module) else by_type.get(type(call.module))
            layouts[call.name] = previous if own is None else own
        previous = layouts.get(call.name, previous)
    return layouts


def _channels_last_by_shape(shape: tuple[int, ...], image: Sequence[int]) -> bool | None:
    height, width = image
    channels_first = abs(shape[1] * width - shape[2] * height)
    channels_last = abs(shape[0] * width - shape[1] * height)
    return None if channels_first == channels_last else channels_last < channels_first
