"""What a network does in one forward: which module ran when, on what, and what came out.

Everything that Parallax says about a network's structure (layers, head, foldable pairs) is read
off such a trace, so that no list of module names is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from analysis.errors import AuditError
from analysis.models.preprocessing import Preprocessing

PROBE_IMAGES = 2
_SMALL = 1 << 16

_ATTENTION_FUNCTIONS = {
    nn.functional.scaled_dot_product_attention,
    nn.functional.multi_head_attention_forward,
    nn.functional.softmax,
    torch.softmax,
    torch.Tensor.softmax,
    getattr(torch, "_native_multi_head_attention", None),
}


@dataclass
class Call:
    """One call of one module. `name` counts repeated calls as `relu#2`; shapes include the batch.

    `start` and `end` are ticks of one clock over all calls: a call lies within another when its
    ticks do. `input` and `output` are kept where small, for comparing with the network's output.
    `lowest`: the least value that came out.
    """

    name: str
    module_name: str
    module: nn.Module
    start: int
    parent: Call | None
    end: int = -1
    input_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    input: torch.Tensor | None = None
    output: torch.Tensor | None = None
    lowest: float = 0.0
    attends: bool = False
    single_input: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether the module has no modules inside."""
        return next(self.module.children(), None) is None

    def within(self, other: Call) -> bool:
        """Whether this call happened inside another."""
        return other.start < self.start and self.end < other.end


@dataclass
class Trace:
    """One forward. `calls` in the order in which they finished; the network itself is left out."""

    module: nn.Module
    images: torch.Tensor
    output: torch.Tensor
    calls: list[Call] = field(default_factory=list)


class _AttentionWatch(TorchFunctionMode):
    """Notes in which module attention weights are computed."""

    def __init__(self, current: Callable[[], Call | None]) -> None:
        super().__init__()
        self._current = current

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple = (), keywords: dict | None = None
    ) -> Any:
        if function in _ATTENTION_FUNCTIONS and getattr(next(iter(arguments), None), "ndim", 0) > 2:
            call = self._current()
            while call is not None and call.is_leaf and not _is_attention_module(call.module):
                call = call.parent
            if call is not None:
                call.attends = True
        return function(*arguments, **(keywords or {}))


def probe_images(
    module: nn.Module, preprocessing: Preprocessing, count: int = PROBE_IMAGES
) -> torch.Tensor:
    """Random images of the model's input size on its device: (count, 3, height, width)."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, preprocessing.height, preprocessing.width, generator=generator)
    device = next((tensor.device for tensor in module.parameters()), torch.device("cpu"))
    return images.to(device)


def probe(module: nn.Module, preprocessing: Preprocessing) -> Trace:
    """Run the network once on two random images and note every module's call.

    :raises AuditError: the network does not take images of the size its preprocessing gives.
    """
    images = probe_images(module, preprocessing)
    calls: list[Call] = []
    with _record(module, calls), torch.no_grad():
        try:
            output = first_tensor(module(images))
        except (RuntimeError, ValueError, AssertionError, TypeError) as error:
            raise AuditError(
                f"The model cannot take images of {preprocessing.height} ×"
                f" {preprocessing.width} pixels: {str(error).splitlines()[0]}",
                "Set its input size (?input=…), or ?dynamic_img_size=true for a transformer.",
            ) from error
    if output is None:
        raise AuditError("The model's output is not a tensor.", "Choose a classification model.")
    return Trace(module, images, output, calls)


@contextmanager
def _record(module: nn.Module, calls: list[Call]) -> Iterator[None]:
    stack: list[Call] = []
    counts: Counter[str] = Counter()
    clock = iter(range(1 << 62))

    def begin(name: str) -> Callable[..., None]:
        def hook(part: nn.Module, inputs: tuple, keywords: dict) -> None:
            counts[name] += 1
            number = f"#{counts[name]}" if counts[name] > 1 else ""
            parent = stack[-1] if stack else None
            call = Call(name + number, name, part, next(clock), parent)
            first = inputs[0] if inputs and isinstance(inputs[0], torch.Tensor) else None
            if first is not None:
                call.input_shape, call.input = tuple(first.shape), _kept(first)
            call.single_input = len(inputs) == 1 and not keywords
            stack.append(call)

        return hook

    def finish(part: nn.Module, inputs: tuple, output: Any) -> None:
        call = stack.pop()
        call.end = next(clock)
        # Several maps in a list have no one place in the network; a pair is a map and its extras.
        tensor = None if isinstance(output, list | dict) else first_tensor(output)
        if tensor is not None:
            call.output_shape, call.output = tuple(tensor.shape), _kept(tensor)
            call.lowest = float(tensor.min()) if tensor.numel() else 0.0
        calls.append(call)

    with ExitStack() as hooks:
        for name, part in module.named_modules():
            if not name or isinstance(part, torch.jit.ScriptModule):
                continue
            handle = part.register_forward_pre_hook(begin(name), with_kwargs=True)
            hooks.callback(handle.remove)
            hooks.callback(part.register_forward_hook(finish).remove)
        with _AttentionWatch(lambda: stack[-1] if stack else None):
            yield


def first_tensor(output: Any) -> torch.Tensor | None:
    """The tensor a module gives, or the first of several."""
    if isinstance(output, torch.Tensor):
        return output
    return next((leaf for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor)), None)


def _kept(tensor: torch.Tensor) -> torch.Tensor | None:
    """A copy, where one is cheap: a later in-place operation may not change what is compared."""
    small = tensor.numel() <= _SMALL or tensor.ndim == 2
    return tensor.detach().clone() if small else None


def _is_attention_module(module: nn.Module) -> bool:
    return isinstance(module, nn.MultiheadAttention)
