"""TCAV scores, their test, and the gradients they come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.heads import find_head
from analysis.models.layers import find_layers
from analysis.models.loading import LoadedModel, LoadReport, load_model
from analysis.models.preprocessing import Preprocessing
from analysis.models.specification import parse_specification
from analysis.models.taps import LayerTaps, Reduction
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.layer_gradients import class_gradients
from analysis.semantics.linear_solver import spread_weights
from analysis.semantics.tcav import adjust_together, tcav
from analysis.semantics.vectors import VectorSettings
from tests.semantics.conftest import Features
from tests.semantics.in_one_go import concept_vectors


def _gradients(towards: torch.Tensor, n: int = 30, noise: float = 0.3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(9)
    return towards + noise * torch.randn(n, len(towards), generator=generator)


def test_scores_are_shares_of_images_whose_score_rises(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features()
    vectors = concept_vectors(rows, [concept], quick)
    gradients = _gradients(torch.zeros(40), noise=1.0)
    found = tcav(gradients, rows, vectors)
    centred = rows - rows.mean(0)
    expected = []
    for alpha in vectors.fits[0].observed:
        derivative = gradients.double() @ (alpha.double() @ centred.double())
        expected.append(float((derivative > 0).double().mean()))
    np.testing.assert_allclose(found.set_scores[0].numpy(), expected, atol=1e-9)
    assert float(found.score[0]) == pytest.approx(np.mean(expected))
    assert float(found.set_spread[0]) == pytest.approx(np.std(expected, ddof=1))
    assert found.n == 30
    fits = vectors.fits[0]
    spread = spread_weights(fits.null_problems, fits.null, len(rows))
    share = (gradients @ (spread @ centred).T > 0).double().mean(0).reshape(39, 3).mean(1)
    torch.testing.assert_close(found.null[:, 0], share)
    # Tested over as many sets as the pseudo-concepts have.
    assert float(found.tested[0]) == pytest.approx(np.mean(expected[:3]))
    distance, chance = found.tested[0] - share.mean(), share - share.mean()
    reached = int((chance.abs() >= distance.abs() - 1e-9).sum())
    assert float(found.p[0]) == pytest.approx((1 + reached) / 40)


def test_a_class_that_looks_for_the_concept_is_told_from_one_that_does_not(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features()
    vectors = concept_vectors(rows, [concept], quick)
    towards = torch.zeros(40)
    towards[:3] = 1.0
    for sign in (1, -1):
        found = tcav(_gradients(sign * towards), rows, vectors)
        assert float(found.score[0]) == (1.0 if sign > 0 else 0.0)
        assert float(found.p[0]) <= 0.05
        assert not float(found.null_low[0]) <= float(found.score[0]) <= float(found.null_high[0])
    away = towards.flip(0)
    unrelated = tcav(_gradients(away), rows, vectors)
    assert float(unrelated.p[0]) > 0.05
    assert float(unrelated.ci_low[0]) <= float(unrelated.score[0]) <= float(unrelated.ci_high[0])


def test_a_concept_that_does_not_separate_has_no_score(
    features: Features, quick: VectorSettings
) -> None:
    rows = features(strength=0.0)
    concept = ConceptExamples("nothing", np.arange(0, 24), np.arange(24, 144))
    vectors = concept_vectors(rows, [concept], replace(quick, seed=1))
    assert not bool(vectors.separates[0])
    found = tcav(_gradients(torch.ones(40)), rows, vectors)
    assert bool(found.score.isnan().all())
    assert bool(found.p.isnan().all())
    assert bool(found.p_adjusted.isnan().all())
    assert not bool(found.usable[0])
    anyway = tcav(_gradients(torch.ones(40)), rows, vectors, only_separating=False)
    assert not bool(anyway.score.isnan().any())


def test_looking_at_more_is_corrected_for(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features()
    vectors = concept_vectors(rows, [concept], quick)
    towards = torch.zeros(40)
    towards[:3] = 1.0
    results = [tcav(_gradients(towards), rows, vectors)]
    generator = torch.Generator().manual_seed(4)
    for _ in range(6):
        random = torch.randn(40, generator=generator)
        results.append(tcav(_gradients(random), rows, vectors))
    together = adjust_together(results)
    for alone, corrected in zip(results, together, strict=True):
        assert float(corrected.p_adjusted[0]) >= float(alone.p_adjusted[0]) - 1e-9
        assert float(alone.p_adjusted[0]) == pytest.approx(float(alone.p[0]))
    other = concept_vectors(rows, [concept], replace(quick, permutations=20))
    apart = tcav(_gradients(towards), rows, other)
    with pytest.raises(AuditError, match="same permutations"):
        adjust_together([results[0], apart])


def test_scores_repeat(features: Features, concept: ConceptExamples, quick: VectorSettings) -> None:
    rows, gradients = features(), _gradients(torch.zeros(40))
    first, again = (tcav(gradients, rows, concept_vectors(rows, [concept], quick)) for _ in "ab")
    assert float(first.score[0]) == float(again.score[0])
    assert float(first.p[0]) == float(again.p[0])
    assert torch.equal(first.null, again.null)


def test_gradients_of_another_size_are_refused(
    features: Features, concept: ConceptExamples, quick: VectorSettings
) -> None:
    rows = features()
    vectors = concept_vectors(rows, [concept], quick)
    with pytest.raises(AuditError, match="same layer"):
        tcav(torch.ones(5, 39), rows, vectors)
    with pytest.raises(AuditError, match="finite"):
        tcav(torch.full((5, 40), torch.inf), rows, vectors)


class _Net(nn.Module):
    """In-place activations, a residual, and pooling before the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.act2 = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.first(x))
        x = self.act2(self.second(x) + x)
        return self.head(self.pool(x).flatten(1))


@pytest.fixture
def plain() -> LoadedModel:
    torch.manual_seed(3)
    module = _Net().eval().requires_grad_(False)
    return LoadedModel(
        parse_specification("timm:resnet18?pretrained=false"), module,
        Preprocessing(height=16, width=16, resize=16), "", LoadReport(), None, 4,
    )  # fmt: skip


def test_gradients_of_all_layers_are_those_of_a_plain_network(plain: LoadedModel) -> None:
    net, batch = plain.module, torch.randn(5, 3, 16, 16)
    classes = torch.tensor([0, 1, 2, 3, 1])
    names = ["act2", "first", "penultimate", "second", "act"]
    found = class_gradients(plain, batch, classes, names, "map")
    assert list(found) == names
    # The same network without hooks or in-place operations.
    first = net.first(batch).requires_grad_(True)  # type: ignore[operator, union-attr]
    with torch.enable_grad():
        act = first.relu()
        second = net.second(act)  # type: ignore[operator]
        act2 = (second + act).relu()
        pooled = act2.mean((2, 3))
        score = net.head(pooled).gather(1, classes[:, None]).sum()  # type: ignore[operator]
    tensors = {"first": first, "act": act, "second": second, "act2": act2, "penultimate": pooled}
    for name, tensor in tensors.items():
        (expected,) = torch.autograd.grad(score, tensor, retain_graph=True)
        torch.testing.assert_close(found[name].reshape(expected.shape), expected)


@pytest.mark.parametrize("layers", [["act"], ["act", "act2", "penultimate"]])
def test_pooled_gradients_foretell_what_a_small_move_does(
    plain: LoadedModel, layers: list[str]
) -> None:
    batch, classes = torch.randn(3, 3, 16, 16), torch.tensor([2, 0, 1])
    found = class_gradients(plain, batch, classes, layers)
    direction = torch.randn(6)

    def moved(amount: float) -> torch.Tensor:
        handle = plain.module.get_submodule("act").register_forward_hook(
            lambda module, inputs, output: output + amount * direction[:, None, None]
        )
        try:
            return plain.run(batch).gather(1, classes[:, None])[:, 0].double()
        finally:
            handle.remove()

    slope = (moved(1e-3) - moved(-1e-3)) / 2e-3
    torch.testing.assert_close(
        found["act"].double() @ direction.double(), slope, atol=1e-2, rtol=2e-2
    )


def test_gradients_at_the_penultimate_layer_are_the_heads_weights(network: LoadedModel) -> None:
    head = find_head(network)
    assert head is not None
    assert head.weight is not None
    size = network.preprocessing.height
    batch = torch.randn(2, 3, size, size)
    layers = [layer.name for layer in find_layers(network)]
    found = class_gradients(network, batch, [1, 0], layers)
    torch.testing.assert_close(found["penultimate"], head.weight[[1, 0]])
    with LayerTaps(network, layers) as taps:
        features = taps.forward(batch).features
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in features.items()
    }
    assert not any(part._forward_hooks for part in network.module.modules())


@pytest.mark.parametrize("reduction", ["auto", "pooled", "class token", "map", "tokens"])
def test_tokens_are_reduced_as_their_features(reduction: Reduction) -> None:
    model = load_model(
        "timm:vit_tiny_patch16_224?pretrained=false&img_size=64&input=64&depth=2&num_classes=5"
    )
    batch = torch.randn(2, 3, 64, 64)
    with LayerTaps(model, ["blocks.0", "blocks.1"], reduction) as taps:
        features = taps.forward(batch).features
    found = class_gradients(model, batch, [0, 4], ["blocks.0", "blocks.1"], reduction)
    whole = class_gradients(model, batch, [0, 4], ["blocks.0"], "tokens")["blocks.0"]
    assert {n: v.shape for n, v in found.items()} == {n: v.shape for n, v in features.items()}
    expected = {
        "auto": whole[:, 0],
        "class token": whole[:, 0],
        "pooled": whole[:, 1:].sum(1),
        "map": whole[:, 1:].transpose(1, 2).reshape(2, -1, 4, 4),
        "tokens": whole,
    }[reduction]
    torch.testing.assert_close(found["blocks.0"], expected)


def test_what_has_no_gradient_is_refused(plain: LoadedModel) -> None:
    batch = torch.randn(2, 3, 16, 16)
    with pytest.raises(AuditError, match="no layer"):
        class_gradients(plain, batch, [0, 1], ["nothing"])
    with pytest.raises(AuditError, match="one class"):
        class_gradients(plain, batch, [0, 4], ["act"])
    with pytest.raises(AuditError, match="one class"):
        class_gradients(plain, batch, [0], ["act"])
    with pytest.raises(AuditError, match="class token"):
        class_gradients(plain, batch, [0, 1], ["act"], "class token")
    with pytest.raises(AuditError, match="not finite"):
        class_gradients(plain, batch * torch.nan, [0, 1], ["first"])
    headless = replace(plain, num_classes=0, cache={})
    with pytest.raises(AuditError, match="class scores"):
        class_gradients(headless, batch, [0, 1], ["act"])
