"""TCAV, class gradients, GradCAM and integrated gradients against the package captum."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from analysis.concepts.general_importance import general_importance
from analysis.models.loading import LoadedModel, load_model
from analysis.models.taps import LayerTaps
from analysis.saliency.explanation import explain
from analysis.semantics.example_sets import ConceptExamples
from analysis.semantics.layer_gradients import class_gradients
from analysis.semantics.tcav import tcav
from analysis.semantics.vectors import VectorSettings
from tests.saliency.small_models import images
from tests.semantics.in_one_go import concept_vectors

LAYER = "blocks.2"
POSITIVES, EXAMPLES = 16, 60


@pytest.fixture
def captum() -> ModuleType:
    with mock.patch.dict(os.environ):
        return pytest.importorskip("captum", exc_type=ImportError)


@pytest.fixture
def plain() -> LoadedModel:
    model = load_model("sample:pink-sensitive", optimize=False)
    model.module.requires_grad_(True)
    return model


def test_class_gradients(captum: ModuleType, plain: LoadedModel) -> None:
    from captum.attr import LayerGradientXActivation

    batch = images(plain, 6)
    theirs = LayerGradientXActivation(
        plain.module, plain.module.get_submodule(LAYER), multiply_by_inputs=False
    ).attribute(batch, target=1)
    ours = class_gradients(plain, batch, [1] * 6, [LAYER], "map")[LAYER]
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_tcav_scores_of_the_same_vectors(
    captum: ModuleType, plain: LoadedModel, tmp_path: Path
) -> None:
    """Whole maps, as captum takes them; one experimental set a negative set."""
    from captum.attr import LayerGradientXActivation
    from captum.concept import TCAV, Classifier, Concept

    class Given(Classifier):  # type: ignore[misc]
        """The vectors are ours: nothing is trained."""

        def __init__(self) -> None:
            self.remaining: list[torch.Tensor] = []
            self.number = 0

        def train_and_eval(self, dataloader: Any, **kwargs: Any) -> None:
            self.given = self.remaining.pop(0)
            self.number += 1

        def weights(self) -> torch.Tensor:
            return torch.stack([self.given, -self.given])

        def classes(self) -> list[int]:
            return [0, self.number]

    examples = images(plain, EXAMPLES, seed=1)
    examples[:POSITIVES, 0] += 1.5  # redder than the others
    shown = images(plain, 12, seed=2)
    with torch.no_grad(), LayerTaps(plain, [LAYER], "map") as taps:
        features = taps.forward(examples).features[LAYER]
    concept = ConceptExamples("red", np.arange(POSITIVES), np.arange(POSITIVES, EXAMPLES))
    settings = VectorSettings(sets=4, permutations=19, null_sets=1, replicates=10)
    vectors = concept_vectors(features, [concept], settings)
    gradients = class_gradients(plain, shown, [1] * 12, [LAYER], "map")[LAYER]
    ours = tcav(gradients, features, vectors, only_separating=False).set_scores[0]

    rows = features.flatten(1).double()
    normals = vectors.fits[0].observed.double() @ (rows - rows.mean(0))
    classifier = Given()
    classifier.remaining = list(normals.float())
    theirs = TCAV(
        plain.module,
        [LAYER],
        classifier=classifier,
        layer_attr_method=LayerGradientXActivation(plain.module, None, multiply_by_inputs=False),
        save_path=str(tmp_path),
    )
    red = Concept(0, "red", [examples[:POSITIVES]])
    sets = [
        [red, Concept(1 + number, f"random {number}", [examples[POSITIVES:]])]
        for number in range(len(normals))
    ]
    found = theirs.interpret(shown, sets, target=1)
    scores = [
        float(found[f"0-{1 + number}"][LAYER]["sign_count"][0]) for number in range(len(normals))
    ]
    np.testing.assert_allclose(ours.numpy(), scores, atol=1e-6)
    assert 0 < np.mean(scores) < 1  # signs of both kinds were compared


def test_gradcam(captum: ModuleType, plain: LoadedModel) -> None:
    from captum.attr import LayerGradCam

    batch, classes = images(plain, 4), [0, 1, 0, 1]
    theirs = LayerGradCam(plain.module, plain.module.get_submodule(LAYER)).attribute(
        batch, target=torch.tensor(classes), relu_attributions=True
    )[:, 0]
    (found,) = explain(plain, batch, ["gradcam"], classes, layer=LAYER).values()
    torch.testing.assert_close(found.values, theirs.detach(), rtol=1e-4, atol=1e-6)
    assert float(theirs.detach().max()) > 0


def test_integrated_gradients_of_concepts(captum: ModuleType) -> None:
    from captum.attr import IntegratedGradients

    generator = torch.Generator().manual_seed(0)
    head = nn.Sequential(nn.Linear(12, 16), nn.GELU(), nn.Linear(16, 5)).double()
    with torch.no_grad():
        for values in head.parameters():
            values.copy_(torch.randn(values.shape, generator=generator, dtype=torch.float64))
    coefficients = torch.rand(30, 4, generator=generator, dtype=torch.float64)
    basis = torch.rand(4, 12, generator=generator, dtype=torch.float64)
    ours = general_importance(coefficients, basis, head, 2)
    theirs = IntegratedGradients(lambda u: head(u @ basis).log_softmax(-1)).attribute(
        coefficients, torch.zeros_like(coefficients), target=2, n_steps=300
    )
    torch.testing.assert_close(ours.signed, theirs.mean(0), rtol=1e-3, atol=1e-5)
