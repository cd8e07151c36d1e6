"""The command `parallax relocate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from analysis.project import Project
from analysis.terminal import Terminal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["images", "labels", "concept", "model"]),
    help="What NAME is, where several have it.",
)
def relocate(file: Path, name: str, folder: Path, kind: Any) -> None:
    """Find the images NAME of the project FILE in FOLDER, by their content.

    Images may have been renamed and put into other folders. NAME can also be a model whose weights
    file has moved, label planes, or a concept given by a folder.
    """
    from analysis.audits import relocating

    terminal = Terminal(False)
    with Project.open(file) as project:
        found = relocating.relocate(project, name, folder, terminal.progress(), kind)
        terminal.say(found.sentence())
