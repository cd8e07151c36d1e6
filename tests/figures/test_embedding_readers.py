"""The embedding and performance as figures and views get them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import KNeighborsRegressor

from analysis.errors import AuditError
from analysis.figures.embedding_readers import (
    concept_counts,
    correlation_matrix,
    embedding_loadings,
    embedding_points,
    ensemble_gains,
    ensemble_tasks,
    group_choice,
    performance_surface,
    performance_table,
    stability,
)
from analysis.figures.unit_readers import profiles
from tests.figures.made_audits import CONCEPTS, MODELS, TASKS, add_embedding


def test_points_have_their_covariance_and_groups(audited):
    data = embedding_points(audited.project, audited.embedding)
    assert data.models == MODELS
    row = audited.project.row("SELECT * FROM embedding WHERE model = 'ViT-S'")
    assert list(data.points[1]) == [row["pc1"], row["pc2"], row["pc3"]]
    np.testing.assert_allclose(np.sqrt(np.diag(data.covariance[1])), [0.2, 0.3, 0.4])
    assert data.covariance[1][0, 2] == data.covariance[1][2, 0] == 0.01
    assert data.group == ("A", "B", "A", "B", "A", "")
    assert list(data.fitted) == [True] * 5 + [False]
    np.testing.assert_allclose(data.explained_variance, [0.7, 0.35, 0.7 / 3])
    assert data.preset == "default"
    with pytest.raises(ValueError, match="read-only"):
        data.points[0] = 0


def test_two_models_have_one_component(audited):
    run = add_embedding(audited.project, MODELS[:2], components=1)
    data = embedding_points(audited.project, run)
    assert data.points.shape == (2, 1)
    assert data.covariance.shape == (2, 1, 1)
    assert data.explained_variance.shape == (1,)


def test_doubt_that_is_not_known_is_nan(audited):
    with audited.project.transaction() as connection:
        connection.execute("UPDATE embedding SET se2 = NULL, covariance12 = NULL")
    data = embedding_points(audited.project, audited.embedding)
    assert np.isnan(data.covariance[:, 1, 1]).all()
    assert np.isnan(data.covariance[:, 0, 1]).all()
    assert np.isfinite(data.covariance[:, 0, 0]).all()


def test_loadings_are_by_component_and_concept(audited):
    data = embedding_loadings(audited.project, audited.embedding)
    assert data.loadings.shape == (3, len(CONCEPTS))
    assert data.categories == ("object",) * 3 + ("part", "material", "color")
    for c, (name, category) in enumerate(zip(data.concepts, data.categories, strict=True)):
        value = audited.project.value(
            "SELECT loading FROM loading WHERE component = 2 AND concept = ? AND category = ?",
            (name, category),
        )
        assert data.loadings[1, c] == value


def test_group_choice_names_the_groups_in_use(audited):
    data = group_choice(audited.project, audited.embedding)
    assert list(data.k) == [1, 2, 3, 4, 5]
    assert np.isnan(data.silhouette[0])
    assert data.chosen == 2


def test_correlations_are_tables(audited):
    data = correlation_matrix(audited.project, audited.embedding, "performance")
    assert data.rows == ("ImageNet", *TASKS)
    assert data.r.shape == (3, 3)
    assert np.isnan(data.r[:, 2]).all()
    assert list(data.n[:, 0]) == [6, 5, 4]
    categories = correlation_matrix(audited.project, audited.embedding, "profile")
    assert categories.rows[:5] == (
        "object (all)",
        "part (all)",
        "material (all)",
        "color (all)",
        "total (all)",
    )
    assert categories.rows[5] == "object (unique)"
    with pytest.raises(AuditError, match="kind colour"):
        correlation_matrix(audited.project, audited.embedding, "colour")


def test_the_newest_performance_counts(audited):
    data = performance_table(audited.project)
    assert data.models == MODELS
    assert data.tasks == (*TASKS, "ImageNet")
    assert data.value[0, 0] == 0.99  # imported later
    assert np.isnan(data.ci_low[0, 0])
    assert data.n[0, 0] == 0
    assert data.value[1, 0] == pytest.approx(0.63)
    assert data.n[1, 0] == 120
    assert np.isnan(data.value[-1, 2])


def test_a_surface_is_the_mean_of_the_nearest_models(audited):
    project, run = audited.project, audited.embedding
    data = performance_surface(project, run, "ImageNet", 2, 3)
    points = embedding_points(project, run).points[:, [1, 2]]
    assert data.models == MODELS[:5]
    assert data.neighbours == 5
    assert np.ptp(data.value) == 0  # all five
    data = performance_surface(project, run, "linear probe", 2, 3)
    table = performance_table(project)
    oracle = KNeighborsRegressor(5).fit(points, table.value[:, 1])
    grid = np.stack(np.meshgrid(data.x, data.y), axis=-1)
    expected = oracle.predict(grid.reshape(-1, 2)).reshape(data.value.shape)
    np.testing.assert_allclose(data.value, expected)
    assert data.x[0] < points[:, 0].min() < points[:, 0].max() < data.x[-1]
    assert data.y[0] < points[:, 1].min() < points[:, 1].max() < data.y[-1]


def test_surfaces_that_cannot_be_say_why(audited):
    project, run = audited.project, audited.embedding
    for arguments, words in (
        (("juggling",), "juggling"),
        (("ImageNet", 1, 4), "no component 4"),
        (("ImageNet", 2, 2), "two different"),
    ):
        with pytest.raises(AuditError, match=words) as caught:
            performance_surface(project, run, *arguments)
        assert caught.value.hint
    with project.transaction() as connection:
        connection.execute("UPDATE performance SET value = NULL")
    with pytest.raises(AuditError, match="performance in this task"):
        performance_surface(project, run, "ImageNet")


def test_counts_of_a_concept_are_those_of_the_fitted_models(audited):
    project, run = audited.project, audited.embedding
    data = concept_counts(project, run, "food", "material", 2)
    assert data.models == MODELS[:5]
    counted = profiles(project, run)
    column = list(zip(counted.concepts, counted.concept_categories, strict=True)).index(
        ("food", "material")
    )
    assert list(data.units) == list(counted.units[:5, column])
    np.testing.assert_array_equal(data.position, embedding_points(project, run).points[:5, 1])
    assert data.r == pytest.approx(stats.pearsonr(data.units, data.position).statistic)
    with pytest.raises(AuditError, match="unicorn"):
        concept_counts(project, run, "unicorn", "object", 1)
    with pytest.raises(AuditError, match="no component 9"):
        concept_counts(project, run, "food", "material", 9)


def test_ensembles_are_symmetric(audited):
    project, run = audited.project, audited.evaluation
    assert ensemble_tasks(project, run) == TASKS
    assert ensemble_tasks(project, audited.imported_evaluation) == ()
    data = ensemble_gains(project, run, "linear probe")
    assert data.models == MODELS
    np.testing.assert_array_equal(data.gain, data.gain.T)
    assert np.isnan(np.diag(data.gain)).all()
    assert data.gain[0, 1] == -0.004
    assert data.ci_low[0, 1] == pytest.approx(-0.014)
    np.testing.assert_allclose(data.performance, 0.65 + 0.03 * np.arange(6))
    with pytest.raises(AuditError, match="juggling"):
        ensemble_gains(project, run, "juggling")


def test_stability_is_listed(audited):
    data = stability(audited.project, audited.embedding)
    assert list(data.kind[[0, 1, -1]]) == ["unit bootstrap", "leave one out", "iou threshold"]
    assert data.setting[1] == MODELS[0]
    assert np.isnan(data.agreement[-1])


def test_runs_without_results_are_empty(audited):
    project = audited.project
    with project.transaction() as connection:
        for table in ("embedding", "component", "loading", "group_choice", "stability"):
            connection.execute(f"DELETE FROM {table}")
        for table in ("profile_correlation", "performance_correlation", "performance"):
            connection.execute(f"DELETE FROM {table}")
    run = audited.embedding
    assert embedding_points(project, run).models == ()
    assert embedding_loadings(project, run).loadings.shape == (0, 0)
    assert len(group_choice(project, run).k) == 0
    assert correlation_matrix(project, run, "profile").rows == ()
    assert performance_table(project).value.shape == (0, 0)
    assert len(stability(project, run).kind) == 0
    for read in (embedding_points, embedding_loadings, group_choice, stability):
        with pytest.raises(AuditError, match="no run 99"):
            read(project, 99)
