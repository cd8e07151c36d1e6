"""Writing a file so that either all of it is there or nothing has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.project.errors import translate_os_error


def journal(path: Path, ending: str) -> Path:
    """The file beside a project with SQLite's `ending`: -wal, -shm or -journal."""
    return path.with_name(path.name + ending)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to; it takes `target`'s place when the block ends well.

    The disk confirms the contents first. If anything fails, `target` is as it was and what was
    written is removed.

    :raises AuditError: the folder does not exist or is write-protected, or the disk is full.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        _remove_all(unfinished)
        yield unfinished
        _synchronise(unfinished)
        os.replace(unfinished, target)
        _synchronise_folder(target.parent)
    except OSError as error:
        raise translate_os_error(error, target) from error
    finally:
        _remove_all(unfinished)


def _remove_all(path: Path) -> None:
    for leftover in (path, journal(path, "-journal")):
        leftover.unlink(missing_ok=True)


def _synchronise(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _synchronise_folder(folder: Path) -> None:
    """Have the disk confirm the new name; Windows has no such call and does it by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
