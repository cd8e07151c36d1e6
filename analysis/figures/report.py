"""A report on a project's audits, as a web page or a PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AuditError
from analysis.figures.files import write_atomically
from analysis.figures.report_content import report_content

if TYPE_CHECKING:
    from analysis.project import Project

REPORT_FORMATS = ("html", "pdf")


def write_report(project: Project, out: Path) -> Path:
    """Write the report to `out` (.html, self-contained, or .pdf); returns `out`.

    It holds the newest run with results of every audit and its models: models and data with
    their hashes, parameters, figures, the most telling concepts with their patches, limits, and
    the command lines that make it again. The same project gives the same bytes.
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
    content = report_content(project)
    if format == "html":
        from analysis.figures.report_page import report_page

        return write_atomically(out, report_page(content))
    from analysis.figures.report_print import report_print

    return write_atomically(out, report_print(content))
