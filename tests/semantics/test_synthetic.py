"""Synthetic concepts: what is pasted, where, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.errors import AuditError
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.synthetic import PATTERNS, ConceptPixels, cut_region, paste, pattern
from analysis.semantics.vectors import VectorSettings
from tests.semantics.in_one_go import concept_vectors


def _images(n: int = 6, height: int = 40, width: int = 48) -> torch.Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_only_the_masked_pixels_change() -> None:
    images = _images()
    before = images.clone()
    marked = ConceptPixels(torch.full((3, 8, 6), 7.0), torch.ones(8, 6, dtype=torch.bool))
    found = paste(images, [marked], share=0.5)
    assert torch.equal(images, before)
    assert int(found.present.sum()) == 3
    changed = (found.images != images).any(1)
    assert torch.equal(changed, found.masks)
    pasted = found.images.transpose(0, 1)[:, found.masks]
    torch.testing.assert_close(pasted, torch.full_like(pasted, 7))
    for number in range(6):
        top, left, rows, columns = found.boxes[number].tolist()
        assert int(found.masks[number].sum()) == rows * columns
        assert (rows > 0) == bool(found.present[number])
        if rows:
            assert 0.25 * 40 - 1 <= rows <= 0.5 * 40 + 1
            assert bool(found.masks[number, top : top + rows, left : left + columns].all())
            assert columns / rows == pytest.approx(6 / 8, abs=0.1)
    assert torch.equal(found.source >= 0, found.present)


def test_a_region_is_cut_with_its_shape() -> None:
    image = _images(1)[0]
    plane = torch.zeros(40, 48, dtype=torch.int64)
    plane[5:9, 10:20] = 4
    plane[9:12, 10:14] = 4
    cut = cut_region(image, plane == 4)
    assert cut.pixels.shape == (3, 7, 10)
    assert int(cut.mask.sum()) == 40 + 12
    assert torch.equal(cut.pixels, image[:, 5:12, 10:20])
    found = paste(torch.zeros(1, 3, 20, 20), [cut], size=(0.5, 0.5))
    # At its own size again: the very pixels.
    top, left, rows, columns = found.boxes[0].tolist()
    assert (rows, columns) == (7, 10)
    box = found.images[0, :, top : top + rows, left : left + columns]
    torch.testing.assert_close(box, torch.where(cut.mask, cut.pixels, 0.0))
    with pytest.raises(AuditError, match="no pixel"):
        cut_region(image, plane == 9)
    with pytest.raises(AuditError, match="does not fit"):
        cut_region(image, plane[:5] == 4)


def test_an_image_comes_out_the_same_whatever_stands_beside_it() -> None:
    images, concepts = _images(), [pattern("stripes"), pattern("dots")]
    every, some = paste(images, concepts, seed=2), paste(images[:3], concepts, seed=2)
    assert torch.equal(every.images[:3], some.images)
    assert not torch.equal(every.images, paste(images, concepts, seed=3).images)


def test_whole_numbers_stay_whole_numbers() -> None:
    images = (_images() * 255).to(torch.uint8)
    concept = ConceptPixels(
        torch.full((3, 9, 9), 200, dtype=torch.uint8), torch.ones(9, 9, dtype=torch.bool)
    )
    found = paste(images, [concept])
    assert found.images.dtype == torch.uint8
    assert bool((found.images.transpose(0, 1)[:, found.masks] == 200).all())
    with pytest.raises(AuditError, match="same scale"):
        paste(images, [pattern("checks")])


@pytest.mark.parametrize("kind", PATTERNS)
def test_patterns_are_discs_of_two_colours(kind: str) -> None:
    made = pattern(kind, 40)  # type: ignore[arg-type]
    assert made.mask.float().mean() == pytest.approx(np.pi / 4, abs=0.03)
    inside = made.pixels[:, made.mask]
    assert len(torch.unique(inside.T, dim=0)) == 2


def test_a_pasted_concept_can_be_told_and_its_place_is_known(quick: VectorSettings) -> None:
    images = _images(80, 24, 24)
    # Stripes have edges across: a plain feature of images finds them.
    found = paste(images, [pattern("stripes", 16)], share=0.4, seed=1)
    features = (found.images[..., 1:] - found.images[..., :-1]).abs().flatten(1)
    features = torch.cat([features, found.images.mean((2, 3))], 1)
    present = found.present.numpy()
    concept = ConceptExamples("stripes", np.flatnonzero(present), np.flatnonzero(~present))
    vectors = concept_vectors(features, [concept], quick)
    assert bool(vectors.separates[0])
    assert bool((found.masks.flatten(1).any(1) == found.present).all())


def test_bad_input_is_refused() -> None:
    images, concept = _images(), pattern("rings")
    with pytest.raises(AuditError, match="between 0 and 1"):
        paste(images, [concept], share=1.2)
    with pytest.raises(AuditError, match="between 0 and 1"):
        paste(images, [concept], size=(0.5, 0.2))
    with pytest.raises(AuditError, match="channels"):
        paste(images[:, :1], [concept])
    with pytest.raises(AuditError, match="at least one pixel"):
        paste(images, [ConceptPixels(concept.pixels, torch.zeros_like(concept.mask))])
    with pytest.raises(AuditError, match="a concept"):
        paste(images, [])
    with pytest.raises(AuditError, match="pattern"):
        pattern("waves")  # type: ignore[arg-type]
