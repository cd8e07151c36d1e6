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
from analysis.figures.slice_performance import (
    SlicePerformance,
    named_lists,
    slice_performance,
    slice_performance_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project


@dataclass(frozen=True, kw_only=True)
class EnsemblesFigureParameters:
    """In which task models are combined."""

    task: str = parameter("", "The task; empty means the first one with ensembles")


@dataclass(frozen=True, kw_only=True)
class SlicePerformanceFigureParameters:
    """Whose performance is shown, over which slices."""

    slices: str = parameter("", "Slices by name, separated by commas; empty means all")
    tasks: str = parameter(
        "", "Tasks, separated by commas; empty means the first one whose predictions are kept"
    )
    models: str = parameter("", "Models by name, separated by commas; empty means all")


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


def _read_slices(
    project: Project, run: int, chosen: SlicePerformanceFigureParameters
) -> SlicePerformance:
    names = named_lists(chosen.slices, chosen.tasks, chosen.models)
    return slice_performance(project, run, *names)


def _render_slices(
    project: Project,
    data: SlicePerformance,
    chosen: SlicePerformanceFigureParameters,
    width_mm: float,
) -> Figure:
    from analysis.figures.render_slice_performance import render_slice_performance

    return render_slice_performance(data, width_mm)


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
    FigureDefinition(
        "performance-by-slice",
        "Performance by slice",
        "How often models are right on each slice of the images, beside all images and chance",
        "evaluation",
        SlicePerformanceFigureParameters,
        _read_slices,
        _render_slices,
        slice_performance_table,
        table="array",  # of predictions: imported tables have none
    ),
)
