"""Every figure by its name: what it shows, its parameters, and how it becomes a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.audits.parameters import parameter, parse_parameters
from analysis.errors import AuditError
from analysis.figures import style
from analysis.figures.data import ConceptDetail, ConceptPoints, LayerSimilarity, ReplacementPoints
from analysis.figures.files import write_atomically
from analysis.figures.provenance import figure_provenance, file_metadata
from analysis.figures.readers import (
    LAYER_MEASURES,
    concept_detail,
    concept_points,
    latest_run,
    layer_similarity,
    replacement_points,
    run_row,
)
from analysis.figures.selection import of_class, telling_concepts
from analysis.figures.tables import (
    Table,
    concept_table,
    concepts_table,
    csv_bytes,
    json_bytes,
    layers_table,
    replacement_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project

FIGURE_FORMATS = ("svg", "pdf", "png")
TABLE_FORMATS = ("csv", "json")


@dataclass(frozen=True, kw_only=True)
class LayersFigureParameters:
    """What the heatmap of layers shows."""

    measure: str = parameter("mmcs_pearson", "Measure of similarity", choices=LAYER_MEASURES)
    depth: bool = parameter(False, "Relative depth on the axes in place of layer names")


@dataclass(frozen=True, kw_only=True)
class ConceptsFigureParameters:
    """What the plot of similarity against importance shows."""

    measure: str = parameter(
        "cmcs_pearson",
        "Measure of similarity",
        choices=("cmcs_pearson", "cmcs_spearman", "smcs_pearson", "mcs_pearson"),
    )
    class_name: str = parameter("", "Only this class; empty means all classes")
    low_similarity: float = parameter(
        0.5, "A concept below this similarity counts as unlike", minimum=-1, maximum=1
    )
    high_importance: float = parameter(
        0.3, "A concept of at least this importance counts as important", minimum=0, maximum=1
    )


@dataclass(frozen=True, kw_only=True)
class ConceptFigureParameters:
    """Which concept is shown."""

    concept: int = parameter(
        0, "Id of the concept (table `concept`); 0 means the most telling one", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class ReplacementFigureParameters:
    """What the replacement test shows."""

    class_name: str = parameter("", "Only this class; empty means all classes")


@dataclass(frozen=True)
class FigureDefinition:
    """One figure: `read` gives its data, `render` draws it, `tabulate` lists it.

    `read(project, run, parameters)` raises AuditError when there is nothing to show;
    `render(project, data, parameters, width_mm)` is called inside `style.journal_style`.
    """

    name: str
    title: str
    description: str
    audit: str
    parameters: type
    read: Callable[[Project, int, Any], Any]
    render: Callable[[Project, Any, Any, float], Figure]
    tabulate: Callable[[Any], Table]


def _read_layers(project: Project, run: int, chosen: LayersFigureParameters) -> LayerSimilarity:
    data = layer_similarity(project, run, chosen.measure)
    if data is None:
        raise _no_results(run, "layers")
    return data


def _read_concepts(project: Project, run: int, chosen: ConceptsFigureParameters) -> ConceptPoints:
    data = concept_points(project, run)
    if len(data.concept_id) == 0:
        raise _no_results(run, "concepts")
    return _limited(data, chosen.class_name)


def _read_replacement(
    project: Project, run: int, chosen: ReplacementFigureParameters
) -> ReplacementPoints:
    data = replacement_points(project, run)
    if len(data.concept_id) == 0:
        raise _no_results(run, "concepts")
    return _limited(data, chosen.class_name)


def _read_concept(project: Project, run: int, chosen: ConceptFigureParameters) -> ConceptDetail:
    if chosen.concept:
        return concept_detail(project, chosen.concept)
    ids = telling_concepts(concept_points(project, run), 1)
    if not ids:
        raise _no_results(run, "concepts")
    return concept_detail(project, ids[0])


def _limited(data: Any, class_name: str) -> Any:
    if not class_name:
        return data
    limited = of_class(data, class_name)
    if len(limited.concept_id) == 0:
        raise AuditError(
            f"Run {data.run} has no concepts of a class “{class_name}”.",
            "The table `concept` lists its classes.",
        )
    return limited


def _no_results(run: int, audit: str) -> AuditError:
    return AuditError(
        f"Run {run} has no results yet that this figure could show.",
        f"Let it go on with `parallax run FILE {audit}`, or choose another run.",
    )


def _render_layers(
    project: Project, data: LayerSimilarity, chosen: LayersFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_layers import render_layers

    return render_layers(data, width_mm, chosen.depth)


def _render_concepts(
    project: Project, data: ConceptPoints, chosen: ConceptsFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_concepts import render_concepts

    return render_concepts(data, width_mm, **asdict(chosen))


def _render_concept(
    project: Project, data: ConceptDetail, chosen: ConceptFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_concept import render_concept
    from analysis.figures.thumbnails import patch_tiles

    tiles = patch_tiles(project, [*data.top, *data.under, *data.over])
    return render_concept(data, tiles, width_mm)


def _render_replacement(
    project: Project, data: ReplacementPoints, chosen: ReplacementFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_replacement import render_replacement

    return render_replacement(data, width_mm, chosen.class_name)


FIGURES: Mapping[str, FigureDefinition] = {
    definition.name: definition
    for definition in (
        FigureDefinition(
            "layers",
            "Similarity of layers",
            "How similar the concepts of each layer of one model are to those of the other",
            "layers",
            LayersFigureParameters,
            _read_layers,
            _render_layers,
            layers_table,
        ),
        FigureDefinition(
            "concepts",
            "Similarity and importance of concepts",
            "How well the other model predicts each concept, and how much the concept matters",
            "concepts",
            ConceptsFigureParameters,
            _read_concepts,
            _render_concepts,
            concepts_table,
        ),
        FigureDefinition(
            "concept",
            "One concept and its patches",
            "Real against predicted coefficients, and the patches where the two models differ",
            "concepts",
            ConceptFigureParameters,
            _read_concept,
            _render_concept,
            concept_table,
        ),
        FigureDefinition(
            "replacement",
            "Replacement test",
            "What changes in a model when a concept is replaced by its prediction",
            "concepts",
            ReplacementFigureParameters,
            _read_replacement,
            _render_replacement,
            replacement_table,
        ),
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
        raise AuditError(f"There is no figure “{name}”.", f"The figures are {', '.join(FIGURES)}.")
    chosen = parse_parameters(definition.parameters, parameters)
    if name == "concept" and chosen.concept:
        data = _read_concept(project, 0, chosen)
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
        latest = latest_run(project, definition.audit)
        if latest is None:
            raise AuditError(
                f"This project has no results of the audit {definition.audit} yet.",
                f"Start it with `parallax run FILE {definition.audit}`.",
            )
        return latest
    audit = run_row(project, run)["audit"]
    if audit != definition.audit:
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
    format = _suffix(out, FIGURE_FORMATS, "figure")
    _check_size(width_mm, dpi)
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
    metadata = file_metadata(_provenance(project, prepared), prepared.definition.title, format)
    with style.journal_style(svg_text):
        figure = prepared.definition.render(project, prepared.data, prepared.parameters, width_mm)
        return style.figure_bytes(figure, format, dpi, metadata)


def figure_table(
    project: Project, name: str, run: int | None = None, **parameters: Any
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The numbers behind a figure: columns and rows; a missing number is None."""
    prepared = prepare_figure(project, name, run, **parameters)
    return prepared.definition.tabulate(prepared.data)


def export_figure_table(
    project: Project, name: str, out: Path, run: int | None = None, **parameters: Any
) -> Path:
    """Write the numbers behind a figure as CSV or (with its provenance) JSON, by suffix.

    Raises AuditError as `export_figure` does.
    """
    out = Path(out)
    format = _suffix(out, TABLE_FORMATS, "table")
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


def _suffix(out: Path, formats: tuple[str, ...], what: str) -> str:
    suffix = out.suffix.lower().lstrip(".")
    if suffix not in formats:
        written = f"“{out.suffix}”" if out.suffix else "a name without a suffix"
        raise AuditError(
            f"A {what} cannot be written as {written}.",
            f"End the file's name in {', '.join('.' + name for name in formats)}.",
        )
    return suffix


def _check_size(width_mm: float, dpi: float) -> None:
    if not 60 <= width_mm <= 600:
        raise AuditError(
            f"A figure cannot be {width_mm:g} mm wide.", "Choose a width of 60 to 600 mm."
        )
    if not 50 <= dpi <= 1200:
        raise AuditError(
            f"A figure cannot have {dpi:g} dots an inch.", "Choose a resolution of 50 to 1200."
        )
