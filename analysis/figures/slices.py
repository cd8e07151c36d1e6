"""What results are narrowed to: a slice of the project's images.

Results over a slice are read anew from what a run keeps of each image. What was measured over all
images of a run at once cannot be had of some of them: it is left out, or said to be of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.columns import parameter_number
from analysis.figures.words import count

if TYPE_CHECKING:
    from analysis.project import Project

_REPLICATES, _MOST_REPLICATES = 1000, 5000


@dataclass(frozen=True)
class SliceChoice:
    """A slice with the ids of its images."""

    id: int
    name: str
    images: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class SlicedParameters:
    """Of a figure that can be made of some images alone."""

    slice: str = parameter("", "Only the images of this slice, by its name; empty means all")


def slice_choice(project: Project, number: int) -> SliceChoice:
    """A slice by its id. Raises AuditError when the project has no such slice."""
    name = project.value("SELECT name FROM image_slice WHERE id = ?", (number,))
    if name is None:
        raise AuditError("The project has no such slice.", "It may have been removed.")
    return SliceChoice(number, name, project.slice_images(number))


def slice_named(project: Project, name: str) -> SliceChoice | None:
    """A slice by its name, None for an empty one: all images.

    Raises AuditError for a name that no slice has.
    """
    if not name:
        return None
    known = {one.name: one.id for one in project.image_slices()}
    if name not in known:
        raise AuditError(
            f"The project has no slice “{name}”.",
            f"Its slices are {', '.join(known) or 'none yet'}.",
        )
    return slice_choice(project, known[name])


def slice_line(chosen: SliceChoice, images: int | None = None) -> str:
    """What a figure says of the images it was narrowed to.

    :param images: how many of the slice's images the figure shows; None: it does not say.
    """
    if images is None:
        return f"Slice “{chosen.name}”: {count(len(chosen.images), 'image')}"
    return f"Slice “{chosen.name}”: {images:,} of its {count(len(chosen.images), 'image')}"


def no_images(chosen: SliceChoice, run: int) -> AuditError:
    """The error for a run that has no results of any image of a slice."""
    return AuditError(
        f"Run {run} has no results of the images of the slice “{chosen.name}”.",
        "Choose another slice, or all images.",
    )


def drawing(parameters: dict[str, Any]) -> tuple[int, int]:
    """Replicates and seed of a run's bootstrap, within what can be waited for."""
    asked, seed = (parameter_number(parameters, name) for name in ("replicates", "seed"))
    replicates = int(min(asked, _MOST_REPLICATES)) if asked >= 100 else _REPLICATES
    return replicates, int(seed) if seed >= 0 else 0
