"""One class at the paper's scale: the reference way of computing its concepts against ours.

Two models, 1,600 patches of 100 images, 2,048 channels, 10 concepts, a classifier of 1,000
classes. Both ways get the same input at every step. Run with

    python tests/benchmarks/benchmark_concepts.py [--threads 2] [--repeats 3]
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize
import scipy.stats
import torch
from sklearn.decomposition import NMF

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.concepts.extraction import factorize, fit_coefficients
from analysis.concepts.importance import log_probability_importance
from analysis.concepts.regression import LassoFolds, fit_lasso_folds, predict
from analysis.statistics.correlation import columnwise_pearson, pearson

IMAGES, PATCHES, CHANNELS, CONCEPTS, CLASSES, LABEL = 100, 16, 2048, 10, 1000, 7
ALPHA, FOLDS, STEPS = 0.1, 5, 30


def make_activations(seed: int = 0) -> list[torch.Tensor]:
    """Two layers after ReLU that share most of what they see, each with features of its own."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    def scenes(things: int) -> torch.Tensor:
        shown = random(IMAGES, 1, things).pow(3) * 2 + 0.1
        on = (random(IMAGES, PATCHES, things) < 0.35).float()
        strength = torch.linspace(1.5, 0.4, things)
        return shown * on * random(IMAGES, PATCHES, things) * strength

    shared = scenes(20)
    layers = []
    for _ in range(2):
        seen = torch.cat([shared, scenes(6)], -1).flatten(0, 1)
        features = random(seen.shape[1], CHANNELS).pow(3) * 4
        features = features * (random(seen.shape[1], CHANNELS) < 0.1)
        noise = 0.15 * torch.randn(seen.shape[0], CHANNELS, generator=generator)
        layers.append((seen @ features + 0.2 * random(CHANNELS) - 0.08 + noise).clamp(min=0))
    return layers


def timed(function: Callable[[], Any], repeats: int = 1) -> tuple[Any, float]:
    """The result and the least wall time of `repeats` runs."""
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return result, best


# The reference way -----------------------------------------------------------------------------


def reference_nmf(layers: list[torch.Tensor]) -> list[tuple[np.ndarray, np.ndarray]]:
    found = []
    for activations in layers:
        model = NMF(n_components=CONCEPTS, init="nndsvd", random_state=0)
        found.append((model.fit_transform(activations.numpy()), model.components_))
    return found


def reference_nnls(layers: list[torch.Tensor], bases: list[torch.Tensor]) -> list[np.ndarray]:
    found = []
    for activations, basis in zip(layers, bases, strict=True):
        design = basis.double().numpy().T.copy()
        rows = [scipy.optimize.nnls(design, row)[0] for row in activations.double().numpy()]
        found.append(np.stack(rows))
    return found


def reference_lasso(
    layers: list[torch.Tensor], targets: torch.Tensor, tolerance: float
) -> list[np.ndarray]:
    """celer's coefficients on the standardised scale, a column and a fold at a time."""
    from celer import Lasso

    y = targets.double().numpy()
    y = (y - y.mean(0)) / y.std(0)
    held_out = np.repeat(np.arange(FOLDS), IMAGES * PATCHES // FOLDS)
    found = []
    for activations in layers:
        x = activations.double().numpy()
        x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
        weights = np.zeros((FOLDS, CHANNELS, y.shape[1]))
        for fold in range(FOLDS):
            train = held_out != fold
            for column in range(y.shape[1]):
                model = Lasso(ALPHA, tol=tolerance).fit(x[train], y[train, column])
                weights[fold, :, column] = model.coef_
        found.append(weights)
    return found


def reference_pearson(
    first: np.ndarray, second: np.ndarray, predictions: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    table = np.array([[scipy.stats.pearsonr(a, b)[0] for b in second.T] for a in first.T])
    real = np.concatenate([first, second], 1)
    held = np.array(
        [
            [scipy.stats.pearsonr(p, r)[0] for p, r in zip(q.T, real.T, strict=True)]
            for q in predictions
        ]
    )
    return table, held


def reference_importance(
    coefficients: list[torch.Tensor], bases: list[torch.Tensor], heads: list[torch.Tensor]
) -> list[torch.Tensor]:
    """Thirty forward and backward passes through reconstruction and classifier."""
    found = []
    labels = torch.full((IMAGES * PATCHES,), LABEL)
    for u, w, v in zip(coefficients, bases, heads, strict=True):
        gradients = []
        for alpha in np.linspace(0, 1, STEPS):
            point = (float(alpha) * u).requires_grad_(True)
            loss = torch.nn.functional.cross_entropy(point @ w @ v.T, labels, reduction="sum")
            gradients.append(torch.autograd.grad(loss, point)[0])
        stack = torch.stack(gradients)
        found.append((u * ((stack[1:] + stack[:-1]) / 2).mean(0)).mean(0).abs())
    return found


# Ours ------------------------------------------------------------------------------------------


def our_lasso(layers: list[torch.Tensor], targets: torch.Tensor) -> list[LassoFolds]:
    images = torch.arange(IMAGES).repeat_interleave(PATCHES)
    return [fit_lasso_folds(a, targets, images, ALPHA, FOLDS) for a in layers]


def our_importance(
    coefficients: list[torch.Tensor],
    bases: list[torch.Tensor],
    heads: list[torch.Tensor],
    preset: Any,
) -> list[Any]:
    return [
        log_probability_importance(u, w, v, None, LABEL, preset=preset)
        for u, w, v in zip(coefficients, bases, heads, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="of ours; the best counts")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    layers = make_activations()
    heads = [
        torch.randn(CLASSES, CHANNELS, generator=torch.Generator().manual_seed(s)) * 0.05
        for s in (1, 2)
    ]
    times: list[tuple[str, float, float]] = []
    differences: list[tuple[str, float]] = []

    def step(name: str, reference: Callable[[], Any], ours: Callable[[], Any]) -> tuple[Any, Any]:
        theirs, slow = timed(reference)
        mine, fast = timed(ours, options.repeats)
        times.append((name, slow, fast))
        return theirs, mine

    batch = torch.stack(layers)
    factors, found = step("NMF", lambda: reference_nmf(layers), lambda: factorize(batch, CONCEPTS))
    theirs_error = [
        float((a - torch.from_numpy(u @ w)).double().norm() / a.double().norm())
        for a, (u, w) in zip(layers, factors, strict=True)
    ]
    same = factorize(batch, CONCEPTS, preset="reference")
    bases = [torch.nn.functional.normalize(torch.from_numpy(w), dim=1) for _, w in factors]
    differences += [
        (
            f"NMF {i}: our relative error less scikit-learn's ({theirs_error[i]:.5f})",
            found.relative_error[i].item() - theirs_error[i],
        )
        for i in range(2)
    ]
    differences.append(
        ("NMF, reference preset: unit-length basis", max_difference(same.basis, torch.stack(bases)))
    )
    stacked = torch.stack(bases)
    exact, fitted = step(
        "NNLS", lambda: reference_nnls(layers, bases), lambda: fit_coefficients(batch, stacked)
    )
    size = max(np.abs(part).max() for part in exact)
    differences.append(
        (
            "NNLS: coefficients, of the largest",
            max_difference(fitted, torch.from_numpy(np.stack(exact))) / size,
        )
    )
    targets = torch.cat([torch.from_numpy(part).float() for part in exact], 1)
    weights, folds = step(
        "lasso", lambda: reference_lasso(layers, targets, 1e-4), lambda: our_lasso(layers, targets)
    )
    tight = reference_lasso(layers, targets, 1e-12)
    for name, other in (("default tolerance", weights), ("tolerance 1e-12", tight)):
        differences.append(
            (
                f"lasso: standardised coefficients, celer at {name}",
                lasso_difference(layers, targets, folds, other),
            )
        )
    differences.append(
        ("lasso: our largest KKT residual", max(f.kkt_residual.max().item() for f in folds))
    )
    predictions = [predict(a, f) for a, f in zip(layers, folds, strict=True)]
    arrays = [part.double().numpy() for part in predictions]
    (table, held), (our_table, our_held) = step(
        "Pearson",
        lambda: reference_pearson(exact[0], exact[1], arrays),
        lambda: (
            pearson(targets[:, :CONCEPTS], targets[:, CONCEPTS:]),
            torch.stack([columnwise_pearson(p, targets) for p in predictions]),
        ),
    )
    differences.append(("Pearson: all pairs", max_difference(our_table, torch.from_numpy(table))))
    differences.append(("Pearson: predictions", max_difference(our_held, torch.from_numpy(held))))
    reference_held = reference_correlations(layers, targets, weights)
    differences.append(
        (
            "CMCS and SMCS: from our lasso less celer's (default tolerance)",
            max_difference(our_held, reference_held),
        )
    )
    coefficients = [targets[:, :CONCEPTS].contiguous(), targets[:, CONCEPTS:].contiguous()]
    slow, fast = step(
        "importance",
        lambda: reference_importance(coefficients, bases, heads),
        lambda: our_importance(coefficients, bases, heads, "paper"),
    )
    same_rule = our_importance(coefficients, bases, heads, "reference")
    largest = max(float(part.max()) for part in slow)
    for name, ours in (("paper", fast), ("reference", same_rule)):
        parts = zip(ours, slow, strict=True)
        value = max(max_difference(o.importance, s) for o, s in parts) / largest
        differences.append((f"importance, {name} preset: of the largest", value))
    differences += [
        (
            f"importance, {name} preset: completeness residual",
            max(float(o.completeness_residual) for o in ours),
        )
        for name, ours in (("paper", fast), ("reference", same_rule))
    ]
    report(times, differences, options.threads)


def max_difference(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first.double() - second.double()).abs().max())


def lasso_difference(
    layers: list[torch.Tensor], targets: torch.Tensor, folds: list[LassoFolds], other: Any
) -> float:
    scale = targets.double().std(0, correction=0)
    values = []
    for activations, ours, theirs in zip(layers, folds, other, strict=True):
        spread = activations.double().std(0, correction=0)
        standardised = ours.coefficients.double() * spread[:, None] / scale
        values.append(max_difference(standardised, torch.from_numpy(theirs)))
    return max(values)


def reference_correlations(
    layers: list[torch.Tensor], targets: torch.Tensor, weights: Any
) -> torch.Tensor:
    found = []
    for activations, parts in zip(layers, weights, strict=True):
        wide = activations.double()
        standard = (wide - wide.mean(0)) / wide.std(0, correction=0).clamp(min=1e-30)
        predicted = standard @ torch.from_numpy(parts.mean(0))
        found.append(columnwise_pearson(predicted, targets))
    return torch.stack(found)


def report(
    times: list[tuple[str, float, float]], differences: list[tuple[str, float]], threads: int
) -> None:
    print(f"{threads} threads; seconds")
    print(f"{'step':<12}{'reference':>11}{'ours':>11}{'ratio':>9}")
    total = "total", sum(t[1] for t in times), sum(t[2] for t in times)
    for name, slow, fast in [*times, total]:
        print(f"{name:<12}{slow:>11.3f}{fast:>11.4f}{slow / fast:>9.1f}")
    print("\nlargest differences")
    for name, value in differences:
        print(f"{value:>11.2e}  {name}")


if __name__ == "__main__":
    main()
