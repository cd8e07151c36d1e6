"""A report as it is read: headings, text, numbered figures and tables, in order.

The same document becomes a web page (`report_page`) or printed pages (`report_print`).
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.figures.report_parts import ReportTable


@dataclass(frozen=True)
class Heading:
    """A heading; `level` 1 begins a chapter and stands in the contents."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True)
class NumberedFigure:
    """A picture with its caption; without data it is still being drawn.

    :param format: svg, jpeg or png.
    :param width: percent of the type area.
    :param text: what it shows in words.
    """

    number: int
    format: str
    data: bytes
    caption: str
    text: str
    width: int = 100


@dataclass(frozen=True)
class NumberedTable:
    """`widths`: of the columns in print as shares; empty: as their contents need.

    :param quiet: of settings rather than results: small, and folded on a web page.
    """

    number: int
    caption: str
    table: ReportTable
    widths: tuple[int, ...] = ()
    quiet: bool = False


@dataclass(frozen=True)
class FindingCard:
    """A judgement with its picture (PNG; empty without one).

    :param sign: the verdict's shape, beside its word.
    """

    title: str
    verdict: str
    sign: str
    severity: str
    tags: tuple[str, ...]
    where: str
    note: tuple[str, ...]
    picture: bytes
    picture_text: str
    recorded: str


@dataclass(frozen=True)
class Lines:
    """Command lines."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """Why something that belongs here cannot be shown."""

    text: str


Part = Heading | Paragraph | Bullets | NumberedFigure | NumberedTable | FindingCard | Lines | Notice


@dataclass(frozen=True)
class ReportDocument:
    """The whole report.

    :param facts: on the title page: a word and a number or name each.
    :param starts: which part begins which block of the composition: place and block's id.
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    written_by: str
    starts: tuple[tuple[int, int], ...] = ()
