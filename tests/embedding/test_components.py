"""Components beside scikit-learn, small cases, and what chance gives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from analysis.embedding.components import fit_components, parallel_analysis, project
from analysis.embedding.correlations import correlate
from analysis.embedding.embed import embed
from analysis.embedding.matrix import ConceptMatrix, matrix_of_counts
from analysis.errors import AuditError


def _matrix(counts: np.ndarray) -> ConceptMatrix:
    models = [f"m{index}" for index in range(len(counts))]
    concepts = [(f"c{index:03}", "object") for index in range(counts.shape[1])]
    return matrix_of_counts(models, concepts, counts)


@pytest.fixture
def random_matrix() -> ConceptMatrix:
    return _matrix(np.random.default_rng(0).poisson(4, size=(9, 30)))


def test_components_are_those_of_scikit_learn(random_matrix: ConceptMatrix) -> None:
    fitted = np.arange(9) < 7
    mine = fit_components(random_matrix, fitted)
    theirs = PCA(3, svd_solver="full").fit(random_matrix.values[fitted])
    sign = np.sign((mine.loadings * theirs.components_).sum(1))
    np.testing.assert_allclose(mine.loadings, theirs.components_ * sign[:, None], atol=1e-12)
    expected = theirs.transform(random_matrix.values) * sign
    np.testing.assert_allclose(mine.points, expected, atol=1e-12)
    np.testing.assert_allclose(mine.explained_variance, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(project(mine, random_matrix.values), mine.points, atol=1e-12)


def test_the_largest_loading_is_positive(random_matrix: ConceptMatrix) -> None:
    loadings = fit_components(random_matrix).loadings
    largest = np.abs(loadings).argmax(1)
    assert (loadings[np.arange(3), largest] > 0).all()


def test_two_models_have_one_component() -> None:
    embedding = embed(_matrix(np.array([[3, 0, 1], [0, 2, 1]])))
    fit = embedding.components
    assert fit.points.shape == (2, 1)
    assert fit.explained_variance.tolist() == [pytest.approx(1.0)]
    assert fit.points[0, 0] == pytest.approx(-fit.points[1, 0])
    assert embedding.groups == ("A", "A")
    null = parallel_analysis(embedding.matrix)
    assert null[0] == pytest.approx(1.0)
    assert np.isnan(null[1:]).all()
    found = correlate(fit.points, np.array([[1.0], [2.0]]))
    assert found.p.tolist() == [[1.0]]


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_one_model_is_no_embedding(preset) -> None:
    with pytest.raises(AuditError, match="at least two models; there is one"):
        embed(_matrix(np.array([[1, 2]])), preset)
    with pytest.raises(AuditError, match="there are 0"):
        embed(_matrix(np.array([[1, 2]])), preset, fitted=np.array([False]))


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_models_that_are_all_alike(preset) -> None:
    embedding = embed(_matrix(np.tile([7, 3, 1], (5, 1))), preset)
    fit = embedding.components
    assert fit.points.shape == (5, 1)
    assert (fit.points == 0).all()
    assert np.isnan(fit.explained_variance).all()
    assert set(embedding.groups) == {"A"}
    assert np.isnan(parallel_analysis(embedding.matrix)).all()
    found = correlate(fit.points, np.arange(5.0)[:, None])
    assert np.isnan(found.r).all()
    assert np.isnan(found.p_adjusted).all()


def test_a_model_without_interpretable_units_is_a_model() -> None:
    counts = np.array([[5, 2, 0], [0, 0, 0], [4, 3, 1], [0, 9, 9]])
    embedding = embed(_matrix(counts))
    assert embedding.components.points.shape == (4, 3)
    assert np.isfinite(embedding.components.points).all()


def test_components_beyond_the_rank_are_not_invented() -> None:
    line = np.outer(np.arange(6), [1, 2, 3])
    fit = fit_components(_matrix(line))
    assert fit.points.shape == (6, 1)
    assert fit.explained_variance[0] == pytest.approx(1.0)


def test_parallel_analysis_is_that_of_a_loop(random_matrix: ConceptMatrix) -> None:
    generator = np.random.default_rng(5)
    shares = []
    for _ in range(2000):
        permuted = np.stack([generator.permutation(column) for column in random_matrix.values.T], 1)
        centred = permuted - permuted.mean(0)
        eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(centred.T)))[::-1]
        shares.append(eigenvalues[:3] / eigenvalues.sum())
    expected = np.quantile(shares, 0.95, axis=0)
    found = parallel_analysis(random_matrix, permutations=2000)
    np.testing.assert_allclose(found, expected, atol=0.006)
    with pytest.raises(AuditError, match="at least one permutation"):
        parallel_analysis(random_matrix, permutations=0)


def test_parallel_analysis_finds_a_real_component() -> None:
    generator = np.random.default_rng(1)
    common = generator.poisson(20, size=(12, 1)) * np.array([3, 2, 2, 1, 0, 0, 0, 0])
    matrix = _matrix(common + generator.poisson(3, size=(12, 8)))
    share = fit_components(matrix).explained_variance
    null = parallel_analysis(matrix)
    assert share[0] > null[0]
    assert share[1] < null[1]


def test_missing_performance_is_left_out_row_by_row() -> None:
    generator = np.random.default_rng(2)
    points, table = generator.normal(size=(10, 3)), generator.normal(size=(10, 4))
    table[3, 1] = table[5, 1] = np.nan
    table[:9, 2] = np.nan
    table[:, 3] = np.nan
    found = correlate(points, table, permutations=5000)
    assert found.n[:, 0].tolist() == [10, 8, 1, 0]
    kept = ~np.isnan(table[:, 1])
    for component in range(3):
        expected = np.corrcoef(points[kept, component], table[kept, 1])[0, 1]
        assert found.r[1, component] == pytest.approx(expected)
    assert np.isnan(found.p[2:]).all()
    with pytest.raises(AuditError, match="10 models in the embedding, 9 in the table"):
        correlate(points, table[:9])
    table[0, 0] = np.inf
    with pytest.raises(AuditError, match="finite"):
        correlate(points, table)
