"""What replacing a concept's coefficients by predicted ones does to the model (paper, 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from analysis.concepts.classifier import Classifier, Logits
from analysis.concepts.presets import Preset, check_preset
from analysis.statistics.numerics import require_finite, widened

_REFERENCE_MIXING = 0.5


@dataclass(frozen=True)
class Replacement:
    """The effect of the other model's prediction against the model's own; each tensor is (k,).

    `l2`: mean distance of the activations; `kl`: mean divergence of the class probabilities in
    nats; `match_accuracy`: share of patches with the same predicted class. `kl` and
    `match_accuracy` are NaN for a model without a classifier. In the reference preset each is the
    difference of two effects, both measured against the unreplaced reconstruction.
    """

    l2: torch.Tensor
    kl: torch.Tensor
    match_accuracy: torch.Tensor


def replacement_test(
    coefficients: torch.Tensor,
    own_predicted: torch.Tensor,
    cross_predicted: torch.Tensor,
    basis: torch.Tensor,
    head: Classifier | Logits | None = None,
    preset: Preset = "paper",
) -> Replacement:
    """Replace one concept at a time by its prediction from the own and from the other model.

    `paper`: the column is replaced whole and the two replacements are compared with each other:
    KL(own ‖ other). `reference`: half predicted, half real; each is compared with UW, KL(UW ‖
    replaced), and the own effect is subtracted from the other; row values pass through float16.

    :param coefficients: U (n, k) of the target model.
    :param own_predicted: (n, k) predicted from the target model's own activations.
    :param cross_predicted: (n, k) predicted from the other model's activations.
    :param basis: W (k, d).
    :param head: the classifier, or a function (m, d) → (m, classes); a linear one is evaluated in
        the space of the concepts, without activations. None for a model without a classifier.
    :raises AuditError: a value is not finite.
    """
    check_preset(preset)
    for values, what in (
        (coefficients, "Concept coefficients"),
        (own_predicted, "Predicted concept coefficients"),
        (cross_predicted, "Predicted concept coefficients"),
    ):
        require_finite(values, what)
    mixing = 1.0 if preset == "paper" else _REFERENCE_MIXING
    own = mixing * (own_predicted - coefficients)
    cross = mixing * (cross_predicted - coefficients)
    lengths = torch.linalg.vector_norm(basis, dim=1)
    if preset == "paper":
        l2 = ((cross - own).abs() * lengths).mean(0)
    else:
        l2 = _half_mean(cross.abs() * lengths) - _half_mean(own.abs() * lengths)
    changed = _changed_logits(coefficients, basis, head)
    if changed is None:
        missing = torch.full_like(l2, torch.nan)
        return Replacement(l2, missing, missing)
    if preset == "paper":
        effects = [
            _compare(changed(own[:, i], i), changed(cross[:, i], i))
            for i in range(coefficients.shape[1])
        ]
        kl = torch.stack([widened(divergence).mean() for divergence, _ in effects])
        match = torch.stack([widened(same).mean() for _, same in effects])
        return Replacement(l2, kl.to(l2.dtype), match.to(l2.dtype))
    return Replacement(l2, *_against_reconstruction(own, cross, changed))


def _against_reconstruction(
    own: torch.Tensor, cross: torch.Tensor, changed: Callable[[torch.Tensor, int], torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    base = changed(torch.zeros_like(own[:, 0]), 0)
    kl, match = [], []
    for concept in range(own.shape[1]):
        kl_cross, same_cross = _compare(base, changed(cross[:, concept], concept))
        kl_own, same_own = _compare(base, changed(own[:, concept], concept))
        kl.append(_half_mean(kl_cross) - _half_mean(kl_own))
        match.append(_half_mean(same_cross) - _half_mean(same_own))
    return torch.stack(kl), torch.stack(match)


def _changed_logits(
    coefficients: torch.Tensor, basis: torch.Tensor, head: Classifier | Logits | None
) -> Callable[[torch.Tensor, int], torch.Tensor] | None:
    """The logits (n, classes) after adding `change` (n,) to the coefficients of one concept."""
    if head is None:
        return None
    weight = getattr(head, "weight", None) if getattr(head, "is_linear", False) else None
    if weight is not None:
        directions = basis @ weight.T
        plain = coefficients @ directions
        bias = getattr(head, "bias", None)
        plain = plain if bias is None else plain + bias
        return lambda change, concept: torch.addr(plain, change, directions[concept])
    logits: Any = getattr(head, "logits", head)
    reconstruction = coefficients @ basis

    def changed(change: torch.Tensor, concept: int) -> torch.Tensor:
        with torch.no_grad():
            return logits(torch.addr(reconstruction, change, basis[concept]))

    return changed


def _compare(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """KL(first ‖ second) and whether the predicted class is the same, both (n,)."""
    log_first, log_second = first.log_softmax(-1), second.log_softmax(-1)
    divergence = (log_first.exp() * (log_first - log_second)).sum(-1).clamp(min=0)
    same = first.argmax(-1) == second.argmax(-1)
    return divergence, same.to(first.dtype)


def _half_mean(values: torch.Tensor) -> torch.Tensor:
    """The mean over rows of values rounded to float16, as the released code has it."""
    return values.to(torch.float16).to(values.dtype).mean(0)
