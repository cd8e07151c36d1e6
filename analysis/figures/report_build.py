"""From a composition to a document: reads what its blocks refer to, and draws its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import analysis
from analysis.errors import AuditError
from analysis.figures import report_words
from analysis.figures.export import FIGURES
from analysis.figures.readers import run_row
from analysis.figures.report_composition import (
    AppendixBlock,
    Block,
    ChapterBlock,
    Composition,
    DetailsBlock,
    FigureBlock,
    FindingBlock,
    FindingsBlock,
    LeftOutBlock,
    LimitsBlock,
    ModelsBlock,
    SummaryBlock,
    TableBlock,
    TextBlock,
)
from analysis.figures.report_content import (
    images_table,
    models_table,
    problems_table,
    run_section,
    runs_table,
)
from analysis.figures.report_document import (
    Bullets,
    Heading,
    Lines,
    Notice,
    NumberedFigure,
    NumberedTable,
    Paragraph,
    Part,
    ReportDocument,
)
from analysis.figures.report_findings import (
    finding_card,
    findings_sentence,
    paragraphs,
    worst_first,
)
from analysis.figures.report_parts import ReportTable, Section
from analysis.figures.report_pictures import ReportPictures
from analysis.figures.report_tables import project_table
from analysis.figures.words import plain

if TYPE_CHECKING:
    from analysis.project import Project

_WIDTHS_OF_MODELS = (12, 20, 8, 18)
_WIDTHS_OF_IMAGES = (10, 10, 6, 6, 6, 20)
_WIDTHS_OF_RUNS = (4, 9, 16, 6, 9, 6, 11)
_AGAIN = (
    "FOLDER stands for the folder of the images; weights files are named without their folder. The"
    " same weights and images (compare the hashes above) give the same numbers."
)


def build_document(
    project: Project,
    composition: Composition,
    pictures: ReportPictures | None = None,
    seconds: float | None = None,
) -> ReportDocument:
    """The document that a composition describes.

    :param pictures: what has been drawn already, and takes what is drawn now.
    :param seconds: how long figures are drawn; None: until all are.
    What cannot be shown (a run that was removed, a figure without data) is said in its place.
    """
    pictures = pictures or ReportPictures()
    pictures.begin(seconds)
    return _Builder(project, composition, pictures).document()


class _Builder:
    """Makes one document: counts figures and tables, and reads each chapter once."""

    def __init__(
        self, project: Project, composition: Composition, pictures: ReportPictures
    ) -> None:
        self._project = project
        self._composition = composition
        self._pictures = pictures
        self._sections: dict[int, tuple[Section, str]] = {}
        self._findings = {one.id: one for one in project.findings()}
        self._figures = 0
        self._tables = 0
        self._parts: list[Part] = []

    def document(self) -> ReportDocument:
        starts: list[tuple[int, int]] = []
        for block in self._composition.blocks:
            begun = len(self._parts)
            starts.append((begun, block.id))
            try:
                _MAKERS[type(block)](self, block)
            except AuditError as error:
                del self._parts[begun:]
                self._parts.append(Notice(plain(str(error))))
        title = plain(self._composition.title) or plain(self._project.name)
        return ReportDocument(
            title=title,
            subtitle=plain(self._composition.subtitle),
            facts=self._facts(),
            parts=tuple(self._parts),
            starts=tuple((part, number) for part, number in starts if part < len(self._parts)),
            written_by=f"Parallax {analysis.__version__}",
        )

    def _facts(self) -> tuple[tuple[str, str], ...]:
        project = self._project
        models = [name for (name,) in project.rows("SELECT name FROM model ORDER BY position, id")]
        sets = project.rows("SELECT name FROM image_set ORDER BY id")
        images = project.value("SELECT COUNT(*) FROM image")
        audits = dict.fromkeys(
            run_row(project, run)["audit"] for run in self._known(self._composition.all_runs())
        )
        results = project.value("SELECT MAX(finished) FROM run WHERE state = 'done'")
        listed = ", ".join(plain(name) for name in models)
        facts = [
            ("Project", plain(project.name)),
            ("Models", listed if len(models) <= 4 else f"{len(models)} models"),
            ("Images", f"{images:,} in {', '.join(plain(name) for (name,) in sets) or 'no set'}"),
            ("Audits", ", ".join(plain(audit) for audit in audits)),
            ("Findings", f"{len(self._findings):,}" if self._findings else ""),
            ("Results up to", plain(results or "")[:10]),
        ]
        return tuple((word, text) for word, text in facts if text)

    def _known(self, runs: tuple[int, ...]) -> list[int]:
        known = {number for (number,) in self._project.rows("SELECT id FROM run")}
        return [run for run in runs if run in known]

    def _section(self, run: int) -> tuple[Section, str]:
        if run not in self._sections:
            self._sections[run] = run_section(self._project, run_row(self._project, run))
        return self._sections[run]

    # -- parts ---------------------------------------------------------------------------------
    def _add_table(
        self,
        caption: str,
        table: ReportTable,
        widths: tuple[int, ...] = (),
        quiet: bool = False,
    ) -> None:
        self._tables += 1
        self._parts.append(NumberedTable(self._tables, caption, table, widths, quiet))

    def summary(self, _block: SummaryBlock) -> None:
        self._parts.append(Heading("Summary"))
        for run in self._composition.runs():
            try:
                self._parts.append(Paragraph(self._section(run)[1]))
            except AuditError:
                continue  # the chapter itself says why
        if self._findings:
            self._parts.append(Paragraph(findings_sentence(list(self._findings.values()))))

    def models(self, _block: ModelsBlock) -> None:
        project = self._project
        self._parts.append(Heading("Models and images"))
        self._add_table("Models", models_table(project), _WIDTHS_OF_MODELS)
        images = images_table(project)
        if images.rows:
            self._add_table("Image sets", images, _WIDTHS_OF_IMAGES)
        self._add_table("Runs of this project", runs_table(project), _WIDTHS_OF_RUNS)

    def chapter(self, block: ChapterBlock) -> None:
        section = self._section(block.run)[0]
        self._parts.append(Heading(section.title))
        self._parts += [Paragraph(text) for text in section.paragraphs]
        self._parts.append(Heading("How to read it", 2))
        self._parts.append(Bullets(section.how_to_read))

    def details(self, block: DetailsBlock) -> None:
        section = self._section(block.run)[0]
        for one in section.tables:
            self._add_table(one.title, one.table, one.widths)
        caption = f"Parameters of run {block.run}: {section.title[:1].lower()}{section.title[1:]}"
        self._add_table(caption, section.parameters, (1, 2), quiet=True)

    def figure(self, block: FigureBlock) -> None:
        definition = FIGURES.get(block.figure)
        title = definition.title if definition is not None else plain(block.figure)
        drawn = self._pictures.picture(
            self._project, block.figure, block.run, block.parameters, block.width
        )
        caption = plain(block.caption) or title
        if drawn.problem:
            self._parts.append(Notice(f"{caption} {plain(drawn.problem)}"))
            return
        self._figures += 1
        text = plain(block.text) or (definition.description if definition is not None else title)
        self._parts.append(
            NumberedFigure(self._figures, drawn.format, drawn.data, caption, text, block.width)
        )

    def finding(self, block: FindingBlock) -> None:
        finding = self._findings.get(block.finding)
        if finding is None:
            raise AuditError("A finding that stood here has been removed from the project.")
        self._parts.append(finding_card(self._project, finding))
        if block.caption:
            self._parts.append(Paragraph(plain(block.caption), quiet=True))

    def findings(self, _block: FindingsBlock) -> None:
        elsewhere = {
            block.finding for block in self._composition.blocks if isinstance(block, FindingBlock)
        }
        rest = [one for number, one in self._findings.items() if number not in elsewhere]
        self._parts.append(Heading("Findings"))
        if not self._findings:
            self._parts.append(Paragraph("No findings have been recorded.", quiet=True))
        elif not rest:
            self._parts.append(Paragraph("All findings stand beside their figures.", quiet=True))
        self._parts += [finding_card(self._project, one) for one in worst_first(rest)]

    def table(self, block: TableBlock) -> None:
        table, said = project_table(self._project, block.table, block.run, block.rows)
        of_run = f", run {block.run}" if block.run is not None else ""
        self._add_table(plain(block.caption) or f"Table “{block.table}”{of_run}", table)
        if said:
            self._parts.append(Paragraph(said, quiet=True))

    def text(self, block: TextBlock) -> None:
        if block.heading.strip():
            self._parts.append(Heading(plain(block.heading), 1 if block.chapter else 2))
        self._parts += [Paragraph(text) for text in paragraphs(block.text)]

    def left_out(self, _block: LeftOutBlock) -> None:
        problems = problems_table(self._project)
        if problems.rows:
            self._parts.append(Heading("What was left out"))
            self._add_table("What could not be used", problems, (1, 2, 2))

    def limits(self, _block: LimitsBlock) -> None:
        runs = self._known(self._composition.all_runs())
        audits = {run_row(self._project, run)["audit"] for run in runs}
        self._parts.append(Heading("What these numbers cannot say"))
        items = report_words.limits(audits)
        self._parts.append(Bullets(items) if items else Paragraph("No audit is reported.", True))

    def appendix(self, _block: AppendixBlock) -> None:
        runs = [run_row(self._project, run) for run in self._known(self._composition.all_runs())]
        self._parts.append(Heading("Making it again"))
        self._parts.append(Paragraph(_AGAIN))
        self._parts.append(Lines(report_words.commands(self._project, runs)))


_MAKERS: Mapping[type[Block], Callable[[_Builder, Any], None]] = {
    SummaryBlock: _Builder.summary,
    ModelsBlock: _Builder.models,
    ChapterBlock: _Builder.chapter,
    DetailsBlock: _Builder.details,
    FigureBlock: _Builder.figure,
    FindingBlock: _Builder.finding,
    FindingsBlock: _Builder.findings,
    TableBlock: _Builder.table,
    TextBlock: _Builder.text,
    LeftOutBlock: _Builder.left_out,
    LimitsBlock: _Builder.limits,
    AppendixBlock: _Builder.appendix,
}
