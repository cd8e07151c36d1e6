"""What can stand in a report on a project: figures, findings, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import AuditError
from analysis.figures.export import FIGURES, prepare_figure
from analysis.figures.report_composition import (
    Block,
    ChapterBlock,
    DetailsBlock,
    FigureBlock,
    FindingBlock,
    TableBlock,
)
from analysis.figures.report_content import run_section
from analysis.figures.report_findings import VERDICT_SIGNS
from analysis.figures.report_names import GENERAL, ReportNames
from analysis.figures.report_templates import picture_block
from analysis.figures.words import plain
from analysis.project.schema import RESULT_TABLES

if TYPE_CHECKING:
    from analysis.project import Project


@dataclass(frozen=True)
class Offered:
    """One thing that can be added, as lists name it."""

    title: str
    block: Block


@dataclass(frozen=True)
class OfferedGroup:
    """Things that belong together: of one run, or of one kind; `run`: whose they are."""

    title: str
    entries: tuple[Offered, ...]
    run: int | None = None


def report_offer(project: Project) -> tuple[OfferedGroup, ...]:
    """Everything that can be added to a report, by kind and by run."""
    findings = tuple(
        Offered(f"{VERDICT_SIGNS[one.verdict]} {plain(one.title)}", FindingBlock(finding=one.id))
        for one in project.findings()
    )
    general = tuple(Offered(title, kind()) for kind, title in GENERAL.items())
    groups = [OfferedGroup("Texts and overviews", general)]
    if findings:
        groups.append(OfferedGroup("Findings", findings))
    for run in project.rows("SELECT * FROM run ORDER BY id DESC"):
        entries = _of_run(project, run)
        if entries:
            groups.append(
                OfferedGroup(f"{plain(run['name'])} (run {run['id']})", entries, run["id"])
            )
    return tuple(groups)


def _of_run(project: Project, run: Any) -> tuple[Offered, ...]:
    """A run's chapter, its usual figures, the other figures it can give, and its tables."""
    number = run["id"]
    try:
        section, _ = run_section(project, run)
    except AuditError:
        return ()
    entries = [
        Offered("Chapter: results, and how to read them", ChapterBlock(run=number)),
        Offered("Tables of results and parameters", DetailsBlock(run=number)),
    ]
    entries += [
        Offered(f"Figure: {FIGURES[picture.figure].title}{_detail(picture.caption)}", block)
        for picture in section.pictures
        for block in (picture_block(picture),)
    ]
    usual = {picture.figure for picture in section.pictures}
    for definition in FIGURES.values():
        of_run = run["audit"] in (definition.audit, *definition.more_audits)
        if of_run and definition.name not in usual and _can_show(project, definition.name, number):
            block = FigureBlock(figure=definition.name, run=number)
            entries.append(Offered(f"Figure: {definition.title}", block))
    entries += [
        Offered(f"Table: {table}", TableBlock(table=table, run=number))
        for table in RESULT_TABLES
        if project.value(f"SELECT 1 FROM {table} WHERE run = ? LIMIT 1", (number,))
    ]
    return tuple(entries)


def _detail(caption: str) -> str:
    """What tells two figures of one kind apart."""
    return f" · {caption}" if caption else ""


def _can_show(project: Project, figure: str, run: int) -> bool:
    try:
        prepare_figure(project, figure, run)
    except AuditError:
        return False
    return True


def report_names(project: Project) -> ReportNames:
    """The names that a list of blocks is labelled with."""
    return ReportNames(
        runs={row["id"]: plain(row["name"]) for row in project.rows("SELECT id, name FROM run")},
        findings={one.id: plain(one.title) for one in project.findings()},
        figures={name: definition.title for name, definition in FIGURES.items()},
    )
