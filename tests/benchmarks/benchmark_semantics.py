"""Concept vectors against scikit-learn's SGDClassifier, one vector at a time, as TCAV trains them.

    python tests/benchmarks/benchmark_semantics.py [--threads 1] [--sets 500] [--measured 40]

The plain way fits a linear support vector machine by stochastic gradient descent (alpha 0.01, at
most 1,000 epochs, tolerance 1e-3) to each random set, with a third of the examples held out. It is
measured on some of the sets and its time multiplied; ours solves all of them, Gram matrix, draws,
held-out values and vectors included. Both are given the same sets and the same splits, and their
accuracies are compared pair by pair; so are those of SGDClassifier on scaled features and of
LinearSVC, which solves our own problem. Then SFSS and UCS of ordinary sizes are timed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.semantics.example_sets import ConceptExamples, LinearProblems, draw_problems
from analysis.semantics.linear_solver import (
    LOSSES,
    REGULARISATION,
    Loss,
    centred,
    example_gram,
    held_out_values,
    solve,
    spread_weights,
)
from analysis.semantics.mask_similarity import mask_similarity
from analysis.semantics.space_similarity import space_similarity
from tests.semantics.in_one_go import concept_vectors

POSITIVES, POOL = 50, 500


def make_features(shape: tuple[int, ...]) -> torch.Tensor:
    """Rectified features in which the concept moves a twentieth of the channels a little."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(POSITIVES + POOL, *shape, generator=generator)
    values[:POSITIVES, : max(1, shape[0] // 20)] += 0.7 if len(shape) == 1 else 0.2
    return values.clamp(min=0)


Classifier = Callable[[int], Any]


def plain_way(
    features: np.ndarray, problems: LinearProblems, measured: int, make: Classifier
) -> tuple[float, np.ndarray]:
    """Seconds for all problems, and the accuracy of the first `measured`."""
    accuracies = []
    start = time.perf_counter()
    for number in range(measured):
        model = make(number).fit(features[problems.train[number]], problems.train_sign[number])
        test = features[problems.test[number]]
        accuracies.append(model.score(test, problems.test_sign[number]))
    seconds = (time.perf_counter() - start) / measured * len(problems)
    return seconds, np.array(accuracies)


def stochastic(number: int) -> SGDClassifier:
    """The classifier of TCAV."""
    return SGDClassifier(alpha=0.01, max_iter=1000, tol=1e-3, random_state=number)


def our_way(
    features: torch.Tensor,
    concept: ConceptExamples,
    sets: int,
    loss: Loss,
) -> tuple[float, np.ndarray]:
    """The quickest of three, in seconds, and the accuracy of each set."""
    seconds, accuracy = [], np.empty(0)
    for _ in range(3):
        start = time.perf_counter()
        problems = draw_problems(concept, sets)
        gram = example_gram(features)
        fits = solve(gram, problems, loss)
        values = held_out_values(gram, problems, fits)
        weights = spread_weights(problems, fits, len(features))
        weights @ centred(features.flatten(1))
        if features.is_cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        right = (values.cpu().numpy() > 0) == (problems.test_sign > 0)
        accuracy = right.mean(1)
    return min(seconds), accuracy


def compare(shape: tuple[int, ...], sets: int, measured: int, device: str) -> None:
    features = make_features(shape)
    concept = ConceptExamples(
        "benchmark", np.arange(POSITIVES), np.arange(POSITIVES, POSITIVES + POOL)
    )
    problems = draw_problems(concept, sets)
    name = " × ".join(map(str, shape))
    print(f"{name} features, {sets} random sets")
    raw = features.flatten(1).numpy()
    scaled = (centred(features.flatten(1)) / example_gram(features).scale ** 0.5).numpy()
    examples = problems.train.shape[1]

    def exact(number: int) -> LinearSVC:
        return LinearSVC(C=1 / (2 * REGULARISATION * examples), random_state=number)

    others = {
        "SGDClassifier on features as they are": (raw, stochastic),
        "SGDClassifier on features centred and scaled": (scaled, stochastic),
        "LinearSVC on features centred and scaled": (scaled, exact),
    }
    found = {
        title: plain_way(values, problems, measured, make)
        for title, (values, make) in others.items()
    }
    for loss in LOSSES:
        ours, accuracy = our_way(features.to(device), concept, sets, loss)
        print(f"    {loss}: {ours:.3f} s, accuracy {accuracy.mean():.3f}", flush=True)
        if loss != "hinge":
            continue
        for title, (seconds, plain) in found.items():
            difference = accuracy[:measured] - plain
            error = 1.96 * difference.std(ddof=1) / measured**0.5
            print(
                f"        {title}: {seconds:.2f} s, ratio {seconds / ours:.0f}, accuracy"
                f" {plain.mean():.3f}; ours on the same sets {difference.mean():+.3f} ± {error:.3f}"
            )


def timed(name: str, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    print(f"{name}: {time.perf_counter() - start:.2f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--measured", type=int, default=40)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    shapes: list[tuple[int, ...]] = [(512,), (1280,), (64, 14, 14)]
    sets, measured = (50, 5) if arguments.quick else (arguments.sets, arguments.measured)
    for shape in shapes[:1] if arguments.quick else shapes:
        compare(shape, sets, measured, arguments.device)
    features = make_features((512,)).to(arguments.device)
    concept = ConceptExamples(
        "benchmark", np.arange(POSITIVES), np.arange(POSITIVES, POSITIVES + POOL)
    )
    timed(
        "One concept in one layer: 50 sets, intervals, 200 pseudo-concepts of 10 sets",
        lambda: concept_vectors(features, [concept]),
    )
    generator = torch.Generator().manual_seed(0)
    layers, images = (3, 60) if arguments.quick else (10, 300)
    attributions = torch.randn(2, layers, 10, images, generator=generator)
    timed(
        f"SFSS of {layers} × {layers} layers, 10 concepts, {images} images, 1,000 resamples and"
        " permutations",
        lambda: space_similarity(*attributions),
    )
    side = 14 if arguments.quick else 56
    coarse = torch.rand(2 * images, 10, 7, 7, generator=generator)
    values = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    first, second = values.to(arguments.device).split(images)
    timed(
        f"UCS of 10 × 10 concepts, {images} images of {side} × {side}, 19 thresholds",
        lambda: mask_similarity(first, second, tuple(np.arange(1, 20) / 20), permutations=0),
    )
    timed(
        "    2 thresholds with a null of 200 shuffles",
        lambda: mask_similarity(first, second),
    )


if __name__ == "__main__":
    main()
