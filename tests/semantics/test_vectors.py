"""Concept vectors: planted ones separate, others say that they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics
import torch

from analysis.errors import AuditError
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.linear_solver import example_gram, held_out_values, solve
from analysis.semantics.vectors import (
    VectorSettings,
    cosines,
    fit_vectors,
    plan_vectors,
)
from tests.semantics.conftest import POSITIVES, Features
from tests.semantics.in_one_go import concept_vectors


def test_a_planted_concept_separates_and_points_its_way(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    found = concept_vectors(features(), [concept], quick)
    assert bool(found.separates[0])
    assert float(found.accuracy[0]) > 0.85 > float(found.null_95[0])
    assert float(found.ci_low[0]) <= float(found.accuracy[0]) <= float(found.ci_high[0])
    assert float(found.p[0]) == pytest.approx(1 / 40)
    direction = found.vectors[0]
    assert float(direction.norm()) == pytest.approx(1, rel=1e-5)
    assert set(direction.topk(3).indices.tolist()) == {0, 1, 2}
    assert int(found.images[0]) == POSITIVES
    assert float(found.converged[0]) == 1


def test_examples_like_the_rest_do_not_separate(features: Features, quick: VectorSettings) -> None:
    rows = features(strength=0.0)
    names = [f"none {number}" for number in range(12)]
    random = np.random.default_rng(0)
    concepts = []
    for name in names:
        order = random.permutation(len(rows))
        concepts.append(ConceptExamples(name, order[:20], order[20:]))
    found = concept_vectors(rows, concepts, quick)
    # The level is 5 %: of twelve, four or more would be a chance of 1 in 500.
    assert int(found.separates.sum()) <= 3
    assert bool((found.separates == (found.p <= 0.05)).all())
    assert float(found.accuracy.mean()) == pytest.approx(0.5, abs=0.05)


def test_numbers_are_those_of_a_loop_over_the_problems(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features(strength=0.8)
    plan = plan_vectors([concept], len(rows), quick)
    found = fit_vectors(rows, plan)
    gram = example_gram(rows)
    problems = plan.concepts[0].observed
    values = held_out_values(gram, problems, solve(gram, problems, "hinge"))
    centred = rows - rows.mean(0)
    accuracies, areas, vectors = [], [], []
    for number in range(len(problems)):
        sign, value = problems.test_sign[number], values[number].numpy()
        predicted = np.where(value > 0, 1, -1)
        accuracies.append(sklearn.metrics.balanced_accuracy_score(sign, predicted))
        areas.append(sklearn.metrics.roc_auc_score(sign, value))
        fit = solve(gram, problems.part(number, number + 1), "hinge")
        vector = fit.weights[0] @ centred[problems.train[number]]
        vectors.append(vector / vector.norm())
    np.testing.assert_allclose(found.set_accuracy[0].numpy(), accuracies)
    assert float(found.accuracy[0]) == pytest.approx(np.mean(accuracies))
    assert float(found.auc[0]) == pytest.approx(np.mean(areas))
    assert float(found.tested[0]) == pytest.approx(np.mean(accuracies[: quick.null_sets]))
    stacked = torch.stack(vectors)
    mean = stacked.mean(0) / stacked.mean(0).norm()
    torch.testing.assert_close(found.vectors[0], mean, atol=1e-5, rtol=1e-4)
    similar = stacked @ stacked.T
    pairs = similar[~torch.eye(len(similar), dtype=torch.bool)]
    assert float(found.stability[0]) == pytest.approx(float(pairs.mean()), abs=1e-5)


def test_other_concepts_and_layers_do_not_change_a_concepts_numbers(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features(strength=0.7)
    other = ConceptExamples("other", np.arange(50, 80), np.arange(0, 50))
    alone = concept_vectors(rows, [concept], quick)
    beside = concept_vectors(rows, [other, concept], quick)
    assert float(alone.accuracy[0]) == float(beside.accuracy[1])
    torch.testing.assert_close(alone.vectors[0], beside.vectors[1])
    assert torch.equal(alone.null_accuracy[:, 0], beside.null_accuracy[:, 1])


def test_spatial_vectors_are_over_flattened_maps(
    concept: ConceptExamples, quick: VectorSettings
) -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(144, 5, 3, 3, generator=generator)
    # The concept is at one place of one channel, and taken away elsewhere: pooling loses it.
    maps[:POSITIVES, 0, 1, 1] += 3
    maps[:POSITIVES, 0, 0, 0] -= 3
    spatial = concept_vectors(maps, [concept], quick)
    pooled = concept_vectors(maps.mean((2, 3)), [concept], quick)
    assert spatial.vectors.shape == (1, 45)
    assert bool(spatial.separates[0])
    assert not bool(pooled.separates[0])
    grid = spatial.vectors[0].reshape(5, 3, 3)
    assert float(grid[0, 1, 1]) == float(grid.max())


def test_intervals_widen_where_examples_come_from_few_images(
    concept: ConceptExamples, quick: VectorSettings
) -> None:
    generator = torch.Generator().manual_seed(0)
    # Six patches of an image are all but the same patch.
    images = np.arange(144) // 6
    base = torch.randn(24, 10, generator=generator)
    rows = base[torch.as_tensor(images)] + 0.05 * torch.randn(144, 10, generator=generator)
    rows[:POSITIVES, 0] += 1
    settings = replace(quick, replicates=500)
    together = concept_vectors(rows, [concept], settings, images)
    apart = concept_vectors(rows, [concept], settings)
    assert int(together.images[0]) == 4
    width = float(together.ci_high[0] - together.ci_low[0])
    assert width > float(apart.ci_high[0] - apart.ci_low[0])
    # Patches of a training image give the test patches away, unless images are kept whole.
    assert float(apart.accuracy[0]) > float(together.accuracy[0])


def test_features_that_never_vary_have_no_vector(
    concept: ConceptExamples, quick: VectorSettings
) -> None:
    found = concept_vectors(torch.full((144, 8), 0.3), [concept], quick)
    assert bool(found.vectors.isnan().all())
    assert float(found.accuracy[0]) == 0.5
    assert not bool(found.separates[0])
    assert bool(found.stability.isnan().all())


def test_perfect_answers_still_have_an_interval(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    found = concept_vectors(features(strength=30.0), [concept], quick)
    assert float(found.accuracy[0]) == 1
    assert float(found.auc[0]) == 1
    assert float(found.ci_low[0]) == pytest.approx(0.025 ** (1 / POSITIVES))


def test_cosines_are_those_of_the_definition() -> None:
    rows, vectors = torch.randn(6, 12), torch.randn(3, 12)
    expected = torch.nn.functional.cosine_similarity(vectors[:, None], rows[None], dim=2)
    torch.testing.assert_close(cosines(rows.reshape(6, 3, 2, 2), vectors), expected)
    torch.testing.assert_close(cosines(rows * 1e25, vectors), expected)
    assert bool(cosines(torch.zeros(1, 12), vectors).isnan().all())
    with pytest.raises(AuditError, match="same layer"):
        cosines(rows, vectors[:, :5])


def test_bad_settings_are_refused(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features()
    for settings, text in (
        (replace(quick, permutations=10), "permutations"),
        (replace(quick, sets=1), "two sets"),
        (replace(quick, test_share=1.0), "share"),
        (replace(quick, set_size=1), "set of negatives"),
    ):
        with pytest.raises(AuditError, match=text):
            concept_vectors(rows, [concept], settings)
    with pytest.raises(AuditError, match="names of their own"):
        concept_vectors(rows, [concept, concept], quick)
    with pytest.raises(AuditError, match="planned"):
        fit_vectors(rows[:-1], plan_vectors([concept], len(rows), quick))
    with pytest.raises(AuditError, match="images are named"):
        plan_vectors([concept], len(rows), quick, np.arange(5))
