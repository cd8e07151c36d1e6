"""A model from its specification, ready to be looked into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import nn

from analysis.devices import choose_device
from analysis.errors import AuditError
from analysis.models.checkpoints import file_sha256, read_checkpoint, tensors_sha256
from analysis.models.construction import Network, build_network
from analysis.models.heads import HeadPlan, plan_head
from analysis.models.optimize import (
    PLAIN,
    Folding,
    InferenceOptions,
    prepare_for_inference,
)
from analysis.models.preprocessing import Preprocessing
from analysis.models.probing import Trace, first_tensor, probe, probe_images
from analysis.models.specification import EXPORTED, ModelSpecification, parse_specification
from analysis.models.weight_matching import NetworkNames, match_weights

_UNTRAINED = "Untrained: the weights are random."


@dataclass(frozen=True)
class LoadReport:
    """What became of a weights file.

    `prefix`: what was taken off the names; `missing`: tensors of the network without weights;
    `left_out`: tensors of the file that were not used; `renamed`: how many were mapped by their
    order; `note`: what a reader should know, in one line; `untrained`: the weights are random.
    """

    prefix: str = ""
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    renamed: int = 0
    note: str = ""
    untrained: bool = False

    def to_json(self) -> str:
        """The report as JSON, for the project file."""
        return json.dumps(asdict(self))


@dataclass
class LoadedModel:
    """A model in evaluation mode on its device, prepared for speed.

    `num_classes` 0: headless. `weights_sha256`: of the weights file's bytes, or of the tensors
    where there is no file. `cache` keeps what is found out about the model by running it.
    """

    specification: ModelSpecification
    module: nn.Module
    preprocessing: Preprocessing
    weights_sha256: str
    report: LoadReport
    class_names: tuple[str, ...] | None
    num_classes: int
    name: str | None = None
    options: InferenceOptions = PLAIN
    folding: Folding | None = None
    cache: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        tensors = next(self.module.parameters(), next(self.module.buffers(), None))
        return torch.device("cpu") if tensors is None else tensors.device

    @property
    def trace(self) -> Trace:
        """One forward on random images, taken once."""
        if "trace" not in self.cache:
            self.cache["trace"] = probe(self.module, self.preprocessing)
        return self.cache["trace"]

    @property
    def head_plan(self) -> HeadPlan:
        """Where the classifier head sits."""
        if "head_plan" not in self.cache:
            self.cache["head_plan"] = (
                plan_head(self.trace) if self.num_classes else HeadPlan("none")
            )
        return self.cache["head_plan"]

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """The model's output for inputs (n, 3, height, width): float32, without gradients."""
        if self.options.channels_last and batch.device.type in ("cpu", "cuda"):
            batch = batch.contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), self._precision(batch.device.type):
            output = first_tensor(self._forward(batch))
        assert output is not None
        return output.float()

    def _forward(self, batch: torch.Tensor) -> Any:
        # Hooks of taps are not part of a compiled graph: with taps in place the module itself runs.
        hooked = any(part._forward_hooks or part._forward_pre_hooks
                     for part in self.module.modules())  # fmt: skip
        if not self.options.compile or hooked:
            return self.module(batch)
        if "compiled" not in self.cache:
            self.cache["compiled"] = torch.compile(self.module)
        return self.cache["compiled"](batch)

    def _precision(self, device: str) -> Any:
        if self.options.precision == "float32":
            return nullcontext()
        return torch.autocast(device, dtype=getattr(torch, self.options.precision))


def load_model(
    specification: ModelSpecification | str,
    device: str | torch.device = "cpu",
    optimize: bool | InferenceOptions = True,
) -> LoadedModel:
    """Build a model, put its weights in, and prepare it for fast forwards.

    A detector whose trained weights cannot be reached is loaded untrained: its report says so, and
    its specification has `pretrained=false`.

    :param device: auto, cpu, cuda, mps, or a torch device.
    :param optimize: True for channels last and folded batch normalisation, False for the network
        as its library runs it, or the options themselves.
    :raises AuditError: the architecture is unknown; the weights are missing, unsafe, damaged or of
        another architecture; or the network is offline and the weights are not on this machine.
    """
    if isinstance(specification, str):
        specification = parse_specification(specification)
    place = choose_device(device) if isinstance(device, str) and ":" not in device else device
    options = optimize if isinstance(optimize, InferenceOptions) else (
        InferenceOptions() if optimize else PLAIN)  # fmt: skip
    network = build_network(specification)
    if network.untrained:
        specification = replace(specification, weights=None)
    if specification.library in EXPORTED:
        assert specification.weights_path is not None
        sha256 = file_sha256(specification.weights_path)
        report = LoadReport(note=network.note)
    elif specification.weights_path is None:
        sha256 = network.weights_sha256 or tensors_sha256(network.module.state_dict())
        untrained = specification.weights is None and specification.library != "sample"
        notes = [_UNTRAINED if untrained else "", network.note]
        report = LoadReport(note=" ".join(filter(None, notes)), untrained=untrained)
    else:
        sha256 = file_sha256(specification.weights_path)
        network, report = _load_file(specification, network)
    module = network.module.to(place)
    images = probe_images(module, network.preprocessing)
    try:
        folding = prepare_for_inference(module, images, options)
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        probe(module, network.preprocessing)  # says so in plain words, if it is the input's size
        raise AuditError(f"The model cannot be run: {error}") from error
    return LoadedModel(
        specification=specification,
        module=module,
        preprocessing=network.preprocessing,
        weights_sha256=sha256,
        report=report,
        class_names=network.class_names if network.num_classes else None,
        num_classes=network.num_classes,
        options=options,
        folding=folding,
    )


def _load_file(specification: ModelSpecification, network: Network) -> tuple[Network, LoadReport]:
    """The network with a local file's weights; without its head where the file has none."""
    path = specification.weights_path
    assert path is not None
    match = match_weights(read_checkpoint(path), _names(specification, network), path.name)
    if match.headless and network.num_classes:
        network = build_network(specification, headless=True)
    _assign(network.module, match.tensors, path.name)
    notes = [network.note, match.note]
    if match.container:
        notes.append(f"Read from “{match.container}” in the file.")
    return network, LoadReport(
        prefix=match.prefix,
        missing=match.missing,
        left_out=match.left_out,
        renamed=match.renamed,
        note=" ".join(filter(None, notes)),
    )


def _names(specification: ModelSpecification, network: Network) -> NetworkNames:
    expected = {name: tensor.shape for name, tensor in network.module.state_dict().items()}
    buffers = {name for name, _ in network.module.named_buffers()} - set(expected)
    title = f"{specification.library}:{specification.architecture}"
    return NetworkNames(expected, network.head, buffers, title, network.num_classes)


def _assign(module: nn.Module, tensors: Mapping[str, torch.Tensor], source: str) -> None:
    """Copy into float32 weights, whatever the file's own precision."""
    own = module.state_dict()
    lacking = [name for name in own if name not in tensors and "num_batches_tracked" not in name]
    if lacking:
        raise AuditError(
            f"{source} leaves {len(lacking)} tensors without weights, as {lacking[0]}.",
            "Check the architecture.",
        )
    with torch.no_grad():
        for name, tensor in own.items():
            if name in tensors:
                tensor.copy_(tensors[name])
