"""Dissected units in the forms that other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from analysis.errors import AuditError
from analysis.project import Project

if TYPE_CHECKING:
    from analysis.dissection.tables import Kind


def export_units(
    project: Project, out: Path, form: str, run: int | None = None, models: Sequence[str] = ()
) -> None:
    """Write the units of a dissection run as a CSV.

    :param form: `parallax` (our own), `lce` (the authors of the LCE) or `netdissect`.
    :param run: the newest dissection if None.
    :param models: only these; all if empty.
    :raises AuditError: there is no such run or model, or the form cannot hold the units.
    """
    from analysis.dissection.table_export import table_from_rows, write_dissection_csv

    number = _dissection(project, run)
    known = [row["model"] for row in project.rows(
        "SELECT DISTINCT model FROM unit WHERE run = ?", (number,))]  # fmt: skip
    for name in models:
        if name not in known:
            raise AuditError(
                f"The run {number} has no units of “{name}”.", f"It has {', '.join(known)}."
            )
    chosen = tuple(models) or tuple(known)
    table = table_from_rows(
        _rows(project, "unit", number, chosen), _rows(project, "unit_candidate", number, chosen)
    )
    write_dissection_csv(out, table, cast("Kind", form))


def _dissection(project: Project, run: int | None) -> int:
    number = project.value(
        "SELECT max(id) FROM run WHERE audit = 'dissection' AND id = coalesce(?, id)"
        " AND EXISTS (SELECT 1 FROM unit WHERE unit.run = run.id)",
        (run,),
    )
    if number is None:
        raise AuditError(
            "This project has no dissected units" + (f" of the run {run}." if run else "."),
            "Start one with `parallax run FILE dissection`.",
        )
    return int(number)


def _rows(project: Project, table: str, run: int, models: Sequence[str]) -> list[dict[str, Any]]:
    wanted = frozenset(models)
    rows = project.rows(f"SELECT * FROM {table} WHERE run = ? ORDER BY id", (run,))
    return [dict(row) for row in rows if row["model"] in wanted]
