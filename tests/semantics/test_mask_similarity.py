"""UCS: identities of the formula, and a literal loop."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from analysis.errors import AuditError, Cancelled
from analysis.progress import Progress
from analysis.semantics import mask_overlap
from analysis.semantics.concept_masks import (
    enlarged,
    find_concepts,
    normalised,
    project,
)
from analysis.semantics.mask_overlap import MaskSet, pack_masks, paired_iou
from analysis.semantics.mask_similarity import best_matches, mask_similarity
from tests.semantics.in_one_go import concept_masks
from tests.semantics.test_concept_masks import CHANNELS, PLANTED, planted_maps


def _values(concepts: int, seed: int, n: int = 8, side: int = 10) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, concepts, 4, 4, generator=generator)
    coarse[0, 0] = 0
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")


def _plain_ucs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    result = np.zeros((a.shape[1], b.shape[1]))
    for i, j in itertools.product(range(a.shape[1]), range(b.shape[1])):
        found = []
        for image in range(len(a)):
            union = np.count_nonzero(a[image, i] | b[image, j])
            if union:
                found.append(np.count_nonzero(a[image, i] & b[image, j]) / union)
        result[i, j] = np.mean(found) if found else np.nan
    return result


def test_it_is_a_loop_over_pairs_and_images() -> None:
    first, second = _values(3, 1), _values(4, 2)
    second[0, 0] = 0  # neither has a mask of concept 0 in image 0
    thresholds = (0.3, 0.5, 0.75, 0.99)
    found = mask_similarity(first, second, thresholds, replicates=5, permutations=0)
    assert found.thresholds == thresholds
    for number, threshold in enumerate(thresholds):
        expected = _plain_ucs((first > threshold).numpy(), (second > threshold).numpy())
        np.testing.assert_allclose(found.ucs[number].numpy(), expected, atol=1e-6)
    assert int(found.images[0, 0, 0]) == 7
    assert int(found.images[0, 1, 1]) == 8
    given = mask_similarity(
        torch.stack([first > t for t in thresholds]),
        torch.stack([second > t for t in thresholds]),
        thresholds, replicates=5, permutations=0,
    )  # fmt: skip
    torch.testing.assert_close(given.ucs, found.ucs, equal_nan=True)


def test_itself_is_one_and_it_is_symmetric() -> None:
    first, second = _values(3, 1), _values(4, 2)
    same = mask_similarity(first, first, replicates=20, permutations=0)
    diagonal = same.ucs[0].diagonal()
    torch.testing.assert_close(diagonal, torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(same.ci_low[0].diagonal(), torch.ones(3, dtype=torch.float64))
    there = mask_similarity(first, second, replicates=5, permutations=0)
    back = mask_similarity(second, first, replicates=5, permutations=0)
    torch.testing.assert_close(there.ucs, back.ucs.transpose(1, 2), equal_nan=True)


def test_empty_masks_are_counted_as_declared() -> None:
    first, second = torch.zeros(4, 2, 6, 6), torch.zeros(4, 2, 6, 6)
    first[:2, 0, :3], second[:, 0, :3] = 1, 1
    found = mask_similarity(first, second, (0.5,), replicates=5, permutations=10)
    # Both in two images, one alone in two: 1 and 0.
    assert float(found.ucs[0, 0, 0]) == 0.5
    assert int(found.images[0, 0, 0]) == 4
    # One alone wherever there is a mask: 0.
    assert float(found.ucs[0, 0, 1]) == 0
    assert int(found.images[0, 0, 1]) == 2
    # Never a mask: no value, no test and no match.
    assert bool(found.ucs[0, 1, 1].isnan())
    assert bool(found.p_adjusted[0, 1, 1].isnan())
    assert found.matches() == ((0, 0, 0.5),)


def test_a_copy_with_channels_in_another_order_has_the_same_concepts() -> None:
    maps, _ = planted_maps()
    order = torch.randperm(CHANNELS, generator=torch.Generator().manual_seed(3))
    stacks = []
    for own in (maps, maps[:, order]):
        concepts = find_concepts(own, PLANTED)
        stacks.append(concept_masks(concepts, project(concepts, own), 24))
    found = mask_similarity(*stacks, replicates=20, permutations=20)
    for number in range(2):
        matches = found.matches(number)
        assert len({a for a, _, _ in matches}) == len({b for _, b, _ in matches}) == PLANTED
        assert min(value for _, _, value in matches) > 0.999
        assert float(found.matched_mean[number]) > 0.999
        assert float(found.matched_mean[number]) > float(found.matched_null_95[number])


def test_planted_concepts_of_another_space_match_by_place() -> None:
    maps, where = planted_maps()
    generator = torch.Generator().manual_seed(8)
    other_basis = torch.rand(PLANTED, 33, generator=generator) ** 4
    other = torch.einsum("nkhw,kc->nchw", where, other_basis)
    values = []
    for own in (maps, other):
        concepts = find_concepts(own, PLANTED)
        values.append(enlarged(normalised(project(concepts, own), concepts.peak, "data set"), 24))
    found = mask_similarity(*values, (0.5,), replicates=20, permutations=99)
    for a, b, value in found.matches():
        assert value > 0.7
        assert float(found.p_adjusted[0, a, b]) <= 0.05
        assert float(found.ci_low[0, a, b]) > float(found.null_95[0, a, b])


@pytest.mark.parametrize("permutations", [5, 400])
def test_the_null_is_that_of_shuffled_images(permutations: int) -> None:
    first, second = _values(2, 1), _values(2, 2)
    found = mask_similarity(first, second, (0.5,), replicates=2, permutations=permutations)
    random = np.random.default_rng(0)
    a, b = (first > 0.5).numpy(), (second > 0.5).numpy()
    drawn = np.stack([_plain_ucs(a, b[random.permutation(8)]) for _ in range(400)])
    tolerance = 0.03 if permutations == 400 else 0.1
    np.testing.assert_allclose(found.null_mean[0], drawn.mean(0), atol=tolerance)
    assert bool((found.null_mean > 0.05).all())
    if permutations == 400:
        np.testing.assert_allclose(
            found.null_95[0], np.quantile(drawn, 0.95, axis=0), atol=tolerance
        )


@pytest.mark.parametrize("side", [8, 9, 13])
def test_packed_masks_and_products_count_the_same(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _values(3, 1, side=side) > 0.5, _values(5, 2, side=side) > 0.4
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    a, b = pack_masks(first), pack_masks(second)
    plain = [
        MaskSet(one.flatten(2).sum(2), None, one.flatten(2)) for one in (first, second)
    ]  # as on a GPU
    for chosen in (None, order):
        packed = paired_iou(a, b, chosen)
        torch.testing.assert_close(packed, paired_iou(*plain, chosen), equal_nan=True)
        with monkeypatch.context() as patch:
            patch.delattr(np, "bitwise_count", raising=False)  # as in NumPy 1.26
            patch.setattr(mask_overlap, "_BLOCK_WORDS", 1)
            torch.testing.assert_close(paired_iou(a, b, chosen), packed, equal_nan=True)


def test_the_interval_is_that_of_resampled_images() -> None:
    first, second = _values(2, 1, n=20), _values(2, 2, n=20)
    found = mask_similarity(first, second, (0.5,), replicates=4000, permutations=0)
    a, b = (first > 0.5).numpy(), (second > 0.5).numpy()
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(1000):
        chosen = random.integers(0, 20, 20)
        drawn.append(_plain_ucs(a[chosen], b[chosen]))
    low, high = np.quantile(np.stack(drawn), [0.025, 0.975], axis=0)
    np.testing.assert_allclose(found.ci_low[0], low, atol=0.03)
    np.testing.assert_allclose(found.ci_high[0], high, atol=0.03)


def test_matches_have_the_greatest_sum_of_all_pairings() -> None:
    values = torch.rand(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    best = max(
        sum(float(values[row, column]) for row, column in enumerate(order))
        for order in itertools.permutations(range(4))
    )
    found = best_matches(values)
    assert sum(value for _, _, value in found) == pytest.approx(best)
    assert [value for _, _, value in found] == sorted((v for _, _, v in found), reverse=True)
    assert len(best_matches(values[:, :2])) == 2


def test_without_a_null_there_is_none_and_a_run_can_be_stopped() -> None:
    first = _values(2, 1)
    found = mask_similarity(first, first, replicates=2, permutations=0)
    for value in (found.null_95, found.p, found.matched_null_95):
        assert bool(value.isnan().all())
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        mask_similarity(first, first, progress=progress)


def test_bad_input_is_refused() -> None:
    first = _values(2, 1)
    for other in (first[:5], first[..., :9], first[0]):
        with pytest.raises(AuditError):
            mask_similarity(first, other)
    with pytest.raises(AuditError, match="finite"):
        mask_similarity(first, first * torch.nan)
    with pytest.raises(AuditError, match="threshold"):
        mask_similarity(first, first, ())
    masks = torch.stack([first > 0.5])
    with pytest.raises(AuditError, match="each threshold"):
        mask_similarity(masks, masks, (0.5, 0.75))
