"""Backbones that a user exported to a file: `export:FILE.pt2` and `onnx:FILE.onnx`.

The outputs of the file are the layers, in the order in which they are computed, so that a network
of any origin can be audited without its own code. Options beside those of the preprocessing:

- `outputs=NAME,…`: values inside the network to be its layers in place of its own outputs;
- `letterbox=true`: where the file takes oblong images, the frame is a square in their middle and
  the rest is filled with `fill` (a pixel value, 114 unless told), and maps are cut back to the
  square before anyone sees them. Without it the frame is pressed into the oblong shape, over the
  whole of which the maps then lie.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.exported_graph import GraphNetwork, read_exported
from analysis.models.onnx_session import OnnxNetwork
from analysis.models.placement import Letterbox, NamedOutput
from analysis.models.preprocessing import (
    PREPROCESSING_OPTIONS,
    Preprocessing,
    override_preprocessing,
)
from analysis.models.specification import ModelSpecification

_USUAL_SIDE = 640
_USUAL_FILL = 114
_OPTIONS = {*PREPROCESSING_OPTIONS, "outputs", "letterbox", "fill"}


class ExportedNetwork(nn.Module):
    """A network from a file, its outputs passing through `outputs.NAME`, where they are tapped.

    The output is a vector for each image: the last output, averaged over its places.
    """

    def __init__(
        self,
        network: GraphNetwork | OnnxNetwork,
        names: tuple[str, ...],
        batch: int | None,
        letterbox: Letterbox | None = None,
        padding: torch.Tensor | None = None,
    ) -> None:
        """:param names: of the network's outputs. :param batch: images the file takes at once,
        None for any number. :param padding: (3,) what the letterbox is filled with.
        """
        super().__init__()
        self.network, self._names, self._batch = network, names, batch
        self._letterbox = letterbox
        self.register_buffer("_padding", padding, persistent=False)
        self.outputs = nn.ModuleDict({name: NamedOutput() for name in module_names(names)})

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (n, channels) of model inputs (n, 3, height, width)."""
        if self._letterbox is not None:
            images = self._letterbox.pad(images, self.get_buffer("_padding"))
        values = self.run(images)
        found = []
        for output, name in zip(self.outputs.values(), self._names, strict=True):
            value = values[name]
            if self._letterbox is not None and value.ndim == 4:
                value = self._letterbox.take_off(value)
            found.append(output(value))
        last = found[-1]
        return last.mean((2, 3)) if last.ndim == 4 else last.mean(1) if last.ndim == 3 else last

    def run(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every output, float32, of model inputs as the file takes them."""
        if self._batch is None:
            return self._named(self.network(images))
        chunks = []
        for chunk in images.split(self._batch):
            count = len(chunk)
            if count < self._batch:  # the file takes so many images and no fewer
                chunk = torch.cat([chunk, chunk[-1:].expand(self._batch - count, -1, -1, -1)])
            chunks.append([value[:count] for value in self.network(chunk)])
        return self._named([torch.cat(parts) for parts in zip(*chunks, strict=True)])

    def _named(self, values: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: value.float() for name, value in zip(self._names, values, strict=True)}


def build_exported(
    specification: ModelSpecification,
) -> tuple[ExportedNetwork, Preprocessing, str]:
    """The network of a file, what it takes, and a note for the reader.

    :raises AuditError: the file is missing, unsafe, damaged, or gives nothing that can be a layer;
        onnxruntime is not installed; or an option is unknown.
    """
    options = dict(specification.options)
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise AuditError(
            f"An exported network has no option “{unknown[0]}”.",
            f"Options: {', '.join(sorted(_OPTIONS))}.",
        )
    network, names, shape = _open(specification, _as_names(options.get("outputs")))
    letterbox = _letterbox(shape, options)
    preprocessing = _preprocessing(shape, letterbox, options)
    padding = _padding(preprocessing, options)
    names, left_out = _usable(network, names, shape, preprocessing, specification)
    if left_out:
        network, names, _ = _open(specification, names)
    module = ExportedNetwork(network, names, shape[0], letterbox, padding).eval()
    return module, preprocessing, _note(shape, options, left_out)


def module_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of outputs as parts of a layer's name: without dots and slashes, and each its own."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[./#\s]+", "_", name).strip("_") or "output"
        number = 2
        own = plain
        while own in found or hasattr(nn.ModuleDict, own):
            own = f"{plain}_{number}"
            number += 1
        found.append(own)
    return tuple(found)


def _open(
    specification: ModelSpecification, wanted: tuple[str, ...]
) -> tuple[GraphNetwork | OnnxNetwork, tuple[str, ...], tuple[int | None, ...]]:
    path = specification.weights_path
    assert path is not None
    if specification.library == "onnx":
        session = OnnxNetwork(path, wanted)
        return session, session.names, session.shape
    graph = read_exported(path)
    network = GraphNetwork(graph, wanted or tuple(graph.outputs))
    return network, network.names, graph.shape


def _as_names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(name) for name in (value if isinstance(value, tuple) else (value,)))


def _letterbox(shape: tuple[int | None, ...], options: dict[str, Any]) -> Letterbox | None:
    wanted = options.get("letterbox", False)
    if not isinstance(wanted, bool):
        raise AuditError("The option “letterbox” is either true or false.", "")
    _, _, height, width = shape
    if not wanted or height is None or width is None or height == width:
        return None
    return Letterbox.around_square(height, width)


def _preprocessing(
    shape: tuple[int | None, ...], letterbox: Letterbox | None, options: dict[str, Any]
) -> Preprocessing:
    _, _, height, width = shape
    if letterbox is not None:
        height, width = letterbox.side_height, letterbox.side_width
    height, width = height or width or _USUAL_SIDE, width or height or _USUAL_SIDE
    base = Preprocessing(
        height=height,
        width=width,
        resize=min(height, width),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        fit="squash" if letterbox is None else "crop",
    )
    return override_preprocessing(base, options)


def _padding(preprocessing: Preprocessing, options: dict[str, Any]) -> torch.Tensor:
    fill = options.get("fill", _USUAL_FILL)
    if isinstance(fill, bool) or not isinstance(fill, int | float) or not 0 <= fill <= 255:
        raise AuditError("The option “fill” is a pixel value.", "Write fill=114, from 0 to 255.")
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    return (fill / preprocessing.scale - mean) / std


def _usable(
    network: GraphNetwork | OnnxNetwork,
    names: tuple[str, ...],
    shape: tuple[int | None, ...],
    preprocessing: Preprocessing,
    specification: ModelSpecification,
) -> tuple[tuple[str, ...], list[str]]:
    """The outputs that are features of each image, by running the network once; and the others."""
    batch = shape[0] or 2
    height, width = shape[2] or preprocessing.height, shape[3] or preprocessing.width
    try:
        with torch.no_grad():
            values = network(torch.zeros(batch, 3, height, width))
    # Operations from a file fail as they like: sizes, types, memory.
    except Exception as error:
        raise AuditError(
            f"{specification.architecture} cannot be run on images of {height} × {width} pixels:"
            f" {(str(error).splitlines() or [''])[0][:200]}",
            "Set its input size (?input=…), or export it again.",
        ) from error
    fits = [
        isinstance(value, torch.Tensor)
        and value.is_floating_point()
        and 2 <= value.ndim <= 4
        and value.shape[0] == batch
        and value.numel() > 0
        for value in values
    ]
    usable = tuple(name for name, fit in zip(names, fits, strict=True) if fit)
    if not usable:
        raise AuditError(
            f"{specification.architecture} gives nothing that can be a layer.",
            "Export a backbone whose outputs are maps (n × channels × rows × columns).",
        )
    return usable, [name for name, fit in zip(names, fits, strict=True) if not fit]


def _note(shape: tuple[int | None, ...], options: dict[str, Any], left_out: list[str]) -> str:
    notes = ["An exported network: its outputs are its layers."]
    if "mean" not in options and "std" not in options:
        notes.append("Pixels go in as 0 to 1 (mean and std say otherwise).")
    if None in shape[2:] and "input" not in options:
        notes.append(f"It takes any size; {_USUAL_SIDE} pixels were chosen.")
    if left_out:
        notes.append(f"Left out, being no features of an image: {', '.join(left_out)}.")
    return " ".join(notes)
