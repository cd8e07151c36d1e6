"""Labels, nulls and sweeps from small counts that can be checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.dissection.categories import DEAD, FAILED_THRESHOLD, NOT_A_NUMBER
from analysis.dissection.labelling import UnitLabels, label_units
from analysis.dissection.sweeps import sweep
from analysis.dissection.tally import Tally, iou
from analysis.dissection.thresholds import UnitThresholds
from analysis.errors import AuditError

CATEGORIES = ("object", "object", "material", "color")


def make_thresholds(units: int, active: float = 0.01) -> UnitThresholds:
    return UnitThresholds(
        quantile=0.01,
        value=np.ones(units),
        cutoff=np.ones(units, dtype=np.float32),
        active=np.full(units, active),
        minimum=np.zeros(units, dtype=np.float32),
        maximum=np.full(units, 2, dtype=np.float32),
        resting=np.zeros(units, dtype=bool),
        finite=np.ones(units, dtype=bool),
    )


def make_tally(intersection: list[list[int]], null: list[list[float]] | None = None) -> Tally:
    units = len(intersection)
    return Tally(
        intersection=np.array(intersection),
        activation=np.full(units, 100),
        truth=np.array([100, 100, 200, 0]),
        pixels=10_000,
        null_best_iou=np.zeros((0, units)) if null is None else np.array(null),
    )


def label(counts: Tally, thresholds: UnitThresholds | None = None, **more: float) -> UnitLabels:
    chosen = make_thresholds(len(counts.intersection)) if thresholds is None else thresholds
    return label_units(counts, chosen, CATEGORIES, **more)


def test_best_concept_over_all_categories_and_its_rivals() -> None:
    counts = make_tally([[50, 20, 60, 0], [0, 0, 30, 0], [10, 10, 0, 0]])
    found = label(counts)
    expected = np.array([50 / 150, 20 / 180, 60 / 240])
    np.testing.assert_allclose(found.candidate_iou[0, :3], [expected[0], expected[2], expected[1]])
    assert found.candidates[0].tolist() == [0, 2, 1, -1, -1]
    assert found.concept.tolist() == [0, 2, 0]  # of equals the first
    assert found.category.tolist() == ["object", "material", "object"]
    assert found.category_names == ("object", "material", "color")
    assert found.best_in_category.tolist() == [[0, 2, -1], [-1, 2, -1], [0, -1, -1]]
    assert np.isnan(found.best_iou_in_category[1, 0])
    np.testing.assert_array_equal(found.iou, np.nanmax(iou(counts), axis=1))
    assert found.interpretable.all()
    assert np.isnan(found.null_iou).all()


def test_threshold_is_strict_and_the_null_must_be_beaten() -> None:
    counts = make_tally([[40, 0, 0, 0]] * 3, [[0.1, 0.25, 0.25], [0.2, 0.2, 0.3], [0.1, 0.2, 0.2]])
    score = 40 / 160
    found = label(counts)
    np.testing.assert_allclose(found.iou, score)
    np.testing.assert_allclose(found.null_iou, np.quantile(counts.null_best_iou, 0.95, axis=0))
    assert found.interpretable.tolist() == [True, True, False]
    np.testing.assert_allclose(found.p, [1 / 4, 2 / 4, 3 / 4])
    assert not label(counts, iou_threshold=score).interpretable.any()


def test_units_that_are_not_counted_have_no_concept() -> None:
    counts = make_tally([[50, 0, 0, 0]] * 4 + [[0, 0, 0, 0]], [[0.0] * 5] * 3)
    thresholds = make_thresholds(5)
    thresholds.maximum[0] = 0
    thresholds.active[1] = 0
    thresholds.finite[2] = False
    found = label(counts, thresholds)
    assert found.category.tolist() == [DEAD, FAILED_THRESHOLD, NOT_A_NUMBER, "object", ""]
    assert found.concept.tolist() == [-1, -1, -1, 0, -1]
    for numbers in (found.iou, found.null_iou, found.p):
        assert np.isnan(numbers[:3]).all()
        assert not np.isnan(numbers[3:]).any()
    assert (found.candidates[:3] == -1).all()
    assert (found.best_in_category[:3] == -1).all()
    assert found.iou[4] == 0
    assert found.p[4] == 1
    assert found.interpretable.tolist() == [False, False, False, True, False]


def test_sweep_counts_units_and_concepts() -> None:
    counts = make_tally([[50, 0, 0, 0], [60, 0, 0, 0], [0, 20, 0, 0], [0, 90, 0, 0]], [[0.9] * 4])
    without_null = make_tally(counts.intersection.tolist())
    found = sweep([label(without_null), label(counts)], [0.0, 0.2, 0.4, 0.99])
    assert found.units.tolist() == [[4, 3, 2, 0], [0, 0, 0, 0]]
    assert found.concepts.tolist() == [[2, 2, 2, 0], [0, 0, 0, 0]]
    assert found.quantiles == (0.01, 0.01)
    own = label(without_null)
    at_threshold = sweep([own], [own.iou_threshold])
    assert at_threshold.units[0, 0] == own.interpretable.sum()


def test_no_interpretable_unit_and_no_concept() -> None:
    found = label(make_tally([[0, 0, 0, 0], [1, 0, 0, 0]]))
    assert not found.interpretable.any()
    assert sweep([found]).units[0, 3] == 0
    counts = make_tally([[], []])
    empty = Tally(counts.intersection, counts.activation, counts.truth[:0], 9, np.zeros((0, 2)))
    none = label_units(empty, make_thresholds(2), ())
    assert none.concept.tolist() == [-1, -1]
    assert none.category.tolist() == ["", ""]
    assert none.best_in_category.shape == (2, 0)


def test_counts_of_another_layer_are_refused() -> None:
    counts = make_tally([[1, 0, 0, 0]])
    with pytest.raises(AuditError, match="names and 2 thresholds"):
        label(counts, make_thresholds(2))
    with pytest.raises(AuditError, match="4 concepts of 1 units"):
        label_units(counts, make_thresholds(1), CATEGORIES[:3])
    assert math.isclose(label(counts).iou[0], 1 / 199)
