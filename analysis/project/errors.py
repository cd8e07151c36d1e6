"""What can go wrong with a project file, in plain words; one translation for every SQLite error."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import AuditError


class NotAProjectError(AuditError):
    """The file is something else."""


class NewerProjectError(AuditError):
    """The file was written by a newer version of Parallax."""


class DamagedProjectError(AuditError):
    """The file is a project, but parts of it cannot be read; it can be salvaged."""


class ProjectInUseError(AuditError):
    """Somebody else writes to the project; it can still be opened read-only."""


class ProjectNotWritableError(AuditError):
    """The file or its folder is write-protected, or the project was opened read-only."""


class ProjectClosedError(AuditError):
    """The project was closed while, or before, something was asked of it."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file `path` into `AuditError`.

    Errors that only a mistake in our own statements can cause (syntax, a broken rule of a table)
    stay as they are: they must show as mistakes.
    """
    try:
        yield
    except sqlite3.Error as error:
        problem = translate(error, path)
        if problem is None:
            raise
        raise problem from error


def translate(error: sqlite3.Error, path: Path) -> AuditError | None:
    """The `AuditError` that says what `error` means for the project file `path`, or None."""
    name = f"“{path.name}”"
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return _translate_without_code(error, name)
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return _disk_full(name)
        case sqlite3.SQLITE_IOERR:
            return AuditError(
                f"{name} could not be read or written: the disk reported an error.",
                "Check that the drive is still connected and not full, then try again.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ProjectInUseError(
                f"{name} is locked by another program.",
                "Close the other program and try again, or open the project read-only.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return not_writable(path)
        case sqlite3.SQLITE_CANTOPEN:
            return AuditError(
                f"{name} could not be opened.",
                "Check that the file and its folder exist and that you may read them.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path)
        case sqlite3.SQLITE_INTERRUPT:
            return ProjectClosedError(f"{name} was closed while it was being read.")
        case sqlite3.SQLITE_NOMEM:
            return AuditError(f"There is not enough memory to read {name}.")
        case sqlite3.SQLITE_TOOBIG:
            return AuditError(f"{name} holds, or was given, an entry that is too large.")
    return None


def _translate_without_code(error: sqlite3.Error, name: str) -> AuditError | None:
    """Errors raised by the Python module itself, which carry no SQLite code."""
    if "decode to UTF-8" in str(error):
        return DamagedProjectError(f"{name} holds text that cannot be read.", SALVAGE_HINT)
    if "closed database" in str(error):
        return ProjectClosedError(f"{name} is closed.", "Open the project again.")
    return None


def translate_os_error(error: OSError, path: Path) -> AuditError:
    """The `AuditError` for an operating-system error met with the file `path`."""
    name = f"“{path.name}”"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _disk_full(name)
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return not_writable(path)
    if isinstance(error, FileNotFoundError):
        return AuditError(f"{name} could not be found.", f"Looked in {path.parent}.")
    return AuditError(f"{name} could not be read or written: {error.strerror or error}.")


def damaged(path: Path) -> DamagedProjectError:
    """The file `path` is a project, or was one, but its pages are damaged."""
    return DamagedProjectError(f"“{path.name}” is damaged.", SALVAGE_HINT)


def not_writable(path: Path) -> ProjectNotWritableError:
    """The file `path` or its folder is write-protected."""
    return ProjectNotWritableError(
        f"“{path.name}” cannot be written: the file or its folder is write-protected.",
        "Open the project read-only, or save a copy in another folder.",
    )


def _disk_full(name: str) -> AuditError:
    return AuditError(
        f"The disk is full: {name} could not be written.",
        "Free some space and try again; everything saved before is still there.",
    )


SALVAGE_HINT = "Salvage what can still be read into a new project; the damaged file is kept."
