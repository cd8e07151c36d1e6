"""The sample's folder, and its scripts as modules."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from analysis.resources import resource_path


@pytest.fixture(scope="session")
def sample() -> Path:
    return resource_path("sample")


@pytest.fixture(scope="session")
def make_images(sample: Path) -> Iterator[ModuleType]:
    """The generator of the audit pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(sample))
        yield importlib.import_module("make_images")
