"""What the blocks of a composition are called in a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
from analysis.figures.words import plain, shorten

_LONGEST = 80

GENERAL: Mapping[type[Block], str] = {
    TextBlock: "Text of your own",
    SummaryBlock: "Summary",
    ModelsBlock: "Models and images",
    FindingsBlock: "All findings",
    LeftOutBlock: "What was left out",
    LimitsBlock: "What these numbers cannot say",
    AppendixBlock: "Making it again",
}
"""Blocks that need no choice, as lists offer them."""


@dataclass(frozen=True)
class ReportNames:
    """Names of runs and findings by id, and titles of figures by name."""

    runs: Mapping[int, str] = field(default_factory=dict)
    findings: Mapping[int, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)


def block_titles(composition: Composition, names: ReportNames) -> dict[int, str]:
    """A title of every block, by its id."""
    return {block.id: _title(block, names) for block in composition.blocks}


def _title(block: Block, names: ReportNames) -> str:
    if isinstance(block, ChapterBlock):
        return f"Chapter · {_run(block.run, names)}"
    if isinstance(block, DetailsBlock):
        return f"Details · {_run(block.run, names)}"
    if isinstance(block, FigureBlock):
        title = names.figures.get(block.figure, plain(block.figure))
        return f"Figure · {shorten(plain(block.caption) or title, _LONGEST)}"
    if isinstance(block, FindingBlock):
        return f"Finding · {names.findings.get(block.finding, 'it was removed')}"
    if isinstance(block, TableBlock):
        return f"Table · {shorten(plain(block.caption) or plain(block.table), _LONGEST)}"
    if isinstance(block, TextBlock):
        words = shorten(plain(block.heading) or plain(block.text), _LONGEST)
        return f"Text · {words}" if words else "Text"
    return GENERAL[type(block)]


def _run(run: int, names: ReportNames) -> str:
    return names.runs.get(run, f"run {run} was removed")
