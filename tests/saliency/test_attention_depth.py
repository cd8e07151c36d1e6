"""The class token's attention in every layer and head."""

from __future__ import annotations

import pytest
import torch

from analysis.errors import AuditError
from analysis.models.loading import LoadedModel, load_model
from analysis.saliency.attention import find_attentions
from analysis.saliency.attention_depth import attention_depth
from analysis.saliency.explanation import explain
from tests.saliency.small_models import SMALL_DEIT, SMALL_SWIN, SMALL_VIT, enliven, images
from tests.saliency.test_attention import written_out


def test_every_layer_and_head(vit):
    batch = images(vit)
    found = attention_depth(vit, batch)
    assert found.layers == tuple(f"blocks.{k}.attn" for k in range(4))
    assert found.values.shape == (3, 4, 3, 4, 4)
    assert found.values.dtype == torch.float32
    rows = torch.stack([layer["weights"][:, :, 0] for layer in written_out(vit, batch)], 1)
    expected = rows[..., 1:].reshape(3, 4, 3, 4, 4)
    torch.testing.assert_close(found.values, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("line", [SMALL_VIT, SMALL_DEIT, "sample:vit"])
def test_they_are_the_raw_maps(line: str):
    model = load_model(line)
    batch = images(model)
    found = attention_depth(model, batch, chunk=2)
    for layer in range(len(found.layers)):
        labels = [f"attention(layer={layer + 1},head={head + 1})" for head in range(2)]
        maps = explain(model, batch, labels)
        for head, label in enumerate(labels):
            torch.testing.assert_close(found.values[:, layer, head], maps[label].values)
            assert found.layers[layer] == maps[label].layer


def test_one_forward_and_nothing_left(vit):
    batch = images(vit, 5)
    attention_depth(vit, batch[:1])
    calls: list[int] = []
    handle = vit.module.register_forward_hook(lambda *_: calls.append(1))
    whole = attention_depth(vit, batch).values
    assert len(calls) == 1
    apart = attention_depth(vit, batch, chunk=2).values
    assert len(calls) == 4
    handle.remove()
    torch.testing.assert_close(whole, apart, rtol=1e-4, atol=1e-6)
    assert not whole.requires_grad
    assert not any(part._forward_hooks for part in vit.module.modules())


def test_memory_is_of_the_rows_alone(vit):
    """Rows of the class token, not views of a layer's whole attention."""
    found = attention_depth(vit, images(vit))
    assert found.values.untyped_storage().nbytes() == found.values.numel() * 4
    head = explain(vit, images(vit), ["attention(head=1)"])["attention(head=1)"].values
    assert head.untyped_storage().nbytes() == head.numel() * 4


def test_only_layers_like_the_last():
    """Pooling transformers have fewer patches and more heads the deeper they are."""
    model = load_model("timm:pit_ti_224?pretrained=false")
    layers = find_attentions(model).layers
    found = attention_depth(model, images(model, 1))
    last = layers[-1]
    like = [one for one in layers if (one.heads, one.grid) == (last.heads, last.grid)]
    assert found.layers == tuple(one.name for one in like)
    assert 0 < len(found.layers) < len(layers)
    assert found.values.shape == (1, len(found.layers), last.heads, *last.grid)


def test_class_attention_of_xcit():
    line = "timm:xcit_nano_12_p16_224?pretrained=false&img_size=64&input=64&depth=2&num_classes=3"
    model = enliven(load_model(line))
    found = attention_depth(model, images(model))
    assert len(found.layers) == 2
    assert found.values.shape == (3, 2, 4, 4, 4)


def small(options: str) -> LoadedModel:
    return load_model(f"{SMALL_VIT}&{options}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sample:pink-sensitive", "no attention"),
        (f"{SMALL_VIT}&class_token=false&global_pool=avg", "no class token"),
        (SMALL_SWIN, "no class token"),
        ("torchvision:swin_t?pretrained=false&input=64", "within windows"),
    ],
)
def test_models_without_it_are_refused(line: str, words: str):
    model = load_model(line)
    with pytest.raises(AuditError, match=words) as caught:
        attention_depth(model, images(model, 1))
    assert caught.value.hint


def test_bad_images(vit):
    with pytest.raises(AuditError, match="batch"):
        attention_depth(vit, torch.zeros(3, 64, 64))
    with pytest.raises(AuditError, match="50 × 50"):
        attention_depth(vit, torch.zeros(1, 3, 50, 50))


def test_other_sizes_and_headless():
    model = enliven(small("dynamic_img_size=true"))
    batch = torch.nn.functional.interpolate(images(model), size=(96, 80))
    assert attention_depth(model, batch).values.shape == (3, 4, 3, 6, 5)
    headless = load_model(SMALL_VIT.replace("num_classes=7", "num_classes=0"))
    assert attention_depth(headless, images(headless)).values.shape == (3, 4, 3, 4, 4)
