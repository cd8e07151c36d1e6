"""Changes of a composed report that can be taken back; see `app/undo.py`. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from analysis.errors import AuditError
from analysis.project import Project
from app.undo import Edited


@dataclass(frozen=True)
class ReportEdited:
    """A report as it stands after a step; `own`: the composer shows it so already."""

    number: int
    name: str
    composition: Mapping[str, Any]
    own: bool = False


def change_report(
    number: int, name: str, composition: Mapping[str, Any], own: bool, project: Project
) -> Edited:
    """Replace a report's name and blocks."""
    old = next((one for one in project.reports() if one.id == number), None)
    if old is None:
        raise AuditError("This report has been removed.", "Begin it again from a template.")
    project.change_report(number, name, composition)
    back = partial(change_report, number, old.name, old.composition, False)
    return Edited(back, ReportEdited(number, name, composition, own))
