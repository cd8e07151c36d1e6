"""The figures of evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.definition import FigureDefinition
from analysis.figures.embedding_data import EnsembleGains
from analysis.figures.embedding_readers import ensemble_gains, ensemble_tasks
from analysis.figures.embedding_tables import ensembles_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project


@dataclass(frozen=True, kw_only=True)
class EnsemblesFigureParameters:
    """In which task models are combined."""

    task: str = parameter("", "The task; empty means the first one with ensembles")


def _read_ensembles(project: Project, run: int, chosen: EnsemblesFigureParameters) -> EnsembleGains:
    tasks = ensemble_tasks(project, run)
    if not tasks:
        raise AuditError(
            f"Run {run} has no results of ensembles.",
            "Imported performance has none: let `parallax run FILE evaluation` combine models.",
        )
    return ensemble_gains(project, run, chosen.task or tasks[0])


def _render_ensembles(
    project: Project, data: EnsembleGains, chosen: EnsemblesFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_ensembles import render_ensembles

    return render_ensembles(data, width_mm)


EVALUATION_FIGURES = (
    FigureDefinition(
        "ensembles",
        "Ensembles of two models",
        "What the weighted soft vote of every pair gains over its better member",
        "evaluation",
        EnsemblesFigureParameters,
        _read_ensembles,
        _render_ensembles,
        ensembles_table,
        table="ensemble",
    ),
)
