"""What a figure is: its data, its parameters, its drawing and its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import AuditError
from analysis.figures.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project


@dataclass(frozen=True)
class FigureDefinition:
    """One figure: `read` gives its data, `render` draws it, `tabulate` lists it.

    `read(project, run, parameters)` raises AuditError when there is nothing to show;
    `render(project, data, parameters, width_mm)` is called inside `style.journal_style`.
    `table`: the newest run is one with rows in this table, by default the audit's main one.
    `more_audits`: others whose runs the figure can show when they are asked for.
    """

    name: str
    title: str
    description: str
    audit: str
    parameters: type
    read: Callable[[Project, int, Any], Any]
    render: Callable[[Project, Any, Any, float], Figure]
    tabulate: Callable[[Any], Table]
    table: str = ""
    more_audits: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NoParameters:
    """A figure without choices."""


def no_results(run: int, audit: str) -> AuditError:
    """The error for a run that has nothing yet that a figure could show."""
    return AuditError(
        f"Run {run} has no results yet that this figure could show.",
        f"Let it go on with `parallax run FILE {audit}`, or choose another run.",
    )
