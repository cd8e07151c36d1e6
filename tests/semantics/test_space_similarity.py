"""SFSS: identities of the formula, and SciPy cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from analysis.errors import AuditError
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.space_similarity import fisher_mean, space_similarity
from analysis.semantics.vectors import VectorSettings, cosines
from tests.semantics.conftest import Features
from tests.semantics.in_one_go import concept_vectors


def _attributions(layers: int, seed: int, concepts: int = 4, n: int = 30) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    shared = torch.randn(concepts, n, generator=torch.Generator().manual_seed(0))
    return shared + torch.randn(layers, concepts, n, generator=generator)


def test_every_cell_is_scipys_correlation() -> None:
    first, second = _attributions(3, 1), _attributions(2, 2)
    first[0, 0, :10] = first[0, 0, 10:20]  # ties
    found = space_similarity(first, second, replicates=10, permutations=10)
    for a in range(3):
        for b in range(2):
            for c in range(4):
                x, y = first[a, c].numpy(), second[b, c].numpy()
                r, rho = scipy.stats.pearsonr(x, y)[0], scipy.stats.spearmanr(x, y)[0]
                assert float(found.concepts.pearson[a, b, c]) == pytest.approx(r, abs=1e-6)
                assert float(found.concepts.spearman[a, b, c]) == pytest.approx(rho, abs=1e-6)
    torch.testing.assert_close(found.mean.pearson, found.concepts.pearson.mean(2))
    z = np.tanh(np.arctanh(found.concepts.pearson.numpy()).mean(2))
    np.testing.assert_allclose(found.fisher_pearson.numpy(), z)
    assert found.concepts_used.tolist() == [[4, 4]] * 3


def test_a_layer_is_itself_and_a_scaled_one_too() -> None:
    first = _attributions(3, 1)
    same = space_similarity(first, first * 3 + 0.1, replicates=20, permutations=20)
    for value in (same.mean.pearson, same.mean.spearman, same.fisher_pearson):
        torch.testing.assert_close(value.diagonal(), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(same.mean.ci_low.diagonal(), torch.ones(3, dtype=torch.float64))
    turned = space_similarity(first, -first, replicates=2, permutations=2)
    torch.testing.assert_close(turned.mean.pearson.diagonal(), -torch.ones(3, dtype=torch.float64))


def test_it_is_symmetric() -> None:
    first, second = _attributions(3, 1), _attributions(2, 2)
    there = space_similarity(first, second, replicates=2, permutations=2)
    back = space_similarity(second, first, replicates=2, permutations=2)
    torch.testing.assert_close(there.concepts.pearson, back.concepts.pearson.transpose(0, 1))
    torch.testing.assert_close(there.concepts.spearman, back.concepts.spearman.transpose(0, 1))


def test_channels_in_another_order_change_nothing(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features()
    second = ConceptExamples("second", np.arange(60, 90), np.arange(0, 60))
    rows[60:90, 10:14] += 2
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    test = torch.rand(50, 40, generator=torch.Generator().manual_seed(2))
    layers = []
    for own, images in ((rows, test), (rows[:, order] * 4, test[:, order] * 4)):
        vectors = concept_vectors(own, [concept, second], quick)
        assert bool(vectors.separates.all())
        layers.append(cosines(images, vectors.vectors)[None])
    found = space_similarity(*layers, replicates=20, permutations=50)
    assert float(found.mean.pearson[0, 0]) == pytest.approx(1, abs=1e-5)
    assert float(found.mean.spearman[0, 0]) == pytest.approx(1, abs=1e-3)


def test_shuffled_images_are_within_the_null_and_similar_layers_are_not() -> None:
    first = _attributions(4, 1, concepts=6, n=60)
    second = _attributions(4, 2, concepts=6, n=60)
    found = space_similarity(first, second, replicates=50, permutations=200)
    assert bool((found.mean.p_adjusted <= 0.05).all())
    assert bool((found.mean.pearson > found.mean.max_null_95).all())
    order = torch.randperm(60, generator=torch.Generator().manual_seed(5))
    shuffled = space_similarity(first, second[:, :, order], replicates=50, permutations=200)
    assert float(shuffled.mean.pearson.abs().max()) < 0.2
    assert bool((shuffled.mean.p_adjusted > 0.05).all())
    # The search over pairs of layers raises the bar.
    assert float(found.mean.max_null_95) > float(found.mean.null_95.mean())
    assert bool((found.concepts.max_null_95 > found.concepts.null_95.mean((0, 1))).all())


def test_the_null_is_that_of_shuffled_images() -> None:
    first, second = _attributions(2, 1, concepts=2), _attributions(2, 2, concepts=2)
    found = space_similarity(first, second, replicates=2, permutations=4000)
    random = np.random.default_rng(0)
    for concept in range(2):
        x, y = first[0, concept].numpy(), second[1, concept].numpy()
        drawn = [np.corrcoef(x, random.permutation(y))[0, 1] for _ in range(4000)]
        expected = np.quantile(drawn, 0.95)
        assert float(found.concepts.null_95[0, 1, concept]) == pytest.approx(expected, abs=0.03)


def test_the_interval_is_that_of_resampled_images() -> None:
    first, second = _attributions(1, 1, concepts=2, n=40), _attributions(1, 2, concepts=2, n=40)
    found = space_similarity(first, second, replicates=4000, permutations=2)
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(3000):
        chosen = random.integers(0, 40, 40)
        r = [np.corrcoef(first[0, c][chosen], second[0, c][chosen])[0, 1] for c in range(2)]
        drawn.append(np.mean(r))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert float(found.mean.ci_low[0, 0]) == pytest.approx(low, abs=0.03)
    assert float(found.mean.ci_high[0, 0]) == pytest.approx(high, abs=0.03)


def test_what_is_constant_or_does_not_separate_is_no_number() -> None:
    first, second = _attributions(2, 1), _attributions(2, 2)
    first[0, 1] = 0.3
    second[1, 2, 5] = torch.nan
    usable = torch.ones(2, 4, dtype=torch.bool)
    usable[1, 3] = False
    found = space_similarity(first, second, usable, None, replicates=20, permutations=20)
    expected = torch.zeros(2, 2, 4, dtype=torch.bool)
    expected[0, :, 1] = expected[:, 1, 2] = expected[1, :, 3] = True
    for summary in (found.concepts.pearson, found.concepts.spearman, found.concepts.ci_low,
                    found.concepts.p, found.concepts.p_adjusted):  # fmt: skip
        assert torch.equal(summary.isnan(), expected)
    assert found.concepts_used.tolist() == [[3, 2], [3, 2]]
    torch.testing.assert_close(found.mean.pearson, found.concepts.pearson.nanmean(2))
    nothing = torch.zeros(2, 4, dtype=torch.bool)
    empty = space_similarity(first, second, nothing, nothing, replicates=5, permutations=5)
    assert bool(empty.mean.pearson.isnan().all())
    assert bool(empty.mean.p_adjusted.isnan().all())


def test_fisher_mean_of_perfect_correlations_is_defined() -> None:
    values = torch.tensor([1.0, 1.0, torch.nan], dtype=torch.float64)
    assert float(fisher_mean(values)) == pytest.approx(1)
    assert float(fisher_mean(torch.tensor([0.9, 0.1]))) > 0.5


def test_bad_input_is_refused() -> None:
    first = _attributions(2, 1)
    with pytest.raises(AuditError, match="same concepts"):
        space_similarity(first, first[:, :3])
    with pytest.raises(AuditError, match="at least 4 images"):
        space_similarity(first[..., :3], first[..., :3].clone(), replicates=2, permutations=2)
    with pytest.raises(AuditError, match="no layer"):
        space_similarity(first[:0], first)
    with pytest.raises(AuditError, match="permutation"):
        space_similarity(first, first, permutations=0)
    with pytest.raises(AuditError, match="usable"):
        space_similarity(first, first, torch.ones(2, 3, dtype=torch.bool))
