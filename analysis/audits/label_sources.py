"""Which label planes belong to an image set: its own layout, those added to it, and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from analysis.audits.grouping import ImageEntry
from analysis.errors import AuditError
from analysis.name_lists import split_names
from analysis.segmentation.broden import find_broden, open_broden
from analysis.segmentation.colours import ColourPlanes
from analysis.segmentation.image_labels import ImageLabelPlanes
from analysis.segmentation.masks import open_masks
from analysis.segmentation.merged import LabelPlanes
from analysis.segmentation.planes import PlaneImage, PlaneSource
from analysis.segmentation.quadrants import QuadrantPlanes

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.images.frames import Frame
    from analysis.project import Project


class LabelChoice(Protocol):
    """What a run's parameters say about labels."""

    @property
    def labels(self) -> str: ...
    @property
    def colours(self) -> bool: ...
    @property
    def image_labels(self) -> bool: ...
    @property
    def quadrants(self) -> bool: ...
    @property
    def segmenter(self) -> str: ...
    @property
    def resolution(self) -> int: ...


@dataclass(frozen=True)
class DataLabels:
    """The label planes that come with the data alone: nothing that is made of pixels."""

    labels: str
    resolution: int
    colours: ClassVar[bool] = False
    image_labels: ClassVar[bool] = False
    quadrants: ClassVar[bool] = False
    segmenter: ClassVar[str] = ""


def plane_images(project: Project, images: Sequence[ImageEntry]) -> list[PlaneImage]:
    """Images as the readers of planes want them; a file that is gone keeps its former place."""
    splits = {
        row["id"]: row["split"]
        for row in project.rows("SELECT id, split FROM image WHERE split IS NOT NULL")
    }
    found = []
    for image in images:
        file = project.resolve_image(image.id)
        found.append(
            PlaneImage(
                image.path,
                _lost(image) if file is None else file,
                image.label,
                image.width,
                image.height,
                splits.get(image.id),
                image.sha256 or "",
            )
        )
    return found


def _lost(image: ImageEntry) -> Path:
    from pathlib import Path

    return Path(image.path)


def label_planes(
    project: Project,
    image_set: int | None,
    images: Sequence[PlaneImage],
    choice: LabelChoice,
    frame: Frame,
    device: str = "cpu",
) -> LabelPlanes:
    """All planes that a run asks for, in one numbering.

    :param device: where a segmentation model works.
    :raises AuditError: there are none, or those asked for cannot be read.
    """
    sources: list[PlaneSource] = []
    for name, kind, root in _folders(project, image_set, choice.labels):
        if not root.is_dir():
            raise AuditError(
                f"The folder of the label planes “{name}” is not there any more.",
                "Put it back, relocate it, or name other label planes.",
            )
        if kind == "broden":
            sources.append(open_broden(root))
        else:
            sources.append(open_masks(root, _root(project, image_set)))
    if choice.segmenter.strip():
        from analysis.segmentation.segmenter import SegmenterPlanes

        sources.append(SegmenterPlanes(choice.segmenter.strip(), device))
    if choice.quadrants:
        sources = [_with_quadrants(source) for source in sources]
    if choice.image_labels:
        sources.append(ImageLabelPlanes(images))
    if choice.colours:
        sources.append(ColourPlanes())
    if not sources:
        raise AuditError(
            "There are no label planes for these images.",
            "Add a folder of label planes, or take the colours or the image labels as concepts.",
        )
    return LabelPlanes(sources, frame, choice.resolution)


def _root(project: Project, image_set: int | None) -> Path:
    assert image_set is not None
    return project.image_set_root(image_set)


def _with_quadrants(source: PlaneSource) -> PlaneSource:
    has_objects = any(concept.category == "object" for concept in source.concepts)
    return QuadrantPlanes(source) if has_objects else source


def _folders(project: Project, image_set: int | None, wanted: str) -> list[tuple[str, str, Path]]:
    """(name, kind, folder) of the label planes asked for by name, or of all that belong to the
    images: their own layout first."""
    found: dict[str, tuple[str, str, Path]] = {}
    own = find_broden(_root(project, image_set))
    if own is not None:
        name = project.value("SELECT name FROM image_set WHERE id = ?", (image_set,))
        found[name] = (name, "broden", own)
    for row in project.rows(
        "SELECT id, name, kind FROM label_plane_source WHERE image_set IS NULL OR image_set = ?"
        " ORDER BY id",
        (image_set,),
    ):
        root = project.label_planes_root(row["id"])
        if own is None or root != own:
            found[row["name"]] = (row["name"], row["kind"], root)
    names = split_names(wanted)
    unknown = [name for name in names if name not in found]
    if unknown:
        known = ", ".join(found)
        raise AuditError(
            f"There are no label planes “{unknown[0]}” for these images.",
            f"There are {known}." if known else "Add a folder of label planes first.",
        )
    return [found[name] for name in names] if names else list(found.values())
