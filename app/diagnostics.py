"""The log file, unexpected errors, and the text of “Copy diagnostics”."""

from __future__ import annotations

import importlib.metadata
import logging
import logging.handlers
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import platformdirs
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from analysis import __version__
from app.project_index import ProjectIndex
from app.recovery import last_crash

_PACKAGES = (
    "PySide6-Essentials",
    "numpy",
    "pyqtgraph",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "scipy",
    "celer",
    "matplotlib",
    "pillow",
)
_LOG_BYTES = 1_000_000
_LOG_LINES_COPIED = 60
_CRASH_LINES_COPIED = 60

ExceptionHook = Callable[[type[BaseException], BaseException, TracebackType | None], None]


def log_file() -> Path:
    """Where the rotating log lies."""
    return Path(platformdirs.user_log_dir("Parallax", appauthor=False)) / "parallax.log"


def start_log() -> None:
    """Write warnings and errors to the log file; a disk that refuses does not stop the window."""
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8", delay=True
        )
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("parallax")
    logger.setLevel(logging.INFO)
    if not any(isinstance(h, logging.handlers.RotatingFileHandler) for h in logger.handlers):
        logger.addHandler(handler)


def diagnostics_text(index: ProjectIndex | None) -> str:
    """Versions, machine, project counts and the last log lines; no names of images or models."""
    lines = [
        f"Parallax {__version__}",
        f"Python {platform.python_version()}, Qt {qVersion()}, {QGuiApplication.platformName()}",
        f"{platform.platform()}, {os.cpu_count()} cores",
    ]
    lines += [f"{name} {_version(name)}" for name in _PACKAGES]
    if index is not None:
        states = ", ".join(sorted(run.state for run in index.runs)) or "none"
        lines.append(
            f"project: {len(index.image_sets)} image sets, {len(index.models)} models,"
            f" runs: {states}"
        )
    crash = last_crash(log_file().parent).splitlines()[:_CRASH_LINES_COPIED]
    if crash:
        lines += ["", "last session that was cut off:", *crash]
    tail = _log_tail()
    if tail:
        lines += ["", "log:", *tail]
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _log_tail() -> list[str]:
    try:
        text = log_file().read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-_LOG_LINES_COPIED:]


def install_exception_hook(show: Callable[[BaseException], None]) -> ExceptionHook:
    """Show errors that reach Qt's event loop instead of losing them; returns the hook before."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)
            return
        show(error)

    sys.excepthook = hook
    return before
