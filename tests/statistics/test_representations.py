"""RSA and Procrustes similarity against scipy, and what does and does not change them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from analysis.errors import AuditError
from analysis.statistics import representations
from analysis.statistics.representations import procrustes_matrix, rsa_matrix


def _layers(seed: int, *widths: int, n: int = 30) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, width, generator=generator) for width in widths]


def _scipy_rsa(first: torch.Tensor, second: torch.Tensor) -> float:
    distances = [pdist(layer.double().numpy(), "correlation") for layer in (first, second)]
    return float(spearmanr(*distances).statistic)


def _scipy_procrustes(first: torch.Tensor, second: torch.Tensor) -> float:
    """The best rotation itself, applied: columns of zeros make both equally wide."""
    wide = max(first.shape[1], second.shape[1])
    both = []
    for layer in (first, second):
        values = layer.double().numpy()
        values = np.pad(values - values.mean(0), ((0, 0), (0, wide - values.shape[1])))
        both.append(values / np.linalg.norm(values))
    rotation, _ = orthogonal_procrustes(both[0], both[1])
    return float((both[0] @ rotation * both[1]).sum())


def test_all_pairs_against_scipy() -> None:
    first = _layers(0, 4, 9, 70)
    second = [first[0] @ torch.randn(4, 12) + 0.3, *_layers(1, 5, 100)]
    rsa, procrustes = rsa_matrix(first, second), procrustes_matrix(first, second)
    assert rsa.shape == procrustes.shape == (3, 3)
    for i, j in itertools.product(range(3), range(3)):
        assert rsa[i, j].item() == pytest.approx(_scipy_rsa(first[i], second[j]), abs=1e-5)
        expected = _scipy_procrustes(first[i], second[j])
        assert procrustes[i, j].item() == pytest.approx(expected, abs=1e-6)


def test_itself_is_one_and_scale_shift_and_rotation_do_not_matter() -> None:
    (x,) = _layers(2, 8)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0))).Q
    permuted = x[:, torch.randperm(8, generator=torch.Generator().manual_seed(1))]
    assert procrustes_matrix([x], [3 * x @ rotation + 5]).item() == pytest.approx(1, abs=1e-5)
    assert rsa_matrix([x], [3 * permuted + 5]).item() == pytest.approx(1, abs=1e-5)
    assert rsa_matrix([x], [x]).item() == pytest.approx(1, abs=1e-6)
    # RSA by correlation is not blind to rotations: the mean over features is a direction.
    assert rsa_matrix([x], [x @ rotation]).item() < 0.999


def test_noise_is_near_zero_by_rsa_and_grows_with_the_features_by_procrustes() -> None:
    (x,) = _layers(3, 20, n=80)
    noise = _layers(4, 5, 40, 400, n=80)
    assert rsa_matrix([x], noise).abs().max().item() < 0.1
    few, more, many = procrustes_matrix([x], noise)[0].tolist()
    assert few < more < many


def test_many_observations_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _layers(5, 6, 7, n=21)
    monkeypatch.setattr(representations, "RSA_OBSERVATIONS", 11)
    expected = _scipy_rsa(first[::2], second[::2])
    assert rsa_matrix([first], [second]).item() == pytest.approx(expected, abs=1e-5)


def test_observations_without_a_pattern_are_left_out_where_they_occur() -> None:
    first, second, other = _layers(6, 6, 7, 8)
    first[3] = 0.0  # as after a rectification that nothing passes
    found = rsa_matrix([first, other], [second])
    kept = [place for place in range(30) if place != 3]
    assert found[0, 0].item() == pytest.approx(_scipy_rsa(first[kept], second[kept]), abs=1e-5)
    assert found[1, 0].item() == pytest.approx(_scipy_rsa(other, second), abs=1e-5)


def test_constant_layers_few_images_and_mismatch() -> None:
    (x,) = _layers(7, 4, n=10)
    flat = torch.full((10, 4), 0.3)
    for matrix in (rsa_matrix, procrustes_matrix):
        assert matrix([x], [flat]).isnan().all()
        with pytest.raises(AuditError, match="at least four"):
            matrix([x[:3]], [x[:3]])
        with pytest.raises(AuditError, match="same images"):
            matrix([x], [x[:9]])
        with pytest.raises(AuditError, match="not finite"):
            matrix([x], [torch.full((10, 4), torch.inf)])
    same = torch.randn(1, 4, generator=torch.Generator().manual_seed(0)).expand(10, 4)
    assert procrustes_matrix([x], [same]).isnan().all()
    assert rsa_matrix([x], [x[:, :1]]).isnan().all()  # one feature has no pattern
