"""Overlap of masks with the images of one side shuffled, against literal loops and the engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.semantics.mask_similarity import mask_similarity
from analysis.semantics.max_statistic import max_statistic_p
from analysis.statistics.overlap_chance import (
    chance_level,
    greatest_p,
    paired_overlap,
    shuffled_overlap,
)
from analysis.statistics.permutation import random_permutations


def _masks(seed: int, images: int, concepts: int, share: float = 0.3) -> np.ndarray:
    random = np.random.default_rng(seed)
    masks = random.random((images, concepts, 4, 4)) < share
    masks[random.random((images, concepts)) < 0.2] = False  # some are empty
    return masks


def _literal(first: np.ndarray, second: np.ndarray, order: np.ndarray) -> np.ndarray:
    found = np.full((first.shape[1], second.shape[1]), np.nan)
    for a in range(first.shape[1]):
        for b in range(second.shape[1]):
            values = []
            for image, partner in enumerate(order):
                one, other = first[image, a], second[partner, b]
                if (one | other).any():
                    values.append((one & other).sum() / (one | other).sum())
            if values:
                found[a, b] = np.mean(values)
    return found


def test_shuffled_overlap_is_that_of_a_loop() -> None:
    first, second = _masks(0, 7, 3), _masks(1, 7, 2)
    orders = np.random.default_rng(2).random((9, 7)).argsort(1)
    found = shuffled_overlap(first, second, orders)
    expected = np.stack([_literal(first, second, order) for order in orders])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_chance_and_p_are_those_of_the_engine() -> None:
    first, second = _masks(3, 12, 3), _masks(4, 12, 4)
    second[:, 0] = first[:, 0]  # one pair that agrees
    engine = mask_similarity(
        torch.from_numpy(first)[None], torch.from_numpy(second)[None], [0.5], 100, 50, seed=5
    )
    from analysis.seeds import derive_seed

    orders = random_permutations(12, 50, derive_seed(5, "shuffled images")).numpy()
    null = shuffled_overlap(first, second, orders)
    ucs = engine.ucs[0].numpy()
    np.testing.assert_allclose(chance_level(null), engine.null_95[0].numpy(), atol=1e-6)
    np.testing.assert_allclose(greatest_p(ucs, null), engine.p_adjusted[0].numpy(), atol=1e-12)
    expected = max_statistic_p(engine.ucs[0], torch.from_numpy(null)).numpy()
    np.testing.assert_allclose(greatest_p(ucs, null), expected)
    assert greatest_p(ucs, null)[0, 0] == pytest.approx(1 / 51)


def test_masks_that_are_both_empty_do_not_count() -> None:
    first = np.zeros((2, 1, 3, 3), bool)
    second = first.copy()
    second[1, 0, :, 0] = first[1, 0, 0, :] = True
    found = paired_overlap(first, second)
    assert np.isnan(found[0, 0, 0])
    assert found[1, 0, 0] == pytest.approx(1 / 5)
    nothing = shuffled_overlap(first[:1], second[:1], np.zeros((3, 1), int))
    assert np.isnan(nothing).all()
    assert np.isnan(chance_level(nothing)).all()
    assert np.isnan(greatest_p(np.array([[0.4]]), nothing)).all()
