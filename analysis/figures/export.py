"""Every figure by its name, and how it becomes a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.audits.parameters import parse_parameters
from analysis.errors import AuditError
from analysis.figures import style
from analysis.figures.data import ConceptDetail
from analysis.figures.definition import FigureDefinition
from analysis.figures.definitions_comparison import COMPARISON_FIGURES, read_concept
from analysis.figures.definitions_embedding import EMBEDDING_FIGURES
from analysis.figures.definitions_evaluation import EVALUATION_FIGURES
from analysis.figures.definitions_saliency import SALIENCY_FIGURES
from analysis.figures.definitions_semantics import SEMANTICS_FIGURES
from analysis.figures.definitions_units import UNIT_FIGURES
from analysis.figures.files import write_atomically
from analysis.figures.provenance import figure_provenance, file_metadata
from analysis.figures.readers import run_row
from analysis.figures.run_results import latest_run
from analysis.figures.slices import slice_line, slice_named
from analysis.figures.tables import csv_bytes, json_bytes
from analysis.near_names import name_hint

if TYPE_CHECKING:
    from analysis.project import Project

FIGURE_FORMATS = ("svg", "pdf", "png")
TABLE_FORMATS = ("csv", "json")
_IMPORTED = ("dissection", "evaluation", "embedding")  # may hold nothing but imported tables

FIGURES: Mapping[str, FigureDefinition] = {
    definition.name: definition
    for definition in (
        *COMPARISON_FIGURES,
        *UNIT_FIGURES,
        *EMBEDDING_FIGURES,
        *EVALUATION_FIGURES,
        *SALIENCY_FIGURES,
        *SEMANTICS_FIGURES,
    )
}


@dataclass(frozen=True)
class PreparedFigure:
    """A figure's definition, its run, its parameters and its data."""

    definition: FigureDefinition
    run: int
    parameters: Any
    data: Any


def prepare_figure(
    project: Project, name: str, run: int | None = None, **parameters: Any
) -> PreparedFigure:
    """Read a figure's data.

    :param run: the newest run with results when None (for `concept` with an id: that concept's).
    :param parameters: of the figure, as values or texts; see `FIGURES[name].parameters`.
    Raises AuditError for an unknown figure, parameter, run or concept, and for an empty run.
    """
    definition = FIGURES.get(name)
    if definition is None:
        known = f"The figures are {', '.join(FIGURES)}."
        raise AuditError(f"There is no figure “{name}”.", name_hint(name, FIGURES, known))
    chosen = parse_parameters(definition.parameters, parameters)
    if name == "concept" and chosen.concept:
        data = read_concept(project, 0, chosen)
        if run not in (None, data.run):
            raise AuditError(
                f"Concept {chosen.concept} is of run {data.run}, not of run {run}.",
                "Leave out the run, or choose a concept of it.",
            )
        return PreparedFigure(definition, data.run, chosen, data)
    run = _choose_run(project, definition, run)
    return PreparedFigure(definition, run, chosen, definition.read(project, run, chosen))


def _choose_run(project: Project, definition: FigureDefinition, run: int | None) -> int:
    if run is None:
        latest = latest_run(project, definition.audit, table=definition.table)
        if latest is None and latest_run(project, definition.audit) is not None:
            raise AuditError(
                f"No run of the audit {definition.audit} has results that the figure"
                f" {definition.name} could show.",
                f"It needs more than an imported table: `parallax run FILE {definition.audit}`."
                if definition.audit in _IMPORTED
                else f"Let one measure it: `parallax run FILE {definition.audit}`.",
            )
        if latest is None:
            raise AuditError(
                f"This project has no results of the audit {definition.audit} yet.",
                f"Start it with `parallax run FILE {definition.audit}`.",
            )
        return latest
    audit = run_row(project, run)["audit"]
    if audit not in (definition.audit, *definition.more_audits):
        raise AuditError(
            f"Run {run} is of the audit {audit}.",
            f"The figure {definition.name} needs a run of {definition.audit}.",
        )
    return run


def export_figure(
    project: Project,
    name: str,
    out: Path,
    run: int | None = None,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    dpi: float = 300,
    **parameters: Any,
) -> Path:
    """Write a figure as SVG, PDF or PNG, by the suffix of `out`; returns `out`.

    The file carries its provenance; the same project gives the same bytes. Text stays text in SVG
    and PDF. `run` and `parameters` as in `prepare_figure`.
    Raises AuditError for what `prepare_figure` refuses, an unknown suffix, an impossible size, and
    a file that cannot be written; an existing file is replaced only by a whole one.
    """
    out = Path(out)
    format = checked_suffix(out, FIGURE_FORMATS, "figure")
    check_size(width_mm, dpi)
    prepared = prepare_figure(project, name, run, **parameters)
    return write_atomically(out, render_bytes(project, prepared, format, width_mm, dpi))


def render_bytes(
    project: Project,
    prepared: PreparedFigure,
    format: str,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    dpi: float = 300,
    svg_text: str = "text",
) -> bytes:
    """A prepared figure as the bytes of an svg, pdf or png file."""
    line = _slice_line(project, prepared)
    title = f"{prepared.definition.title}. {line}" if line else prepared.definition.title
    metadata = file_metadata(_provenance(project, prepared), title, format)
    render = partial(
        prepared.definition.render, project, prepared.data, prepared.parameters, width_mm
    )
    return style.drawn_bytes(render, format, dpi, metadata, line, svg_text)


def _slice_line(project: Project, prepared: PreparedFigure) -> str:
    """Which images a figure was narrowed to; empty: it shows all."""
    within = slice_named(project, getattr(prepared.parameters, "slice", ""))
    return slice_line(within) if within is not None else ""


def export_figure_table(
    project: Project, name: str, out: Path, run: int | None = None, **parameters: Any
) -> Path:
    """Write the numbers behind a figure as CSV or (with its provenance) JSON, by suffix.

    Raises AuditError as `export_figure` does.
    """
    out = Path(out)
    format = checked_suffix(out, TABLE_FORMATS, "table")
    prepared = prepare_figure(project, name, run, **parameters)
    table = prepared.definition.tabulate(prepared.data)
    if format == "csv":
        return write_atomically(out, csv_bytes(table))
    return write_atomically(out, json_bytes(table, _provenance(project, prepared)))


def _provenance(project: Project, prepared: PreparedFigure) -> dict[str, Any]:
    chosen = asdict(prepared.parameters)
    if isinstance(prepared.data, ConceptDetail):
        chosen["concept"] = prepared.data.concept_id
    return figure_provenance(project, prepared.run, prepared.definition.name, chosen)


def checked_suffix(out: Path, formats: tuple[str, ...], what: str) -> str:
    """The format that a file's name ends in. Raises AuditError for one that is none of these."""
    suffix = out.suffix.lower().lstrip(".")
    if suffix not in formats:
        written = f"“{out.suffix}”" if out.suffix else "a name without a suffix"
        raise AuditError(
            f"A {what} cannot be written as {written}.",
            f"End the file's name in {', '.join('.' + name for name in formats)}.",
        )
    return suffix


def check_size(width_mm: float, dpi: float) -> None:
    """Raises AuditError for a width or a resolution that no figure can have."""
    if not 60 <= width_mm <= 600:
        raise AuditError(
            f"A figure cannot be {width_mm:g} mm wide.", "Choose a width of 60 to 600 mm."
        )
    if not 50 <= dpi <= 1200:
        raise AuditError(
            f"A figure cannot have {dpi:g} dots an inch.", "Choose a resolution of 50 to 1200."
        )
