"""TIBAV against an implementation by automatic differentiation, and what it must conserve."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from analysis.errors import AuditError
from analysis.models.loading import LoadedModel, load_model
from analysis.saliency.applicability import reason_against
from analysis.saliency.attention import AttentionRecorder, Recorded
from analysis.saliency.explanation import explain
from analysis.saliency.methods import MethodSettings
from analysis.saliency.relevance import (
    RelevanceRows,
    linear_rule,
    product_rule,
    residual_rule,
    tibav,
)
from analysis.saliency.transformer_parts import (
    BlockRun,
    TransformerRun,
    find_relevance_parts,
    read_tokens,
    recording_blocks,
)
from tests.saliency.reference_relevance import tibav_of_one
from tests.saliency.small_models import SMALL_DEIT, SMALL_VIT, enliven, images


def in_double(
    model: LoadedModel, batch: torch.Tensor, classes: torch.Tensor, first: int = 1
) -> RelevanceRows:
    """`tibav` of a model whose weights are made float64, so that rounding hides nothing."""
    names = find_relevance_parts(model).blocks
    read_tokens(model)
    module = model.module.double()
    run = TransformerRun({name: BlockRun() for name in names})
    kept: dict[str, Recorded] = {}
    recorder = AttentionRecorder(
        module, [f"{name}.attn" for name in names], kept.__setitem__, gradients=True
    )
    with torch.enable_grad(), recorder.recording(), recording_blocks(model, names, run):
        output = module(batch.double())
    weights = [kept[f"{name}.attn"].weights for name in names]
    score = output.gather(1, classes[:, None]).sum()
    gradients = dict(zip(names, torch.autograd.grad(score, weights), strict=True))
    for name in names:
        run.blocks[name].attention = kept[f"{name}.attn"]
    return tibav(model, run, gradients, classes, first)


@pytest.mark.parametrize("line", [SMALL_VIT, "sample:vit"])
@pytest.mark.parametrize("first", [1, 3])
def test_against_automatic_differentiation(line: str, first: int):
    model = load_model(line)
    if line == SMALL_VIT:
        enliven(model)
    batch = images(model, 4)
    classes = torch.tensor([0, 2, 1, 2])
    reference = copy.deepcopy(model.module).double()
    found = in_double(model, batch, classes, first)
    for image in range(4):
        row, sums = tibav_of_one(reference, batch[image].double(), int(classes[image]), first - 1)
        ours = found.rows[image].double()
        torch.testing.assert_close(ours, row.detach(), rtol=2e-4, atol=1e-7)
        assert np.corrcoef(ours[1:], row[1:].detach())[0, 1] > 0.999999
        np.testing.assert_allclose(
            found.conserved[:, image], sums[: len(found.conserved)][::-1], rtol=1e-5
        )


def test_explain_gives_it_too(vit):
    batch = images(vit)
    maps = explain(vit, batch, ["tibav", "tibav(first=2)"], [1, 5, 3])
    assert torch.equal(maps["tibav"].classes, torch.tensor([1, 5, 3]))
    reference = copy.deepcopy(vit.module).double()
    for label, first in (("tibav", 0), ("tibav(first=2)", 1)):
        for image, class_index in enumerate((1, 5, 3)):
            row, _ = tibav_of_one(reference, batch[image].double(), class_index, first)
            ours = maps[label].values[image].flatten()
            assert np.corrcoef(ours, row[1:].detach())[0, 1] > 0.9999


def test_relevance_is_conserved(vit):
    """It starts at 1 for each image; every rule keeps its sum."""
    for seed in range(3):
        found = in_double(vit, images(vit, 5, seed), torch.tensor([0, 1, 2, 3, 6]))
        vit.module.float()
        assert found.conserved.shape == (4, 5)
        torch.testing.assert_close(
            found.conserved, torch.ones_like(found.conserved), rtol=0, atol=1e-5
        )


def test_each_rule_conserves():
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    # Of 40 products one at least is positive; an output without any would lose its relevance.
    linear = torch.nn.Linear(40, 5).double().requires_grad_(False)
    relevance = random(2, 3, 5)
    inward = linear_rule(random(2, 3, 40), linear, relevance)
    torch.testing.assert_close(inward.sum(-1), relevance.sum(-1), rtol=1e-6, atol=1e-6)
    relevance = random(2, 4, 3, 5)
    first, second = product_rule(random(2, 4, 3, 7), random(2, 4, 7, 5), relevance)
    half = relevance.sum((1, 2, 3)) / 2
    torch.testing.assert_close(first.sum((1, 2, 3)), half, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(second.sum((1, 2, 3)), half, rtol=1e-5, atol=1e-6)
    relevance = random(2, 3, 5)
    kept, added = residual_rule(random(2, 3, 5), random(2, 3, 5), relevance)
    torch.testing.assert_close(
        (kept + added).sum((1, 2)), relevance.sum((1, 2)), rtol=1e-6, atol=1e-6
    )


def test_linear_rule_entry_by_entry():
    generator = torch.Generator().manual_seed(1)
    linear = torch.nn.Linear(4, 3).requires_grad_(False)
    x, relevance = torch.randn(1, 1, 4, generator=generator), torch.tensor([[[1.0, -2.0, 0.5]]])
    expected = np.zeros(4)
    for out in range(3):
        products = [float(x[0, 0, i] * linear.weight[out, i]) for i in range(4)]
        total = sum(p for p in products if p > 0)
        for i, product in enumerate(products):
            if product > 0:
                expected[i] += product / total * float(relevance[0, 0, out])
    np.testing.assert_allclose(linear_rule(x, linear, relevance)[0, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("line", [SMALL_VIT, SMALL_DEIT, "sample:vit"])
def test_batched_is_one_by_one(line: str):
    model = load_model(line)
    if not line.startswith("sample"):
        enliven(model)
    batch = images(model, 5)
    methods = ["tibav", "gradient-rollout"]
    together = explain(model, batch, methods)
    for chunk in (1, 2):
        apart = explain(model, batch, methods, chunk=chunk)
        for method in methods:
            torch.testing.assert_close(
                together[method].values, apart[method].values, rtol=5e-3, atol=1e-6
            )
            assert torch.equal(together[method].classes, apart[method].classes)


def test_gradient_rollout_written_out(vit):
    batch = images(vit, 2)
    classes = [4, 0]
    maps = explain(vit, batch, ["gradient-rollout"], classes)["gradient-rollout"].values
    module = copy.deepcopy(vit.module).double()
    for image, class_index in enumerate(classes):
        x = module._pos_embed(module.patch_embed(batch[image : image + 1].double()))
        weights = []
        for block in module.blocks:
            attention = block.attn
            qkv = attention.qkv(block.norm1(x)).reshape(1, 17, 3, attention.num_heads, -1)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            a = (q @ k.transpose(-2, -1) * attention.scale).softmax(-1)
            a = a if a.requires_grad else a.requires_grad_(True)
            weights.append(a)
            x = x + attention.proj((a @ v).transpose(1, 2).reshape(1, 17, -1))
            x = x + block.mlp(block.norm2(x))
        score = module.head(module.norm(x)[:, 0])[0, class_index]
        gradients = torch.autograd.grad(score, weights)
        relevance = torch.eye(17, dtype=torch.float64)
        for a, gradient in zip(weights, gradients, strict=True):
            mean = (a * gradient).clamp(min=0).mean(1)[0].detach()
            relevance = relevance + mean @ relevance
        expected = relevance[0, 1:].reshape(4, 4)
        torch.testing.assert_close(maps[image].double(), expected, rtol=1e-3, atol=1e-6)


def test_classes_matter(vit):
    batch = images(vit, 2)
    first = explain(vit, batch, ["tibav", "gradient-rollout"], [0, 0])
    other = explain(vit, batch, ["tibav", "gradient-rollout"], [1, 1])
    for method in first:
        assert not torch.allclose(first[method].values, other[method].values, rtol=1e-2)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("init_values=0.1", "LayerScale"),
        ("qk_norm=true", "normalised queries"),
        ("global_pool=avg", "reads the patches"),
        ("class_token=false&global_pool=avg", "no class token"),
        ("num_classes=0", "no classifier head"),
    ],
)
def test_blocks_without_a_rule_are_refused(options: str, word: str):
    model = load_model(f"{SMALL_VIT.replace('&num_classes=7', '')}&{options}")
    reason = reason_against(model, MethodSettings("tibav"))
    assert word in reason
    with pytest.raises(AuditError, match="TIBAV cannot explain this model"):
        explain(model, images(model), ["tibav"])
    followed = reason_against(model, MethodSettings("gradient-rollout"))
    assert (followed == "") == (word in ("LayerScale", "normalised queries"))
    if not followed:
        assert explain(model, images(model), ["gradient-rollout"])["gradient-rollout"].values.std()
