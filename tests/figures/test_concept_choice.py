"""Which concept and which unit are shown first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.figures.concept_choice import most_telling, most_telling_unit
from analysis.figures.data import ConceptPoints
from analysis.figures.unit_data import UnitTable


def _points(importance: list[float], similarity: list[float]) -> ConceptPoints:
    count = len(importance)
    nothing = np.full(count, np.nan)
    return ConceptPoints(
        run=1,
        model_a="Lite0",
        model_b="Lite2",
        layer_a="penultimate",
        layer_b="penultimate",
        concept_id=np.arange(70, 70 + count),
        side=np.array(["a", "b"] * count)[:count],
        class_name=np.array(["bird", "mammal"] * count)[:count],
        concept=np.arange(count),
        cmcs_pearson=np.array(similarity),
        cmcs_spearman=nothing,
        ci_low=nothing,
        ci_high=nothing,
        null_95=nothing,
        smcs_pearson=nothing,
        mcs_pearson=nothing,
        importance=np.array(importance),
        stability=nothing,
        reconstruction_error=nothing,
        nonzero_weights=nothing,
        n_images=nothing,
    )


@pytest.mark.parametrize(
    ("importance", "similarity", "expected"),
    [
        ([0.9, 0.8, 0.1], [0.9, 0.2, 0.0], 71),  # important and unlike
        ([0.9, np.nan, 0.3], [np.nan, 0.0, 0.5], 72),  # of those with both numbers
        ([0.5, 0.6], [-0.9, 0.0], 71),  # less than nothing in common is nothing
        ([np.nan], [0.3], None),
        ([], [], None),
    ],
)
def test_what_matters_most_and_is_shared_least(importance, similarity, expected) -> None:
    assert most_telling(_points(importance, similarity)) == expected


def test_of_one_class_alone() -> None:
    points = _points([0.9, 0.8, 0.7, 0.6], [0.1, 0.1, 0.1, 0.1])
    assert most_telling(points, "mammal") == 71
    assert most_telling(points, "reptile") is None


def _units() -> UnitTable:
    rows = [
        ("Lite0", "wheel", "part", 0.30, True),
        ("Lite2", "wheel", "part", 0.20, True),
        ("Lite0", "fur", "material", 0.15, True),
        ("Lite2", "fur", "object", 0.12, True),  # another category: another concept
        ("ViT", "sky", "scene", 0.40, True),
        ("Lite2", "eye", "part", 0.50, False),
        ("Lite0", "", "dead", np.nan, False),
    ]
    model, concept, category, iou, good = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.full(len(rows), np.nan)
    return UnitTable(
        run=1,
        quantile=0.01,
        iou_threshold=0.04,
        unit_id=np.arange(50, 50 + len(rows)),
        model=model,
        layer=np.full(len(rows), "act"),
        unit=np.arange(len(rows)),
        concept=concept,
        category=category,
        iou=iou.astype(float),
        null_iou=nothing,
        p=nothing,
        interpretable=good.astype(bool),
        threshold=nothing,
        active_fraction=nothing,
    )


def test_the_best_unit_of_a_concept_that_the_other_model_lacks() -> None:
    table = _units()
    assert most_telling_unit(table, "Lite0", "Lite2") == 52
    assert most_telling_unit(table, "Lite2", "Lite0") == 52


def test_else_the_best_of_theirs_or_of_all() -> None:
    table = _units()
    assert most_telling_unit(table, "Lite0", "Lite0") == 50  # nothing that one alone knows
    assert most_telling_unit(table, "Lite0", "nobody") == 50
    assert most_telling_unit(table, None, None) == 54
    nowhere = replace(table, interpretable=np.zeros(len(table.unit_id), bool))
    assert most_telling_unit(nowhere, "Lite0", "Lite2") is None
