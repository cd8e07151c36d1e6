"""What is done to composed reports and can be taken back; see `app/undo.py`. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.reports import StoredReport
from app.backend_report import NewReport
from app.undo import Edited


@dataclass(frozen=True)
class ReportEdited:
    """A report as it stands after a step; `own`: the composer shows it so already."""

    number: int
    name: str
    composition: Mapping[str, Any]
    own: bool = False


@dataclass(frozen=True)
class ReportAdded:
    """A report is there that was not, or is there again."""

    number: int


@dataclass(frozen=True)
class ReportRemoved:
    """A report is there no more."""

    number: int


def add_report(make: Callable[[Project], NewReport], project: Project) -> Edited:
    """Keep a new report; `make` composes it."""
    new = make(project)
    number = project.add_report(new.name, new.template, new.composition)
    return Edited(partial(remove_report, number), ReportAdded(number))


def remove_report(number: int, project: Project) -> Edited:
    """Forget a composed report; files written from it stay."""
    old = _stored(number, project)
    project.remove_report(number)
    return Edited(partial(_restore_report, old), ReportRemoved(number))


def _restore_report(old: StoredReport, project: Project) -> Edited:
    number = project.add_report(
        old.name, old.template, old.composition, old.id, old.created, old.changed
    )
    return Edited(partial(remove_report, number), ReportAdded(number))


def change_report(
    number: int, name: str, composition: Mapping[str, Any], own: bool, project: Project
) -> Edited:
    """Replace a report's name and blocks."""
    old = _stored(number, project)
    project.change_report(number, name, composition)
    back = partial(change_report, number, old.name, old.composition, False)
    return Edited(back, ReportEdited(number, name, composition, own))


def _stored(number: int, project: Project) -> StoredReport:
    old = next((one for one in project.reports() if one.id == number), None)
    if old is None:
        raise AuditError("This report has been removed.", "Begin it again from a template.")
    return old
