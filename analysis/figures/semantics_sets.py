"""Concepts that the user gives by examples, read from a project file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.errors import AuditError
from analysis.figures.semantics_data import ConceptExample, ConceptSetInfo
from analysis.figures.words import count, plain, shorten_left

if TYPE_CHECKING:
    from analysis.project import Project

_LONGEST_SOURCE = 80
_FURTHEST = 1 << 24  # pixels; no image has as many along a side


def concept_sets(project: Project) -> tuple[ConceptSetInfo, ...]:
    """Every concept given by examples, in the order in which they were added."""
    amounts = {
        (row["concept_set"], row["role"]): (row["examples"], row["images"])
        for row in project.rows(
            "SELECT concept_set, role, COUNT(*) AS examples, COUNT(DISTINCT image) AS images"
            " FROM concept_example GROUP BY concept_set, role"
        )
    }
    found = []
    for row in project.rows("SELECT * FROM concept_set ORDER BY id"):
        positives, images = amounts.get((row["id"], "positive"), (0, 0))
        negatives, _ = amounts.get((row["id"], "negative"), (0, 0))
        by_patches = row["kind"] == "patches"
        found.append(
            ConceptSetInfo(
                id=row["id"],
                name=row["name"],
                kind=row["kind"],
                source=_source_words(row, positives, images),
                positives=positives if by_patches else None,
                negatives=negatives or None,
            )
        )
    return tuple(found)


def _source_words(row: Any, patches: int, images: int) -> str:
    if row["kind"] == "folder":
        folder = shorten_left(plain(row["source"] or ""), _LONGEST_SOURCE)
        return f"pictures in {folder}" if folder else "pictures of a folder"
    if row["kind"] == "labels":
        category = f" ({plain(row['category'])})" if row["category"] else ""
        return f"regions labelled “{plain(row['label'] or '')}”{category}"
    if not patches:
        return "no patches yet"
    return f"{count(patches, 'patch', 'patches')} of {count(images, 'image')}"


def concept_examples(project: Project, concept_set: int) -> tuple[ConceptExample, ...]:
    """The patches kept of a concept, positives first, in the order in which they were added.

    Boxes that lie in no image are left out. Raises AuditError for an unknown concept.
    """
    if project.value("SELECT 1 FROM concept_set WHERE id = ?", (concept_set,)) is None:
        raise AuditError("The project has no such concept.", "Choose another one.")
    return tuple(
        ConceptExample(number, image, (x, y, width, height), role, plain(path))
        for number, image, x, y, width, height, role, path in project.rows(
            "SELECT example.id, example.image, example.x, example.y, example.width,"
            " example.height, example.role, image.path"
            " FROM concept_example AS example JOIN image ON image.id = example.image"
            " WHERE concept_set = ? AND min(example.x, example.y) >= 0"
            " AND min(example.width, example.height) >= 1"
            " AND max(example.x, example.y, example.width, example.height) <= ?"
            " ORDER BY example.role DESC, example.id",
            (concept_set, _FURTHEST),
        )
    )
