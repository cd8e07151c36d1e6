"""Concept integrated gradients through any classifier, by automatic differentiation.

A classifier that begins with LayerNorm changes almost all of its output within a tiny step from
zero: evenly spaced points miss it, and a point at zero itself has a gradient of the order of
1/√ε. Here the path is cut into panels; each is integrated by Gauss–Legendre nodes (which never
touch its ends) and compared with the exact change of the output across it. Panels that disagree
are cut again, those that begin at zero close to zero.
"""

from __future__ import annotations

import torch

from analysis.concepts.classifier import Logits, class_labels
from analysis.concepts.importance import (
    REFERENCE_STEPS,
    ImportanceResult,
    batch_result,
    mean_rows,
    quadrature,
    share_of,
)
from analysis.concepts.presets import Preset, check_preset
from analysis.statistics.numerics import require_finite, widened

_NODES = 6
_TOLERANCE = 1e-4  # of a patch's whole change, allowed to each panel
_MOST_CUTS = 24
_CHUNK_ROWS = 8192


def general_importance(
    coefficients: torch.Tensor,
    basis: torch.Tensor,
    logits: Logits,
    class_index: int | torch.Tensor,
    steps: int | None = None,
    preset: Preset = "paper",
    rows: torch.Tensor | None = None,
) -> ImportanceResult:
    """Importance for log p_c of any differentiable classifier, all classes and patches together.

    `paper`: adaptive panels of Gauss–Legendre nodes, so that attributions sum to f(u) − f(0).
    `reference`: a trapezoid over 30 points with both ends, complete or not.

    :param coefficients: U (n, k) or (C, n, k).
    :param basis: W (k, d) or (C, k, d).
    :param logits: (m, d) → (m, classes), differentiable, without state from row to row.
    :param class_index: the class c, one a batch entry, or one a patch (see `class_labels`).
    :param steps: nodes a panel, or points of the trapezoid.
    :param rows: (C,) true number of patches of padded classes.
    :raises AuditError: a value is not finite.
    """
    check_preset(preset)
    require_finite(coefficients, "Concept coefficients")
    require_finite(basis, "The concept basis")
    batched = coefficients.dim() == 3
    u, w = (coefficients, basis) if batched else (coefficients[None], basis[None])
    entries, patches, concepts = u.shape
    path = _Path(
        u.reshape(-1, concepts),
        w,
        torch.arange(entries, device=u.device).repeat_interleave(patches),
        class_labels(class_index, coefficients).flatten(),
        logits,
    )
    every = torch.arange(entries * patches, device=u.device)
    start = path.value(every, torch.zeros_like(u[..., 0]).flatten())
    end = path.value(every, torch.ones_like(u[..., 0]).flatten())
    if preset == "reference":
        whole = torch.zeros_like(start), torch.ones_like(end)
        attribution = path.integrate(every, *whole, steps or REFERENCE_STEPS, preset)
    else:
        attribution = _adaptive(path, start, end, steps or _NODES)
    attribution = attribution.reshape(u.shape)
    difference = (end - start).reshape(entries, patches)
    signed, residuals = [], []
    for entry in range(entries):
        count = None if rows is None else rows.reshape(-1)[entry]
        signed.append(mean_rows(attribution[entry], count))
        remainder = (attribution[entry].sum(-1) - difference[entry]).abs().sum()
        residuals.append(share_of(remainder, difference[entry].abs().sum()))
    return batch_result(signed, residuals, batched, coefficients.dtype)


class _Path:
    """log p_c along the straight lines from zero to the coefficients of each patch."""

    def __init__(
        self,
        coefficients: torch.Tensor,
        basis: torch.Tensor,
        owner: torch.Tensor,
        labels: torch.Tensor,
        logits: Logits,
    ) -> None:
        self.coefficients, self.basis = coefficients, basis
        self.owner, self.labels, self.logits = owner, labels, logits

    def value(self, rows: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """f at `position`·u of the patches `rows`: (m,), in the widest float."""
        with torch.no_grad():
            parts = [
                widened(self._value(r, p[:, None].to(self.coefficients) * self.coefficients[r]))
                for r, p in zip(rows.split(_CHUNK_ROWS), position.split(_CHUNK_ROWS), strict=True)
            ]
        return torch.cat(parts) if parts else widened(position)

    def integrate(
        self,
        rows: torch.Tensor,
        start: torch.Tensor,
        stop: torch.Tensor,
        steps: int,
        preset: Preset,
    ) -> torch.Tensor:
        """u times the integral of the gradient from `start` to `stop` (m,): (m, k)."""
        total = widened(torch.zeros_like(self.coefficients[rows]))
        for node, weight in zip(*quadrature(steps, preset), strict=True):
            position = start + (stop - start) * float(node)
            total += self._gradient(rows, position) * ((stop - start) * float(weight))[:, None]
        return widened(self.coefficients[rows]) * total

    def _gradient(self, rows: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        parts = []
        for r, p in zip(rows.split(_CHUNK_ROWS), position.split(_CHUNK_ROWS), strict=True):
            with torch.enable_grad():
                point = (p[:, None].to(self.coefficients) * self.coefficients[r]).detach()
                point.requires_grad_(True)
                (gradient,) = torch.autograd.grad(self._value(r, point).sum(), point)
            parts.append(widened(gradient))
        return torch.cat(parts)

    def _value(self, rows: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
        owner = self.owner[rows]
        if self.basis.shape[0] == 1:
            activations = point @ self.basis[0]
        else:
            activations = self._per_class(owner, point)
        scores = self.logits(activations).log_softmax(-1)
        return scores.gather(1, self.labels[rows][:, None])[:, 0]

    def _per_class(self, owner: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
        """Rows of several classes, each times its own basis; rows come sorted by class."""
        present, counts = torch.unique_consecutive(owner, return_counts=True)
        parts = point.split(counts.tolist())
        pairs = zip(present.tolist(), parts, strict=True)
        return torch.cat([part @ self.basis[entry] for entry, part in pairs])


def _adaptive(
    path: _Path, start_value: torch.Tensor, end_value: torch.Tensor, nodes: int
) -> torch.Tensor:
    """Attributions (N, k) by panels that are cut until each is complete."""
    rows = torch.arange(start_value.shape[0], device=start_value.device)
    total = widened(torch.zeros_like(path.coefficients))
    # A panel cannot agree more closely than its ends are known.
    rounding = 32 * torch.finfo(path.coefficients.dtype).eps
    allowed = _TOLERANCE * (end_value - start_value).abs()
    allowed = allowed + rounding * (1 + end_value.abs() + start_value.abs())
    low, high = torch.zeros_like(start_value), torch.ones_like(start_value)
    low_value, high_value = start_value, end_value
    for cut in range(_MOST_CUTS + 1):
        part = path.integrate(rows, low, high, nodes, "paper")
        error = (part.sum(1) - (high_value - low_value)).abs()
        split = error > allowed[rows]
        if cut == _MOST_CUTS:
            split = torch.zeros_like(split)
        total.index_add_(0, rows[~split], part[~split])
        if not bool(split.any()):
            break
        rows, low, high = rows[split], low[split], high[split]
        low_value, high_value = low_value[split], high_value[split]
        share = torch.where(low == 0, 0.125, 0.5).to(low.dtype)
        middle = low + share * (high - low)
        middle_value = path.value(rows, middle)
        order = torch.cat([rows, rows]).argsort(stable=True)
        rows = torch.cat([rows, rows])[order]
        low, high = torch.cat([low, middle])[order], torch.cat([middle, high])[order]
        low_value = torch.cat([low_value, middle_value])[order]
        high_value = torch.cat([middle_value, high_value])[order]
    return total
