"""Gini, entropy and localisation against loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from analysis.errors import AuditError
from analysis.faithfulness.concentration import complexity, localisation, sparseness
from analysis.saliency.maps import upsample


def gini(values: list[float]) -> float:
    """The mean absolute difference of all pairs over twice the mean."""
    count, mean = len(values), sum(values) / len(values)
    return sum(abs(a - b) for a in values for b in values) / (2 * count * count * mean)


def test_gini_and_entropy_equal_their_definitions() -> None:
    maps = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(0)) ** 3 - 0.2
    for one, sparse, complex_ in zip(
        upsample(maps, 12), sparseness(maps, 12), complexity(maps, 12), strict=True
    ):
        values = one.double().flatten().tolist()
        assert float(sparse) == pytest.approx(gini(values), abs=1e-9)
        total = sum(values)
        entropy = -sum(v / total * math.log(v / total) for v in values if v > 0)
        assert float(complex_) == pytest.approx(entropy, abs=1e-9)


def test_extremes() -> None:
    single = torch.zeros(1, 10, 10)
    single[0, 3, 4] = 5
    assert float(sparseness(single, 10)) == pytest.approx(0.99)
    assert float(complexity(single, 10)) == 0
    constant = torch.full((1, 10, 10), 3.0)
    assert torch.isnan(sparseness(constant, 10)).all()
    assert torch.isnan(complexity(constant, 10)).all()
    board = torch.zeros(1, 10, 10)
    board[:, :, ::2] = 1
    assert float(complexity(board, 10)) == pytest.approx(math.log(50))
    assert float(sparseness(board, 10)) == pytest.approx(0.5)


def test_localisation_equals_loops() -> None:
    generator = torch.Generator().manual_seed(2)
    maps = torch.rand(5, 4, 4, generator=generator)
    masks = torch.rand(5, 20, 24, generator=generator) < 0.3
    found = localisation(maps, masks)
    large = upsample(maps, (20, 24)).double()
    for image in range(5):
        place = int(np.argmax(large[image].numpy()))  # the first of equals
        assert float(found.pointing[image]) == float(masks[image].flatten()[place])
        inside = large[image][masks[image]].sum() / large[image].sum()
        assert float(found.energy[image]) == pytest.approx(float(inside), abs=1e-7)


def test_localisation_without_an_answer() -> None:
    maps = torch.rand(3, 4, 4)
    maps[2] = 1.0
    masks = torch.ones(3, 8, 8, dtype=torch.bool)
    masks[0] = False
    found = localisation(maps, masks)
    assert torch.isnan(found.pointing).tolist() == [True, False, False]
    assert torch.isnan(found.energy).tolist() == [True, False, True]
    assert found.energy[1] == 1


def test_pointing_tolerance_is_a_distance() -> None:
    maps = torch.zeros(1, 9, 9)
    maps[0, 4, 4] = 1
    masks = torch.zeros(1, 9, 9, dtype=torch.bool)
    masks[0, 7, 8] = True  # 3 down, 4 right: 5 away
    assert [float(localisation(maps, masks, reach).pointing) for reach in (0, 4, 5)] == [0, 0, 1]


def test_masks_must_fit() -> None:
    with pytest.raises(AuditError):
        localisation(torch.rand(2, 4, 4), torch.ones(3, 8, 8, dtype=torch.bool))
    with pytest.raises(AuditError):
        localisation(torch.rand(2, 4, 4), torch.ones(8, 8, dtype=torch.bool))
