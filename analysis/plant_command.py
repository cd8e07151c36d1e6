"""The command `parallax plant`."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.project import Project
from analysis.terminal import Terminal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name")
@click.option(
    "--concept",
    required=True,
    help="A label of the label planes, or a pattern: stripes, checks, rings, dots.",
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="A new folder."
)
@click.option("--images", "source", help="The image set to paste into; without it, the first.")
@click.option("--number", default=200, show_default=True, help="Images at most; 0: all.")
@click.option(
    "--share", default=0.5, show_default=True, help="Share of the images that get the concept."
)
@click.option("--side", default=224, show_default=True, help="Side of the images written, pixels.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything drawn at random.")
def plant(
    file: Path,
    name: str,
    concept: str,
    output: Path,
    source: str | None,
    number: int,
    share: float,
    side: int,
    seed: int,
) -> None:
    """Paste a concept into half of the project's images, so that there is a ground truth.

    The images and the masks of what was pasted are written into a new folder, and taken into the
    project FILE as image set and label planes NAME. The other images get a piece of another image
    in the same outline.
    """
    from analysis.audits import planting
    from analysis.audits.grouping import image_set_named

    terminal = Terminal(False)
    with Project.open(file) as project:
        wish = planting.Planting(
            name=name, concept=concept, image_set=image_set_named(project, source), images=number,
            share=share, side=side, seed=seed,
        )  # fmt: skip
        made = planting.plant(project, wish, output, terminal.progress())
        terminal.say(f"{name}: {made.sentence()}")
