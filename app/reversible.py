"""Steps that can be taken back: each changes the project and returns how; see `app/undo.py`.

No Qt here. What is said about a step's project holds for its way back as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox, Kind, Role, StoredExample
from analysis.project.findings import Finding, FindingPicture
from app.project_edits import clean_name
from app.undo import Edited, Step


# -- names -------------------------------------------------------------------------------------
def rename_model(old: str, new: str, project: Project) -> Edited:
    """Give a model another name; the results of its runs follow."""
    return _rename_model(old, clean_name(new), project)


def _rename_model(old: str, new: str, project: Project) -> Edited:
    project.rename_model(old, new)
    return Edited(partial(_rename_model, new, old), renamed=(old, new))


def rename_run(run: int, new: str, project: Project) -> Edited:
    """Give a run another name."""
    return _rename_run(run, clean_name(new), project)


def _rename_run(run: int, new: str | None, project: Project) -> Edited:
    row = project.row("SELECT name FROM run WHERE id = ?", (run,))
    if row is None:
        raise AuditError("The run has been removed.", "Its name cannot be changed any more.")
    with project.transaction() as connection:
        connection.execute("UPDATE run SET name = ? WHERE id = ?", (new, run))
    return Edited(partial(_rename_run, run, row["name"]))


def rename_concept(number: int, new: str, project: Project) -> Edited:
    """Give a concept another name; results keep the one that they were made under."""
    return _rename_concept(number, clean_name(new), project)


def _rename_concept(number: int, new: str, project: Project) -> Edited:
    old = project.value("SELECT name FROM concept_set WHERE id = ?", (number,))
    project.rename_concept_set(number, new)
    return Edited(partial(_rename_concept, number, old))


# -- slices ------------------------------------------------------------------------------------
def add_slice(
    name: str,
    images: Iterable[int],
    origin: str,
    number: int | None,
    created: str,
    project: Project,
) -> Edited:
    """Add a slice of the images; the answer is its id.

    :param number, created: of a slice that comes back; None and empty for a new one.
    """
    kept = frozenset(images)
    given = name if created else clean_name(name)
    new = project.add_image_slice(given, kept, origin, number, created)
    return Edited(partial(remove_slice, new), new)


def remove_slice(number: int, project: Project) -> Edited:
    """Forget a slice; its images stay."""
    old = next((one for one in project.image_slices() if one.id == number), None)
    if old is None:
        raise AuditError("The project has no such slice.", "It may have been removed.")
    images = project.slice_images(number)
    project.remove_image_slice(number)
    return Edited(partial(add_slice, old.name, images, old.origin, number, old.created))


def rename_slice(number: int, new: str, project: Project) -> Edited:
    """Give a slice another name."""
    return _rename_slice(number, clean_name(new), project)


def _rename_slice(number: int, new: str, project: Project) -> Edited:
    old = project.value("SELECT name FROM image_slice WHERE id = ?", (number,))
    project.rename_image_slice(number, new)
    return Edited(partial(_rename_slice, number, old))


# -- concepts given by examples ----------------------------------------------------------------
def add_concept(
    name: str,
    kind: Kind,
    folder: Path | None,
    label: str | None,
    category: str | None,
    project: Project,
) -> Edited:
    """Add a concept given by examples; the answer is its id."""
    number = project.add_concept_set(clean_name(name), kind, folder, label, category)
    return Edited(partial(remove_concept, number), number)


def save_as_concept(name: str, boxes: Sequence[ExampleBox], project: Project) -> Edited:
    """Make a concept of patches; the answer is how many it has."""
    number = project.add_concept_set(clean_name(name), "patches", examples=boxes)
    return Edited(partial(remove_concept, number), len(project.concept_examples(number)))


def remove_concept(number: int, project: Project) -> Edited:
    """Forget a concept and its examples; results stay."""
    old = project.row("SELECT * FROM concept_set WHERE id = ?", (number,))
    if old is None:
        raise AuditError("The project has no such concept.", "It may have been removed.")
    kept = {key: old[key] for key in ("id", "name", "kind", "label", "category", "created")}
    kept["folder"] = project.concept_folder(number) if old["kind"] == "folder" else None
    examples = project.concept_examples(number)
    project.remove_concept_set(number)
    return Edited(partial(_restore_concept, kept, examples))


def _restore_concept(
    kept: Mapping[str, Any], examples: Sequence[StoredExample], project: Project
) -> Edited:
    with project.transaction():
        number = project.add_concept_set(**kept)
        project.restore_concept_examples(examples)
    return Edited(partial(remove_concept, number), number)


def add_examples(number: int, boxes: Sequence[ExampleBox], role: Role, project: Project) -> Edited:
    """Add patches to a concept; the answer is how many are new."""
    add = partial(Project.add_concept_examples, concept_set=number, examples=boxes, role=role)
    return _change_examples({number}, add, project)


def remove_examples(examples: Sequence[int], project: Project) -> Edited:
    """Forget examples of a concept, by their ids."""
    remove = partial(Project.remove_concept_examples, examples=examples)
    return _change_examples(_concepts_of(examples, project), remove, project)


def turn_examples(examples: Sequence[int], project: Project) -> Edited:
    """Make examples of a concept negatives, and negatives examples, by their ids."""
    turn = partial(Project.turn_concept_examples, examples=examples)
    return _change_examples(_concepts_of(examples, project), turn, project)


def _exchange_examples(
    gone: frozenset[StoredExample], back: frozenset[StoredExample], project: Project
) -> Edited:
    def exchange(project: Project) -> None:
        project.remove_concept_examples([one.id for one in gone])
        project.restore_concept_examples(back)

    return _change_examples({one.concept_set for one in gone | back}, exchange, project)


def _change_examples(
    concepts: Iterable[int], change: Callable[[Project], Any], project: Project
) -> Edited:
    """Whatever a change makes of the examples of these concepts goes back as it was."""

    def kept() -> frozenset[StoredExample]:
        return frozenset(one for number in concepts for one in project.concept_examples(number))

    with project.transaction():
        before = kept()
        change(project)
        after = kept()
    new, lost = after - before, before - after
    return Edited(partial(_exchange_examples, new, lost), len(new), changed=bool(new or lost))


def _concepts_of(examples: Sequence[int], project: Project) -> set[int]:
    query = "SELECT concept_set FROM concept_example WHERE id = ?"
    found = (project.value(query, (one,)) for one in examples)
    return {number for number in found if number is not None}


# -- findings ----------------------------------------------------------------------------------
def add_finding(finding: Finding, picture: FindingPicture | None, project: Project) -> Edited:
    """Write a finding; the answer is its id. One with an id comes back as it was."""
    if finding.run is not None and project.row("SELECT 1 FROM run WHERE id = ?", (finding.run,)):
        kept = finding
    else:
        kept = replace(finding, run=None)
    number = project.add_finding(kept, picture)
    return Edited(partial(remove_finding, number), number)


def remove_finding(number: int, project: Project) -> Edited:
    """Forget a finding and its picture."""
    finding, picture = project.finding(number), project.finding_picture(number)
    project.remove_finding(number)
    return Edited(partial(add_finding, finding, picture))


def remove_findings(numbers: tuple[int, ...], project: Project) -> Edited:
    """Forget several findings, all or none."""
    with project.transaction():
        backs = [remove_finding(number, project).back for number in numbers]
    return Edited(partial(_bring_back, tuple(backs), numbers))


def _bring_back(backs: tuple[Step, ...], numbers: tuple[int, ...], project: Project) -> Edited:
    with project.transaction():
        for back in backs:
            back(project)
    return Edited(partial(remove_findings, numbers))


def change_finding(finding: Finding, project: Project) -> Edited:
    """Replace what a finding says; its picture, its place and its date stay."""
    before = project.finding(finding.id)
    project.change_finding(finding)
    return Edited(partial(change_finding, before), finding.id)
