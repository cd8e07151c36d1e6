"""Stability beside literal loops, and in small cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes

from analysis.embedding.components import project
from analysis.embedding.embed import Embedding, embed
from analysis.embedding.matrix import matrix_of_counts
from analysis.embedding.stability import (
    aligned_distance,
    leave_one_model_out,
    threshold_sweep,
    unit_bootstrap,
)
from analysis.embedding.units import LabelledUnits, labelled_units, matrix_at
from analysis.errors import AuditError


def _units(seed: int = 0, models: int = 6) -> LabelledUnits:
    """Two kinds of models: the first half knows cats, the others wheels."""
    generator = np.random.default_rng(seed)
    names = [f"m{index}" for index in range(models)]
    rows = []
    for index, name in enumerate(names):
        for _ in range(120):
            kind = int(generator.random() < (0.8 if index < models / 2 else 0.2))
            concept = (("wheel", "part"), ("cat", "object"))[kind]
            if generator.random() < 0.3:
                concept = (f"rare{generator.integers(5)}", "object")
            rows.append((name, *concept, float(generator.uniform(0, 0.2)), None))
    return labelled_units(names, rows)


@pytest.fixture(params=["default", "paper"])
def embedding(request: pytest.FixtureRequest) -> Embedding:
    return embed(matrix_at(_units()), request.param, groups=2)


def test_bootstrap_is_that_of_drawing_units(embedding: Embedding) -> None:
    """Drawing units one by one gives the same covariances as multinomial counts."""
    generator = np.random.default_rng(8)
    matrix = embedding.matrix
    found = unit_bootstrap(embedding, np.full(6, 120), replicates=2000)
    for model in range(6):
        none = 120 - matrix.counts[model].sum()
        pool = np.repeat(np.arange(len(matrix.concepts) + 1), [*matrix.counts[model], none])
        drawn = generator.choice(pool, size=(2000, 120))
        counts = (drawn[:, :, None] == np.arange(len(matrix.concepts))).sum(1)
        points = project(embedding.components, counts / matrix.category_sizes)
        expected = np.cov(points.T)
        np.testing.assert_allclose(
            found.covariance[model], expected, atol=0.15 * np.abs(expected).max()
        )
    np.testing.assert_allclose(
        found.standard_error**2, np.diagonal(found.covariance, axis1=1, axis2=2)
    )
    assert found.kept > 0.9
    assert found.agreement >= found.kept


def test_planted_groups_survive(embedding: Embedding) -> None:
    changes = leave_one_model_out(embedding)
    assert changes.settings == embedding.matrix.models
    np.testing.assert_allclose(changes.agreement, 1.0)
    assert np.isfinite(changes.displacement).all()


def test_threshold_sweep_ends_where_nothing_is_left(embedding: Embedding) -> None:
    changes = threshold_sweep(embedding, _units(), [0.04, 0.1, 0.5])
    assert changes.settings == ("0.04", "0.1", "0.5")
    assert changes.agreement[0] == pytest.approx(1.0)
    assert changes.displacement[0] == pytest.approx(0, abs=1e-9)
    assert changes.displacement[1] > 0.01
    assert np.isnan(changes.agreement[2])
    assert np.isnan(changes.displacement[2])
    assert changes.concepts[2] == 0


def test_alignment_undoes_rotation_and_reflection() -> None:
    generator = np.random.default_rng(4)
    points = generator.normal(size=(9, 3))
    rotation, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    assert aligned_distance(points @ rotation + 5, points) == pytest.approx(0, abs=1e-12)
    assert aligned_distance(points * [1, 1, -1], points) == pytest.approx(0, abs=1e-12)
    assert aligned_distance(2 * points, points) > 0.5
    flat = points * [1, 1, 0]
    assert aligned_distance(flat[:, :2], flat) == pytest.approx(0, abs=1e-12)
    # SciPy scales both; no residue there means none here.
    assert procrustes(points @ rotation, points)[2] == pytest.approx(0, abs=1e-12)


def test_small_and_equal_tables() -> None:
    concepts = [("cat", "object"), ("wheel", "part")]
    two = embed(matrix_of_counts(["a", "b"], concepts, np.array([[3, 1], [0, 4]])))
    found = unit_bootstrap(two, np.array([10, 4]), replicates=20)
    assert found.covariance.shape == (2, 1, 1)
    assert found.kept == 1.0
    changes = leave_one_model_out(two)
    assert np.isnan(changes.agreement).all()
    alike = embed(matrix_of_counts(["a", "b", "c", "d"], concepts, np.tile([3, 1], (4, 1))))
    found = unit_bootstrap(alike, np.full(4, 10), replicates=20)
    assert (found.covariance == 0).all()
    assert leave_one_model_out(alike).displacement.tolist() == [0.0] * 4
    empty = embed(matrix_of_counts(["a", "b", "c"], concepts, np.array([[3, 1], [0, 0], [1, 1]])))
    found = unit_bootstrap(empty, np.array([9, 0, 9]), replicates=20)
    np.testing.assert_allclose(found.standard_error[1], 0, atol=1e-12)
    assert leave_one_model_out(empty).settings == ("a", "b", "c")


def test_input_that_does_not_belong(embedding: Embedding) -> None:
    with pytest.raises(AuditError, match="its profile counts"):
        unit_bootstrap(embedding, np.full(6, 3))
    with pytest.raises(AuditError, match="every model"):
        unit_bootstrap(embedding, np.full(5, 120))
    with pytest.raises(AuditError, match="at least one replicate"):
        unit_bootstrap(embedding, np.full(6, 120), replicates=0)
    with pytest.raises(AuditError, match="same models"):
        threshold_sweep(embedding, _units(models=5))
    with pytest.raises(AuditError, match="does not belong"):
        embed(embedding.profiles, fitted=np.ones(3, dtype=bool))
