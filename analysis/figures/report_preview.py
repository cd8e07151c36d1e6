"""The pages of a report while it is composed: what is there at once, the rest as it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.figures.report_build import build_document
from analysis.figures.report_composition import Composition
from analysis.figures.report_pictures import ReportPictures

if TYPE_CHECKING:
    from analysis.figures.report_print import ReportPrinter
    from analysis.project import Project

_DPI = 110  # of photographs: enough for a screen, and a quarter of the memory
_FIRST_SECONDS = 0.7
_NEXT_SECONDS = 2.0


@dataclass(frozen=True)
class ReportPages:
    """Every page as a PNG.

    :param missing: how many figures are not drawn yet.
    :param starts: on which page, from 1 on, each block begins, by its id.
    """

    pages: tuple[bytes, ...]
    missing: int = 0
    starts: Mapping[int, int] = field(default_factory=dict)


class ReportPreview:
    """Sets the pages of a project's report again and again; used by one thread at a time."""

    def __init__(self) -> None:
        self._pictures = ReportPictures(_DPI)
        self._printer: ReportPrinter | None = None
        self._unfinished: Composition | None = None  # asked for last, and figures are missing

    def pages(
        self, project: Project, composition: Composition, pixels_per_inch: float
    ) -> ReportPages:
        """The pages with the figures that are drawn so far; ask again while some are missing."""
        from analysis.figures.report_print import ReportPrinter

        again = composition == self._unfinished
        seconds = _NEXT_SECONDS if again else _FIRST_SECONDS
        document = build_document(project, composition, self._pictures, seconds)
        missing = self._pictures.missing
        self._unfinished = composition if missing else None
        if self._printer is None:
            self._printer = ReportPrinter(apart=True)
        pages, starts = self._printer.pages(document, pixels_per_inch)
        return ReportPages(pages, missing, starts)

    def close(self) -> None:
        """End the process that sets the pages, and remove the temporary files."""
        if self._printer is not None:
            self._printer.close()
            self._printer = None
