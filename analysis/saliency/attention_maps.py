"""Maps read off recorded attention: raw, before the softmax, keys, and rollout.

Sizes: weights (n, heads, queries, tokens); maps (n, rows, columns) of the patches. The class token
is token 0; `prefix` tokens are no patches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from analysis.saliency.attention import AttentionLayer, Recorded
from analysis.saliency.maps import min_max
from analysis.saliency.methods import Fusion, MethodSettings


def attention_map(
    settings: MethodSettings, recorded: Recorded, prefix: int, grid: tuple[int, int]
) -> torch.Tensor:
    """One of `attention`, `raw-star`, `raw-pow`, `keys-norm`, `raw-keys` at one layer.

    Thesis 3.1: Raw is the class token's row after the softmax, Raw* before it (Raw-Log is the same
    but for the row's constant), Raw-Pow(p) each head's row to the power p; then the mean of the
    heads. Keys-norm is the length of the keys' mean over heads. Raw* × Keys-norm multiplies the
    two after each was brought to 0…1, so that their signs and units do not matter.
    """

    def laid_out(tokens: torch.Tensor) -> torch.Tensor:
        # A copy: a view would keep all of a layer's attention in memory.
        return tokens[:, prefix:].float().clone().reshape(len(tokens), *grid)

    def of_heads(values: torch.Tensor) -> torch.Tensor:
        return values.mean(1) if settings.head is None else values[:, settings.head - 1]

    method = settings.method
    if method == "attention":
        return laid_out(of_heads(recorded.weights[:, :, 0]))
    if method == "raw-pow":
        return laid_out(of_heads(recorded.weights[:, :, 0] ** settings.power))
    if method == "raw-star":
        return laid_out(of_heads(recorded.class_logits))
    assert recorded.key is not None
    norms = laid_out(of_heads(recorded.key).norm(dim=-1))
    if method == "keys-norm":
        return norms
    return min_max(laid_out(of_heads(recorded.class_logits))) * min_max(norms)


def fuse_heads(
    weights: torch.Tensor, fusion: Fusion = "mean", discard: float = 0.0
) -> torch.Tensor:
    """One matrix a layer from its heads: (n, tokens, tokens).

    `discard`: the share of each image's weakest fused attentions that are set to zero, those to
    the class token excepted.
    """
    reduce: dict[str, Callable[..., torch.Tensor]]
    reduce = {"mean": torch.mean, "max": torch.amax, "min": torch.amin}
    fused = reduce[fusion](weights, 1).float()
    if discard > 0:
        flat = fused.flatten(1).clone()
        weakest = flat.topk(int(flat.shape[1] * discard), 1, largest=False, sorted=False).indices
        kept = flat.gather(1, weakest)
        to_class = weakest % fused.shape[-1] == 0
        fused = flat.scatter(1, weakest, torch.where(to_class, kept, 0.0)).view_as(fused)
    return fused


def rollout(matrices: Sequence[torch.Tensor], order: str = "correct") -> torch.Tensor:
    """Row 0 of the product of (A + I) over layers, first layer first in `matrices`: (n, tokens).

    “correct”: Â_last · … · Â_first with rows of Â that sum to one (Abnar and Zuidema 2020; for the
    mean of heads the sum changes nothing but the scale). “thesis”: Â_first · … · Â_last as its
    code and Eq. 2.34 have it, which follows the information backwards. Only one row is needed, so
    vectors are multiplied, never matrices.
    """
    row = torch.zeros_like(matrices[0][:, 0])
    row[:, 0] = 1
    for matrix in reversed(matrices) if order == "correct" else matrices:
        row = _through(row, matrix, order == "correct")
    return row


def _through(row: torch.Tensor, matrix: torch.Tensor, normalise: bool) -> torch.Tensor:
    """row · (A + I), the rows of A + I summing to one where asked for."""
    if normalise:
        row = row / (matrix.sum(-1) + 1)
    return row + (row[:, None] @ matrix)[:, 0]


def layer_range(
    layers: Sequence[AttentionLayer], first: int | None, last: int | None
) -> Sequence[AttentionLayer]:
    """The layers first…last, both counted from 1 and included."""
    return layers[(first or 1) - 1 : last or len(layers)]
