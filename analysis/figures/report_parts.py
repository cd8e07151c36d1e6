"""The parts of a report: plain text, tables and pictures, and how they are made of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from analysis.errors import AuditError
from analysis.figures.data import ConceptDetail
from analysis.figures.export import PreparedFigure, prepare_figure
from analysis.figures.provenance import json_value
from analysis.figures.words import plain

if TYPE_CHECKING:
    from analysis.project import Project

# Figures that are mostly photographs: as JPEG they keep a report small.
_PHOTOGRAPHIC = frozenset({"concept", "units", "saliency", "attention-depth", "mask-pair"})


@dataclass(frozen=True)
class Picture:
    """A figure of a run as a report shows it; drawn only when the report is written.

    :param parameters: of the figure, those that differ from their defaults.
    :param text: says in words what it shows, for readers who cannot see it.
    """

    figure: str
    run: int
    parameters: Mapping[str, Any]
    text: str
    caption: str

    @property
    def format(self) -> str:
        """What it is drawn as: svg, or jpeg if it is mostly photographs."""
        return picture_format(self.figure)


@dataclass(frozen=True)
class ReportTable:
    """A small table of texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class TitledTable:
    """A table of results with its heading; `widths`: of the columns in print, as shares."""

    title: str
    table: ReportTable
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """A chapter of the report: what was done, what came out, and how to read it."""

    title: str
    paragraphs: tuple[str, ...]
    how_to_read: tuple[str, ...]
    pictures: tuple[Picture, ...]
    parameters: ReportTable
    tables: tuple[TitledTable, ...] = ()


def parameters_table(run: Any) -> ReportTable:
    """A run's parameters, seed and the versions it was made with."""
    rows = [
        (
            name,
            plain(json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value),
        )
        for name, value in sorted((json_value(run["parameters"]) or {}).items())
        if value != ""
    ]
    if run["seed"] is not None:
        rows.append(("seed of the run", str(run["seed"])))
    versions = json_value(run["versions"]) or {}
    if isinstance(versions, dict):
        rows += [(f"version of {plain(name)}", plain(versions[name])) for name in sorted(versions)]
    return ReportTable(("parameter", "value"), tuple(rows))


def state_sentence(run: Any) -> str:
    if run["state"] == "done":
        return ""
    return f" This run is {run['state']}: the numbers are those of the part that is done."


def picture_format(figure: str) -> str:
    """svg, or jpeg for a figure that is mostly photographs."""
    return "jpeg" if figure in _PHOTOGRAPHIC else "svg"


def picture_of(prepared: PreparedFigure, text: str, caption: str) -> Picture:
    """A figure that has been found to have something to show."""
    values = asdict(prepared.parameters)
    if isinstance(prepared.data, ConceptDetail):
        values["concept"] = prepared.data.concept_id
    defaults = {field.name: field.default for field in fields(prepared.parameters)}
    chosen = {name: value for name, value in values.items() if value != defaults[name]}
    return Picture(prepared.definition.name, prepared.run, chosen, text, caption)


def picture_if_any(
    project: Project, run: int, name: str, text: str, caption: str, **parameters: Any
) -> list[Picture]:
    """The figure, or nothing where the run has nothing of this kind."""
    try:
        prepared = prepare_figure(project, name, run, **parameters)
    except AuditError:
        return []
    return [picture_of(prepared, text, caption)]
