"""Dissections written as CSV, in the forms that `tables` reads. Needs no torch."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.dissection.categories import FAILED_THRESHOLD, NOT_COUNTED
from analysis.dissection.tables import DissectionTable, Kind, TableCandidates
from analysis.errors import AuditError

_OWN_COLUMNS = (
    *("model", "layer", "unit", "threshold", "active_fraction", "concept", "category"),
    *("iou", "null_iou", "p", "interpretable"),
)
_TEXTS = ("model", "layer", "concept", "category")
_NUMBERS = ("threshold", "active_fraction", "iou", "null_iou", "p")


def dissection_csv(table: DissectionTable, kind: Kind, iou_threshold: float = 0.04) -> bytes:
    """The table as CSV (UTF-8) of one of the three forms; a number that is missing is empty.

    A unit without a concept is labelled `-` in the LCE authors' form: with the share of active
    pixels if its threshold failed, else without a number. NetDissect's form leaves its label and
    score empty, is in the order of the scores, and counts units from 1.

    :param iou_threshold: for the column `interpretable` of our own form, where the table does not
        say.
    :raises AuditError: NetDissect's form is asked for several models or layers at once.
    """
    write = {"lce": _lce, "netdissect": _netdissect, "parallax": _own}[kind]
    header, rows = write(table, iou_threshold)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def write_dissection_csv(
    path: Path, table: DissectionTable, kind: Kind, iou_threshold: float = 0.04
) -> None:
    """Write `dissection_csv` to a file.

    :raises AuditError: as there, or the file cannot be written.
    """
    content = dissection_csv(table, kind, iou_threshold)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise AuditError(
            f"“{path.name}” cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from error


_Table = tuple[Sequence[str], list[list[Any]]]


def _own(table: DissectionTable, iou_threshold: float) -> _Table:
    said = table.kept_interpretable
    interpretable = table.interpretable(iou_threshold) if said is None else said
    columns = [getattr(table, name) for name in _OWN_COLUMNS[:-1]]
    columns.append(interpretable.astype(np.int64))
    return _OWN_COLUMNS, [[_plain(value) for value in row] for row in zip(*columns, strict=True)]


def _lce(table: DissectionTable, _: float) -> _Table:
    rows = []
    for row, category in enumerate(table.category.tolist()):
        score = table.active_fraction if category == FAILED_THRESHOLD else table.iou
        label = table.concept[row] or "-"
        known = _plain(score[row]) if category != "" else None
        rows.append([row, table.model[row], int(table.unit[row]), known, label, category or "-"])
    return ("", "name", "unit", "iou", "label", "category"), rows


def _netdissect(table: DissectionTable, _: float) -> _Table:
    if len(set(zip(table.model.tolist(), table.layer.tolist(), strict=True))) > 1:
        raise AuditError(
            "NetDissect's table holds one layer of one model.", "Export the models one by one."
        )
    found = table.candidates
    groups = sorted(set(found.category.tolist()))
    best: dict[tuple[int, str], int] = {}
    for index in np.argsort(found.rank, kind="stable").tolist():
        best.setdefault((int(found.row[index]), str(found.category[index])), index)
    header = ["unit", "category", "label", "score"]
    for group in groups:
        header += [
            f"{group}-{name}" for name in ("label", "truth", "activation", "intersect", "iou")
        ]
    rows = []
    for row in np.argsort(-table.iou, kind="stable").tolist():
        category = str(table.category[row])
        cells = [
            int(table.unit[row]) + 1,
            "" if category in NOT_COUNTED else category,
            table.concept[row],
            _plain(table.iou[row]),
        ]
        for group in groups:
            index = best.get((row, group))
            cells += [None] * 5 if index is None else _candidate(table, index)
        rows.append(cells)
    return header, rows


def _candidate(table: DissectionTable, index: int) -> list[Any]:
    found = table.candidates
    numbers = (found.truth, found.activation, found.intersection, found.iou)
    return [str(found.concept[index]), *(_plain(column[index]) for column in numbers)]


def _plain(value: Any) -> Any:
    """A Python value; None for a missing number."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def table_from_rows(
    units: Sequence[Mapping[str, Any]],
    candidates: Sequence[Mapping[str, Any]] = (),
    source: str = "",
) -> DissectionTable:
    """The rows of a project's tables `unit` and `unit_candidate` as a table to write.

    :param units: with the columns of our own form; None for a missing value.
    :param candidates: with model, layer, unit, rank, concept, category, iou, intersection,
        activation and truth.
    """
    place = {(row["model"], row["layer"], row["unit"]): index for index, row in enumerate(units)}

    def column(rows: Sequence[Mapping[str, Any]], name: str, kind: type) -> np.ndarray:
        missing = {np.str_: "", np.float64: math.nan}.get(kind, 0)
        values = [row.get(name) for row in rows]
        return np.array([missing if value is None else value for value in values], dtype=kind)

    kept = [row for row in candidates if (row["model"], row["layer"], row["unit"]) in place]
    owners = [place[row["model"], row["layer"], row["unit"]] for row in kept]
    numbers = ("iou", "intersection", "activation", "truth")
    return DissectionTable(
        kind="parallax",
        source=source,
        sha256="",
        unit=column(units, "unit", np.int64),
        **{name: column(units, name, np.str_) for name in _TEXTS},
        **{name: column(units, name, np.float64) for name in _NUMBERS},
        kept_interpretable=column(units, "interpretable", np.int64).astype(bool),
        candidates=TableCandidates(
            row=np.array(owners, dtype=np.int64),
            rank=column(kept, "rank", np.int64),
            concept=column(kept, "concept", np.str_),
            category=column(kept, "category", np.str_),
            **{name: column(kept, name, np.float64) for name in numbers},
        ),
        problems=(),
    )
