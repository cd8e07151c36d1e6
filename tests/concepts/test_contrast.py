from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.concepts.contrast import select_patches
from analysis.errors import AuditError


def _literal(values: list[float], images: list[int], barred: set[int], count: int) -> list[int]:
    chosen: list[int] = []
    seen = set(barred)
    for row in sorted(range(len(values)), key=lambda i: (-values[i], i)):
        if images[row] not in seen and len(chosen) < count:
            chosen.append(row)
            seen.add(images[row])
    return chosen


@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
@settings(deadline=None, max_examples=60)
def test_one_patch_an_image_as_a_loop(seed: int, count: int, reference: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    real = torch.randint(0, 6, (40,), generator=generator).float()
    predicted = torch.randint(0, 6, (40,), generator=generator).float()
    images = torch.randint(0, 9, (40,), generator=generator) * 3
    preset = "reference" if reference else "paper"
    found = select_patches(real, predicted, images, count, preset=preset)  # type: ignore[arg-type]
    residual, ids = (real - predicted).tolist(), images.tolist()
    top = _literal(real.tolist(), ids, set(), count)
    barred = {ids[row] for row in top}
    under = _literal(residual, ids, barred, count)
    over = _literal([-r for r in residual], ids, set() if reference else barred, count)
    if not reference:
        under = [row for row in under if residual[row] > 0]
        over = [row for row in over if residual[row] < 0]
    assert found.top.tolist() == top
    assert found.under.tolist() == under
    assert found.over.tolist() == over


def test_one_image_gives_one_top_patch_and_no_contrast() -> None:
    found = select_patches(torch.tensor([1.0, 3.0]), torch.zeros(2), torch.zeros(2).long())
    assert found.top.tolist() == [1]
    assert found.under.tolist() == found.over.tolist() == []


def test_non_finite_values_are_refused() -> None:
    with pytest.raises(AuditError, match="not finite"):
        select_patches(torch.tensor([torch.nan]), torch.zeros(1), torch.zeros(1).long())
