"""Edits of a project's lists that cannot be taken back (others: `app/reversible.py`). No Qt here.

Each is committed at once.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from analysis.errors import AuditError
from analysis.project import Project

_NAME_LIMIT = 200
_JOINING = "\u200c\u200d"  # Persian and the scripts of India need them, and emoji of several parts


def clean_name(text: str, taken: frozenset[str] = frozenset()) -> str:
    """The name without outer spaces.

    :raises AuditError: it is empty, too long, has control characters or is taken.
    """
    name = text.strip()
    if not name:
        raise AuditError("The name is empty.", "Type a name.")
    if len(name) > _NAME_LIMIT:
        raise AuditError(
            f"The name has {len(name)} characters.", f"Use at most {_NAME_LIMIT} characters."
        )
    if any(not sign.isprintable() and sign not in _JOINING for sign in name):
        raise AuditError("The name has characters that cannot be shown.", "Remove them.")
    if name in taken:
        raise AuditError(f"“{name}” is already in this project.", "Choose another name.")
    return name


def remove_run(project: Project, run: int) -> None:
    """Remove a run with all its results."""
    project.delete_run(run)


def save_as(project: Project, path: Path) -> None:
    """Write the project to another file and go on with that one."""
    project.save_as(path)


def save_copy(project: Project, path: Path) -> None:
    """Write the project to another file and go on with this one."""
    project.save_copy(path)


def remove_model(project: Project, name: str) -> None:
    """Remove a model that no run uses.

    :raises AuditError: a run uses it.
    """
    project.remove_model(name)


def remove_image_set(project: Project, number: int) -> None:
    """Remove an image set that no run uses; the image files stay where they are.

    :raises AuditError: a run uses it.
    """
    try:
        with project.transaction() as connection:
            connection.execute("DELETE FROM image_set WHERE id = ?", (number,))
    except sqlite3.IntegrityError as error:
        raise AuditError(
            "This image set is used by a run.", "Remove the runs that use it first."
        ) from error


def remove_label_planes(project: Project, number: int) -> None:
    """Forget a folder of label planes; its files stay where they are."""
    with project.transaction() as connection:
        connection.execute("DELETE FROM label_plane_source WHERE id = ?", (number,))
