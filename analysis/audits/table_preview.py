"""What a table made elsewhere holds, before it is imported. Imports no torch, writes nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from analysis.errors import AuditError

_HEADER_BYTES = 1 << 20
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class TablePreview:
    """A table that can be imported.

    `form`: lce, netdissect or parallax for units, wide or long for performance; `rows`: units, or
    known performances; `flagged`: rows that will be kept but not counted as concepts; `left_out`:
    (what, why). `names_models`: False for a table that leaves the name of its model open.
    """

    kind: Literal["dissection", "performance"]
    form: str
    models: tuple[str, ...]
    rows: int
    flagged: int
    tasks: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    names_models: bool = True


def preview_table(path: Path, model: str | None = None) -> TablePreview:
    """Read a CSV of units or of performance; which of them it is, its columns say.

    :param model: name of the model for a table that leaves it open; by default the file's name.
    :raises AuditError: it is neither, or something in it is wrong.
    """
    columns = _header(path)
    if "unit" in columns:
        return _preview_units(path, model)
    if not columns & {"model", "name", ""}:
        raise AuditError(
            f"“{path.name}” is neither a table of units nor one of performance.",
            "Units have the columns unit, iou, label and category or those of NetDissect;"
            " performance has a column model and one a task.",
        )
    return _preview_performance(path, "long" if {"task", "value"} <= columns else "wide")


def _header(path: Path) -> frozenset[str]:
    """The names of the columns in lower case; of no column where the first line is no text."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_BYTES)
    except OSError as error:
        raise AuditError(
            f"“{path.name}” cannot be read: {error.strerror or error}.", "Choose a CSV file."
        ) from error
    line = start.decode("utf-8-sig", errors="replace").lstrip("\r\n").splitlines()[:1]
    if not line:
        raise AuditError(f"“{path.name}” is empty.", "Choose a table with rows.")
    separator = max(_SEPARATORS, key=line[0].count)
    try:
        cells = next(csv.reader(line, delimiter=separator), [])
    except csv.Error:
        cells = []
    return frozenset(cell.strip().lower() for cell in cells)


def _preview_units(path: Path, model: str | None) -> TablePreview:
    from analysis.dissection.categories import NOT_COUNTED
    from analysis.dissection.tables import read_dissection_csv

    table = read_dissection_csv(path, model)
    return TablePreview(
        kind="dissection",
        form=table.kind,
        models=table.models,
        rows=len(table.unit),
        flagged=int(np.isin(table.category, sorted(NOT_COUNTED)).sum()),
        tasks=(),
        left_out=tuple(
            (problem.model, f"{problem.units:,} units {problem.reason}")
            for problem in table.problems
        ),
        names_models=table.kind != "netdissect",
    )


def _preview_performance(path: Path, form: str) -> TablePreview:
    from analysis.evaluation.tables import read_performance_csv

    table = read_performance_csv(path)
    return TablePreview(
        kind="performance",
        form=form,
        models=table.models,
        rows=int(np.isfinite(table.values).sum()),
        flagged=0,
        tasks=table.tasks,
        left_out=table.left_out,
    )
