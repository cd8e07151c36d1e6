"""The command `parallax explain`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from analysis.devices import DEVICE_NAMES
from analysis.errors import AuditError
from analysis.project import Project
from analysis.terminal import Terminal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("picture", type=click.Path(path_type=Path))
@click.option(
    "--models", "--model", "models", multiple=True, metavar="NAME",
    help="A model of the project; all that can be run if left out.",
)  # fmt: skip
@click.option(
    "--methods", "--method", "methods", multiple=True, metavar="NAME",
    help="A method, as gradcam or rollout; all that a model has what it needs for if left out.",
)  # fmt: skip
@click.option(
    "--target", default="predicted", metavar="CLASS",
    help="What is explained: predicted (each model's own answer), or a class by its name.",
)  # fmt: skip
@click.option("--device", type=click.Choice(DEVICE_NAMES), default="auto", show_default=True)
@click.option(
    "--attention", is_flag=True, help="Draw attention through the layers of one transformer."
)
@click.option("--width", type=float, metavar="MM", help="175 if left out.")
@click.option("--dpi", type=float, help="Of its pixels; 300 if left out.")
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True)
def explain(
    file: Path,
    picture: Path,
    models: Sequence[str],
    methods: Sequence[str],
    target: str,
    device: str,
    attention: bool,
    width: float | None,
    dpi: float | None,
    out: Path,
) -> None:
    """Show where the models of the project FILE look in PICTURE: maps of saliency, side by side.

    PICTURE is any file; nothing is written into the project. The figure is .svg, .pdf or .png;
    its numbers are .csv or .json.
    """
    from analysis.audits.explaining import explain_picture
    from analysis.figures import explained, export

    export.checked_suffix(out, (*export.FIGURE_FORMATS, *export.TABLE_FORMATS), "figure")
    size = {"width_mm": width, "dpi": dpi}
    given = {name: value for name, value in size.items() if value is not None}
    export.check_size(given.get("width_mm", 175.0), given.get("dpi", 300.0))
    _check_folder(out)
    terminal = Terminal(False)
    _check_picture(picture)
    with Project.open(file, read_only=True) as project:
        found = explain_picture(
            project,
            picture,
            terminal.progress(),
            tuple(dict.fromkeys(models)),
            ", ".join(dict.fromkeys(methods)),
            target,
            device,
        )
        name = "explained-attention" if attention else "explained"
        explained.export_explained(project, found, name, out, **given)
    for model, reason in found.problems:
        terminal.say(f"{model}: {reason}")
    for model, method, reason in found.index.refused if methods else ():
        terminal.say(f"{model}: no {method}: {reason}")
    click.echo(out)


def _check_picture(picture: Path) -> None:
    """Raises AuditError, naming the file, where it is no picture that can be read."""
    from analysis.images.decoding import ImageProblem, decode_image

    try:
        decode_image(picture)
    except ImageProblem as problem:
        raise AuditError(f"“{picture}”: {problem.summary}", problem.hint) from problem


def _check_folder(out: Path) -> None:
    """Raises AuditError before minutes of work where nothing could be written in the end."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        what = "is a folder" if out.is_dir() else "lies in a folder that does not exist"
        raise AuditError(f"“{out}” {what}.", "Choose another file to write.")
