"""TIBAV: relevance propagated through a stock vision transformer, without rewriting it.

Chefer, Gur and Wolf, CVPR 2021; rules of deep Taylor decomposition (LRP, α = 1). The forward is
the model's own; afterwards the blocks are walked in reverse in closed form. Every rule keeps the
sum of relevance of each image, which starts at 1: what is left of it is reported.

- Linear layers: R_in = x ⊙ (…), with the positive products x⁺w⁺ + x⁻w⁻ = ½(xw + |x||w|); the bias
  takes nothing.
- LayerNorm, GELU, softmax: relevance passes as it is.
- A product of two tensors: in proportion to x ⊙ gradient of either, half for each.
- A residual sum: in proportion to each part, then each rescaled so that their sums are as their
  absolute sums, image by image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from analysis.models.heads import find_head
from analysis.saliency.attention import Recorded
from analysis.saliency.transformer_parts import BlockRun, TransformerRun, read_tokens

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_TINY = 1e-9


@dataclass(frozen=True)
class RelevanceRows:
    """`rows` (n, tokens): what the class token owes to each token. `conserved` (blocks, n): the sum
    of relevance at each block's input, first block first; 1 where nothing was lost.
    """

    rows: torch.Tensor
    conserved: torch.Tensor


def tibav(
    model: LoadedModel,
    run: TransformerRun,
    gradients: Mapping[str, torch.Tensor],
    classes: torch.Tensor,
    first: int = 1,
) -> RelevanceRows:
    """Row of the class token in Π (I + mean_heads (∇A ⊙ R_A)⁺), last block to `first`.

    :param run: with the attention of every block.
    :param gradients: of the class's logit for each block's attention weights, by the block's name.
    :param classes: (n,) int64.
    :param first: the first block that counts (1 is the network's first).
    """
    names = list(run.blocks)
    relevance = _head_relevance(model, run, classes)
    row = start_row(model, relevance.shape[1], relevance)
    conserved = [relevance.sum((1, 2))]
    for name in reversed(names[first - 1 :]):
        block = model.module.get_submodule(name)
        of_attention, relevance = _through_block(block, run.blocks[name], relevance)
        weight = (gradients[name].detach().to(relevance) * of_attention).relu().mean(1)
        row = row + (row[:, None] @ weight)[:, 0]
        conserved.append(relevance.sum((1, 2)))
    return RelevanceRows(row.float(), torch.stack(conserved[:0:-1]))


def gradient_rollout(
    start: torch.Tensor, weights: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Row of the class token in Π (I + mean_heads (∇A ⊙ A)⁺), last block first: (n, tokens).

    Chefer, Gur and Wolf, ICCV 2021, Eq. 5 and 6: the successor of TIBAV, without propagation.

    :param start: (n, tokens), the tokens the classifier reads (see `start_row`).
    :param weights: A of the blocks that count, first block first: (n, heads, tokens, tokens).
    :param gradients: of the class's logit, in the same order.
    """
    row = start
    for weight, gradient in zip(reversed(weights), reversed(gradients), strict=True):
        fused = (gradient.detach() * weight.detach()).relu().mean(1).to(row)
        row = row + (row[:, None] @ fused)[:, 0]
    return row


def start_row(model: LoadedModel, tokens: int, like: torch.Tensor) -> torch.Tensor:
    """(n, tokens): 1 at the class token; shared evenly where the classifier reads several tokens,
    as a distilled transformer's does.
    """
    read = read_tokens(model)
    assert read
    row = torch.zeros(len(like), tokens, dtype=like.dtype, device=like.device)
    row[:, list(read)] = 1 / len(read)
    return row


def _head_relevance(model: LoadedModel, run: TransformerRun, classes: torch.Tensor) -> torch.Tensor:
    """Relevance of the last block's tokens (n, tokens, channels), 1 in all for each image."""
    head, read = find_head(model), read_tokens(model)
    last = list(run.blocks.values())[-1].after
    assert head is not None
    assert head.weight is not None
    assert read
    assert last is not None
    x = torch.cat(run.head_inputs, 1)
    weight = head.weight.to(x)[classes]
    positive = (x * weight + (x * weight).abs()) / 2
    share = positive * share_of(torch.ones_like(x[:, :1]), positive.sum(1, keepdim=True))
    relevance = torch.zeros_like(last)
    for token, part in zip(read, share.chunk(len(read), 1), strict=True):
        relevance[:, token] = part
    return relevance


def _through_block(
    block: Any, run: BlockRun, relevance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Relevance of the block's attention weights, and of its input, from that of its output."""
    assert run.between is not None
    assert run.fed is not None
    assert run.before is not None
    assert run.attended is not None
    kept, added = residual_rule(run.between, run.fed, relevance)
    added = linear_rule(run.inputs["mlp.fc2"], block.mlp.fc2, added)
    added = linear_rule(run.inputs["mlp.fc1"], block.mlp.fc1, added)
    kept, added = residual_rule(run.before, run.attended, kept + added)
    added = linear_rule(run.inputs["attn.proj"], block.attn.proj, added)
    of_attention, inward = _through_attention(run.attention, added)
    return of_attention, kept + linear_rule(run.inputs["attn.qkv"], block.attn.qkv, inward)


def _through_attention(
    recorded: Recorded | None, relevance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Relevance of the weights (n, heads, tokens, tokens), and of queries, keys and values side by
    side as the linear layer gives them (n, tokens, 3 · channels).
    """
    assert recorded is not None
    assert recorded.query is not None
    assert recorded.key is not None
    assert recorded.value is not None
    query, key, value = (part.detach() for part in (recorded.query, recorded.key, recorded.value))
    images, heads, tokens, channels = value.shape
    mixed = relevance.reshape(images, tokens, heads, channels).transpose(1, 2)
    of_attention, of_value = product_rule(recorded.weights.detach(), value, mixed)
    of_query, of_key = product_rule(query, key.transpose(-2, -1), of_attention)
    parts = torch.stack([of_query, of_key.transpose(-2, -1), of_value])
    side_by_side = parts.permute(1, 3, 0, 2, 4).reshape(images, tokens, -1)
    return of_attention, side_by_side


def linear_rule(x: torch.Tensor, linear: nn.Linear, relevance: torch.Tensor) -> torch.Tensor:
    """α = 1: in proportion to the positive products of input and weight, without the bias."""
    weight = linear.weight.to(x)
    size, sized = x.abs(), weight.abs()
    positive = (functional.linear(x, weight) + functional.linear(size, sized)) / 2
    share = share_of(relevance, positive)
    return (x * (share @ weight) + size * (share @ sized)) / 2


def product_rule(
    first: torch.Tensor, second: torch.Tensor, relevance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """For `first @ second`: x ⊙ gradient of either, half of the relevance for each."""
    share = share_of(relevance, first @ second) / 2
    return first * (share @ second.transpose(-2, -1)), second * (first.transpose(-2, -1) @ share)


def residual_rule(
    kept: torch.Tensor, added: torch.Tensor, relevance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """For `kept + added`: in proportion, then rescaled by each image's own sums.

    The authors' code sums over the whole batch here, which is right for one image at a time.
    """
    share = share_of(relevance, kept + added)
    parts = kept * share, added * share
    sums = [_per_image(part) for part in parts]
    total = _per_image(relevance)
    sizes = sums[0].abs() + sums[1].abs()
    scales = [share_of(share_of(part_sum.abs(), sizes) * total, part_sum) for part_sum in sums]
    return parts[0] * scales[0], parts[1] * scales[1]


def share_of(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """part / whole, 0 where the whole is 0; 1e-9 away from zero keeps it finite."""
    return torch.where(
        whole == 0, 0.0, part / (whole + torch.full_like(whole, _TINY).copysign(whole))
    )


def _per_image(values: torch.Tensor) -> torch.Tensor:
    return values.sum((1, 2), keepdim=True)
