"""The authors' tables, read literally, and embeddings made of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from analysis.embedding.embed import Embedding, embed
from analysis.embedding.units import LabelledUnits, labelled_units, matrix_at


@dataclass(frozen=True)
class AuthorsTables:
    """`data/lce`: units of 20 models, performance of 14, published points of 13."""

    rows: list[dict[str, str]]
    published: dict[str, np.ndarray]
    tasks: tuple[str, ...]
    performance: dict[str, np.ndarray]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def tables(shared: Path) -> AuthorsTables:
    folder = shared / "data" / "lce"
    points = _read(folder / "published_lce_coordinates.csv")
    performance = _read(folder / "models_performance_on_tasks.csv")
    tasks = tuple(
        name
        for name in performance[0]
        if name and name != "model" and not name.startswith("Unnamed")
    )
    return AuthorsTables(
        rows=_read(folder / "models_dissect_profiles_raw.csv"),
        published={
            row["model"]: np.array([float(row[f"pca{i}"]) for i in (1, 2, 3)]) for row in points
        },
        tasks=tasks,
        performance={
            row["model"]: np.array([float(row[task]) for task in tasks]) for row in performance
        },
    )


@pytest.fixture(scope="session")
def units(tables: AuthorsTables) -> LabelledUnits:
    def rows():
        for row in tables.rows:
            counted = row["label"] != "-" and row["iou"] != ""
            iou = float(row["iou"]) if row["iou"] else None
            label, category = (row["label"], row["category"]) if counted else (None, None)
            yield row["name"], label, category, iou, None

    return labelled_units(list(dict.fromkeys(row["name"] for row in tables.rows)), rows())


@pytest.fixture(scope="session")
def published(units: LabelledUnits) -> Embedding:
    """The embedding as published."""
    return embed(matrix_at(units, 0.04), "paper")


@pytest.fixture(scope="session")
def task_table(tables: AuthorsTables, published: Embedding) -> np.ndarray:
    """(13 fitted models, 36 tasks), NaN for the model without performance."""
    models = np.array(published.matrix.models)[published.fitted]
    missing = np.full(len(tables.tasks), np.nan)
    return np.stack([tables.performance.get(model, missing) for model in models])
