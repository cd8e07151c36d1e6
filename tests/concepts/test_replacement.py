from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from analysis.concepts.replacement import replacement_test
from analysis.errors import AuditError


@dataclass
class _Linear:
    weight: torch.Tensor
    bias: torch.Tensor
    is_linear: bool = True

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a linear head is evaluated in the space of the concepts")


def _parts() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    u = torch.rand(20, 3, generator=generator)
    own = u + 0.2 * torch.randn(20, 3, generator=generator)
    cross = u + 1.5 * torch.randn(20, 3, generator=generator)
    w = torch.rand(3, 6, generator=generator)
    return u, own, cross, w, torch.randn(5, 6, generator=generator), torch.randn(5)


def _literal(parts: tuple[torch.Tensor, ...], half: bool) -> list[tuple[float, float, float]]:
    """The pseudocode of section 3.3, patch by patch."""
    u, own, cross, w, v, b = parts

    def effect(first: torch.Tensor, second: torch.Tensor) -> list[list[float]]:
        rows = []
        for a, c in zip(first @ w, second @ w, strict=True):
            p, q = (v @ a + b).softmax(0), (v @ c + b).softmax(0)
            divergence = sum(x * (x / y).log() for x, y in zip(p, q, strict=True))
            same = float(p.argmax() == q.argmax())
            rows.append([(a - c).norm().item(), float(divergence), same])
        return rows

    results = []
    for concept in range(u.shape[1]):
        versions = []
        for predicted in (own, cross):
            replaced = u.clone()
            column = predicted[:, concept]
            replaced[:, concept] = 0.5 * column + 0.5 * u[:, concept] if half else column
            versions.append(replaced)
        if half:
            own_effect = torch.tensor(effect(u, versions[0])).half().float().mean(0)
            cross_effect = torch.tensor(effect(u, versions[1])).half().float().mean(0)
            results.append(tuple((cross_effect - own_effect).tolist()))
        else:
            results.append(tuple(torch.tensor(effect(*versions)).mean(0).tolist()))
    return results


@pytest.mark.parametrize("preset", ["paper", "reference"])
@pytest.mark.parametrize("kind", ["linear", "function"])
def test_concept_by_concept_as_the_pseudocode(preset: str, kind: str) -> None:
    parts = _parts()
    u, own, cross, w, v, b = parts
    head = _Linear(v, b) if kind == "linear" else lambda a: a @ v.T + b
    found = replacement_test(u, own, cross, w, head, preset=preset)  # type: ignore[arg-type]
    literal = _literal(parts, half=preset == "reference")
    tolerance = 1e-5 if preset == "paper" else 1e-3
    for concept, (l2, kl, match) in enumerate(literal):
        assert found.l2[concept].item() == pytest.approx(l2, abs=tolerance)
        assert found.kl[concept].item() == pytest.approx(kl, abs=tolerance)
        assert found.match_accuracy[concept].item() == pytest.approx(match, abs=1e-6)


def test_the_same_prediction_changes_nothing() -> None:
    u, own, _, w, v, b = _parts()
    found = replacement_test(u, own, own, w, _Linear(v, b))
    assert (found.l2 == 0).all()
    assert (found.kl == 0).all()
    assert (found.match_accuracy == 1).all()


def test_without_a_classifier_only_activations_are_compared() -> None:
    u, own, cross, w, _, _ = _parts()
    found = replacement_test(u, own, cross, w)
    assert (found.l2 > 0).all()
    assert found.kl.isnan().all()
    assert found.match_accuracy.isnan().all()


def test_order_and_scale_of_concepts() -> None:
    u, own, cross, w, v, b = _parts()
    order, scale = [2, 0, 1], 7.0
    plain = replacement_test(u, own, cross, w, _Linear(v, b))
    moved = replacement_test(
        *((part * scale)[:, order] for part in (u, own, cross)), (w / scale)[order], _Linear(v, b)
    )
    assert torch.allclose(plain.l2[order], moved.l2, atol=1e-5)
    assert torch.allclose(plain.kl[order], moved.kl, atol=1e-5)


def test_non_finite_values_are_refused() -> None:
    u, own, cross, w, _, _ = _parts()
    with pytest.raises(AuditError, match="not finite"):
        replacement_test(u, own, cross * torch.nan, w)
