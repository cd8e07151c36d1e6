"""How much each concept contributes to a class: concept integrated gradients (paper, B.1.1).

Every function attributes f(u) − f(0) to the concepts of each patch, averages over patches and
takes the magnitude. Attributions are complete: over concepts they sum to f(u) − f(0), and the
relative remainder is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from analysis.concepts.classifier import class_labels
from analysis.concepts.presets import Preset, check_preset
from analysis.statistics.numerics import require_finite, widened

REFERENCE_STEPS = 30

_FIRST_NODES = 8
_MOST_NODES = 256
_COMPLETENESS = 1e-5
_BLOCK_VALUES = 1 << 22  # logits held at once


@dataclass(frozen=True)
class ImportanceResult:
    """Importance of k concepts; with a batch of classes all tensors have its dimension in front.

    `completeness_residual`: the attributions' total absolute error over patches, as a share of the
    total absolute difference f(u) − f(0).
    """

    importance: torch.Tensor  # (…, k) = |signed|
    signed: torch.Tensor  # (…, k), mean over patches
    completeness_residual: torch.Tensor  # (…)


def linear_logit_importance(
    coefficients: torch.Tensor,
    basis: torch.Tensor,
    head_weight: torch.Tensor,
    head_bias: torch.Tensor | None,
    class_index: int | torch.Tensor,
    rows: torch.Tensor | None = None,
) -> ImportanceResult:
    """Importance for the logit of a linear classifier, in closed form: u_k (W w_c)_k.

    Complete by its form: what remains is rounding, of the features against the concepts.

    :param coefficients: U (n, k) or (C, n, k).
    :param basis: W (k, d) or (C, k, d).
    :param head_weight: V (classes, d).
    :param head_bias: taken for symmetry with `log_probability_importance`; it cancels.
    :param class_index: the class c, one a batch entry, or one a patch (see `class_labels`).
    :param rows: (C,) true number of patches of padded classes; all rows when left out.
    :raises AuditError: a value is not finite.
    """
    _check(coefficients, basis, head_weight)
    batched = coefficients.dim() == 3
    u, w = (coefficients, basis) if batched else (coefficients[None], basis[None])
    signed, residuals = [], []
    for entry, labels in enumerate(class_labels(class_index, coefficients)):
        present, which = torch.unique(labels, return_inverse=True)
        directions = widened(w[entry]) @ widened(head_weight[present]).T  # (k, present)
        attributions = widened(u[entry]) * directions.T[which]
        # The logit as the network computes it: features first, then its head.
        logits = (u[entry] @ w[entry]) @ head_weight[present].T
        differences = widened(logits.gather(1, which[:, None]))[:, 0]
        remainders = (attributions.sum(1) - differences).abs()
        residuals.append(share_of(remainders.sum(), differences.abs().sum()))
        signed.append(mean_rows(attributions, None if rows is None else rows.reshape(-1)[entry]))
    return batch_result(signed, residuals, batched, coefficients.dtype)


def log_probability_importance(
    coefficients: torch.Tensor,
    basis: torch.Tensor,
    head_weight: torch.Tensor,
    head_bias: torch.Tensor | None,
    class_index: int | torch.Tensor,
    steps: int | None = None,
    preset: Preset = "paper",
    rows: torch.Tensor | None = None,
) -> ImportanceResult:
    """Importance for log p_c of a linear classifier, computed in the space of the concepts.

    With M = W Vᵀ the gradient of log p_c along the path is M_c − Σ_j p_j M_j, so only the mean
    probabilities along the path are needed. `paper`: Gauss–Legendre nodes, doubled for the patches
    that are not complete to 1e-5. `reference`: a trapezoid over 30 points with both ends.

    :param coefficients: U (n, k) or (C, n, k).
    :param basis: W (k, d) or (C, k, d).
    :param head_weight: V (classes, d).
    :param head_bias: (classes,) or None.
    :param class_index: the class c, one a batch entry, or one a patch (see `class_labels`).
    :param steps: points to begin with.
    :param rows: (C,) true number of patches of padded classes.
    :raises AuditError: a value is not finite.
    """
    check_preset(preset)
    _check(coefficients, basis, head_weight)
    batched = coefficients.dim() == 3
    u, w = (coefficients, basis) if batched else (coefficients[None], basis[None])
    bias = head_weight.new_zeros(head_weight.shape[0]) if head_bias is None else head_bias
    signed, residuals = [], []
    block = max(1, _BLOCK_VALUES // head_weight.shape[0])
    for entry, labels in enumerate(class_labels(class_index, coefficients)):
        directions = w[entry] @ head_weight.T  # (k, classes)
        attributions, remainders, differences = [], [], []
        for part, label in zip(u[entry].split(block), labels.split(block), strict=True):
            attribution, difference = _attribute_block(part, directions, bias, label, steps, preset)
            attributions.append(attribution)
            remainders.append((attribution.sum(1) - difference).abs().sum())
            differences.append(difference.abs().sum())
        count = None if rows is None else rows.reshape(-1)[entry]
        signed.append(mean_rows(torch.cat(attributions), count))
        residuals.append(share_of(torch.stack(remainders).sum(), torch.stack(differences).sum()))
    return batch_result(signed, residuals, batched, coefficients.dtype)


def quadrature(steps: int, preset: Preset) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on 0…1: Gauss–Legendre, or the reference's trapezoid with both ends."""
    if preset == "reference":
        nodes = np.linspace(0, 1, steps)
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return nodes, weights
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def _attribute_block(
    u: torch.Tensor,
    directions: torch.Tensor,
    bias: torch.Tensor,
    label: torch.Tensor,
    steps: int | None,
    preset: Preset,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attributions (m, k) and differences f(u) − f(0) (m,) of a block of patches."""
    slopes = u @ directions  # logits along the path are α·slopes + bias
    end = widened(slopes + bias).log_softmax(-1).gather(1, label[:, None])[:, 0]
    difference = end - widened(bias).log_softmax(-1)[label]
    if preset == "reference":
        attribution = _path_attribution(
            u, slopes, directions, bias, label, quadrature(steps or REFERENCE_STEPS, preset)
        )
        return widened(attribution), difference
    nodes = steps or _FIRST_NODES
    attribution = widened(
        _path_attribution(u, slopes, directions, bias, label, quadrature(nodes, preset))
    )
    limit = _COMPLETENESS * difference.abs().clamp(min=1)
    while (nodes := 2 * nodes) <= _MOST_NODES:
        rough = ((attribution.sum(1) - difference).abs() > limit).nonzero()[:, 0]
        if rough.numel() == 0:
            break
        attribution[rough] = widened(
            _path_attribution(
                u[rough], slopes[rough], directions, bias, label[rough], quadrature(nodes, preset)
            )
        )
    return attribution, difference


def _path_attribution(
    u: torch.Tensor,
    slopes: torch.Tensor,
    directions: torch.Tensor,
    bias: torch.Tensor,
    label: torch.Tensor,
    rule: tuple[np.ndarray, np.ndarray],
) -> torch.Tensor:
    """u_k ∫ ∂ log p_c / ∂u_k by the given nodes and weights: (m, k)."""
    mean = torch.zeros_like(slopes)
    for node, weight in zip(*rule, strict=True):
        mean.add_(torch.add(bias, slopes, alpha=float(node)).softmax(-1), alpha=float(weight))
    return u * (directions.T[label] - mean @ directions.T)


def _check(coefficients: torch.Tensor, basis: torch.Tensor, weight: torch.Tensor) -> None:
    require_finite(coefficients, "Concept coefficients")
    require_finite(basis, "The concept basis")
    require_finite(weight, "The classifier's weights")


def mean_rows(values: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
    """Mean over the patches (n, k) → (k,), of which the first `rows` are real."""
    return values.mean(0) if rows is None else values.sum(0) / rows.to(values.device)


def share_of(remainder: torch.Tensor, difference: torch.Tensor) -> torch.Tensor:
    """`remainder` relative to `difference`; absolute where nothing changes."""
    return torch.where(difference > 0, remainder / difference, remainder)


def batch_result(
    signed: list[torch.Tensor], residuals: list[torch.Tensor], batched: bool, dtype: torch.dtype
) -> ImportanceResult:
    """One result from one entry a class; without the batch dimension unless `batched`."""
    values, remainders = torch.stack(signed), torch.stack(residuals)
    if not batched:
        values, remainders = values[0], remainders[0]
    return _result(values, remainders, dtype)


def _result(signed: torch.Tensor, residual: torch.Tensor, dtype: torch.dtype) -> ImportanceResult:
    signed = signed.to(dtype)
    return ImportanceResult(signed.abs(), signed, residual.to(dtype))
