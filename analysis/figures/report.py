"""A report on a project's audits and findings, as a web page or a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AuditError
from analysis.figures.files import write_atomically
from analysis.figures.report_build import build_document
from analysis.figures.report_composition import Composition, composition_from_json
from analysis.figures.report_templates import template_composition

if TYPE_CHECKING:
    from analysis.project import Project

REPORT_FORMATS = ("html", "pdf")


def write_report(
    project: Project,
    out: Path,
    composition: Composition | None = None,
    template: str | None = None,
    models: Sequence[str] = (),
    apart: bool = False,
) -> Path:
    """Write the report to `out` (.html, self-contained, or .pdf); returns `out`.

    :param composition: what stands in it; None: the template's, or without one everything that
        can be reported: the newest run with results of every audit and its models, and findings.
    :param template: comparison, family or single, about `models`; see `template_composition`.
    :param apart: a PDF is set in a process of its own, so that this one does not grow.
    The same project gives the same bytes.
    Raises AuditError for another suffix, a project without results, and a file that cannot be
    written; an existing file is replaced only by a whole one.
    """
    out = Path(out)
    format = out.suffix.lower().lstrip(".")
    if format not in REPORT_FORMATS:
        written = f"“{out.suffix}”" if out.suffix else "a name without a suffix"
        raise AuditError(
            f"A report cannot be written as {written}.", "End the file's name in .html or .pdf."
        )
    if composition is None:
        composition = template_composition(project, template, models)
    document = build_document(project, composition)
    if format == "html":
        from analysis.figures.report_page import report_page

        return write_atomically(out, report_page(document))
    from analysis.figures.report_print import report_print

    return write_atomically(out, report_print(document, apart))


def stored_composition(project: Project, name: str) -> tuple[Composition, tuple[str, ...]]:
    """A composed report of the project by its name, and what of it could not be read.

    Raises AuditError where there is none or it is damaged.
    """
    reports = project.reports()
    for report in reports:
        if report.name == name:
            return composition_from_json(report.composition)
    listed = ", ".join(report.name for report in reports)
    raise AuditError(
        f"The project has no report “{name}”.",
        f"Its reports are {listed}." if reports else "Compose one in the window first.",
    )
