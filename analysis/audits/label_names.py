"""The labels that the label planes of a project know, without looking at a single image."""

from __future__ import annotations

from pathlib import Path

from analysis.errors import AuditError
from analysis.project import Project
from analysis.segmentation.broden import find_broden, open_broden
from analysis.segmentation.masks import open_masks


def label_names(project: Project) -> tuple[tuple[str, str], ...]:
    """Name and category of every label, in alphabetical order.

    Of the image sets' own layouts and of the folders added as label planes; a folder that is gone
    or cannot be read has none.
    """
    found: set[tuple[str, str]] = set()
    for row in project.rows("SELECT id FROM image_set ORDER BY id"):
        own = find_broden(project.image_set_root(row["id"]))
        if own is not None:
            found.update(_labels("broden", own))
    for row in project.rows("SELECT id, kind FROM label_plane_source ORDER BY id"):
        found.update(_labels(row["kind"], project.label_planes_root(row["id"])))
    return tuple(sorted(found, key=lambda label: (label[0].casefold(), label)))


def _labels(kind: str, folder: Path) -> set[tuple[str, str]]:
    try:
        planes = open_broden(folder) if kind == "broden" else open_masks(folder, folder)
    except (AuditError, OSError):
        return set()
    return {(concept.name, concept.category) for concept in planes.concepts}
