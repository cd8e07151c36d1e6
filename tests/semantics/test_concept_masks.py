"""ICE concepts, their masks, and what they do to the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import torch

from analysis.errors import AuditError
from analysis.models.layers import find_layers
from analysis.models.loading import LoadedModel, load_model
from analysis.models.taps import LayerTaps
from analysis.semantics.concept_effects import (
    LayerReplacement,
    fidelity,
    gradient_importance,
)
from analysis.semantics.concept_masks import (
    IceConcepts,
    enlarged,
    find_concepts,
    normalised,
    project,
    reconstruct,
)
from analysis.semantics.layer_gradients import class_gradients
from tests.semantics.in_one_go import concept_masks, importance_by_difference

IMAGES, CHANNELS, SIDE, PLANTED = 12, 20, 6, 3


def planted_maps(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps (images, channels, h, w) of three concepts in blocks, and where they are."""
    generator = torch.Generator().manual_seed(seed)
    where = torch.zeros(IMAGES, PLANTED, SIDE, SIDE)
    for image in range(IMAGES):
        for concept in range(PLANTED):
            if (image + concept) % 4:
                top, left = torch.randint(0, SIDE - 2, (2,), generator=generator).tolist()
                where[image, concept, top : top + 2, left : left + 3] = 1
    strength = where * (0.7 + 0.3 * torch.rand(where.shape, generator=generator))
    basis = torch.zeros(PLANTED, CHANNELS)
    for concept in range(PLANTED):
        basis[concept, 6 * concept : 6 * concept + 6] = 0.5 + torch.rand(6, generator=generator)
    return torch.einsum("nkhw,kc->nchw", strength, basis), where


def test_planted_concepts_are_found_where_they_are() -> None:
    maps, where = planted_maps()
    concepts = find_concepts(maps, PLANTED)
    assert concepts.rectification == "none"
    assert concepts.lost == 0
    assert concepts.converged
    assert concepts.relative_error < 1e-3
    found = project(concepts, maps)
    torch.testing.assert_close(reconstruct(concepts, found), maps, atol=5e-3, rtol=1e-2)
    order = scipy.optimize.linear_sum_assignment(
        np.corrcoef(found.transpose(0, 1).flatten(1), where.transpose(0, 1).flatten(1))[:3, 3:],
        maximize=True,
    )[1]
    assert torch.equal(found > 0.2 * found.amax(), where[:, order].bool())
    torch.testing.assert_close(concepts.peak, found.amax((0, 2, 3)))


def test_projection_is_non_negative_least_squares() -> None:
    concepts = find_concepts(planted_maps()[0], PLANTED)
    new = torch.rand(2, CHANNELS, 3, 5, generator=torch.Generator().manual_seed(1))
    found = project(concepts, new)
    for image in range(2):
        for row in range(3):
            for column in range(5):
                pixel = new[image, :, row, column].double().numpy()
                expected = scipy.optimize.nnls(concepts.basis.double().numpy().T, pixel)[0]
                np.testing.assert_allclose(found[image, :, row, column], expected, atol=1e-4)


def test_fewer_positions_find_the_same_concepts_and_keep_the_peaks_of_all() -> None:
    maps, _ = planted_maps()
    every, some = find_concepts(maps, PLANTED), find_concepts(maps, PLANTED, positions=300)
    cosine = every.basis @ some.basis.T
    assert float(cosine.amax(1).min()) > 0.99
    torch.testing.assert_close(some.peak, project(some, maps).amax((0, 2, 3)))


def test_negative_activations_are_rectified_as_declared() -> None:
    maps, _ = planted_maps()
    signed = maps - 0.3 * maps.flip(1)
    auto = find_concepts(signed, PLANTED)
    assert auto.rectification == "relu"
    expected = float(signed.clamp(max=0).square().sum() / signed.square().sum())
    assert auto.lost == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(
        auto.basis, find_concepts(signed.clamp(min=0), PLANTED).basis, atol=1e-5, rtol=1e-4
    )
    split = find_concepts(signed, 2 * PLANTED, "split")
    assert split.basis.shape == (2 * PLANTED, 2 * CHANNELS)
    assert split.lost == 0
    rebuilt = reconstruct(split, project(split, signed))
    error = float((rebuilt - signed).norm() / signed.norm())
    assert error < 0.05
    assert bool((rebuilt < 0).any())
    with pytest.raises(AuditError, match="negative"):
        find_concepts(signed, PLANTED, "none")
    with pytest.raises(AuditError, match="negative"):
        project(find_concepts(maps, PLANTED), signed)


@pytest.fixture
def two() -> tuple[IceConcepts, torch.Tensor]:
    """Two concepts and coefficients in which the first is faint in image 1 and the second gone."""
    concepts = IceConcepts(torch.eye(2), torch.tensor([2.0, 4.0]), 2, "none", 0.0, 0.0, 1, True)
    generator = torch.Generator().manual_seed(0)
    coefficients = torch.rand(2, 2, 5, 5, generator=generator)
    coefficients[0, 0, 2, 2], coefficients[0, 1, 1, 1] = 2.0, 4.0
    coefficients[1, 0] *= 0.1
    coefficients[1, 1] = 0
    return concepts, coefficients


def test_masks_are_enlarged_before_they_are_cut(two: tuple[IceConcepts, torch.Tensor]) -> None:
    concepts, coefficients = two
    masks = concept_masks(concepts, coefficients, 20, (0.5,))
    scaled = coefficients / coefficients.amax((2, 3), keepdim=True).clamp(min=1e-9)
    expected = torch.nn.functional.interpolate(scaled, (20, 20), mode="bilinear") > 0.5
    assert torch.equal(masks[0], expected)
    other = torch.nn.functional.interpolate((scaled > 0.5).float(), (20, 20), mode="nearest") > 0
    assert not torch.equal(masks[0], other)


def test_masks_at_higher_thresholds_lie_in_those_at_lower(
    two: tuple[IceConcepts, torch.Tensor],
) -> None:
    concepts, coefficients = two
    for by in ("image", "data set"):
        masks = concept_masks(concepts, coefficients, 24, (0.25, 0.5, 0.75), by)  # type: ignore[arg-type]
        for low, high in ((0, 1), (1, 2)):
            assert not bool((masks[high] & ~masks[low]).any())
            assert int(masks[high].sum()) < int(masks[low].sum())


def test_the_scale_says_whether_an_absent_concept_has_a_mask(
    two: tuple[IceConcepts, torch.Tensor],
) -> None:
    concepts, coefficients = two
    by_image = concept_masks(concepts, coefficients, 20, (0.5,))[0].flatten(2).any(2)
    by_data = concept_masks(concepts, coefficients, 20, (0.5,), "data set")[0].flatten(2).any(2)
    gated = concept_masks(concepts, coefficients, 20, (0.5,), gate=0.2)[0].flatten(2).any(2)
    assert by_image.tolist() == [[True, True], [True, False]]
    assert by_data.tolist() == [[True, True], [False, False]]
    assert gated.tolist() == by_data.tolist()
    assert bool((normalised(coefficients, concepts.peak, "data set") <= 1).all())
    assert enlarged(coefficients, 7).shape == (2, 2, 7, 7)


def test_fidelity_is_the_mean_error_of_the_scores() -> None:
    original = torch.tensor([[2.0, 0.0], [4.0, 0.0]])
    changed = torch.tensor([[1.0, 1.0], [4.5, 0.0]])
    found = fidelity(original, changed)
    assert float(found[0]) == pytest.approx((1 + 0.5) / 2 / 3)
    assert bool(found[1].isnan())
    assert fidelity(original, original).tolist()[0] == 0
    with pytest.raises(AuditError):
        fidelity(original, changed[:1])


def test_importance_of_a_known_function_is_its_slope() -> None:
    maps = torch.rand(4, 5, 3, 3, dtype=torch.float64)
    weight = torch.randn(2, 5, dtype=torch.float64)
    directions = torch.rand(3, 5)

    def scores(values: torch.Tensor) -> torch.Tensor:
        return (values.sum((2, 3)) ** 2) @ weight.T

    found = importance_by_difference(scores, maps, directions)
    total = maps.sum((2, 3))
    slope = torch.einsum("nc,kc,jc->nkj", 2 * total * 9, directions.double(), weight).mean(0)
    torch.testing.assert_close(found, slope, rtol=1e-5, atol=1e-5)
    gradients = 2 * total * weight[1] * 9
    torch.testing.assert_close(gradient_importance(gradients, directions), slope[:, 1])
    with pytest.raises(AuditError, match="channels"):
        gradient_importance(gradients, directions[:, :4])


def test_concepts_in_a_network_by_difference_and_by_gradient(network: LoadedModel) -> None:
    side = network.preprocessing.height
    batch = torch.randn(6, 3, side, side, generator=torch.Generator().manual_seed(0))
    layer = [one for one in find_layers(network) if (one.grid or (1, 1))[0] > 1][-1].name
    with LayerTaps(network, [layer], "map") as taps:
        tapped = taps.forward(batch)
    maps = tapped.features[layer]
    continued = LayerReplacement(network, layer, batch)
    torch.testing.assert_close(continued(maps), tapped.output, atol=1e-4, rtol=1e-4)
    concepts = find_concepts(maps, 4)
    by_difference = importance_by_difference(continued, maps, concepts.directions, 1e-2)
    for number in range(tapped.output.shape[1]):
        gradients = class_gradients(network, batch, [number] * 6, [layer], "pooled")[layer]
        expected = gradient_importance(gradients, concepts.directions)
        torch.testing.assert_close(by_difference[:, number], expected, atol=2e-2, rtol=2e-2)
    rebuilt = reconstruct(concepts, project(concepts, maps))
    few = fidelity(tapped.output, continued(rebuilt))
    many = find_concepts(maps, maps.shape[1])
    better = fidelity(tapped.output, continued(reconstruct(many, project(many, maps))))
    assert float(better.mean()) < float(few.mean())
    with pytest.raises(AuditError, match="do not fit"):
        continued(maps[:, :, 1:])
    assert not any(part._forward_hooks for part in network.module.modules())


def test_replacing_tokens_keeps_the_class_token() -> None:
    model = load_model(
        "timm:vit_tiny_patch16_224?pretrained=false&img_size=64&input=64&depth=2&num_classes=5"
    )
    batch = torch.randn(2, 3, 64, 64)
    with LayerTaps(model, ["blocks.0"], "map") as taps:
        tapped = taps.forward(batch)
    continued = LayerReplacement(model, "blocks.0", batch)
    torch.testing.assert_close(
        continued(tapped.features["blocks.0"]), tapped.output, atol=1e-5, rtol=1e-4
    )
    for layer in ("penultimate", "nothing"):
        with pytest.raises(AuditError):
            LayerReplacement(model, layer, batch)


def test_bad_input_is_refused(two: tuple[IceConcepts, torch.Tensor]) -> None:
    concepts, coefficients = two
    with pytest.raises(AuditError, match="normalisation"):
        normalised(coefficients, concepts.peak, "layer")  # type: ignore[arg-type]
    with pytest.raises(AuditError, match="gate"):
        normalised(coefficients, concepts.peak, gate=1.5)
    with pytest.raises(AuditError, match="maps"):
        find_concepts(torch.rand(3, 4))
    with pytest.raises(AuditError, match="finite"):
        find_concepts(torch.full((2, 3, 2, 2), torch.nan))
    with pytest.raises(AuditError, match="rectification"):
        find_concepts(torch.rand(2, 3, 2, 2), 2, "absolute")  # type: ignore[arg-type]
    with pytest.raises(AuditError, match="channels"):
        project(replace(concepts, channels=3), coefficients)
