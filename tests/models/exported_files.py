"""Networks exported by torch.export, and their files rewritten."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn


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


def images(count: int, height: int = 32, width: int = 32) -> torch.Tensor:
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(count))


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


def save_fixed(folder: Path) -> Path:
    """A network whose own check of its sizes fails when it is run."""
    return with_graph(folder / "small.pt2", folder / "wrong.pt2", _wrong_size)


def _wrong_size(content: dict) -> None:
    for node in content["graph_module"]["graph"]["nodes"]:
        if node["target"] == "torch.ops.aten.view.default":
            node["inputs"][1]["arg"]["as_sym_ints"][1] = {"as_int": 7}
