"""The shared solver against solvers of one problem at a time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import sklearn.linear_model
import torch

from analysis.errors import AuditError
from analysis.semantics.example_sets import ConceptExamples, LinearProblems, draw_problems
from analysis.semantics.linear_solver import (
    REGULARISATION,
    Loss,
    centred,
    example_gram,
    held_out_values,
    solve,
    spread_weights,
)


def _problems(n: int = 60, positives: int = 20, sets: int = 5) -> LinearProblems:
    concept = ConceptExamples("c", np.arange(positives), np.arange(positives, n))
    return draw_problems(concept, sets, set_size=30)


def _features(channels: int, n: int = 60, offset: float = 3.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(channels)
    values = torch.randn(n, channels, generator=generator) + offset
    values[:20, 0] += 1.5
    return values


def _balance(sign: np.ndarray) -> np.ndarray:
    return np.where(
        sign > 0, len(sign) / (2 * (sign > 0).sum()), len(sign) / (2 * (sign < 0).sum())
    )


def _objective(
    point: np.ndarray, x: np.ndarray, y: np.ndarray, weight: np.ndarray, regularisation: float
) -> float:
    w, b = point[:-1], point[-1]
    short = np.maximum(0, 1 - y * (x @ w + b))
    return float((weight * short**2).mean() + regularisation * w @ w)


@pytest.mark.parametrize(("channels", "regularisation"), [(4, 0.01), (4, 1e-4), (80, 1e-3)])
def test_hinge_is_the_minimum_that_a_general_minimiser_finds(
    channels: int, regularisation: float
) -> None:
    features, problems = _features(channels), _problems(sets=3)
    gram = example_gram(features)
    fits = solve(gram, problems, "hinge", regularisation)
    assert bool(fits.converged.all())
    scaled = (features - features.mean(0)).double().numpy() / np.sqrt(gram.scale)
    weights = (spread_weights(problems, fits, 60) @ torch.from_numpy(scaled).float()).double()
    for number in range(len(problems)):
        x, y = scaled[problems.train[number]], problems.train_sign[number].astype(float)
        arguments = (x, y, _balance(y), regularisation)
        found = scipy.optimize.minimize(
            _objective, np.zeros(channels + 1), arguments, "L-BFGS-B",
            options={"maxiter": 3000, "maxfun": 10**6, "ftol": 1e-14, "gtol": 1e-9},
        )  # fmt: skip
        ours = _objective(np.append(weights[number].numpy(), float(fits.bias[number])), *arguments)
        assert ours <= found.fun * (1 + 1e-3) + 1e-7


@pytest.mark.parametrize("channels", [4, 200])
def test_ridge_equals_weighted_ridge_of_scikit_learn(channels: int) -> None:
    features, problems = _features(channels), _problems()
    gram = example_gram(features)
    fits = solve(gram, problems, "ridge")
    scaled = (features - features.mean(0)).double().numpy() / np.sqrt(gram.scale)
    values = held_out_values(gram, problems, fits)
    for number in range(len(problems)):
        y = problems.train_sign[number]
        other = sklearn.linear_model.Ridge(alpha=REGULARISATION * len(y))
        other.fit(scaled[problems.train[number]], y, sample_weight=_balance(y))
        expected = other.predict(scaled[problems.test[number]])
        np.testing.assert_allclose(values[number].numpy(), expected, atol=2e-4)


def test_mean_difference_is_the_nearer_of_two_means() -> None:
    features, problems = _features(6), _problems()
    gram = example_gram(features)
    values = held_out_values(gram, problems, solve(gram, problems, "mean difference"))
    for number in range(len(problems)):
        train, sign = features[problems.train[number]], torch.tensor(problems.train_sign[number])
        test = features[problems.test[number]]
        to_positive, to_negative = (
            (test - train[sign == kind].mean(0)).square().sum(1) for kind in (1, -1)
        )
        assert torch.equal(values[number] > 0, to_positive < to_negative)


@pytest.mark.parametrize("loss", ["hinge", "ridge", "mean difference"])
def test_padding_offset_and_scale_change_nothing(loss: Loss) -> None:
    features, problems = _features(30), _problems()
    padded = LinearProblems(
        np.pad(problems.train, ((0, 0), (0, 7))),
        np.pad(problems.train_sign, ((0, 0), (0, 7))),
        problems.test,
        problems.test_sign,
    )
    values = []
    for rows, ones in ((features, problems), (features, padded), (features * 40 - 5, problems)):
        gram = example_gram(rows)
        values.append(held_out_values(gram, ones, solve(gram, ones, loss)))
    torch.testing.assert_close(values[1], values[0], atol=1e-4, rtol=1e-4)
    # The differences of means have the scale of the features squared; signs do not.
    assert torch.equal(values[2] > 0, values[0] > 0)


def test_gram_is_of_centred_features_and_constant_ones_are_zero() -> None:
    maps = torch.rand(7, 3, 2, 2)
    gram = example_gram(maps)
    rows = (maps - maps.mean(0)).flatten(1)
    torch.testing.assert_close(gram.values * gram.scale, rows @ rows.T, atol=1e-5, rtol=1e-4)
    assert float(gram.values.diagonal().mean()) == pytest.approx(1, rel=1e-5)
    assert not example_gram(torch.full((5, 4), 0.1)).values.any()
    assert not centred(torch.full((5, 4), 0.1)).any()


def test_bad_input_is_refused() -> None:
    gram = example_gram(_features(4))
    with pytest.raises(AuditError, match="loss"):
        solve(gram, _problems(), "logit")  # type: ignore[arg-type]
    with pytest.raises(AuditError, match="regularisation"):
        solve(gram, _problems(), "ridge", 0.0)
    with pytest.raises(AuditError, match="finite"):
        example_gram(torch.tensor([[1.0], [torch.nan]]))
