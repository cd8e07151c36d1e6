"""Edits a practitioner makes to a project's lists; each is committed at once. No Qt here."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox, Kind, Role

_NAME_LIMIT = 200


def clean_name(text: str, taken: frozenset[str] = frozenset()) -> str:
    """The name without outer spaces.

    :raises AuditError: it is empty, too long, has control characters or is taken.
    """
    name = text.strip()
    if not name:
        raise AuditError("The name is empty.", "Type a name.")
    if len(name) > _NAME_LIMIT:
        raise AuditError(
            f"The name has {len(name)} characters.", f"Use at most {_NAME_LIMIT} characters."
        )
    if any(not character.isprintable() for character in name):
        raise AuditError("The name has characters that cannot be shown.", "Remove them.")
    if name in taken:
        raise AuditError(f"“{name}” is already in this project.", "Choose another name.")
    return name


def rename_model(project: Project, old: str, new: str) -> None:
    """Give a model another name; the results of its runs follow."""
    taken = frozenset(row["name"] for row in project.rows("SELECT name FROM model")) - {old}
    project.rename_model(old, clean_name(new, taken))


def rename_run(project: Project, run: int, new: str) -> None:
    """Give a run another name."""
    name = clean_name(new)
    with project.transaction() as connection:
        connection.execute("UPDATE run SET name = ? WHERE id = ?", (name, run))


def remove_run(project: Project, run: int) -> None:
    """Remove a run with all its results."""
    project.delete_run(run)


def save_as(project: Project, path: Path) -> None:
    """Write the project to another file and go on with that one."""
    project.save_as(path)


def save_copy(project: Project, path: Path) -> None:
    """Write the project to another file and go on with this one."""
    project.save_copy(path)


def remove_model(project: Project, name: str) -> None:
    """Remove a model that no run uses.

    :raises AuditError: a run uses it.
    """
    project.remove_model(name)


def remove_image_set(project: Project, number: int) -> None:
    """Remove an image set that no run uses; the image files stay where they are.

    :raises AuditError: a run uses it.
    """
    try:
        with project.transaction() as connection:
            connection.execute("DELETE FROM image_set WHERE id = ?", (number,))
    except sqlite3.IntegrityError as error:
        raise AuditError(
            "This image set is used by a run.", "Remove the runs that use it first."
        ) from error


def remove_label_planes(project: Project, number: int) -> None:
    """Forget a folder of label planes; its files stay where they are."""
    with project.transaction() as connection:
        connection.execute("DELETE FROM label_plane_source WHERE id = ?", (number,))


def add_concept(
    project: Project,
    name: str,
    kind: Kind = "patches",
    folder: Path | None = None,
    label: str | None = None,
    category: str | None = None,
) -> int:
    """Add a concept given by examples; returns its id.

    :raises AuditError: the name is taken, or the kind lacks what it needs.
    """
    return project.add_concept_set(clean_name(name), kind, folder, label, category)


def save_as_concept(project: Project, name: str, boxes: Sequence[ExampleBox]) -> int:
    """Make a concept of patches; returns how many it has."""
    number = project.add_concept_set(clean_name(name), "patches", examples=boxes)
    return int(
        project.value("SELECT count(*) FROM concept_example WHERE concept_set = ?", (number,))
    )


def add_to_concept(project: Project, number: int, boxes: Sequence[ExampleBox], role: Role) -> int:
    """Add patches to a concept; returns how many are new."""
    return project.add_concept_examples(number, boxes, role)


def rename_concept(project: Project, number: int, name: str) -> None:
    """Give a concept another name; results keep the one that they were made under."""
    project.rename_concept_set(number, clean_name(name))


def remove_concept(project: Project, number: int) -> None:
    """Forget a concept and its examples; results stay."""
    project.remove_concept_set(number)


def remove_examples(project: Project, examples: Sequence[int]) -> None:
    """Forget examples of a concept, by their ids."""
    project.remove_concept_examples(examples)


def turn_examples(project: Project, examples: Sequence[int]) -> None:
    """Make examples of a concept negatives, and negatives examples, by their ids."""
    project.turn_concept_examples(examples)
