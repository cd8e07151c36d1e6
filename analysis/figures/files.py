"""Writing a result file so that it is either whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from analysis.errors import AuditError


def write_atomically(out: Path, data: bytes) -> Path:
    """Write `data` to `out` through a temporary file in the same folder; returns `out`.

    An existing file is replaced only when the new one is complete.
    Raises AuditError when the folder is missing or cannot be written.
    """
    out = Path(out)
    if out.is_dir():
        raise AuditError(f"{out} is a folder.", "Give the name of a file.")
    if not out.parent.is_dir():
        raise AuditError(f"The folder {out.parent} does not exist.", "Create it first.")
    temporary = out.parent / f".{secrets.token_hex(8)}.part"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, out)
    except OSError as error:
        raise AuditError(
            f"{out} could not be written: {error.strerror or error}.",
            "Choose another folder, or make room on the disk.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return out
