"""Tables made elsewhere: units of dissected models, and performance of models in tasks.

An imported table becomes a run that is done, of the audit it would have come from; models that the
project lacks are added by name alone, without a network.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.audits.plan import number_or_none
from analysis.errors import AuditError
from analysis.project import IMPORTED, Project

if TYPE_CHECKING:
    from analysis.dissection.tables import DissectionTable

IMPORTED_LAYER = "imported"
IOU_THRESHOLD = 0.04  # as published; above it a unit of a table counts as interpretable


@dataclass(frozen=True)
class ImportSummary:
    """What an import brought.

    `flagged`: rows that are kept but not counted as concepts; `left_out`: (what, why).
    """

    run: int
    models: tuple[str, ...]
    added_models: tuple[str, ...]
    rows: int
    flagged: int
    left_out: tuple[tuple[str, str], ...]


def import_performance(project: Project, file: Path) -> ImportSummary:
    """Take in a table of performance: models × tasks, or one line a model and task.

    :raises AuditError: the file is no such table; the project is unchanged.
    """
    from analysis.audits.table_preview import preview_table
    from analysis.evaluation.tables import read_performance_csv

    if preview_table(file).kind != "performance":
        raise AuditError(f"“{file.name}” is a table of units.", "Import it as a dissection.")
    table = read_performance_csv(file)
    rows = [
        {
            "model": model,
            "task": task,
            "value": float(table.values[row, column]),
            "ci_low": number_or_none(table.ci_low[row, column]),
            "ci_high": number_or_none(table.ci_high[row, column]),
            "n": _whole(table.n[row, column]),
        }
        for row, model in enumerate(table.models)
        for column, task in enumerate(table.tasks)
        if np.isfinite(table.values[row, column])
    ]
    with project.transaction():
        added = _add_models(project, table.models)
        run = _add_run(project, "evaluation", "Performance", file, table.models)
        project.commit_unit(run, "table", {"performance": rows}, {}, table.left_out)
        project.set_run_state(run, "done")
    return ImportSummary(run, table.models, added, len(rows), 0, table.left_out)


def import_dissection(project: Project, file: Path, model: str | None = None) -> ImportSummary:
    """Take in a table of units: the LCE authors', NetDissect's, or our own export.

    :param model: name of the model of a NetDissect table; by default the file's name.
    :raises AuditError: the file is no such table; the project is unchanged.
    """
    from analysis.dissection.tables import read_dissection_csv

    table = read_dissection_csv(file, model)
    counted = _counted(table)
    rows = {
        "unit": _unit_rows(table, counted),
        "unit_candidate": _candidate_rows(table),
        "profile": _profile_rows(table, counted),
    }
    problems = tuple(
        (problem.model, f"{problem.units} units {problem.reason}") for problem in table.problems
    )
    with project.transaction():
        added = _add_models(project, table.models)
        for name in added:
            units = int((table.model == name).sum())
            layers = dict.fromkeys(table.layer[table.model == name].tolist())
            project.add_layers(
                name, [_Layer(layer, place, units) for place, layer in enumerate(layers)]
            )
        run = _add_run(
            project,
            "dissection",
            "Dissection",
            file,
            table.models,
            {"iou_threshold": IOU_THRESHOLD},
        )
        project.commit_unit(run, "table", rows, {}, problems)
        project.set_run_state(run, "done")
    flagged = sum(problem.units for problem in table.problems)
    return ImportSummary(run, table.models, added, len(table.unit), flagged, problems)


@dataclass(frozen=True)
class _Layer:
    """The layer of an imported model: nothing is known of it but its units."""

    name: str
    position: int
    channels: int
    kind: str = IMPORTED_LAYER
    depth: float = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels,)


def _counted(table: DissectionTable) -> np.ndarray:
    if table.kept_interpretable is not None:
        return table.kept_interpretable.astype(bool)
    return table.interpretable(IOU_THRESHOLD)


def _unit_rows(table: DissectionTable, counted: np.ndarray) -> list[dict[str, Any]]:
    return [
        {
            "model": str(table.model[index]),
            "layer": str(table.layer[index]),
            "unit": int(table.unit[index]),
            "threshold": number_or_none(table.threshold[index]),
            "active_fraction": number_or_none(table.active_fraction[index]),
            "concept": str(table.concept[index]) or None,
            "category": str(table.category[index]) or None,
            "iou": number_or_none(table.iou[index]),
            "null_iou": number_or_none(table.null_iou[index]),
            "p": number_or_none(table.p[index]),
            "interpretable": int(counted[index]),
        }
        for index in range(len(table.unit))
    ]


def _candidate_rows(table: DissectionTable) -> list[dict[str, Any]]:
    found = table.candidates
    return [
        {
            "model": str(table.model[row]),
            "layer": str(table.layer[row]),
            "unit": int(table.unit[row]),
            "rank": int(found.rank[index]),
            "concept": str(found.concept[index]),
            "category": str(found.category[index]),
            "iou": number_or_none(found.iou[index]),
            "intersection": number_or_none(found.intersection[index]),
            "activation": number_or_none(found.activation[index]),
            "truth": number_or_none(found.truth[index]),
        }
        for index, row in enumerate(found.row.tolist())
    ]


def _profile_rows(table: DissectionTable, counted: np.ndarray) -> list[dict[str, Any]]:
    keys = zip(
        *(part[counted].tolist() for part in (table.model, table.layer)),
        table.concept[counted].tolist(),
        table.category[counted].tolist(),
        strict=True,
    )
    return [
        {"model": model, "layer": layer, "concept": concept, "category": category, "units": units}
        for (model, layer, concept, category), units in sorted(Counter(keys).items())
    ]


def _add_models(project: Project, names: Sequence[str]) -> tuple[str, ...]:
    """Add the models that the project lacks; returns their names."""
    known = {row["name"] for row in project.rows("SELECT name FROM model")}
    added = tuple(name for name in names if name not in known)
    for name in added:
        project.add_model(name, f"{IMPORTED}:{name}", library=IMPORTED)
    return added


def _add_run(
    project: Project,
    audit: str,
    title: str,
    file: Path,
    models: Sequence[str],
    parameters: Mapping[str, Any] | None = None,
) -> int:
    values = {
        "imported": True,
        "source": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        **(parameters or {}),
    }
    return project.add_run(audit, f"{title}: {file.name}", values, models=models)


def _whole(value: float) -> int | None:
    return int(value) if np.isfinite(value) else None
