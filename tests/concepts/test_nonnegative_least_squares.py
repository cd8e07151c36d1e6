from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.concepts.extraction import fit_coefficients
from analysis.errors import AuditError


def _scipy(activations: torch.Tensor, basis: torch.Tensor) -> np.ndarray:
    rows = [scipy.optimize.nnls(basis.T.double().numpy(), a.double().numpy()) for a in activations]
    return np.stack([row[0] for row in rows])


def test_the_published_example() -> None:
    z = torch.tensor([[73, 71, 52], [87, 74, 46], [72, 2, 7], [80, 89, 71]], dtype=torch.float64)
    x = torch.tensor([49, 67, 68, 20], dtype=torch.float64)
    found = fit_coefficients(x[None, None], z.T[None])[0, 0]
    np.testing.assert_allclose(found.numpy(), [0.64953844, 0, 0], atol=1e-8)


@given(
    st.integers(0, 10_000), st.integers(1, 12), st.integers(2, 16), st.sampled_from([0.0, 0.3, 1.0])
)
@settings(deadline=None, max_examples=60)
def test_every_row_as_scipy(seed: int, concepts: int, channels: int, shift: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(2, 9, channels, generator=generator, dtype=torch.float64) + shift
    w = torch.randn(2, concepts, channels, generator=generator, dtype=torch.float64) + shift
    found = fit_coefficients(a, w)
    assert (found >= 0).all()
    for index in range(2):
        expected = torch.from_numpy(_scipy(a[index], w[index]))
        # With more concepts than channels only the fit is unique.
        assert torch.allclose(found[index] @ w[index], expected @ w[index], atol=1e-7)
        if concepts <= channels:
            assert torch.allclose(found[index], expected, atol=1e-6)


def test_correlated_concepts_of_a_real_size() -> None:
    generator = torch.Generator().manual_seed(0)
    w = torch.rand(1, 10, 300, generator=generator) + 1  # condition of the order of 1000
    a = torch.rand(1, 200, 300, generator=generator) * 3
    np.testing.assert_allclose(fit_coefficients(a, w)[0], _scipy(a[0], w[0]), atol=2e-5)


def test_duplicate_and_empty_concepts_and_padding() -> None:
    generator = torch.Generator().manual_seed(1)
    w = torch.rand(1, 4, 20, generator=generator)
    w[0, 2] = w[0, 1]
    w[0, 3] = 0
    a = torch.rand(1, 15, 20, generator=generator)
    a[0, 10:] = 0
    found = fit_coefficients(a, w)
    assert torch.isfinite(found).all()
    assert (found[0, :, 3] == 0).all()
    assert (found[0, 10:] == 0).all()
    expected = torch.from_numpy(_scipy(a[0], w[0])).float()
    assert torch.allclose(found[0] @ w[0], expected @ w[0], atol=1e-5)


@given(st.floats(1e-6, 1e6), st.permutations(range(5)))
@settings(deadline=None, max_examples=20)
def test_scale_and_order_of_concepts(scale: float, order: list[int]) -> None:
    generator = torch.Generator().manual_seed(2)
    w = torch.rand(1, 5, 12, generator=generator, dtype=torch.float64)
    a = torch.rand(1, 8, 12, generator=generator, dtype=torch.float64)
    found = fit_coefficients(a, w)
    assert torch.allclose(fit_coefficients(a * scale, w) / scale, found, atol=1e-8)
    assert torch.allclose(fit_coefficients(a, w[:, order]), found[:, :, order], atol=1e-8)


def test_non_finite_input_is_refused() -> None:
    with pytest.raises(AuditError, match="not finite"):
        fit_coefficients(torch.full((1, 2, 3), torch.nan), torch.ones(1, 2, 3))
