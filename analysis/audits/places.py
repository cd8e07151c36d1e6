"""What a project refers to outside of itself, and whether it is there. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.errors import AuditError
from analysis.models.specification import parse_specification
from analysis.project import Project

Kind = Literal["images", "labels", "concept", "model"]

_LOOKED_AT = 200  # images of a set, evenly over all of it


@dataclass(frozen=True)
class Place:
    """A folder or file that the project needs for runs and for pictures at full size.

    :ivar id: of the image set, label planes, concept or model.
    :ivar there: how many of the `looked_at` files looked for are there.
    """

    kind: Kind
    id: int
    name: str
    path: Path
    looked_at: int
    there: int

    @property
    def complete(self) -> bool:
        return self.there == self.looked_at


def project_places(project: Project) -> tuple[Place, ...]:
    """Everything outside of the project file that it refers to, image sets first.

    Of a large image set a part of the images is looked for, spread evenly.
    """
    return (
        *_image_sets(project),
        *_label_planes(project),
        *_concepts(project),
        *_weights(project),
    )


def _image_sets(project: Project) -> Iterator[Place]:
    for row in project.rows("SELECT id, name FROM image_set ORDER BY id"):
        root = project.image_set_root(row["id"])
        images = [
            one["id"]
            for one in project.rows(
                "SELECT id FROM image WHERE image_set = ? ORDER BY id", (row["id"],)
            )
        ]
        some = _spread(images) if root.is_dir() else []
        there = sum(project.resolve_image(image) is not None for image in some)
        looked_at = len(some) or min(len(images), _LOOKED_AT)
        yield Place("images", row["id"], row["name"], root, looked_at, there)


def _spread(images: Sequence[int]) -> Sequence[int]:
    step = max(1, -(-len(images) // _LOOKED_AT))
    return images[::step]


def _label_planes(project: Project) -> Iterator[Place]:
    for row in project.rows("SELECT id, name FROM label_plane_source ORDER BY id"):
        folder = project.label_planes_root(row["id"])
        yield Place("labels", row["id"], row["name"], folder, 1, int(folder.is_dir()))


def _concepts(project: Project) -> Iterator[Place]:
    for row in project.rows("SELECT id, name FROM concept_set WHERE kind = 'folder' ORDER BY id"):
        folder = project.concept_folder(row["id"])
        yield Place("concept", row["id"], row["name"], folder, 1, int(folder.is_dir()))


def _weights(project: Project) -> Iterator[Place]:
    """Of models whose weights lie in a file of their own."""
    for row in project.rows("SELECT id, name, specification FROM model ORDER BY position"):
        try:
            path = parse_specification(row["specification"]).weights_path
        except AuditError:  # known by a table alone
            continue
        if path is not None:
            yield Place("model", row["id"], row["name"], path, 1, int(path.is_file()))
