"""What every test gets: a home of its own, no screen, and real images and models if there."""

from __future__ import annotations

import gc
import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest

gc.disable()  # until tests begin: importing all that they need makes little garbage
_ROOT = Path(__file__).parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """What was imported stays as long as the run: no collection walks through it from here on."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def isolated_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Settings, caches and the home folder of this test alone."""
    home = tmp_path_factory.mktemp("home")
    for variable in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("LOCALAPPDATA", str(home))
    monkeypatch.setenv("PARALLAX_CACHE", str(home / "cache"))
    return home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real images and models; tests that need it are skipped without it."""
    folder = Path(os.environ.get("PARALLAX_SHARED", _ROOT.parent / "shared"))
    if not (folder / "data" / "scenes").is_dir():
        pytest.skip(f"needs the real images and models (PARALLAX_SHARED; looked at {folder})")
    return folder


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["parallax-tests"]
