from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from analysis.errors import AuditError
from analysis.models.checkpoints import file_sha256, read_checkpoint, read_tensors, tensors_sha256
from analysis.models.loading import load_model


class Evil:
    """Unpickling this makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("place", ["alone", "beside tensors", "legacy", "bare pickle"])
def test_a_malicious_pickle_runs_nothing(tmp_path: Path, place: str):
    marker, path = tmp_path / "marker", tmp_path / "evil.pth"
    evil = Evil(marker)
    if place == "bare pickle":
        path.write_bytes(pickle.dumps(evil))
    else:
        content = (
            evil if place == "alone" else {"state_dict": {"fc.weight": torch.ones(2)}, "x": evil}
        )
        torch.save(content, path, _use_new_zipfile_serialization=place != "legacy")
    with pytest.raises(AuditError) as caught:
        load_model(f"timm:test_resnet@{path}")
    assert not marker.exists()
    assert "evil.pth" in caught.value.summary
    # The file really is malicious: an unsafe reader would have made the folder.
    with path.open("rb") as file:
        if place == "bare pickle":
            pickle.load(file)
        else:
            torch.load(file, weights_only=False)
    assert marker.exists()


def test_training_arguments_are_read_as_values(tmp_path: Path):
    path = tmp_path / "mae.pth"
    content = {"model": {"a": torch.arange(3.0)}, "args": argparse.Namespace(lr=0.1), "epoch": 3}
    torch.save(content, path)
    (group,) = read_checkpoint(path).groups
    assert group.container == "model"
    assert torch.equal(group.tensors["a"], torch.arange(3.0))


@pytest.mark.parametrize(
    "damage",
    [b"", b"PK\x03\x04 broken", b"\x80\x02", b"plain text\n" * 20, bytes(range(256)) * 10],
)
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_damaged_files_are_told(tmp_path: Path, damage: bytes, name: str):
    (tmp_path / name).write_bytes(damage)
    with pytest.raises(AuditError):
        read_checkpoint(tmp_path / name)


def test_a_truncated_file_is_told(tmp_path: Path):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.randn(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(AuditError):
        read_checkpoint(path)


def test_an_archive_that_unpacks_to_much_more_is_not_opened(tmp_path: Path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * 10_000_000)
    with pytest.raises(AuditError, match="unpacks"):
        read_checkpoint(path)


@pytest.mark.filterwarnings("ignore")
def test_exported_programs_and_files_without_tensors_are_refused(tmp_path: Path):
    program = tmp_path / "program.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), program)
    empty = tmp_path / "empty.pth"
    torch.save({"epoch": 3}, empty)
    for path in (program, empty, tmp_path / "missing.pth"):
        with pytest.raises(AuditError):
            read_checkpoint(path)


def test_hashes(tmp_path: Path):
    import hashlib

    path = tmp_path / "w.safetensors"
    tensors = {"b": torch.ones(2), "a": torch.arange(4).half()}
    save_file(tensors, path)
    assert file_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(read_tensors(path)) == {"a", "b"}
    assert tensors_sha256(tensors) == tensors_sha256(dict(reversed(tensors.items())))
    assert tensors_sha256(tensors) != tensors_sha256({**tensors, "b": torch.tensor([1.0, 1.5])})
    assert tensors_sha256({"a": torch.zeros(2)}) != tensors_sha256({"a": torch.zeros(2, 1)})
    assert tensors_sha256({"a": torch.tensor(3)}) != tensors_sha256({"a": torch.tensor(4)})


def test_legacy_files_are_read(tmp_path: Path):
    path = tmp_path / "old.pth"
    torch.save({"a": torch.arange(3.0)}, path, _use_new_zipfile_serialization=False)
    assert torch.equal(read_tensors(path)["a"], torch.arange(3.0))
