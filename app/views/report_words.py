"""What the composer of reports is given to show, as plain entries."""

from __future__ import annotations

from typing import Protocol

from analysis.figures.report_composition import Block, FigureBlock
from app.widgets.figure_source import FigureKey


class Offered(Protocol):
    """One thing that can be added."""

    @property
    def title(self) -> str: ...
    @property
    def block(self) -> Block: ...


class OfferedGroup(Protocol):
    """Things that belong together."""

    @property
    def title(self) -> str: ...
    @property
    def entries(self) -> tuple[Offered, ...]: ...


def figure_key(block: Block) -> FigureKey | None:
    """Of which figure a part is; None for all others."""
    if not isinstance(block, FigureBlock):
        return None
    return FigureKey.of(block.figure, block.run, block.parameters)
