from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from sklearn.decomposition import NMF

from analysis.concepts.alternating import _State
from analysis.concepts.extraction import _start, factorize, fit_coefficients
from analysis.concepts.initialisation import leading_singular_vectors
from analysis.errors import AuditError

Make = Callable[..., torch.Tensor]


def _sklearn_error(activations: torch.Tensor, components: int, **options: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NMF(components, init="nndsvd", random_state=0, **options)
        model.fit(activations.double().numpy())
    return model.reconstruction_err_ / activations.norm().item()


@pytest.mark.parametrize("seed", range(4))
def test_nmf_is_as_good_as_converged_scikit_learn(planted: Make, seed: int) -> None:
    activations = planted(seed)
    found = factorize(activations[None], 8)
    expected = _sklearn_error(activations, 8, tol=1e-6, max_iter=3000)
    assert found.method == "nmf"
    assert found.converged.all()
    assert (found.coefficients >= 0).all()
    assert (found.basis >= 0).all()
    assert found.relative_error.item() <= expected * 1.001
    literal = (activations - found.coefficients[0] @ found.basis[0]).norm() / activations.norm()
    assert found.relative_error.item() == pytest.approx(literal.item(), rel=1e-5)


def test_the_reference_preset_stops_where_scikit_learn_stops(planted: Make) -> None:
    activations = planted(5).double()
    found = factorize(activations[None], 6, preset="reference")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NMF(6, init="nndsvd", random_state=0).fit(activations.numpy())
    assert abs(found.iterations.item() - model.n_iter_) <= 1
    basis = torch.nn.functional.normalize(torch.from_numpy(model.components_), dim=1)
    assert torch.allclose(found.basis[0], basis, atol=1e-4)


def test_coefficients_are_the_exact_fit_to_the_basis(planted: Make) -> None:
    activations = planted(1)
    found = factorize(activations[None], 6)
    again = fit_coefficients(activations[None], found.basis)
    assert torch.allclose(again, found.coefficients, atol=1e-5)


@pytest.mark.parametrize("signed", [False, True])
def test_the_error_never_rises(planted: Make, signed: bool) -> None:
    data = planted(2)[None].double()
    if signed:
        data = data - data.mean(1, keepdim=True) + 0.2
    state = _State(data, *_start(data, 6, signed, [0], "random"), signed)
    before = float("inf")
    for _ in range(60):
        state.step()
        literal = (data - state.u.mT @ state.w).square().sum().item()
        assert literal <= before * (1 + 1e-12)
        assert literal == pytest.approx(state.error.item(), rel=1e-9)
        before = literal


def test_semi_nmf_on_the_published_example_is_exact() -> None:
    activations = torch.tensor([[[1, 0, 0.2], [0, -1, 0.3]]])
    for initial in ("nndsvd", "random"):
        found = factorize(activations, 2, initial=initial)  # type: ignore[arg-type]
        assert found.method == "semi-nmf"
        assert found.relative_error.item() < 1e-5
        assert (found.coefficients >= 0).all()


def test_semi_nmf_reaches_the_bound_of_the_singular_values() -> None:
    # With a direction in which all rows are positive, semi-NMF can be as good as the SVD.
    generator = torch.Generator().manual_seed(0)
    activations = torch.randn(80, 30, generator=generator) @ torch.diag(torch.logspace(0, -2, 30))
    activations = activations + 2
    found = factorize(activations[None], 5, method="semi-nmf")
    values = torch.linalg.svdvals(activations)
    bound = (values[5:].square().sum() / values.square().sum()).sqrt().item()
    assert bound <= found.relative_error.item() * (1 + 1e-6)
    assert found.relative_error.item() < 1.05 * bound
    ten_steps = factorize(activations[None], 5, method="semi-nmf", preset="reference")
    assert ten_steps.iterations.tolist() == [10]
    assert not ten_steps.converged.any()
    assert ten_steps.relative_error > found.relative_error


@pytest.mark.parametrize("preset", ["paper", "reference"])
@pytest.mark.parametrize("shift", [0.0, -0.3])
@pytest.mark.parametrize("initial", ["nndsvd", "random"])
def test_padding_and_batching_change_nothing(
    planted: Make, preset: str, shift: float, initial: str
) -> None:
    first, second = planted(3).double() + shift, planted(4, images=11).double() + shift
    padded = torch.zeros(2, first.shape[0] + 7, first.shape[1], dtype=torch.float64)
    padded[0, : first.shape[0]], padded[1, : second.shape[0]] = first, second
    options = {"preset": preset, "initial": initial, "components": 5}
    together = factorize(padded, seeds=[1, 2], **options)
    for index, alone in enumerate((first, second)):
        single = factorize(alone[None], seeds=[index + 1], **options)
        rows = alone.shape[0]
        assert single.iterations[0] == together.iterations[index]
        assert torch.allclose(single.basis[0], together.basis[index], atol=1e-5)
        coefficients = together.coefficients[index]
        assert torch.allclose(single.coefficients[0], coefficients[:rows], atol=1e-4)
        assert (coefficients[rows:] == 0).all()


def test_seeds_make_random_starts_and_scale_does_not_matter(planted: Make) -> None:
    activations = planted(6)[None]
    first = factorize(activations, 5, initial="random", seeds=1, max_iterations=20)
    again = factorize(activations, 5, initial="random", seeds=1, max_iterations=20)
    other = factorize(activations, 5, initial="random", seeds=2, max_iterations=20)
    scaled = factorize(activations * 1024, 5, initial="random", seeds=1, max_iterations=20)
    assert torch.equal(first.basis, again.basis)
    assert not torch.allclose(first.basis, other.basis, atol=1e-3)
    assert torch.allclose(first.basis, scaled.basis)
    assert torch.allclose(first.coefficients * 1024, scaled.coefficients)


def test_the_global_generator_is_left_alone(planted: Make) -> None:
    state = torch.get_rng_state()
    factorize(planted(0)[None], 3, initial="random")
    factorize(planted(0)[None], 3)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("preset", ["paper", "reference"])
@pytest.mark.parametrize("method", ["nmf", "semi-nmf"])
def test_degenerate_activations(preset: str, method: str) -> None:
    low_rank = torch.rand(6, 1) @ torch.rand(1, 8)
    single = torch.zeros(6, 8)
    single[0] = torch.rand(8)
    batch = torch.stack([low_rank, single, torch.zeros(6, 8), torch.full((6, 8), 0.5)])
    found = factorize(batch, 10, method=method, preset=preset)  # type: ignore[arg-type]
    assert found.coefficients.shape == (4, 6, 10)
    assert torch.isfinite(found.coefficients).all()
    assert torch.isfinite(found.basis).all()
    tolerance = 1e-3 if preset == "paper" or method == "nmf" else 0.1
    assert (found.relative_error < tolerance).all()
    assert (found.coefficients[2] == 0).all()


def test_input_that_cannot_be_factorised() -> None:
    with pytest.raises(AuditError, match="not finite"):
        factorize(torch.full((1, 3, 3), torch.nan), 2)
    with pytest.raises(AuditError, match="negative"):
        factorize(-torch.ones(1, 3, 3), 2, method="nmf")
    with pytest.raises(AuditError, match="nothing to factorise"):
        factorize(torch.ones(1, 3, 3), 0)
    with pytest.raises(AuditError, match="preset"):
        factorize(torch.ones(1, 3, 3), 2, preset="other")  # type: ignore[arg-type]


def test_singular_vectors_as_a_full_svd(planted: Make) -> None:
    data = planted(7)[None].double()
    left, singular, right = leading_singular_vectors(data, 6, [0])
    u, s, vh = torch.linalg.svd(data[0])
    assert torch.allclose(singular[0], s[:6], rtol=1e-6)
    assert torch.allclose((left[0] * u[:, :6].T).sum(1).abs(), torch.ones(6).double(), atol=1e-5)
    assert torch.allclose((right[0] * vh[:6]).sum(1).abs(), torch.ones(6).double(), atol=1e-5)
