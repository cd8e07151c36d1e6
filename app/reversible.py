"""Steps that can be taken back: each changes the project and returns how; see `app/undo.py`.

No Qt here. What is said about a step's project holds for its way back as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from analysis.errors import AuditError
from analysis.project import Project
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
