"""Files of exported networks that mean harm or are damaged, and the lines that name files."""

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
from torch import nn

from analysis.errors import AuditError
from analysis.models.exported_operations import NUMBER_FUNCTIONS, TENSOR_FUNCTIONS
from analysis.models.layers import PENULTIMATE, find_layers
from analysis.models.loading import load_model
from analysis.models.specification import parse_specification
from tests.models.exported_files import rewritten, save, save_fixed, with_graph


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def test_pickles_are_not_opened(exported_file: Path, tmp_path: Path):
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
        path = rewritten(exported_file, tmp_path / f"{change.__name__}.pt2", change)
        with pytest.raises(AuditError, match="was not opened"):
            load_model(f"export:{path}")
    assert not ran.exists()

    def example_inputs(name: str, content: bytes) -> bytes:
        return buffer.getvalue() if name == "data/sample_inputs/model.pt" else content

    load_model(f"export:{rewritten(exported_file, tmp_path / 'inputs.pt2', example_inputs)}")
    assert not ran.exists()  # nobody looks at them


def test_expressions_are_not_evaluated(exported_file: Path, tmp_path: Path):
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

    load_model(f"export:{with_graph(exported_file, tmp_path / 'poison.pt2', poison)}")
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
def test_operations_that_are_not_on_the_list(exported_file: Path, tmp_path: Path, target: str):
    def change(content: dict) -> None:
        content["graph_module"]["graph"]["nodes"][3]["target"] = target

    with pytest.raises(AuditError, match="not on the list"):
        load_model(f"export:{with_graph(exported_file, tmp_path / 'x.pt2', change)}")


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
def test_a_graph_that_makes_no_sense(
    exported_file: Path, tmp_path: Path, change: Callable[[dict], None]
):
    with pytest.raises(AuditError) as caught:
        load_model(f"export:{with_graph(exported_file, tmp_path / 'x.pt2', change)}")
    assert caught.value.hint


def test_damaged_files(exported_file: Path, tmp_path: Path):
    whole = exported_file.read_bytes()
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


def test_archives_that_would_grow(exported_file: Path, tmp_path: Path):
    path = tmp_path / "compressed.pt2"
    with (
        zipfile.ZipFile(exported_file) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
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
        load_model(f"export:{rewritten(exported_file, tmp_path / 'stretched.pt2', stretch)}")


def test_weights_that_are_not_finite(exported_file: Path, tmp_path: Path):
    def spoil(name: str, content: bytes) -> bytes:
        if name != "data/weights/weight_1":
            return content
        return np.full(len(content) // 4, np.nan, np.float32).tobytes()

    with pytest.raises(AuditError, match="not all finite"):
        load_model(f"export:{rewritten(exported_file, tmp_path / 'nan.pt2', spoil)}")


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


# -- specification lines
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


def test_unknown_options(exported_file: Path):
    with pytest.raises(AuditError, match="no option “num_classes”"):
        load_model(f"export:{exported_file}?num_classes=3")
    with pytest.raises(AuditError, match="cannot be run on images of 32"):
        load_model(f"export:{save_fixed(exported_file.parent)}?outputs=view")
    with pytest.raises(AuditError, match="pixel value"):
        load_model(f"export:{exported_file}?fill=300")
