"""Noticing that Parallax did not end properly, and what is known of it.

While a window is open a small file in the log folder says which process it belongs to and which
project it has open; it is taken away at the end. A file whose process is gone tells of a crash, and
the trace of the last moment lies beside it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psutil

_MARK = "running-{}.json"
_TRACE = "trace-{}.txt"
_KEPT = "last-crash.txt"
_LONGEST = 64 * 1024
_SAME_START_S = 5.0


@dataclass(frozen=True)
class UncleanEnd:
    """An earlier session that was cut off."""

    started: str  # as 2026-01-31 09:30 UTC
    project: Path | None = None
    read_only: bool = False
    trace: str = ""


class RunningMark:
    """The mark of this session in `folder`; a disk that refuses stops nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = folder / _MARK.format(os.getpid())
        self._trace = folder / _TRACE.format(os.getpid())
        self._trace_file: IO[str] | None = None
        self._started = datetime.now(UTC)
        self._project: Path | None = None
        self._read_only = False

    def begin(self) -> UncleanEnd | None:
        """Set the mark; returns the newest session that was cut off, which is then forgotten."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
        unclean = take_unclean_end(self._folder)
        self._write()
        with contextlib.suppress(OSError):
            self._trace_file = self._trace.open("w", encoding="utf-8")
            faulthandler.enable(self._trace_file)
        return unclean

    def set_project(self, path: Path | None, read_only: bool = False) -> None:
        """What is open now."""
        self._project, self._read_only = path, read_only
        self._write()

    def end(self) -> None:
        """This session ends as it should."""
        if self._trace_file is not None:
            faulthandler.disable()
            self._trace_file.close()
            self._trace_file = None
        for path in (self._mark, self._trace):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _write(self) -> None:
        about = {
            "pid": os.getpid(),
            "process_started": _process_started(os.getpid()),
            "started": self._started.strftime("%Y-%m-%d %H:%M UTC"),
            "project": None if self._project is None else str(self._project),
            "read_only": self._read_only,
        }
        part = self._mark.with_suffix(".part")
        with contextlib.suppress(OSError):
            part.write_text(json.dumps(about), encoding="utf-8")
            os.replace(part, self._mark)


def take_unclean_end(folder: Path) -> UncleanEnd | None:
    """The newest session of which only the mark is left; all such marks are cleared away.

    What is known of it is kept for “Copy diagnostics”.
    """
    found = [end for path in _marks(folder) if (end := _read_mark(path)) is not None]
    if not found:
        return None
    newest = max(found, key=lambda end: end.started)
    with contextlib.suppress(OSError):
        text = f"session of {newest.started}\n{newest.trace or 'no trace was left'}\n"
        (folder / _KEPT).write_text(text, encoding="utf-8")
    return newest


def last_crash(folder: Path) -> str:
    """What is known of the last session that was cut off; empty if there was none."""
    return _read_text(folder / _KEPT)


def _marks(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob(_MARK.format("*")))
    except OSError:
        return []


def _read_mark(path: Path) -> UncleanEnd | None:
    """What a mark tells; None if its process still runs. The mark is removed."""
    about = _read_json(path)
    pid, began = about.get("pid"), about.get("process_started")
    if isinstance(pid, int) and isinstance(began, int | float) and _runs(pid, float(began)):
        return None
    trace_path = path.with_name(_TRACE.format(path.stem.removeprefix("running-")))
    trace = _read_text(trace_path)
    for gone in (path, trace_path):
        with contextlib.suppress(OSError):
            gone.unlink(missing_ok=True)
    project, started = about.get("project"), about.get("started")
    return UncleanEnd(
        started=started[:40] if isinstance(started, str) else "an earlier time",
        project=_path_of(project),
        read_only=about.get("read_only") is True,
        trace=trace.strip(),
    )


def _path_of(text: object) -> Path | None:
    usable = isinstance(text, str) and text and "\0" not in text and len(text) < _LONGEST
    return Path(text) if usable and isinstance(text, str) else None


def _runs(pid: int, began: float) -> bool:
    started = _process_started(pid)
    return started is not None and abs(started - began) < _SAME_START_S


def _process_started(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except (psutil.Error, ValueError, OverflowError):
        return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read_text(path))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST)
    except OSError:
        return ""
