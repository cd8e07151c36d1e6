"""ONNX networks through onnxruntime, the optional extra `onnx`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from analysis.errors import AuditError

_INSTALL = "Install it: pip install “parallax-audit[onnx]”."
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
_OWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


class OnnxNetwork(nn.Module):
    """Runs an ONNX file on the CPU, whatever device the images are on; without gradients.

    `shape`: (n, 3, height, width) of its input, None where any size is taken. `names`: of the
    outputs, in the order in which the network computes them.
    """

    def __init__(self, path: Path, outputs: Sequence[str] = ()) -> None:
        """:param outputs: names of any values inside the network, in place of its own outputs.

        :raises AuditError: onnxruntime is not installed; the file is missing, damaged, keeps
            weights in other files, or does not take one batch of colour images; or there is no
            such output.
        """
        super().__init__()
        if not path.is_file():
            raise AuditError(f"There is no exported network {path.name}.", f"Looked for {path}.")
        content, self.names = _checked(path, outputs)
        session = _session(content, path.name)
        inputs = session.get_inputs()
        if len(inputs) != 1:
            raise AuditError(
                f"{path.name} takes {len(inputs)} inputs.",
                "Export a network that takes images alone.",
            )
        shape = tuple(
            size if isinstance(size, int) and size > 0 else None for size in inputs[0].shape
        )
        if len(shape) != 4 or shape[1] not in (3, None) or inputs[0].type not in _DTYPES:
            raise AuditError(
                f"{path.name} takes {inputs[0].type} {inputs[0].shape}, not images"
                " (n × 3 × height × width, floating point).",
                "Export it with images as n × 3 × height × width.",
            )
        self.shape: tuple[int | None, ...] = shape
        self._input, self._dtype = inputs[0].name, _DTYPES[inputs[0].type]
        self._session = session

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The outputs of images (n, 3, height, width), on the images' device."""
        array = np.ascontiguousarray(images.detach().cpu().numpy(), dtype=self._dtype)
        try:
            results = self._session.run(list(self.names), {self._input: array})
        except Exception as error:  # onnxruntime's own kinds, by version
            raise RuntimeError(str(error).splitlines()[0]) from error
        return [torch.from_numpy(np.array(result)).to(images.device) for result in results]


def _checked(path: Path, outputs: Sequence[str]) -> tuple[bytes, tuple[str, ...]]:
    """The file's bytes with the outputs asked for, and their names in the order of computation."""
    try:
        import onnx
    except ImportError as error:
        raise AuditError("ONNX networks need the package onnx.", _INSTALL) from error
    content = path.read_bytes()
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's own kinds, by version
        raise AuditError(
            f"{path.name} is damaged or is not an ONNX file.", "Export it again."
        ) from error
    if not model.graph.node:
        raise AuditError(f"{path.name} is damaged or is not an ONNX file.", "Export it again.")
    for node in _nodes(model):
        if node.domain not in _OWN_DOMAINS:
            raise AuditError(
                f"{path.name} uses the operation {node.domain}.{node.op_type}, which is not part"
                " of ONNX.",
                "Export it with ONNX's own operations.",
            )
    if any(_is_external(tensor) for tensor in _tensors(model)):
        raise AuditError(
            f"{path.name} keeps weights in other files, which are not read.",
            "Save it as one file.",
        )
    computed = [name for node in model.graph.node for name in node.output if name]
    wanted = list(outputs) or [value.name for value in model.graph.output]
    missing = [name for name in outputs if name not in computed]
    if missing:
        own = ", ".join(value.name for value in model.graph.output)
        raise AuditError(f"{path.name} has no value “{missing[0]}”.", f"Its outputs: {own}.")
    present = {value.name for value in model.graph.output}
    for name in wanted:
        if name not in present:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    order = {name: place for place, name in enumerate(computed)}
    wanted = sorted(dict.fromkeys(wanted), key=lambda name: order.get(name, -1))
    return model.SerializeToString() if outputs else content, tuple(wanted)


def _session(content: bytes, source: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise AuditError("ONNX networks need the package onnxruntime.", _INSTALL) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own kinds, by version
        raise AuditError(
            f"{source} cannot be run by onnxruntime: {str(error).splitlines()[0][:200]}",
            "Export it again, with an older opset if the file is newer than onnxruntime.",
        ) from error


def _nodes(model: Any) -> Iterator[Any]:
    stack = [*model.graph.node, *(node for part in model.functions for node in part.node)]
    own = {function.domain for function in model.functions}
    while stack:
        node = stack.pop()
        if node.domain not in own:
            yield node
        for attribute in node.attribute:
            for graph in [attribute.g, *attribute.graphs]:
                stack.extend(graph.node)


def _tensors(model: Any) -> Iterator[Any]:
    graphs = [model.graph]
    nodes = [node for part in model.functions for node in part.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            nodes.extend(graph.node)
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            continue
        for attribute in nodes.pop().attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in [attribute.sparse_tensor, *attribute.sparse_tensors]:
                yield from (sparse.values, sparse.indices)
            graphs.extend(graph for graph in [attribute.g, *attribute.graphs] if graph.node)


def _is_external(tensor: Any) -> bool:
    return tensor.data_location == tensor.EXTERNAL or len(tensor.external_data) > 0
