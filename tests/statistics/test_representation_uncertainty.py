"""The doubt of CKA, RSA and Procrustes against literal loops over images and scipy."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from analysis.statistics import cka_uncertainty, image_jackknife, rsa_uncertainty
from analysis.statistics.cka import cka_matrix
from analysis.statistics.cka_uncertainty import measured_cka
from analysis.statistics.image_jackknife import Measured
from analysis.statistics.permutation import random_permutations
from analysis.statistics.procrustes_uncertainty import _norm_and_influence, measured_procrustes
from analysis.statistics.representations import procrustes_matrix, rsa_matrix
from analysis.statistics.rsa_uncertainty import measured_rsa

IMAGES, PATCHES = 12, 3
Layers = list[torch.Tensor]
Matrix = Callable[[Layers, Layers], torch.Tensor]
Doubting = Callable[..., Measured]
MEASURES = {
    "cka": (cka_matrix, measured_cka),
    "rsa": (rsa_matrix, measured_rsa),
    "procrustes": (procrustes_matrix, measured_procrustes),
}


def _layers(seed: int, *widths: int, images: int = IMAGES) -> Layers:
    """Patches that share what their image shows, as real ones do."""
    world = torch.Generator().manual_seed(100)
    shown = torch.randn(images, 1, 5, generator=world) + 0.6 * torch.randn(
        images, PATCHES, 5, generator=world
    )
    own = torch.Generator().manual_seed(seed)
    layers = []
    for width in widths:
        mixed = shown.flatten(0, 1) @ torch.randn(5, width, generator=own)
        layers.append(torch.tanh(mixed + torch.randn(mixed.shape, generator=own)))
    return layers


def _without(layers: Layers, image: int) -> Layers:
    kept = torch.arange(len(layers[0])) // PATCHES != image
    return [layer[kept] for layer in layers]


def _literal_variance(matrix: Matrix, first: Layers, second: Layers, images: int) -> torch.Tensor:
    left = torch.stack(
        [matrix(_without(first, image), _without(second, image)) for image in range(images)]
    )
    return (left - left.mean(0)).square().sum(0) * (images - 1) / images


@pytest.mark.parametrize("name", MEASURES)
def test_shuffled_images_are_those_of_a_loop(name: str) -> None:
    matrix, measured = MEASURES[name]
    first, second = _layers(0, 4, 50), _layers(1, 6, 9, 45)
    found = measured(first, second, IMAGES, permutations=5, seed=3)
    torch.testing.assert_close(found.value, matrix(first, second), atol=1e-7, rtol=0)
    for number, order in enumerate(random_permutations(IMAGES, 5, 3)):
        moved = [layer.reshape(IMAGES, PATCHES, -1)[order].flatten(0, 1) for layer in second]
        expected = matrix(first, moved)
        # Singular values of shuffled images are taken in single precision.
        tolerance = 2e-4 if name == "procrustes" else 2e-6
        torch.testing.assert_close(found.permuted[number], expected, atol=tolerance, rtol=0)


def test_cka_leaves_out_each_image_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _layers(0, 4, 50), _layers(1, 6, 9, 45)
    found = measured_cka(first, second, IMAGES)
    expected = _literal_variance(cka_matrix, first, second, IMAGES)
    torch.testing.assert_close(found.variance, expected, rtol=1e-3, atol=0)
    monkeypatch.setattr(
        cka_uncertainty, "group_of_images", lambda n: image_jackknife.group_of_images(n, 6)
    )
    grouped = measured_cka(first, second, IMAGES).variance
    left = []
    for group in range(6):
        kept = torch.arange(IMAGES * PATCHES) // (2 * PATCHES) != group
        left.append(cka_matrix([x[kept] for x in first], [x[kept] for x in second]))
    stacked = torch.stack(left)
    expected = (stacked - stacked.mean(0)).square().sum(0) * 5 / 6
    torch.testing.assert_close(grouped, expected, rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", ["rsa", "procrustes"])
def test_derivatives_give_nearly_the_variance_of_leaving_out(name: str) -> None:
    matrix, measured = MEASURES[name]
    first, second = _layers(0, 4, 9, images=40), _layers(1, 6, 12, images=40)
    found = measured(first, second, 40).variance.sqrt()
    expected = _literal_variance(matrix, first, second, 40).sqrt()
    torch.testing.assert_close(found, expected, rtol=0.12, atol=0)


def _weighted_rsa(first: torch.Tensor, second: torch.Tensor, weights: np.ndarray) -> float:
    """The correlation of dissimilarities' ranks in a world where images have weights."""
    of_patch = np.arange(len(first)) // PATCHES
    pairs = list(itertools.combinations(range(len(first)), 2))
    mass = np.array(
        [
            weights[of_patch[p]] * (weights[of_patch[q]] if of_patch[p] != of_patch[q] else 1.0)
            for p, q in pairs
        ]
    )
    ranks = []
    for layer in (first, second):
        unlike = 1 - np.corrcoef(layer.double().numpy())
        values = np.array([unlike[p, q] for p, q in pairs])
        order = np.argsort(values)
        below = np.empty(len(values))
        below[order] = np.cumsum(mass[order]) - mass[order] / 2
        ranks.append(below / mass.sum())
    centred = [rank - (rank * mass).sum() / mass.sum() for rank in ranks]
    product = (mass * centred[0] * centred[1]).sum()
    return float(product / np.sqrt(np.prod([(mass * rank**2).sum() for rank in centred])))


def test_the_influence_of_an_image_on_rsa_is_the_derivative(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (first,), (second,) = _layers(0, 8), _layers(1, 6)
    seen: list[torch.Tensor] = []

    def keep(influence: torch.Tensor) -> torch.Tensor:
        seen.append(influence)
        return image_jackknife.influence_variance(influence)

    monkeypatch.setattr(rsa_uncertainty, "influence_variance", keep)
    measured_rsa([first], [second], IMAGES)
    for image in range(IMAGES):
        values = []
        for step in (1e-4, -1e-4):
            weights = np.ones(IMAGES)
            weights[image] += step
            values.append(_weighted_rsa(first, second, weights))
        derivative = (values[0] - values[1]) / 2e-4
        assert seen[0][image, 0].item() == pytest.approx(derivative, abs=2e-3)


def test_the_influence_of_an_image_on_procrustes_is_the_derivative() -> None:
    (first,), (second,) = _layers(0, 7), _layers(1, 5)
    rows = [layer.double() - layer.double().mean(0) for layer in (first, second)]
    one, other = (values / torch.linalg.matrix_norm(values) for values in rows)
    norm, influence = _norm_and_influence(one, other, IMAGES)
    assert norm.item() == pytest.approx(procrustes_matrix([first], [second]).item(), abs=1e-6)

    def weighted(weights: torch.Tensor) -> float:
        mass = weights.repeat_interleave(PATCHES)[:, None]
        x, y = (values - (values * mass).sum(0) / mass.sum() for values in rows)
        product = torch.linalg.svdvals(x.T @ (mass * y)).sum()
        lengths = [(mass * values.square()).sum().sqrt() for values in (x, y)]
        return float(product / lengths[0] / lengths[1])

    for image in range(IMAGES):
        step = torch.zeros(IMAGES, dtype=torch.float64)
        step[image] = 1e-5
        derivative = (weighted(1 + step) - weighted(1 - step)) / 2e-5
        assert influence[image].item() == pytest.approx(derivative, abs=1e-5)


@pytest.mark.parametrize("name", MEASURES)
def test_drawing_images_twice_lifts_the_measure(name: str) -> None:
    """Why there is no bootstrap: its replicates do not lie around the value."""
    matrix, measured = MEASURES[name]
    random = torch.Generator().manual_seed(3)
    # Two models that have nothing in common, but that each sees what an image's patches share.
    first, second = (
        [(torch.randn(IMAGES, 1, width, generator=random) + torch.randn(
            IMAGES, PATCHES, width, generator=random)).flatten(0, 1)]
        for width in (10, 14)
    )  # fmt: skip
    found = measured(first, second, IMAGES)
    error = found.variance.sqrt().item()
    random = torch.Generator().manual_seed(2)
    drawn = []
    for _ in range(40):
        images = torch.randint(IMAGES, (IMAGES,), generator=random)
        rows = (images[:, None] * PATCHES + torch.arange(PATCHES)).flatten()
        drawn.append(matrix([first[0][rows]], [second[0][rows]]).item())
    assert np.mean(drawn) - found.value.item() > error


def test_a_layer_with_itself_is_sure_and_a_constant_one_has_nothing() -> None:
    (layer,) = _layers(0, 8)
    flat = torch.full((IMAGES * PATCHES, 4), 0.3)
    for _, measured in MEASURES.values():
        found = measured([layer], [layer, flat], IMAGES, 3, 0)
        assert found.value[0, 0].item() == pytest.approx(1, abs=1e-5)
        assert found.variance[0, 0].item() == pytest.approx(0, abs=1e-8)
        assert (found.permuted[:, 0, 0] < 0.9).all()
        for values in (found.value[0, 1], found.variance[0, 1], found.permuted[:, 0, 1]):
            assert values.isnan().all()


def test_patches_without_a_pattern_in_a_layer_leave_rsa_its_doubt() -> None:
    first, second = _layers(0, 6), _layers(1, 7)
    first[0][4] = 0.0
    found = measured_rsa(first, second, IMAGES, 4, 0)
    torch.testing.assert_close(found.value, rsa_matrix(first, second))
    expected = _literal_variance(rsa_matrix, first, second, IMAGES).sqrt()
    torch.testing.assert_close(found.variance.sqrt(), expected, rtol=0.3, atol=0)
    assert found.permuted.isfinite().all()


def test_ties_of_dissimilarities_share_their_rank() -> None:
    (first,), (second,) = _layers(0, 6), _layers(1, 7)
    first[1] = first[0]  # every pair with either is tied with that of the other
    found = measured_rsa([first], [second], IMAGES, 2, 0)
    unlike = [1 - np.corrcoef(layer.double().numpy()) for layer in (first, second)]
    upper = np.triu_indices(len(first), 1)
    ranks = [rankdata(values[upper].round(12)) for values in unlike]
    assert found.value.item() == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-3)


@pytest.mark.parametrize("name", MEASURES)
def test_many_images_are_thinned_for_the_doubt_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, measured = MEASURES[name]
    first, second = _layers(0, 6, images=40), _layers(1, 7, images=40)
    whole = measured(first, second, 40, 30, 0)
    monkeypatch.setattr(image_jackknife, "UNCERTAINTY_OBSERVATIONS", 20 * PATCHES)
    found = measured(first, second, 40, 30, 0)
    torch.testing.assert_close(found.value, matrix(first, second))
    assert found.permuted.mean() > whole.permuted.mean() - 0.02
    assert found.variance.sqrt().item() == pytest.approx(whole.variance.sqrt().item(), rel=0.8)
