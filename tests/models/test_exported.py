"""Networks exported by torch.export, against the networks themselves; and files that mean harm."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from analysis.errors import AuditError
from analysis.models.checkpoints import file_sha256
from analysis.models.exported import module_names
from analysis.models.layers import PENULTIMATE, default_layers, find_layers
from analysis.models.loading import load_model
from analysis.models.taps import LayerTaps
from tests.models.exported_files import images, pyramid, save


def truth(network: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        found = network(images)
    merged, tokens = found["rest"]
    return {
        "outputs.deep": found["deep"], "outputs.p_3": found["p.3"],
        "outputs.rest_0": merged, "outputs.rest_1": tokens,
    }  # fmt: skip


@pytest.mark.parametrize("optimize", [True, False])
def test_outputs_are_the_layers(exported_file: Path, optimize: bool):
    model = load_model(f"export:{exported_file}", optimize=optimize)
    layers = find_layers(model)
    assert [layer.name for layer in layers] == [
        "outputs.p_3", "outputs.deep", "outputs.rest_0", "outputs.rest_1", PENULTIMATE,
    ]  # fmt: skip
    assert [layer.depth for layer in layers] == [0, 0.25, 0.5, 0.75, 1]
    assert layers[0].shape == (8, 16, 16)
    assert layers[0].kind == "stage"
    assert default_layers(layers)[0] == "outputs.p_3"
    assert model.weights_sha256 == file_sha256(exported_file)
    assert model.num_classes == 0
    assert "exported" in model.report.note
    batch = images(5)
    expected = truth(pyramid(), batch)
    with LayerTaps(model, [layer.name for layer in layers[:3]], "map") as taps:
        found = taps.forward(batch)
    for name, values in found.features.items():
        torch.testing.assert_close(values, expected[name], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        found.output, expected["outputs.rest_1"].mean(1), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("decompose", [False, True])
def test_a_fixed_number_of_images(tmp_path: Path, decompose: bool):
    """The file takes two at once; five are given."""
    model = load_model(f"export:{save(pyramid(), tmp_path / 'two.pt2', decompose=decompose)}")
    batch = images(5)
    with LayerTaps(model, ["outputs.deep", "outputs.rest_0"], "map") as taps:
        found = taps.forward(batch).features
    for name, values in found.items():
        torch.testing.assert_close(values, truth(pyramid(), batch)[name], rtol=1e-4, atol=1e-5)


def test_any_size(tmp_path: Path):
    n, height, width = (torch.export.Dim(name, max=4096) for name in "nhw")
    path = save(
        pyramid(), tmp_path / "any.pt2", dynamic_shapes=({0: n, 2: 4 * height, 3: 4 * width},)
    )
    assert load_model(f"export:{path}").preprocessing.height == 640
    model = load_model(f"export:{path}?input=24,40&mean=0.5,0.5,0.5")
    assert (model.preprocessing.height, model.preprocessing.width) == (24, 40)
    batch = images(3, 24, 40)
    with LayerTaps(model, ["outputs.rest_0"], "map") as taps:
        found = taps.forward(batch).features["outputs.rest_0"]
    torch.testing.assert_close(
        found, truth(pyramid(), batch)["outputs.rest_0"], rtol=1e-4, atol=1e-5
    )


def test_exported_in_training_mode_is_run_in_evaluation(tmp_path: Path):
    model = load_model(f"export:{save(pyramid().train(), tmp_path / 'train.pt2')}")
    batch = images(2)
    with LayerTaps(model, ["outputs.deep"], "map") as taps:
        found = taps.forward(batch).features["outputs.deep"]
        again = taps.forward(batch).features["outputs.deep"]
    torch.testing.assert_close(found, truth(pyramid(), batch)["outputs.deep"], rtol=1e-4, atol=1e-5)
    assert torch.equal(found, again)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext", "test_efficientnet"])
def test_real_architectures(tmp_path: Path, name: str):
    import timm

    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=0).eval()
    side = network.pretrained_cfg["input_size"][-1]
    model = load_model(f"export:{save(network, tmp_path / 'timm.pt2', side=side)}")
    batch = images(3, side, side)
    with torch.no_grad():
        torch.testing.assert_close(model.run(batch), network(batch), rtol=1e-3, atol=1e-4)


def test_values_inside_as_layers(exported_file: Path):
    model = load_model(f"export:{exported_file}?outputs=conv2d_1,conv2d")
    assert [layer.name for layer in find_layers(model)] == [
        "outputs.conv2d", "outputs.conv2d_1", PENULTIMATE,
    ]  # fmt: skip
    batch = images(2)
    with LayerTaps(model, ["outputs.conv2d"], "map") as taps:
        found = taps.forward(batch).features["outputs.conv2d"]
    with torch.no_grad():
        torch.testing.assert_close(found, pyramid().stem[0](batch), rtol=1e-4, atol=1e-5)
    with pytest.raises(AuditError, match="has no output “nothing”") as caught:
        load_model(f"export:{exported_file}?outputs=nothing")
    assert "deep" in caught.value.hint


def test_gradients_flow_through(exported_file: Path):
    model = load_model(f"export:{exported_file}", optimize=False)
    batch = images(2).requires_grad_(True)
    ours = torch.autograd.grad(model.module(batch).square().sum(), batch)[0]
    original = pyramid()(batch)["rest"][1].mean(1)
    theirs = torch.autograd.grad(original.square().sum(), batch)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


@given(st.lists(st.text("ab./# 0é", min_size=1, max_size=4), min_size=1, max_size=8))
def test_names_of_layers_are_their_own(names: list[str]):
    found = module_names(tuple(names))
    assert len(set(found)) == len(names)
    holder = nn.ModuleDict({name: nn.Identity() for name in found})
    assert list(holder) == list(found)
    assert not any(sign in name for name in found for sign in "./#")
