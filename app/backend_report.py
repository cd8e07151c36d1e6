"""The part of the door to the analysis that composes reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import AuditError
from analysis.figures.report_composition import (
    Composition,
    composition_from_json,
    composition_to_json,
)
from analysis.figures.report_names import ReportNames
from analysis.project import Project


@dataclass(frozen=True)
class ReportEntry:
    """A report that the project keeps."""

    id: int
    name: str


@dataclass(frozen=True)
class NewReport:
    """A report that the project does not keep yet; its name is free."""

    name: str
    template: str
    composition: Mapping[str, Any]


@dataclass(frozen=True)
class OpenReport:
    """The project's reports, and the one that is on the screen.

    :param templates: name, title and description of each.
    :param entry: None: it is not kept in the project.
    :param notes: what of it could not be read.
    """

    reports: tuple[ReportEntry, ...]
    names: ReportNames
    templates: tuple[tuple[str, str, str], ...] = ()
    entry: ReportEntry | None = None
    composition: Composition | None = None
    notes: tuple[str, ...] = ()


class ReportBackend:
    """Reads, makes and writes composed reports."""

    def open_report(self, project: Project, number: int | None) -> OpenReport:
        """The report with this id, else the first one; without any, none."""
        from analysis.figures.report_offer import report_names
        from analysis.figures.report_templates import TEMPLATES

        stored = project.reports()
        entries = tuple(ReportEntry(one.id, one.name) for one in stored)
        names = report_names(project)
        templates = tuple((one.name, one.title, one.description) for one in TEMPLATES.values())
        chosen = next((one for one in stored if one.id == number), stored[0] if stored else None)
        if chosen is None:
            return OpenReport(entries, names, templates)
        try:
            composition, notes = composition_from_json(chosen.composition)
        except AuditError as error:
            composition, notes = Composition(chosen.name), (str(error),)
        entry = ReportEntry(chosen.id, chosen.name)
        return OpenReport(entries, names, templates, entry, composition, notes)

    def template_report(
        self, project: Project, template: str | None, models: Sequence[str]
    ) -> Composition:
        """The composition of a template; None: the one that fits best."""
        from analysis.figures.report_templates import template_composition

        return template_composition(project, template, models)

    def new_report(
        self, template: str | None, models: Sequence[str], project: Project
    ) -> NewReport:
        """A new report made by a template, to be kept in the project."""
        from analysis.figures.report_templates import TEMPLATES, best_template

        chosen = template or best_template(project)
        composition = self.template_report(project, template, models)
        taken = {one.name for one in project.reports()}
        name = title = TEMPLATES[chosen].title
        number = 1
        while name in taken:
            number += 1
            name = f"{title} {number}"
        return NewReport(name, chosen, composition_to_json(composition))

    def report_offer(self, project: Project) -> Any:
        """What can be added to a report; see `analysis.figures.report_offer`."""
        from analysis.figures import report_offer

        return report_offer.report_offer(project)

    def report_preview(self) -> Any:
        """Something whose `pages(project, composition, pixels per inch)` are a report's pages."""
        from analysis.figures.report_preview import ReportPreview

        return ReportPreview()

    def write_report(self, project: Project, out: Path, composition: Composition | None) -> None:
        """Write a report as .html or .pdf; without a composition, what fits best."""
        from analysis.figures import report

        report.write_report(project, out, composition, apart=True)
