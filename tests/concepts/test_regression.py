from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso
from sklearn.model_selection import KFold

from analysis.concepts.extraction import factorize
from analysis.concepts.lasso_solver import solve_on_gram
from analysis.concepts.regression import (
    celer_lasso_folds,
    fit_lasso_folds,
    fold_of_rows,
    out_of_fold,
    predict,
)
from analysis.errors import AuditError
from analysis.statistics.correlation import columnwise_pearson

Make = Callable[..., torch.Tensor]
Problem = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def problem(planted: Make) -> Problem:
    predictor, target = planted(0, channels=80), planted(0, channels=50) + planted(1, channels=50)
    coefficients = factorize(target[None], 4).coefficients[0]
    return predictor, coefficients, torch.arange(20).repeat_interleave(8)


def _standard(values: torch.Tensor) -> np.ndarray:
    wide = values.double().numpy()
    return (wide - wide.mean(0)) / wide.std(0)


def _scaled_difference(first: torch.Tensor, second: torch.Tensor, problem: Problem) -> float:
    x_scale, y_scale = problem[0].std(0, correction=0), problem[1].std(0, correction=0)
    return ((first - second).abs() * x_scale[:, None] / y_scale).max().item()


def test_the_published_example() -> None:
    x = torch.tensor([[0, 0], [1, 1], [2, 2]], dtype=torch.float64)
    y = torch.tensor([0, 1, 2], dtype=torch.float64)
    centred = x - x.mean(0)
    gram, correlation = centred.T @ centred / 3, centred.T @ (y - y.mean()) / 3
    start = torch.zeros(1, 2, dtype=torch.float64)
    found = solve_on_gram(gram[None, :1, :1], correlation[None, :1], start[:, :1], 0.1, 1e-12)
    assert found[0, 0].item() == pytest.approx(0.85)
    assert (y.mean() - found[0, 0] * x[:, 0].mean()).item() == pytest.approx(0.15)
    # The two columns are equal: any split of 0.85 is a minimum.
    both = solve_on_gram(gram[None], correlation[None], start, 0.1, 1e-9)
    assert both.sum().item() == pytest.approx(0.85, abs=1e-6)
    assert (both >= -1e-9).all()


@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.4])
def test_every_fold_and_concept_as_scikit_learn(problem: Problem, alpha: float) -> None:
    found = fit_lasso_folds(*problem, alpha=alpha)
    x, y = _standard(problem[0]), _standard(problem[1])
    assert found.converged.all()
    assert found.kkt_residual.max() < 1e-6
    expected = torch.zeros_like(found.coefficients)
    for fold, (train_images, _) in enumerate(KFold(5).split(np.arange(20))):
        train = np.isin(problem[2].numpy(), train_images)
        for concept in range(y.shape[1]):
            model = Lasso(alpha, tol=1e-10, max_iter=100_000).fit(x[train], y[train, concept])
            scale = problem[1][:, concept].double().std(correction=0)
            raw = torch.from_numpy(model.coef_) * scale / problem[0].double().std(0, correction=0)
            expected[fold, :, concept] = raw.float()
            mean = problem[1][:, concept].double().mean().item()
            predicted = model.predict(x) * scale.item() + mean
            ours = problem[0] @ found.coefficients[fold] + found.intercepts[fold]
            np.testing.assert_allclose(ours[:, concept].double(), predicted, atol=2e-4)
    assert _scaled_difference(found.coefficients, expected, problem) < 1e-4
    assert (found.nonzero == (expected != 0).any(0).sum(0)).all()


def test_celer_agrees(problem: Problem) -> None:
    found = fit_lasso_folds(*problem)
    tight = celer_lasso_folds(*problem, tolerance=1e-10)
    assert _scaled_difference(found.coefficients, tight.coefficients, problem) < 1e-4
    default = celer_lasso_folds(*problem)
    correlations = [
        columnwise_pearson(predict(problem[0], folds), problem[1]) for folds in (found, default)
    ]
    assert (correlations[0] - correlations[1]).abs().max() < 1e-3
    assert tight.kkt_residual.max() < 1e-4


def test_the_mean_model_and_held_out_predictions(problem: Problem) -> None:
    activations, coefficients, images = problem
    found = fit_lasso_folds(*problem)
    by_fold = torch.einsum("nd,fdk->fnk", activations, found.coefficients)
    by_fold = by_fold + found.intercepts[:, None]
    assert torch.allclose(predict(activations, found), by_fold.mean(0), atol=1e-5)
    held_out = out_of_fold(activations, found, images)
    for row in range(0, len(images), 7):
        fold = int(images[row]) // 4
        assert torch.allclose(held_out[row], by_fold[fold, row], atol=1e-5)
    # A fold never saw its images: changing their targets leaves its model alone.
    changed = coefficients.clone()
    changed[images < 4] = changed[images < 4].flip(0)
    again = fit_lasso_folds(activations, changed, images)
    assert _scaled_difference(again.coefficients[0], found.coefficients[0], problem) < 1e-5
    assert _scaled_difference(again.coefficients[1], found.coefficients[1], problem) > 1e-3


def test_joined_targets_are_solved_as_if_alone(problem: Problem) -> None:
    together = fit_lasso_folds(*problem)
    alone = fit_lasso_folds(problem[0], problem[1][:, 2:3], problem[2])
    difference = (together.coefficients[:, :, 2:3] - alone.coefficients).abs().max()
    assert difference < 1e-5


@given(st.permutations(range(4)), st.floats(0.01, 100))
@settings(deadline=None, max_examples=10)
def test_order_and_scale_of_concepts(order: list[int], scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 20, generator=generator, dtype=torch.float64)
    y = x[:, :4] + torch.randn(60, 4, generator=generator, dtype=torch.float64)
    images = torch.arange(12).repeat_interleave(5)
    plain = predict(x, fit_lasso_folds(x, y, images))
    moved = predict(x, fit_lasso_folds(x, (y * scale)[:, order], images))
    assert torch.allclose(moved, (plain * scale)[:, order], rtol=1e-6, atol=1e-6 * scale)
    stretched = predict(x * scale, fit_lasso_folds(x * scale, y, images))
    assert torch.allclose(stretched, plain, atol=1e-6)


def test_folds_as_scikit_learn_and_images_in_any_order() -> None:
    images = torch.tensor([7, 7, 3, 3, 9, 9, 1, 1, 4, 4, 7])
    fold = fold_of_rows(images, 2)
    order = [7, 3, 9, 1, 4]
    for index, (_, held) in enumerate(KFold(2).split(order)):
        held_images = [order[i] for i in held]
        expected = torch.tensor([image in held_images for image in images.tolist()])
        assert ((fold == index) == expected).all()
    shuffled = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(24, 6, generator=generator, dtype=torch.float64)
    y = x[:, :2] + 0.1 * torch.randn(24, 2, generator=generator, dtype=torch.float64)
    blocks = torch.arange(6).repeat_interleave(4)
    sorted_fit = fit_lasso_folds(x, y, blocks, folds=6)
    mixed_fit = fit_lasso_folds(x[shuffled], y[shuffled], blocks[shuffled], folds=6)
    mean = sorted_fit.mean_coefficients
    assert torch.allclose(mixed_fit.mean_coefficients, mean, atol=1e-6)


def test_fewer_images_than_folds_and_a_single_image(problem: Problem) -> None:
    three = problem[2] < 3
    found = fit_lasso_folds(*(part[three] for part in problem))
    assert found.coefficients.shape[0] == 3
    assert out_of_fold(problem[0][three], found, problem[2][three]).shape == (24, 4)
    with pytest.raises(AuditError, match="two images"):
        fit_lasso_folds(*(part[:8] for part in problem))


def test_constant_predictors_and_targets(problem: Problem) -> None:
    activations, coefficients, images = (part.clone() for part in problem)
    activations[:, 3] = 0.1
    activations[:, 4] = 0
    activations[images >= 4, 5] = 0.7  # constant wherever fold 0 trains
    activations[:, 6] = activations[:, 7]
    coefficients[:, 1] = 0.3
    found = fit_lasso_folds(activations, coefficients, images)
    assert torch.isfinite(found.coefficients).all()
    assert (found.coefficients[:, 3:5] == 0).all()
    assert (found.coefficients[0, 5] == 0).all()
    assert torch.allclose(predict(activations, found)[:, 1], torch.tensor(0.3))
    assert found.nonzero[1] == 0
    assert found.converged.all()


def test_more_channels_than_patches_and_a_small_penalty(planted: Make) -> None:
    x = planted(2, images=5, patches=8, channels=200, concepts=30)
    y = planted(3, images=5, patches=8, channels=3)
    images = torch.arange(5).repeat_interleave(8)
    found = fit_lasso_folds(x, y, images, alpha=0.01)
    assert found.converged.all()
    x64, y64 = _standard(x), _standard(y)
    model = Lasso(0.01, tol=1e-10, max_iter=1_000_000).fit(x64[8:], y64[8:, 0])
    left = y64[8:, 0] - model.predict(x64[8:])
    best = (left**2).mean() / 2 + 0.01 * np.abs(model.coef_).sum()
    ours = found.coefficients[0, :, 0].double() * x.double().std(0, correction=0)
    ours = ours.numpy() / y[:, 0].double().std(correction=0).item()
    left = y64[8:, 0] - x64[8:] @ ours
    left = left - left.mean()
    value = (left**2).mean() / 2 + 0.01 * np.abs(ours).sum()
    assert value == pytest.approx(best, abs=1e-6)


def test_non_finite_values_are_refused(problem: Problem) -> None:
    activations = problem[0].clone()
    activations[0, 0] = torch.inf
    with pytest.raises(AuditError, match="not finite"):
        fit_lasso_folds(activations, *problem[1:])
