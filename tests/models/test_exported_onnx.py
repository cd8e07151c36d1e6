"""Networks in ONNX files, against the same arithmetic in torch; and files that mean harm."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.layers import PENULTIMATE, find_layers
from analysis.models.loading import load_model
from analysis.models.taps import LayerTaps


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_what_is_not_installed_is_said(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if missing == "onnxruntime":
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
        write(tmp_path / "a.onnx")
    else:
        (tmp_path / "a.onnx").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(AuditError, match=f"need the package {missing}") as caught:
        load_model(f"onnx:{tmp_path / 'a.onnx'}")
    assert "parallax-audit[onnx]" in caught.value.hint


def weights() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    first = generator.normal(size=(8, 3, 3, 3)).astype(np.float32)
    return first, generator.normal(size=(16, 8, 3, 3)).astype(np.float32)


def in_torch(batch: torch.Tensor) -> dict[str, torch.Tensor]:
    first, second = (torch.from_numpy(value) for value in weights())
    inner = nn.functional.conv2d(batch, first, stride=2, padding=1)
    fine = inner.relu()
    deep = nn.functional.conv2d(fine, second, stride=2, padding=1).sigmoid()
    return {"inner": inner, "fine": fine, "deep": deep}


def write(path: Path, shape: Any = ("n", 3, "h", "w"), change: Any = None) -> Path:
    """Two convolutions; the outputs stand in the opposite order of their computation."""
    onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    first, second = weights()
    options = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["images", "first"], ["/0/conv.out"], **options),
            helper.make_node("Relu", ["/0/conv.out"], ["/0/act.out"]),
            helper.make_node("Conv", ["/0/act.out", "second"], ["raw"], **options),
            helper.make_node("Sigmoid", ["raw"], ["deep"]),
        ],
        "network",
        [helper.make_tensor_value_info("images", kind, shape)],
        [helper.make_tensor_value_info(name, kind, None) for name in ("deep", "/0/act.out")],
        [
            onnx.numpy_helper.from_array(first, "first"),
            onnx.numpy_helper.from_array(second, "second"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if change is not None:
        change(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def runtime() -> Any:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    return pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


@pytest.mark.parametrize("shape", [("n", 3, "h", "w"), (2, 3, 32, 32), (1, 3, 32, 32)])
def test_outputs_are_the_layers(runtime: Any, tmp_path: Path, shape: Any):
    model = load_model(f"onnx:{write(tmp_path / 'net.onnx', shape)}?input=32")
    assert [layer.name for layer in find_layers(model)] == [
        "outputs.0_act_out", "outputs.deep", PENULTIMATE,
    ]  # fmt: skip
    batch = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = in_torch(batch)
    with LayerTaps(model, ["outputs.0_act_out", "outputs.deep", PENULTIMATE], "map") as taps:
        found = taps.forward(batch).features
    for name, other in (("outputs.0_act_out", "fine"), ("outputs.deep", "deep")):
        torch.testing.assert_close(found[name], expected[other], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        model.run(batch), expected["deep"].mean((2, 3)), rtol=1e-4, atol=1e-4
    )


def test_values_inside_and_a_letterbox(runtime: Any, tmp_path: Path):
    path = write(tmp_path / "net.onnx", (1, 3, 32, 48))
    model = load_model(f"onnx:{path}?outputs=/0/conv.out&letterbox=true&fill=0")
    batch = torch.rand(2, 3, 32, 32)
    canvas = nn.functional.pad(batch, (8, 8, 0, 0))
    with LayerTaps(model, ["outputs.0_conv_out"], "map") as taps:
        found = taps.forward(batch).features["outputs.0_conv_out"]
    torch.testing.assert_close(
        found, in_torch(canvas)["inner"][:, :, :, 4:20], rtol=1e-4, atol=1e-4
    )
    with pytest.raises(AuditError, match="has no value “nothing”"):
        load_model(f"onnx:{path}?outputs=nothing")


def test_weights_in_other_files_are_not_read(runtime: Any, tmp_path: Path):
    (tmp_path / "secret").write_bytes(bytes(8 * 3 * 3 * 3 * 4))

    def outside(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = tensor.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", str(tmp_path / "secret")

    def hidden(model: Any) -> None:
        """In a branch of a condition, where initializers of the graph alone do not show it."""
        import onnx

        outside(model)
        tensor = onnx.TensorProto()
        tensor.CopyFrom(model.graph.initializer[0])
        del model.graph.initializer[0]
        branch = onnx.helper.make_graph(
            [onnx.helper.make_node("Constant", [], ["first"], value=tensor)], "branch", [],
            [onnx.helper.make_tensor_value_info("first", 1, None)],
        )  # fmt: skip
        node = onnx.helper.make_node("If", ["c"], ["first"], then_branch=branch, else_branch=branch)
        model.graph.node.insert(0, node)

    for change in (outside, hidden):
        path = write(tmp_path / "net.onnx", change=change)
        with pytest.raises(AuditError, match="keeps weights in other files"):
            load_model(f"onnx:{path}?input=32")


def test_foreign_operations(runtime: Any, tmp_path: Path):
    def foreign(model: Any) -> None:
        model.graph.node[1].domain = "my.operations"

    with pytest.raises(AuditError, match=r"my\.operations\.Relu"):
        load_model(f"onnx:{write(tmp_path / 'net.onnx', change=foreign)}?input=32")


def test_files_that_make_no_sense(runtime: Any, tmp_path: Path):
    path = write(tmp_path / "net.onnx")
    whole = path.read_bytes()
    for content in (b"", b"x" * 400, whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(AuditError):
            load_model(f"onnx:{path}?input=32")
    with pytest.raises(AuditError, match="There is no exported network"):
        load_model(f"onnx:{tmp_path / 'none.onnx'}")

    def nonsense(model: Any) -> None:
        model.graph.node[1].op_type = "Frobnicate"

    with pytest.raises(AuditError, match="cannot be run by onnxruntime"):
        load_model(f"onnx:{write(path, change=nonsense)}?input=32")
    with pytest.raises(AuditError, match="not images"):
        load_model(f"onnx:{write(path, (1, 32, 32, 3))}")
    with pytest.raises(AuditError, match="cannot be run on images"):
        load_model(f"onnx:{write(path, (1, 3, 32, 'w'), change=_too_small)}?input=32,1")


def _too_small(model: Any) -> None:
    for node in model.graph.node:
        if node.op_type == "Conv":
            del node.attribute[:]
