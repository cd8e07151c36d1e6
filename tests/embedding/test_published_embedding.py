"""The published embedding, figure by figure, from the authors' tables."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.embedding.components import parallel_analysis
from analysis.embedding.correlations import correlate
from analysis.embedding.embed import Embedding, embed
from analysis.embedding.groups import adjusted_rand_index
from analysis.embedding.matrix import category_totals
from analysis.embedding.presets import PUBLISHED_MODELS
from analysis.embedding.stability import leave_one_model_out, threshold_sweep, unit_bootstrap
from analysis.embedding.units import LabelledUnits, matrix_at, unit_totals

GROUPS = {
    "A": {"BYOL(R)", "DeepClusterV2(R)", "SeLaV2(R)", "Supervised(R)", "SwAV(R)"},
    "B": {"InsDis(R)", "MoCoV1(R)", "PIRL(R)"},
    "C": {"InfoMin(R)", "MoCoV2(R)", "PCLV1(R)", "PCLV2(R)", "SeLaV1(R)"},
}


def _points(embedding: Embedding) -> np.ndarray:
    return embedding.components.points[embedding.fitted]


def test_unusable_rows_are_397(tables, units: LabelledUnits) -> None:
    empty = [row for row in tables.rows if row["iou"] == ""]
    assert len(empty) == 397
    assert {row["label"] for row in empty} == {"parking meter"}
    dashes = [row for row in tables.rows if row["label"] == "-"]
    assert len(dashes) == 947
    assert (units.concept < 0).sum() == 397 + 947
    assert unit_totals(units).tolist() == [2048] * 20


def test_super_set(units: LabelledUnits, published: Embedding) -> None:
    profiles = published.profiles
    sizes = dict(zip(profiles.categories, profiles.category_sizes.tolist(), strict=True))
    assert sizes == {"object": 67, "part": 54, "material": 16, "color": 8}
    assert len(profiles.concepts) == 145
    assert (profiles.concepts[0], profiles.categories[0]) == ("black", "color")
    # A label in two categories is two concepts.
    assert profiles.concepts.count("food") == 2
    assert len(published.matrix.concepts) == 144
    assert "black" not in published.matrix.concepts
    np.testing.assert_array_equal(published.matrix.category_sizes, profiles.category_sizes[1:])
    # The order is that of the authors' column names.
    columns = [f"{category[0]}_{name}" for name, category in _concepts(published)]
    assert columns == sorted(columns)


def _concepts(embedding: Embedding) -> list[tuple[str, str]]:
    return list(zip(embedding.profiles.concepts, embedding.profiles.categories, strict=True))


def test_coordinates(tables, published: Embedding) -> None:
    assert set(PUBLISHED_MODELS) == set(tables.published)
    assert published.fitted.sum() == 13
    for model, point in tables.published.items():
        mine = published.components.points[published.matrix.models.index(model)]
        np.testing.assert_allclose(mine, point, rtol=0, atol=1e-9)


def test_explained_variance(published: Embedding) -> None:
    share = 100 * published.components.explained_variance
    np.testing.assert_allclose(share, [60.67, 17.70, 10.54], atol=0.006)
    assert share.sum() == pytest.approx(88.92, abs=0.006)


def test_one_category_carries_the_first_component(published: Embedding) -> None:
    profiles, matrix = published.profiles, published.matrix
    food = _concepts(published).index(("food", "material"))
    counts = profiles.counts[published.fitted, food]
    assert np.corrcoef(_points(published)[:, 0], counts)[0, 1] == pytest.approx(0.988, abs=0.0005)
    variance = matrix.values[published.fitted].var(0)
    chosen = [
        category == "material" and name in {"food", "fur", "skin"}
        for name, category in zip(matrix.concepts, matrix.categories, strict=True)
    ]
    assert variance[chosen].sum() / variance.sum() == pytest.approx(0.63, abs=0.005)


def test_groups(published: Embedding) -> None:
    found = {
        letter: {
            model
            for model, own in zip(published.matrix.models, published.groups, strict=True)
            if own == letter
        }
        for letter in "ABC"
    }
    assert found == GROUPS
    assert published.groups.count("") == 7


def test_number_of_groups(published: Embedding) -> None:
    choice = published.choice
    np.testing.assert_allclose(
        choice.inertia[:6], [104.4, 51.2, 32.0, 23.3, 17.0, 12.6], rtol=0, atol=0.051
    )
    assert np.isnan(choice.silhouette[0])
    np.testing.assert_allclose(choice.silhouette[1:3], [0.452, 0.354], atol=0.0005)
    assert choice.k[np.nanargmax(choice.silhouette)] == 2
    assert choice.chosen == 3


def test_profile_correlations(published: Embedding) -> None:
    totals = category_totals(published.profiles)
    fitted = published.fitted
    every = correlate(_points(published), totals.all[fitted].astype(float), permutations=2000)
    unique = correlate(_points(published), totals.unique[fitted].astype(float), permutations=2000)
    row = {category: index for index, category in enumerate(totals.categories)}
    assert every.r[row["material"], 0] == pytest.approx(0.978, abs=0.0005)
    assert every.r[row["part"], 0] == pytest.approx(0.50, abs=0.005)
    assert every.r[row["object"], 1] == pytest.approx(0.952, abs=0.0005)
    assert every.r[row["color"], 1] == pytest.approx(-0.776, abs=0.0005)
    assert unique.r[row["material"], 2] == pytest.approx(0.826, abs=0.0005)
    assert every.p[row["material"], 0] < 0.001


def test_performance_correlations(tables, published: Embedding, task_table: np.ndarray) -> None:
    assert len(tables.tasks) == 36
    found = correlate(_points(published), task_table)
    first = tables.tasks.index("dt_ImageNet")
    np.testing.assert_allclose(found.r[first], [-0.804, -0.111, 0.227], atol=0.0005)
    # SeLaV1 is in the embedding and has no performance; SimCLR has, and is not in it.
    assert (found.n == 12).all()
    # Two p values are .0501 and .0502 in 4 million permutations: 20 within Monte-Carlo error.
    error = 3 * np.sqrt(0.05 * 0.95 / 100_000)
    assert (found.p < 0.05 - error).sum() <= 20 <= (found.p < 0.05 + error).sum()
    assert (found.p < 0.05 - error).sum() >= 17
    assert (found.p < 0.05 + error).sum() <= 22
    surviving = found.p_adjusted < 0.05
    assert surviving.sum() == 7
    assert surviving[:, 0].sum() == 7
    assert surviving[first, 0]


def test_parallel_analysis(published: Embedding) -> None:
    null = parallel_analysis(published.matrix, published.fitted, permutations=4000)
    # Monte-Carlo standard errors of a few hundred permutations: .005, .003, .002.
    assert null[0] == pytest.approx(0.480, abs=0.01)
    assert null[1] == pytest.approx(0.254, abs=0.005)
    assert null[2] == pytest.approx(0.137, abs=0.005)
    assert (published.components.explained_variance > null).tolist() == [True, False, False]


def test_leaving_a_model_out_keeps_the_groups(published: Embedding) -> None:
    changes = leave_one_model_out(published)
    assert set(changes.settings) == set(PUBLISHED_MODELS)
    np.testing.assert_allclose(changes.agreement, 1.0)
    assert (changes.displacement > 0).all()
    assert changes.displacement.max() < 0.2


def test_threshold_sweep(published: Embedding, units: LabelledUnits) -> None:
    thresholds = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.10)
    changes = threshold_sweep(published, units, thresholds)
    expected = [0.73, 0.73, 1.0, 1.0, 0.73, 0.73, 0.73, 0.44]
    np.testing.assert_allclose(changes.agreement, expected, atol=0.005)
    assert changes.displacement[2] == pytest.approx(0, abs=1e-9)
    assert changes.concepts[2] == 145
    assert (np.diff(changes.concepts) < 0).all()


def test_unit_bootstrap(published: Embedding, units: LabelledUnits) -> None:
    found = unit_bootstrap(published, unit_totals(units), replicates=1000)
    assert found.kept == pytest.approx(0.81, abs=0.04)
    errors = found.standard_error[published.fitted]
    assert 0.05 < errors.min() < 0.15
    assert 0.4 < errors.max() < 0.55
    again = unit_bootstrap(published, unit_totals(units), replicates=50, seed=3)
    same = unit_bootstrap(published, unit_totals(units), replicates=50, seed=3)
    np.testing.assert_array_equal(again.covariance, same.covariance)


def test_default_keeps_everything(units: LabelledUnits) -> None:
    embedding = embed(matrix_at(units))
    assert embedding.fitted.all()
    assert len(embedding.matrix.concepts) == 145
    assert embedding.choice.chosen == 2
    random = units.models.index("Random(R)")
    assert embedding.groups.count(embedding.groups[random]) == 1
    thirteen = embed(matrix_at(units), fitted=np.isin(units.models, PUBLISHED_MODELS))
    assert adjusted_rand_index(thirteen.labels, np.array([0] * 13)) < 1
    assert thirteen.choice.chosen == 2
