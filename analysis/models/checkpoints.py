"""Reading weight files without running anything that is in them.

Safetensors hold nothing but tensors. A `.pth` is a pickle: it is read with torch's
`weights_only` reader, which builds tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from analysis.errors import AuditError

_MAXIMUM_DEPTH = 4
_MAXIMUM_EXPANSION = 4
_NOT_WEIGHTS = ("optimizer", "scheduler", "scaler", "args", "config", "hyper_parameters")
_SAFETENSORS_HINT = (
    "Save the network's state_dict alone (torch.save(model.state_dict(), FILE)), or as safetensors."
)


@dataclass(frozen=True)
class TensorGroup:
    """One set of named tensors inside a checkpoint.

    `container`: the keys that lead to it, with dots between; empty for the file itself.
    """

    container: str
    tensors: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """What a weights file holds. `ordered`: the tensors stand in the order they were saved in."""

    groups: tuple[TensorGroup, ...]
    ordered: bool


def read_checkpoint(path: Path) -> Checkpoint:
    """Every set of named tensors in a `.safetensors` or torch weights file.

    :raises AuditError: the file is missing, damaged, of another kind, or holds more than
        tensors and plain values. Nothing in the file is ever executed.
    """
    if not path.is_file():
        raise AuditError(f"There is no weights file {path.name}.", f"Looked for {path}.")
    if path.suffix.lower() == ".safetensors":
        return Checkpoint((TensorGroup("", _read_safetensors(path)),), ordered=False)
    groups = tuple(_groups(_read_torch(path), (), 0))
    if not groups:
        raise AuditError(f"{path.name} holds no named tensors.", _SAFETENSORS_HINT)
    return Checkpoint(groups, ordered=True)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The largest set of named tensors in a file; for weights whose form is known.

    :raises AuditError: as `read_checkpoint`.
    """
    return max(read_checkpoint(path).groups, key=lambda group: len(group.tensors)).tensors


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal.

    :raises AuditError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AuditError(f"The weights {path.name} cannot be read.", str(error)) from error


def tensors_sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """A SHA-256 over names, types, shapes and bytes of named tensors, whatever their order."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise AuditError(
            f"{path.name} is damaged or is not a safetensors file.", "Copy it again."
        ) from error


def _read_torch(path: Path) -> Any:
    _check_archive(path)
    try:
        # Training scripts keep their arguments beside the weights; a Namespace only holds values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error).lower() or "unsupported" in str(error).lower():
            raise AuditError(
                f"{path.name} holds more than weights{_foreign_parts(path)}, and reading it"
                " could run code; it was not opened.",
                _SAFETENSORS_HINT,
            ) from error
        raise _damaged(path) from error
    # A damaged archive or pickle stream fails in as many ways as it can be damaged.
    except (RuntimeError, ValueError, EOFError, OSError, KeyError, IndexError, TypeError,
            AttributeError, UnicodeDecodeError, MemoryError, OverflowError) as error:  # fmt: skip
        if "torchscript" in str(error).lower():
            raise AuditError(
                f"{path.name} is an exported TorchScript program, not weights.", _SAFETENSORS_HINT
            ) from error
        raise _damaged(path) from error


def _damaged(path: Path) -> AuditError:
    return AuditError(
        f"{path.name} is damaged or is not a torch weights file.", "Copy or save it again."
    )


def _check_archive(path: Path) -> None:
    """Refuse an archive that would unpack to far more than the file: torch stores uncompressed."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _damaged(path) from error
    if unpacked > _MAXIMUM_EXPANSION * path.stat().st_size:
        raise AuditError(
            f"{path.name} unpacks to far more than its size and was not opened.",
            _SAFETENSORS_HINT,
        )


def _foreign_parts(path: Path) -> str:
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # only makes a message better; a file this odd has no names to give
        return ""
    foreign = [name for name in names if name != "argparse.Namespace"]
    return f" ({', '.join(foreign[:3])})" if foreign else ""


def _groups(value: Any, keys: tuple[str, ...], depth: int) -> Iterator[TensorGroup]:
    if not isinstance(value, Mapping) or depth > _MAXIMUM_DEPTH:
        return
    tensors = {
        name: tensor.detach()
        for name, tensor in value.items()
        if isinstance(name, str)
        and isinstance(tensor, torch.Tensor)
        and tensor.layout is torch.strided
    }
    if tensors:
        yield TensorGroup(".".join(keys), tensors)
    for key, part in value.items():
        if isinstance(key, str) and not key.lower().startswith(_NOT_WEIGHTS):
            yield from _groups(part, (*keys, key), depth + 1)
