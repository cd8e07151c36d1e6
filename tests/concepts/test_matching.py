from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.concepts.extraction import factorize
from analysis.concepts.matching import concept_correlation, layer_mmcs, mcs
from analysis.concepts.similarity import concept_similarity
from analysis.concepts.stability import matched_stability
from analysis.errors import AuditError
from analysis.statistics.bootstrap import resample_counts
from analysis.statistics.permutation import random_permutations

Make = Callable[..., torch.Tensor]


def _layers(seed: int, count: int, concepts: int = 3, images: int = 10) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    common = torch.rand(images * 4, concepts, generator=generator)
    return [
        common + torch.rand(images * 4, concepts, generator=generator).clamp(min=0.4)
        for _ in range(count)
    ]


def _literal(a: np.ndarray, b: np.ndarray, spearman: bool = False) -> float:
    """MMCS by double loops over scipy's correlations."""
    function = scipy.stats.spearmanr if spearman else scipy.stats.pearsonr
    table = np.array(
        [[function(a[:, i], b[:, j])[0] for j in range(b.shape[1])] for i in range(a.shape[1])]
    )
    return float((table.max(1).mean() + table.max(0).mean()) / 2)


def test_all_pairs_of_layers_as_double_loops() -> None:
    first, second = _layers(0, 2), _layers(1, 3, concepts=4)
    found = layer_mmcs(first, second, images=10)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            arrays = a.double().numpy(), b.double().numpy()
            assert found.pearson[i, j].item() == pytest.approx(_literal(*arrays))
            assert found.spearman[i, j].item() == pytest.approx(_literal(*arrays, True))


def test_layers_with_different_numbers_of_concepts() -> None:
    first = [_layers(0, 1, 2)[0], _layers(0, 1, 5)[0]]
    second = _layers(1, 1, 4)
    found = layer_mmcs(first, second, images=10, replicates=5, permutations=5)
    for i, a in enumerate(first):
        expected = _literal(a.double().numpy(), second[0].double().numpy())
        assert found.pearson[i, 0].item() == pytest.approx(expected)
    assert not found.replicates.isnan().any()
    assert not found.permuted.isnan().any()


def test_replicates_and_permutations_as_loops() -> None:
    first, second = _layers(0, 2), _layers(1, 2, concepts=4)
    found = layer_mmcs(first, second, images=10, replicates=6, permutations=6, seed=5)
    counts = resample_counts(10, 6, 5).long()
    orders = random_permutations(10, 6, 5)
    rows = torch.arange(40).reshape(10, 4)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table = concept_correlation(a, b)
            for r in range(6):
                drawn = rows[torch.arange(10).repeat_interleave(counts[r])].flatten()
                again = np.corrcoef(a[drawn].T.double(), b[drawn].T.double())[:3, 3:]
                of_first = again[np.arange(3), table.argmax(1).numpy()].mean()
                of_second = again[table.argmax(0).numpy(), np.arange(4)].mean()
                expected = (of_first + of_second) / 2
                assert found.replicates[r, i, j].item() == pytest.approx(expected)
                mixed = b[rows[orders[r]].flatten()]
                expected = _literal(a.double().numpy(), mixed.double().numpy())
                assert found.permuted[r, i, j].item() == pytest.approx(expected)


@given(st.permutations(range(4)), st.floats(0.01, 100))
@settings(deadline=None, max_examples=15)
def test_itself_is_one_and_order_and_scale_do_not_matter(order: list[int], scale: float) -> None:
    layers, other = _layers(2, 2, 4), _layers(3, 1, 4)
    itself = layer_mmcs(layers, layers, images=10, replicates=3)
    assert torch.allclose(itself.pearson.diagonal(), torch.ones(2).double())
    assert torch.allclose(itself.spearman.diagonal(), torch.ones(2).double())
    diagonal = itself.replicates.diagonal(dim1=1, dim2=2)
    assert torch.allclose(diagonal, torch.ones(3, 2).double())
    plain = layer_mmcs(layers, other, images=10)
    moved = layer_mmcs([(u * scale)[:, order] for u in layers], other, images=10)
    assert torch.allclose(plain.pearson, moved.pearson)
    match, back = mcs(layers[0], other[0])
    match_moved, back_moved = mcs(layers[0][:, order] * scale, other[0])
    assert torch.allclose(match.pearson[order], match_moved.pearson)
    assert torch.allclose(back.spearman, back_moved.spearman)


def test_concepts_that_do_not_vary_are_left_out() -> None:
    first, second = _layers(0, 1)[0], _layers(1, 1)[0]
    dead = first.clone()
    dead[:, 1] = 0
    found = layer_mmcs([dead], [second], images=10, replicates=4, permutations=4)
    expected = _literal(first[:, [0, 2]].double().numpy(), second.double().numpy())
    assert found.pearson.item() == pytest.approx(expected)
    assert not found.replicates.isnan().any()
    assert mcs(dead, second)[0].pearson.isnan().tolist() == [False, True, False]
    empty = layer_mmcs([torch.zeros_like(first)], [second], images=10, replicates=2)
    assert empty.pearson.isnan().all()
    assert empty.replicates.isnan().all()


def test_the_doubt_by_ranks_is_that_of_a_loop() -> None:
    """Images left out and shuffled, with scipy's ranks."""
    images, patches = 9, 4
    first, second = _layers(0, 2, images=images), _layers(1, 1, images=images)
    first[0][:, 1] = (first[0][:, 1] > 0.5).float()  # ties
    found = layer_mmcs(first, second, images=images, replicates=2, permutations=4, seed=3)

    def table(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
        return np.array(
            [[scipy.stats.spearmanr(x, y)[0] for y in b.T.numpy()] for x in a.T.numpy()]
        )

    rows = np.arange(images * patches).reshape(images, patches)
    for layer in range(2):
        whole = table(first[layer], second[0])
        best_b, best_a = whole.argmax(1), whole.argmax(0)
        left = []
        for image in range(images):
            kept = np.delete(rows, image, 0).ravel()
            part = table(first[layer][kept], second[0][kept])
            of_a = part[np.arange(len(best_b)), best_b].mean()
            of_b = part[best_a, np.arange(len(best_a))].mean()
            left.append((of_a + of_b) / 2)
        expected = np.square(left - np.mean(left)).sum() * (images - 1) / images
        assert found.spearman_variance[layer, 0].item() == pytest.approx(expected)
        for number, order in enumerate(random_permutations(images, 4, 3).numpy()):
            moved = table(first[layer], second[0][rows[order].ravel()])
            value = (moved.max(1).mean() + moved.max(0).mean()) / 2
            assert found.spearman_permuted[number, layer, 0].item() == pytest.approx(value)


def test_input_that_cannot_be_compared() -> None:
    layers = _layers(0, 1)
    with pytest.raises(AuditError, match="same patches"):
        layer_mmcs(layers, [layers[0][:-1]], images=10)
    with pytest.raises(AuditError, match="no layer"):
        layer_mmcs([], layers, images=10)
    with pytest.raises(AuditError, match="evenly"):
        layer_mmcs(layers, layers, images=7)
    with pytest.raises(AuditError, match="not finite"):
        layer_mmcs([layers[0] * torch.nan], layers, images=10)


def test_similarity_of_predictions() -> None:
    real = _layers(0, 1, images=30)[0].reshape(30, 4, 3)
    noise = torch.rand(real.shape, generator=torch.Generator().manual_seed(9))
    found = concept_similarity(real + 0.3 * noise, real, seed=1)
    for k in range(3):
        x, y = (real + 0.3 * noise)[..., k].flatten().double(), real[..., k].flatten().double()
        assert found.pearson[k].item() == pytest.approx(scipy.stats.pearsonr(x, y)[0])
        assert found.spearman[k].item() == pytest.approx(scipy.stats.spearmanr(x, y)[0])
        assert found.ci_low[k] < found.pearson[k] < found.ci_high[k]
        assert found.null_95[k] < found.ci_low[k]
    assert found.n_images == 30


def test_stability_matches_one_to_one() -> None:
    first = _layers(0, 1, 4)[0]
    order = [2, 0, 3, 1]
    assert torch.allclose(matched_stability(first, [first[:, order]]), torch.ones(4).double())
    # Two copies of one concept cannot both be matched to it.
    collapsed = first[:, [0, 0, 2, 3]]
    found = matched_stability(first, [collapsed])
    table = concept_correlation(first, collapsed).numpy()
    rows, columns = scipy.optimize.linear_sum_assignment(-table)
    np.testing.assert_allclose(found.numpy(), table[rows, columns])
    assert found[1] < 1
    dead = first.clone()
    dead[:, 0] = 1
    assert matched_stability(dead, [first]).isnan().tolist() == [True, False, False, False]
    with pytest.raises(AuditError, match="two seeds"):
        matched_stability(first, [])


def test_planted_concepts_are_stable_and_noise_is_not(planted: Make) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(160, 60, generator=generator)

    def stability(activations: torch.Tensor) -> float:
        runs = [
            factorize(activations[None], 6, initial="random", seeds=s).coefficients[0]
            for s in range(3)
        ]
        return matched_stability(runs[0], runs[1:]).mean().item()

    assert stability(planted(0, concepts=6)) > 0.9
    assert stability(noise) < stability(planted(0, concepts=6))
