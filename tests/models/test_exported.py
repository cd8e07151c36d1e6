"""Networks exported by torch.export, against the networks themselves; and files that mean harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from analysis.errors import AuditError
from analysis.models.checkpoints import file_sha256
from analysis.models.exported import module_names
from analysis.models.exported_operations import NUMBER_FUNCTIONS, TENSOR_FUNCTIONS
from analysis.models.layers import PENULTIMATE, default_layers, find_layers
from analysis.models.loading import load_model
from analysis.models.placement import Letterbox, cell_region
from analysis.models.specification import parse_specification
from analysis.models.taps import LayerTaps


class Pyramid(nn.Module):
    """Two levels, as a detector's backbone gives them, with what exports contain."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.SiLU(True))
        self.deep = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(True))
        self.register_buffer("scale", torch.tensor([1.5, -0.5]), persistent=False)

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        fine = self.stem(x)
        deep = self.deep(fine)
        grown = nn.functional.interpolate(deep, size=fine.shape[2:], mode="nearest")
        left, right = torch.cat([grown, fine], 1).chunk(2, 1)
        merged = (left * right)[:, ::2] * self.scale[0] + torch.tensor(0.25)
        tokens = merged.view(merged.shape[0], merged.shape[1], -1).transpose(1, 2)
        return {"deep": deep, "p.3": fine, "rest": (merged, tokens.softmax(-1))}


def pyramid() -> Pyramid:
    torch.manual_seed(3)
    network = Pyramid().eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return network


def save(network: nn.Module, path: Path, batch: int = 2, side: int = 32, **options: Any) -> Path:
    decompose = options.pop("decompose", False)
    program = torch.export.export(network, (torch.randn(batch, 3, side, side),), **options)
    torch.export.save(program.run_decompositions() if decompose else program, path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pyramid for any number of images."""
    dynamic = ({0: torch.export.Dim("n")},)
    return save(pyramid(), tmp_path_factory.mktemp("pt2") / "small.pt2", dynamic_shapes=dynamic)


def truth(network: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        found = network(images)
    merged, tokens = found["rest"]
    return {
        "outputs.deep": found["deep"], "outputs.p_3": found["p.3"],
        "outputs.rest_0": merged, "outputs.rest_1": tokens,
    }  # fmt: skip


def images(count: int, height: int = 32, width: int = 32) -> torch.Tensor:
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(count))


@pytest.mark.parametrize("optimize", [True, False])
def test_outputs_are_the_layers(file: Path, optimize: bool):
    model = load_model(f"export:{file}", optimize=optimize)
    layers = find_layers(model)
    assert [layer.name for layer in layers] == [
        "outputs.p_3", "outputs.deep", "outputs.rest_0", "outputs.rest_1", PENULTIMATE,
    ]  # fmt: skip
    assert [layer.depth for layer in layers] == [0, 0.25, 0.5, 0.75, 1]
    assert layers[0].shape == (8, 16, 16)
    assert layers[0].kind == "stage"
    assert default_layers(layers)[0] == "outputs.p_3"
    assert model.weights_sha256 == file_sha256(file)
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


def test_values_inside_as_layers(file: Path):
    model = load_model(f"export:{file}?outputs=conv2d_1,conv2d")
    assert [layer.name for layer in find_layers(model)] == [
        "outputs.conv2d", "outputs.conv2d_1", PENULTIMATE,
    ]  # fmt: skip
    batch = images(2)
    with LayerTaps(model, ["outputs.conv2d"], "map") as taps:
        found = taps.forward(batch).features["outputs.conv2d"]
    with torch.no_grad():
        torch.testing.assert_close(found, pyramid().stem[0](batch), rtol=1e-4, atol=1e-5)
    with pytest.raises(AuditError, match="has no output “nothing”") as caught:
        load_model(f"export:{file}?outputs=nothing")
    assert "deep" in caught.value.hint


def test_gradients_flow_through(file: Path):
    model = load_model(f"export:{file}", optimize=False)
    batch = images(2).requires_grad_(True)
    ours = torch.autograd.grad(model.module(batch).square().sum(), batch)[0]
    original = pyramid()(batch)["rest"][1].mean(1)
    theirs = torch.autograd.grad(original.square().sum(), batch)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


# Files that are not what they should be.


def rewritten(file: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with members changed, or left out where `change` gives None."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name.partition("/")[2], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def with_graph(file: Path, target: Path, change: Callable[[dict], None]) -> Path:
    def edit(name: str, content: bytes) -> bytes:
        if name != "models/model.json":
            return content
        graph = json.loads(content)
        change(graph)
        return json.dumps(graph).encode()

    return rewritten(file, target, edit)


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def test_pickles_are_not_opened(file: Path, tmp_path: Path):
    """`torch.export.load` would run each of these."""
    ran = tmp_path / "ran"
    buffer = io.BytesIO()
    torch.save(Hostile(ran), buffer)

    def pickled_weight(name: str, content: bytes) -> bytes:
        if name == "data/weights/weight_0":
            return buffer.getvalue()
        if name == "data/weights/model_weights_config.json":
            description = json.loads(content)
            next(iter(description["config"].values()))["use_pickle"] = True
            return json.dumps(description).encode()
        return content

    def opaque_constant(name: str, content: bytes) -> bytes:
        if name == "data/constants/tensor_0":
            return pickle.dumps(Hostile(ran))
        if name == "data/constants/model_constants_config.json":
            description = json.loads(content)
            next(iter(description["config"].values()))["path_name"] = "opaque_obj_0"
            return json.dumps(description).encode()
        return content

    for change in (pickled_weight, opaque_constant):
        path = rewritten(file, tmp_path / f"{change.__name__}.pt2", change)
        with pytest.raises(AuditError, match="was not opened"):
            load_model(f"export:{path}")
    assert not ran.exists()

    def example_inputs(name: str, content: bytes) -> bytes:
        return buffer.getvalue() if name == "data/sample_inputs/model.pt" else content

    load_model(f"export:{rewritten(file, tmp_path / 'inputs.pt2', example_inputs)}")
    assert not ran.exists()  # nobody looks at them


def test_expressions_are_not_evaluated(file: Path, tmp_path: Path):
    ran = tmp_path / "ran"

    def poison(content: dict) -> None:
        code = f"__import__('os').mkdir({str(ran)!r})"
        graph = content["graph_module"]["graph"]
        for value in graph["sym_int_values"].values():
            value["as_expr"]["expr_str"] = code
        graph["tensor_values"]["x"]["sizes"][0]["as_expr"]["expr_str"] = code
        content["guards_code"] = [code]
        for node in graph["nodes"]:
            node["metadata"] = {"nn_module_stack": code, "source_fn_stack": code, "torch_fn": code}

    load_model(f"export:{with_graph(file, tmp_path / 'poison.pt2', poison)}")
    assert not ran.exists()


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.from_file.default", "torch.ops.aten.as_strided.default",
        "torch.ops.aten.set_.source_Storage", "torch.ops.aten.rand.default", "torch.hub.load",
        "torch.ops.aten.relu.nonsense", "torch.ops.load_library", "torch.load", "os.system",
        "torch.ops.higher_order.cond", "_operator.setitem", "_operator.attrgetter",
        "builtins.eval", "torch.ops.aten.relu.__class__", "torch.ops.prim.Print.default",
    ],
)  # fmt: skip
def test_operations_that_are_not_on_the_list(file: Path, tmp_path: Path, target: str):
    def change(content: dict) -> None:
        content["graph_module"]["graph"]["nodes"][3]["target"] = target

    with pytest.raises(AuditError, match="not on the list"):
        load_model(f"export:{with_graph(file, tmp_path / 'x.pt2', change)}")


def test_the_list_itself():
    missing = [name for name in TENSOR_FUNCTIONS if not hasattr(torch.ops.aten, name)]
    assert not missing
    assert not any(
        word in name for name in TENSOR_FUNCTIONS for word in
        ("file", "load", "save", "stride_", "storage", "rand", "bernoulli", "set_", "resize")
    )  # fmt: skip
    assert not any("attr" in name or "call" in name or "set" in name for name in NUMBER_FUNCTIONS)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["graph_module"]["signature"]["input_specs"].pop(0),
        lambda c: c["graph_module"]["graph"]["nodes"].pop(0),
        lambda c: c["graph_module"]["graph"]["nodes"][0]["inputs"].append({"name": 3}),
        lambda c: c["graph_module"]["graph"]["nodes"][1]["inputs"].clear(),
        lambda c: c["graph_module"].pop("graph"),
        lambda c: c["graph_module"]["graph"].update(nodes=[[]]),
        lambda c: c["graph_module"]["signature"]["output_specs"].clear(),
        lambda c: c.clear(),
        lambda c: c["graph_module"]["graph"]["tensor_values"]["x"]["sizes"].pop(),
        lambda c: c["graph_module"]["graph"]["tensor_values"]["x"].update(dtype=5),
        lambda c: c["graph_module"]["signature"]["input_specs"].append(
            {"user_input": {"arg": {"as_tensor": {"name": "y"}}}}
        ),
        lambda c: c["graph_module"]["signature"]["input_specs"].append(
            {"custom_obj": {"arg": {"name": "o", "class_fqn": "os.system"}}}
        ),
    ],
)
def test_a_graph_that_makes_no_sense(file: Path, tmp_path: Path, change: Callable[[dict], None]):
    with pytest.raises(AuditError) as caught:
        load_model(f"export:{with_graph(file, tmp_path / 'x.pt2', change)}")
    assert caught.value.hint


def test_damaged_files(file: Path, tmp_path: Path):
    whole = file.read_bytes()
    path = tmp_path / "damaged.pt2"
    for part in (b"", b"PK", whole[: len(whole) // 2], whole[:-30], b"x" * 500):
        path.write_bytes(part)
        with pytest.raises(AuditError):
            load_model(f"export:{path}")
    flipped = bytearray(whole)
    flipped[whole.index(b"graph_module") + 2] ^= 255
    path.write_bytes(flipped)
    with pytest.raises(AuditError, match="damaged"):
        load_model(f"export:{path}")
    with pytest.raises(AuditError, match="There is no exported network"):
        load_model(f"export:{tmp_path / 'none.pt2'}")
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(AuditError, match="not a network saved by torch"):
        load_model(f"export:{path}")


def test_archives_that_would_grow(file: Path, tmp_path: Path):
    path = tmp_path / "compressed.pt2"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(AuditError, match="compressed"):
        load_model(f"export:{path}")

    def stretch(name: str, content: bytes) -> bytes:
        if name != "data/weights/model_weights_config.json":
            return content
        description = json.loads(content)
        meta = next(iter(description["config"].values()))["tensor_meta"]
        meta["sizes"] = [{"as_int": 1 << 20}] * 2
        meta["strides"] = [{"as_int": 0}] * 2
        return json.dumps(description).encode()

    with pytest.raises(AuditError, match="larger than its bytes"):
        load_model(f"export:{rewritten(file, tmp_path / 'stretched.pt2', stretch)}")


def test_weights_that_are_not_finite(file: Path, tmp_path: Path):
    def spoil(name: str, content: bytes) -> bytes:
        if name != "data/weights/weight_1":
            return content
        return np.full(len(content) // 4, np.nan, np.float32).tobytes()

    with pytest.raises(AuditError, match="not all finite"):
        load_model(f"export:{rewritten(file, tmp_path / 'nan.pt2', spoil)}")


def test_outputs_that_are_no_features(tmp_path: Path):
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> Any:
            found = self.convolution(x)
            return found.argmax(1), found, found.sum(), found[:, None, :, :, :, None]

    model = load_model(f"export:{save(Odd().eval(), tmp_path / 'odd.pt2')}")
    assert [layer.name for layer in find_layers(model)] == ["outputs.1", PENULTIMATE]
    assert "Left out" in model.report.note
    with pytest.raises(AuditError, match="nothing that can be a layer"):
        load_model(f"export:{tmp_path / 'odd.pt2'}?outputs=argmax")


# Specification lines.


@pytest.mark.parametrize(
    ("line", "library", "name", "weights"),
    [
        ("export:/m/yolo.pt2", "export", "yolo", "/m/yolo.pt2"),
        ("onnx:C:\\m@home\\my net.v2.onnx", "onnx", "my net.v2", "C:\\m@home\\my net.v2.onnx"),
        ("export:a.pt2?input=640&outputs=a,b", "export", "a", "a.pt2"),
        ("onnx:/m/q?.x/y.ONNX", "onnx", "y", "/m/q?.x/y.ONNX"),
    ],
)
def test_lines(line: str, library: str, name: str, weights: str):
    read = parse_specification(line)
    assert (read.library, read.architecture, read.weights) == (library, name, weights)
    assert read.text == line
    assert parse_specification(read.text) == read


@pytest.mark.parametrize(
    "line",
    ["export:", "export:a.onnx", "onnx:a.pt2", "export:a.pt2@w.pth", "onnx:a.onnx?input",
     "export:a.pt2?pretrained=false", "export:.pt2"],
)  # fmt: skip
def test_lines_refused(line: str):
    with pytest.raises(AuditError) as caught:
        parse_specification(line)
    assert caught.value.hint


def test_unknown_options(file: Path):
    with pytest.raises(AuditError, match="no option “num_classes”"):
        load_model(f"export:{file}?num_classes=3")
    with pytest.raises(AuditError, match="cannot be run on images of 32"):
        load_model(f"export:{save_fixed(file.parent)}?outputs=view")
    with pytest.raises(AuditError, match="pixel value"):
        load_model(f"export:{file}?fill=300")


def save_fixed(folder: Path) -> Path:
    """A network whose own check of its sizes fails when it is run."""
    return with_graph(folder / "small.pt2", folder / "wrong.pt2", _wrong_size)


def _wrong_size(content: dict) -> None:
    for node in content["graph_module"]["graph"]["nodes"]:
        if node["target"] == "torch.ops.aten.view.default":
            node["inputs"][1]["arg"]["as_sym_ints"][1] = {"as_int": 7}


@given(st.lists(st.text("ab./# 0é", min_size=1, max_size=4), min_size=1, max_size=8))
def test_names_of_layers_are_their_own(names: list[str]):
    found = module_names(tuple(names))
    assert len(set(found)) == len(names)
    holder = nn.ModuleDict({name: nn.Identity() for name in found})
    assert list(holder) == list(found)
    assert not any(sign in name for name in found for sign in "./#")


# The letterbox.


def test_a_cell_is_a_part_of_the_frame():
    assert cell_region(1, 2, (4, 8)) == (0.25, 0.25, 0.5, 0.375)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (48, 32), (32, 32), (30, 50)])
def test_padding_comes_off_again(height: int, width: int):
    box = Letterbox.around_square(height, width)
    side = min(height, width)
    frames = torch.rand(2, 3, side, side)
    canvas = box.pad(frames, torch.tensor([0.1, 0.2, 0.3]))
    assert canvas.shape == (2, 3, height, width)
    assert torch.equal(box.take_off(canvas), frames)
    outside = canvas.clone()
    outside[:, :, box.top : box.top + side, box.left : box.left + side] = float("nan")
    rest = outside[:, 0][~outside[:, 0].isnan()]
    assert len(rest) == 2 * (height * width - side * side)
    assert bool((rest == 0.1).all())


@given(st.integers(1, 9), st.integers(33, 64))
def test_between_cells_a_ramp_stays_a_ramp(columns: int, width: int):
    """Values that rise evenly over the canvas rise evenly over the frame: exact sampling."""
    box = Letterbox.around_square(32, width)
    centres = (torch.arange(columns) + 0.5) / columns * width  # in pixels of the canvas
    found = box.take_off(centres.view(1, 1, 1, columns).expand(1, 1, 2, columns).contiguous())
    count = found.shape[-1]
    assert count == max(1, -(-columns * 32 // width))
    expected = box.left + (np.arange(count) + 0.5) / count * 32
    expected = np.interp(expected, centres.numpy(), centres.numpy())
    np.testing.assert_allclose(found[0, 0, 0].numpy(), expected, rtol=1e-4, atol=1e-3)


def test_maps_of_an_oblong_network_lie_over_the_square(tmp_path: Path):
    """A spot on the frame is where it was on the map, with and without a letterbox."""

    class Brightness(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AvgPool2d(4)
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.pool(x) * self.weight

    path = tmp_path / "oblong.pt2"
    program = torch.export.export(Brightness(), (torch.zeros(1, 3, 32, 64),))
    torch.export.save(program, path)
    boxed = load_model(f"export:{path}?letterbox=true&mean=0.5,0.5,0.5")
    assert (boxed.preprocessing.height, boxed.preprocessing.width) == (32, 32)
    frame = torch.zeros(1, 3, 32, 32)
    frame[:, :, 4:8, 20:24] = 1
    with LayerTaps(boxed, ["outputs.output"], "map") as taps:
        found = taps.forward(frame).features["outputs.output"]
    assert torch.equal(found, nn.functional.avg_pool2d(frame, 4))
    torch.testing.assert_close(
        boxed.module._padding, torch.full((3,), 114 / 255 - 0.5), rtol=0, atol=1e-6
    )
    pressed = load_model(f"export:{path}")
    assert (pressed.preprocessing.height, pressed.preprocessing.width) == (32, 64)
    assert pressed.preprocessing.fit == "squash"
