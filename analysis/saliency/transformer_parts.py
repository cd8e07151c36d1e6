"""What relevance propagation must know of a transformer: its parts, and that they add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from analysis.models.heads import find_head
from analysis.models.layers import find_layers
from analysis.models.probing import first_tensor
from analysis.saliency.attention import Recorded, find_attentions

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_LINEARS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
_SAME = 1e-4
_INSTEAD = "the gradient rollout needs no such rule"


@dataclass(frozen=True)
class RelevanceParts:
    """`blocks`: their names, first to last; empty where there is a `reason` against relevance."""

    blocks: tuple[str, ...] = ()
    reason: str = ""


@dataclass
class BlockRun:
    """What one block computed, the batch first.

    `before`: its input; `attended`: what attention added; `between`: their sum; `fed`: what the
    MLP added; `after`: its output. `inputs`: of the four linear layers, by their name.
    """

    before: torch.Tensor | None = None
    attended: torch.Tensor | None = None
    between: torch.Tensor | None = None
    fed: torch.Tensor | None = None
    after: torch.Tensor | None = None
    attention: Recorded | None = None
    inputs: dict[str, torch.Tensor] = field(default_factory=dict)


@dataclass
class TransformerRun:
    """One forward: a run a block, and the inputs of the head's linear layers."""

    blocks: dict[str, BlockRun]
    head_inputs: list[torch.Tensor] = field(default_factory=list)


def find_relevance_parts(model: LoadedModel) -> RelevanceParts:
    """The blocks relevance can be propagated through, or why it cannot. Found once.

    Each part must be of a kind there is a rule for, and on the model's probe images the parts must
    add up to what the model computes.
    """
    if "relevance_parts" not in model.cache:
        model.cache["relevance_parts"] = _find(model)
    return model.cache["relevance_parts"]


def read_tokens(model: LoadedModel) -> tuple[int, ...] | None:
    """The tokens in front of the patches that the classifier reads; None if it reads patches.

    Found by differentiating the head's input for the last block's output. For models with attention
    between all tokens.
    """
    if "read_tokens" not in model.cache:
        model.cache["read_tokens"] = _read_tokens(model)
    return model.cache["read_tokens"]


def _read_tokens(model: LoadedModel) -> tuple[int, ...] | None:
    from analysis.saliency.capture import MapCapture

    attention = find_attentions(model).layers[-1]
    candidates = [
        layer
        for layer in find_layers(model)
        if layer.kind == "block" and layer.token and layer.shape[0] == attention.tokens
    ]
    if not candidates:
        return None
    capture = MapCapture(model, candidates[-1], gradients=True)
    given: list[torch.Tensor] = []
    with ExitStack() as stack:
        for name in model.head_plan.modules:
            head = model.module.get_submodule(name)
            handle = head.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
            stack.callback(handle.remove)
        stack.enter_context(torch.enable_grad())
        stack.enter_context(capture.capturing())
        output = first_tensor(model.module(model.trace.images))
        assert output is not None
        assert capture.tensor is not None
        # The head's input and not the scores: an untrained head may be zero. In a direction of no
        # meaning: a normalisation makes the plain sum constant.
        seen = torch.cat([part.flatten(1) for part in given or [output]], 1)
        direction = torch.randn(seen.shape[1], generator=torch.Generator().manual_seed(0))
        (gradient,) = torch.autograd.grad((seen @ direction.to(seen)).sum(), capture.tensor)
    read = gradient.abs().sum((0, 2)) > 0
    if bool(read[attention.prefix_tokens :].any()) or not bool(read.any()):
        return None
    return tuple(read.nonzero()[:, 0].tolist())


@contextmanager
def recording_blocks(
    model: LoadedModel, blocks: Sequence[str], run: TransformerRun
) -> Iterator[None]:
    """The next forward fills `run`, all but the blocks' attention, which a recorder gives."""

    def keep(name: str, field_name: str, of_input: bool) -> Any:
        def hook(module: nn.Module, inputs: tuple, output: Any = None) -> None:
            value = inputs[0] if of_input else output
            setattr(run.blocks[name], field_name, value.detach())

        return hook

    def keep_linear(name: str, part: str) -> Any:
        def hook(module: nn.Module, inputs: tuple) -> None:
            run.blocks[name].inputs[part] = inputs[0].detach()

        return hook

    def keep_head(module: nn.Module, inputs: tuple) -> None:
        run.head_inputs.append(inputs[0].detach())

    with ExitStack() as stack:
        for name in blocks:
            block = model.module.get_submodule(name)
            before = block.register_forward_pre_hook(keep(name, "before", True))
            after = block.register_forward_hook(keep(name, "after", False))
            attended = block.get_submodule("attn").register_forward_hook(
                keep(name, "attended", False)
            )
            between = block.get_submodule("norm2").register_forward_pre_hook(
                keep(name, "between", True)
            )
            fed = block.get_submodule("mlp").register_forward_hook(keep(name, "fed", False))
            for handle in (before, after, attended, between, fed):
                stack.callback(handle.remove)
            for part in _LINEARS:
                linear = block.get_submodule(part)
                stack.callback(linear.register_forward_pre_hook(keep_linear(name, part)).remove)
        for head in model.head_plan.modules:
            module = model.module.get_submodule(head)
            stack.callback(module.register_forward_pre_hook(keep_head).remove)
        yield


def _find(model: LoadedModel) -> RelevanceParts:
    attentions = find_attentions(model)
    if not attentions.layers or attentions.reason:
        return RelevanceParts(reason=attentions.reason)
    names = []
    for layer in attentions.layers:
        name, _, own = layer.name.rpartition(".")
        reason = _against(model.module.get_submodule(name), own)
        if reason:
            return RelevanceParts(reason=f"Relevance has no rule for {reason}; {_INSTEAD}.")
        names.append(name)
    head = find_head(model)
    if head is None or not head.is_linear:
        return RelevanceParts(reason="Relevance has a rule for linear classifier heads alone; "
                              f"{_INSTEAD}.")  # fmt: skip
    if not _adds_up(model, names):
        return RelevanceParts(
            reason="The blocks do not add up to what the model computes, so relevance cannot be "
            f"followed; {_INSTEAD}."
        )
    return RelevanceParts(tuple(names))


def _against(block: nn.Module, attention_name: str) -> str:
    """What of a block there is no rule for, in words; empty for timm's plain block."""
    from timm.layers import Mlp
    from timm.models.vision_transformer import Attention, Block

    if type(block) is not Block or attention_name != "attn":
        return f"blocks of type {type(block).__name__}"
    attention: Any = block.attn
    mlp: Any = block.mlp
    if type(attention) is not Attention:
        return f"attention of type {type(attention).__name__}"
    if not _nothing(block.ls1) or not _nothing(block.ls2):
        return "LayerScale"
    if not _nothing(attention.q_norm) or not _nothing(attention.k_norm):
        return "normalised queries and keys"
    if not _nothing(getattr(attention, "norm", None)) or not _nothing(
        getattr(attention, "gate", None)
    ):
        return "normalised or gated attention"
    if type(mlp) is not Mlp or not _nothing(getattr(mlp, "norm", None)):
        return f"an MLP of type {type(mlp).__name__}"
    return ""


def _nothing(module: Any) -> bool:
    return module is None or isinstance(module, nn.Identity)


def _adds_up(model: LoadedModel, names: Sequence[str]) -> bool:
    """Whether residuals, blocks and head fit together on the probe images."""
    run = TransformerRun({name: BlockRun() for name in names})
    read = read_tokens(model)
    if read is None or len(read) != len(model.head_plan.modules):
        return False
    with torch.no_grad(), recording_blocks(model, names, run):
        model.module(model.trace.images)
    previous: torch.Tensor | None = None
    for block in run.blocks.values():
        before, attended, between = block.before, block.attended, block.between
        if before is None or attended is None or between is None or block.fed is None:
            return False
        if block.after is None or not _close(before + attended, between):
            return False
        if not _close(between + block.fed, block.after):
            return False
        if previous is not None and not torch.equal(previous, before):
            return False
        previous = block.after
    assert previous is not None
    # Between the last block and the head there is a normalisation of each token, and no more.
    norm = _last_normalisation(model, names[-1])
    if norm is None:
        return False
    with torch.no_grad():
        tokens = norm(previous)
    return all(
        _close(tokens[:, token], given) for token, given in zip(read, run.head_inputs, strict=True)
    )


def _last_normalisation(model: LoadedModel, block: str) -> nn.Module | None:
    after = False
    for call in model.trace.calls:
        if call.module_name == block:
            after = True
        elif after and isinstance(call.module, nn.LayerNorm):
            return call.module
    return None


def _close(first: torch.Tensor, second: torch.Tensor) -> bool:
    if first.shape != second.shape:
        return False
    return bool((first - second).abs().max() <= _SAME * second.abs().max().clamp_min(1e-6))
