"""All tasks of one model: our evaluation against scikit-learn's classifiers used plainly.

    python tests/benchmarks/benchmark_evaluation.py [--sizes 400x1280x10 2000x1280x20 5000x2048x100]
        [--repeats 3]

The plain way has the same folds and chooses among the same C and k: `LogisticRegression` on all
features and without warm start, `KNeighborsClassifier` once for each k, prototypes in a loop over
episodes. OMP_NUM_THREADS=1 makes the comparison fair on a busy machine, where scikit-learn alone
waits for its threads. The largest size takes minutes in the plain way; --ours leaves that out.
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

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.evaluation.ensembles import ensembles
from analysis.evaluation.neighbours import cross_validated_knn
from analysis.evaluation.probe import STRENGTHS, linear_probe
from analysis.evaluation.prototypes import prototypical
from analysis.evaluation.splits import Split, make_split, stratified_folds

KS, TEMPERATURE, SHOTS, EPISODES, QUERIES = (10, 20, 100, 200), 0.07, 5, 200, 15
MODELS, REPLICATES = 7, 1000


def make_features(images: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features after ReLU that share sixty directions, as those of a network do."""
    generator = np.random.default_rng(0)
    labels = np.arange(images) % classes
    hidden = generator.normal(size=(classes, 60))[labels] * 0.5
    hidden += generator.normal(size=(images, 60))
    features = hidden @ generator.normal(size=(60, width))
    features += 0.5 * generator.normal(size=(images, width))
    return (np.maximum(features, 0) ** 1.5).astype(np.float32), labels


def plain_knn(features: np.ndarray, split: Split) -> np.ndarray:
    from sklearn.neighbors import KNeighborsClassifier

    found = []
    for k in KS:
        right = np.zeros(len(features), bool)
        for fold in split.folds:
            model = KNeighborsClassifier(
                k,
                metric="cosine",
                algorithm="brute",
                weights=lambda distance: np.exp((1 - distance) / TEMPERATURE),
            )
            model.fit(features[fold.train], split.labels[fold.train])
            right[fold.test] = model.predict(features[fold.test]) == split.labels[fold.test]
        found.append(right.mean())
    return np.array(found)


def plain_probe(features: np.ndarray, split: Split) -> np.ndarray:
    """The same C and folds as ours chooses among, each fit from nothing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    right = np.zeros(len(features), bool)
    for fold in split.folds:
        scaler = StandardScaler().fit(features[fold.train])
        train, labels = scaler.transform(features[fold.train]), split.labels[fold.train]
        inner = stratified_folds(labels, 5, 0)
        losses = []
        for strength in STRENGTHS:
            loss = []
            for part in range(1 if len(labels) >= 1000 else 5):
                held = inner == part
                model = LogisticRegression(C=strength, tol=1e-5, max_iter=500)
                given = model.fit(train[~held], labels[~held]).predict_proba(train[held])
                loss.append(-np.log(np.maximum(given[np.arange(held.sum()), labels[held]], 1e-12)))
            losses.append(np.concatenate(loss).mean())
        model = LogisticRegression(C=STRENGTHS[int(np.argmin(losses))], tol=1e-5, max_iter=500).fit(
            train, labels
        )
        test = scaler.transform(features[fold.test])
        right[fold.test] = model.predict(test) == split.labels[fold.test]
    return np.array([right.mean()])


def plain_prototypes(features: np.ndarray, split: Split) -> np.ndarray:
    generator = np.random.default_rng(0)
    count = len(split.classes)
    members = [np.flatnonzero(split.labels == number) for number in range(count)]
    queries = min(QUERIES, min(map(len, members)) - SHOTS)
    found = []
    for _ in range(EPISODES):
        drawn = [generator.permutation(images)[: SHOTS + queries] for images in members]
        means = np.stack([features[images[:SHOTS]].mean(0) for images in drawn])
        right = [
            (np.linalg.norm(features[image] - means, axis=1).argmin() == number)
            for number, images in enumerate(drawn)
            for image in images[SHOTS:]
        ]
        found.append(np.mean(right))
    return np.array([np.mean(found)])


def plain_ensembles(given: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A loop over pairs and bootstrap samples; a tenth of the samples."""
    generator = np.random.default_rng(0)
    answers = given.argmax(2) == labels
    value = answers.mean(1)
    gains = []
    for a in range(len(given)):
        for b in range(a + 1, len(given)):
            difference = value[a] - value[b]
            voted = (0.5 + difference) * given[a] + (0.5 - difference) * given[b]
            both = voted.argmax(1) == labels
            gains.append(both.mean() - max(value[a], value[b]))
            for _ in range(REPLICATES // 10):
                drawn = generator.integers(len(labels), size=len(labels))
                both[drawn].mean() - max(answers[a][drawn].mean(), answers[b][drawn].mean())
    return np.array([np.mean(gains)])


def our_knn(features: np.ndarray, split: Split) -> np.ndarray:
    found = cross_validated_knn(features, split, KS, TEMPERATURE).probabilities
    return (found.argmax(2) == split.labels).mean(1)


def our_probe(features: np.ndarray, split: Split) -> np.ndarray:
    found = linear_probe(features, split.labels, split.folds).probabilities
    return np.array([(found.argmax(1) == split.labels).mean()])


def our_prototypes(features: np.ndarray, split: Split) -> np.ndarray:
    found = prototypical(features, split.labels, SHOTS, EPISODES, QUERIES)
    return np.array([found.accuracies.mean()])


def our_ensembles(given: np.ndarray, labels: np.ndarray) -> np.ndarray:
    found = ensembles(given, labels, REPLICATES)
    return np.array([np.nanmean(found.gain)])


def timed(function: Callable[..., Any], *inputs: Any, repeats: int = 1) -> tuple[Any, float]:
    """The result and the least wall time of `repeats` runs."""
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(*inputs)
        best = min(best, time.perf_counter() - start)
    return result, best


def main() -> None:
    """Measure and print one table a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["400x1280x10", "2000x1280x20"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours", action="store_true", help="leave the plain way out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for size in arguments.sizes:
        images, width, classes = map(int, size.split("x"))
        features, labels = make_features(images, width, classes)
        split = make_split([f"{label:04d}" for label in labels])
        logits = np.random.default_rng(1).normal(size=(MODELS, images, classes)) * 2
        logits += np.linspace(1, 3, MODELS)[:, None, None] * np.eye(classes)[labels]
        given = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
        steps: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = [
            (f"k-NN, k = {KS}", plain_knn, our_knn, (features, split)),
            ("linear probe", plain_probe, our_probe, (features, split)),
            (f"prototypes, {SHOTS} shots", plain_prototypes, our_prototypes, (features, split)),
            (f"ensembles of {MODELS} models", plain_ensembles, our_ensembles, (given, labels)),
        ]
        print(f"{images} images, {width} features, {classes} classes")
        for name, plain, ours, inputs in steps:
            result, seconds = timed(ours, *inputs, repeats=arguments.repeats)
            line = f"  {name:28}{seconds:8.2f} s   {np.round(result, 4)}"
            if not arguments.ours:
                expected, reference = timed(plain, *inputs)
                line += f"   plain {reference:8.2f} s   {np.round(expected, 4)}"
                line += f"   ratio {reference / seconds:6.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
