"""Pictures from outside of a project, before any model looks at them. No torch."""

from __future__ import annotations

from pathlib import Path

from analysis.errors import AuditError
from analysis.images.decoding import ImageProblem, inspect_image
from analysis.images.formats import READ_SUFFIXES

PICTURE_SUFFIXES = tuple(sorted(READ_SUFFIXES))
"""How names of files end that can be explained, as `.jpg`."""

_HINT = "A picture is a JPEG, PNG, WebP, TIFF or BMP file."


def check_picture(path: Path) -> None:
    """Read a picture to its end, so that a damaged one is refused before a model is loaded.

    :raises AuditError: it is no image, damaged, too large or not there.
    """
    try:
        inspect_image(path)
    except ImageProblem as problem:
        summary = f"“{path.name}” cannot be explained. {problem.summary}"
        raise AuditError(summary, problem.hint or _HINT) from None
