"""Figures of one picture that was explained at once, outside of any run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import analysis
from analysis.audits.parameters import parameter, parse_parameters
from analysis.errors import AuditError
from analysis.figures import style
from analysis.figures.definitions_saliency import COLOUR_MAPS
from analysis.figures.export import FIGURE_FORMATS, TABLE_FORMATS, check_size, checked_suffix
from analysis.figures.files import write_atomically
from analysis.figures.provenance import file_metadata, without_folder
from analysis.figures.saliency_data import (
    OUTSIDE,
    AttentionDepth,
    Cell,
    Explanation,
    SaliencyMap,
)
from analysis.figures.saliency_grid import MapGrid, chosen, image_name, lay_out, method_named
from analysis.figures.saliency_tables import depth_table, maps_table
from analysis.figures.saliency_words import split_methods
from analysis.figures.tables import Table, csv_bytes, json_bytes
from analysis.figures.thumbnails import Tile
from analysis.figures.words import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project

_HOLDER = "This picture"


@dataclass(frozen=True, kw_only=True)
class ExplainedMapsParameters:
    """Which maps stand beside the picture, and how."""

    models: str = parameter("", "Only these models, separated by commas; empty means all")
    methods: str = parameter("", "Only these methods by name, separated by commas; empty means all")
    opacity: float = parameter(
        0.55, "Of the map over the picture, 0 to 1", minimum=0.0, maximum=1.0
    )
    colours: str = parameter("inferno", "Colours of the maps", choices=COLOUR_MAPS)


@dataclass(frozen=True, kw_only=True)
class ExplainedDepthParameters:
    """Whose attention is shown."""

    model: str = parameter("", "The model; empty means the first one whose attention is kept")
    colours: str = parameter("inferno", "Colours of the maps", choices=COLOUR_MAPS)


@dataclass(frozen=True)
class ExplainedFigure:
    """A figure of an explanation; as `FigureDefinition`, without project and run."""

    name: str
    title: str
    parameters: type
    read: Callable[[Explanation, Any], Any]
    render: Callable[[Explanation, Any, Any, float], Figure]
    tabulate: Callable[[Any], Table]


@dataclass(frozen=True)
class _Prepared:
    definition: ExplainedFigure
    parameters: Any
    data: Any


def explained_figures(explanation: Explanation) -> tuple[ExplainedFigure, ...]:
    """The figures that can be made of this explanation."""
    known = tuple(EXPLAINED_FIGURES.values())
    return known if explanation.depths else known[:1]


def explained_bytes(
    project: Project,
    explanation: Explanation,
    name: str,
    format: str,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    dpi: float = 300,
    **parameters: Any,
) -> bytes:
    """A figure of an explanation as the bytes of an svg, pdf or png file; errors as
    `export_explained`."""
    check_size(width_mm, dpi)
    return _bytes(project, explanation, _prepare(explanation, name, parameters), format, width_mm,
                  dpi)  # fmt: skip


def export_explained(
    project: Project,
    explanation: Explanation,
    name: str,
    out: Path,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    dpi: float = 300,
    **parameters: Any,
) -> Path:
    """Write a figure of an explanation as SVG, PDF or PNG, or the numbers behind it as CSV or JSON,
    by the suffix of `out`; returns `out`.

    The file says where it comes from (a CSV alone has no room for that); the same explanation gives
    the same bytes.

    :param project: whose models explained the picture.
    :param name: of `EXPLAINED_FIGURES`.
    :param parameters: of the figure, as values or texts.
    :raises AuditError: there is no such figure, parameter, model, method or map, or the file cannot
        be written so.
    """
    out = Path(out)
    format = checked_suffix(out, (*FIGURE_FORMATS, *TABLE_FORMATS), "figure")
    check_size(width_mm, dpi)
    prepared = _prepare(explanation, name, parameters)
    if format == "csv":
        return write_atomically(out, csv_bytes(_table(prepared)))
    if format == "json":
        provenance = _provenance(project, explanation, prepared)
        return write_atomically(out, json_bytes(_table(prepared), provenance))
    return write_atomically(out, _bytes(project, explanation, prepared, format, width_mm, dpi))


def _prepare(explanation: Explanation, name: str, parameters: Mapping[str, Any]) -> _Prepared:
    definition = EXPLAINED_FIGURES.get(name)
    if definition is None:
        raise AuditError(
            f"There is no figure “{name}” of a picture.",
            f"The figures are {', '.join(EXPLAINED_FIGURES)}.",
        )
    asked = parse_parameters(definition.parameters, parameters)
    return _Prepared(definition, asked, definition.read(explanation, asked))


def _bytes(
    project: Project,
    explanation: Explanation,
    prepared: _Prepared,
    format: str,
    width_mm: float,
    dpi: float,
) -> bytes:
    picture, definition = plain(explanation.name), prepared.definition
    metadata = file_metadata(
        _provenance(project, explanation, prepared),
        f"{definition.title}: {picture}",
        format,
        of=f"{picture}, explained by models",
    )
    render = partial(definition.render, explanation, prepared.data, prepared.parameters, width_mm)
    return style.drawn_bytes(render, format, dpi, metadata)


def _table(prepared: _Prepared) -> Table:
    """The numbers; a picture from outside of the project has no id."""
    columns, rows = prepared.definition.tabulate(prepared.data)
    at = columns.index("image")
    return columns, [
        tuple(None if i == at and v == OUTSIDE else v for i, v in enumerate(row)) for row in rows
    ]


def _provenance(project: Project, explanation: Explanation, prepared: _Prepared) -> dict[str, Any]:
    """Everything needed to make the figure again, as plain JSON values; no folder of this machine.

    Why a model failed is left out: such reasons name files.
    """
    index, origin = explanation.index, explanation.origin
    image = int(index.images[0])
    return {
        "figure": prepared.definition.name,
        "figure_parameters": asdict(prepared.parameters),
        "project": project.name,
        "run": None,
        "picture": {
            "name": explanation.name,
            "sha256": origin.sha256,
            "image": None if image == OUTSIDE else image,
            "label": index.image_labels[0] or None,
            "square": [int(value) for value in _square(explanation)],
        },
        "parameters": dict(origin.parameters),
        "methods": [method.label for method in index.methods],
        "not_applicable": [
            {"model": model, "method": method} for model, method, _ in index.refused
        ],
        "device": origin.device,
        "versions": dict(origin.versions),
        "models": [
            {
                "side": None,
                "name": by.name,
                "specification": without_folder(by.specification),
                "weights_sha256": by.weights_sha256,
            }
            for by in origin.models
        ],
        "models_that_failed": [name for name, _reason in explanation.problems],
        "written_by": f"parallax-audit {analysis.__version__}",
    }


def _square(explanation: Explanation) -> tuple[int, ...]:
    """x, y, width and height of what the models saw, in pixels of the upright original."""
    return explanation.maps[0].region if explanation.maps else ()


# -- the maps ----------------------------------------------------------------------------------
def _read_maps(explanation: Explanation, asked: ExplainedMapsParameters) -> MapGrid:
    index = explanation.index
    maps = {shown.cell: shown for shown in explanation.maps}
    wanted = [asked.models] if asked.models in index.models else _names(asked.models)
    models = chosen(wanted, index.models, f"{_HOLDER} has no maps by the model")
    methods = [method_named(index.methods, name) for name in split_methods(asked.methods)]

    def read(cells: Sequence[Cell]) -> Mapping[Cell, SaliencyMap]:
        return {cell: maps[cell] for cell in cells if cell in maps}

    if not methods:  # a method that none of these models has would be an empty column
        made = {cell.method for cell in maps if cell.model in models}
        methods = [method.label for method in index.methods if method.label in made]
    return lay_out(index, read, "image", index.images.tolist(), 1, models, methods, _HOLDER)


def _render_maps(
    explanation: Explanation, data: MapGrid, asked: ExplainedMapsParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_saliency import render_maps

    tiles = {image: Tile(explanation.pixels) for image in data.pictures}
    return render_maps(data, tiles, width_mm, asked.opacity, asked.colours)


# -- attention -----------------------------------------------------------------------------------
def _read_depth(explanation: Explanation, asked: ExplainedDepthParameters) -> AttentionDepth:
    depths = {depth.model: depth for depth in explanation.depths}
    if not depths:
        raise AuditError(
            f"{_HOLDER} has no attention of layers and heads.", "Only transformers have it."
        )
    asked_for = [asked.model] if asked.model else []
    return depths[chosen(asked_for, tuple(depths), f"{_HOLDER} has no attention of the model")[0]]


def _render_depth(
    explanation: Explanation,
    data: AttentionDepth,
    asked: ExplainedDepthParameters,
    width_mm: float,
) -> Figure:
    from analysis.figures.render_saliency import render_depth

    name = image_name(explanation.index, data.image)
    return render_depth(data, Tile(explanation.pixels), name, width_mm, asked.colours)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


EXPLAINED_FIGURES: Mapping[str, ExplainedFigure] = {
    definition.name: definition
    for definition in (
        ExplainedFigure(
            "explained",
            "Saliency maps of one picture",
            ExplainedMapsParameters,
            _read_maps,
            _render_maps,
            maps_table,
        ),
        ExplainedFigure(
            "explained-attention",
            "Attention through the layers in one picture",
            ExplainedDepthParameters,
            _read_depth,
            _render_depth,
            depth_table,
        ),
    )
}
