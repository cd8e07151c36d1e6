"""What the composer of reports is given to show, as plain entries."""

from __future__ import annotations

from typing import Protocol

from analysis.figures.report_composition import Block


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
