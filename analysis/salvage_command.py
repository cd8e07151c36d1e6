"""The command `parallax salvage`."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.project.salvage import salvage as salvage_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("into", type=click.Path(path_type=Path))
def salvage(file: Path, into: Path) -> None:
    """Bring what can be read of the damaged project FILE into the new project INTO.

    FILE stays as it is.
    """
    report = salvage_file(file, into)
    click.echo(f"{into}: {report.summary}")
