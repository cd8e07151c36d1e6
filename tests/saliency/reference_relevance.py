"""TIBAV written for one image at a time, every rule by automatic differentiation.

Nothing here comes from `analysis`: the forward of timm's vision transformer is written out with its
modules, and each rule follows the published description (relevance in proportion to input times
gradient of a share). It is slow and only for comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional


def divide(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a / (b + 1e-9 * (b >= 0) - 1e-9 * (b < 0)) * (b != 0)


def by_gradient(
    function: Callable[..., torch.Tensor], inputs: list[torch.Tensor], relevance: torch.Tensor
) -> list[torch.Tensor]:
    """x ⊙ ∂⟨function(x), R / function(x)⟩ / ∂x for each input."""
    leaves = [tensor.detach().clone().requires_grad_(True) for tensor in inputs]
    with torch.enable_grad():
        output = function(*leaves)
        share = divide(relevance, output.detach())
        gradients = torch.autograd.grad(output, leaves, share)
    return [leaf.detach() * gradient for leaf, gradient in zip(leaves, gradients, strict=True)]


def linear(x: torch.Tensor, weight: torch.Tensor, relevance: torch.Tensor) -> torch.Tensor:
    positive, negative = x.clamp(min=0), x.clamp(max=0)

    def positive_products(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return functional.linear(a, weight.clamp(min=0)) + functional.linear(b, weight.clamp(max=0))

    return sum(by_gradient(positive_products, [positive, negative], relevance))  # type: ignore


def residual(
    a: torch.Tensor, b: torch.Tensor, relevance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = by_gradient(torch.add, [a, b], relevance)
    one, two, total = first.sum(), second.sum(), relevance.sum()
    weight_one = one.abs() / (one.abs() + two.abs()) * total
    weight_two = two.abs() / (one.abs() + two.abs()) * total
    return first * weight_one / one, second * weight_two / two


def tibav_of_one(
    module: Any, image: torch.Tensor, class_index: int, first: int = 0
) -> tuple[torch.Tensor, list[float]]:
    """The class token's row (tokens,), and Σ relevance at each block's input, last block first."""
    module = module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    x = module._pos_embed(module.patch_embed(image[None]))
    x = module.norm_pre(module.patch_drop(x))
    steps, maps = [], []
    for block in module.blocks:
        normed = block.norm1(x)
        attention = block.attn
        count, heads = x.shape[1], attention.num_heads
        qkv = attention.qkv(normed).reshape(1, count, 3, heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = (q @ k.transpose(-2, -1) * attention.scale).softmax(-1)
        weights.retain_grad()
        mixed = (weights @ v).transpose(1, 2).reshape(1, count, -1)
        attended = attention.proj(mixed)
        between = x + attended
        inner = block.norm2(between)
        hidden = block.mlp.fc1(inner)
        active = block.mlp.act(hidden)
        fed = block.mlp.fc2(active)
        steps.append((block, x, normed, q, k, v, weights, mixed, attended, between, inner, active,
                      fed))  # fmt: skip
        maps.append(weights)
        x = between + fed
    read = module.norm(x)[:, 0]
    scores = module.head(read)
    scores[0, class_index].backward()

    relevance_of_class = torch.zeros_like(scores)
    relevance_of_class[0, class_index] = 1
    relevance = torch.zeros_like(x)
    relevance[:, 0] = linear(read.detach(), module.head.weight.detach(), relevance_of_class)
    fused: list[torch.Tensor] = []
    sums = []
    for step in reversed(steps):
        block, *tensors = step
        tensors = [tensor.detach() for tensor in tensors]
        x, normed, q, k, v, weights, mixed, attended, between, inner, active, fed = tensors
        parts = {name: tensor.detach() for name, tensor in block.named_parameters()}
        kept, added = residual(between, fed, relevance)
        added = linear(active, parts["mlp.fc2.weight"], added)
        added = linear(inner, parts["mlp.fc1.weight"], added)
        kept, added = residual(x, attended, kept + added)
        added = linear(mixed, parts["attn.proj.weight"], added)
        heads = weights.shape[1]
        count = x.shape[1]
        added = added.reshape(1, count, heads, -1).transpose(1, 2)
        of_weights, of_v = by_gradient(torch.matmul, [weights, v], added)
        of_weights, of_v = of_weights / 2, of_v / 2
        of_q, of_k = by_gradient(lambda a, b: a @ b.transpose(-2, -1), [q, k], of_weights)
        stacked = torch.stack([of_q / 2, of_k / 2, of_v])
        stacked = stacked.permute(1, 3, 0, 2, 4).reshape(1, count, -1)
        relevance = kept + linear(normed, parts["attn.qkv.weight"], stacked)
        sums.append(float(relevance.sum()))
        gradient = maps[len(fused) * -1 - 1].grad
        fused.append((gradient * of_weights).clamp(min=0).mean(1)[0])
    matrices = fused[::-1]
    identity = torch.eye(len(matrices[0]), dtype=matrices[0].dtype)
    joint = matrices[first] + identity
    for matrix in matrices[first + 1 :]:
        joint = (matrix + identity) @ joint
    return joint[0], sums
