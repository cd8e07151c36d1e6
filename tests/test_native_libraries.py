"""Loading torch's libraries beforehand: once, in a thread, and never where it does not belong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from analysis import native_libraries

_CODE = """
import json, sys
from analysis.native_libraries import load_native_libraries
first = load_native_libraries()
before = "torch" in sys.modules
import torch
again = load_native_libraries()
print(json.dumps([first, before, again, float(torch.ones(2).sum())]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there torch does this itself")
def test_the_libraries_are_loaded_without_importing_torch() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    first, imported, again, total = json.loads(done.stdout)
    assert any(name.startswith("libtorch_cpu") for name in first)
    assert not imported
    assert again == []
    assert total == 2.0


def test_without_torch_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(native_libraries.importlib.util, "find_spec", lambda _name: None)
    assert native_libraries.load_native_libraries() == ()


def test_a_library_that_cannot_be_loaded_is_left_to_the_import(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    folder = tmp_path / "torch" / "lib"
    folder.mkdir(parents=True)
    (folder / "libtorch_cpu.so").write_bytes(b"no library")
    spec = type("Spec", (), {"origin": str(tmp_path / "torch" / "__init__.py")})()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(native_libraries.importlib.util, "find_spec", lambda _name: spec)
    assert native_libraries.load_native_libraries() == ()
