"""Networks saved by `torch.export.save`, read and run without anything of the file being executed.

`torch.export.load` unpickles parts of the file and evaluates expressions written in it, so a file
could run code. Here the archive is read as what it is: a list of operations as JSON, and weights
as plain bytes. Each operation must be one of a list of tensor functions that touch no file and no
process; they are called one after another. Whatever else a file holds is not looked at, or is a
reason to refuse it.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.exported_operations import (
    DTYPES,
    MEMORY_FORMATS,
    NUMBER_FUNCTIONS,
    SKIPPED,
    TENSOR_FUNCTIONS,
)
from analysis.models.exported_weights import read_weights

_HINT = (
    "Export the network in evaluation mode with torch.export.export(…), then .run_decompositions(),"
    " and save it with torch.export.save; or export it to ONNX."
)
_LARGEST_GRAPH = 256 << 20  # bytes of JSON
_TENSOR_TARGET = re.compile(r"torch\.ops\.aten\.([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)")


@dataclass(frozen=True)
class Reference:
    """A value computed earlier, by name."""

    name: str


@dataclass(frozen=True)
class Step:
    """One call: `outputs` names what comes out, None for what nobody asks for."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    outputs: tuple[Any, ...]
    named: bool


@dataclass(frozen=True)
class ExportedGraph:
    """A network's operations.

    `image`: the name of its one input; `shape` its sizes (n, 3, height, width), None where any
    size is taken; `tensors` the weights by the names that the steps use; `outputs` the values
    given back, by their own names.
    """

    image: str
    shape: tuple[int | None, ...]
    dtype: torch.dtype
    tensors: dict[str, torch.Tensor]
    steps: tuple[Step, ...]
    outputs: dict[str, str]


def read_exported(path: Path) -> ExportedGraph:
    """Read a `.pt2` file.

    :raises AuditError: it is missing, damaged, of an old form, uses an operation that is not on
        the list, or does not take one batch of colour images.
    """
    if not path.is_file():
        raise AuditError(f"There is no exported network {path.name}.", f"Looked for {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path.name)
    except AuditError:
        raise
    # JSON of another shape than that of an export, or a damaged archive, fails in many ways.
    except (zipfile.BadZipFile, OSError, EOFError, LookupError, TypeError, ValueError,
            AttributeError, RuntimeError, MemoryError) as error:  # fmt: skip
        raise AuditError(
            f"{path.name} is damaged or is not a network saved by torch.export.", _HINT
        ) from error


class GraphNetwork(nn.Module):
    """Runs an exported graph. The weights are buffers, so that they move between devices."""

    def __init__(self, graph: ExportedGraph, outputs: Sequence[str]) -> None:
        """:param outputs: names of values, of the graph's outputs or of any step. `names` has
        them in the order in which they are computed.

        :raises AuditError: there is no such value.
        """
        super().__init__()
        self._graph = graph
        computed = [name for step in graph.steps for name in _flat(step.outputs)]
        known = [*graph.tensors, graph.image, *computed]
        places = {name: place for place, name in enumerate(known)}
        own = {name: graph.outputs.get(name, name) for name in outputs}
        for name in own:
            if own[name] not in places:
                raise AuditError(
                    f"The exported network has no output “{name}”.",
                    f"It has {', '.join(graph.outputs)}.",
                )
        self.names = tuple(sorted(own, key=lambda name: places[own[name]]))
        self._wanted = [own[name] for name in self.names]
        self._places = {name: f"weight_{place}" for place, name in enumerate(graph.tensors)}
        for name, place in self._places.items():
            self.register_buffer(place, graph.tensors[name])
        self._last_use = _last_uses(graph.steps, self._wanted)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The outputs asked for, of images (n, 3, height, width)."""
        values: dict[str, Any] = {name: self.get_buffer(p) for name, p in self._places.items()}
        # Copied: the network may begin with an operation in place.
        values[self._graph.image] = images.to(self._graph.dtype, copy=True)
        for number, step in enumerate(self._graph.steps):
            arguments = {
                name: _resolve(value, values, images.device)
                for name, value in step.arguments.items()
            }
            result = step.function(**arguments) if step.named else step.function(
                *arguments.values())  # fmt: skip
            _keep(step.outputs, result, values)
            for name in self._last_use.get(number, ()):
                del values[name]
        return [values[name] for name in self._wanted]


_DEVICE = object()  # stands for the images' device


def _read(archive: zipfile.ZipFile, source: str) -> ExportedGraph:
    entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
    if "models/model.json" not in entries:
        raise AuditError(
            f"{source} is not a network saved by torch.export, or was saved by an old version.",
            _HINT,
        )
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise AuditError(f"{source} is compressed, which torch.export never does.", _HINT)
    if entries["models/model.json"].file_size > _LARGEST_GRAPH:
        raise AuditError(f"{source} describes more operations than can be read.", _HINT)
    content = json.loads(archive.read(entries["models/model.json"]))
    module = content["graph_module"]
    graph = module["graph"]
    weights = read_weights(archive, entries, source)
    image, tensors, constants = _inputs(module["signature"]["input_specs"], weights, source)
    shape, dtype = _image_form(graph["tensor_values"][image], source)
    return ExportedGraph(
        image,
        shape,
        dtype,
        tensors,
        tuple(
            step for node in graph["nodes"]
            if (step := _step(node, constants, source)) is not None
        ),
        _outputs(module, source),
    )  # fmt: skip


def _inputs(
    specifications: Sequence[Mapping[str, Any]], weights: Mapping[str, torch.Tensor], source: str
) -> tuple[str, dict[str, torch.Tensor], dict[str, Any]]:
    """The image's name, the tensors and the plain values that the graph is given, by name."""
    images, tensors, constants = [], {}, {}
    for specification in specifications:
        ((kind, content),) = specification.items()
        if kind == "user_input" and "as_tensor" in content["arg"]:
            images.append(content["arg"]["as_tensor"]["name"])
        elif kind == "user_input" and "as_none" in content["arg"]:
            continue
        elif kind in ("parameter", "buffer", "tensor_constant"):
            name = content[f"{kind}_name"]
            if name not in weights:
                raise AuditError(f"{source} lacks the weights “{name}”.", "Export it again.")
            tensors[content["arg"]["name"]] = weights[name]
        elif kind == "constant_input":
            ((_, value),) = content["value"].items()
            constants[content["name"]] = None if "as_none" in content["value"] else value
        else:
            raise AuditError(f"{source} asks for an input that is no image ({kind}).", _HINT)
    if len(images) != 1:
        raise AuditError(
            f"{source} takes {len(images)} inputs.", "Export a network that takes images alone."
        )
    return images[0], tensors, constants


def _image_form(meta: Mapping[str, Any], source: str) -> tuple[tuple[int | None, ...], torch.dtype]:
    shape = tuple(size.get("as_int") for size in meta["sizes"])
    dtype = DTYPES.get(meta["dtype"])
    if len(shape) != 4 or shape[1] not in (3, None):
        raise AuditError(
            f"{source} takes {' × '.join(str(size or 'any') for size in shape)}, not images"
            " (n × 3 × height × width).",
            _HINT,
        )
    if dtype is None or not dtype.is_floating_point:
        raise AuditError(f"{source} does not take images as floating-point numbers.", _HINT)
    return shape, dtype


def _step(node: Mapping[str, Any], constants: Mapping[str, Any], source: str) -> Step | None:
    target = node["target"]
    arguments = {}
    found = _TENSOR_TARGET.fullmatch(target)
    if found is not None and found[1] in SKIPPED:
        return None
    function = _tensor_function(*found.groups()) if found else NUMBER_FUNCTIONS.get(target)
    if function is None:
        raise AuditError(
            f"{source} uses the operation {str(target)[:80]}, which is not on the list of those"
            " that may be run.",
            _HINT,
        )
    for place, entry in enumerate(node["inputs"]):
        value = _argument(entry["arg"], constants, source)
        # An export in training mode would take each batch's own statistics, and drop values.
        training = entry["name"] in ("training", "train") and found is not None
        arguments[entry["name"] if found else str(place)] = False if training else value
    outputs = tuple(_output_names(output, source) for output in node["outputs"])
    return Step(function, arguments, outputs, named=found is not None)


def _tensor_function(name: str, overload: str) -> Callable[..., Any] | None:
    plain = name[:-1] if name.endswith("_") and not name.endswith("__") else name
    if plain not in TENSOR_FUNCTIONS:
        return None
    # A view cannot be made of every memory order; where it can, reshaping makes one.
    if name in ("view", "_unsafe_view") and overload == "default":
        return lambda self, size: self.reshape(size)
    packet = getattr(torch.ops.aten, name, None)
    return getattr(packet, overload) if packet and overload in packet.overloads() else None


def _argument(argument: Mapping[str, Any], constants: Mapping[str, Any], source: str) -> Any:
    """A value of the file as what the operation takes: numbers, names of earlier values, lists."""
    ((kind, value),) = argument.items()
    if kind == "as_none":
        return None
    if kind == "as_tensor":
        return _named(value["name"], constants)
    if kind in ("as_tensors", "as_optional_tensors"):
        return [_maybe_tensor(entry, constants) for entry in value]
    if kind == "as_optional_tensor":
        return _maybe_tensor(value, constants)
    if kind in ("as_int", "as_float", "as_bool", "as_string", "as_ints", "as_floats", "as_bools"):
        return value
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return _symbol(value, constants)
    if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
        return [_symbol(entry, constants) for entry in value]
    if kind == "as_scalar_type" and value in DTYPES:
        return DTYPES[value]
    if kind == "as_memory_format" and value in MEMORY_FORMATS:
        return MEMORY_FORMATS[value]
    if kind == "as_layout" and value == 7:
        return torch.strided
    if kind == "as_device":
        return _DEVICE
    raise AuditError(f"{source} uses a kind of value that cannot be read ({kind}).", _HINT)


def _named(name: str, constants: Mapping[str, Any]) -> Any:
    return constants[name] if name in constants else Reference(str(name))


def _maybe_tensor(entry: Mapping[str, Any], constants: Mapping[str, Any]) -> Any:
    if "as_none" in entry:
        return None
    return _named(entry.get("as_tensor", entry)["name"], constants)


def _symbol(entry: Mapping[str, Any], constants: Mapping[str, Any]) -> Any:
    ((kind, value),) = entry.items()
    return _named(value, constants) if kind == "as_name" else value


def _output_names(output: Mapping[str, Any], source: str) -> Any:
    ((kind, value),) = output.items()
    if kind == "as_none":
        return None
    if kind == "as_tensor":
        return str(value["name"])
    if kind == "as_tensors":
        return tuple(str(entry["name"]) for entry in value)
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool") and "as_name" in value:
        return str(value["as_name"])
    raise AuditError(f"{source} computes a kind of value that cannot be kept ({kind}).", _HINT)


def _outputs(module: Mapping[str, Any], source: str) -> dict[str, str]:
    """The network's outputs by their own names: keys of a dictionary, places in a tuple."""
    found = [
        specification["user_output"]["arg"]
        for specification in module["signature"]["output_specs"]
        if "user_output" in specification
    ]
    names = _spelled(module, len(found))
    outputs = {
        name: str(argument["as_tensor"]["name"])
        for name, argument in zip(names, found, strict=True)
        if "as_tensor" in argument
    }
    if not outputs:
        raise AuditError(f"{source} gives no tensors.", _HINT)
    return outputs


def _spelled(module: Mapping[str, Any], count: int) -> list[str]:
    numbers = [str(place) for place in range(count)]
    try:
        signature = next(
            entry["signature"] for entry in module["module_call_graph"] if not entry["fqn"]
        )
        names = _leaves(json.loads(signature["out_spec"])[1])
    except (StopIteration, KeyError, IndexError, TypeError, ValueError):
        return numbers
    return names if len(set(names)) == len(names) == count else numbers


def _leaves(specification: Mapping[str, Any], name: str = "") -> list[str]:
    children = specification["children_spec"]
    if specification["type"] is None:
        return [name or "output"]
    keys = [str(place) for place in range(len(children))]
    if specification["type"] in ("builtins.dict", "collections.OrderedDict"):
        keys = [str(key) for key in json.loads(specification["context"])]
    return [
        leaf
        for key, child in zip(keys, children, strict=True)
        for leaf in _leaves(child, f"{name}_{key}" if name else key)
    ]


def _resolve(value: Any, values: Mapping[str, Any], device: torch.device) -> Any:
    if isinstance(value, Reference):
        return values[value.name]
    if isinstance(value, list):
        return [_resolve(entry, values, device) for entry in value]
    return device if value is _DEVICE else value


def _keep(names: Any, result: Any, values: dict[str, Any]) -> None:
    if len(names) == 1:
        names = names[0]
    if isinstance(names, str):
        values[names] = result
    elif names:
        for name, part in zip(names, result, strict=True):
            if isinstance(name, tuple):
                values |= zip(name, part, strict=True)
            elif name is not None:
                values[name] = part


def _flat(names: Any) -> list[str]:
    """All names in a nest of tuples."""
    if isinstance(names, str):
        return [names]
    return [name for part in names or () for name in _flat(part)]


def _references(value: Any) -> list[str]:
    if isinstance(value, Reference):
        return [value.name]
    return [n for entry in value for n in _references(entry)] if isinstance(value, list) else []


def _last_uses(steps: Sequence[Step], wanted: Sequence[str]) -> dict[int, list[str]]:
    """The names that are not read after a step, so that memory does not grow with the network."""
    last: dict[str, int] = {}
    for number, step in enumerate(steps):
        for name in [*_flat(step.outputs), *_references(list(step.arguments.values()))]:
            last[name] = number
    found: dict[int, list[str]] = {}
    for name, number in last.items():
        if name not in wanted:
            found.setdefault(number, []).append(name)
    return found
