"""A table of the project as a report shows it: the first rows and columns, short numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from analysis.figures.report_parts import ReportTable
from analysis.figures.words import decimals_for, number, plain, shorten
from analysis.project.tables import first_rows

if TYPE_CHECKING:
    from analysis.project import Project

_MOST_COLUMNS = 9
_LONGEST_CELL = 80
_LEFT_OUT = ("id", "run")
_MISSING = "–"


def project_table(
    project: Project, name: str, run: int | None, most: int
) -> tuple[ReportTable, str]:
    """The table, and what of it is not shown (empty if all is).

    Columns without any value are left out. Raises AuditError for an unknown table or run.
    """
    columns, rows, total = first_rows(project, name, run, most)
    known = [
        place
        for place, column in enumerate(columns)
        if column not in _LEFT_OUT[: 2 if run is not None else 1]
        and any(row[place] is not None for row in rows)
    ]
    shown = known[:_MOST_COLUMNS]
    table = ReportTable(
        tuple(columns[place].replace("_", " ") for place in shown),
        tuple(tuple(_cell(row[place]) for place in shown) for row in rows),
    )
    said = []
    if total > len(rows):
        said.append(f"{total - len(rows):,} more rows")
    if len(known) > len(shown):
        said.append("the columns " + ", ".join(columns[place] for place in known[_MOST_COLUMNS:]))
    if not rows:
        return table, "The table has no rows yet."
    return table, f"In the project, not shown here: {'; '.join(said)}." if said else ""


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return _MISSING
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, float):
        return number(value, max(2, decimals_for(value)))
    if isinstance(value, int):
        return f"{value:,}"
    return shorten(plain(value), _LONGEST_CELL)
