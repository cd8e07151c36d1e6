from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from analysis.concepts.general_importance import general_importance
from analysis.concepts.importance import (
    linear_logit_importance,
    log_probability_importance,
)
from analysis.errors import AuditError

Parts = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def _parts(seed: int = 0, classes: int = 7, size: float = 1.0) -> Parts:
    generator = torch.Generator().manual_seed(seed)
    u = torch.rand(12, 4, generator=generator, dtype=torch.float64) * size
    w = torch.rand(4, 9, generator=generator, dtype=torch.float64)
    v = torch.randn(classes, 9, generator=generator, dtype=torch.float64)
    return u, w, v, torch.randn(classes, generator=generator, dtype=torch.float64)


def _fine_sum(
    u: torch.Tensor, w: torch.Tensor, head: nn.Module | object, label: int, steps: int = 4000
) -> torch.Tensor:
    """Mean over patches of u times the gradient of log p_c, at `steps` midpoints."""
    total = torch.zeros_like(u)
    for step in range(steps):
        point = (u * ((step + 0.5) / steps)).requires_grad_(True)
        head(point @ w).log_softmax(-1)[:, label].sum().backward()  # type: ignore[operator]
        total += point.grad / steps
    return (u * total).mean(0)


def _log_probability(activations: torch.Tensor, v: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (activations @ v.T + b).log_softmax(-1)


def test_logit_of_a_linear_head_by_gradients() -> None:
    u, w, v, b = _parts()
    point = u.clone().requires_grad_(True)
    (point @ w @ v.T + b)[:, 2].sum().backward()
    found = linear_logit_importance(u, w, v, b, 2)
    assert torch.allclose(found.signed, (u * point.grad).mean(0))
    assert torch.equal(found.importance, found.signed.abs())
    difference = (u @ w @ v[2]).mean()
    assert found.signed.sum().item() == pytest.approx(difference.item())


def test_completeness_of_the_logit_is_measured_against_the_network() -> None:
    u, w, v, b = (part.float() for part in _parts())
    logits = (u @ w) @ v[2]
    attributions = u.double() * (w.double() @ v[2].double())
    expected = (attributions.sum(1) - logits).abs().sum() / logits.abs().sum()
    residual = linear_logit_importance(u, w, v, b, 2).completeness_residual
    assert 0 < residual.item() < 1e-6
    assert residual.item() == pytest.approx(expected.item(), rel=0.5)


@pytest.mark.parametrize("size", [0.1, 3.0, 30.0])
def test_log_probability_by_fine_sums(size: float) -> None:
    u, w, v, b = _parts(size=size)
    found = log_probability_importance(u, w, v, b, 2)
    expected = _fine_sum(u, w, lambda a: a @ v.T + b, 2)
    assert torch.allclose(found.signed, expected, rtol=1e-3, atol=1e-5 * size)
    assert found.completeness_residual < 1e-4
    difference = _log_probability(u @ w, v, b)[:, 2] - b.log_softmax(-1)[2]
    assert found.signed.sum().item() == pytest.approx(difference.mean().item(), rel=1e-4)


def test_the_reference_is_a_trapezoid_of_thirty_points() -> None:
    u, w, v, b = _parts(size=5)
    found = log_probability_importance(u, w, v, b, 1, preset="reference")
    gradients = []
    for alpha in torch.linspace(0, 1, 30, dtype=torch.float64):
        point = (alpha * u).requires_grad_(True)
        (-_log_probability(point @ w, v, b)[:, 1]).sum().backward()
        gradients.append(point.grad)
    mean = torch.stack([(a + b) / 2 for a, b in itertools.pairwise(gradients)]).mean(0)
    assert torch.allclose(found.importance, (u * mean).mean(0).abs())
    general = general_importance(u, w, lambda a: a @ v.T + b, 1, preset="reference")
    assert torch.allclose(found.signed, general.signed)


@given(st.integers(0, 1000), st.floats(0.01, 20))
@settings(deadline=None, max_examples=25)
def test_attributions_are_complete(seed: int, size: float) -> None:
    u, w, v, b = (part.float() for part in _parts(seed, size=size))
    assert log_probability_importance(u, w, v, b, 3).completeness_residual < 1e-3

    def scores(activations: torch.Tensor) -> torch.Tensor:
        return torch.tanh(activations @ v.T + b)

    general = general_importance(u, w, scores, 3)
    whole = (
        scores(u @ w).log_softmax(-1)[:, 3] - scores(torch.zeros_like(u @ w)).log_softmax(-1)[:, 3]
    )
    # Where hardly anything changes, the rounding of single precision is a larger share of it.
    assert general.completeness_residual < 1e-3 + 2e-5 / whole.abs().mean()


@given(st.permutations(range(4)), st.floats(0.01, 100))
@settings(deadline=None, max_examples=15)
def test_order_and_scale_of_concepts(order: list[int], scale: float) -> None:
    u, w, v, b = _parts()
    for function in (
        lambda u, w: linear_logit_importance(u, w, v, b, 2),
        lambda u, w: log_probability_importance(u, w, v, b, 2),
        lambda u, w: general_importance(u, w, lambda a: a @ v.T + b, 2),
    ):
        plain = function(u, w).importance
        moved = function((u * scale)[:, order], (w / scale)[order]).importance
        assert torch.allclose(plain[order], moved, rtol=1e-6)


def test_a_head_that_begins_with_layer_norm() -> None:
    """All of the output changes next to zero, where evenly spaced points see nothing."""
    torch.manual_seed(0)
    head = nn.Sequential(nn.LayerNorm(9, eps=1e-6), nn.Linear(9, 7)).double()
    with torch.no_grad():
        head[1].weight.mul_(6)
    u, w, _, _ = _parts()
    found = general_importance(u, w, head, 2)
    with torch.no_grad():
        start = head(torch.zeros(1, 9).double()).log_softmax(-1)[0, 2]
        difference = (head(u @ w).log_softmax(-1)[:, 2] - start).mean()
    assert found.completeness_residual < 1e-3
    assert found.signed.sum().item() == pytest.approx(difference.item(), rel=1e-3)
    reference = general_importance(u, w, head, 2, preset="reference")
    assert reference.completeness_residual > 1
    # A fine sum on a logarithmic scale of the path.
    edges = torch.cat([torch.zeros(1), torch.logspace(-7, 0, 3000)]).double()
    total = torch.zeros_like(u)
    for low, high in itertools.pairwise(edges):
        point = (u * ((low + high) / 2)).requires_grad_(True)
        head(point @ w).log_softmax(-1)[:, 2].sum().backward()
        total += point.grad * (high - low)
    assert torch.allclose(found.signed, (u * total).mean(0), rtol=2e-3, atol=1e-4)


def test_batches_padding_and_a_class_for_every_patch() -> None:
    u, w, v, b = _parts()
    second = _parts(5)
    padded = torch.zeros(2, 15, 4, dtype=torch.float64)
    padded[0, :12], padded[1, :8] = u, second[0][:8]
    bases, labels = torch.stack([w, second[1]]), torch.tensor([2, 4])
    rows = torch.tensor([12, 8])
    head = nn.functional.linear
    for function in (
        lambda u, w, c, rows=None: linear_logit_importance(u, w, v, b, c, rows),
        lambda u, w, c, rows=None: log_probability_importance(u, w, v, b, c, rows=rows),
        lambda u, w, c, rows=None: general_importance(u, w, lambda a: head(a, v, b), c, rows=rows),
    ):
        together = function(padded, bases, labels, rows)
        for index, (coefficients, basis) in enumerate(((u, w), (second[0][:8], second[1]))):
            alone = function(coefficients, basis, int(labels[index]))
            assert torch.allclose(together.signed[index], alone.signed, rtol=1e-6)
        each = torch.tensor([0] * 6 + [1] * 6)
        mixed = function(u, w, each)
        halves = [function(u[:6], w, 0).signed, function(u[6:], w, 1).signed]
        assert torch.allclose(mixed.signed, (halves[0] + halves[1]) / 2, rtol=1e-6)


def test_inactive_concepts_and_zero_activations() -> None:
    u, w, v, b = _parts()
    u[:, 1] = 0
    for found in (
        log_probability_importance(u, w, v, b, 2),
        general_importance(u, w, lambda a: a @ v.T + b, 2),
    ):
        assert found.importance[1] == 0
    for found in (
        log_probability_importance(0 * u, w, v, b, 2),
        general_importance(0 * u, w, lambda a: a @ v.T + b, 2),
    ):
        assert (found.importance == 0).all()
        assert found.completeness_residual == 0


def test_non_finite_values_are_refused() -> None:
    u, w, v, b = _parts()
    with pytest.raises(AuditError, match="not finite"):
        log_probability_importance(u * torch.nan, w, v, b, 2)
    with pytest.raises(AuditError, match="not finite"):
        general_importance(u, w * torch.inf, lambda a: a @ v.T, 2)


def test_single_precision_does_not_cut_the_path_for_its_own_rounding() -> None:
    torch.manual_seed(1)
    head = nn.Sequential(nn.LayerNorm(9, eps=1e-6), nn.Linear(9, 7))
    u, w, _, _ = (part.float() for part in _parts())
    seen = 0

    def counted(activations: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        seen += activations.shape[0]
        return head(activations)

    # Unscaled weights change the output little, down to what float32 can tell.
    assert general_importance(u, w, counted, 2).completeness_residual < 1e-3
    assert seen < 200 * u.shape[0]
