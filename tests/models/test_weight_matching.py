"""Checkpoints as the published self-supervised methods name them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from analysis.errors import AuditError
from analysis.models.loading import LoadedModel, load_model

State = dict[str, torch.Tensor]


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def without(state: State, *starts: str) -> State:
    return {name: tensor for name, tensor in state.items() if not name.startswith(starts)}


def other(state: State) -> State:
    """The second branch: the same names and shapes, other values."""
    return {
        name: tensor + 1 if tensor.is_floating_point() else tensor for name, tensor in state.items()
    }


def check(
    tmp_path: Path, content: object, architecture: str, state: State, head: str
) -> LoadedModel:
    """Load, and see that the backbone's tensors are those of `state` and the head is gone."""
    path = tmp_path / "checkpoint.pth"
    torch.save(content, path)
    model = load_model(f"{architecture}@{path}", optimize=False)
    assert model.num_classes == 0
    assert model.class_names is None
    loaded = model.module.state_dict()
    backbone = without(state, head)
    assert set(loaded) == set(backbone)
    assert all(torch.equal(loaded[name], backbone[name]) for name in backbone)
    assert model.report.missing
    assert all(name.startswith(head) for name in model.report.missing)
    return model


ARCHITECTURES = ["timm:resnet18", "torchvision:resnet18"]


def linear(*sizes: int) -> State:
    return {"weight": torch.randn(*sizes), "bias": torch.randn(sizes[0])}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_moco_v1(tmp_path: Path, resnet_state: State, architecture: str):
    body = without(resnet_state, "fc")
    query = {**body, **prefixed("fc.", linear(128, 512))}
    content = {
        "epoch": 200, "arch": "resnet18",
        "state_dict": {
            **prefixed("module.encoder_q.", query),
            **prefixed("module.encoder_k.", other(query)),
            "module.queue": torch.randn(128, 64), "module.queue_ptr": torch.zeros(1),
        },
        "optimizer": {"state": {0: {"momentum_buffer": torch.randn(3)}}, "param_groups": []},
    }  # fmt: skip
    model = check(tmp_path, content, architecture, resnet_state, "fc")
    assert model.report.prefix == "module.encoder_q."
    assert "module.encoder_q.fc.weight" in model.report.left_out
    assert "module.queue" in model.report.left_out
    assert "module.encoder_k.conv1.weight" in model.report.left_out


def test_moco_v2(tmp_path: Path, resnet_state: State):
    head = {**prefixed("fc.0.", linear(512, 512)), **prefixed("fc.2.", linear(128, 512))}
    query = {**without(resnet_state, "fc"), **head}
    # The key encoder first: the choice may not hang on the order.
    content = {
        "state_dict": {
            **prefixed("module.encoder_k.", other(query)),
            **prefixed("module.encoder_q.", query),
        }
    }
    model = check(tmp_path, content, "timm:resnet18", resnet_state, "fc")
    assert "module.encoder_q.fc.0.weight" in model.report.left_out


def test_moco_v3(tmp_path: Path, transformer_state: State):
    head = {
        **prefixed("head.0.", {"weight": torch.randn(32, 64)}),
        **prefixed("head.1.", {"weight": torch.randn(32), "running_mean": torch.zeros(32)}),
    }
    base = {**without(transformer_state, "head"), **head}
    content = {
        "arch": "vit_small",
        "state_dict": {
            **prefixed("module.momentum_encoder.", other(base)),
            **prefixed("module.base_encoder.", base),
            **prefixed("module.predictor.0.", {"weight": torch.randn(8, 8)}),
        },
    }
    model = check(tmp_path, content, "timm:test_vit", transformer_state, "head")
    assert model.report.prefix == "module.base_encoder."


@pytest.mark.parametrize("mask", ["masked_embed", "mask_token"])
def test_dino_and_ibot(tmp_path: Path, transformer_state: State, mask: str):
    backbone = {**without(transformer_state, "head"), mask: torch.zeros(1, 64)}
    head = {"head.mlp.0.weight": torch.randn(8, 64), "head.last_layer.weight_g": torch.randn(8, 1)}
    teacher = {**prefixed("backbone.", backbone), **head}
    content = {
        "student": prefixed("module.", other(teacher)), "teacher": teacher,
        "args": argparse.Namespace(arch="vit_tiny"), "dino_loss": {"center": torch.zeros(1, 8)},
    }  # fmt: skip
    model = check(tmp_path, content, "timm:test_vit", transformer_state, "head")
    assert "teacher" in model.report.note
    assert f"backbone.{mask}" in model.report.left_out
    assert "head.mlp.0.weight" in model.report.left_out


def test_swav(tmp_path: Path, resnet_state: State):
    content = prefixed("module.", {
        **without(resnet_state, "fc"), "projection_head.0.weight": torch.randn(64, 512),
        "projection_head.1.running_mean": torch.zeros(64), "prototypes.weight": torch.randn(30, 64),
    })  # fmt: skip
    model = check(tmp_path, content, "timm:resnet18", resnet_state, "fc")
    assert "module.prototypes.weight" in model.report.left_out


@pytest.mark.parametrize(
    ("online", "target"),
    [("online_network.", "target_network."), ("online_encoder.net.", "target_encoder.net.")],
)
def test_byol(tmp_path: Path, resnet_state: State, online: str, target: str):
    body = without(resnet_state, "fc")
    content = {
        **prefixed(target, other(body)), **prefixed(online, body),
        "online_predictor.net.0.weight": torch.randn(4, 4),
    }  # fmt: skip
    assert check(tmp_path, content, "timm:resnet18", resnet_state, "fc").report.prefix == online


def test_byol_with_numbered_parts_is_mapped_by_order(tmp_path: Path, resnet_state: State):
    numbers = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
    renamed = {}
    for name, tensor in without(resnet_state, "fc").items():
        first, _, rest = name.partition(".")
        renamed[f"encoder.{numbers[first]}.{rest}"] = tensor
    content = {
        "online_network_state_dict": {**renamed, "projection.net.0.weight": torch.randn(8, 512)}
    }
    model = check(tmp_path, content, "timm:resnet18", resnet_state, "fc")
    assert model.report.renamed == len(without(resnet_state, "fc"))
    assert "order" in model.report.note


@pytest.mark.parametrize("full", [True, False])
def test_barlow_twins(tmp_path: Path, resnet_state: State, full: bool):
    body = without(resnet_state, "fc")
    content: object = body
    if full:
        content = {"epoch": 1, "model": {
            **prefixed("module.backbone.", body), "module.projector.0.weight": torch.randn(4, 512),
            "module.bn.running_mean": torch.zeros(4),
        }}  # fmt: skip
    check(tmp_path, content, "timm:resnet18", resnet_state, "fc")


def test_mae(tmp_path: Path, transformer_state: State):
    content = {
        "model": {
            **without(transformer_state, "head"), "mask_token": torch.zeros(1, 1, 32),
            "decoder_pos_embed": torch.zeros(1, 101, 32),
            "decoder_embed.weight": torch.randn(32, 64),
            "decoder_blocks.0.attn.qkv.weight": torch.randn(96, 32),
        },
        "args": argparse.Namespace(model="mae_vit"), "scaler": {"scale": 65536.0},
    }  # fmt: skip
    model = check(tmp_path, content, "timm:test_vit", transformer_state, "head")
    assert "decoder_blocks.0.attn.qkv.weight" in model.report.left_out


def test_supervised_weights_keep_their_head(tmp_path: Path, resnet_state: State):
    path = tmp_path / "w.safetensors"
    save_file({name: t.half() if t.is_floating_point() else t for name, t in resnet_state.items()},
              path)  # fmt: skip
    for architecture in ARCHITECTURES:
        model = load_model(f"{architecture}@{path}", optimize=False)
        assert model.num_classes == 1000
        assert len(set(model.class_names or ())) == 1000
        assert model.report.left_out == model.report.missing == ()
        weight = model.module.state_dict()["fc.weight"]
        assert weight.dtype == torch.float32
        assert torch.equal(weight, resnet_state["fc.weight"].half().float())


def test_another_architecture_is_refused(tmp_path: Path, resnet_state: State):
    path = tmp_path / "resnet18.pth"
    torch.save(resnet_state, path)
    with pytest.raises(AuditError) as caught:
        load_model(f"timm:resnet34@{path}")
    assert "122 of 218 tensors match" in caught.value.summary
    assert "layer1.2.conv1.weight is not there" in caught.value.summary


def test_a_larger_network_than_asked_for_is_refused(tmp_path: Path, resnet_state: State):
    path = tmp_path / "larger.pth"
    torch.save({**resnet_state, "layer4.2.conv1.weight": torch.randn(512, 512, 3, 3)}, path)
    with pytest.raises(AuditError, match=r"layer4\.2\.conv1\.weight has no place"):
        load_model(f"timm:resnet18@{path}")


def test_other_classes_are_told_and_can_be_asked_for(tmp_path: Path, resnet_state: State):
    path = tmp_path / "seven.pth"
    torch.save({**resnet_state, **prefixed("fc.", linear(7, 512))}, path)
    with pytest.raises(AuditError) as caught:
        load_model(f"timm:resnet18@{path}")
    assert "num_classes=7" in caught.value.hint
    assert load_model(f"timm:resnet18?num_classes=7@{path}", optimize=False).num_classes == 7
    headless = load_model(f"timm:resnet18?num_classes=0@{path}", optimize=False)
    assert headless.num_classes == 0
    assert set(headless.report.left_out) == {"fc.weight", "fc.bias"}


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, resnet_state: State):
    path = tmp_path / "nan.pth"
    torch.save({**resnet_state, "fc.bias": torch.full((1000,), torch.nan)}, path)
    with pytest.raises(AuditError, match="not all finite"):
        load_model(f"timm:resnet18@{path}")


def test_order_needs_equal_roles(tmp_path: Path, resnet_state: State):
    """Swapped weight and bias of a normalisation have the same shapes; the names give them away."""
    swap = {"weight": "bias", "bias": "weight"}
    names = [
        f"x{index}.{swap.get(name.rpartition('.')[2], name.rpartition('.')[2])}"
        for index, name in enumerate(resnet_state)
    ]
    path = tmp_path / "swapped.pth"
    torch.save(dict(zip(names, resnet_state.values(), strict=True)), path)
    with pytest.raises(AuditError, match="does not fit"):
        load_model(f"timm:resnet18@{path}")


def test_a_headless_squeezenet_gives_pooled_features(scrambled: Callable[..., LoadedModel]):
    model = load_model("torchvision:squeezenet1_1?pretrained=false&num_classes=0", optimize=False)
    assert model.run(torch.randn(2, 3, 224, 224)).shape == (2, 512)
