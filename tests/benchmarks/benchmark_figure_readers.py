"""How long reading every concept of ImageNet takes: 1,000 classes × 10 concepts × 2 models."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from analysis.figures.readers import concept_detail, concept_points, replacement_points
from analysis.project import Project

_CLASSES, _COMPONENTS = 1000, 10


def _fill(project: Project) -> None:
    random = np.random.default_rng(0)
    keys = [
        (1, side, f"class number {index}", concept)
        for index in range(_CLASSES)
        for side in "ab"
        for concept in range(_COMPONENTS)
    ]
    with project.transaction() as connection:
        for position, name in enumerate(("one", "two")):
            connection.execute(
                "INSERT INTO model (name, specification, created, position) VALUES (?, '', '', ?)",
                (name, position),
            )
        connection.execute(
            "INSERT INTO run (id, audit, name, model_a, model_b, parameters, state, created)"
            " VALUES (1, 'concepts', '', 'one', 'two', '{}', 'done', '')"
        )
        numbers = random.random((len(keys), 10)).tolist()
        connection.executemany(
            "INSERT INTO concept (run, side, class, concept, model, layer, importance, stability,"
            " reconstruction_error) VALUES (?, ?, ?, ?, 'one', 'penultimate', ?, ?, ?)",
            [(*key, *row[:3]) for key, row in zip(keys, numbers, strict=True)],
        )
        connection.executemany(
            "INSERT INTO concept_similarity (run, side, class, concept, target_model,"
            " predictor_model, cmcs_pearson, cmcs_spearman, ci_low, ci_high, null_95, smcs_pearson,"
            " mcs_pearson, nonzero_weights, n_images)"
            " VALUES (?, ?, ?, ?, 'one', 'two', ?, ?, ?, ?, ?, ?, ?, 20, 50)",
            [(*key, *row[:7]) for key, row in zip(keys, numbers, strict=True)],
        )
        connection.executemany(
            "INSERT INTO replacement (run, side, class, concept, target_model, predictor_model,"
            " delta_pearson, l2, kl, match_accuracy) VALUES (?, ?, ?, ?, 'one', 'two', ?, ?, ?, ?)",
            [(*key, *row[:4]) for key, row in zip(keys, numbers, strict=True)],
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder) / "large.parallax")


def _measure(path: Path) -> None:
    with Project.create(path) as project:
        _fill(project)
        for read in (
            lambda: concept_points(project, 1),
            lambda: replacement_points(project, 1),
            lambda: concept_detail(project, 12345),
        ):
            times = []
            for _ in range(7):
                started = time.perf_counter()
                data = read()
                times.append(time.perf_counter() - started)
            tracemalloc.start()
            read()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            print(
                f"{type(data).__name__}: median {1000 * np.median(times):.0f} ms,"
                f" worst {1000 * max(times):.0f} ms, peak {peak / 1e6:.0f} MB"
            )


if __name__ == "__main__":
    main()
