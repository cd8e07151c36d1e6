"""A faster forward with the same numbers: channels last, and batch normalisation folded away.

In evaluation a batch normalisation is a fixed scale and shift of each channel, so it can be put
into the weights of the convolution before it. Which pairs may be folded is read off one forward:
the normalisation's input must be the convolution's output, and nothing else may use it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Precision = Literal["float32", "bfloat16", "float16"]
_LARGEST_CHANGE = 1e-3


@dataclass(frozen=True)
class InferenceOptions:
    """How a model runs.

    `channels_last`: memory order that convolutions are fastest in. `fold`: batch normalisation
    into convolutions. `compile`: torch.compile for forwards without taps (a minute once, needs a
    C++ compiler on the CPU). `precision`: of the multiplications; results stay float32.
    """

    channels_last: bool = True
    fold: bool = True
    compile: bool = False
    precision: Precision = "float32"


PLAIN = InferenceOptions(channels_last=False, fold=False)
"""The network exactly as its library runs it."""


class FoldedNormalisation(nn.Module):
    """Stands where a batch normalisation was: hands its input on while that is folded.

    Modules inside it (timm keeps an activation there) stay and keep their names.
    """

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self._original = (original,)  # in a tuple: no module of the network any more
        self.folded = True
        for name, part in original.named_children():
            self.add_module(name, part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What the normalisation and the modules inside it would give."""
        if not self.folded:
            return self._original[0](x)
        for part in self.children():
            x = part(x)
        return x

    def extra_repr(self) -> str:
        return f"of {type(self._original[0]).__name__}, folded={self.folded}"


@dataclass
class _Pair:
    convolution: nn.Conv2d
    normalisation: FoldedNormalisation
    plain: tuple[nn.Parameter | None, nn.Parameter | None]
    folded: tuple[nn.Parameter, nn.Parameter]

    def set_folded(self, folded: bool) -> None:
        weight, bias = self.folded if folded else self.plain
        self.convolution.register_parameter("weight", weight)
        self.convolution.register_parameter("bias", bias)
        self.normalisation.folded = folded


@dataclass
class Folding:
    """The folded pairs of a network, by the convolution's name."""

    pairs: dict[str, _Pair] = field(default_factory=dict)
    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def unfolded(self, names: Collection[str]) -> Iterator[None]:
        """While this lasts, these convolutions give their own output and not the normalised one.

        Names that are not folded convolutions are ignored. May be nested.
        """
        held = [name for name in names if name in self.pairs]
        for name in held:
            self._open[name] += 1
            self.pairs[name].set_folded(False)
        try:
            yield
        finally:
            for name in held:
                self._open[name] -= 1
                if not self._open[name]:
                    self.pairs[name].set_folded(True)


def prepare_for_inference(
    module: nn.Module, images: torch.Tensor, options: InferenceOptions
) -> Folding:
    """Make a network fast in place: evaluation mode, no gradients, memory order, folding.

    :param images: two or so model inputs on the network's device, for looking and for checking.
    :return: what was folded; empty where folding changed the output by more than rounding.
    """
    module.eval().requires_grad_(False)
    if options.channels_last and images.device.type in ("cpu", "cuda"):
        module.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    return _fold(module, images) if options.fold else Folding()


def _fold(module: nn.Module, images: torch.Tensor) -> Folding:
    before, found = _find_pairs(module, images)
    folding = Folding()
    for convolution_name, norm_name in found.items():
        convolution = module.get_submodule(convolution_name)
        original = module.get_submodule(norm_name)
        assert isinstance(convolution, nn.Conv2d)
        replacement = FoldedNormalisation(original).eval()
        pair = _Pair(
            convolution,
            replacement,
            (convolution._parameters["weight"], convolution._parameters["bias"]),
            _folded_parameters(convolution, original),
        )
        _replace(module, norm_name, replacement)
        pair.set_folded(True)
        folding.pairs[convolution_name] = pair
    if folding.pairs and not _unchanged(module, images, before):
        for convolution_name, pair in folding.pairs.items():
            pair.set_folded(False)
            _replace(module, found[convolution_name], pair.normalisation._original[0])
        return Folding()
    return folding


def _folded_parameters(
    convolution: nn.Conv2d, normalisation: Any
) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights and bias of convolution and normalisation in one, computed in float64."""
    variance = normalisation.running_var.to("cpu", torch.float64)
    mean = normalisation.running_mean.to("cpu", torch.float64)
    scale = torch.rsqrt(variance + normalisation.eps)
    if normalisation.weight is not None:
        scale = scale * normalisation.weight.to("cpu", torch.float64)
    bias = torch.zeros_like(mean)
    if convolution.bias is not None:
        bias = convolution.bias.to("cpu", torch.float64)
    shift = (bias - mean) * scale
    if normalisation.bias is not None:
        shift = shift + normalisation.bias.to("cpu", torch.float64)
    weight = convolution.weight.to("cpu", torch.float64) * scale.view(-1, 1, 1, 1)
    return (
        nn.Parameter(torch.empty_like(convolution.weight).copy_(weight), requires_grad=False),
        nn.Parameter(shift.to(convolution.weight), requires_grad=False),
    )


def _unchanged(module: nn.Module, images: torch.Tensor, before: torch.Tensor) -> bool:
    with torch.no_grad():
        after = _tensor(module(images))
    scale = before.abs().max().clamp_min(torch.finfo(before.dtype).tiny)
    return bool((after - before).abs().max() <= _LARGEST_CHANGE * scale)


def _replace(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, own = name.rpartition(".")
    module.get_submodule(parent).register_module(own, part)


class _Uses(TorchDispatchMode):
    """Which operations read the outputs of watched convolutions, and inside which module."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: dict[int, tuple[str, torch.Tensor]] = {}
        self.users: dict[str, list[str]] = defaultdict(list)
        self.inside: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple = (), keywords: dict | None = None
    ) -> Any:
        for leaf in tree_leaves((arguments, keywords or {})):
            if isinstance(leaf, torch.Tensor) and id(leaf) in self.watched:
                name = self.watched[id(leaf)][0]
                self.users[name].append(self.inside[-1] if self.inside else "")
        return function(*arguments, **(keywords or {}))


def _find_pairs(module: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, dict[str, str]]:
    """The network's output, and the normalisation's name for every convolution to fold it into."""
    uses = _Uses()
    calls: Counter[str] = Counter()
    inputs: dict[str, str] = {}

    def watch(name: str) -> Any:
        def hook(_: nn.Module, __: tuple, output: torch.Tensor) -> None:
            calls[name] += 1
            uses.watched[id(output)] = (name, output)

        return hook

    def enter(name: str) -> Any:
        def hook(_: nn.Module, arguments: tuple) -> None:
            calls[name] += 1
            uses.inside.append(name)
            watched = uses.watched.get(id(arguments[0])) if arguments else None
            if watched is not None:
                inputs[watched[0]] = name

        return hook

    def leave(_: nn.Module, __: tuple, ___: Any) -> None:
        uses.inside.pop()

    shared = _shared_parameters(module)
    with ExitStack() as hooks:
        for name, part in module.named_modules():
            if _foldable_convolution(part) and id(part.weight) not in shared:
                hooks.callback(part.register_forward_hook(watch(name)).remove)
            elif _foldable_normalisation(part):
                hooks.callback(part.register_forward_pre_hook(enter(name)).remove)
                hooks.callback(part.register_forward_hook(leave).remove)
        with torch.no_grad(), uses:
            output = _tensor(module(images))
    pairs = {
        convolution: norm
        for convolution, norm in inputs.items()
        if calls[convolution] == 1 and calls[norm] == 1 and set(uses.users[convolution]) == {norm}
    }
    return output, pairs


def _shared_parameters(module: nn.Module) -> set[int]:
    counts: Counter[int] = Counter()
    for part in module.modules():
        counts.update(
            id(parameter) for parameter in part._parameters.values() if parameter is not None
        )
    return {key for key, count in counts.items() if count > 1}


def _foldable_convolution(module: nn.Module) -> bool:
    """Types whose forward is linear in `weight` and `bias`; others rework their weights."""
    from timm.layers import Conv2dSame

    return type(module) in (nn.Conv2d, Conv2dSame) and not module._forward_hooks


def _foldable_normalisation(module: nn.Module) -> bool:
    from timm.layers import BatchNormAct2d

    return (
        type(module) in (nn.BatchNorm2d, BatchNormAct2d)
        and module.running_var is not None
        and not module._forward_pre_hooks
    )


def _tensor(output: Any) -> torch.Tensor:
    from analysis.models.probing import first_tensor

    tensor = first_tensor(output)
    assert tensor is not None
    return tensor
