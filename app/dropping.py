"""What becomes of the files and folders that are dropped on the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.dialogs.form import is_file, is_folder
from app.dialogs.project_dialog import PROJECT_SUFFIX
from app.problems import Problem, shorten
from app.specification_text import WEIGHT_SUFFIXES

if TYPE_CHECKING:
    from app.commands import Commands

LIST_SUFFIXES = frozenset({"", ".txt", ".lst", ".list"})

_TOGETHER = Problem(
    "Only one thing can be dropped at a time.",
    "To explain several pictures, or to audit models on them, drop the folder that they are in;"
    " a single picture is explained at once.",
)


def _not_there(path: Path) -> Problem:
    """A link that leads nowhere, a device or a pipe, or a file deleted meanwhile."""
    return Problem(
        f"“{shorten(path.name, 120)}” is neither a file nor a folder that can be read.",
        "Drop a project, a folder of images, a checkpoint, a CSV table or a picture.",
    )


def take_dropped(paths: Sequence[Path], commands: Commands) -> None:
    """A project is opened; a folder or a list becomes images, a checkpoint a model; a table is
    read; any other file is a picture to be explained."""
    if len(paths) > 1:
        commands.say(_TOGETHER)
        return
    for path in paths:
        suffix = path.suffix.lower()
        if not is_file(path) and not is_folder(path):
            commands.say(_not_there(path))
        elif path.suffix == PROJECT_SUFFIX and is_file(path):
            commands.open_path(str(path))
        elif suffix in WEIGHT_SUFFIXES and is_file(path):
            commands.add_model(str(path))
        elif suffix == ".csv" and is_file(path):
            commands.models.import_table(str(path))
        elif is_folder(path) or suffix in LIST_SUFFIXES:
            commands.add_images(str(path))
        else:
            commands.pictures.explain_file(str(path))
