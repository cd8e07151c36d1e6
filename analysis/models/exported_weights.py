"""The weights in an archive of `torch.export.save`: plain bytes with a description beside them."""

from __future__ import annotations

import io
import json
import math
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any

import torch

from analysis.errors import AuditError
from analysis.models.exported_operations import DTYPES

_FOLDERS = {
    "data/weights": "data/weights/model_weights_config.json",
    "data/constants": "data/constants/model_constants_config.json",
}
_HINT = "Export the network again, as plain tensors, with torch.export.save."


def read_weights(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], source: str
) -> dict[str, torch.Tensor]:
    """Weights and constants by name, on the CPU.

    A part that was saved as a pickle is read with torch's `weights_only` reader, or refused.

    :param entries: of the archive, by their names without the archive's own folder.
    :raises AuditError: the archive holds objects that are no tensors, or its weights are damaged.
    """
    found: dict[str, torch.Tensor] = {}
    for folder, description in _FOLDERS.items():
        if description not in entries:
            legacy = entries.get(f"{folder}/model.pt")
            if legacy is not None and legacy.file_size:
                found |= _tensors(archive.read(legacy), source)
            continue
        for name, entry in json.loads(archive.read(entries[description]))["config"].items():
            found[name] = _tensor(archive, entries, folder, entry, source)
    for name, tensor in found.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise AuditError(f"The weights in {source} are not all finite ({name}).", _HINT)
    return found


def _tensor(
    archive: zipfile.ZipFile,
    entries: Mapping[str, zipfile.ZipInfo],
    folder: str,
    entry: Mapping[str, Any],
    source: str,
) -> torch.Tensor:
    path = entry["path_name"]
    if not path.startswith(("weight_", "tensor_")):
        raise AuditError(
            f"{source} holds more than tensors ({path}), and reading it could run code; it was not"
            " opened.",
            _HINT,
        )
    content = archive.read(entries[f"{folder}/{path}"])
    if entry["use_pickle"]:
        value = _unpickled(content, source)
        if not isinstance(value, torch.Tensor):
            raise AuditError(f"{source} is damaged: {path} is no tensor.", _HINT)
        return value.detach()
    meta = entry["tensor_meta"]
    dtype = DTYPES[meta["dtype"]]
    sizes, strides = (tuple(size["as_int"] for size in meta[key]) for key in ("sizes", "strides"))
    if not content:
        return torch.zeros(sizes if 0 in sizes else (0,), dtype=dtype)
    flat = torch.frombuffer(bytearray(content), dtype=dtype)
    if math.prod(sizes) > len(flat):  # would unfold to more than the file holds
        raise AuditError(f"{source} is damaged: {path} is larger than its bytes.", _HINT)
    return torch.as_strided(flat, sizes, strides, meta["storage_offset"]["as_int"]).clone()


def _tensors(content: bytes, source: str) -> dict[str, torch.Tensor]:
    value = _unpickled(content, source)
    if not isinstance(value, dict):
        raise AuditError(f"{source} is damaged: its weights are not named.", _HINT)
    return {str(k): t.detach() for k, t in value.items() if isinstance(t, torch.Tensor)}


def _unpickled(content: bytes, source: str) -> Any:
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise AuditError(
            f"{source} holds more than weights, and reading it could run code; it was not opened.",
            _HINT,
        ) from error
