"""What a report says of a project, before it is laid out."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.figures import report_words
from analysis.figures.report_build import build_document
from analysis.figures.report_content import reported_runs, run_section
from analysis.figures.report_page import report_page
from analysis.figures.report_parts import Section
from analysis.figures.report_print import report_print
from analysis.figures.report_templates import template_composition
from analysis.project import Project


@dataclass(frozen=True)
class Content:
    """The chapters of the newest runs with their sentences, and what is said of all of them."""

    sections: tuple[Section, ...]
    summary: tuple[str, ...]
    limits: tuple[str, ...]
    commands: tuple[str, ...]


def page_and_print(project: Project) -> tuple[str, bytes]:
    """The report on all that a project holds as a web page and as a PDF, drawn once."""
    document = build_document(project, template_composition(project))
    return report_page(document).decode(), report_print(document)


def report_content(project: Project) -> Content:
    runs = reported_runs(project)
    found = [run_section(project, run) for run in runs]
    return Content(
        tuple(section for section, _ in found),
        tuple(sentence for _, sentence in found),
        report_words.limits({run["audit"] for run in runs}),
        report_words.commands(project, runs),
    )
