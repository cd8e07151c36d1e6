"""Recorded attention against attention written out, and the model left as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.loading import LoadedModel, load_model
from analysis.saliency.applicability import reason_against
from analysis.saliency.attention import AttentionRecorder, Recorded, find_attentions
from analysis.saliency.attention_maps import fuse_heads, rollout
from analysis.saliency.explanation import explain
from analysis.saliency.maps import min_max
from analysis.saliency.methods import METHODS, MethodSettings
from tests.saliency.small_models import SMALL_DEIT, as_loaded, enliven, images


def written_out(model: LoadedModel, batch: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    """Each block's attention of a plain timm transformer, from its modules."""
    module = model.module
    found = []
    with torch.no_grad():
        x = module._pos_embed(module.patch_embed(batch))
        for block in module.blocks:
            attention = block.attn
            n, count, width = x.shape
            qkv = attention.qkv(block.norm1(x))
            q, k, v = qkv.split(width, -1)
            shape = (n, count, attention.num_heads, width // attention.num_heads)
            q, k, v = (part.reshape(shape).transpose(1, 2) for part in (q, k, v))
            logits = torch.einsum("nhid,nhjd->nhij", q, k) / shape[-1] ** 0.5
            found.append({"logits": logits, "weights": logits.softmax(-1), "keys": k})
            x = block(x)
    return found


def record(model: LoadedModel, batch: torch.Tensor) -> tuple[dict[str, Recorded], torch.Tensor]:
    kept: dict[str, Recorded] = {}
    names = [layer.name for layer in find_attentions(model).layers]
    with AttentionRecorder(model.module, names, kept.__setitem__).recording(), torch.no_grad():
        output = model.module(batch)
    return kept, output


def grid(tokens: torch.Tensor, side: int = 4) -> torch.Tensor:
    return tokens[:, 1:].reshape(len(tokens), side, side)


def test_recorded_is_what_is_written_out(vit):
    batch = images(vit)
    kept, output = record(vit, batch)
    with torch.no_grad():
        torch.testing.assert_close(output, vit.module(batch), rtol=1e-4, atol=1e-5)
    for recorded, expected in zip(kept.values(), written_out(vit, batch), strict=True):
        torch.testing.assert_close(recorded.weights, expected["weights"], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(
            recorded.class_logits, expected["logits"][:, :, 0], rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(recorded.key, expected["keys"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fused", [True, False])
def test_fused_or_not_gives_the_same_and_is_restored(vit, fused: bool):
    for block in vit.module.blocks:
        block.attn.fused_attn = fused
    batch = images(vit)
    maps = explain(vit, batch, ["attention", "raw-star", "keys-norm", "rollout", "tibav"])
    assert {block.attn.fused_attn for block in vit.module.blocks} == {fused}
    expected = written_out(vit, batch)[-1]
    torch.testing.assert_close(
        maps["attention"].values, grid(expected["weights"][:, :, 0].mean(1)), rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(
        maps["raw-star"].values, grid(expected["logits"][:, :, 0].mean(1)), rtol=1e-4, atol=1e-5
    )


def hooks(model: LoadedModel) -> int:
    return sum(
        len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.module.modules()
    )


def test_nothing_is_left_behind(vit):
    batch = images(vit)
    vit.module.blocks[0].attn.fused_attn = False
    before = vit.run(batch)
    fast_path = torch.backends.mha.get_fastpath_enabled()
    explain(vit, batch, ["gradcam", "tibav", "rollout", "attention"])
    with pytest.raises(AuditError, match="50 × 50"):
        explain(vit, batch[:, :, :50, :50], ["tibav"])
    with pytest.raises(AuditError, match="50 × 50"):
        explain(vit, batch[:, :, :50, :50], ["gradcam"])
    assert hooks(vit) == 0
    assert [block.attn.fused_attn for block in vit.module.blocks] == [False, True, True, True]
    assert torch.backends.mha.get_fastpath_enabled() == fast_path
    torch.testing.assert_close(vit.run(batch), before, rtol=0, atol=0)
    assert not any(parameter.requires_grad for parameter in vit.module.parameters())


def test_torchs_own_attention():
    """torchvision's transformer: torch says itself what its weights are."""
    from torchvision.models import VisionTransformer

    module = VisionTransformer(64, 16, 2, 2, hidden_dim=32, mlp_dim=64, num_classes=5)
    model = enliven(as_loaded(module, 64, 5))
    batch = images(model)
    expected = []

    def ask(module: nn.MultiheadAttention, inputs: tuple, output: object) -> None:
        with torch.no_grad():
            query = inputs[0]
            expected.append(module.forward(query, query, query, average_attn_weights=False)[1])

    handles = [
        part.register_forward_hook(ask)
        for part in model.module.modules()
        if isinstance(part, nn.MultiheadAttention)
    ]
    model.run(batch)
    for handle in handles:
        handle.remove()
    kept, output = record(model, batch)
    torch.testing.assert_close(output, model.run(batch), rtol=1e-4, atol=1e-5)
    assert len(kept) == 2
    for recorded, weights in zip(kept.values(), expected, strict=True):
        torch.testing.assert_close(recorded.weights, weights, rtol=1e-4, atol=1e-6)
    maps = explain(model, batch, ["gradient-rollout", "gradcam", "rollout"])
    assert all(values.values.std() > 0 for values in maps.values())


def test_rotation_and_positions_are_in_the_weights():
    """Models whose queries are turned or biased: the output only agrees if the weights are right.

    `find_attentions` refuses a model whose output changes, so agreement is what it has checked; a
    wrong rotation would show in the weights' own module, which is run without the fused kernel.
    """
    for line in (
        "timm:eva02_tiny_patch14_224?pretrained=false&img_size=56&input=56&depth=2&num_classes=3",
        "timm:beit_base_patch16_224?pretrained=false&img_size=64&input=64&depth=2&embed_dim=48"
        "&num_heads=3&num_classes=3",
    ):
        model = load_model(line)
        batch = images(model)
        seen: list[torch.Tensor] = []
        kept, _ = record(model, batch)
        for name in kept:
            part = model.module.get_submodule(name)
            part.fused_attn = False
            part.attn_drop.register_forward_hook(
                lambda _, __, output, seen=seen: seen.append(output)
            )
        model.run(batch)
        assert len(seen) == len(kept) == 2
        for recorded, expected in zip(kept.values(), seen, strict=True):
            torch.testing.assert_close(recorded.weights, expected, rtol=1e-4, atol=1e-6)


def test_class_attention_of_xcit():
    """Only XCiT's last blocks attend between places: raw maps there, and no rollout."""
    line = "timm:xcit_nano_12_p16_224?pretrained=false&img_size=64&input=64&depth=2&num_classes=3"
    model = enliven(load_model(line))
    found = find_attentions(model)
    assert [layer.queries for layer in found.layers] == [1, 1]
    batch = images(model)
    part = model.module.get_submodule(found.layers[-1].name)
    given: list[torch.Tensor] = []
    handle = part.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    model.run(batch)
    handle.remove()
    x = given[0]
    with torch.no_grad():
        q, k = part.q(x[:, :1]), part.k(x)
    heads = part.num_heads
    q, k = (t.reshape(len(x), -1, heads, q.shape[-1] // heads).transpose(1, 2) for t in (q, k))
    logits = q @ k.transpose(-2, -1) * part.scale
    maps = explain(model, batch, ["attention", "raw-star", "keys-norm"])
    torch.testing.assert_close(
        maps["attention"].values, grid(logits.softmax(-1)[:, :, 0].mean(1)), rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(
        maps["keys-norm"].values, grid(k.mean(1).norm(dim=-1)), rtol=1e-4, atol=1e-5
    )
    reasons = {name: reason_against(model, MethodSettings(name)) for name in METHODS}
    assert reasons["attention"] == ""
    assert "do not attend to one another" in reasons["rollout"]
    with pytest.raises(AuditError, match="Rollout cannot explain"):
        explain(model, batch, ["rollout"])


def test_one_layer_and_one_head(vit):
    batch = images(vit)
    maps = explain(
        vit,
        batch,
        ["attention(layer=2)", "attention(layer=2,head=3)", "raw-pow(0.3)", "keys-norm(head=1)",
         "raw-keys", "raw-star"],
    )  # fmt: skip
    layers = written_out(vit, batch)
    second, last = layers[1]["weights"][:, :, 0], layers[3]["weights"][:, :, 0]
    expected = {
        "attention(layer=2)": grid(second.mean(1)),
        "attention(layer=2,head=3)": grid(second[:, 2]),
        "raw-pow(power=0.3)": grid((last**0.3).mean(1)),
        "keys-norm(head=1)": grid(layers[3]["keys"][:, 0].square().sum(-1).sqrt()),
    }
    for label, values in expected.items():
        torch.testing.assert_close(maps[label].values, values, rtol=1e-4, atol=1e-6)
    norms = grid(layers[3]["keys"].mean(1).norm(dim=-1))
    product = min_max(maps["raw-star"].values) * min_max(norms)
    torch.testing.assert_close(maps["raw-keys"].values, product, rtol=1e-3, atol=1e-5)
    assert maps["attention(layer=2)"].layer == "blocks.1.attn"


def test_raw_log_is_raw_star(vit):
    """log softmax differs from the logits by the row's constant alone."""
    batch = images(vit)
    star = explain(vit, batch, ["raw-log"])["raw-star"].values
    log = grid(written_out(vit, batch)[-1]["weights"][:, :, 0].log().mean(1))
    torch.testing.assert_close(min_max(star), min_max(log), rtol=1e-3, atol=1e-4)


def matrices(vit: LoadedModel, batch: torch.Tensor) -> list[torch.Tensor]:
    return [layer["weights"].mean(1).double() for layer in written_out(vit, batch)]


def test_rollout_is_the_product_of_matrices(vit):
    batch = images(vit)
    maps = explain(vit, batch, ["rollout", "rollout(2-3)", "rollout(order=thesis)"])
    identity = torch.eye(17, dtype=torch.float64)
    a = [(matrix + identity) / 2 for matrix in matrices(vit, batch)]
    expected = {
        "rollout": a[3] @ a[2] @ a[1] @ a[0],
        "rollout(first=2,last=3)": a[2] @ a[1],
        "rollout(order=thesis)": 16 * a[0] @ a[1] @ a[2] @ a[3],
    }
    for label, product in expected.items():
        torch.testing.assert_close(
            maps[label].values.double(), grid(product[:, 0]), rtol=1e-4, atol=1e-6
        )
    assert maps["rollout(first=2,last=3)"].layer == "blocks.1.attn … blocks.2.attn"


def test_orders_of_rollout_are_different_maps():
    generator = torch.Generator().manual_seed(0)
    layers = [torch.randn(1, 50, 50, generator=generator).mul(2).softmax(-1) for _ in range(12)]
    correct, thesis = rollout(layers, "correct")[0, 1:], rollout(layers, "thesis")[0, 1:]
    assert abs(np.corrcoef(correct, thesis)[0, 1]) < 0.5


def test_normalised_rollout_is_rollout_after_min_max(vit):
    batch = images(vit)
    identity = torch.eye(17, dtype=torch.float64)
    plain = identity.expand(3, 17, 17)
    for matrix in matrices(vit, batch):
        plain = (matrix + identity) @ plain
    ours = explain(vit, batch, ["rollout"])["rollout"].values.double()
    torch.testing.assert_close(min_max(ours), min_max(grid(plain[:, 0])), rtol=1e-4, atol=1e-4)


def test_fusion_and_discarding():
    generator = torch.Generator().manual_seed(3)
    weights = torch.randn(2, 3, 6, 6, generator=generator).softmax(-1)
    assert torch.equal(fuse_heads(weights, "max"), weights.max(1).values)
    assert torch.equal(fuse_heads(weights, "min"), weights.min(1).values)
    kept = fuse_heads(weights, "mean", 0.5)
    for image in range(2):
        expected = weights[image].mean(0).numpy().copy()
        weakest = np.argsort(expected, axis=None)[:18]
        for place in weakest:
            if place % 6:
                expected[place // 6, place % 6] = 0
        np.testing.assert_allclose(kept[image].numpy(), expected, rtol=1e-6)


def test_distilled_transformer():
    model = enliven(load_model(SMALL_DEIT))
    maps = explain(model, images(model), ["attention", "rollout", "tibav", "gradient-rollout"])
    assert all(found.values.shape == (3, 4, 4) for found in maps.values())
    assert all(found.notes == ("", "", "") for found in maps.values())
