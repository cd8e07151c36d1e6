from __future__ import annotations

import itertools

import pytest
import torch

from analysis.errors import AuditError
from analysis.statistics.cka import cka_matrix


def _cka(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return cka_matrix([first], [second])[0, 0]


def _literal_hsic(x: torch.Tensor, y: torch.Tensor) -> float:
    """The U-statistic over all ordered quadruples of different observations."""
    k, m = (x @ x.T).tolist(), (y @ y.T).tolist()
    total, count = 0.0, 0
    for i, j, q, r in itertools.permutations(range(len(k)), 4):
        total += k[i][j] * (m[i][j] + m[q][r] - 2 * m[i][q])
        count += 1
    return total / count


def test_the_literal_u_statistic() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 5, generator=generator, dtype=torch.float64) + 2
    y = x[:, :3] + torch.randn(8, 3, generator=generator, dtype=torch.float64)
    expected = _literal_hsic(x, y) / (_literal_hsic(x, x) * _literal_hsic(y, y)) ** 0.5
    assert _cka(x, y).item() == pytest.approx(expected)
    single = _cka(x.float(), y.float())
    assert single.item() == pytest.approx(expected, abs=1e-5)


def test_all_pairs_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(1)
    first = [torch.randn(30, d, generator=generator) for d in (4, 9)]
    second = [torch.randn(30, d, generator=generator) for d in (3, 5, 80)]
    whole = cka_matrix(first, second)
    monkeypatch.setattr("analysis.statistics.cka._BLOCK_VALUES", 30 * 5 * 7)
    blocks = cka_matrix(first, second)
    assert torch.allclose(whole, blocks, atol=1e-6)
    for i, j in itertools.product(range(2), range(3)):
        assert blocks[i, j].item() == pytest.approx(_cka(first[i], second[j]).item(), abs=1e-6)


def test_itself_is_one_noise_is_near_zero_and_scale_and_rotation_do_not_matter() -> None:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(60, 20, generator=generator)
    noise = torch.randn(60, 500, generator=generator)
    rotation = torch.linalg.qr(torch.randn(20, 20, generator=generator)).Q
    assert _cka(x, x).item() == pytest.approx(1, abs=1e-6)
    assert _cka(x, 3 * x @ rotation + 5).item() == pytest.approx(1, abs=1e-4)
    assert abs(_cka(x, noise).item()) < 0.1


def test_constant_layers_few_images_and_mismatch() -> None:
    x = torch.randn(10, 4, generator=torch.Generator().manual_seed(3))
    assert _cka(x, torch.full((10, 4), 0.3)).isnan()
    with pytest.raises(AuditError, match="at least four"):
        _cka(x[:3], x[:3])
    with pytest.raises(AuditError, match="same images"):
        cka_matrix([x], [x[:9]])
    with pytest.raises(AuditError, match="not finite"):
        _cka(x, torch.full((10, 4), torch.inf))
